"""mc-run with a toy simulator."""

from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import pytest

from mc_interchange.cli.models import default_out
from mc_interchange.cli.recordings import parse_ids
from mc_interchange.errors import UsageError
from mc_interchange.runs import read_run

ROOT = Path(__file__).parents[2]


def run(tools, *arguments: str | Path):
    return tools("mc-run", *arguments, "--simulator", "pulse")


def facts(directory: str | Path) -> dict:
    return json.loads((Path(directory) / "run.json").read_text())


def test_writes_a_run_and_prints_rates(tools, toy_export):
    result = run(tools, toy_export)
    assert result.exit_code == 0, result.stderr
    words = [line.split() for line in result.stdout.splitlines()]
    assert ["E", "50", "50", "10.000"] in words
    assert ["I", "20", "0", "0.000"] in words
    assert read_run("toy-toyhdf-run").n_spikes == 50
    digest = json.loads((toy_export / "manifest.json").read_text())["digest"]["all"]
    assert facts("toy-toyhdf-run")["source_digest"] == digest
    assert [p.name for p in sorted(tools.directory.iterdir())] == ["toy-toyhdf", "toy-toyhdf-run"]


def test_json(tools, toy_export):
    document = json.loads(run(tools, toy_export, "--json", "--out", "r").stdout)
    assert document["path"] == "r"
    assert document["n_spikes"] == 50
    assert document["populations"]["E"] == {"neurons": 50, "spikes": 50, "rate": 10.0}


def test_flags_reach_the_simulator(tools, toy_export):
    record = ["--record", "V_m:E:0,3,5-9", "--record", "V_m:I:0:10", "--record", "V_m:E:3,4"]
    result = run(tools, toy_export, "--seed", "8", "--threads", "2", "--duration", "40", "--native", *record)
    assert result.exit_code == 0, result.stderr
    found = facts("toy-toyhdf-run")
    assert (found["seed"], found["threads"], found["duration"]) == (8, 2, 40)
    assert found["simulator"] == "pulse (native)"
    assert found["source_digest"] is None
    assert found["versions"]["recorded"] == "E:8,I:10"


def test_seed_of_a_model_file_draws_its_synapses(tools, toy_yaml, monkeypatch):
    from mc_toy import PulseRunner

    seeds = []
    whole = PulseRunner.run
    monkeypatch.setattr(
        PulseRunner, "run", lambda self, i, **k: seeds.append((i.seed, i.simulation.seed)) or whole(self, i, **k)
    )
    assert run(tools, toy_yaml, "--seed", "8").exit_code == 0
    tools("mc-export", toy_yaml, "--format", "toyhdf", "--out", "e")
    assert run(tools, "e", "--seed", "8").exit_code == 0
    assert seeds == [(8, 8), (3, 8)]
    assert facts("toy-run")["source_digest"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--simulator", "abacus"], "unknown runner 'abacus'; known: brian2, eden, "),
        (["--record", "E:0"], "must be V_m:POPULATION:IDS"),
        (["--record", "V_m:E"], "must be V_m:POPULATION:IDS"),
        (["--record", "g:E:0"], "must be V_m:POPULATION:IDS"),
        (["--record", "V_m:X:0"], "no population 'X'; known: E, I"),
        (["--record", "V_m:T:0"], "no population 'T'; known: E, I"),
        (["--record", "V_m:E:50"], "E has 50 neurons"),
        (["--record", "V_m:E:0-x"], "'0-x' is not a neuron"),
        (["--duration", "0"], "toy-toyhdf: "),
        (["--duration", "0.05"], "toy-toyhdf: "),
        (["--duration", "x"], "--duration"),
        (["--threads", "0"], "--threads"),
        (["--seed", "0"], "--seed"),
        (["--out", "toy-toyhdf"], "toy-toyhdf: is an export, not a run; choose another --out"),
        (["--out", "toy-toyhdf", "--force"], "toy-toyhdf: is an export, not a run; choose another --out"),
    ],
)
def test_wrong_use_leaves_nothing(tools, toy_export, arguments, says):
    before = tools.contents(".")
    tools.refused("mc-run", toy_export, "--simulator", "pulse", *arguments, says=says)
    assert tools.contents(".") == before
    assert [p.name for p in tools.directory.iterdir()] == ["toy-toyhdf"]


def test_paths_that_are_no_model(tools):
    Path("empty").mkdir()
    tools.refused("mc-run", "empty", "--simulator", "pulse", says="empty: not a model file")
    tools.refused("mc-run", "nowhere", "--simulator", "pulse", says="nowhere: no such file or directory")
    tools.refused("mc-run", "toy", "--simulator", "pulse", says="toy: a reference model, where a path is needed")


