"""Two things on the same rungs as one: networks of any format, model files, runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from changed_files import change_a_weight, drawn_run, keep

from mc_interchange import export, realize
from mc_interchange.equivalence import null_of, observe
from mc_interchange.network import read_network, write_network
from mc_interchange.reading import import_path
from mc_interchange.verify import read_certificate

QUICK = ["--min-spikes", "20", "--quiet"]


def rungs(out: str) -> dict[str, bool | None]:
    return {rung.name: rung.passed for rung in read_certificate(Path(out) / "certificate.json").rungs}


def test_two_formats(exported, tool):
    export(import_path(exported), "neuroml", "b")
    result = tool("mc-verify", exported, "b", *QUICK)
    assert result.exit_code == 0, result.output
    assert rungs("b-verify") == {"structure": True, "single neuron": True, "spikes": True, "statistics": None}
    certificate = read_certificate(Path("b-verify/certificate.json"))
    assert certificate.reference is not None
    assert (certificate.reference.kind, certificate.tested.kind) == ("export", "export")
    assert certificate.reference.digest == certificate.tested.digest != None  # noqa: E711  # both, and something
    assert certificate.reference.seeds == certificate.tested.seeds == (3,)


def test_one_changed_weight_is_found_from_either_side(exported, tool):
    export(import_path(exported), "sonata", "b")
    change_a_weight(Path("b"))
    for order in ([exported, "b"], ["b", exported]):
        result = tool("mc-verify", *order, *QUICK, "--force")
        assert result.exit_code == 1
        assert "row 7" in result.stdout
        assert rungs(f"{order[1]}-verify") == {
            "structure": False,
            "single neuron": True,
            "spikes": None,
            "statistics": None,
        }


@pytest.mark.slow
def test_a_model_file_is_drawn_with_the_seed_of_the_other_side(exported, pair, tool):
    export(realize(pair, 8), "sonata", "b")
    write_network(pair, "pair.yaml")
    for order in (["pair.yaml", "b"], ["b", "pair.yaml"]):
        result = tool("mc-verify", *order, *QUICK, "--out", f"{order[0]}-out")
        assert result.exit_code == 0, result.output
        certificate = read_certificate(Path(f"{order[0]}-out/certificate.json"))
        assert certificate.reference is not None
        assert certificate.reference.seeds == certificate.tested.seeds == (8,)
        assert "rules" in (certificate.reference.kind, certificate.tested.kind)
    other = tool("mc-verify", exported, "b", *QUICK, "--rung", "structure")
    assert other.exit_code == 1
    assert "drawn with the seeds 3 and 8" in other.stdout


@pytest.mark.slow
def test_other_rules_than_those_it_was_drawn_of(exported, tool):
    network = read_network(exported / "model.yaml")
    heavier = network.projections[0].model_copy(
        update={"weight": network.projections[0].weight.model_copy(update={"mean": 63.0})}
    )
    write_network(network.model_copy(update={"projections": (heavier, *network.projections[1:])}), "rules.yaml")
    result = tool("mc-verify", "rules.yaml", exported, *QUICK, "--rung", "structure")
    assert result.exit_code == 1
    assert "A_to_B: weights" in result.stdout


def test_a_neuron_that_is_not_that_of_the_reference(exported, tool):
    network = read_network(exported / "model.yaml")
    first = network.populations[0]
    neuron = first.neuron.model_copy(update={"parameters": {**first.neuron.parameters, "tau_m": 10.5}})
    changed = network.model_copy(
        update={"populations": (first.model_copy(update={"neuron": neuron}), *network.populations[1:])}
    )
    export(realize(changed), "sonata", "b")
    result = tool("mc-compare", exported, "b", "--level", "single neuron")
    assert result.exit_code == 1
    assert "! A: membrane potential" in result.stdout
    assert "! B: " not in result.stdout
    assert result.stdout.endswith("within limits: no\n")


def test_runs_of_one_network(exported, tool):
    for name in ("r", "s"):
        assert tool("mc-run", exported, "--record", "V_m:A:0,1", "--out", name, "--quiet").exit_code == 0
    result = tool("mc-verify", "r", "s", *QUICK)
    assert result.exit_code == 0, result.output
    assert rungs("s-verify") == {"structure": None, "single neuron": None, "spikes": True, "statistics": None}
    figures = read_certificate(Path("s-verify/certificate.json")).rungs[2].figures
    assert [f.value for f in figures if f.name == "membrane potentials of 2 neurons"] == [0]


def test_runs_differ_by_one_spike(tmp_path, tool, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = drawn_run(1)
    moved = run.spikes["B"].steps.copy()
    moved[5] += 1
    keep(run, Path("r"))
    changed = {**run.spikes, "B": type(run.spikes["B"]).sorted(moved, run.spikes["B"].neurons)}
    keep(type(run)(**{**run.__dict__, "spikes": changed}), Path("s"))
    result = tool("mc-verify", "r", "s", *QUICK)
    assert result.exit_code == 1
    assert "B neuron" in result.stdout
    page = Path("s-verify/report.html").read_text()
    assert "First difference" in page
    assert "The first difference is marked" in page


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"random_input": True}, "the simulator drew their input"),
        ({"source_digest": "other"}, "not of the same network"),
    ],
)
def test_runs_whose_spikes_may_differ(tmp_path, tool, monkeypatch, changes, why):
    monkeypatch.chdir(tmp_path)
    keep(drawn_run(1), Path("r"))
    keep(drawn_run(1, **changes), Path("s"))
    result = tool("mc-verify", "r", "s", *QUICK)
    assert result.exit_code == 1  # nothing applies
    assert why in result.stdout


class TestStatistics:
    @pytest.fixture(autouse=True)
    def runs(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for seed in range(12):
            keep(drawn_run(seed + 1), Path(f"native/{seed}"))
        for name, seed, rate in (("same", 50, 20.0), ("faster", 51, 24.0)):
            keep(drawn_run(seed, rate=rate), Path(name))

    def test_a_directory_of_runs_is_a_reference(self, tool):
        result = tool("mc-compare", "native", "same", "--level", "statistics")
        assert result.exit_code == 0, result.output
        assert "D of rate, A" in result.stdout
        assert result.stdout.endswith("within limits: yes\n")
        result = tool("mc-compare", "native", "faster", "--level", "statistics", "--json")
        assert result.exit_code == 1
        document = json.loads(result.stdout)
        assert not document["within_limits"]
        assert [f["name"] for f in document["figures"] if not f["passed"]]
        assert all({"value", "kind", "limit"} <= f.keys() for f in document["figures"])

    def test_few_runs_need_to_know_how_far_others_are_apart(self, tool):
        result = tool("mc-compare", "native/1", "same", "--level", "statistics")
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert "a directory of runs of at least 10 networks" in result.stderr
        assert "there are 1" in result.stderr

    def test_few_runs_of_a_model_with_stored_limits(self, tool, monkeypatch):
        null = null_of(observe([drawn_run(seed) for seed in range(100, 115)]))
        stored = "mc_interchange.verify.ladder.stored_null"
        monkeypatch.setattr(stored, lambda rules: null if rules == "those" else None)
        assert tool("mc-compare", "native/1", "same", "--level", "statistics").exit_code == 0
        result = tool("mc-compare", "native/1", "faster", "--level", "statistics")
        assert result.exit_code == 1
        assert "! mean rate, A" in result.stdout
        assert "! reference, " not in result.stdout
        result = tool("mc-compare", "faster", "same", "--level", "statistics")
        assert result.exit_code == 1
        assert "! reference, mean rate, A" in result.stdout
        assert "! mean rate" not in result.stdout

    def test_the_report_shows_them_beside_the_reference(self, tool):
        result = tool("mc-verify", "native", "faster", "--quiet")
        assert result.exit_code == 1
        page = Path("faster-verify/report.html").read_text()
        assert "12 networks together; line: the run, 1 network" in page
        assert page.count("data:image/png;base64,") == 2
        certificate = read_certificate(Path("faster-verify/certificate.json"))
        assert certificate.reference is not None
        assert len(certificate.reference.networks) == 12
        assert certificate.tested.seeds == (51,)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"dt": 0.2, "duration": 4000.0}, "resolution 0.1 ms against 0.2 ms"),
            ({"duration": 3000.0}, "statistics of different durations cannot be compared"),
            ({"sizes": {"A": 60, "B": 41}}, "populations B (40) against B (41)"),
        ],
    )
    def test_runs_of_something_else(self, tool, changes, says):
        run = drawn_run(7)
        keep(type(run)(**{**run.__dict__, **changes}), Path("other"))
        for arguments in (["mc-compare", "native", "other", "--level", "statistics"], ["mc-verify", "native", "other"]):
            result = tool(*arguments)
            assert result.exit_code == 2, result.output
            assert says in result.stderr
            assert result.stderr.count("\n") == 1
        assert not Path("other-verify").exists()
        assert not list(Path().glob(".*"))


def test_networks_that_cannot_be_compared(exported, pair, tool):
    larger = pair.model_copy(
        update={"populations": (pair.populations[0].model_copy(update={"size": 41}), pair.populations[1])}
    )
    export(realize(larger), "sonata", "larger")
    finer = pair.model_copy(update={"simulation": pair.simulation.model_copy(update={"dt": 0.05})})
    export(realize(finer), "sonata", "finer")
    keep(drawn_run(1), Path("run"))
    for other, says in (
        ("larger", "populations A (40) against A (41)"),
        ("finer", "resolution 0.1 ms against 0.05 ms"),
        ("run", "run is a run, a is a model"),
    ):
        result = tool("mc-verify", exported, other)
        assert result.exit_code == 2, result.output
        assert says in result.stderr
        assert result.stderr.count("\n") == 1
    assert not list(Path().glob("*-verify"))
