"""Generators and recorders in captured networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nest
import numpy as np
import pytest
from nest_networks import DURATION, both_ways, connected, empty_kernel, inputs, spikes_of_run
from scipy.stats import poisson

from mc_interchange import NetworkInstance
from mc_interchange.errors import FormatError
from mc_interchange.importers.nest import CaptureWarning, capture
from mc_interchange.network import PoissonActivity, PoissonInput, StepCurrent, VoltageRecording
from mc_interchange.runners.nest import NestRunner

Populations = Mapping[str, Any]


@pytest.fixture(autouse=True)
def _empty_kernel() -> None:
    empty_kernel()


def dc_generators() -> Populations:
    E = nest.Create("iaf_psc_exp", 10)
    always = nest.Create("dc_generator", params={"amplitude": 300.0})
    nest.Connect(always, E, syn_spec={"weight": nest.random.uniform(0.9, 2.0), "delay": 2.3})
    window = nest.Create("dc_generator", params={"amplitude": 250.0, "start": 20.0, "stop": 120.0, "origin": 10.0})
    nest.Connect(window, E[::2], syn_spec={"weight": -1.5})
    nest.Connect(window, E[1:3])
    nest.Connect(window, E[1:3])  # twice
    each = nest.Create("dc_generator", 10, params={"amplitude": [float(a) for a in range(100, 200, 10)]})
    nest.Connect(each, E, "one_to_one")
    return {"E": E}


def step_currents() -> Populations:
    E = nest.Create("iaf_psc_exp", 5)
    steps = {"amplitude_times": [0.1, 30.0, 60.0, 61.0], "amplitude_values": [500.0, 0.0, 700.0, 420.0]}
    plain = nest.Create("step_current_generator", params=steps)
    nest.Connect(plain, E, syn_spec={"weight": nest.random.uniform(0.9, 1.1), "delay": 1.7})
    cut = nest.Create("step_current_generator", params={**steps, "start": 15.0, "stop": 100.0, "origin": 5.0})
    nest.Connect(cut, E[:3])
    nest.Connect(nest.Create("step_current_generator"), E)  # does nothing
    return {"E": E}


def spike_generators() -> Populations:
    E = nest.Create("iaf_psc_exp", 10)
    trains = inputs(30)
    trains[3].set({"spike_times": [5.0, 7.0, 7.0, 9.0], "spike_multiplicities": [3, 1, 2, 0]})
    trains[4].set({"spike_times": [20.0, 20.1, 90.0, 90.1]})
    trains[4:12].set({"start": 20.0, "stop": 90.0, "origin": 4.0})
    trains[12].set({"spike_times": []})
    connected(trains, E, 30, 300.0)
    injectors = nest.Create("spike_train_injector", 2, params={"spike_times": [10.0, 11.0, 11.0, 30.0]})
    connected(injectors, E, 2, 600.0)
    return {"E": E, "TRAINS": trains}


@pytest.mark.parametrize("build", [dc_generators, step_currents, spike_generators])
def test_the_same_spikes(build: Callable[[], Populations], tmp_path: Path) -> None:
    there, here, _ = both_ways(build, tmp_path)
    assert {name: here[name] for name in there} == there
    assert len(there["E"]) > 50


def test_currents_are_grouped_by_what_arrives() -> None:
    E = nest.Create("iaf_psc_exp", 4)
    one, other = (nest.Create("dc_generator", params={"amplitude": 100.0, "start": 5.0}) for _ in range(2))
    nest.Connect(one, E, syn_spec={"weight": 2.0, "delay": 1.5})
    nest.Connect(other, E[1:3], syn_spec={"weight": 2.0, "delay": 1.5})
    common = {"target": "E", "amplitude": 200.0, "start": 5.0, "stop": 1e9, "delay": 1.5}
    assert capture({"E": E}).inputs == (
        StepCurrent(name="E_current_0", **common),
        StepCurrent(name="E_current_1", neurons=(1, 2), **common),
    )


def test_three_currents_keep_their_order() -> None:
    E = nest.Create("iaf_psc_exp", 2)
    for amplitude in (0.1, 0.2, 0.1):  # their sum depends on it
        nest.Connect(nest.Create("dc_generator", params={"amplitude": amplitude}), E)
    assert [item.amplitude for item in capture({"E": E}).inputs] == [0.1, 0.2, 0.1]


def test_a_current_through_a_receptor_is_refused() -> None:
    nest.Connect(nest.Create("dc_generator"), nest.Create("iaf_psc_exp"), syn_spec={"receptor_type": 1})
    with pytest.raises(FormatError, match=r"current of node 1 to population iaf_psc_exp_0: .* receptor 1; only"):
        capture()


def poisson_network() -> Populations:
    E = nest.Create("parrot_neuron", 50)
    for rate, start, stop, origin in ((400.0, 0.0, 1e308, 0.0), (900.0, 40.0, 90.0, 10.0)):
        generator = nest.Create("poisson_generator", params={"rate": rate, "start": start, "origin": origin})
        generator.stop = stop
        nest.Connect(generator, E, syn_spec={"delay": 0.5})
    nest.Connect(generator, E[:10], syn_spec={"delay": 2.0})
    return {"E": E}


def test_poisson_generators() -> None:
    instance = capture(poisson_network(), duration=DURATION)
    common = {"target": "E", "weight": 1.0}
    window = {"rate": 900.0, "start": 50.0, "stop": 100.0}
    assert instance.inputs == (
        PoissonInput(name="E_poisson_0", rate=400.0, delay=0.5, **common),
        PoissonInput(name="E_poisson_1", delay=0.5, **window, **common),
        PoissonInput(name="E_poisson_2", delay=2.0, neurons=tuple(range(10)), **window, **common),
    )


def within_poisson_bounds(counts: list[int], mean: float) -> None:
    low, high = poisson.ppf([1e-7, 1 - 1e-7], mean)
    assert all(low <= count <= high for count in counts), (counts, mean, low, high)


def from_generators(build: Callable[[], Populations]) -> list[tuple[int, int]]:
    """Return the spikes of E as the runner's own Poisson generators make them."""
    empty_kernel()
    instance = capture(build(), duration=DURATION)
    return spikes_of_run(NestRunner().run(instance))["E"]