def test_native_needs_rules(tools, toy_export):
    (toy_export / "model.yaml").unlink()
    assert run(tools, toy_export, "--out", "explicit").exit_code == 0
    tools.refused("mc-run", toy_export, "--simulator", "pulse", "--native", says="toy-toyhdf has no rules")


def test_a_damaged_manifest(tools, toy_export):
    (toy_export / "model.yaml").unlink()
    (toy_export / "manifest.json").write_text("{}")
    tools.refused("mc-run", toy_export, "--simulator", "pulse", says="manifest.json")


def test_a_duration_within_the_discarded_start(tools, toy_yaml):
    toy_yaml.write_text(toy_yaml.read_text().replace("discard: 0.0", "discard: 60.0"))
    result = run(tools, toy_yaml, "--duration", "60")
    assert result.exit_code == 0, result.stderr
    assert "mc-run: warning: toy.yaml discards its first 60 ms" in result.stderr
    assert (facts("toy-run")["duration"], facts("toy-run")["discard"]) == (60, 0)


def test_an_earlier_run_is_replaced_by_force_only(tools, toy_export, toy_run):
    before = tools.contents(".")
    tools.refused("mc-run", toy_export, "--simulator", "pulse", "--seed", "8", says="exists already")
    assert tools.contents(".") == before
    assert run(tools, toy_export, "--seed", "8", "--force").exit_code == 0
    assert facts(toy_run)["seed"] == 8


def test_ids():
    assert parse_ids("0,3,5-7") == [0, 3, 5, 6, 7]
    assert parse_ids("2:4,9") == [2, 3, 9]
    for text in ("", ",", "-1", "3-", "4-3", "4:4", "1.5", "0:9999999"):
        with pytest.raises(UsageError, match="--record"):
            parse_ids(text)


def test_an_export_that_was_edited_gives_no_digest(tools, toy_export):
    with h5py.File(toy_export / "edges.h5", "a") as file:
        file["E_to_I"][7] += 1
    result = run(tools, toy_export)
    assert result.exit_code == 0, result.stderr
    assert (
        "mc-run: warning: toy-toyhdf was changed after it was written (edges.h5:E_to_I: values differ" in result.stderr
    )
    assert facts("toy-toyhdf-run")["source_digest"] is None


def test_more_threads_than_make_sense(tools, toy_export):
    cores = len(os.sched_getaffinity(0))
    assert "warning" not in run(tools, toy_export, "--threads", str(cores)).stderr
    stderr = run(tools, toy_export, "--threads", str(4 * cores + 1), "--out", "many").stderr
    assert f"mc-run: warning: --threads {4 * cores + 1}: there are only {cores} cores" in stderr


def test_an_export_does_not_replace_a_run(tools, toy_run):
    arguments = ["toy", "--format", "toyhdf", "--out", toy_run, "--force"]
    tools.refused("mc-export", *arguments, says="toy-toyhdf-run: is a run, not an export; choose another --out")


@pytest.mark.parametrize(
    ("here", "model", "expected"),
    [
        (".", "toy", "toy-run"),
        (".", "e", "e-run"),
        (".", "e/", "e-run"),
        (".", "e/circuit_config.json", "e-run"),
        (".", "e/edges.h5", "e-run"),
        (".", "e/model.yaml", "model-run"),
        (".", "a network.yaml", "a_network-run"),
        ("e", ".", "{top}/e-run"),
        ("e", "circuit_config.json", "{top}/e-run"),
        ("e/sub", "..", "{top}/e-run"),
    ],
)
def test_where_a_result_goes(tools, monkeypatch, here, model, expected):
    for directory in ("e/sub", "other"):
        Path(directory).mkdir(parents=True)
    for file in ("e/manifest.json", "e/circuit_config.json", "e/edges.h5", "e/model.yaml", "a network.yaml"):
        Path(file).touch()
    monkeypatch.chdir(here)
    assert str(default_out(model, "run")) == expected.format(top=tools.directory)


def test_frozen_input_that_ends_before_the_run(tools, toy_export):
    model = ROOT / "examples" / "balanced.yaml"
    frozen = tools("mc-export", model, "--format", "sonata", "--duration", "20", "--freeze-input", "--out", "f")
    assert frozen.exit_code == 0, frozen.stderr
    assert "freezing 500 Poisson sources for 20 ms: about " in frozen.stderr
    report = json.loads(Path("f/export_report.json").read_text())["frozen"]
    assert {name: entry["until_ms"] for name, entry in report.items()} == dict.fromkeys(report, 20.0)
    assert run(tools, "f").stderr.count("warning") == 0
    longer = run(tools, "f", "--duration", "30", "--out", "longer")
    assert "were frozen for 20 ms, after which there are none" in longer.stderr
