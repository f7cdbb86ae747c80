"""mc-describe: where the tables come from and go to (their content has its own tests)."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize("format", ["text", "markdown", "latex", "html"])
def test_every_source_gives_the_same_tables(tools, toy_yaml, format):
    tools("mc-export", toy_yaml, "--format", "toyhdf", "--out", "x")
    results = [
        tools("mc-describe", source, "-f", format) for source in ("toy", toy_yaml, "x", "x/model.yaml", "x/edges.h5")
    ]
    assert {result.exit_code for result in results} == {0}
    assert len({result.stdout for result in results}) == 1
    assert "iaf_psc_exp" in results[0].stdout.replace("\\", "")


def test_arguments_reach_the_model(tools):
    assert tools("mc-describe", "toy", "--scale", "0.37").stdout != tools("mc-describe", "toy").stdout


def test_to_a_file(tools):
    text = tools("mc-describe", "toy").stdout
    result = tools("mc-describe", "toy", "--out", "new/toy.txt")
    assert (result.exit_code, result.output) == (0, "")
    assert Path("new/toy.txt").read_text() == text
    tools.refused("mc-describe", "toy", "--out", "new/toy.txt", says="new/toy.txt: exists already")
    assert tools("mc-describe", "toy", "--scale", "2", "--out", "new/toy.txt", "--force").exit_code == 0
    assert Path("new/toy.txt").read_text() != text
    assert [p.name for p in Path("new").iterdir()] == ["toy.txt"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "missing argument 'MODEL'"),
        (["nowhere"], "nowhere: neither"),
        (["bad.yaml"], "bad.yaml: line 1"),
        (["empty"], "empty: has no rules to describe (no model.yaml there)"),
        (["toy", "--format", "pdf"], "--format"),
        (["toy", "--scale", "1", "--k-scale", "1"], "give either"),
        (["toy", "--param", "x=1"], "known: scale"),
        (["bad.yaml", "--scale", "1"], "--scale is for reference models"),
        (["toy", "--out", "empty"], "empty: exists already; choose another"),
        (["toy", "--out", "empty", "--force"], "empty: exists already; choose another"),
        (["toy", "--out", "bad.yaml/x"], "bad.yaml/x: cannot be written"),
    ],
)
def test_wrong_use(tools, arguments, says):
    Path("bad.yaml").write_text("name: [")
    Path("empty").mkdir()
    tools.refused("mc-describe", *arguments, says=says)
    assert tools.contents(".") == {"bad.yaml": b"name: ["}
