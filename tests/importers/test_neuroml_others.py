"""Networks that libNeuroML's own objects and NeuroMLlite have written."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import neuroml
import neuroml.utils  # its HDF5 writer does not import it
import numpy as np
import pytest
from neuroml.writers import NeuroMLHdf5Writer, NeuroMLWriter

from mc_interchange import NetworkInstance, export, open_model
from mc_interchange.equivalence import compare_structure
from mc_interchange.instance import EdgeBlock, Edges
from mc_interchange.network import PoissonInput, StepCurrent


def rows(edges: Edges) -> list[tuple[int, int, float, int]]:
    blocks: list[EdgeBlock] = list(edges.blocks())
    return sorted(
        row for b in blocks for row in zip(*(c.tolist() for c in (b.source, b.target, b.weight, b.delay)), strict=True)
    )


@pytest.fixture
def document() -> neuroml.NeuroMLDocument:
    """Two populations of one cell, three kinds of sources, and every kind of connection and input."""
    document = neuroml.NeuroMLDocument(id="by_objects")
    cell = {"cm": 0.25, "i_offset": 0.3801, "tau_syn_E": 9.0, "tau_syn_I": 9.0, "v_init": -58.5}
    cell |= {"tau_m": 10.0, "tau_refrac": 2.0, "v_reset": -65.0, "v_rest": -65.0, "v_thresh": -50.0}
    document.IF_curr_exp.append(neuroml.IF_curr_exp(id="lif", **cell))
    document.exp_curr_synapses += [
        neuroml.ExpCurrSynapse(id="fast", tau_syn=0.5),
        neuroml.ExpCurrSynapse(id="slow", tau_syn=2.5),
    ]
    document.pulse_generators.append(
        neuroml.PulseGenerator(id="pulse", delay="10ms", duration="0.02s", amplitude="87.81pA")
    )
    document.poisson_firing_synapses.append(
        neuroml.PoissonFiringSynapse(id="noise", average_rate="800 Hz", synapse="fast", spike_target="./fast")
    )
    spikes = [neuroml.Spike(id=index, time=f"{time}ms") for index, time in enumerate((5.0, 1.5, 20.1))]
    document.spike_arrays.append(neuroml.SpikeArray(id="times", spikes=spikes))
    document.spike_generator_poissons.append(neuroml.SpikeGeneratorPoisson(id="random", average_rate="0.02 per_ms"))
    document.spike_generators.append(neuroml.SpikeGenerator(id="clock", period="300ms"))
    network = neuroml.Network(id="net")
    document.networks.append(network)
    placed = neuroml.Population(id="E", component="lif", size=3, type="populationList")
    placed.properties.append(neuroml.Property(tag="color", value="1 0 0.2"))
    for index in range(3):
        place = neuroml.Location(x=index * 10.5, y=-3.0, z=0.25)
        placed.instances.append(neuroml.Instance(id=index, location=place))
    sizes = {"I": ("lif", 2), "T": ("times", 2), "R": ("random", 4), "C": ("clock", 1)}
    network.populations += [
        placed,
        *(neuroml.Population(id=name, component=component, size=n) for name, (component, n) in sizes.items()),
    ]
    network.projections += [
        projection("E_to_I", "E", "I", "fast", [(0, 1, 0.0878, "1.5ms"), (2, 0, 0.1, "0.2ms")]),
        projection("I_to_E", "I", "E", "slow", [(1, 2, -0.351, "0.8ms"), (1, 2, -0.351, "0.8ms")]),
        projection("T_to_E", "T", "E", "fast", [(1, 0, 0.2, "1ms")]),
    ]
    weights = ((0, 1.0), (2, -0.5), (2, -0.5))
    network.input_lists.append(neuroml.InputList(id="pulses", component="pulse", populations="E"))
    for index, (cell_id, weight) in enumerate(weights):
        network.input_lists[0].input_ws.append(
            neuroml.InputW(id=index, target=f"../E/{cell_id}/lif", destination="synapses", weight=weight)
        )
    network.input_lists.append(neuroml.InputList(id="noises", component="noise", populations="I"))
    for index, cell_id in enumerate((0, 1, 0, 1)):
        network.input_lists[1].input.append(neuroml.Input(id=index, target=f"../I[{cell_id}]", destination="synapses"))
    return document


def projection(name: str, source: str, target: str, synapse: str, connections: list) -> neuroml.Projection:
    ends = {"presynaptic_population": source, "postsynaptic_population": target}
    made = neuroml.Projection(id=name, synapse=synapse, **ends)
    for index, (pre, post, weight, delay) in enumerate(connections):
        pre_path, post_path = (
            f"../{p}/{c}/lif" if p == "E" else f"../{p}[{c}]" for p, c in ((source, pre), (target, post))
        )
        made.connection_wds.append(
            neuroml.ConnectionWD(id=index, pre_cell_id=pre_path, post_cell_id=post_path, weight=weight, delay=delay)
        )
    return made


def check(instance: NetworkInstance) -> None:
    assert sorted(instance.populations) == ["C", "E", "I", "R", "T"]  # HDF5 has an order of its own
    E, I = instance.populations["E"], instance.populations["I"]  # noqa: E741
    # the synapses' time constants count, not those of the cell
    assert E.neuron == I.neuron.model_copy(update={"parameters": {**I.neuron.parameters, "tau_syn_in": 2.5}})
    wanted = {"C_m": 250.0, "I_e": 380.1, "tau_m": 10.0, "t_ref": 2.0, "V_reset": -65.0, "E_L": -65.0, "V_th": -50.0}
    assert E.neuron.model == "iaf_psc_exp"
    assert E.neuron.parameters == {**wanted, "tau_syn_ex": 0.5, "tau_syn_in": 2.5}
    assert I.neuron.parameters["tau_syn_ex"] == 0.5
    assert E.V_m.tolist() == [-58.5] * 3
    assert E.color == "#ff0033"
    np.testing.assert_array_equal(E.positions, [[0, -3, 0.25], [10.5, -3, 0.25], [21, -3, 0.25]])
    assert [t.tolist() for b in instance.populations["T"].activity.blocks() for t in b.trains()] == [
        [1.5, 5.0, 20.1]
    ] * 2
    assert instance.populations["R"].activity.rate == 20.0
    assert [t.tolist() for b in instance.populations["C"].activity.blocks() for t in b.trains()] == [
        [300.0, 600.0, 900.0]
    ]
    assert rows(instance.projections["E_to_I"]) == [(0, 1, 87.8, 15), (2, 0, 100.0, 2)]
    assert rows(instance.projections["I_to_E"]) == [(1, 2, -351.0, 8)] * 2
    assert rows(instance.projections["T_to_E"]) == [(1, 0, 200.0, 10)]
    step = {"target": "E", "start": 9.9, "stop": 29.9, "delay": 0.1}
    noise = PoissonInput(name="noise", target="I", rate=1600.0, weight=1000.0, delay=0.1)
    assert instance.inputs == (
        StepCurrent(name="pulse_0", amplitude=-87.81, neurons=(2,), **step),
        StepCurrent(name="pulse_1", amplitude=87.81, neurons=(0,), **step),
        noise,
    )


@pytest.mark.parametrize("writer", [NeuroMLWriter, NeuroMLHdf5Writer])
def test_objects_of_libneuroml(
    document: neuroml.NeuroMLDocument, writer: type, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / ("objects.net.nml" if writer is NeuroMLWriter else "objects.net.nml.h5")
    with contextlib.redirect_stdout(io.StringIO()):
        writer.write(document, str(path))
    recwarn.clear()
    instance = open_model(path)
    assert [str(w.message) for w in recwarn] == []
    check(instance)
    # and by way of SONATA, which holds all but the Poisson sources
    sonata = export(instance, "sonata", tmp_path / "sonata").path
    assert compare_structure(open_model(sonata), instance).identical


def test_a_network_of_neuromllite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lite = pytest.importorskip("neuromllite", reason="NeuroMLlite is not installed")
    generator = pytest.importorskip("neuromllite.NetworkGenerator")
    monkeypatch.chdir(tmp_path)
    network = lite.Network(id="lite", seed=7)
    cell = lite.Cell(id="cell", pynn_cell="IF_cond_exp", parameters={"tau_refrac": 5, "i_offset": 0.1})
    source = lite.Cell(id="source", pynn_cell="SpikeSourcePoisson")
    source.parameters = {"start": 0, "duration": 1e9, "rate": 100}
    network.cells += [cell, source]
    network.populations += [
        lite.Population(id="E", size=10, component=cell.id, properties={"color": "0.7 0 0"}),
        lite.Population(id="I", size=5, component=cell.id),
        lite.Population(id="S", size=3, component=source.id),
    ]
    for name, kind, parameters in (("ampa", "excitatory", (0, 2)), ("gaba", "inhibitory", (-80, 10))):
        network.synapses.append(
            lite.Synapse(
                id=name,
                pynn_receptor_type=kind,
                pynn_synapse_type="cond_exp",
                parameters=dict(zip(("e_rev", "tau_syn"), parameters, strict=True)),
            )
        )
    for name, pre, post, synapse, weight in (
        ("ei", "E", "I", "ampa", 0.01),
        ("ie", "I", "E", "gaba", 0.02),
        ("se", "S", "E", "ampa", 0.03),
    ):
        network.projections.append(
            lite.Projection(
                id=name,
                presynaptic=pre,
                postsynaptic=post,
                synapse=synapse,
                delay=1.5,
                weight=weight,
                random_connectivity=lite.RandomConnectivity(probability=0.5),
            )
        )
    network.input_sources.append(
        lite.InputSource(id="dc", pynn_input="DCSource", parameters={"amplitude": 0.3, "start": 10.0, "stop": 60.0})
    )
    network.inputs.append(lite.Input(id="stimulus", input_source="dc", population="I", percentage=60))
    found = []
    with contextlib.redirect_stdout(io.StringIO()):
        for suffix, form in ((".net.nml", "xml"), (".net.nml.h5", "hdf5")):
            generator.generate_neuroml2_from_network(network, nml_file_name=f"lite{suffix}", format=form)
            found.append(open_model(f"lite{suffix}"))
    instance = found[0]
    assert compare_structure(*found).identical
    text = Path("lite.net.nml").read_text()
    paths = re.findall(r'preCellId="../E\[(\d+)\]" postCellId="../I\[(\d+)\]"', text)
    assert len(paths) > 10
    assert rows(instance.projections["ei"]) == sorted((int(a), int(b), 10.0, 15) for a, b in paths)
    # a conductance through the synapse that pulls down is negative here
    assert {row[2] for row in rows(instance.projections["ie"])} == {-20.0}
    neuron = instance.populations["E"].neuron
    assert neuron.model == "iaf_cond_exp"
    values = {
        "tau_syn_ex": 2.0,
        "tau_syn_in": 10.0,
        "E_ex": 0.0,
        "E_in": -80.0,
        "C_m": 1000.0,
        "g_L": 50.0,
        "t_ref": 5.0,
    }
    assert values.items() <= neuron.parameters.items()
    assert instance.populations["S"].activity.rate == 100.0
    (step,) = instance.inputs
    targets = tuple(sorted(map(int, re.findall(r'target="../I\[(\d+)\]"', text))))
    assert (step.amplitude, step.start + step.delay, step.stop + step.delay) == (300.0, 10.0, 60.0)
    assert (step.neurons or tuple(range(5))) == targets
