"""Edges that can be had only once: one temporary file, and streams that read it.

A simulator that hands out connections as one Python object each, or a text that must be parsed, is slow to ask
again. So this is done once; afterwards the edges of all projections lie in one file without a name, which vanishes
with the last of them.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import OutputError

from .edges import BLOCK_EDGES, EdgeBlock, Edges, Piece, Synapse

__all__ = ["RECORD", "Spool", "SpooledEdges"]

#: One connection in the file: indices in the populations, weight in the target's unit, delay in steps.
RECORD = np.dtype([("weight", "<f8"), ("source", "<u4"), ("target", "<u4"), ("delay", "<i4")])
#: Connections that wait in memory before they are written, 20 bytes each.
_WAITING = 2**20


class Spool:
    """The file. Connections are added under keys, in any order; those of one key make one stream.

    Parameters
    ----------
    directory
        Where the file is made; None: where the system has its temporary files.

    Raises
    ------
    OutputError
        There is no place for it.
    """

    def __init__(self, directory: str | Path | None = None) -> None:
        self._where = Path(directory or tempfile.gettempdir())
        try:
            self._file = tempfile.TemporaryFile(dir=self._where, buffering=0)  # noqa: SIM115  # lives as long as the edges
        except OSError as error:
            raise self._no_place(error) from None
        weakref.finalize(self, self._file.close)
        self._waiting: dict[Any, list[NDArray[Any]]] = {}
        self._n_waiting = 0
        self._end = 0
        #: Parts of the file (first byte, number of connections) by key.
        self.extents: dict[Any, list[tuple[int, int]]] = {}
        #: Whether all weights so far are exact as float32, by key.
        self.single: dict[Any, bool] = {}

    def add(self, key: Any, records: NDArray[Any]) -> None:
        """Add connections, shape (n,), of the type ``RECORD``."""
        weight = records["weight"]
        with np.errstate(over="ignore"):
            self.single[key] = self.single.get(key, True) and bool(np.all(weight.astype(np.float32) == weight))
        self._waiting.setdefault(key, []).append(records)
        self._n_waiting += len(records)
        if self._n_waiting >= _WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits in memory."""
        for key, parts in self._waiting.items():
            data = memoryview(np.concatenate(parts).tobytes())
            self.extents.setdefault(key, []).append((self._end, len(data) // RECORD.itemsize))
            try:
                while data:
                    data = data[self._file.write(data) :]
            except OSError as error:
                raise self._no_place(error) from None
            self._end = self._file.tell()
        self._waiting.clear()
        self._n_waiting = 0

    def read(self, first: int, n: int) -> NDArray[Any]:
        """Return ``n`` connections from a byte of the file on; may be called from several threads."""
        data = os.pread(self._file.fileno(), n * RECORD.itemsize, first)
        return np.frombuffer(data, RECORD)

    def _no_place(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._where}: the connections cannot be kept here ({error.strerror}), 20 bytes each; give another "
            "directory"
        )


class SpooledEdges(Edges):
    """The connections under one key of a spool.

    Parameters
    ----------
    spool, key
        Where they are.
    name, source, target, synapse
        As in :class:`Edges`.
    """

    def __init__(self, spool: Spool, key: Any, name: str, source: str, target: str, synapse: Synapse) -> None:
        self._spool, self._extents = spool, spool.extents[key]
        dtype = np.dtype(np.float32 if spool.single[key] else np.float64)
        super().__init__(name, source, target, sum(n for _, n in self._extents), "none", dtype, synapse)

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield reads of as many neighbouring parts of the file as fit."""
        spans: list[tuple[int, int]] = []
        room = max_edges
        for first, n in self._extents:
            start, left = first, n
            while left:
                part = min(left, room)
                spans.append((start, part))
                start, left, room = start + part * RECORD.itemsize, left - part, room - part
                if room == 0:
                    yield partial(self._read, tuple(spans))
                    spans, room = [], max_edges
        if spans:
            yield partial(self._read, tuple(spans))

    def _read(self, spans: tuple[tuple[int, int], ...]) -> EdgeBlock:
        records = np.concatenate([self._spool.read(first, n) for first, n in spans])
        return EdgeBlock(
            records["source"].astype(np.uint32),
            records["target"].astype(np.uint32),
            records["weight"].astype(self.weight_dtype),
            records["delay"].astype(np.int32),
        )
