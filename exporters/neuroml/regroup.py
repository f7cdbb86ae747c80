"""Synapses in the order of their sources, by way of the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import EdgeBlock

__all__ = ["by_source"]


def by_source(blocks: Iterator[EdgeBlock], n_sources: int, scratch: str | Path) -> Iterator[tuple[int, EdgeBlock]]:
    """Yield the synapses of one source after the other, each source's in the order of the stream.

    Every block is sorted in memory and put behind the others in a scratch file; then the runs of each
    source are collected. Memory holds one block, and the borders of the runs.

    Parameters
    ----------
    n_sources
        Number of sources.
    scratch
        A file that is made, and deleted at the end.

    Yields
    ------
    source : int
        Ascending; sources without synapses are left out.
    block : EdgeBlock
        A part of its synapses.
    """
    scratch = Path(scratch)
    borders: list[NDArray[np.int64]] = []
    starts: list[int] = []
    dtype: np.dtype[np.void] | None = None
    written = 0
    try:
        with scratch.open("wb") as file:
            for block in blocks:
                order = np.argsort(block.source, kind="stable")
                if dtype is None:
                    dtype = _record(block)
                records = np.empty(len(block), dtype)
                for name in ("source", "target", "weight", "delay"):
                    records[name] = getattr(block, name)[order]
                file.write(records.tobytes())
                borders.append(np.searchsorted(records["source"], np.arange(n_sources + 1)))
                starts.append(written)
                written += len(block)
        if dtype is None or not written:
            return
        stored = np.memmap(scratch, dtype, mode="r")
        for source in range(n_sources):
            for start, border in zip(starts, borders, strict=True):
                run = stored[start + border[source] : start + border[source + 1]]
                if len(run):
                    yield source, EdgeBlock(*(np.array(run[n]) for n in ("source", "target", "weight", "delay")))
    finally:
        scratch.unlink(missing_ok=True)


def _record(block: EdgeBlock) -> np.dtype[np.void]:
    return np.dtype([("source", "u4"), ("target", "u4"), ("weight", block.weight.dtype), ("delay", "i4")])
