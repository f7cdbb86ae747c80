"""The networks that every consumer runs: PD14 in the small, each with another input.

Drawn anew in every process, since the tools must not share one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mc_interchange import NetworkInstance, build, realize
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import ArrayTrains, MixedNeurons, freeze_inputs
from mc_interchange.network import Network, StepCurrent

DURATION = 100.0


def _pd14(background: str = "dc", **arguments: object) -> Network:
    """771 neurons, 149,442 synapses; with so few, direct current reaches the threshold only at a higher rate."""
    return build(
        "pd14",
        n_scale=0.01,
        k_scale=0.05,
        background=background,
        bg_rate=12.0,
        duration=DURATION,
        discard=0.0,
        **arguments,
    )


def dc() -> NetworkInstance:
    """Direct current only."""
    return realize(_pd14())


def varied() -> NetworkInstance:
    """Direct current, and neurons of L4E that differ in threshold and membrane time constant."""
    instance = realize(_pd14())
    nodes = instance.populations["L4E"]
    generator = np.random.default_rng(2)
    varying = {"V_th": generator.normal(-50.0, 1.0, nodes.size), "tau_m": generator.uniform(9.0, 11.0, nodes.size)}
    return replace(instance, populations={**instance.populations, "L4E": replace(nodes, varying=varying)}, network=None)


def mixed() -> NetworkInstance:
    """Direct current, and two kinds of neurons in L4E, in no order."""
    instance = realize(_pd14())
    nodes = instance.populations["L4E"]
    common = {
        name: nodes.neuron.parameters[name] for name in ("C_m", "tau_m", "t_ref", "E_L", "V_th", "V_reset", "I_e")
    }
    models = (nodes.neuron, neuron_from_nest("iaf_psc_alpha", {**common, "I_e": 1.1 * common["I_e"]})[0])
    which = (np.random.default_rng(3).random(nodes.size) < 0.4).astype(np.uint32)
    neurons = replace(nodes, neuron=MixedNeurons(models, which))
    return replace(instance, populations={**instance.populations, "L4E": neurons}, network=None)


def replay() -> NetworkInstance:
    """Direct current, and thalamic sources that replay spike trains; one of them is silent."""
    instance = realize(_pd14(thalamus=True, num_th_neurons=30))
    generator = np.random.default_rng(1)
    n_spikes = generator.integers(1, 12, 30)
    n_spikes[7] = 0
    sources = np.repeat(np.arange(30), n_spikes)
    steps = np.concatenate([np.sort(generator.choice(np.arange(2, 900), n, replace=False)) for n in n_spikes])
    trains = ArrayTrains(30, sources, steps / 10)
    return replace(
        instance, populations={**instance.populations, "TH": replace(instance.populations["TH"], activity=trains)}
    )


def step_network() -> Network:
    """Direct current, PD14's current step into everyone, and another into four neurons from the first step on."""
    network = _pd14(dc_transient=True, dc_transient_start=30.0, dc_transient_dur=20.0, dc_transient_amp=87.8)
    few = StepCurrent(
        name="few", target="L4E", amplitude=400.0, start=0.0, stop=45.3, delay=1.5, neurons=(3, 8, 100, 207)
    )
    return network.model_copy(update={"inputs": (*network.inputs, few)})


def step() -> NetworkInstance:
    """Currents that come and go."""
    return realize(step_network())


def frozen() -> NetworkInstance:
    """Poisson background and thalamic stimulation, replaced by one realisation of their spikes."""
    arguments = {"thalamus": True, "num_th_neurons": 30, "th_start": 20.0, "th_duration": 30.0}
    return freeze_inputs(realize(_pd14("poisson", **arguments)))


NETWORKS: dict[str, Callable[[], NetworkInstance]] = {
    "dc": dc,
    "varied": varied,
    "mixed": mixed,
    "replay": replay,
    "step": step,
    "frozen": frozen,
}
