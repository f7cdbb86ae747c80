"""Counting the synapses of one projection, block by block: none is kept but a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import EdgeBlock, Edges, NetworkInstance, map_blocks
from mc_interchange.network import Distribution, Normal, Projection, TruncatedNormal, Uniform, Values
from mc_interchange.progress import Progress

__all__ = ["WEIGHT_BINS", "Tally", "count"]

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
        Number of targets, the first ones, whose synapses are kept as ``pairs``.
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
    pairs : list of ndarray, uint64
        Source and target of the sampled synapses, in one number.
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
    pairs: list[NDArray[np.uint64]] = field(default_factory=list)

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
        self.pairs.append(other.pairs)


@dataclass(frozen=True)
class _Counts:
    """The counts of one block."""

    into: NDArray[np.int64]
    out: NDArray[np.int64]
    weights: NDArray[np.int64]
    delays: NDArray[np.int64]
    autapses: int
    pairs: NDArray[np.uint64]


def count(edges: Edges, rule: Projection, instance: NetworkInstance, workers: int, progress: Progress) -> Tally:
    """Count the synapses of one projection, in up to ``workers`` threads."""
    tally = Tally.empty(rule, instance, edges.n_edges)
    for counts in map_blocks(edges, partial(_counted, tally=tally), workers=workers):
        tally.add(counts)
        progress.advance(int(counts.into.sum()))
    return tally


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
