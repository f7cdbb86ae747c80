"""What the spikes of a run look like: rates, irregularity and correlation, neuron by neuron.

The definitions are those of the field's comparisons of PD14 (van Albada et al. 2018,
doi:10.3389/fninf.2018.00291; Dasbach et al. 2021, doi:10.3389/fnins.2021.757790): rates with silent neurons
included, the CV of inter-spike intervals of neurons with at least three spikes, and Pearson correlations of
spike counts of chosen neurons that are not silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.network.simulation import steps
from mc_interchange.runs import Run, Spikes

__all__ = ["MEASURES", "Activity", "activity_of", "correlations", "cv_of_intervals", "firing_rates"]

#: Measures of an activity, in the order of tables and plots.
MEASURES = ("rate", "CV", "correlation")
#: Fewest spikes of a neuron that has a CV.
MIN_SPIKES = 3
#: Width of the bins in which spikes are counted for correlations, ms.
BIN = 2.0
#: Neurons of a population that are chosen for correlations.
N_CORRELATED = 200
#: Seed of that choice: the same neurons of every run, for runs in which the same neurons are active.
SEED = 1


@dataclass(frozen=True)
class Activity:
    """The statistics of one population in one run.

    Parameters
    ----------
    rate : ndarray, shape (n_neurons,), float64, spikes/s
        Of every neuron, silent ones included.
    CV : ndarray, shape (n,), float64
        Of the inter-spike intervals of each of the ``n`` neurons with three spikes or more.
    correlation : ndarray, shape (m,), float64
        Pearson correlation of each pair of the chosen neurons that are not silent.
    """

    rate: NDArray[np.float64]
    CV: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def __getitem__(self, measure: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = getattr(self, measure)
        return values


def activity_of(run: Run) -> Mapping[str, Activity]:
    """Return the statistics of every recorded population of a run, after the part that it discards."""
    found = {}
    for name, spikes in run.spikes.items():
        kept = _kept(run, spikes)
        found[name] = Activity(
            firing_rates(kept, run.sizes[name], run.duration - run.discard),
            cv_of_intervals(kept),
            correlations(kept, run.sizes[name], run.dt, run.discard, run.duration),
        )
    return found


def _kept(run: Run, spikes: Spikes) -> Spikes:
    """Leave out the spikes of the discarded start."""
    late = spikes.steps > round(steps(run.discard, run.dt))
    return Spikes(spikes.steps[late], spikes.neurons[late])


def firing_rates(spikes: Spikes, size: int, duration: float) -> NDArray[np.float64]:
    """Return the rate of each of ``size`` neurons in spikes/s, shape (size,), over ``duration`` ms."""
    return np.bincount(spikes.neurons, minlength=size) / (duration / 1000)


def cv_of_intervals(spikes: Spikes, *, min_spikes: int = MIN_SPIKES) -> NDArray[np.float64]:
    """Return the coefficient of variation of the inter-spike intervals of each neuron with enough spikes.

    Parameters
    ----------
    spikes
        Of one population.
    min_spikes
        Fewest spikes of a neuron, at least 3: two intervals.

    Returns
    -------
    ndarray, shape (n_neurons_with_enough,), float64
        Standard deviation (of the intervals as a population) over mean, by ascending neuron.
    """
    order = np.lexsort((spikes.steps, spikes.neurons))
    neurons, times = spikes.neurons[order], spikes.steps[order]
    found, counts = np.unique(neurons, return_counts=True)
    if not len(found):
        return np.empty(0)
    # intervals lie between neighbours of one neuron
    same = neurons[1:] == neurons[:-1]
    interval = np.diff(times)[same].astype(np.float64)
    owner = np.repeat(np.arange(len(found)), np.maximum(counts - 1, 0))
    n = counts - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, interval, len(found)) / n
        spread = np.bincount(owner, (interval - mean[owner]) ** 2, len(found)) / n
        cv = np.sqrt(spread) / mean
    enough: NDArray[np.float64] = cv[(counts >= min_spikes) & (mean > 0)]
    return enough


def correlations(
    spikes: Spikes,
    size: int,
    dt: float,
    start: float,
    stop: float,
    *,
    width: float = BIN,
    n_neurons: int = N_CORRELATED,
    seed: int = SEED,
) -> NDArray[np.float64]:
    """Return Pearson correlations of spike counts between chosen neurons.

    Parameters
    ----------
    spikes
        Of one population, all after ``start``.
    size
        Number of its neurons.
    dt, start, stop
        Resolution, beginning and end, ms.
    width
        Of a bin, ms; what is left at the end and fills none is left out.
    n_neurons
        Chosen from those that fire, or all of these.
    seed
        Of the choice.

    Returns
    -------
    ndarray, shape (n_pairs,), float64
        Of all pairs i < j of the chosen neurons whose counts vary.
    """
    counts = np.bincount(spikes.neurons, minlength=size)
    # one order of all neurons, whichever of them fire: two runs then share most of their choice
    order = np.random.default_rng(seed).permutation(size)
    chosen = np.sort(order[counts[order] > 0][:n_neurons])
    per_bin = round(steps(width, dt))
    n_bins = round(steps(stop - start, dt)) // per_bin
    if len(chosen) < 2 or n_bins < 2:
        return np.empty(0)
    row = np.full(size, -1)
    row[chosen] = np.arange(len(chosen))
    # a spike at the end of a step belongs to the time before it
    bins = (spikes.steps - 1 - round(steps(start, dt))) // per_bin
    kept = (row[spikes.neurons] >= 0) & (bins >= 0) & (bins < n_bins)
    table = np.bincount(row[spikes.neurons[kept]] * n_bins + bins[kept], minlength=len(chosen) * n_bins)
    table = table.reshape(len(chosen), n_bins)
    table = table[table.std(axis=1) > 0]
    if len(table) < 2:
        return np.empty(0)
    pairs: NDArray[np.float64] = np.corrcoef(table)[np.triu_indices(len(table), 1)]
    return pairs