def test_poisson_rates(tmp_path: Path) -> None:
    there, frozen, _ = both_ways(poisson_network, tmp_path, frozen=True)
    for spikes in (there["E"], frozen["E"], from_generators(poisson_network)):
        steps, neurons = np.array(spikes).T
        in_window = (steps > 550) & (steps <= 1000)  # 45 ms
        within_poisson_bounds([int(np.sum(steps <= 500))], 50 * 0.400 * 49.5)
        within_poisson_bounds([int(np.sum(in_window & (neurons >= 10)))], 40 * 1.3 * 45)
        within_poisson_bounds([int(np.sum(in_window & (neurons < 10)))], 10 * 2.2 * 45)


def test_one_generator_each_makes_one_input() -> None:
    E = nest.Create("iaf_psc_exp", 100)
    nest.Connect(nest.Create("poisson_generator", 100, params={"rate": 50.0}), E, "one_to_one")
    nest.Connect(nest.Create("poisson_generator", params={"rate": 50.0}), E)
    every, again = capture().inputs
    assert (every.neurons, again.neurons) == (None, None)  # independent, so they are not one of twice the rate
    assert every.model_copy(update={"name": again.name}) == again


def test_many_weights_make_a_population_of_poisson_sources(tmp_path: Path) -> None:
    def build() -> Populations:
        E = nest.Create("parrot_neuron", 60)
        many = nest.Create("poisson_generator", params={"rate": 300.0, "stop": 150.0})
        nest.Connect(many, E, syn_spec={"weight": nest.random.uniform(1.0, 2.0)})
        return {"E": E}

    there, frozen, instance = both_ways(build, tmp_path, frozen=True)
    sources = instance.populations["E_poisson_0"]
    assert (sources.size, sources.activity) == (60, PoissonActivity(rate=300.0, stop=150.0))
    (edges,) = instance.projections.values()
    (block,) = edges.blocks()
    assert np.array_equal(np.sort(block.target), np.arange(60))
    assert np.array_equal(block.source, np.arange(60))
    assert len(np.unique(block.weight)) == 60
    for spikes in (there["E"], frozen["E"], from_generators(build)):
        within_poisson_bounds([len(spikes)], 60 * 0.3 * 150)


def test_poisson_through_a_receptor_or_a_random_synapse(tmp_path: Path) -> None:
    def build() -> Populations:
        E = nest.Create("iaf_psc_exp_multisynapse", 60, params={"tau_syn": [2.0, 5.0]})
        generator = nest.Create("poisson_generator", params={"rate": 3000.0})
        nest.Connect(generator, E, syn_spec={"weight": 90.0, "receptor_type": 2})
        return {"E": E}

    there, frozen, instance = both_ways(build, tmp_path, frozen=True)
    assert instance.projections["E_poisson_0_to_E"].synapse.receptor == 2
    n, *others = (len(spikes) for spikes in (there["E"], frozen["E"], from_generators(build)))
    assert n > 500
    assert all(abs(n - other) < 6 * np.sqrt(n + other) for other in others)


def test_spike_generators_are_virtual_populations() -> None:
    build = spike_generators()
    instance = capture(build)
    trains = next(instance.populations["TRAINS"].activity.blocks()).trains()
    assert trains[3].tolist() == [5.0, 5.0, 5.0, 7.0, 7.0, 7.0]
    assert trains[12].tolist() == []
    assert trains[4].tolist() == [24.1, 94.0]  # after the start, and up to the end
    assert 24.0 < trains[5].min() < trains[5].max() <= 94.0
    injected = instance.populations["spike_train_injector_0"].activity
    assert [train.tolist() for block in injected.blocks() for train in block.trains()] == [[10.0, 11.0, 11.0, 30.0]] * 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"spike_times": [1.0], "spike_weights": [2.0]}, r"node 2 \(spike_generator\): spikes with weights"),
        ({"precise_times": True}, r"node 2 \(spike_generator\): precise spike times"),
        ({"frozen": True}, r"node 2 \(spike_generator\) is frozen"),
    ],
)
def test_refused_generators(setting: dict[str, Any], message: str) -> None:
    nest.Create("iaf_psc_exp")
    nest.Create("spike_generator", params=setting)
    with pytest.raises(FormatError, match=f"^{message}"):
        capture()


