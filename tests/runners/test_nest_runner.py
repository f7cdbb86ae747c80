"""The NEST runner on the real NEST."""

from __future__ import annotations

import math
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import SimulationError, UsageError
from mc_interchange.importers.nest import capture
from mc_interchange.instance import ArrayTrains
from mc_interchange.network import (
    Network,
    PoissonInput,
    Simulation,
    StepCurrent,
    VoltageRecording,
    parse_network,
)
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner, runner
from mc_interchange.runners.nest import network as network_module
from mc_interchange.runners.nest.kernel import MAX_CONNECTIONS, reset, threads_for
from mc_interchange.runners.nest.native import connect_natively, create_natively
from mc_interchange.runs import Run, read_run, write_run

NEURON = "{model: iaf_psc_exp, parameters: {C_m: 250, tau_m: 10, tau_syn_ex: 0.5, tau_syn_in: 0.5, t_ref: 2, E_L: -65, "
NEURON += "V_th: -50, V_reset: -65, I_e: %s}}"


def network(text: str, I_e: float = 0.0) -> Network:
    return parse_network(text.replace("NEURON", NEURON % I_e))


def run(model: Network, **options: object) -> Run:
    return NestRunner().run(realize(model, 3), **options)


@pytest.fixture(scope="module")
def driven() -> NetworkInstance:
    """PD14 with direct current: active, and the same in every run."""
    return realize(build("pd14", n_scale=0.01, k_scale=0.5, background="dc", duration=100.0, discard=0.0))


def test_loaded_from_disk_and_from_memory_give_the_same_spikes(driven: NetworkInstance, tmp_path: Path) -> None:
    direct = NestRunner().run(driven)
    loaded = NestRunner().run(open_model(export(driven, "sonata", tmp_path / "out").path))
    comparison = compare_spikes(direct, loaded)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] > 500


def test_compact_synapses_do_the_same(driven: NetworkInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    import nest

    compact = NestRunner().run(driven)
    assert nest.GetDefaults("static_synapse_hpc")["num_connections"] == driven.n_edges
    monkeypatch.setattr(network_module, "_COMPACT_NODES", 0)
    large = NestRunner().run(driven)
    assert nest.GetDefaults("static_synapse_hpc")["num_connections"] == 0
    comparison = compare_spikes(compact, large)
    assert comparison.identical, comparison.divergence


def test_threads_do_not_matter_with_deterministic_input(driven: NetworkInstance) -> None:
    one, two = (NestRunner().run(driven, threads=threads) for threads in (1, 2))
    assert (one.threads, two.threads) == (1, 2)
    assert compare_spikes(one, two).identical


def test_a_run_comes_back_from_disk(driven: NetworkInstance, tmp_path: Path) -> None:
    original = NestRunner().run(driven, source_digest="abc")
    write_run(original, tmp_path)
    again = read_run(tmp_path)
    assert compare_spikes(original, again).identical
    assert again.rates() == original.rates()
    assert (again.source_digest, again.seed, again.versions) == ("abc", original.seed, original.versions)


def test_number_of_threads_follows_from_the_size() -> None:
    assert [threads_for(n) for n in (0, 1, 100_000_000, 100_000_001, 298_880_968)] == [1, 1, 1, 2, 3]
    assert threads_for(10, 4) == 4
    assert threads_for(2 * MAX_CONNECTIONS, 2) == 2
    with pytest.raises(SimulationError, match="298,880,968 need --threads 3 or more, got 2"):
        threads_for(298_880_968, 2)


def test_too_few_threads_are_refused_before_anything_is_built(driven: NetworkInstance) -> None:
    class Many(NetworkInstance):
        n_edges = 10**9

    with pytest.raises(SimulationError, match="need --threads 10"):
        NestRunner().run(Many(**{f: getattr(driven, f) for f in driven.__dataclass_fields__}), threads=1)


def test_a_native_build_is_statistically_the_same() -> None:
    model = build("pd14", n_scale=0.05, k_scale=0.05, duration=600.0, discard=100.0)
    explicit, native = run(model), run(model, native=True)
    assert native.simulator == "nest (native)"
    assert not compare_spikes(explicit, native).identical
    a, b = explicit.rates(), native.rates()
    for name, size in explicit.sizes.items():
        # counts vary more than Poisson ones between realisations; 6 sd of that are still a narrow band
        spread = 6 * math.sqrt(max(a[name], b[name]) / (size * 0.5)) + 0.2 * a[name]
        assert abs(a[name] - b[name]) < spread, (name, a[name], b[name])


def test_a_native_build_needs_rules(driven: NetworkInstance) -> None:
    with pytest.raises(UsageError, match="needs the model's rules"):
        NestRunner().run(replace(driven, network=None), native=True)


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("rule: fixed_total_number, number: 50", 50),
        ("rule: fixed_indegree, indegree: 3", 30),
        ("rule: fixed_outdegree, outdegree: 2, allow_autapses: false", 20),
        ("rule: one_to_one", 10),
        ("rule: all_to_all", 100),
        ("rule: explicit, sources: [1, 1], targets: [0, 9]", 2),
    ],
)
def test_every_rule_builds_natively(rule: str, count: int) -> None:
    import nest

    model = network(
        f"""
name: rules
populations: [{{name: E, size: 10, neuron: NEURON}}]
projections: [{{source: E, target: E, rule: {{{rule}}}, weight: 87.8, delay: 1.5}}]
simulation: {{duration: 1.0}}
"""
    )
    run(model, native=True)
    assert len(nest.GetConnections()) - 10 == count  # 10 to the recorder
    run(model)
    assert len(nest.GetConnections()) - 10 == realize(model).n_edges == count


