"""The optional indices of an edge population: from a node to its edges.

Row ``node`` of the first table is a half-open range of rows of the second, and each of those a half-open range of
edges. Whether they name exactly the edges of each node is decided by a sum of hashes of (node, edge), once over the
index and once over the edges themselves, so that neither is held in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import sonata

from .columns import INTEGERS, Column, Group

__all__ = ["PairSum", "check_index"]

_ROWS = 2**18
_EDGES = 2**20
#: Rows of the first table, which is held in memory.
_MOST_NODES = 2**27
# Odd constants with well spread bits, as in mc_interchange.instance.digest.
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))

Table = NDArray[np.int64]


class PairSum:
    """Number, and sum of the hashes modulo 2**64, of pairs of a node and an edge."""

    def __init__(self) -> None:
        self.count = 0
        self.value = np.uint64(0)

    def add(self, nodes: NDArray[Any], edges: NDArray[np.int64]) -> None:
        """Add pairs."""
        hashes = nodes.astype(np.uint64)
        hashes *= _FACTORS[0]
        hashes ^= hashes >> np.uint64(29)
        hashes += edges.view(np.uint64)
        hashes *= _FACTORS[1]
        hashes ^= hashes >> np.uint64(32)
        hashes *= _FACTORS[0]
        hashes ^= hashes >> np.uint64(29)
        self.count += len(nodes)
        with np.errstate(over="ignore"):
            self.value += hashes.sum(dtype=np.uint64)


def check_index(index: Group, n_edges: int, of_edges: PairSum, ids: str) -> None:
    """Check one index.

    Parameters
    ----------
    index
        Its group.
    of_edges
        Of the column that it is an index of.
    ids
        Name of that column.
    """
    names = [name for name in sonata.NODE_RANGES if name in index.names()]
    if not names:
        index.missing(sonata.NODE_RANGES[0])
    nodes = index.column(names[0], INTEGERS, columns=2) if names else None
    ranges = index.column(sonata.EDGE_RANGES, INTEGERS, columns=2)
    if ranges is None and sonata.EDGE_RANGES not in index.names():
        index.missing(sonata.EDGE_RANGES)
    if nodes is None or ranges is None or not n_edges:
        return
    if nodes.constant is not None or ranges.constant is not None:
        index.report.error(index.file, index.place, "was never filled")
        return
    if nodes.rows > _MOST_NODES:
        nodes.error(f"has {nodes.rows} rows; it is not read")
        return
    table = nodes.dataset[:].astype(np.int64)
    if not _ordered(nodes, table, 0, ranges.rows, f"rows of {sonata.EDGE_RANGES}"):
        return
    owners = np.flatnonzero(table[:, 0] < table[:, 1])
    owners = owners[np.argsort(table[owners, 0], kind="stable")]
    starts, ends = table[owners].T
    if (starts[1:] < ends[:-1]).any():
        node = owners[1:][starts[1:] < ends[:-1]][0]
        nodes.error(f"gives rows of {sonata.EDGE_RANGES} to two nodes (first: node {node})")
        return
    total = PairSum()
    for first, rows in ranges.blocks(_ROWS):
        block = rows.astype(np.int64)
        if not _ordered(ranges, block, first, n_edges, "edges"):
            return
        stop = first + len(block)
        part = slice(np.searchsorted(ends, first, side="right"), np.searchsorted(starts, stop))
        clipped = np.stack([np.maximum(starts[part], first), np.minimum(ends[part], stop)], axis=1) - first
        nodes_of_rows, owned = np.concatenate([np.empty((2, 0), np.int64), *_expand(clipped, owners[part])], axis=1)
        for expanded in _expand(block[owned], nodes_of_rows):
            total.add(*expanded)
            if total.count > n_edges:
                ranges.error(f"names more edges than the {n_edges} there are")
                return
    if total.count < n_edges:
        ranges.error(f"is incomplete: names {total.count} of {n_edges} edges")
    elif total.value != of_edges.value:
        ranges.error(f"disagrees with {ids}: names edges under nodes that are not theirs")


def _ordered(column: Column, table: Table, first: int, limit: int, what: str) -> bool:
    """Check that every row is a range below a limit."""
    backwards, outside = table[:, 0] > table[:, 1], ((table < 0) | (table > limit)).any(axis=1)
    for mask, message in ((backwards, "ends before it starts"), (outside, f"leaves the {limit} {what}")):
        if mask.any():
            row = int(np.argmax(mask))
            column.error(f"row {first + row}, {table[row].tolist()}, {message}")
            return False
    return True


def _expand(ranges: Table, nodes: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the nodes and members of ranges, a bounded number at once."""
    lengths = ranges[:, 1] - ranges[:, 0]
    if (lengths == 1).all():  # as in the index of the end by which edges are not sorted
        yield nodes, ranges[:, 0]
        return
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    for start in range(0, total, _EDGES):
        stop = min(start + _EDGES, total)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right")
        part = slice(first, last + 1)
        before = ends[part] - lengths[part]
        counts = np.minimum(ends[part], stop) - np.maximum(before, start)
        members = np.arange(start, stop)
        members += np.repeat(ranges[part, 0] - before, counts)
        yield np.repeat(nodes[part], counts), members
