"""Small odd networks in every program: names that mean something in it, one neuron, no synapses, one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from brian2_runs import RunBrian2, run_brian2  # noqa: F401
from pynn_runs import run_pynn

from mc_interchange import NetworkInstance, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.network import parse_network
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.pynn import PyNNNestRunner
from mc_interchange.runs import Run

NEURON = """neuron: {model: iaf_psc_exp, parameters: {C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms, tau_syn_in: 0.5 ms,
   t_ref: 2 ms, E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV, I_e: 500 pA}}"""
NAMED = """
name: class
populations:
- {{name: {0}, size: 1, {neuron}}}
- {{name: {1}, size: 1, {neuron}}}
- {{name: {2}, size: 2, {neuron}}}
projections:
- {{source: {0}, target: {1}, rule: {{rule: fixed_total_number, number: 3}}, weight: 800 pA, delay: {dt}}}
- {{source: {1}, target: {2}, rule: {{rule: fixed_total_number, number: 3}}, weight: 800 pA, delay: {dt}}}
- {{name: while, source: {2}, target: {0}, rule: {{rule: fixed_total_number, number: 0}}, weight: 1.0, delay: {dt}}}
simulation: {{duration: 50.0, dt: {dt}}}
"""
LONELY = "name: one\npopulations:\n- {{name: A, size: 1, {neuron}}}\nsimulation: {{duration: {duration}}}"

NETWORKS = {
    "words of Python": (NAMED.format("import", "None", "lambda", neuron=NEURON, dt=0.1), 10),
    "names in programs": (NAMED.format("np", "h", "network", neuron=NEURON, dt=0.025), 10),
    "one neuron": (LONELY.format(neuron=NEURON, duration=50.0), 3),
    "one step": (LONELY.format(neuron=NEURON, duration=0.1), 0),
}
networks = pytest.mark.parametrize("name", NETWORKS)


def assert_identical(name: str, run: Callable[[NetworkInstance], Run]) -> None:
    text, at_least = NETWORKS[name]
    instance = realize(parse_network(text))
    comparison = compare_spikes(NestRunner().run(instance), run(instance))
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= at_least


@networks
def test_in_pynn_on_nest(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyNN")
    assert_identical(name, lambda instance: run_pynn(PyNNNestRunner(), instance, tmp_path))


@networks
def test_in_neuron(name: str, run_neuron: Callable[[NetworkInstance], Run]) -> None:
    assert_identical(name, run_neuron)


@pytest.mark.brian2
@networks
def test_in_brian2(name: str, run_brian2: RunBrian2) -> None:  # noqa: F811
    assert_identical(name, run_brian2)
