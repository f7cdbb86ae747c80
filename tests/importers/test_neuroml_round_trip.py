"""NeuroML written and read again: the same network, whatever is in it."""

from __future__ import annotations

import re
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from neuroml_networks import networks

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.cli.validate import check
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.instance import ArrayEdges, EdgeBlock, Nodes, freeze_inputs
from mc_interchange.network import Network, Neuron, Simulation

Encoding = Literal["xml", "hdf5"]
#: A failing network is shown as it was drawn: making it smaller takes minutes.
_SETTINGS = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def there_and_back(instance: NetworkInstance, out: Path, encoding: Encoding = "xml") -> NetworkInstance:
    export(instance, "neuroml", out, NeuroMLOptions(encoding=encoding))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return open_model(out)


def pd14(kind: str) -> NetworkInstance:
    arguments: dict[str, Any] = {"n_scale": 0.002, "k_scale": 0.01, "duration": 40.0, "discard": 0.0, "bg_rate": 30.0}
    if kind in ("thalamus", "frozen"):
        arguments |= {"thalamus": True, "num_th_neurons": 9, "th_start": 10.0, "th_duration": 20.0}
    if kind == "dc_transient":
        arguments |= {"dc_transient": True, "dc_transient_start": 10.0, "dc_transient_dur": 5.0}
    background = "dc" if kind in ("dc", "dc_transient") else "poisson"
    instance = realize(build("pd14", background=background, **arguments))
    return freeze_inputs(instance) if kind == "frozen" else instance


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        *((kind, encoding) for kind in ("dc_transient", "thalamus") for encoding in ("xml", "hdf5")),
        ("dc", "xml"),
        ("poisson", "hdf5"),
        ("frozen", "xml"),
        pytest.param("frozen", "hdf5", marks=pytest.mark.slow),
    ],
)
def test_pd14_comes_back(kind: str, encoding: Encoding, tmp_path: Path) -> None:
    instance = pd14(kind)
    imported = there_and_back(instance, tmp_path / "out", encoding)
    assert imported.digest().differences(instance.digest()) == []
    assert imported.inputs == instance.inputs
    assert imported.simulation == instance.simulation
    assert imported.network == instance.network
    assert (imported.name, imported.seed) == (instance.name, instance.seed)
    assert list(imported.populations) == list(instance.populations)
    assert list(imported.projections) == list(instance.projections)
    for name, nodes in instance.populations.items():
        found = imported.populations[name]
        assert found.color == nodes.color
        np.testing.assert_array_equal(found.positions, nodes.positions)


