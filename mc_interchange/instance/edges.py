"""Edges: the synapses of one projection, as a stream of blocks.

No reader or writer ever needs all synapses at once. A source of edges hands out *pieces*: functions
without arguments that each return one block. Pieces are independent, so :func:`map_blocks` may call
them in several threads; their order is the order of the stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK_EDGES",
    "ArrayEdges",
    "EdgeBlock",
    "Edges",
    "Order",
    "Piece",
    "Synapse",
    "in_order",
    "in_parts",
    "map_all_blocks",
    "map_blocks",
]

#: Default size of a block: large enough for Python's overhead to vanish, small in memory (16 bytes per edge).
BLOCK_EDGES = 2**20

Order = Literal["target", "source", "none"]
T = TypeVar("T")


@dataclass(frozen=True)
class Synapse:
    """How the synapses of a projection act.

    Parameters
    ----------
    model
        NEST's name of the synapse model.
    receptor
        Receptor of the target, for neuron models that have several; 0: the only one. Of equations, the index in
        :attr:`mc_interchange.network.Dynamics.receptors`.
    parameters
        Parameters of the synapse model other than weight and delay, the same for all synapses.
    """

    model: str = "static_synapse"
    receptor: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether weight and delay say all there is to say."""
        return self == Synapse()


@dataclass(frozen=True, slots=True)
class EdgeBlock:
    """Some synapses of one projection.

    Parameters
    ----------
    source, target : ndarray, shape (n_edges,), uint32
        Index of the neuron in its population, from 0.
    weight : ndarray, shape (n_edges,), float32 or float64
        Synaptic weight, in the unit that the target's neuron model takes (pA, nS or mV; of equations, the unit of
        the variable that it raises).
    delay : ndarray, shape (n_edges,), int32, steps of the resolution
        Delay; 0 only onto equations.
    """

    source: NDArray[np.uint32]
    target: NDArray[np.uint32]
    weight: NDArray[Any]
    delay: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, part: slice) -> EdgeBlock:
        return EdgeBlock(self.source[part], self.target[part], self.weight[part], self.delay[part])


Piece = Callable[[], EdgeBlock]


def in_parts(piece: Piece, rows: range, max_edges: int) -> Iterator[Piece]:
    """Yield some rows of the block of a piece as pieces of at most ``max_edges``.

    The block is made at the first call, from whichever thread, and kept while anyone holds one of the functions.
    """
    lock = Lock()
    made: list[EdgeBlock] = []

    def part(start: int) -> EdgeBlock:
        with lock:
            if not made:
                made.append(piece())
        return made[0][start : min(start + max_edges, rows.stop)]

    for start in rows[::max_edges]:
        yield partial(part, start)


class Edges(ABC):
    """The synapses of one projection.

    Parameters
    ----------
    name
        Name of the projection.
    source, target
        Names of the populations.
    n_edges
        Number of synapses.
    order
        ``target`` or ``source`` when these ids never decrease along the stream, else ``none``.
    weight_dtype
        float32 where every weight is exact in it, else float64.
    synapse
        Synapse model and receptor.
    """

    def __init__(
        self,
        name: str,
        source: str,
        target: str,
        n_edges: int,
        order: Order,
        weight_dtype: np.dtype[Any],
        synapse: Synapse = Synapse(),  # immutable
    ) -> None:
        self.name = name
        self.source = source
        self.target = target
        self.n_edges = n_edges
        self.order: Order = order
        self.weight_dtype = np.dtype(weight_dtype)
        self.synapse = synapse

    @abstractmethod
    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that each return one block of at most ``max_edges`` synapses.

        The iterator itself stays in the thread of whoever reads the stream; what must not happen in another
        thread belongs there, not into the functions.
        """

    def blocks(self, max_edges: int = BLOCK_EDGES) -> Iterator[EdgeBlock]:
        """Yield the blocks one after the other."""
        for piece in self.pieces(max_edges):
            yield piece()

    def pieces_onto(self, chosen: NDArray[np.bool_], max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield the synapses onto some of the targets.

        Parameters
        ----------
        chosen : ndarray, shape (size of the target population,), bool
            Which targets.
        """
        for piece in self.pieces(max_edges):
            yield partial(onto, piece, chosen)

    def blocks_onto(self, chosen: NDArray[np.bool_] | None, max_edges: int = BLOCK_EDGES) -> Iterator[EdgeBlock]:
        """Yield the blocks of :meth:`pieces_onto` that are not empty; with None, of all targets."""
        for piece in self.pieces(max_edges) if chosen is None else self.pieces_onto(chosen, max_edges):
            block = piece()
            if len(block):
                yield block

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.n_edges} synapses {self.source} -> {self.target}>"


def onto(piece: Piece, chosen: NDArray[np.bool_]) -> EdgeBlock:
    """Return those synapses of a piece whose target is chosen."""
    block = piece()
    mine = np.flatnonzero(chosen[block.target])
    return EdgeBlock(block.source[mine], block.target[mine], block.weight[mine], block.delay[mine])


class ArrayEdges(Edges):
    """Synapses that are held in memory (for networks that are small or were made by hand).

    Parameters
    ----------
    source, target, weight, delay
        As in :class:`EdgeBlock`; all of one length.
    """

    def __init__(
        self,
        name: str,
        source_population: str,
        target_population: str,
        block: EdgeBlock,
        synapse: Synapse = Synapse(),  # immutable
    ) -> None:
        order: Order = "none"
        if np.all(block.target[1:] >= block.target[:-1]):
            order = "target"
        elif np.all(block.source[1:] >= block.source[:-1]):
            order = "source"
        super().__init__(name, source_population, target_population, len(block), order, block.weight.dtype, synapse)
        self._block = block

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield views of the arrays."""
        for start in range(0, self.n_edges, max_edges):
            part = self._block[start : start + max_edges]
            yield lambda part=part: part  # type: ignore[misc]


def map_blocks(
    edges: Edges, function: Callable[[EdgeBlock], T], *, max_edges: int = BLOCK_EDGES, workers: int = 1
) -> Iterator[T]:
    """Apply a function to every block, in order, with up to ``workers`` blocks in work at once.

    Parameters
    ----------
    edges
        Where the blocks come from.
    function
        Called with each block, possibly in another thread.
    """
    pieces = edges.pieces(max_edges)
    return in_order((lambda piece=piece: function(piece()) for piece in pieces), workers)  # type: ignore[misc]


def map_all_blocks(
    streams: Iterable[Edges],
    function: Callable[[Edges, EdgeBlock], T],
    *,
    max_edges: int = BLOCK_EDGES,
    workers: int = 1,
) -> Iterator[tuple[Edges, T]]:
    """Apply a function to every block of several projections, one after the other, as :func:`map_blocks` does.

    Small projections, of a block each, share the threads too.
    """

    def call(edges: Edges, piece: Piece) -> tuple[Edges, T]:
        return edges, function(edges, piece())

    return in_order((partial(call, edges, piece) for edges in streams for piece in edges.pieces(max_edges)), workers)


def in_order(calls: Iterable[Callable[[], T]], workers: int) -> Iterator[T]:
    """Make calls in up to ``workers`` threads, and yield what they return in their order.

    Threads serve here because numpy leaves the interpreter free while it draws and computes. At most
    ``workers + 1`` results wait, so memory stays bounded when the consumer is slower.
    """
    if workers <= 1:
        for call in calls:
            yield call()
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for call in calls:
                waiting.append(pool.submit(call))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
