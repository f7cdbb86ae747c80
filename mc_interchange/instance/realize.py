"""From rules to synapses: ``realize(network, seed)``.

Every rule becomes rows with a degree each: targets with in-degrees, or sources with out-degrees. For a
fixed total number the in-degrees are multinomial, for pairwise Bernoulli binomial; then every synapse
draws its partner. Rows are grouped into chunks that depend on the degrees alone, and each chunk has its
own random stream, so synapses can be drawn in any order, by any number of workers, and in blocks of any
size, always with the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import ModelError
from mc_interchange.network import (
    AllToAll,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    OneToOne,
    PairwiseBernoulli,
    Population,
    Projection,
    Slab,
    SpikeTrains,
    Values,
    VirtualPopulation,
)
from mc_interchange.network.simulation import MAX_SEED

from . import sampling
from .edges import BLOCK_EDGES, EdgeBlock, Edges, Order, Piece, Synapse, in_parts
from .instance import NetworkInstance, Nodes
from .trains import ArrayTrains

__all__ = ["RealizedEdges", "RealizedPart", "realize"]

#: Mean number of synapses in a chunk. Part of the definition of a realisation: never change it.
CHUNK_EDGES = 2**17
#: Limit of numpy's multivariate hypergeometric distribution.
MAX_PAIRS = 10**9


def realize(network: Network, seed: int | None = None) -> NetworkInstance:
    """Draw a network, lazily: synapses come into being when their stream is read.

    Parameters
    ----------
    network
        The rules.
    seed
        Default: the seed of the network's simulation parameters.

    Returns
    -------
    NetworkInstance
        Fixed to the last bit by (network, seed). Projections without synapses are left out.

    Raises
    ------
    ModelError
        The seed is outside 1 ... 2**32 - 1.
    """
    seed = network.simulation.seed if seed is None else seed
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 1 <= seed <= MAX_SEED:
        raise ModelError(f"seed: must be a whole number from 1 to {MAX_SEED}, got {seed!r}")
    seed = int(seed)
    simulation = network.simulation.model_copy(update={"seed": seed})
    if seed != network.simulation.seed:  # a model file beside an export must draw the same again
        network = network.model_copy(update={"simulation": simulation})
    edges = [RealizedEdges(projection, network, seed) for projection in network.projections]
    return NetworkInstance(
        name=network.name,
        populations={p.name: _nodes(p, seed) for p in network.populations},
        projections={e.name: e for e in edges if e.n_edges},
        inputs=network.inputs,
        simulation=simulation,
        network=network,
        seed=seed,
    )


def _nodes(population: Population | VirtualPopulation, seed: int) -> Nodes:
    positions = None
    if population.geometry is not None:
        positions = _positions(
            sampling.stream(seed, "positions", population.name), population.geometry, population.size
        )
    if isinstance(population, VirtualPopulation):
        activity = population.activity
        return Nodes(
            population.name,
            population.size,
            activity=ArrayTrains.from_lists(activity.times) if isinstance(activity, SpikeTrains) else activity,
            positions=positions,
            color=population.color,
        )
    rng = sampling.stream(seed, "V_m", population.name)
    return Nodes(
        population.name,
        population.size,
        neuron=population.neuron,
        V_m=sampling.initial_values(rng, population.initial_V_m, population.size),
        positions=positions,
        color=population.color,
    )


def _positions(rng: np.random.Generator, slab: Slab, n: int) -> NDArray[np.float64]:
    """Draw positions in um, whole to a tenth; y is minus the depth, as viewers draw it upwards."""
    unit = rng.random((n, 3))
    unit *= (slab.width, slab.depth_bottom - slab.depth_top, slab.width)
    unit -= (slab.width / 2, slab.depth_bottom, slab.width / 2)
    return np.round(unit, 1)


class RealizedEdges(Edges):
    """The synapses of one projection, drawn when asked for.

    Parameters
    ----------
    projection
        The rule with its distributions.
    network
        Where the projection belongs.
    seed
        Seed of the realisation.
    """

    def __init__(self, projection: Projection, network: Network, seed: int) -> None:
        self._projection = projection
        self._seed = seed
        self._dt = network.simulation.dt
        n_sources = network.population(projection.source).size
        n_targets = network.population(projection.target).size
        self._by_source = isinstance(projection.rule, FixedOutdegree)
        self._n_rows, self._n_partners = (n_sources, n_targets) if self._by_source else (n_targets, n_sources)
        recurrent = projection.source == projection.target
        self._skip_self = recurrent and not getattr(projection.rule, "allow_autapses", True)
        order: Order = "source" if self._by_source else "target"
        if isinstance(projection.rule, Explicit):
            order = "none"
        super().__init__(
            projection.name,
            projection.source,
            projection.target,
            int(self._row_ends[-1]),
            order,
            sampling.weight_dtype(projection.weight),
            Synapse(projection.synapse.model, 0, projection.synapse.parameters),
        )

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Number of synapses of each row: in-degrees, or out-degrees for a fixed out-degree."""
        return np.diff(self._row_ends, prepend=0)

    def _draw_degrees(self) -> NDArray[np.int64]:
        rule = self._projection.rule
        choices = self._n_partners - int(self._skip_self)
        rng = sampling.stream(self._seed, "degrees", self._projection.name)
        if isinstance(rule, FixedTotalNumber):
            if rule.allow_multapses:
                return rng.multinomial(rule.number, np.full(self._n_rows, 1 / self._n_rows))
            if choices * self._n_rows >= MAX_PAIRS:
                raise ModelError(
                    f"projection {self._projection.name}: fixed_total_number without multapses is drawn for fewer than "
                    f"{MAX_PAIRS:.0e} pairs of neurons, got {choices * self._n_rows:.1e}; use pairwise_bernoulli"
                )
            return rng.multivariate_hypergeometric(
                np.full(self._n_rows, choices), rule.number, method="marginals"
            ).astype(np.int64)
        if isinstance(rule, PairwiseBernoulli):
            return rng.binomial(choices, rule.probability, self._n_rows).astype(np.int64)
        if isinstance(rule, Explicit):
            return np.array([len(rule.sources)])
        degree = {
            FixedIndegree: getattr(rule, "indegree", 0),
            FixedOutdegree: getattr(rule, "outdegree", 0),
            AllToAll: choices,
            OneToOne: 1,
        }[type(rule)]
        return np.full(self._n_rows, degree, np.int64)

    @cached_property
    def _row_ends(self) -> NDArray[np.int64]:
        return np.cumsum(self._draw_degrees())

    @cached_property
    def _chunk_rows(self) -> NDArray[np.int64]:
        """First row of each chunk, and the number of rows at the end."""
        ends = self._row_ends
        wanted = np.arange(CHUNK_EDGES, int(ends[-1]) + CHUNK_EDGES, CHUNK_EDGES)
        borders = np.searchsorted(ends, wanted) + 1
        return np.unique(np.concatenate([[0], np.minimum(borders, len(ends))]))

    def part(self, rows: range) -> RealizedPart:
        """Return a range of the synapses as a stream of their own."""
        return RealizedPart(self, rows)

    def pieces(self, max_edges: int = BLOCK_EDGES, rows: range | None = None) -> Iterator[Piece]:
        """Yield draws of whole chunks, as many as fit into ``max_edges``, or of parts of a chunk.

        Parameters
        ----------
        rows
            The synapses that are wanted; chunks that have none of them are not drawn. None: all.
        """
        wanted = range(self.n_edges) if rows is None else rows
        borders = self._chunk_rows
        starts = np.concatenate([[0], self._row_ends])[borders]
        chunk = max(0, int(np.searchsorted(starts, wanted.start, side="right")) - 1)
        beyond = int(np.searchsorted(starts, wanted.stop))  # the first chunk behind them
        while chunk < beyond:
            last = chunk + 1
            while last < beyond and starts[last + 1] - starts[chunk] <= max_edges:
                last += 1
            first, end = int(starts[chunk]), int(starts[last])
            inside = range(max(wanted.start, first) - first, min(wanted.stop, end) - first)
            draw: Piece = partial(self._join, range(chunk, last))
            if len(inside) == end - first <= max_edges:
                yield draw
            else:
                yield from in_parts(draw, inside, max_edges)
            chunk = last

    def _join(self, chunks: range) -> EdgeBlock:
        blocks = [self._draw_chunk(chunk) for chunk in chunks]
        if len(blocks) == 1:
            return blocks[0]
        return EdgeBlock(
            *(np.concatenate([getattr(b, name) for b in blocks]) for name in ("source", "target", "weight", "delay"))
        )

    def _draw_chunk(self, chunk: int) -> EdgeBlock:
        projection = self._projection
        if isinstance(projection.rule, Explicit):
            return self._listed(projection.rule)
        first, last = self._chunk_rows[chunk : chunk + 2]
        degrees = np.diff(self._row_ends[first:last], prepend=self._row_ends[first - 1] if first else 0)
        rng = sampling.stream(self._seed, "synapses", self.name, chunk)
        rows = np.repeat(np.arange(first, last, dtype=np.uint32), degrees)
        partners = self._partners(rng, rows, degrees)
        source, target = (rows, partners) if self._by_source else (partners, rows)
        weight = sampling.weights(rng, projection.weight, len(rows))
        delay = sampling.delay_steps(rng, projection.delay, len(rows), self._dt)
        return EdgeBlock(source, target, weight, delay)

    def _partners(
        self, rng: np.random.Generator, rows: NDArray[np.uint32], degrees: NDArray[np.int64]
    ) -> NDArray[np.uint32]:
        rule = self._projection.rule
        if isinstance(rule, OneToOne):
            return rows
        choices = self._n_partners - int(self._skip_self)
        if isinstance(rule, AllToAll):
            partners = np.tile(np.arange(choices, dtype=np.uint32), len(degrees))
        elif isinstance(rule, PairwiseBernoulli) or not getattr(rule, "allow_multapses", True):
            partners = sampling.distinct_partners(rng, degrees, choices)
        else:
            partners = rng.integers(0, choices, len(rows), dtype=np.uint32)
        if self._skip_self:
            partners += partners >= rows
        return partners

    def _listed(self, rule: Explicit) -> EdgeBlock:
        rng = sampling.stream(self._seed, "synapses", self.name, 0)
        n = len(rule.sources)
        weight, delay = self._projection.weight, self._projection.delay
        return EdgeBlock(
            np.array(rule.sources, np.uint32),
            np.array(rule.targets, np.uint32),
            np.array(weight.values, self.weight_dtype)
            if isinstance(weight, Values)
            else sampling.weights(rng, weight, n),
            sampling.round_delays(np.array(delay.values), self._dt)
            if isinstance(delay, Values)
            else sampling.delay_steps(rng, delay, n, self._dt),
        )


class RealizedPart(Edges):
    """A range of the synapses of a projection, drawn without the others.

    Parameters
    ----------
    whole
        All of them.
    rows
        The range, in the order of the stream.
    """

    def __init__(self, whole: RealizedEdges, rows: range) -> None:
        super().__init__(
            whole.name, whole.source, whole.target, len(rows), whole.order, whole.weight_dtype, whole.synapse
        )
        self.rows = rows
        self._whole = whole

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield draws; at both ends only a part of what is drawn may count."""
        return self._whole.pieces(max_edges, self.rows)
