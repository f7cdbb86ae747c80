"""mc-run with a toy that reads files of one format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mc_interchange.errors import SimulationError
from mc_interchange.network import read_network, write_network
from mc_interchange.runs import read_run


def run(tools, *arguments: str | Path):
    return tools("mc-run", *arguments, "--simulator", "reader")


def facts(directory: str | Path) -> dict:
    return json.loads((Path(directory) / "run.json").read_text())


def digest(export: Path) -> str:
    return json.loads((export / "manifest.json").read_text())["digest"]["all"]


def test_runs_the_files_as_they_are(tools, toy_export):
    before = tools.contents(toy_export)
    result = run(tools, toy_export)
    assert result.exit_code == 0, result.stderr
    found = facts("toy-toyhdf-run")
    assert found["versions"]["path"] == str(toy_export)
    assert (found["model"], found["source_digest"]) == ("toy", digest(toy_export))
    assert read_run("toy-toyhdf-run").n_spikes == 400
    assert not Path(found["versions"]["scratch"]).parent.exists()
    assert tools.contents(toy_export) == before


@pytest.mark.parametrize("change", [["--duration", "40"], ["--seed", "9"], ["--record", "V_m:E:0"]])
def test_changes_are_exported_first(tools, toy_export, change):
    result = run(tools, toy_export, *change)
    assert result.exit_code == 0, result.stderr
    found = facts("toy-toyhdf-run")
    assert found["versions"]["path"] != str(toy_export)
    assert not Path(found["versions"]["path"]).exists()
    assert "for the reader" in found["versions"]["options"]


def test_what_is_in_another_format_is_exported_first(tools, toy_yaml):
    result = run(tools, toy_yaml)
    assert result.exit_code == 0, result.stderr
    assert "What toyhdf does not hold as it is:\n  inputs: dropped" in result.stderr
    tools("mc-export", toy_yaml, "--format", "toyhdf", "--out", "e")
    assert facts("toy-run")["source_digest"] == digest(Path("e"))
    assert facts("toy-run")["model"] == "toy"


def test_it_draws_no_synapses(tools, toy_export):
    tools.refused("mc-run", toy_export, "--simulator", "reader", "--native", says="reader runs files")


def test_a_failure_leaves_nothing(tools, toy_export, monkeypatch):
    from mc_toy import ReaderRunner

    used = []

    def fail(self, path, scratch, **_):
        used.append(scratch)
        raise SimulationError("the reader stopped: no light")

    monkeypatch.setattr(ReaderRunner, "run_files", fail)
    tools.refused("mc-run", toy_export, "--simulator", "reader", says="the reader stopped: no light")
    assert not used[0].exists()
    assert [p.name for p in tools.directory.iterdir()] == ["toy-toyhdf"]


def test_a_run_that_ends_within_the_discarded_start(tools, toy_export):
    """The files say how long it is, and the model file beside them what is to be left out."""
    network = read_network(toy_export / "model.yaml")
    simulation = network.simulation.model_copy(update={"duration": 500.0, "discard": 100.0})
    write_network(network.model_copy(update={"simulation": simulation}), toy_export / "model.yaml")
    result = run(tools, toy_export)
    assert result.exit_code == 0, result.stderr
    assert "toy-toyhdf discards its first 100 ms; with this duration nothing is discarded" in result.stderr
    assert facts("toy-toyhdf-run")["discard"] == 0.0