@pytest.mark.parametrize(("kind", "encoding"), [("thalamus", "xml"), ("thalamus", "hdf5"), ("frozen", "xml")])
def test_a_second_export_has_the_same_bytes(kind: str, encoding: Encoding, tmp_path: Path) -> None:
    imported = there_and_back(pd14(kind), tmp_path / "out", encoding)
    again = export(imported, "neuroml", tmp_path / "again", NeuroMLOptions(encoding=encoding)).path
    names = [file.name for file in again.iterdir()]
    assert len(names) == 6
    # the report of a frozen network counts spikes that were drawn then
    for name in set(names) - ({"export_report.json", "manifest.json"} if kind == "frozen" else set()):
        assert (again / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name


def test_without_the_rules_it_is_the_same_network_in_xml(tmp_path: Path) -> None:
    """Only what a generator's delay is made of is not in the files."""
    instance = pd14("dc_transient")
    there_and_back(instance, tmp_path / "out")
    for name in ("model.yaml", "manifest.json"):
        (tmp_path / "out" / name).unlink()
    imported = open_model(tmp_path / "out")
    assert imported.network is None
    assert [d for d in imported.digest().differences(instance.digest()) if not d.startswith("inputs")] == []
    found, wanted = imported.inputs, instance.inputs
    assert len(found) == len(wanted) > 0
    for a, b in zip(found, wanted, strict=True):
        assert (a.name, a.target, a.amplitude, a.start + a.delay, a.stop + a.delay) == pytest.approx(
            (b.name, b.target, b.amplitude, b.start + b.delay, b.stop + b.delay), abs=1e-12
        )
    assert imported.name == "pd14"
    assert imported.simulation.duration == instance.simulation.duration
    assert imported.simulation.seed == instance.simulation.seed


@pytest.mark.parametrize("encoding", ["xml", "hdf5"])
def test_without_the_rules_float32_stays(encoding: Encoding, tmp_path: Path) -> None:
    """Potentials come back within float32 of the pulses, and an export of them is the same file."""
    instance = replace(pd14("dc"), network=None, seed=None)
    imported = there_and_back(instance, tmp_path / "out", encoding)
    for name, nodes in instance.populations.items():
        np.testing.assert_allclose(imported.populations[name].V_m, nodes.V_m, rtol=1e-6)
        if encoding == "xml":
            np.testing.assert_array_equal(imported.populations[name].V_m, nodes.V_m)
    assert [d for d in imported.digest().differences(instance.digest()) if not d.startswith("nodes")] == []
    export(imported, "neuroml", tmp_path / "again", NeuroMLOptions(encoding=encoding))
    name = f"pd14.net.nml{'.h5' if encoding == 'hdf5' else ''}"
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


@settings(_SETTINGS, max_examples=25)
@given(instance=networks())
def test_random_networks_come_back_from_xml(
    instance: NetworkInstance, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("random")
    imported = there_and_back(instance, path / "out")
    assert imported.digest().differences(instance.digest()) == []
    assert imported.inputs == instance.inputs
    assert imported.simulation == instance.simulation
    for name, nodes in instance.populations.items():
        if nodes.positions is not None:
            np.testing.assert_array_equal(imported.populations[name].positions, nodes.positions)
    export(imported, "neuroml", path / "again", NeuroMLOptions(encoding="xml"))
    for file in (path / "out").iterdir():
        assert (path / "again" / file.name).read_bytes() == file.read_bytes()
    shutil.rmtree(path)


@settings(_SETTINGS, max_examples=8)
@given(instance=networks())
def test_random_networks_come_back_from_hdf5_within_float32(
    instance: NetworkInstance, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("random")
    imported = there_and_back(instance, path / "out", "hdf5")
    found, wanted = imported.digest().to_json(), instance.digest().to_json()
    assert found["parameters"] == wanted["parameters"]
    assert found["inputs"] == wanted["inputs"]
    for name, edges in instance.projections.items():
        ours, theirs = (_sorted(e) for e in (imported.projections[name], edges))
        for column in ("source", "target", "delay"):
            np.testing.assert_array_equal(ours[column], theirs[column])
        np.testing.assert_allclose(ours["weight"], theirs["weight"], rtol=2**-23)
    shutil.rmtree(path)


def _sorted(edges: Any) -> dict[str, np.ndarray]:
    blocks = list(edges.blocks())
    columns = {n: np.concatenate([getattr(b, n) for b in blocks]) for n in ("source", "target", "weight", "delay")}
    order = np.lexsort((columns["weight"], columns["delay"], columns["target"], columns["source"]))
    return {name: column[order] for name, column in columns.items()}


def test_streams_in_blocks_of_any_size(tmp_path: Path) -> None:
    """Several projections of NeuroML are one of ours here: small ones are read together, large ones in parts."""
    imported = there_and_back(pd14("frozen"), tmp_path / "out")
    for name in ("background_L4E_to_L4E", "TH_to_L4E", "L4E_to_L4E"):
        edges = imported.projections[name]
        whole = _sorted(edges)
        for max_edges in (1, 7, 2**20):
            blocks = list(edges.blocks(max_edges))
            assert max(map(len, blocks)) <= max_edges
            assert sum(map(len, blocks)) == edges.n_edges
            assert {b.weight.dtype for b in blocks} == {edges.weight_dtype}
            joined = {n: np.concatenate([getattr(b, n) for b in blocks]) for n in whole}
            order = np.lexsort((joined["weight"], joined["delay"], joined["target"], joined["source"]))
            for column, values in whole.items():
                np.testing.assert_array_equal(joined[column][order], values)
        if edges.order == "source":
            assert (np.diff(np.concatenate([b.source for b in edges.blocks()]).astype(int)) >= 0).all()
    assert imported.projections["TH_to_L4E"].order == "source"


def test_a_damaged_file_names_only_what_is_damaged(tmp_path: Path) -> None:
    """Rows of a projection with two synapses come in another order than the rules draw them."""
    parameters = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 2.0, "t_ref": 2.0}
    neuron = {"model": "iaf_psc_exp", "parameters": {**parameters, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}}
    weight = {"distribution": "normal", "mean": 0.0, "sd": 50.0}
    rules = {
        "name": "both",
        "populations": [{"name": name, "size": 10, "neuron": neuron} for name in ("A", "B")],
        "projections": [
            {"source": "A", "target": name, "rule": {"rule": "all_to_all"}, "weight": weight, "delay": 1.0}
            for name in ("A", "B")
        ],
    }
    path = tmp_path / "out"
    export(realize(Network.model_validate(rules)), "neuroml", path, NeuroMLOptions(encoding="xml"))
    assert check(path) == []
    file = path / "both.net.nml"
    text = file.read_text()
    start = text.index('<connectionWD id="0"', text.index('<projection id="A_to_B"'))
    changed = re.sub(r'weight="[^"]*"', 'weight="7"', text[start : start + 300], count=1)
    file.write_text(text[:start] + changed + text[start + 300 :])
    findings = check(path)
    assert [f.place for f in findings] == ["", "A_to_B"]
    assert findings[0].message == "differs from what was written"


@pytest.mark.parametrize("encoding", ["xml", "hdf5"])
def test_what_a_format_cannot_hold_is_no_damage(encoding: Encoding, tmp_path: Path) -> None:
    """Without rules, float32 or no pulses change potentials, as the export report says; a changed file is an error."""
    instance = replace(pd14("dc"), network=None, seed=None)
    path = tmp_path / "out"
    export(instance, "neuroml", path, NeuroMLOptions(encoding=encoding, initial_pulse=encoding == "hdf5"))
    (finding,) = check(path)
    assert (finding.level, finding.message) == (
        "warning",
        "digest: is not that of what was read (all, nodes differ); export_report.json says what was approximated or "
        "dropped",
    )
    cells = path / "pd14.cells.nml"
    cells.write_text(cells.read_text().replace('tau_m="10"', 'tau_m="11"', 1))
    assert [f.level for f in check(path)] == ["error"]


def test_two_receptors_that_are_the_same_keep_their_signs(tmp_path: Path) -> None:
    """Excitation and inhibition then share a synapse component; the name of the projection tells them apart."""
    values = {"C_m": 200.0, "g_L": 10.0, "tau_syn_ex": 2.0, "tau_syn_in": 2.0, "E_ex": -60.0, "E_in": -60.0}
    values |= {"t_ref": 2.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}
    nodes = Nodes("A", 3, neuron=Neuron(model="iaf_cond_exp", parameters=values), V_m=np.full(3, -65.0))
    ids = np.arange(3, dtype=np.uint32)
    block = EdgeBlock(ids, ids[::-1], np.array([1.5, -2.5, 0.1]), np.ones(3, np.int32))
    edges = ArrayEdges("A_to_A", "A", "A", block)
    instance = NetworkInstance("same", {"A": nodes}, {"A_to_A": edges}, (), Simulation())
    imported = there_and_back(instance, tmp_path / "out")
    assert imported.digest().differences(instance.digest()) == []
    assert list(imported.projections) == ["A_to_A"]