def test_recorded_potential_is_that_of_the_neuron_asked_for() -> None:
    model = network(
        """
name: passive
populations:
- {name: E, size: 4, neuron: NEURON, initial_V_m: {distribution: values, values: [-60, -61, -62, -63]}}
simulation: {duration: 10.0, record_V_m: [{population: E, neurons: [3, 1], interval: 0.2}]}
"""
    )
    report = run(model).voltages["E"]
    assert report.neurons.tolist() == [1, 3]
    assert np.allclose(np.diff(report.times), 0.2)
    for column, start in ((0, -61.0), (1, -63.0)):
        expected = -65 + (start + 65) * np.exp(-report.times / 10)
        assert np.allclose(report.values[:, column], expected, atol=1e-10)


def test_step_current_is_felt_after_its_delay() -> None:
    model = network(
        """
name: step
populations: [{name: E, size: 1, neuron: NEURON}]
inputs: [{kind: step_current, name: dc, target: E, amplitude: 100.0, start: 2.0, stop: 5.0, delay: 2.5}]
simulation: {duration: 20.0, record_V_m: [{population: E, neurons: [0], interval: 0.1}]}
"""
    )
    report = run(model).voltages["E"]
    V = report.values[:, 0] + 65
    on = np.clip(report.times - 4.5, 0, 3.0)
    expected = 100 * 10 / 250 * (1 - np.exp(-on / 10)) * np.exp(-np.clip(report.times - 7.5, 0, None) / 10)
    assert np.allclose(V, expected, atol=1e-9)


def test_given_spike_trains_arrive_after_the_delay() -> None:
    model = network(
        """
name: trains
populations:
- {name: E, size: 2, neuron: NEURON}
- {kind: virtual, name: S, size: 2, activity: {kind: spike_trains, times: [[1.0, 4.0, 4.0], [2.0]]}}
projections: [{source: S, target: E, rule: {rule: one_to_one}, weight: 10000.0, delay: 1.5}]
simulation: {duration: 12.0}
"""
    )
    result = run(model)
    assert result.spikes["S"].steps.tolist() == [10, 20, 40, 40]
    first = {n: s for s, n in zip(result.spikes["E"].steps[::-1], result.spikes["E"].neurons[::-1], strict=True)}
    assert first[1] - first[0] == 10


