"""Freezing Poisson input: from a rate to spikes that every simulator can replay.

A Poisson input onto a population is the same model as a population of as many Poisson sources that
projects one to one. Freezing rewrites the first into the second and draws the spikes of all Poisson
sources; simulators that then read the same spikes can be compared spike for spike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import ModelError
from mc_interchange.network import (
    Constant,
    Explicit,
    Network,
    OneToOne,
    PoissonActivity,
    PoissonInput,
    Projection,
    VirtualPopulation,
)
from mc_interchange.network.simulation import steps

from . import sampling
from .edges import ArrayEdges, EdgeBlock, Edges
from .instance import NetworkInstance, Nodes
from .trains import BLOCK_SPIKES, TrainBlock, Trains

__all__ = ["PoissonTrains", "freeze_inputs", "has_random_input"]

#: Sources per random stream. Part of the definition of a realisation: never change it.
CHUNK_SOURCES = 64


def has_random_input(instance: NetworkInstance) -> bool:
    """Whether a simulator has to draw spikes for it."""
    return any(isinstance(item, PoissonInput) for item in instance.inputs) or any(
        isinstance(nodes.activity, PoissonActivity) for nodes in instance.populations.values()
    )


class PoissonTrains(Trains):
    """One realisation of independent Poisson sources on the grid of a simulation.

    The number of spikes of a source in its window is Poisson distributed and each falls into any step of the
    window with equal probability, so steps are independent and may hold several spikes.

    Parameters
    ----------
    size
        Number of sources.
    activity
        Rate and window.
    label
        Name of the population, from which the random streams follow.
    seed, dt, duration
        Of the simulation; dt and duration in ms. Nothing is emitted in the first step, which some
        simulators cannot replay.
    """

    def __init__(
        self, size: int, activity: PoissonActivity, label: str, *, seed: int, dt: float, duration: float
    ) -> None:
        super().__init__(size)
        self._label, self._seed, self._dt = label, seed, dt
        # as NEST's generator: from the second step after the start to the first after the end
        self._first = round(steps(activity.start, dt)) + 2
        self._last = round(steps(duration, dt))
        if activity.stop is not None:
            self._last = min(self._last, round(steps(activity.stop, dt)) + 1)
        self._mean = activity.rate * dt / 1000 * max(0, self._last - self._first + 1)

    @cached_property
    def n_spikes(self) -> int:
        """Number of spikes; drawn on first use."""
        return sum(int(self._counts(chunk)[1].sum()) for chunk in range(self._n_chunks))

    @property
    def expected(self) -> float:
        """Mean number of spikes, without drawing any."""
        return self._mean * self.size

    def blocks(self) -> Iterator[TrainBlock]:
        """Draw the trains, a few chunks at a time."""
        per_block = max(1, int(BLOCK_SPIKES / max(1.0, self._mean * CHUNK_SOURCES)))
        for start in range(0, self._n_chunks, per_block):
            drawn = [self._draw(chunk) for chunk in range(start, min(start + per_block, self._n_chunks))]
            counts, times = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
            yield TrainBlock(start * CHUNK_SOURCES, counts, times)

    @property
    def _n_chunks(self) -> int:
        return -(-self.size // CHUNK_SOURCES)

    def _counts(self, chunk: int) -> tuple[np.random.Generator, NDArray[np.int64]]:
        rng = sampling.stream(self._seed, "spikes", self._label, chunk)
        n = min(CHUNK_SOURCES, self.size - chunk * CHUNK_SOURCES)
        return rng, rng.poisson(self._mean, n)

    def _draw(self, chunk: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rng, counts = self._counts(chunk)
        n_steps = max(0, self._last - self._first + 1)
        # one number for source and step, so that one sort does both
        sources = np.repeat(np.arange(len(counts), dtype=np.int64) * n_steps, counts)
        keys = sources + rng.integers(0, n_steps, len(sources)) if len(sources) else sources
        keys.sort()
        times = (keys - sources + self._first).astype(float)
        times /= steps(1.0, self._dt)
        return counts, times


def freeze_inputs(instance: NetworkInstance) -> NetworkInstance:
    """Replace all Poisson sources by one realisation of their spikes, up to the end of the simulation.

    Every Poisson input becomes a virtual population of its name that projects one to one; where the
    rules are known, they are rewritten likewise, to a virtual population with Poisson activity.

    Parameters
    ----------
    instance
        Its seed and duration count.

    Returns
    -------
    NetworkInstance
        Without Poisson sources. It draws the spikes when they are read.

    Raises
    ------
    ModelError
        A population has the name of a Poisson input already.
    """
    simulation = instance.simulation
    if simulation.record_spikes is None:  # of what is there already: nobody needs the replayed spikes again
        simulation = simulation.model_copy(update={"record_spikes": tuple(instance.populations)})
    populations: dict[str, Nodes] = dict(instance.populations)
    projections: dict[str, Edges] = dict(instance.projections)
    network = instance.network
    for item in instance.inputs:
        if not isinstance(item, PoissonInput):
            continue
        if item.name in populations:
            raise ModelError(f"input {item.name}: cannot be frozen, as there is a population of this name")
        target = populations[item.target]
        # rules may have drawn no synapse
        taken = {*projections, *(p.name for p in network.projections)} if network else {*projections}
        source, projection = _rules(item, target, _unused(f"{item.name}_to_{item.target}", taken))
        activity = PoissonActivity(rate=item.rate, start=item.start, stop=item.stop)
        populations[item.name] = Nodes(item.name, source.size, activity=activity)
        projections[projection.name] = _edges(projection, item.neurons, source.size, instance.simulation.dt)
        if network is not None:
            network = _rewritten(network, item, source, projection)
    return replace(
        instance,
        populations={name: _frozen(nodes, instance) for name, nodes in populations.items()},
        projections=projections,
        inputs=tuple(i for i in instance.inputs if not isinstance(i, PoissonInput)),
        simulation=simulation,
        network=network and network.model_copy(update={"simulation": simulation}),
    )


def _frozen(nodes: Nodes, instance: NetworkInstance) -> Nodes:
    if not isinstance(nodes.activity, PoissonActivity):
        return nodes
    s = instance.simulation
    trains = PoissonTrains(nodes.size, nodes.activity, nodes.name, seed=s.seed, dt=s.dt, duration=s.duration)
    return replace(nodes, activity=trains)


def _rules(item: PoissonInput, target: Nodes, name: str) -> tuple[VirtualPopulation, Projection]:
    """Say the same as a population of sources and its projection."""
    neurons = item.neurons
    source = VirtualPopulation(
        name=item.name,
        size=target.size if neurons is None else len(neurons),
        activity=PoissonActivity(rate=item.rate, start=item.start, stop=item.stop),
        meaning=item.meaning,
        source=item.source,
    )
    projection = Projection(
        name=name,
        source=item.name,
        target=item.target,
        rule=OneToOne() if neurons is None else Explicit(sources=tuple(range(len(neurons))), targets=neurons),
        weight=Constant(value=item.weight),
        delay=Constant(value=item.delay),
        meaning=item.meaning,
    )
    return source, projection


def _edges(projection: Projection, neurons: tuple[int, ...] | None, size: int, dt: float) -> ArrayEdges:
    assert isinstance(projection.weight, Constant)
    assert isinstance(projection.delay, Constant)
    sources = np.arange(size, dtype=np.uint32)
    block = EdgeBlock(
        source=sources,
        target=sources if neurons is None else np.array(neurons, np.uint32),
        weight=np.full(size, projection.weight.value, sampling.weight_dtype(projection.weight)),
        delay=sampling.round_delays(np.full(size, projection.delay.value), dt),
    )
    return ArrayEdges(projection.name, projection.source, projection.target, block)


def _unused(name: str, taken: Collection[str]) -> str:
    name = name[:60]
    return name if name not in taken else next(n for i in range(2, 1000) if (n := f"{name}_{i}") not in taken)


def _rewritten(network: Network, item: PoissonInput, source: VirtualPopulation, projection: Projection) -> Network:
    return network.model_copy(
        update={
            "populations": (*network.populations, source),
            "projections": (*network.projections, projection),
            "inputs": tuple(i for i in network.inputs if i.name != item.name),
        }
    )
