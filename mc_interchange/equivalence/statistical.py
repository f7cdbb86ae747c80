"""Whether runs show the same activity as reference runs of the model, where single spikes cannot be compared.

Three kinds of figures have limits. The *distances* D between the distributions of rates, irregularity and
correlation have one for each population and measure; they are set together, by the largest standardised
distance between native runs, so that all of them together give a false alarm with the stated probability. The *score*
is the sum of D over populations, rates and irregularity: many small differences add up. The *mean rates* must be
shown to be equivalent by two one-sided t tests (Schuirmann 1987, doi:10.1007/BF01068419): here it is the model
that has to be proven right. All populations have to pass, so these tests need no correction for their number
(an intersection-union test): wrong rates of any population are passed with a probability of ``ALPHA`` at most.

W1 is stated, in the unit of the measure, and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import MissingDependencyError, UsageError

from .distances import Histogram, kolmogorov_smirnov, pooled, wasserstein
from .null import SCORED, Null
from .observations import Observation
from .rungs import Figure, Rung

__all__ = ["Equivalence", "compare_statistics", "equivalence_of_means", "pooled_samples"]

#: Of the tests of equivalence: the probability to pass a mean rate that is off by the margin.
ALPHA = 0.05
#: Spikes that a population must have in all runs together, or there is nothing to compare.
MIN_SPIKES = 100
_UNITS = {"rate": "spikes/s", "CV": "", "correlation": ""}


def compare_statistics(observations: Sequence[Observation], null: Null) -> Rung:
    """Hold runs against a null distribution.

    Parameters
    ----------
    observations
        :func:`observe` runs of one model with different seeds.
    null
        Of the reference: :func:`stored_null`, or :func:`null_of` the reference runs at hand.

    Raises
    ------
    UsageError
        The runs are of another duration than the reference.
    MissingDependencyError
        scipy is not installed.
    """
    if observations[0].duration != null.duration:
        raise UsageError(
            f"the reference is of {null.duration:g} ms after the discarded part, the runs are of "
            f"{observations[0].duration:g} ms: statistics of different durations cannot be compared"
        )
    sizes = {name: population.size for name, population in null.populations.items()}
    if dict(observations[0].sizes) != sizes:
        differing = sorted(dict(set(sizes.items()) ^ set(observations[0].sizes.items())))
        detail = f"{', '.join(differing)}: not the neurons of the reference"
        return Rung("statistics", (Figure("populations that differ", len(differing), "exactly", 0, detail),))
    return Rung("statistics", (*_activity(observations), *_distances(observations, null), *_rates(observations, null)))


def _activity(observations: Sequence[Observation]) -> Iterator[Figure]:
    """Yield the number of spikes of the population with the fewest."""
    spikes = {name: sum(o.n_spikes[name] for o in observations) for name in observations[0].sizes}
    name = min(spikes, key=lambda name: spikes[name])
    enough = spikes[name] >= MIN_SPIKES
    detail = name if enough else f"{name} is silent or nearly so, which proves nothing"
    yield Figure("fewest spikes of a population", spikes[name], "at least", MIN_SPIKES, detail)


def pooled_samples(observations: Sequence[Observation]) -> dict[tuple[str, str], Histogram]:
    """Return the values of all networks together, by population and measure."""
    return {cell: pooled([o.histograms[cell] for o in observations]) for cell in observations[0].histograms}


def _distances(observations: Sequence[Observation], null: Null) -> Iterator[Figure]:
    n, score, samples = len(observations), 0.0, pooled_samples(observations)
    for (name, measure), sample in null.cells():
        found = samples[name, measure]
        D, limit = kolmogorov_smirnov(found, sample.histogram), null.limit(sample, n)
        score += D if measure in SCORED else 0.0
        alone = f"99 % of native comparisons of {name} alone: {sample.D_99 * null.scale(n):.3g}"
        yield Figure(f"D of {measure}, {name}", D, "at most", limit, alone)
        if len(found):
            W1 = wasserstein(found, sample.histogram)
            yield Figure(f"W1 of {measure}, {name}", W1, "stated", None, _UNITS[measure])
    limit = null.score_limit(n)
    detail = f"sum of D of {' and '.join(SCORED)}, between native runs {null.score_mean * null.scale(n):.3g}"
    yield Figure("score", score, "at most", limit, detail)


def _rates(observations: Sequence[Observation], null: Null) -> Iterator[Figure]:
    for name, reference in null.populations.items():
        found = equivalence_of_means(
            np.array([o.rates[name] for o in observations]), reference.rate_mean, reference.rate_sd, null.n_networks
        )
        detail = (
            f"spikes/s; {1 - 2 * ALPHA:.0%} confidence interval of the difference from "
            f"{reference.rate_mean:.4g}: {found.low:+.3g} to {found.high:+.3g}"
        )
        margin = reference.rate_margin
        yield Figure(f"mean rate, {name}", found.bound, "at most", margin, detail)


@dataclass(frozen=True)
class Equivalence:
    """What two one-sided t tests of a difference of means come to.

    Parameters
    ----------
    low, high
        Ends of the confidence interval of the difference that has the probability ``1 - 2 ALPHA``.
    """

    low: float
    high: float

    @property
    def bound(self) -> float:
        """The smallest margin within which the means are equivalent at the level ``ALPHA``."""
        return max(-self.low, self.high)


def equivalence_of_means(values: NDArray[np.float64], mean: float, sd: float, n: int) -> Equivalence:
    """Test whether the mean of values is equivalent to that of a reference.

    Both of the tests reject a difference of at least the margin, at the level ``ALPHA``, exactly if the interval that
    is returned lies within the margin.

    Parameters
    ----------
    values : ndarray, shape (n_values,)
        To be tested; one value or more.
    mean, sd, n
        Mean, standard deviation (of a sample) and number of values of the reference; the variance is taken to
        be the same on both sides, so that a single value can be tested.
    """
    try:
        from scipy.stats import t
    except ImportError:
        raise MissingDependencyError("scipy", "analysis") from None
    freedom = len(values) + n - 2
    squares = float(((values - values.mean()) ** 2).sum()) + (n - 1) * sd**2
    error = math.sqrt(squares / freedom * (1 / len(values) + 1 / n))
    half = float(t.isf(ALPHA, freedom)) * error
    difference = float(values.mean()) - mean
    return Equivalence(difference - half, difference + half)
