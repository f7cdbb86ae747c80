"""Edges: the synapses of one projection, as a stream of blocks.

No reader or writer ever needs all synapses at once. A source of edges hands out *pieces*: functions
without arguments that each return one block. Pieces are independent, so :func:`map_blocks` may call
them in several threads; their order is the order of the stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_EDGES", "ArrayEdges", "EdgeBlock", "Edges", "Order", "Piece", "map_blocks"]

#: Default size of a block: large enough for Python's overhead to vanish, small in memory (16 bytes per edge).
BLOCK_EDGES = 2**20

Order = Literal["target", "source", "none"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EdgeBlock:
    """Some synapses of one projection.

    Parameters
    ----------
    source, target : ndarray, shape (n_edges,), uint32
        Index of the neuron in its population, from 0.
    weight : ndarray, shape (n_edges,), float32 or float64, pA
        Synaptic weight.
    delay : ndarray, shape (n_edges,), int32, steps of the resolution
        Delay.
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
    """

    #: True where they live in a simulator's kernel: whoever resets it destroys them.
    volatile: bool = False

    def __init__(
        self, name: str, source: str, target: str, n_edges: int, order: Order, weight_dtype: np.dtype[Any]
    ) -> None:
        self.name = name
        self.source = source
        self.target = target
        self.n_edges = n_edges
        self.order: Order = order
        self.weight_dtype = np.dtype(weight_dtype)

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.n_edges} synapses {self.source} -> {self.target}>"


class ArrayEdges(Edges):
    """Synapses that are held in memory (for networks that are small or were made by hand).

    Parameters
    ----------
    source, target, weight, delay
        As in :class:`EdgeBlock`; all of one length.
    """

    def __init__(self, name: str, source_population: str, target_population: str, block: EdgeBlock) -> None:
        order: Order = "none"
        if np.all(block.target[1:] >= block.target[:-1]):
            order = "target"
        elif np.all(block.source[1:] >= block.source[:-1]):
            order = "source"
        super().__init__(name, source_population, target_population, len(block), order, block.weight.dtype)
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

    Threads serve here because numpy leaves the interpreter free while it draws and computes. At most
    ``workers + 1`` results wait, so memory stays bounded when the consumer is slower.

    Parameters
    ----------
    edges
        Where the blocks come from.
    function
        Called with each block, possibly in another thread.
    """
    if workers <= 1:
        for piece in edges.pieces(max_edges):
            yield function(piece())
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for piece in edges.pieces(max_edges):
                waiting.append(pool.submit(lambda piece=piece: function(piece())))  # type: ignore[misc]
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
