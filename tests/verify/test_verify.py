"""The ladder for an export: it holds for what was written, and fails at the right rung for what was changed."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner

from mc_interchange import build, export, realize
from mc_interchange.cli.verify import command
from mc_interchange.instance import freeze_inputs
from mc_interchange.network import read_network, write_network
from mc_interchange.verify import read_certificate

#: Direct current reaches the threshold with so few synapses only at a higher rate of the background.
MODEL = {"n_scale": 0.01, "k_scale": 0.05, "bg_rate": 12.0, "background": "dc", "duration": 400.0, "discard": 0.0}
QUICK = ["--spikes-duration", "60", "--min-spikes", "100"]


def verify(*arguments: str | Path):
    return CliRunner().invoke(command, [str(a) for a in arguments])


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return export(realize(build("pd14", **MODEL)), "sonata", tmp_path / "column").path


def rungs(out: str | Path) -> dict[str, bool | None]:
    return {rung.name: rung.passed for rung in read_certificate(Path(out) / "certificate.json").rungs}


def test_an_export_holds(exported: Path):
    result = verify(exported, *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("column-verify/report.html\nverified: yes\n")
    assert rungs("column-verify") == {"structure": True, "single neuron": True, "spikes": True, "statistics": None}
    page = Path("column-verify/report.html").read_text()
    assert "verified: yes" in page
    assert page.count("data:image/png;base64,") == 4
    assert "http" not in page.replace("http-equiv", "")


def test_poisson_input_is_frozen_for_the_spikes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = export(realize(build("pd14", **{**MODEL, "background": "poisson"})), "neuroml", tmp_path / "column").path
    result = verify(path, "--rung", "spikes", *QUICK)
    assert result.exit_code == 0, result.output
    figures = read_certificate(Path("column-verify/certificate.json")).rungs[0].figures
    assert figures[0].value == 0
    assert figures[1].value > 100


def test_one_changed_weight(exported: Path):
    file = next((exported / "network").glob("*L4E_to_L4I*edges.h5"), None) or sorted(exported.rglob("*edges.h5"))[3]
    with h5py.File(file, "r+") as content:
        weights = next(iter(content["edges"].values()))["0/syn_weight"]
        weights[7] *= 1.02
    result = verify(exported, *QUICK)
    assert result.exit_code == 1
    assert rungs("column-verify")["structure"] is False
    assert rungs("column-verify")["spikes"] is None
    assert "row 7" in result.stdout
    assert "verified: no" in result.stdout
    assert "verified: no" in Path("column-verify/report.html").read_text()


def test_a_neuron_parameter_that_is_not_that_of_the_rules(exported: Path):
    network = read_network(exported / "model.yaml")
    first = network.populations[0]
    parameters = {**first.neuron.parameters, "tau_m": 10.5}
    changed = first.model_copy(update={"neuron": first.neuron.model_copy(update={"parameters": parameters})})
    write_network(
        network.model_copy(update={"populations": (changed, *network.populations[1:])}), exported / "model.yaml"
    )
    result = verify(exported, "--rung", "single neuron")
    assert result.exit_code == 1
    failed = [f.name for f in read_certificate(Path("column-verify/certificate.json")).rungs[0].figures if not f.passed]
    assert failed
    assert all(name.startswith("L23E: ") for name in failed)


def test_silence_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = export(realize(build("pd14", **{**MODEL, "bg_rate": 2.0})), "sonata", tmp_path / "column").path
    result = verify(path, "--rung", "spikes", *QUICK)
    assert result.exit_code == 1
    assert "prove nothing" in result.stdout


def test_without_rules_nothing_holds(exported: Path):
    (exported / "model.yaml").unlink()
    result = verify(exported, "--rung", "structure", "--rung", "spikes")
    assert result.exit_code == 1
    assert "structure: not climbed, there are no rules beside it" in result.stdout
    assert result.stdout.endswith("verified: no\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: no such file or directory"),
        (["column/model.yaml"], "column/model.yaml: it is the rules themselves; name a reference before it"),
        (["column", "--rung", "ladder"], "'ladder' is not one of"),
        (["column", "--out", "column"], "column"),
        (["column", "nowhere"], "nowhere: no such file or directory"),
        (["nowhere", "column"], "nowhere: no such file or directory"),
        (["column", "column", "column"], "one thing is held against another; there are 3"),
    ],
)
def test_wrong_use(exported: Path, arguments, says):
    before = sorted(p.name for p in Path().iterdir())
    result = verify(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(p.name for p in Path().iterdir()) == before


@pytest.mark.slow
def test_statistics_where_a_reference_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = export(realize(build("pd14", scale=0.05)), "sonata", tmp_path / "column").path
    result = verify(path, "--rung", "statistics", "--seed", "5")
    assert result.exit_code == 0, result.output
    rung = read_certificate(Path("column-verify/certificate.json")).rungs[0]
    assert rung.passed
    assert len(rung.figures) == 1 + 8 * 3 * 2 + 1 + 8


@pytest.mark.parametrize("against_rules", [False, True])
def test_spikes_that_were_drawn_beforehand_are_those_of_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, against_rules: bool
):
    """An export with replayed spikes holds, unless one of them was changed."""
    monkeypatch.chdir(tmp_path)
    network = build("pd14", scale=0.005, background="poisson", duration=20.0, discard=0.0)
    path = export(freeze_inputs(realize(network, 3)), "sonata", tmp_path / "frozen").path
    arguments = [path / "model.yaml", path] if against_rules else [path]
    verify(*arguments, "--rung", "structure", "--out", "first")
    assert rungs("first")["structure"] is True
    with h5py.File(path / "inputs" / "background_L4E_spikes.h5", "r+") as file:
        (times,) = (group["timestamps"] for group in file["spikes"].values())
        times[5] += 0.1
    verify(*arguments, "--rung", "structure", "--out", "second")
    assert rungs("second")["structure"] is False
