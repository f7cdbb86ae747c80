"""From NeuroML by way of SONATA to NEST: pA become nA and pA again, and every spike stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize, registry
from mc_interchange.equivalence import compare_spikes, compare_structure
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.importers.nest import capture
from mc_interchange.instance import ArrayEdges, EdgeBlock, Nodes, freeze_inputs
from mc_interchange.network import Neuron, PoissonActivity, Simulation, StepCurrent

nest = pytest.importorskip("nest", reason="NEST is not installed")


def microcircuit(background: str) -> NetworkInstance:
    """Of 155 neurons, driven above threshold."""
    arguments = {"n_scale": 0.002, "k_scale": 0.01, "duration": 200.0, "discard": 0.0}
    if background == "dc":
        return realize(build("pd14", background="dc", bg_rate=60.0, dc_transient=True, **arguments))
    thalamus = {"thalamus": True, "num_th_neurons": 20, "th_start": 50.0, "th_duration": 50.0}
    return freeze_inputs(realize(build("pd14", background="poisson", bg_rate=40.0, **thalamus, **arguments)))


def conductances(model: str) -> NetworkInstance:
    """Two populations that excite and inhibit each other, with weights of all digits; no rules."""
    rng = np.random.default_rng(5)
    values = {"C_m": 250.0, "tau_syn_ex": 0.7, "tau_syn_in": 1.9, "t_ref": 2.0, "E_L": -70.0, "V_th": -50.0}
    values |= {"V_reset": -60.0, "E_ex": 0.0, "E_in": -85.0, "I_e": 550.0, "g_L": 16.6667}
    if model.startswith("aeif"):
        values |= {"V_peak": 0.0, "Delta_T": 2.0, "a": 4.0, "b": 80.5, "tau_w": 144.0}
    neuron = Neuron(model=model, parameters=values)
    nodes = [Nodes(name, size, neuron=neuron, V_m=rng.normal(-60.0, 5.0, size)) for name, size in (("A", 20), ("B", 8))]
    nodes.append(Nodes("S", 6, activity=PoissonActivity(rate=40.0)))
    ends = [
        (nodes[0], nodes[1], 4.0),
        (nodes[1], nodes[0], -9.0),
        (nodes[2], nodes[0], 30.0),
        (nodes[0], nodes[0], 1.0),
    ]
    projections = {}
    for source, target, scale in ends:
        n = 60
        ids = (rng.integers(0, end.size, n, dtype=np.uint32) for end in (source, target))
        block = EdgeBlock(*ids, scale * rng.uniform(0.5, 1.5, n), rng.integers(1, 20, n, dtype=np.int32))
        name = f"{source.name}_to_{target.name}"
        projections[name] = ArrayEdges(name, source.name, target.name, block)
    step = StepCurrent(name="step", target="B", amplitude=123.456, start=30.0, stop=80.0, neurons=(1, 5))
    instance = NetworkInstance(
        "both", {n.name: n for n in nodes}, projections, (step,), Simulation(duration=200.0, seed=3)
    )
    return freeze_inputs(instance)


NETWORKS = {
    "dc": lambda: microcircuit("dc"),
    "frozen": lambda: microcircuit("frozen"),
    **{name: (lambda name=name: conductances(name)) for name in ("iaf_cond_exp", "iaf_cond_alpha", "aeif_cond_exp")},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_spikes_after_two_conversions(name: str, tmp_path: Path) -> None:
    instance = NETWORKS[name]()
    neuroml = export(instance, "neuroml", tmp_path / "neuroml", NeuroMLOptions(encoding="xml")).path
    sonata = export(open_model(neuroml), "sonata", tmp_path / "sonata").path
    converted = open_model(sonata)
    assert compare_structure(instance, converted).identical
    runner = registry.load("runner", "nest")
    recorded = tuple(n for n, nodes in instance.populations.items() if not nodes.virtual)
    runs = [
        runner.run(replace(i, simulation=i.simulation.model_copy(update={"record_spikes": recorded})))
        for i in (instance, converted)
    ]
    found = compare_spikes(*runs)
    assert found.identical
    assert found.n_spikes[0] > 150


def test_the_other_way_round_it_is_the_same_network(tmp_path: Path) -> None:
    instance = microcircuit("dc")
    sonata = export(instance, "sonata", tmp_path / "sonata").path
    for encoding in ("xml", "hdf5"):
        neuroml = export(open_model(sonata), "neuroml", tmp_path / encoding, NeuroMLOptions(encoding=encoding)).path
        assert compare_structure(open_model(sonata), open_model(neuroml)).identical


def test_what_was_captured_comes_back_from_xml(tmp_path: Path) -> None:
    """Weights and potentials of all digits, and inputs; there are no rules to help."""
    nest.ResetKernel()
    nest.resolution = 0.1
    nest.rng_seed = 4
    E = nest.Create("iaf_psc_exp", 60, params={"I_e": 380.123456789, "tau_syn_ex": 0.5, "tau_syn_in": 1.7})
    I = nest.Create("iaf_cond_exp", 20, params={"C_m": 123.4, "g_L": 7.7})  # noqa: E741
    (E + I).set({"V_m": nest.random.normal(-62.0, 4.0)})
    nest.Connect(E, E + I, {"rule": "fixed_indegree", "indegree": 5}, {"weight": nest.random.normal(45.0, 5.0)})
    nest.Connect(I, E + I, {"rule": "fixed_indegree", "indegree": 5}, {"weight": nest.random.normal(-18.0, 3.0)})
    nest.Connect(nest.Create("poisson_generator", params={"rate": 1234.5}), E, syn_spec={"weight": 30.3, "delay": 0.7})
    captured = capture({"E": E, "I": I}, name="mine", duration=50.0)
    path = export(captured, "neuroml", tmp_path / "out", NeuroMLOptions(encoding="xml")).path
    imported = open_model(path)
    assert imported.digest().differences(captured.digest()) == []
    assert imported.inputs == captured.inputs
