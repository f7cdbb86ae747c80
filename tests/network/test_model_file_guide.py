"""What docs/model-file.md says is so: its examples run, its one-line error is the real one, no key is missing."""

import contextlib
import io
import re
import runpy
from pathlib import Path

import pytest

from mc_interchange.errors import ModelError
from mc_interchange.network import CATALOGUE, json_schema, parse_network

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "model-file.md").read_text(encoding="utf-8")
YAML_BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("text", YAML_BLOCKS)
def test_examples_are_models(text):
    parse_network(text)


def test_there_are_examples():
    assert len(YAML_BLOCKS) == 2
    assert len(PYTHON_BLOCKS) == 1


def test_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(PYTHON_BLOCKS[0], "model-file.md", "exec"), {})
    assert shown.getvalue().startswith("500 25000 ")


def test_the_refusal_that_is_shown():
    with pytest.raises(ModelError) as refusal:
        parse_network(YAML_BLOCKS[0].replace("1.5 ms", "1500 us"), origin="my_network.yaml")
    assert f"\n{refusal.value}\n" in GUIDE


def documented(key, *, required):
    return f"`{key}`*" in GUIDE if required else f"`{key}`" in GUIDE


def test_every_key_is_documented():
    schema = json_schema()
    missing = []
    for definition in (schema, *schema["$defs"].values()):
        for key in definition.get("properties", {}):
            if key in ("rule", "distribution", "kind") or documented(
                key, required=key in definition.get("required", ())
            ):
                continue
            missing.append(key)
    missing += [
        p.name for p in CATALOGUE["iaf_psc_exp"].parameters if not documented(p.name, required=p.default is None)
    ]
    assert missing == []


def test_the_page_of_neuron_models_is_up_to_date():
    script = runpy.run_path(str(DOCS / "tables.py"))
    assert (DOCS / "neuron-models.md").read_text(encoding="utf-8") == script["page"]()
    assert (DOCS / "synapse-models.md").read_text(encoding="utf-8") == script["synapse_page"]()


def test_every_choice_is_documented():
    for definition in json_schema()["$defs"].values():
        for key in ("rule", "distribution", "kind"):
            choice = definition.get("properties", {}).get(key, {}).get("const")
            assert choice is None or f"`{choice}`" in GUIDE or f"`kind: {choice}`" in GUIDE, choice
