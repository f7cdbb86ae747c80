"""mc-plot."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def two_runs(tools, toy_export):
    for out, seed in (("a", "1"), ("b", "2")):
        tools("mc-run", toy_export, "--simulator", "pulse", "--seed", seed, "--out", out)
    return "a", "b"


def test_runs_and_networks(tools, two_runs, toy_yaml):
    assert tools("mc-plot", "a").stdout == "a-plot.png\n"
    document = json.loads(tools("mc-plot", *two_runs, "--out", "both.svg", "--json").stdout)
    assert document == {"path": "both.svg"}
    assert tools("mc-plot", toy_yaml, "--out", "net.pdf").exit_code == 0
    for name, magic in (("a-plot.png", b"\x89PNG"), ("both.svg", b"<?xml"), ("net.pdf", b"%PDF")):
        assert (tools.directory / name).read_bytes().startswith(magic)


@pytest.mark.parametrize("what", ["raster", "rates", "rate-distribution", "cv", "correlation"])
def test_one_plot_of_a_run(tools, two_runs, what):
    result = tools("mc-plot", "a", "--what", what, "--out", f"{what}.png")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("what", ["connectivity", "weights", "delays"])
def test_one_plot_of_a_network(tools, toy_yaml, what):
    result = tools("mc-plot", toy_yaml, "--what", what, "--out", f"{what}.png")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: no such file or directory"),
        (["a", "toy.yaml"], "toy.yaml: is no run"),
        (["a", "a"], "is given twice"),
        (["a", "b", "--what", "raster"], "one run at a time"),
        (["a", "--what", "weights"], "is of networks"),
        (["toy.yaml", "--what", "cv"], "is of runs"),
        (["a", "--what", "potentials"], "no membrane potentials were recorded"),
        (["a", "--out", "x.bmp"], "the ending must be one of"),
        (["a", "--out", "a"], "exists already; choose another --out"),
        (["a", "--out", "nofile/x.png"], "nofile/x.png: cannot be written"),
    ],
)
def test_wrong_use_leaves_nothing(tools, two_runs, toy_yaml, arguments, says):
    (tools.directory / "nofile").touch()
    before = tools.contents(tools.directory)
    tools.refused("mc-plot", *arguments, says=says)
    assert tools.contents(tools.directory) == before


def test_a_picture_is_replaced_by_force_only(tools, two_runs):
    (tools.directory / "p.png").write_text("mine")
    tools.refused("mc-plot", "a", "--out", "p.png", says="--force to replace it")
    assert tools("mc-plot", "a", "--out", "p.png", "--force").exit_code == 0
    assert (tools.directory / "p.png").read_bytes().startswith(b"\x89PNG")


def test_runs_of_other_populations(tools, two_runs, toy_export):
    tools("mc-run", toy_export, "--simulator", "reader", "--out", "c")
    tools.refused("mc-plot", "a", "c", says="c: has other populations than a")
