"""A package from outside adds a format and a model, without a change to this one."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("fake_plugin")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of installed packages that holds the plug-in as an installer leaves it."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    (site / "mc_fake_plugin.py").write_bytes((PLUGIN / "mc_fake_plugin.py").read_bytes())
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return site


def python(site, code, cwd):
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_model_and_exporter_are_found_and_work(site, tmp_path):
    code = """
import json
from mc_interchange import build, export, realize, registry
from mc_interchange.manifest import check_manifest
exporter = registry.load("exporter", "fake-csv")
network = build("fake-pair", size=3)
result = export(realize(network), "fake-csv", "out", exporter.Options(separator=";"))
print(json.dumps({
    "exporters": registry.names("exporter"), "models": registry.names("reference model"),
    "rows": open("out/synapses.csv").read().split(), "losses": [x.what for x in result.losses],
    "findings": check_manifest("out"),
}))
"""
    result = python(site, code, tmp_path)
    assert {"fake-csv", "sonata"} <= set(result["exporters"])
    assert {"fake-pair", "pd14"} <= set(result["models"])
    assert result["rows"][0] == "0;0;1.5;10"
    assert len(result["rows"]) == 9
    assert result["losses"] == ["neuron parameters"]
    assert result["findings"] == []


def test_what_is_wrong_with_a_plugin_is_said_in_one_line(site, tmp_path):
    code = """
import json
from mc_interchange import build, registry, reading
from mc_interchange.errors import InterchangeError
lines = []
for call in (
    lambda: registry.load("exporter", "fake-broken"),
    lambda: registry.load("exporter", "fake-stranger"),
    lambda: registry.load("importer", "fake-gone"),
    lambda: build("fake-pair", sise=3),
    lambda: build("fake-pair", size=-1),
    lambda: build("fake-trio"),
    lambda: reading.find_importer("."),
):
    try:
        call()
    except InterchangeError as error:
        lines.append(str(error))
print(json.dumps(lines))
"""
    broken, stranger, gone, misspelt, negative, unknown, unread = python(site, code, tmp_path)
    assert broken.startswith("exporter 'fake-broken' of mc-fake-plugin cannot be loaded (")
    assert stranger == "exporter 'fake-stranger' of mc-fake-plugin is not a subclass of Exporter"
    assert gone == "importer 'fake-gone' of mc-fake-plugin cannot be loaded (No module named 'mc_fake_plugin_gone')"
    assert misspelt == "fake-pair: sise: unknown key (it is misspelt or does not belong here)"
    assert negative == "fake-pair: size: must be at least 0, got -1"
    assert unknown.startswith("unknown reference model 'fake-trio'; known: ")
    assert unread.startswith(".: not a model file (.yaml) and not recognised by any importer (")
    assert unread.endswith(f"; {gone}")


def test_two_packages_with_one_name(site, tmp_path):
    info = tmp_path / "mc_other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mc-other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mc_interchange.exporters]\nfake-csv = mc_other:CsvExporter\n")
    code = """
import json
from mc_interchange import registry
try:
    registry.load("exporter", "fake-csv")
except Exception as error:
    print(json.dumps(str(error)))
"""
    assert python(f"{site}{os.pathsep}{tmp_path}", code, tmp_path) == (
        "exporter 'fake-csv' is given by mc-fake-plugin (mc_fake_plugin:CsvExporter) and "
        "mc-other (mc_other:CsvExporter); uninstall one of them"
    )
