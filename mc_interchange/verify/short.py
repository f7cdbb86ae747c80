"""What is run of a network for the rungs that need a simulator."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mc_interchange.equivalence.null import Null
from mc_interchange.instance import NetworkInstance, freeze_inputs, has_random_input
from mc_interchange.network import Neuron, VoltageRecording

__all__ = ["for_seed", "short_run"]

#: Neurons of each population whose potential is recorded.
N_RECORDED = 2


def short_run(instance: NetworkInstance, duration: float) -> NetworkInstance:
    """Return the instance for a run of ``duration`` ms, with every Poisson spike drawn beforehand.

    The potentials of the first neurons of each population are recorded in every step.
    """
    recorded = tuple(
        VoltageRecording(
            population=nodes.name, neurons=tuple(range(min(N_RECORDED, nodes.size))), interval=instance.simulation.dt
        )
        for nodes in instance.populations.values()
        if isinstance(nodes.neuron, Neuron) and nodes.neuron.entry.V_m is not None
    )
    changes = {"duration": duration, "discard": 0.0, "record_V_m": recorded}
    simulation = instance.simulation.model_copy(update=changes)
    short = replace(instance, simulation=simulation, network=None, seed=None)
    if not has_random_input(short):
        return short
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return freeze_inputs(short)


def for_seed(instance: NetworkInstance, null: Null, seeds: Sequence[int]) -> Iterator[NetworkInstance]:
    """Yield the instance for runs that are as long as those of the reference, one for each seed."""
    length = {"duration": null.discard + null.duration, "discard": null.discard}
    simulation = instance.simulation.model_copy(update={**length, "record_V_m": (), "record_spikes": None})
    for seed in seeds:
        yield replace(instance, simulation=simulation.model_copy(update={"seed": seed}))
