"""The synapses, as they are in the circuit."""

from __future__ import annotations

from circuit import read_synapses
from model import PLASTICITY, POISSON_INPUTS, PROJECTIONS, TIMESTEP


def connect(sim, populations: dict) -> None:
    """Make the synapses of all projections."""
    for name, (source, target) in PROJECTIONS.items():
        plasticity = PLASTICITY.get(name)
        sim.connect(name, populations[source], populations[target], *read_synapses(name), plasticity)


def longest_delay() -> float:
    """Return the longest delay in ms, which NEST wants to know beforehand."""
    delays = [TIMESTEP, *(item["delay"] for item in POISSON_INPUTS.values())]
    return max([*delays, *(read_synapses(name)[3].max() for name in PROJECTIONS)])
