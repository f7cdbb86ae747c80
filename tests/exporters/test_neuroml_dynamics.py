"""Neurons that are given by equations: who takes them, and who refuses them by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mc_interchange import export
from mc_interchange.cli.validate import check
from mc_interchange.errors import ArtefactError, FormatError, InterchangeError, NotRepresentableError
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.importers.neuroml import NeuroMLImporter
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, MixedNeurons, NetworkInstance, Nodes, Synapse
from mc_interchange.network import Assignment, Dynamics, Neuron, PoissonInput, Simulation, StepCurrent
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml.eden import EdenRunner
from mc_interchange.runners.neuroml.netpyne import NetPyNERunner
from mc_interchange.runners.neuroml.neuron import NeuronRunner

pytest.importorskip("lems")

CELL = Dynamics(
    name="simple",
    units={"x": "mV", "rest": "mV", "charge": "pA*ms", "odd": "pA**2/ms**3"},
    derivatives={"x": "(rest - x) / (10 * ms)", "charge": "0"},
    parameters={"rest": -60.0, "odd": 1.5},
    threshold="x > -50 * mV",
    reset=(Assignment(variable="x", value="rest"),),
    refractory="2 * ms",
    held=("x",),
    receptors=("x", "charge"),
    potential="x",
)
NODES = Nodes("P", 3, neuron=CELL, V_m=np.array([-60.0, -55.5, -70.0]))


def network(nodes: Nodes = NODES, receptor: int = 0, delay: int = 5, **others: object) -> NetworkInstance:
    block = EdgeBlock(
        np.array([0, 1], np.uint32), np.array([1, 2], np.uint32), np.array([1.5, -2.0]), np.full(2, delay, np.int32)
    )
    edges = ArrayEdges("E", "P", "P", block, Synapse(receptor=receptor))
    values = {"inputs": (), "simulation": Simulation(duration=10.0), **others}
    return NetworkInstance("equations", {"P": nodes}, {"E": edges}, **values)  # type: ignore[arg-type]


def test_types_and_components_of_their_own(tmp_path: Path) -> None:
    poisson = PoissonInput(name="noise", target="P", rate=900.0, weight=0.2, delay=0.1, start=1.0, stop=4.0)
    instance = network(receptor=1, inputs=(poisson,))
    path = export(instance, "neuroml", tmp_path / "a").path
    lems = ElementTree.parse(path / "equations.equations_of_neurons.xml").getroot()
    tag = "{http://www.neuroml.org/lems/0.7.6}"
    types = {item.get("name"): item.get("extends") for item in lems.iterfind(f"{tag}ComponentType")}
    assert types == {
        "simple_input": "baseSynapse",
        "simple_equations": "baseCellMembPot",
        "simple_synapse_onto_x": "simple_input",
        "simple_synapse_onto_charge": "simple_input",
        "simple_poisson_onto_x": "simple_input",
        "simple_own_x": "simple_input",
    }
    components = {item.get("id"): dict(item.attrib) for item in lems.iterfind(f"{tag}Component")}
    assert components["P_cell"] == {
        **{"id": "P_cell", "type": "simple_equations", "rest": "-60mV", "start_charge": "0unit_ms_1_pA_1"},
        "odd": "1.5unit_ms_per_3_pA_2",
    }
    assert components["noise"]["rate"] == "450Hz"
    assert (components["noise"]["start"], components["noise"]["stop"]) == ("1.1ms", "4.1ms")
    units = {item.get("symbol"): item.get("power") for item in lems.iterfind(f"{tag}Unit")}
    assert units == {"unit_ms_1_pA_1": "-15", "unit_ms_per_3_pA_2": "-15"}
    text = (path / "equations.net.nml").read_text()
    # a thousandth of ours, as everywhere; the types have units a thousand times as large
    assert 'synapse="simple_onto_charge"' in text
    assert 'weight="0.0015" delay="0.5ms"' in text
    assert 'weight="-0.0555"' in text
    again = export(instance, "neuroml", tmp_path / "b").path
    for file in sorted(path.iterdir()):
        assert file.read_bytes() == (again / file.name).read_bytes()


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"receptor": 2}, {}, "projection E: simple has no receptor 2 (it has 0: x, 1: charge)"),
        (
            {"inputs": (StepCurrent(name="dc", target="P", amplitude=1.0, start=0.0, stop=5.0),)},
            {},
            "input dc: the equations simple of P have no place for a current",
        ),
        ({"nodes": replace(NODES, varying={"y": np.zeros(3)})}, {}, "population P: simple has no y"),
        (
            {"nodes": Nodes("P", 3, neuron=CELL.model_copy(update={"potential": None}), V_m=np.zeros(3))},
            {},
            "population P: simple has no membrane potential",
        ),
        ({}, {"matched_to": "neuron"}, "population P: equations can be matched to jLEMS only"),
        (
            {"nodes": Nodes("P", 3, neuron=MixedNeurons((CELL, CELL), np.array([0, 1, 0], np.uint32)))},
            {},
            "population P: it has several kinds of neurons (simple)",
        ),
    ],
)
def test_refused_by_name(changes: dict[str, object], options: dict[str, object], message: str) -> None:
    with pytest.raises(NotRepresentableError) as caught:
        NeuroMLExporter().losses(network(**changes), NeuroMLOptions(**options))  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_only_static_synapses() -> None:
    instance = network()
    edges = instance.projections["E"]
    plastic = ArrayEdges("E", "P", "P", next(iter(edges.blocks())), Synapse("stdp_synapse"))
    with pytest.raises(NotRepresentableError, match="projection E: onto equations there are static synapses only"):
        NeuroMLExporter().losses(replace(instance, projections={"E": plastic}), NeuroMLOptions())


def test_synapses_without_delay_are_told_of() -> None:
    assert NeuroMLExporter().losses(network(), NeuroMLOptions()) == []
    (loss,) = NeuroMLExporter().losses(network(delay=0), NeuroMLOptions())
    assert (loss.what, loss.how) == ("synapses without delay of E", "approximated")


def test_others_refuse_equations(tmp_path: Path) -> None:
    instance = network()
    with pytest.raises(NotRepresentableError, match="population P: a node of SONATA names a model and cannot hold"):
        export(instance, "sonata", tmp_path / "sonata")
    assert not (tmp_path / "sonata").exists()
    with pytest.raises(FormatError, match="the neuron model simple is given by equations, which NEST does not take"):
        NestRunner().run(instance)
    path = export(instance, "neuroml", tmp_path / "neuroml").path
    # nothing is wrong with it
    assert [finding.level for finding in check(path)] == ["warning"]
    with pytest.raises(ArtefactError, match=r"'P_cell' is given by equations, .* are not read back"):
        NeuroMLImporter().read(path)


@pytest.mark.parametrize("runner", [NeuronRunner, EdenRunner, NetPyNERunner])
def test_other_simulators_refuse_equations(runner, tmp_path: Path) -> None:
    path = export(network(), "neuroml", tmp_path / "neuroml").path
    (tmp_path / "scratch").mkdir()
    with pytest.raises(InterchangeError, match=r"P is given by equations, of which .*: run it with --simulator"):
        runner().run_files(path, tmp_path / "scratch", threads=None, progress=Silent())


def test_they_stand_beside_neurons_of_the_catalogue(tmp_path: Path) -> None:
    parameters = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
    parameters |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}
    other = Nodes("Q", 2, neuron=Neuron(model="iaf_psc_exp", parameters=parameters), V_m=np.array([-60.0, -61.0]))
    source = Nodes("S", 1, activity=ArrayTrains.from_lists([[1.0]]))
    one = np.zeros(1, np.uint32)
    block = EdgeBlock(one, one, np.array([100.0]), np.ones(1, np.int32))
    instance = network()
    edges = {f"S_to_{name}": ArrayEdges(f"S_to_{name}", "S", name, block) for name in "PQ"}
    populations = {**instance.populations, "Q": other, "S": source}
    instance = replace(instance, populations=populations, projections={**instance.projections, **edges})
    path = export(instance, "neuroml", tmp_path / "both").path
    text = (path / "equations.net.nml").read_text()
    assert text.count('id="initial_V_m_Q"') == 1
    assert 'id="initial_V_m_P"' not in text
    assert 'IF_curr_exp id="Q_cell"' in (path / "equations.cells.nml").read_text()
