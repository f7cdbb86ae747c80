"""Each synapse model as Brian2's statements, against NEST (which other tests hold against what was published)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, export, realize
from mc_interchange.errors import SimulationError
from mc_interchange.instance import ArrayEdges
from mc_interchange.network import parse_network
from mc_interchange.progress import Silent
from mc_interchange.runs import Run

pytest.importorskip("nest")

from test_synapse_models import DT, FURTHER, MODEL, POST, PRE, SYNAPSES, model, sent

from mc_interchange.runners.brian2 import Brian2Runner
from mc_interchange.runners.nest import NestRunner

pytestmark = pytest.mark.brian2

OTHERS = {
    "another use at first": "{model: tsodyks2_synapse, parameters: {U: 0.5, tau_rec: 90, tau_fac: 40, u: 0.2, x: 0.6}}",
    "slow activity": "{model: tsodyks_synapse, parameters: {U: 0.5, tau_rec: 5, tau_fac: 9, tau_psc: 40}}",
    "near": "{model: tsodyks_synapse, parameters: {U: 0.5, tau_rec: 5, tau_fac: 9, tau_psc: 5.001}}",
    "beyond Wmax": "{model: stdp_synapse, parameters: {tau_plus: 15, lambda: 0.1, alpha: 1, mu_plus: 0.5, mu_minus: 1,"
    " Wmax: 1.9}}",
}
NEURONS = {
    "iaf_psc_exp": (
        "{C_m: 250, tau_m: 10, tau_syn_ex: 2, tau_syn_in: 2, t_ref: 2, E_L: -65, V_th: -50, V_reset: -65, I_e: 400}",
        40.0,
    ),
    "iaf_psc_delta": ("{C_m: 250, tau_m: 10, t_ref: 2, E_L: -65, V_th: -50, V_reset: -65, I_e: 400}", 0.3),
}
#: Excitatory and inhibitory synapses of every model, with delays from one step on.
NETWORK = """
name: plastic
populations:
- {{name: E, size: 40, neuron: &neuron {{model: {neuron}, parameters: {parameters}}},
   initial_V_m: {{distribution: normal, mean: -58.0, sd: 5.0}}}}
- {{name: I, size: 10, neuron: *neuron, initial_V_m: {{distribution: normal, mean: -58.0, sd: 5.0}}}}
projections:
- {{source: E, target: E, rule: {{rule: fixed_total_number, number: 400}}, weight: {w}, delay: &delays
   {{distribution: truncated_normal, mean: 1.0, sd: 0.6, min: 0.1}}, synapse: {{model: stdp_synapse, parameters:
   {{tau_plus: 15, lambda: 0.1, alpha: 1.1, mu_plus: 0.6, mu_minus: 0.4, Wmax: {two}}}}}}}
- {{source: E, target: I, rule: {{rule: fixed_total_number, number: 200}}, weight: {two}, delay: *delays,
   synapse: {{model: tsodyks_synapse, parameters: {{U: 0.4, tau_rec: 80, tau_fac: 30, tau_psc: 2}}}}}}
- {{source: I, target: E, rule: {{rule: fixed_total_number, number: 200}}, weight: -{four}, delay: *delays,
   synapse: {{model: tsodyks2_synapse, parameters: {{U: 0.4, tau_rec: 80, tau_fac: 30, u: 0.4}}}}}}
- {{source: I, target: I, rule: {{rule: fixed_total_number, number: 50}}, weight: -{w}, delay: *delays,
   synapse: {{model: stdp_synapse, parameters: {{tau_plus: 25, lambda: 0.1, alpha: 1, mu_plus: 0, mu_minus: 0,
   Wmax: -{two}}}}}}}
simulation: {{duration: 300.0, record_V_m: [{{population: E, neurons: [0, 7], interval: 0.1}}]}}
"""


def plastic_network(neuron: str) -> NetworkInstance:
    parameters, w = NEURONS[neuron]
    weights = {name: f"{k * w:g}" for name, k in (("w", 1), ("two", 2), ("four", 4))}
    return realize(parse_network(NETWORK.format(neuron=neuron, parameters=parameters, **weights)))


def in_brian2(instance: NetworkInstance, directory: Path) -> Run:
    path = export(instance, "brian2", directory / "export").path
    (directory / "scratch").mkdir()
    return Brian2Runner().run_files(path, directory / "scratch", threads=None, progress=Silent())


def assert_same(ours: Run, theirs: Run) -> None:
    assert ours.spikes.keys() == theirs.spikes.keys()
    for name, spikes in theirs.spikes.items():
        np.testing.assert_array_equal(ours.spikes[name].steps, spikes.steps, err_msg=name)
        np.testing.assert_array_equal(ours.spikes[name].neurons, spikes.neurons, err_msg=name)


@pytest.mark.parametrize("name", [*SYNAPSES, *FURTHER, *OTHERS])
def test_one_synapse_sends_what_it_sends_in_nest(name: str, tmp_path: Path) -> None:
    if name in OTHERS:
        post = list(POST) if "stdp" in OTHERS[name] else []
        text = MODEL.format(synapse=OTHERS[name], weight="2 mV", rule="all_to_all", pre=list(PRE), post=post)
        described = parse_network(text)
    else:
        described = model(name)
    instance = realize(described)
    run, reference = in_brian2(instance, tmp_path), NestRunner().run(instance)
    assert_same(run, reference)
    assert len(sent(run)) == len(PRE)
    np.testing.assert_allclose(sent(run), sent(reference), rtol=1e-9, atol=1e-12)


def test_spikes_that_meet_at_a_synapse(tmp_path: Path) -> None:
    """The target's spike comes first: it strengthens by earlier spikes, and does not weaken this one."""
    text = MODEL.format(
        synapse=SYNAPSES["stdp_synapse"],
        weight="2 mV",
        rule="all_to_all",
        pre=list(PRE),
        post=[t - 1.5 for t in PRE[1::3]],
    )
    instance = realize(parse_network(text))
    run, reference = in_brian2(instance, tmp_path), NestRunner().run(instance)
    meetings = np.isin(run.spikes["N"].steps + round(1.5 / DT), run.spikes["P"].steps)
    assert meetings.sum() == len(PRE[1::3])
    assert_same(run, reference)
    np.testing.assert_allclose(sent(run), sent(reference), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("neuron", NEURONS)
def test_networks_of_all_models_fire_the_same_spikes(neuron: str, tmp_path: Path) -> None:
    instance = plastic_network(neuron)
    run, reference = in_brian2(instance, tmp_path), NestRunner().run(instance)
    assert sum(map(len, reference.spikes.values())) > 500
    assert_same(run, reference)
    np.testing.assert_allclose(run.voltages["E"].values, reference.voltages["E"].values, rtol=0, atol=1e-9)


def test_weights_of_another_sign_than_their_bound_are_named(tmp_path: Path) -> None:
    """As NEST does; a model file cannot say so, a circuit of SONATA can."""
    instance = realize(model("stdp_synapse"))
    edges = instance.projections["P_to_N"]
    block = next(edges.blocks())
    turned = ArrayEdges("P_to_N", "P", "N", replace(block, weight=-block.weight), synapse=edges.synapse)
    instance = replace(instance, network=None, projections={**instance.projections, "P_to_N": turned})
    with pytest.raises(SimulationError, match="stdp_synapse_1: weights and Wmax must have the same sign"):
        in_brian2(instance, tmp_path)
