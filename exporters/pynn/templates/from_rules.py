"""The synapses, drawn by PyNN."""

from __future__ import annotations

import sys

from circuit import RANDOM, read_synapses
from model import POISSON_INPUTS, PROJECTIONS, TIMESTEP
from pyNN.random import RandomDistribution
from sources import Sources


def connect(sim, populations: dict) -> None:
    """Make the synapses of all projections: by their rules, or from the circuit where they are listed."""
    for name, item in PROJECTIONS.items():
        pre, post = populations[item["source"]], populations[item["target"]]
        if item["connector"] is None:
            sim.connect(name, pre, post, *read_synapses(name))
            continue
        cells = pre.cells if isinstance(pre, Sources) else pre
        if cells.size != pre.size:
            sys.exit(f"{name}: each source is several cells in pyNN.{sim.name}, which no connector joins")
        kind, arguments = item["connector"]
        drawn = {} if kind in ("OneToOneConnector", "AllToAllConnector") else {"rng": RANDOM}
        connector = getattr(sim.pynn, kind)(**arguments, **drawn)
        weight, delay = (
            RandomDistribution(**value, rng=RANDOM) if isinstance(value, dict) else value
            for value in (item["weight"], item["delay"])
        )
        synapse = sim.pynn.StaticSynapse(weight=weight, delay=delay)
        projection = sim.pynn.Projection(cells, post, connector, synapse, receptor_type=item["receptor"], label=name)
        sim.kept.append(projection)


def longest_delay() -> float:
    """Return a bound in ms of all delays, which NEST wants to know beforehand."""
    delays = [TIMESTEP, *(item["delay"] for item in POISSON_INPUTS.values())]
    for name, item in PROJECTIONS.items():
        delay = item["delay"] if item["connector"] else read_synapses(name)[3].max()
        delays.append(delay["high"] if isinstance(delay, dict) else delay)
    return max(delays)
