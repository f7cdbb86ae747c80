"""Tests of hypotheses about the synapses of one projection: each returns a p value.

A p value is the probability, if the synapses were drawn as said, of something at least as unlikely as what was found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["autapse_p", "dispersion_p", "fit_p", "multapse_p", "number_p"]


def dispersion_p(degrees: NDArray[np.int64], variance: float) -> float:
    """Test whether degrees scatter as they should, both ways (too even, too uneven).

    The sum of (k - mean)^2 / variance is nearly chi-square distributed with n - 1 degrees of freedom; exactly so, for
    large means, where the degrees are multinomial (then the variance is the mean).

    Parameters
    ----------
    degrees : ndarray, shape (n,), int64
        In- or out-degree of every neuron.
    variance
        That the rule implies. 0: all degrees must be equal, and the p value is 0 or 1.
    """
    from scipy import stats

    if variance <= 0:
        return float(len(degrees) == 0 or degrees.min() == degrees.max())
    if len(degrees) < 2:
        return 1.0
    squares = float(((degrees - degrees.mean()) ** 2).sum())
    # moving one synapse changes the sum by 2 at least; half of that is the correction for continuity, without which
    # degrees that happen to be all the same, which is nothing special for a few synapses, would have p = 0
    lower = stats.chi2.cdf((squares + 1) / variance, len(degrees) - 1)
    upper = stats.chi2.sf(max(0.0, squares - 1) / variance, len(degrees) - 1)
    return min(1.0, 2 * float(min(lower, upper)))


def number_p(found: int, n: float, probability: float) -> float:
    """Test a number of successes among ``n`` independent trials (normal approximation with the exact variance)."""
    from scipy import stats

    mean, variance = n * probability, n * probability * (1 - probability)
    if variance <= 0:
        return float(found == round(mean))
    # half of a count: the correction for continuity
    return float(2 * stats.norm.sf(max(0.0, abs(found - mean) - 0.5) / np.sqrt(variance)))


def autapse_p(found: int, n_synapses: int, size: int) -> float:
    """Test the number of autapses of synapses within one population: each is one with probability 1/size.

    Exact (binomial), since the expected number is often below one.
    """
    from scipy import stats

    lower, upper = stats.binom.cdf(found, n_synapses, 1 / size), stats.binom.sf(found - 1, n_synapses, 1 / size)
    return min(1.0, 2 * float(min(lower, upper)))


def multapse_p(n_distinct: int, n_synapses: int, n_pairs: float) -> float:
    """Test how many different ordered pairs are connected by synapses that were drawn independently and uniformly.

    S balls in M boxes: the expected number of empty boxes is M (1 - 1/M)^S, and its variance
    M (1 - 1/M)^S + M (M - 1) (1 - 2/M)^S - M^2 (1 - 1/M)^(2S) (Feller 1968, An Introduction to Probability
    Theory and Its Applications I, section IV.2).

    Parameters
    ----------
    n_distinct
        Number of different pairs that were found.
    n_synapses
        S.
    n_pairs
        M, the number of pairs that there are.
    """
    from scipy import stats

    if n_synapses < 2 or n_pairs < 2:
        return 1.0
    repeated = n_synapses - n_distinct
    empty = n_pairs * np.exp(n_synapses * np.log1p(-1 / n_pairs))
    expected = n_synapses - (n_pairs - empty)
    if expected < 20:  # rare: nearly Poisson distributed
        lower, upper = stats.poisson.cdf(repeated, expected), stats.poisson.sf(repeated - 1, expected)
        return min(1.0, 2 * float(min(lower, upper)))
    both = n_pairs * (n_pairs - 1) * np.exp(n_synapses * np.log1p(-2 / n_pairs)) - empty**2
    return float(2 * stats.norm.sf(abs(repeated - expected) / np.sqrt(empty + both)))


def fit_p(counts: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Test numbers in bins against their probabilities (chi-square), after joining bins that expect fewer than five.

    Parameters
    ----------
    counts : ndarray, shape (n_bins,), int64
        All that was found.
    probabilities : ndarray, shape (n_bins,), float64
        Sum 1. What falls into a bin of probability 0 cannot be chance: the p value is 0.
    """
    from scipy import stats

    n = int(counts.sum())
    if np.any(counts[probabilities <= 0]):
        return 0.0
    observed: list[float] = []
    expected: list[float] = []
    wait_o = wait_e = 0.0
    for o, e in zip(counts.tolist(), (probabilities * n).tolist(), strict=True):
        wait_o, wait_e = wait_o + o, wait_e + e
        if wait_e >= 5:
            observed.append(wait_o)
            expected.append(wait_e)
            wait_o = wait_e = 0.0
    if not observed:
        return 1.0
    observed[-1], expected[-1] = observed[-1] + wait_o, expected[-1] + wait_e
    if len(observed) < 2:
        return 1.0
    return float(stats.chisquare(observed, np.array(expected) * (sum(observed) / sum(expected))).pvalue)
