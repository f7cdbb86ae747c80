"""Every neuron model of the catalogue, foreign models, mixed populations and receptors in the real NEST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mc_interchange.errors import FormatError, ModelError, SimulationError
from mc_interchange.formats.nest import nest_model, neuron_from_nest
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, MixedNeurons, NetworkInstance, Nodes, Synapse
from mc_interchange.network import CATALOGUE, AnyNeuron, ForeignModel, Neuron, PoissonInput, Simulation, StepCurrent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.nest.kernel import reset

#: Settings that make a single neuron fire within 100 ms, with its potential to be recorded.
DRIVEN: dict[str, dict[str, Any]] = {
    "iaf_psc_exp": {"I_e": 500.0},
    "iaf_psc_alpha": {"I_e": 500.0, "t_ref": 3.0},
    "iaf_psc_delta": {"I_e": 500.0, "refractory_input": True},
    "iaf_cond_exp": {"I_e": 500.0, "E_L": -65.0},
    "iaf_cond_alpha": {"I_e": 500.0, "g_L": 15.0},
    "aeif_cond_exp": {"I_e": 900.0, "a": 3.0, "w": 1.0},
    "izhikevich": {"I_e": 15.0, "U_m": -12.0},
    "hh_psc_alpha": {"I_e": 650.0, "Act_m": 0.06},
    "glif_psc": {"E_L": -40.0, "V_reset": -60.0, "tau_syn": [2.0, 5.0], "spike_dependent_threshold": True},
}


def simulation(duration: float = 100.0) -> Simulation:
    return Simulation(dt=0.1, duration=duration, discard=0.0)


def instance(
    *populations: Nodes, projections: tuple[ArrayEdges, ...] = (), inputs: tuple[Any, ...] = ()
) -> NetworkInstance:
    return NetworkInstance(
        name="test",
        populations={p.name: p for p in populations},
        projections={p.name: p for p in projections},
        inputs=inputs,
        simulation=simulation(),
    )


def edges(
    name: str, source: str, target: str, pairs: list[tuple[int, int]], weight: float, **others: Any
) -> ArrayEdges:
    ids = np.array(pairs, np.uint32)
    block = EdgeBlock(ids[:, 0], ids[:, 1], np.full(len(ids), weight), np.full(len(ids), 15, np.int32))
    return ArrayEdges(name, source, target, block, **others)


def nodes(name: str, neuron: AnyNeuron, V_m: float | None, size: int = 1) -> Nodes:
    return Nodes(name, size, neuron=neuron, V_m=None if V_m is None else np.full(size, V_m))


def natively(model: str, parameters: dict[str, Any], current: float = 0.0) -> list[float]:
    nest = reset(simulation(), 1)
    neuron, recorder = nest.Create(model, params=parameters), nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    nest.Simulate(100.0)
    return np.rint(np.array(recorder.events["times"]) * 10).astype(int).tolist()


@pytest.mark.parametrize("name", CATALOGUE)
def test_defaults_are_those_of_nest(name: str) -> None:
    nest = reset(simulation(), 1)
    entry = CATALOGUE[name]
    theirs = nest.GetDefaults(entry.elsewhere["nest"])
    for parameter in entry.parameters:
        value = theirs[parameter.name]
        assert parameter.nest == (tuple(value) if parameter.kind == "list" else value), parameter.name
        assert parameter.kind != "switch" or isinstance(value, bool)
    assert theirs.get("V_m") == entry.V_m


@pytest.mark.parametrize("name", DRIVEN)
def test_a_neuron_fires_as_in_nest(name: str) -> None:
    expected = natively(name, DRIVEN[name])
    neuron, V_m = neuron_from_nest(name, DRIVEN[name])
    assert isinstance(neuron, Neuron)
    run = NestRunner().run(instance(nodes("A", neuron, V_m)))
    assert run.spikes["A"].steps.tolist() == expected
    assert len(expected) >= 3


@pytest.mark.parametrize("name", DRIVEN)
def test_where_a_new_neuron_starts(name: str) -> None:
    given = {k: v for k, v in DRIVEN[name].items() if k != "I_e"} | ({"E_L": -61.0} if name != "izhikevich" else {})
    if name == "glif_psc":
        given |= {"V_reset": -61.0, "V_th": -40.0}
    nest = reset(simulation(), 1)
    assert neuron_from_nest(name, given)[1] == nest.Create(name, params=given).V_m


def test_names_go_both_ways() -> None:
    parameters = {"tau_syn": [1.0, 2.0], "asc_decay": (0.1, 0.2), "adapting_threshold": False, "V_m": -70.0}
    neuron, V_m = neuron_from_nest("glif_psc", parameters)
    assert V_m == -70.0
    model, back = nest_model(neuron)
    assert model == "glif_psc"
    assert back["tau_syn"] == [1.0, 2.0]
    assert set(back) == {p.name for p in CATALOGUE["glif_psc"].parameters}


AFTER = {"after_spike_currents": True, "asc_decay": [0.01, 0.02, 0.03], "asc_amps": [1.0, 2.0, 3.0], "asc_r": [1.0] * 3}


def test_after_spike_currents_start_as_they_are_given() -> None:
    """NEST holds asc_init and starts with its state ASCurrents."""
    given = {**AFTER, "asc_init": [0.0] * 3, "ASCurrents": [300.0, 200.0, 100.0]}
    expected = natively("glif_psc", given)
    neuron, V_m = neuron_from_nest("glif_psc", given)
    assert isinstance(neuron, Neuron)
    assert neuron.parameters["asc_init"] == (300.0, 200.0, 100.0)
    assert nest_model(neuron)[1]["ASCurrents"] == [300.0, 200.0, 100.0]
    run = NestRunner().run(instance(nodes("A", neuron, V_m)))
    assert run.spikes["A"].steps.tolist() == expected
    assert len(expected) >= 2
    assert natively("glif_psc", {**AFTER, "asc_init": [300.0, 200.0, 100.0]}) == []


def test_what_the_catalogue_does_not_hold_is_foreign() -> None:
    assert neuron_from_nest("hh_cond_exp_traub", {"I_e": 5.0}) == (
        ForeignModel(format="nest", name="hh_cond_exp_traub", parameters={"I_e": 5.0}),
        None,
    )
    assert neuron_from_nest("iaf_psc_alpha", {"V_min": -90.0, "V_m": -60.0}) == (
        ForeignModel(format="nest", name="iaf_psc_alpha", parameters={"V_min": -90.0}),
        -60.0,
    )


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        ("iaf_psc_exp", {"tau_m": 0.0}, "parameters.tau_m: must be greater than 0 ms, got 0"),
        ("iaf_psc_exp", {"tau_m": "fast"}, "parameters.tau_m: must be a number in ms, got 'fast'"),
        ("iaf_psc_exp", {"V_m": "high"}, "V_m: must be a finite number in mV, got 'high'"),
        ("iaf_psc_exp", {"V_reset": -50.0}, "parameters.V_reset: must be below V_th"),
        ("glif_psc", {"tau_syn": 2.0}, "parameters.tau_syn: must be a list of numbers, got 2.0"),
        ("glif_psc", {"tau_syn": [2.0, -1.0]}, "parameters.tau_syn: must be greater than 0 ms, got -1"),
        ("glif_psc", {"adapting_threshold": 1}, "parameters.adapting_threshold: must be true or false, got 1"),
        (
            "glif_psc",
            {"adapting_threshold": True},
            "parameters.adapting_threshold: needs spike_dependent_threshold and",
        ),
        ("glif_psc", AFTER, "parameters.asc_init: must be as long as asc_decay (3), got 2"),
        ("glif_psc", AFTER | {"asc_init": [1.0, 0.0, 0.0]}, "asc_init: NEST starts with ASCurrents instead, which is"),
        ("iaf_psc_exp", {"C_m": 10**400}, "parameters.C_m: must be a finite number"),
    ],
)
def test_values_that_a_model_does_not_allow(model: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        neuron_from_nest(model, parameters)
    assert str(caught.value).startswith(message)


def test_foreign_models_run_with_their_parameters() -> None:
    given = {"I_e": 650.0, "t_ref": 3.0}
    expected = natively("hh_cond_exp_traub", given)
    foreign = ForeignModel(format="nest", name="hh_cond_exp_traub", parameters=given)
    run = NestRunner().run(instance(nodes("H", foreign, None)))
    assert run.spikes["H"].steps.tolist() == expected
    assert len(expected) >= 3


@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        (ForeignModel(format="nest", name="no_such_model", parameters={}), "population A: NEST refused its parameters"),
        (ForeignModel(format="nest", name="iaf_psc_exp", parameters={"mass": 1.0}), "population A: NEST refused"),
    ],
)
def test_foreign_models_that_nest_refuses(neuron: ForeignModel, message: str) -> None:
    with pytest.raises(SimulationError) as caught:
        NestRunner().run(instance(nodes("A", neuron, None)))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_models_of_other_simulators_are_refused() -> None:
    with pytest.raises(FormatError, match="hodgkin is one of brian2; NEST does not know it"):
        nest_model(ForeignModel(format="brian2", name="hodgkin", parameters={}))


def test_a_population_of_several_models() -> None:
    models = [neuron_from_nest(name, DRIVEN[name]) for name in ("iaf_psc_exp", "izhikevich", "parrot_neuron")[:2]]
    models.append((neuron_from_nest("parrot_neuron", {})[0], None))
    which = np.array([0, 1, 1, 0, 2, 0], np.uint32)
    V_m = np.array([-70.0, -65.0, -60.0, -66.0, np.nan, -70.0])
    current = np.array([np.nan, np.nan, 20.0, 600.0, np.nan, np.nan])
    mixed = Nodes("M", 6, neuron=MixedNeurons(tuple(m for m, _ in models), which), V_m=V_m, varying={"I_e": current})
    source = Nodes("S", 1, activity=ArrayTrains(1, [0, 0], [10.0, 20.0]))
    run = NestRunner().run(instance(source, mixed, projections=(edges("to", "S", "M", [(0, 4)], 1.0),)))
    spikes = run.spikes["M"]
    for neuron, (name, parameters) in enumerate(
        [
            ("iaf_psc_exp", {"I_e": 500.0}),
            ("izhikevich", {"I_e": 15.0, "U_m": -12.0}),
            ("izhikevich", {"I_e": 20.0, "U_m": -12.0, "V_m": -60.0}),
            ("iaf_psc_exp", {"I_e": 600.0, "V_m": -66.0}),
        ]
    ):
        assert spikes.steps[spikes.neurons == neuron].tolist() == natively(name, parameters), neuron
    assert spikes.steps[spikes.neurons == 4].tolist() == [115, 215]
    assert len(spikes) > 15


def test_receptors_and_other_synapse_models() -> None:
    neuron, V_m = neuron_from_nest("glif_psc", {"tau_syn": [2.0, 20.0]})
    source = Nodes("S", 1, activity=ArrayTrains(1, [0] * 5, [10.0, 20.0, 30.0, 40.0, 50.0]))
    counts = []
    for receptor in (1, 2):
        synapse = Synapse(receptor=receptor)
        projection = edges("to", "S", "A", [(0, 0)], 250.0, synapse=synapse)
        run = NestRunner().run(instance(source, nodes("A", neuron, V_m), projections=(projection,)))
        counts.append(len(run.spikes["A"]))
    # the second receptor's current lasts ten times as long
    assert counts[0] < counts[1]
    wrong = edges("to", "S", "A", [(0, 0)], 250.0, synapse=Synapse(receptor=3))
    with pytest.raises(SimulationError, match="projection to: NEST refused its synapses"):
        NestRunner().run(instance(source, nodes("A", neuron, V_m), projections=(wrong,)))


def test_synapses_with_parameters() -> None:
    """With a recovery of 1 s, a depressing synapse transmits its first spike only."""
    neuron, V_m = neuron_from_nest("iaf_psc_exp", {})
    source = Nodes("S", 2, activity=ArrayTrains(2, [0] * 3, [10.0, 20.0, 30.0]))
    relay = nodes("R", neuron_from_nest("parrot_neuron", {})[0], None)
    synapse = Synapse("tsodyks_synapse", parameters={"tau_rec": 1000.0, "U": 1.0, "tau_psc": 2.0})
    run = NestRunner().run(
        instance(
            source,
            relay,
            nodes("A", neuron, V_m),
            projections=(
                edges("relay", "S", "R", [(0, 0)], 1.0),
                edges("depressing", "R", "A", [(0, 0)], 4000.0, synapse=synapse),
            ),
        )
    )
    assert len(run.spikes["R"]) == 3
    assert len(run.spikes["A"]) == 1


def test_inputs_reach_the_chosen_neurons_only() -> None:
    neuron, V_m = neuron_from_nest("iaf_psc_exp", {})
    inputs = (
        StepCurrent(name="step", target="A", amplitude=600.0, start=10.0, stop=90.0, neurons=(3, 1)),
        PoissonInput(name="noise", target="A", rate=20000.0, weight=100.0, delay=1.0, neurons=(4,)),
    )
    run = NestRunner().run(instance(nodes("A", neuron, V_m, size=6), inputs=inputs))
    assert set(run.spikes["A"].neurons.tolist()) == {1, 3, 4}
