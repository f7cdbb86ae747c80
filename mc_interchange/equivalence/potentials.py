"""How far the membrane potentials of two runs are from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mc_interchange.runs import Run

__all__ = ["Deviation", "compare_potentials"]


@dataclass(frozen=True)
class Deviation:
    """The largest difference between recorded potentials.

    Parameters
    ----------
    largest
        In mV.
    n_neurons
        Neurons that both runs have recorded.
    where
        Neuron and time of the largest difference, in words.
    """

    largest: float
    n_neurons: int
    where: str


def compare_potentials(a: Run, b: Run) -> Deviation | None:
    """Compare what both runs have recorded, at the times that both have; None where there is nothing."""
    largest, n_neurons, where = -1.0, 0, ""
    for name, one in a.voltages.items():
        if name not in b.voltages:
            continue
        other = b.voltages[name]
        neurons, *columns = np.intersect1d(one.neurons, other.neurons, return_indices=True)
        # in steps, since times are decimals
        _, *rows = np.intersect1d(np.rint(one.times / a.dt), np.rint(other.times / b.dt), return_indices=True)
        if not len(neurons) or not len(rows[0]):
            continue
        apart = np.abs(one.values[np.ix_(rows[0], columns[0])] - other.values[np.ix_(rows[1], columns[1])])
        row, column = np.unravel_index(int(np.argmax(apart)), apart.shape)
        n_neurons += len(neurons)
        if apart[row, column] > largest:
            largest = float(apart[row, column])
            where = f"{name} neuron {neurons[column]} at {one.times[rows[0][row]]:.10g} ms"
    return Deviation(largest, n_neurons, where) if n_neurons else None
