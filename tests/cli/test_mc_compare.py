"""mc-compare: the same, different, or not comparable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_the_same_model_in_two_places(tools, toy_export):
    result = tools("mc-compare", toy_export, toy_export)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "identical: yes"
    digest = json.loads((toy_export / "manifest.json").read_text())["digest"]["all"]
    assert digest in result.stdout
    assert tools("mc-compare", toy_export, toy_export / "model.yaml", "--level", "structure").exit_code == 0


def test_different_models(tools, toy_export):
    tools("mc-export", "toy", "--format", "toyhdf", "--seed", "4", "--out", "b")
    result = tools("mc-compare", toy_export, "b")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "identical: no"
    assert "E -> I" in result.stdout
    document = json.loads(tools("mc-compare", toy_export, "b", "--json").stdout)
    assert document["identical"] is False
    assert document["differences"]
    assert len(set(document["digests"])) == 2


def test_runs(tools, toy_export, toy_run):
    for name, seed in (("b", "3"), ("c", "4")):
        tools("mc-run", toy_export, "--simulator", "pulse", "--seed", seed, "--out", name)
    same = tools("mc-compare", toy_run, "b")
    assert same.exit_code == 0, same.stderr
    assert same.stdout.splitlines() == ["50 and 50 spikes", "identical: yes"]
    different = tools("mc-compare", toy_run, "c", "--level", "spikes")
    assert different.exit_code == 1
    assert different.stdout.splitlines()[-1] == "identical: no"
    assert len(different.stdout.splitlines()) == 3
    document = json.loads(tools("mc-compare", toy_run, "c", "--json").stdout)
    assert document["identical"] is False
    assert document["divergence"]
    assert document["n_spikes"] == [50, 50]


def test_two_silent_runs_prove_nothing(tools, toy_export):
    for name in ("a", "b"):
        tools("mc-run", toy_export, "--simulator", "pulse", "--threads", "13", "--out", name)
    result = tools("mc-compare", "a", "b")
    assert result.exit_code == 1
    assert "both runs are silent: this proves nothing" in result.stdout
    assert json.loads(tools("mc-compare", "a", "b", "--json").stdout)["silent"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["toy-toyhdf", "toy-toyhdf-run"], "toy-toyhdf-run is a run, toy-toyhdf is a model"),
        (["toy-toyhdf-run", "toy-toyhdf"], "toy-toyhdf-run is a run, toy-toyhdf is a model"),
        (["toy-toyhdf-run", "toy-toyhdf-run", "--level", "structure"], "runs do not tell of it"),
        (["toy-toyhdf-run", "toy-toyhdf-run", "--level", "statistics"], "no reference distributions are stored"),
        (["toy-toyhdf", "toy-toyhdf", "--level", "statistics"], "no reference distributions are stored"),
        (["toy-toyhdf", "nowhere"], "nowhere: no such file or directory"),
        (["nowhere", "toy-toyhdf-run"], "nowhere: no such file or directory"),
        (["toy-toyhdf"], "missing argument 'B'"),
        (["toy-toyhdf", "toy-toyhdf-run/spikes.h5", "--level", "structure"], "spikes.h5: not a model file"),
        (["toy-toyhdf", ".", "--level", "structure"], ". holds runs, toy-toyhdf is a model"),
        ([".", "toy-toyhdf-run"], ".: several runs, whose spikes cannot be compared one by one"),
        (["a", "b", "--level", "looks"], "--level"),
    ],
)
def test_what_cannot_be_compared(tools, toy_run, arguments, says):
    tools.refused("mc-compare", *arguments, says=says)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"run_version": 1}', b"\xff\xfe"])
def test_a_damaged_run(tools, toy_run, damage):
    (toy_run / "run.json").write_bytes(damage)
    tools.refused("mc-compare", toy_run, toy_run, says="run.json")


def test_unreadable_spikes(tools, toy_run):
    (toy_run / "spikes.h5").write_bytes(b"no HDF5")
    tools.refused("mc-compare", toy_run, toy_run, says="spikes.h5")
    (toy_run / "spikes.h5").unlink()
    tools.refused("mc-compare", toy_run, toy_run, says=str(Path("spikes.h5")))
