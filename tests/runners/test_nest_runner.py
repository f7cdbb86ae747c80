"""The NEST runner on the real NEST."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import SimulationError, UsageError
from mc_interchange.network import Network, parse_network
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.nest.kernel import MAX_CONNECTIONS, threads_for
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
    assert len(nest.GetConnections(synapse_model="static_synapse")) - 10 == count  # 10 to the recorder
    run(model)
    assert len(nest.GetConnections(synapse_model="static_synapse")) - 10 == realize(model).n_edges == count


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
inputs: [{kind: step_current, name: dc, target: E, amplitude: 100.0, start: 2.0, stop: 5.0, delay: 1.0}]
simulation: {duration: 20.0, record_V_m: [{population: E, neurons: [0], interval: 0.1}]}
"""
    )
    report = run(model).voltages["E"]
    V = report.values[:, 0] + 65
    on = np.clip(report.times - 3.0, 0, 3.0)
    expected = 100 * 10 / 250 * (1 - np.exp(-on / 10)) * np.exp(-np.clip(report.times - 6.0, 0, None) / 10)
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
