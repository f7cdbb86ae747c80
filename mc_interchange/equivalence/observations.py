"""What runs show, network by network: rates and the samples of every measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mc_interchange.analysis.statistics import MEASURES, activity_of
from mc_interchange.errors import UsageError
from mc_interchange.runs import Run

from .distances import Histogram, pooled

__all__ = ["Observation", "observe"]

#: Grids on which irregularity and correlation are compared; rates lie on one of their own, a spike in the duration.
GRID = {"CV": 0.005, "correlation": 0.001}


@dataclass(frozen=True)
class Observation:
    """What the runs of one drawn network showed.

    Parameters
    ----------
    discard, duration
        Length of the start of each run that was left out, and of the rest, ms.
    sizes
        Number of neurons by population.
    n_spikes
        Number of spikes by population, of all its runs.
    rates
        Mean rates by population, spikes/s.
    histograms
        By population and measure.
    """

    discard: float
    duration: float
    sizes: Mapping[str, int]
    n_spikes: Mapping[str, int]
    rates: Mapping[str, float]
    histograms: Mapping[tuple[str, str], Histogram]


def observe(runs: Sequence[Run]) -> list[Observation]:
    """Return what each network showed.

    Runs with the same source digest are of one network: they share its synapses, so they are not independent, and
    count as one. Runs without a digest are taken to be of a network each.

    Raises
    ------
    UsageError
        There is no run, the same run is there twice, or they differ in what was recorded or for how long.
    """
    if not runs:
        raise UsageError("statistics need at least one run, got none")
    first, networks, seen = runs[0], dict[str, list[Run]](), set[tuple[str | None, int]]()
    for number, run in enumerate(runs):
        for what, one, other in (
            ("populations", dict(first.sizes), dict(run.sizes)),
            ("durations without the discarded part, ms,", _duration(first), _duration(run)),
        ):
            if one != other:
                raise UsageError(f"runs whose {what} differ cannot be taken together: {one} and {other}")
        if (run.source_digest, run.seed) in seen:
            raise UsageError(f"two runs have the seed {run.seed}: the same run twice is no further evidence")
        seen.add((run.source_digest, run.seed))
        networks.setdefault(run.source_digest or f"run {number}", []).append(run)
    return [_of_one_network(group) for group in networks.values()]


def _duration(run: Run) -> float:
    return round(run.duration - run.discard, 6)


def _of_one_network(runs: list[Run]) -> Observation:
    duration = _duration(runs[0])
    width = {"rate": 1000 / duration, **GRID}
    activities = [activity_of(run) for run in runs]
    rates = [run.rates() for run in runs]
    histograms = {
        (name, measure): pooled([Histogram.of(activity[name][measure], width[measure]) for activity in activities])
        for name in runs[0].sizes
        for measure in MEASURES
    }
    mean = {name: float(np.mean([rate[name] for rate in rates])) for name in runs[0].sizes}
    n_spikes = {
        name: round(rate * size * duration / 1000 * len(runs))
        for (name, size), rate in zip(runs[0].sizes.items(), mean.values(), strict=True)
    }
    return Observation(runs[0].discard, duration, dict(runs[0].sizes), n_spikes, mean, histograms)
