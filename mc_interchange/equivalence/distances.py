"""How far two samples are from each other: counts on a grid, Kolmogorov and Smirnov's D, Wasserstein's W1.

Samples are kept as counts of their values rounded to a grid, so that those of many runs add up and a reference
fits into a small file. Both sides of a comparison are rounded alike, and so is what the limits were made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Histogram", "densities", "kolmogorov_smirnov", "largest_difference", "pooled", "stacked", "wasserstein"]


@dataclass(frozen=True)
class Histogram:
    """A sample, rounded to multiples of ``width``.

    Parameters
    ----------
    width
        Of the grid, in the unit of the values.
    first
        Which multiple ``counts`` begins with.
    counts : ndarray, shape (n_multiples,), int64
        How often each multiple occurs.
    """

    width: float
    first: int
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[np.float64], width: float) -> Histogram:
        """Round values, shape (n,), and count them."""
        index = np.rint(values / width).astype(np.int64)
        first = int(index.min()) if len(index) else 0
        return cls(width, first, np.bincount(index - first).astype(np.int64))

    def __len__(self) -> int:
        """Return the number of values."""
        return int(self.counts.sum())


def stacked(histograms: Sequence[Histogram]) -> tuple[int, NDArray[np.int64]]:
    """Return the counts of samples of the same grid as rows, shape (n_samples, n_multiples), and the first multiple."""
    filled = [h for h in histograms if len(h)]
    first = min((h.first for h in filled), default=0)
    stop = max((h.first + len(h.counts) for h in filled), default=1)
    rows = np.zeros((len(histograms), stop - first), np.int64)
    for row, h in zip(rows, histograms, strict=True):
        if len(h):
            row[h.first - first : h.first - first + len(h.counts)] = h.counts
    return first, rows


def pooled(histograms: Sequence[Histogram]) -> Histogram:
    """Put samples on the same grid together."""
    first, rows = stacked(histograms)
    return Histogram(histograms[0].width, first, rows.sum(axis=0))


def densities(samples: Sequence[Histogram], n_bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return samples of the same grid as densities in about ``n_bins`` wider bins, for pictures.

    Returns
    -------
    borders : ndarray, shape (n + 1,)
        In the unit of the values.
    densities : ndarray, shape (n_samples, n)
        Integral 1; of an empty sample 0.
    """
    first, rows = stacked(samples)
    # what lies beyond all but a hundredth of the values would make the rest narrow
    ends = _cumulative(rows)
    last = int(max((np.searchsorted(row, 0.99) for row in ends if row[-1]), default=0)) + 1
    each = max(1, -(-last // n_bins))
    n = -(-last // each)
    wide = np.zeros((len(rows), n * each), np.int64)
    kept = min(rows.shape[1], n * each)
    wide[:, :kept] = rows[:, :kept]
    counts = wide.reshape(len(rows), n, each).sum(axis=2)
    width = samples[0].width
    borders = (first - 0.5 + np.arange(n + 1, dtype=np.float64) * each) * width
    found: NDArray[np.float64] = counts / (np.maximum(rows.sum(axis=1, keepdims=True), 1) * each * width)
    return borders, found


def kolmogorov_smirnov(a: Histogram, b: Histogram) -> float:
    """Return the largest difference between two cumulative distributions; 1 where only one sample is empty."""
    _, (one, other) = stacked([a, b])
    return float(largest_difference(one, other))


def wasserstein(a: Histogram, b: Histogram) -> float:
    """Return the area between two cumulative distributions, in the unit of the values; both must have some."""
    _, (one, other) = stacked([a, b])
    return float(np.abs(_cumulative(one) - _cumulative(other)).sum() * a.width)


def largest_difference(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return D between counts on the same grid, shape (..., n_multiples), as shape (...)."""
    largest: NDArray[np.float64] = np.abs(_cumulative(a) - _cumulative(b)).max(axis=-1)
    return largest


def _cumulative(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Return the part of the values up to each multiple; of an empty sample 0 everywhere."""
    number = counts.sum(axis=-1, keepdims=True)
    part: NDArray[np.float64] = np.cumsum(counts, axis=-1) / np.maximum(number, 1)
    return part
