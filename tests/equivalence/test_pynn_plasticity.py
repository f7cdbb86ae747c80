"""Synapses that change in PyNN's programs: with NEST the same spikes, with NEURON compared, all else refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pynn_runs import assert_identical, run_pynn

from mc_interchange import NetworkInstance, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import SimulationError
from mc_interchange.instance import ArrayEdges
from mc_interchange.network import parse_network
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.pynn import PyNNBrian2Runner, PyNNNestRunner, PyNNNeuronRunner

pytest.importorskip("pyNN")

#: Weights by what they are in; a conductance has the reversal potentials of NEST.
TARGETS = {"iaf_psc_exp": 40.0, "iaf_psc_alpha": 15.0, "iaf_psc_delta": 0.3, "iaf_cond_exp": 2.0}
OWN = {
    "iaf_psc_exp": "tau_m: 10, tau_syn_ex: 2, tau_syn_in: 3, I_e: 450",
    "iaf_psc_alpha": "tau_m: 10, tau_syn_ex: 2, tau_syn_in: 3, I_e: 450",
    "iaf_psc_delta": "tau_m: 10, I_e: 450",
    "iaf_cond_exp": "g_L: 25, tau_syn_ex: 2, tau_syn_in: 3, E_ex: 0, E_in: -80, I_e: 450",
}
NETWORK = """
name: plastic
populations:
- {{name: E, size: 40, neuron: &neuron {{model: {neuron}, parameters: {{C_m: 250, t_ref: 2, E_L: -65, V_th: -50,
   V_reset: -65, {own}}}}}, initial_V_m: &V {{distribution: normal, mean: -58.0, sd: 5.0}}}}
- {{name: I, size: 10, neuron: *neuron, initial_V_m: *V}}
projections:
- {{source: E, target: E, rule: {{rule: fixed_total_number, number: 400}}, weight: {w}, delay: &delays
   {{distribution: truncated_normal, mean: 1.0, sd: 0.6, min: 0.1}}, synapse: {first}}}
- {{source: E, target: I, rule: {{rule: fixed_total_number, number: 200}}, weight: {two}, delay: *delays}}
- {{source: I, target: E, rule: {{rule: fixed_total_number, number: 200}}, weight: -{four}, delay: *delays,
   synapse: {second}}}
simulation: {{duration: 300.0}}
"""
TSODYKS = "{{model: tsodyks_synapse, parameters: {{U: 0.4, tau_rec: 80, tau_fac: {fac}, tau_psc: {tau}}}}}"
STDP = (
    "{{model: stdp_synapse, parameters: {{tau_plus: 15, lambda: 0.1, alpha: 1.1, mu_plus: {plus}, mu_minus: {minus}, "
    "Wmax: {limit:g}}}}}"
)


def plastic(neuron: str, kind: str, plus: float = 0.0, minus: float = 0.0) -> NetworkInstance:
    w = TARGETS[neuron]
    if kind == "tsodyks":
        first, second = TSODYKS.format(fac=30, tau=2), TSODYKS.format(fac=0, tau=3)
    else:
        first, second = (STDP.format(plus=plus, minus=minus, limit=limit) for limit in (2 * w, -8 * w))
    weights = {name: f"{k * w:g}" for name, k in (("w", 1), ("two", 2), ("four", 4))}
    text = NETWORK.format(neuron=neuron, own=OWN[neuron], first=first, second=second, **weights)
    return realize(parse_network(text))


def static(instance: NetworkInstance) -> NetworkInstance:
    """Return the same without dynamics of synapses."""
    joined = instance.projections.values()
    projections = {e.name: ArrayEdges(e.name, e.source, e.target, next(e.blocks())) for e in joined}
    return replace(instance, network=None, projections=projections)


@pytest.mark.parametrize(
    ("neuron", "kind", "plus", "minus"),
    [
        ("iaf_psc_exp", "tsodyks", 0.0, 0.0),
        pytest.param("iaf_cond_exp", "tsodyks", 0.0, 0.0, marks=pytest.mark.slow),
        pytest.param("iaf_psc_exp", "stdp", 0.0, 0.0, marks=pytest.mark.slow),
        pytest.param("iaf_psc_alpha", "stdp", 1.0, 1.0, marks=pytest.mark.slow),
        pytest.param("iaf_psc_delta", "stdp", 0.0, 1.0, marks=pytest.mark.slow),
        ("iaf_cond_exp", "stdp", 0.6, 0.4),
    ],
)
def test_nest_fires_the_same_spikes(neuron: str, kind: str, plus: float, minus: float, tmp_path: Path) -> None:
    instance = plastic(neuron, kind, plus, minus)
    reference = NestRunner().run(instance)
    run = run_pynn(PyNNNestRunner(), instance, tmp_path)
    assert_identical(reference, run, 300)
    assert not compare_spikes(NestRunner().run(static(instance)), run).identical  # they do change


@pytest.mark.slow
def test_neuron_fires_the_same_spikes_with_short_term_plasticity(tmp_path: Path) -> None:
    """With parameters by which NEURON's steps are NEST's."""
    instance = plastic("iaf_psc_exp", "tsodyks")
    reference = NestRunner().run(instance)
    run = run_pynn(PyNNNeuronRunner(), instance, tmp_path, matched=True)
    assert_identical(reference, run, 500)


@pytest.mark.slow
def test_neuron_refuses_plasticity_by_timing(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"E_to_E: pyNN\.neuron adds up what spikes of the target do"):
        run_pynn(PyNNNeuronRunner(), plastic("iaf_psc_exp", "stdp"), tmp_path)


@pytest.mark.brian2
@pytest.mark.parametrize(
    ("kind", "says"), [("tsodyks", "Synapse lets resources recover with tau_syn"), ("stdp", "has no dendritic delays")]
)
def test_brian2_refuses_by_name(kind: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=rf"E_to_E: pyNN\.brian2.*{says}"):
        run_pynn(PyNNBrian2Runner(), plastic("iaf_psc_exp", kind), tmp_path)