@pytest.mark.parametrize("model", ["noise_generator", "gamma_sup_generator"])
def test_other_devices_are_named(model: str) -> None:
    device, E = nest.Create(model), nest.Create("iaf_psc_exp")
    with pytest.warns(CaptureWarning, match=rf"^1 nodes of the model {model} \(1\) are connected to nothing"):
        assert capture().populations["iaf_psc_exp_0"].size == 1
    nest.Connect(device, E)
    with pytest.raises(FormatError, match=rf"^node 1 \({model}\) has connections, and devices of this model cannot"):
        capture()


@pytest.mark.parametrize("model", ["correlation_detector", "spin_detector", "volume_transmitter"])
def test_other_observers_are_named(model: str) -> None:
    nest.Connect(nest.Create("parrot_neuron" if model != "spin_detector" else "ginzburg_neuron"), nest.Create(model))
    with pytest.raises(FormatError, match=rf"^node 2 \({model}\) has connections, and devices of this model cannot"):
        capture()


def recorded(prepare: Callable[[Any, Any], None]) -> tuple[NetworkInstance, list[str]]:
    A, B = nest.Create("iaf_psc_exp", 5), nest.Create("iaf_psc_exp", 3, params={"C_m": 200.0})
    prepare(A, B)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        instance = capture({"A": A, "B": B})
    return instance, [str(w.message) for w in caught if issubclass(w.category, CaptureWarning)]


def test_without_recorders_all_spikes_are_recorded() -> None:
    instance, remarks = recorded(lambda A, B: None)
    assert (instance.simulation.record_spikes, instance.simulation.record_V_m, remarks) == (None, (), [])


def test_recorders() -> None:
    def prepare(A: Any, B: Any) -> None:
        nest.Connect(B, nest.Create("spike_recorder"))
        nest.Connect(nest.Create("voltmeter", params={"interval": 0.5}), A[1:3])
        nest.Connect(nest.Create("multimeter", params={"interval": 0.5, "record_from": ["V_m"]}), A[2:])

    instance, remarks = recorded(prepare)
    assert instance.simulation.record_spikes == ("B",)
    assert instance.simulation.record_V_m == (VoltageRecording(population="A", neurons=(1, 2, 3, 4), interval=0.5),)
    assert remarks == []


def test_recordings_that_are_not_exactly_so_are_named() -> None:
    def prepare(A: Any, B: Any) -> None:
        nest.Connect(B[:2], nest.Create("spike_recorder", params={"start": 5.0}))
        nest.Connect(nest.Create("multimeter", params={"record_from": ["I_syn_ex"]}), A)
        nest.Connect(nest.Create("voltmeter", params={"interval": 0.5}), A[1:3])
        nest.Connect(nest.Create("voltmeter", params={"interval": 2.0, "offset": 0.3}), A)
        nest.Connect(nest.Create("poisson_generator"), nest.Create("spike_recorder"))

    instance, remarks = recorded(prepare)
    assert instance.simulation.record_V_m[0].interval == 0.5
    assert remarks == [
        "node 9 (spike_recorder) records at times of its own; captured as recording all the time",
        "population B: 2 of 3 neurons are recorded; captured as all",
        "recorders of the spikes of generators (poisson) are left out",
        "node 10 (multimeter) records I_syn_ex, which is left out",
        "node 12 (voltmeter) records at times of its own; captured as recording all the time",
        "population A: V_m is recorded at several intervals; captured at 0.5 ms",
    ]


def test_weight_recorders_are_named() -> None:
    def prepare(A: Any, B: Any) -> None:
        nest.CopyModel("static_synapse", "watched", {"weight_recorder": nest.Create("weight_recorder")})
        nest.Connect(A, B, syn_spec={"synapse_model": "watched"})

    instance, remarks = recorded(prepare)
    assert instance.n_edges == 15
    assert remarks == ["the weight recorder of the synapse model watched is left out"]


def test_recorded_potentials_are_the_same(tmp_path: Path) -> None:
    def build() -> Populations:
        source, E = inputs(), nest.Create("iaf_psc_exp", 10)
        connected(source, E, 20, 300.0)
        nest.Connect(nest.Create("voltmeter", params={"interval": 0.2}), E[2:5])
        return {"IN": source, "E": E}

    build()
    instance = capture(duration=50.0)
    meter = nest.GetNodes({"model": "voltmeter"})
    nest.Simulate(50.0)
    there = {(t, s): v for t, s, v in zip(*(meter.events[k] for k in ("times", "senders", "V_m")), strict=True)}
    report = NestRunner().run(instance).voltages["iaf_psc_exp_0"]
    assert report.neurons.tolist() == [2, 3, 4]
    assert sorted(there.values()) == sorted(report.values.ravel().tolist())
