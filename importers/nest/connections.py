"""All connections in the kernel, once, by blocks of source nodes.

NEST hands out one Python object per connection (about 140 bytes), and the values of one as a dictionary (about
two kilobytes). So the objects are asked for by blocks of sources, and their values by small batches.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress

from .synapses import SynapseKind

__all__ = ["Connections", "read_connections"]

#: Connections asked for at once.
_FETCH = 400_000
#: Connections whose values are asked for at once: half the time of larger batches, which leave the processor's cache.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Connections:
    """Some connections of one synapse model.

    Parameters
    ----------
    source, target : ndarray, shape (n,), int64
        Ids of the nodes.
    weight : ndarray, shape (n,), float64
        In the unit of the target.
    delay : ndarray, shape (n,), int32, steps of the resolution
        Delay.
    receptor : ndarray, shape (n,), int64
        Receptor of the target.
    parameters : ndarray, shape (n,), int64
        Number of the set of parameters, see :class:`SynapseKind`.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    delay: NDArray[np.int32]
    receptor: NDArray[np.int64]
    parameters: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.source)

    def part(self, rows: NDArray[np.int64]) -> Connections:
        """Return some of them."""
        return Connections(
            self.source[rows],
            self.target[rows],
            self.weight[rows],
            self.delay[rows],
            self.receptor[rows],
            self.parameters[rows],
        )


def read_connections(
    nest: Any, kind: SynapseKind, parts: list[tuple[int, int]], progress: Progress
) -> Iterator[Connections]:
    """Yield all connections of a synapse model.

    Parameters
    ----------
    parts
        Bounds within all nodes; the nodes between two of them have about as many connections each.
    """
    per_ms = steps(1.0, nest.resolution)
    defaults = nest.GetDefaults(kind.name)
    seen = False
    for batch in _batches(nest, kind, parts):
        with _garbage_collection_paused():
            if not seen:
                kind.look_at(batch[0].get(), defaults)
                seen = True
            own_weight = kind.weight is None
            keys = ["source", "target", "delay", "receptor", *(["weight"] if own_weight else []), *kind.names]
            columns = batch.get(keys)
        n = len(batch)
        delay = np.atleast_1d(columns["delay"]) * per_ms
        on_grid = np.rint(delay)
        if not np.all(np.abs(delay - on_grid) < 1e-6):
            raise FormatError(f"connections of {kind.name} have delays between the steps of the resolution")
        yield Connections(
            np.atleast_1d(columns["source"]),
            np.atleast_1d(columns["target"]),
            np.atleast_1d(np.asarray(columns["weight"], np.float64)) if own_weight else np.full(n, kind.weight),
            on_grid.astype(np.int32),
            np.atleast_1d(columns["receptor"]),
            kind.numbers(columns, n),
        )
        progress.advance(n)


def _batches(nest: Any, kind: SynapseKind, parts: list[tuple[int, int]]) -> Iterator[Any]:
    """Yield SynapseCollections of at most ``_BATCH`` connections.

    The first block of a part is safe for one connection per pair of nodes; the next follow from what was
    found, each at most eight times as large as the one before.
    """
    left = kind.n
    nodes = nest.GetNodes()
    for begin, end in parts:
        first, size = begin, max(1, _FETCH // len(nodes))
        while left and first < end:
            found = nest.GetConnections(nodes[first : min(first + size, end)], synapse_model=kind.name)
            for start in range(0, len(found), _BATCH):
                yield found[start : start + _BATCH]
            left -= len(found)
            first += size
            size = max(1, min(8 * size, size * _FETCH // max(1, len(found))))


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause it while many small objects come and go: it would look at all of them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