def test_poisson_input_has_the_rate_and_window_asked_for() -> None:
    model = network(
        """
name: sources
populations:
- {name: E, size: 1, neuron: NEURON}
- {kind: virtual, name: TH, size: 500, activity: {kind: poisson, rate: 120.0, start: 100.0, stop: 200.0}}
simulation: {duration: 300.0}
"""
    )
    steps = run(model).spikes["TH"].steps
    assert abs(len(steps) - 500 * 12) < 5 * math.sqrt(500 * 12)
    assert steps.min() > 1000
    assert steps.max() <= 2002


def test_two_seeds_differ_and_one_does_not() -> None:
    model = build("pd14", n_scale=0.02, k_scale=0.02, duration=100.0, discard=0.0)
    a, b = run(model), run(model)
    assert compare_spikes(a, b).identical
    assert a.n_spikes > 50
    other = realize(model, 3)
    c = NestRunner().run(replace(other, simulation=other.simulation.model_copy(update={"seed": 99})))
    assert not compare_spikes(a, c).identical


PASSIVE = """
name: passive
populations: [{name: E, size: 3, neuron: NEURON}]
simulation: {duration: 10.0, record_V_m: [{population: E, neurons: [0, 1, 2], interval: 0.1}]}
"""


@pytest.mark.parametrize("threads", [0, -1])
def test_number_of_threads_is_checked(threads: int) -> None:
    with pytest.raises(UsageError, match=f"^threads: must be at least 1, got {threads}$"):
        run(network(PASSIVE), threads=threads)


NOISY = """
name: noisy
populations:
- {name: E, size: 20, neuron: NEURON}
- {name: I, size: 20, neuron: NEURON}
- {kind: virtual, name: TH, size: 5, activity: {kind: poisson, rate: 500.0}}
projections:
- {source: TH, target: E, rule: {rule: all_to_all}, weight: 300.0, delay: 1.5}
- {source: E, target: I, rule: {rule: all_to_all}, weight: 300.0, delay: 2.0}
inputs:
- {kind: poisson, name: one, target: E, rate: 8000.0, weight: 90.0, delay: 1.5}
- {kind: poisson, name: two, target: I, rate: 8000.0, weight: 90.0, delay: 1.5}
simulation: {duration: 203.0}
"""


def test_slices_have_no_influence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(Silent):
        amounts: list[float]

        def task(self, label: str, total: float, unit: str) -> None:
            self.amounts = []

        def advance(self, amount: float) -> None:
            self.amounts.append(amount)

    runs, numbers = [], []
    # no virtual sources: their generators have a delay of one step, so any slicing would do
    model = network(NOISY)
    model = model.model_copy(update={"populations": model.populations[:2], "projections": model.projections[1:]})
    for seconds in (0.0, 1e-4, 1e9):
        monkeypatch.setattr(runner, "SLICE_SECONDS", seconds)
        progress = Counting()
        runs.append(run(model, progress=progress))
        numbers.append(len(progress.amounts))
        assert sum(progress.amounts) == pytest.approx(203.0)
    assert numbers[0] > numbers[2]
    assert numbers[0] > 100
    assert numbers[2] < 10
    assert runs[0].n_spikes > 200
    assert all(compare_spikes(runs[0], other).identical for other in runs[1:])


def test_slices_approach_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SLICE_SECONDS", 0.5)
    assert runner._next_units(1, 1e-6) == 4
    assert runner._next_units(100, 0.4) == 125
    assert runner._next_units(100, 2.0) == 25
    assert runner._next_units(1, 60.0) == 1
    assert runner._next_units(1, 0.0) == 4


