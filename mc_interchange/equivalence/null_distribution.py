"""How far runs of one and the same model are from each other: what a difference is held against.

Native runs that differ only in their seed are divided at random into halves, again and again, and the distances
between the halves are the *null distribution*. A distance D between the pooled values of n and of m networks is
scaled to ``D / sqrt(1/n + 1/m)``: what does not depend on n and m as long as networks vary independently, however
much the neurons of one network vary together. So limits found with one number of runs hold for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.analysis.statistics import MEASURES
from mc_interchange.errors import MissingDependencyError, UsageError
from mc_interchange.network import Network

from .distances import largest_difference, pooled, stacked
from .null import SCORED, Null, ReferencePopulation, ReferenceSample, rules_digest, scale
from .observations import Observation

__all__ = ["FALSE_ALARM", "MIN_NETWORKS", "null_of"]

#: Probability that any of the distances of an equal model exceeds its limit.
FALSE_ALARM = 0.01
#: Standard deviations of the mean rate between native seeds that count as no difference.
MARGIN = 5.0
#: Networks from which a null distribution can be made.
MIN_NETWORKS = 10
#: Values of a sample that is compared, of all reference runs together.
MIN_VALUES = 30
#: Halves that are drawn, and the seed of that.
N_SPLITS, SEED = 1000, 1

Cell = tuple[str, str]


def null_of(
    observations: Sequence[Observation],
    *,
    network: Network | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Null:
    """Make the null distribution of runs of one model.

    Parameters
    ----------
    observations
        :func:`observe` runs of at least ``MIN_NETWORKS`` networks that were drawn with seeds of their own.
    network
        The model, so that :func:`stored_null` finds it.
    provenance
        Is kept.

    Raises
    ------
    UsageError
        Too few networks, or too few neurons.
    MissingDependencyError
        scipy is not installed.
    """
    if len(observations) < MIN_NETWORKS:
        raise UsageError(
            f"a null distribution needs runs of at least {MIN_NETWORKS} networks drawn with different seeds, got "
            f"{len(observations)}"
        )
    cells = {
        cell: whole
        for cell in ((name, measure) for name in observations[0].sizes for measure in MEASURES)
        if len(whole := pooled([observation.histograms[cell] for observation in observations])) >= MIN_VALUES
    }
    if not cells:
        raise UsageError(f"no population of the reference has {MIN_VALUES} values of any measure: nothing to compare")
    D = _between_halves(observations, list(cells))
    mean, sd = D.mean(axis=0), D.std(axis=0, ddof=1)
    # a distance that never varies says nothing about how far it can go
    standardised = (D - mean) / np.where(sd > 0, sd, np.inf)
    score = D[:, [measure in SCORED for _, measure in cells]].sum(axis=1)
    samples = {
        cell: ReferenceSample(
            width=whole.width,
            first=whole.first,
            counts=tuple(whole.counts.tolist()),
            D_mean=_short(mean[i]),
            D_sd=_short(sd[i]),
            D_99=_short(np.quantile(D[:, i], 0.99)),
        )
        for i, (cell, whole) in enumerate(cells.items())
    }
    return Null(
        rules=rules_digest(network) if network else "",
        provenance=dict(provenance or {}),
        discard=observations[0].discard,
        duration=observations[0].duration,
        n_networks=len(observations),
        false_alarm=FALSE_ALARM,
        factor=_short(np.quantile(standardised.max(axis=1), 1 - FALSE_ALARM)),
        widening=_short(_widening(len(observations), len(cells))),
        score_mean=_short(score.mean()),
        score_sd=_short(score.std(ddof=1)),
        populations={name: _population(name, observations, samples) for name in observations[0].sizes},
    )


def _between_halves(observations: Sequence[Observation], cells: list[Cell]) -> NDArray[np.float64]:
    """Return scaled distances between random halves, shape (N_SPLITS, n_cells)."""
    rng = np.random.default_rng(SEED)
    n = len(observations) // 2
    # as floating point, whose products are fast; counts are exact in it
    chosen = rng.permuted(np.tile(np.arange(len(observations)) < n, (N_SPLITS, 1)), axis=1).astype(np.float64)
    found = np.empty((N_SPLITS, len(cells)))
    for i, cell in enumerate(cells):
        _, counts = stacked([observation.histograms[cell] for observation in observations])
        found[:, i] = largest_difference(chosen @ counts, (1 - chosen) @ counts)
    return found / scale(n, len(observations) - n)


def _widening(n_networks: int, n_cells: int) -> float:
    """Return the quantile of Student's t over that of the normal distribution.

    What varies from network to network is a standard deviation that is estimated from ``n_networks``; a new network
    is further away than the halves of these tell.
    """
    try:
        from scipy.stats import norm, t
    except ImportError:
        raise MissingDependencyError("scipy", "analysis") from None
    tail = FALSE_ALARM / (2 * n_cells)
    return float(t.isf(tail, n_networks - 1) / norm.isf(tail))


def _population(
    name: str, observations: Sequence[Observation], samples: Mapping[Cell, ReferenceSample]
) -> ReferencePopulation:
    rates = np.array([observation.rates[name] for observation in observations])
    sd = rates.std(ddof=1)
    return ReferencePopulation(
        size=observations[0].sizes[name],
        rate_mean=_short(rates.mean()),
        rate_sd=_short(sd),
        rate_margin=_short(MARGIN * sd),
        samples={measure: sample for (population, measure), sample in samples.items() if population == name},
    )


def _short(value: Any) -> float:
    """Round to six digits, which is far below what seeds change."""
    return float(f"{float(value):.6g}")
