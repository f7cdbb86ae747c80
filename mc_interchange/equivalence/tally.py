"""Counting synapses, block by block, in the pass that makes their digest: none is kept but a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import (
    EdgeBlock,
    EdgeDigest,
    Edges,
    InstanceDigest,
    NetworkInstance,
    digest_block,
    map_all_blocks,
    pair,
)
from mc_interchange.network import Distribution, Network, Normal, Projection, TruncatedNormal, Uniform, Values
from mc_interchange.progress import Progress, Silent

__all__ = ["WEIGHT_BINS", "Stock", "Tally", "take_stock"]

#: Bins of equal width into which weights are sorted, and how many standard deviations they reach to either side.
WEIGHT_BINS, N_SD = 200, 5.0
#: Synapses among which repeated pairs are looked for; of larger projections, those onto the first targets.
MAX_PAIRS = 300_000


@dataclass
class Tally:
    """What is counted of one projection.

    Parameters
    ----------
    n_sources, n_targets
        Sizes of the populations.
    n_sampled
        Number of targets, the first ones, among whose synapses repeated pairs are looked for.
    recurrent
        Whether both populations are the same.
    dt
        Resolution in ms.
    weight_range
        Lowest and highest border of the bins of weights.
    into, out : ndarray, shape (n_targets,) and (n_sources,), int64
        In- and out-degrees.
    weights : ndarray, shape (WEIGHT_BINS + 2,), int64
        Numbers in bins; the first and last are below and above all borders.
    delays : ndarray, shape (longest + 1,), int64
        Numbers by delay in steps.
    autapses
        Of a recurrent projection.
    n_pairs, n_distinct
        Number of synapses onto the sampled targets, and of different pairs that these connect.
    """

    n_sources: int
    n_targets: int
    n_sampled: int
    recurrent: bool
    dt: float
    weight_range: tuple[float, float]
    into: NDArray[np.int64]
    out: NDArray[np.int64]
    weights: NDArray[np.int64]
    delays: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    autapses: int = 0
    n_pairs: int = 0
    n_distinct: int = 0
    # source and target of the sampled synapses, in one number
    _pairs: list[NDArray[np.uint64]] = field(default_factory=list)

    @classmethod
    def empty(cls, rule: Projection, instance: NetworkInstance, n_edges: int = 0) -> Tally:
        """Return one in which nothing is counted yet, for about ``n_edges`` synapses."""
        n_sources, n_targets = (
            nodes.size if (nodes := instance.populations.get(n)) else 0 for n in (rule.source, rule.target)
        )
        sampled = min(n_targets, max(1, int(MAX_PAIRS * n_targets / n_edges))) if n_edges else n_targets
        return cls(
            n_sources,
            n_targets,
            sampled,
            rule.source == rule.target,
            instance.simulation.dt,
            _range(rule.weight),
            np.zeros(n_targets, np.int64),
            np.zeros(n_sources, np.int64),
            np.zeros(WEIGHT_BINS + 2, np.int64),
        )

    @property
    def n(self) -> int:
        """Number of synapses."""
        return int(self.into.sum())

    def add(self, other: _Counts) -> None:
        """Add the counts of a block."""
        self.into += other.into
        self.out += other.out
        self.weights += other.weights
        longest = max(len(self.delays), len(other.delays))
        self.delays = np.pad(self.delays, (0, longest - len(self.delays)))
        self.delays[: len(other.delays)] += other.delays
        self.autapses += other.autapses
        self._pairs.append(other.pairs)

    def close(self) -> None:
        """Look for repeated pairs among the sampled synapses, and forget these."""
        pairs = np.sort(np.concatenate(self._pairs)) if self._pairs else np.empty(0, np.uint64)
        self._pairs.clear()
        # np.unique would hash them, which takes ten times as long for such keys
        self.n_pairs, self.n_distinct = len(pairs), int(np.count_nonzero(pairs[1:] != pairs[:-1])) + min(1, len(pairs))


@dataclass(frozen=True)
class _Counts:
    """The counts of one block."""

    into: NDArray[np.int64]
    out: NDArray[np.int64]
    weights: NDArray[np.int64]
    delays: NDArray[np.int64]
    autapses: int
    pairs: NDArray[np.uint64]


@dataclass(frozen=True)
class Stock:
    """What one pass over all synapses of an instance gives.

    Parameters
    ----------
    digest
        Of the instance.
    tallies
        By projection, of those that a rule names.
    """

    digest: InstanceDigest
    tallies: Mapping[str, Tally]


def take_stock(
    instance: NetworkInstance, network: Network | None, *, workers: int = 1, progress: Progress | None = None
) -> Stock:
    """Read every synapse once, for the digest and for what rules say of numbers.

    Parameters
    ----------
    network
        The rules; None: for the digest alone.
    workers
        Threads that read and count synapses.
    progress
        Told of synapses.
    """
    progress = progress or Silent()
    rules = {rule.name: rule for rule in network.projections} if network else {}
    digests: dict[str, EdgeDigest] = {}
    tallies: dict[str, Tally] = {}
    for name, edges in instance.projections.items():
        rule = rules.get(name)
        if rule and (rule.source, rule.target) == (edges.source, edges.target):
            tallies[name] = Tally.empty(rule, instance, edges.n_edges)

    def read(edges: Edges, block: EdgeBlock) -> tuple[EdgeDigest, _Counts | None]:
        tally = tallies.get(edges.name)
        return digest_block(block), _counted(block, tally) if tally else None

    parts = map_all_blocks(instance.projections.values(), read, workers=workers)
    # what is done between two projections takes no time from the threads, which read on
    for name, of_one in groupby(parts, key=lambda part: part[0].name):
        for edges, (digest, counts) in of_one:
            digests[pair(edges)] = digests.get(pair(edges), EdgeDigest()) + digest
            if counts:
                tallies[name].add(counts)
            progress.advance(digest.count)
        if name in tallies:
            tallies[name].close()
    return Stock(instance.digest_with(digests), tallies)


def _counted(block: EdgeBlock, tally: Tally) -> _Counts:
    sampled = np.flatnonzero(block.target < tally.n_sampled)
    return _Counts(
        np.bincount(block.target, minlength=tally.n_targets),
        np.bincount(block.source, minlength=tally.n_sources),
        _in_bins(block.weight, *tally.weight_range),
        np.bincount(block.delay),
        int(np.count_nonzero(block.source == block.target)) if tally.recurrent else 0,
        block.source[sampled].astype(np.uint64) << np.uint64(32) | block.target[sampled],
    )


def _in_bins(values: NDArray[Any], low: float, high: float) -> NDArray[np.int64]:
    """Count values in bins of equal width, and below and above all of them."""
    if not np.isfinite(low):
        return np.zeros(WEIGHT_BINS + 2, np.int64)
    place = (values - low) * (WEIGHT_BINS / (high - low)) + 1
    np.clip(place, 0, WEIGHT_BINS + 1, out=place)
    return np.bincount(place.astype(np.int32), minlength=WEIGHT_BINS + 2)


def _range(distribution: Distribution) -> tuple[float, float]:
    """Return between which values weights are sorted into bins; of a constant, around it."""
    match distribution:
        case Normal(mean=mean, sd=sd) if sd > 0:
            return mean - N_SD * sd, mean + N_SD * sd
        case TruncatedNormal(mean=mean, sd=sd) if sd > 0:
            lower, upper = distribution.bounds
            return max(lower, mean - N_SD * sd), min(upper, mean + N_SD * sd)
        case Uniform(low=low, high=high):
            return low, high
        case Values():
            return -np.inf, np.inf  # not counted
    at = distribution.lower
    near = max(abs(at), 1e-30) * 1e-6
    return at - near, at + near