def test_an_interrupt_is_answered_soon() -> None:
    long = network(NOISY.replace("size: 20", "size: 2000").replace("203.0", "1000000.0"))
    sent = []

    def interrupt() -> None:
        sent.append(time.perf_counter())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    timer = threading.Timer(3.0, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run(long.model_copy(update={"projections": ()}))
    assert time.perf_counter() - sent[0] < 3.0


@pytest.mark.parametrize(("dt", "duration"), [(0.05, 10.05), (0.025, 3.025), (0.1, 3.3)])
def test_the_duration_is_met_to_the_step(dt: float, duration: float) -> None:
    import nest

    model = network(PASSIVE.replace("duration: 10.0", f"dt: {dt}, duration: {duration}").replace("0.1}]", f"{dt}}}]"))
    run(model)
    assert nest.biological_time == pytest.approx(duration, abs=1e-9)


def test_empty_list_of_populations_records_nothing() -> None:
    model = network(NOISY.replace("duration: 203.0", "duration: 20.0, record_spikes: []"))
    assert run(model).spikes == {}


def with_trains(*times: float) -> NetworkInstance:
    model = network(
        """
name: trains
populations:
- {name: E, size: 1, neuron: NEURON}
- {kind: virtual, name: S, size: 1, activity: {kind: spike_trains, times: [[1.0]]}}
simulation: {duration: 5.0}
"""
    )
    instance = realize(model)
    nodes = replace(instance.populations["S"], activity=ArrayTrains.from_lists([times]))
    return replace(instance, populations={**instance.populations, "S": nodes})


def test_spikes_are_emitted_at_the_end_of_their_step() -> None:
    """As NEST itself does with exact times, and so all tools that hand them to it."""
    result = NestRunner().run(with_trains(0.05, 0.249999, 0.3, 0.449, 1.05, 1.15, 1.3 + 1e-6))
    assert result.spikes["S"].steps.tolist() == [1, 3, 3, 5, 11, 12, 13]


@pytest.mark.parametrize(
    "item",
    [
        StepCurrent(name="odd", target="E", amplitude=1.0, start=1.03, stop=2.0, delay=1.0),
        PoissonInput(name="odd", target="E", rate=10.0, weight=1.0, delay=1.0, start=1.03),
    ],
)
def test_what_nest_refuses_is_one_line(item: StepCurrent | PoissonInput) -> None:
    with pytest.raises(SimulationError, match=r"^input odd: NEST refused it \([^\n]*\)$"):
        NestRunner().run(replace(realize(network(PASSIVE)), inputs=(item,)))


def test_refused_virtual_sources_are_one_line() -> None:
    instance = realize(network(NOISY))
    sources = instance.populations["TH"]
    odd = replace(sources, activity=sources.activity.model_copy(update={"start": 1.03}))
    with pytest.raises(SimulationError, match=r"^Poisson sources of population TH: NEST refused it \([^\n]*\)$"):
        NestRunner().run(replace(instance, populations={**instance.populations, "TH": odd}))


def test_refused_recording_is_one_line() -> None:
    instance = realize(network(PASSIVE))
    odd = VoltageRecording.model_construct(population="E", neurons=(0,), interval=0.13)
    simulation = instance.simulation.model_copy(update={"record_V_m": (odd,)})
    with pytest.raises(SimulationError, match=r"^recording of V_m of population E: NEST refused it \([^\n]*\)$"):
        NestRunner().run(replace(instance, simulation=simulation))


def test_a_captured_network_runs_in_the_kernel_it_came_from() -> None:
    nest = reset(Simulation(), 1)
    nodes = nest.Create("iaf_psc_exp", 3, params={"I_e": 500.0})
    nest.Connect(nodes, nodes)
    instance = capture({"E": nodes})
    assert len(NestRunner().run(instance).spikes["E"]) > 50
    assert nest.num_connections == 9 + 3  # and one recorder


def test_poisson_input_arrives_after_its_delay() -> None:
    text = PASSIVE.replace(
        "simulation:",
        "inputs: [{kind: poisson, name: bg, target: E, rate: 1.0e6, weight: 0.5, delay: 3.5}]\nsimulation:",
    )
    report = run(network(text)).voltages["E"]
    quiet = report.values[report.times <= 3.5 + 1e-9]
    assert np.array_equal(quiet, np.full_like(quiet, -65.0))
    # 100 spikes in every step: the current comes within two steps, and its effect on V_m one later
    assert np.all(report.values[report.times > 3.85] > -65.0)


def test_parameters_that_vary_are_set_in_nest() -> None:
    import nest

    instance = realize(network(PASSIVE))
    nodes = replace(
        instance.populations["E"],
        varying={"C_m": np.array([200.0, 250.0, 300.0]), "E_L": np.array([-60.0, -65.0, -70.0])},
        V_m=np.array([-61.0, -62.0, -63.0]),
    )
    report = NestRunner().run(replace(instance, populations={"E": nodes})).voltages["E"]
    found = nest.GetNodes({"model": "iaf_psc_exp"})
    assert found.get("C_m") == (200.0, 250.0, 300.0)
    assert found.get("E_L") == (-60.0, -65.0, -70.0)
    decay = np.exp(-report.times / 10)[:, np.newaxis]
    expected = nodes.varying["E_L"] + (nodes.V_m - nodes.varying["E_L"]) * decay
    assert np.allclose(report.values, expected, atol=1e-10)


def test_native_draws_have_the_bounds_asked_for() -> None:
    model = network(
        """
name: native
populations: [{name: E, size: 500, neuron: NEURON, initial_V_m: {distribution: uniform, low: -64.0, high: -60.0}}]
projections:
- source: E
  target: E
  rule: {rule: fixed_indegree, indegree: 4}
  weight: {distribution: uniform, low: 20.0, high: 30.0}
  delay: 1.5
simulation: {duration: 1.0}
"""
    )
    nest = reset(model.simulation, 1)
    populations = create_natively(nest, model)
    connect_natively(nest, model, populations, Silent())
    for values, low, high in (
        (np.array(populations["E"].get("V_m")), -64.0, -60.0),
        (np.array(nest.GetConnections().get("weight")), 20.0, 30.0),
    ):
        width = high - low
        assert low <= values.min() < low + 0.05 * width
        assert high - 0.05 * width < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 5 * width / math.sqrt(12 * len(values))


@pytest.mark.parametrize(
    ("initial", "mean", "sd"),
    [
        ("-61.5", -61.5, 0.0),
        ("{distribution: normal, mean: -60.0, sd: 2.0}", -60.0, 2.0),
        ("{distribution: values, values: [-60.0, -62.0, -64.0]}", -62.0, None),
    ],
)
def test_native_initial_potentials(initial: str, mean: float, sd: float | None) -> None:
    size = 3 if sd is None else 400
    model = network(
        f"""
name: native
populations: [{{name: E, size: {size}, neuron: NEURON, initial_V_m: {initial}}}]
simulation: {{duration: 1.0}}
"""
    )
    nest = reset(model.simulation, 1)
    values = np.array(create_natively(nest, model)["E"].get("V_m"))
    if sd is None:
        assert values.tolist() == [-60.0, -62.0, -64.0]
    else:
        assert abs(values.mean() - mean) <= 5 * sd / math.sqrt(size)
        assert abs(values.std() - sd) <= 0.2 * sd


def test_synapses_that_an_index_hides_are_missed(driven: NetworkInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = runner.connect_edges
    monkeypatch.setattr(runner, "connect_edges", lambda *arguments: whole(*arguments) - 1)
    with pytest.raises(SimulationError, match=f"^pd14: {driven.n_edges - 1} of {driven.n_edges} synapses were found"):
        NestRunner().run(driven)
