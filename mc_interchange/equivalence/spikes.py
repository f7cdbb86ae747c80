"""Spike-exact comparison of two runs.

Meaningful for the same instance under deterministic input: then any difference is a difference of the
models or of the simulators, not of random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.runs import Run, Spikes

__all__ = ["SpikeComparison", "compare_spikes"]


@dataclass(frozen=True)
class SpikeComparison:
    """Result of :func:`compare_spikes`.

    Parameters
    ----------
    identical
        Every spike of one run is a spike of the other: same population, neuron and step.
    n_spikes
        Number of spikes of each run.
    n_common
        Number of spikes that both have.
    divergence
        The first difference in words, or None.
    """

    identical: bool
    n_spikes: tuple[int, int]
    n_common: int
    divergence: str | None

    @property
    def silent(self) -> bool:
        """Whether neither run has a spike, so that being identical says nothing."""
        return self.n_spikes == (0, 0)


def compare_spikes(a: Run, b: Run) -> SpikeComparison:
    """Compare all spikes of two runs by population, step and neuron.

    Runs of different resolution, duration, or sets of recorded populations differ by definition.
    """
    for name, of in (("resolution", "dt"), ("duration", "duration")):
        if getattr(a, of) != getattr(b, of):
            reason = f"{name} {getattr(a, of):g} ms against {getattr(b, of):g} ms"
            return SpikeComparison(False, (a.n_spikes, b.n_spikes), 0, reason)
    if dict(a.sizes) != dict(b.sizes):
        return SpikeComparison(
            False, (a.n_spikes, b.n_spikes), 0, f"populations {dict(a.sizes)} against {dict(b.sizes)}"
        )
    n_common, first = 0, None
    for population in a.sizes:
        one, other = _keys(a.spikes[population]), _keys(b.spikes[population])
        common, differing = _match(one, other)
        n_common += common
        if differing is not None:
            step, neuron = int(differing >> np.uint64(32)), int(differing & np.uint64(0xFFFFFFFF))
            which = "first" if np.count_nonzero(one == differing) > np.count_nonzero(other == differing) else "second"
            found = (step, f"{population} neuron {neuron} at {step * a.dt:.10g} ms, only in the {which} run")
            first = min(first, found) if first else found
    return SpikeComparison(first is None, (a.n_spikes, b.n_spikes), n_common, first[1] if first else None)


def _keys(spikes: Spikes) -> NDArray[np.uint64]:
    return (spikes.steps.astype(np.uint64) << np.uint64(32)) | spikes.neurons.astype(np.uint64)


def _match(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> tuple[int, np.uint64 | None]:
    """Return the size of the common multiset, and the smallest key whose multiplicity differs."""
    keys, inverse = np.unique(np.concatenate([one, other]), return_inverse=True)
    a = np.bincount(inverse[: len(one)], minlength=len(keys))
    b = np.bincount(inverse[len(one) :], minlength=len(keys))
    differing = np.flatnonzero(a != b)
    return int(np.minimum(a, b).sum()), keys[differing[0]] if len(differing) else None
