"""Spike trains of virtual populations, as a stream of blocks.

A replayed Poisson background has millions of spikes per second of model time, so no reader or writer
needs all of them at once.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import ModelError

__all__ = ["ArrayTrains", "TrainBlock", "Trains"]

#: Spikes per block, about (16 bytes each).
BLOCK_SPIKES = 2**20


@dataclass(frozen=True, slots=True)
class TrainBlock:
    """The spike trains of some consecutive sources.

    Parameters
    ----------
    first
        Index of the first source.
    counts : ndarray, shape (n_sources,), int64
        Number of spikes of each source.
    times : ndarray, shape (counts.sum(),), float64, ms
        Source by source, ascending within each; several spikes at one time are several entries.
    """

    first: int
    counts: NDArray[np.int64]
    times: NDArray[np.float64]

    @property
    def sources(self) -> NDArray[np.uint64]:
        """The source of each spike, shape (n_spikes,)."""
        ids = np.arange(self.first, self.first + len(self.counts), dtype=np.uint64)
        return np.repeat(ids, self.counts)

    def trains(self) -> list[NDArray[np.float64]]:
        """The spike times of each source."""
        return np.split(self.times, np.cumsum(self.counts)[:-1])


class Trains(ABC):
    """The spikes of a virtual population.

    Parameters
    ----------
    size
        Number of sources.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    @abstractmethod
    def n_spikes(self) -> int:
        """Number of spikes."""

    @abstractmethod
    def blocks(self) -> Iterator[TrainBlock]:
        """Yield the trains by ranges of sources, each source once and in order."""

    def digest(self) -> str:
        """Return what identifies all trains, whatever the blocks."""
        counts, times = hashlib.blake2b(digest_size=8), hashlib.blake2b(digest_size=8)
        for block in self.blocks():
            counts.update(block.counts.astype("<i8").tobytes())
            times.update(block.times.astype("<f8").tobytes())
        return f"{counts.hexdigest()}{times.hexdigest()}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trains):
            return NotImplemented
        return (self.size, self.n_spikes) == (other.size, other.n_spikes) and self.digest() == other.digest()

    __hash__ = None  # type: ignore[assignment]  # equal by content, which takes reading all of it

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.n_spikes} spikes of {self.size} sources>"


def divided(counts: NDArray[np.int64], n_spikes: int) -> Iterator[tuple[slice, slice]]:
    """Yield ranges of sources, and of their spikes, of at most ``n_spikes`` or of one source.

    Parameters
    ----------
    counts : ndarray, shape (n_sources,), int64
        Number of spikes of each source.
    """
    ends = np.cumsum(counts)
    first = begin = 0
    while first < len(counts):
        last = max(first + 1, int(np.searchsorted(ends, begin + n_spikes, side="right")))
        end = int(ends[last - 1])
        yield slice(first, last), slice(begin, end)
        first, begin = last, end


class ArrayTrains(Trains):
    """Spike trains that are held in memory.

    Parameters
    ----------
    size
        Number of sources.
    sources : array_like, shape (n_spikes,), int
        The source of each spike, below ``size``, in any order.
    times : array_like, shape (n_spikes,), float, ms
        Its time, above 0.

    Raises
    ------
    ModelError
    """

    def __init__(self, size: int, sources: Iterable[int], times: Iterable[float]) -> None:
        super().__init__(size)
        ids, when = np.asarray(sources, np.int64), np.asarray(times, np.float64)
        if ids.ndim != 1 or ids.shape != when.shape:
            raise ModelError(f"spike trains: sources and times must have one length, got {ids.shape} and {when.shape}")
        if len(ids) and (int(ids.min()) < 0 or int(ids.max()) >= size):
            raise ModelError(f"spike trains: sources must be from 0 to {size - 1}, got {ids.min()} to {ids.max()}")
        if not (np.isfinite(when) & (when > 0)).all():
            raise ModelError("spike trains: times must be finite and above 0 ms")
        order = np.lexsort((when, ids))
        self._counts = np.bincount(ids, minlength=size).astype(np.int64)
        self._times = when[order]

    @classmethod
    def from_lists(cls, trains: Sequence[Sequence[float]]) -> ArrayTrains:
        """Take one list of times (ms) per source."""
        counts = [len(train) for train in trains]
        times = [np.asarray(train, np.float64) for train in trains]
        return cls(len(trains), np.repeat(np.arange(len(trains)), counts), np.concatenate(times) if times else [])

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return len(self._times)

    def blocks(self) -> Iterator[TrainBlock]:
        """Yield parts of the arrays."""
        for sources, spikes in divided(self._counts, BLOCK_SPIKES):
            yield TrainBlock(sources.start, self._counts[sources], self._times[spikes])
