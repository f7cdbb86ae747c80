"""Indices of an edge file: from a node to its edges.

``node_id_to_ranges[node]`` is a half-open range of rows of ``range_to_edge_id``, and each such row a
half-open range of edges.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats.hdf5 import NewFile, StreamedDataset
from mc_interchange.instance.edges import in_order

__all__ = ["write_index"]

#: Edges that are sorted in memory at once (about 40 bytes each).
BUCKET_EDGES = 2**20
#: Edges that are read and dealt out to the buckets at once (likewise).
READ_EDGES = 2**20
#: Edges of a projection whose keys all stay in memory (8 bytes each).
HELD_EDGES = 2**24
#: Nodes in a bucket at most: numpy sorts 16-bit integers by radix, in linear time.
_BUCKET_NODES = 2**16
#: A key is the number of the edge, and above these bits that of its node in the bucket.
_EDGE_BITS = np.uint64(48)
_KEY = np.dtype(np.uint64)


def write_index(
    file: NewFile,
    group: h5py.Group,
    ids: StreamedDataset,
    counts: NDArray[np.int64],
    *,
    is_sorted: bool,
    workers: int = 1,
) -> None:
    """Write one index.

    Parameters
    ----------
    file
        Where the group is.
    group
        ``indices/source_to_target`` or ``indices/target_to_source``, empty.
    ids : dataset, shape (n_edges,)
        The node of each edge.
    counts : ndarray, shape (n_nodes,), int64
        Edges of each node.
    is_sorted
        Whether ``ids`` never decrease: then a node's edges are one range, otherwise each edge is one.
    workers
        Threads that sort.
    """
    ends = np.cumsum(counts)
    starts = ends - counts
    if is_sorted:
        has = counts > 0
        rows: NDArray[np.int64] = np.cumsum(has) - has
        nodes = np.stack([rows, rows + has], axis=1)
        group.create_dataset("range_to_edge_id", data=np.stack([starts[has], ends[has]], axis=1))
    else:
        nodes = np.stack([starts, ends], axis=1)
        ranges = file.streamed(group, "range_to_edge_id", (int(ends[-1]), 2), np.int64)
        _group_by_node(ids, ends, ranges, workers)
    group.create_dataset("node_id_to_ranges", data=nodes)
    # bmtk knows the singular name only, the specification and libsonata the plural.
    group["node_id_to_range"] = group["node_id_to_ranges"]


def _group_by_node(ids: StreamedDataset, ends: NDArray[np.int64], ranges: StreamedDataset, workers: int) -> None:
    """Write every edge as a range of one, ordered by node, then by edge: a bucket sort in linear time."""
    borders = _borders(ends)
    n_buckets = len(borders) - 1
    bucket_of = np.repeat(np.arange(n_buckets, dtype=np.min_scalar_type(n_buckets)), np.diff(borders))
    place_in_bucket = (np.arange(len(ends)) - np.repeat(borders[:-1], np.diff(borders))).astype(np.uint16)
    rows = np.concatenate([[0], ends])[borders]
    filled = rows[:-1].copy()
    all_keys = _Keys(len(ids), ranges)
    blocks = (partial(_deal, ids, start, bucket_of, place_in_bucket) for start in range(0, len(ids), READ_EDGES))
    for keys, sizes in in_order(blocks, workers):
        has = np.flatnonzero(sizes)
        for bucket, part in zip(has, np.split(keys, np.cumsum(sizes[has])[:-1]), strict=True):
            all_keys.put(int(filled[bucket]), int(rows[bucket + 1]), part)
            filled[bucket] += len(part)
    # only a bucket of a single node may have more than fit into memory: then the keys are in order as they are
    parts = (
        partial(_sorted_ranges, all_keys, row, int(end), min(BUCKET_EDGES, int(end) - row))
        for first, end in pairwise(rows)
        for row in range(int(first), int(end), BUCKET_EDGES)
    )
    for values in in_order(parts, workers):
        ranges.append(values)


class _Keys:
    """The keys of all edges, bucket by bucket, in the rows that their ranges will have.

    Many of them do not stay in memory but wait in the file, in the second half of the place that the ranges of
    their bucket, twice as wide, will take. So nothing else is needed on the disk, and ranges that are appended
    never reach keys that are still to be read.
    """

    def __init__(self, n: int, ranges: StreamedDataset) -> None:
        self._held = np.empty(n, _KEY) if n <= HELD_EDGES else None
        self._ranges = ranges

    def put(self, row: int, end: int, keys: NDArray[np.uint64]) -> None:
        """Keep keys from ``row`` on, of the bucket that ends at the row ``end``."""
        if self._held is None:
            self._ranges.put_aside((end + row) * _KEY.itemsize, keys)
        else:
            self._held[row : row + len(keys)] = keys

    def get(self, row: int, end: int, n: int) -> NDArray[np.uint64]:
        """Return ``n`` of them."""
        if self._held is None:
            return self._ranges.fetch((end + row) * _KEY.itemsize, n, _KEY)
        return self._held[row : row + n]


def _borders(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first node of each bucket, and the number of nodes at the end."""
    borders = [0]
    while (first := borders[-1]) < len(ends):
        filled = int(ends[first - 1]) if first else 0
        last = int(np.searchsorted(ends, filled + BUCKET_EDGES, side="right"))
        borders.append(min(max(first + 1, last), first + _BUCKET_NODES, len(ends)))
    return np.array(borders)


def _deal(
    ids: StreamedDataset, start: int, bucket_of: NDArray[np.unsignedinteger], place_in_bucket: NDArray[np.uint16]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the keys of some edges, ordered by bucket, then by edge; and how many each bucket gets."""
    nodes = ids[start : start + READ_EDGES]
    buckets = bucket_of[nodes]
    keys = place_in_bucket[nodes].astype(_KEY)
    keys <<= _EDGE_BITS
    keys |= np.arange(start, start + len(keys), dtype=np.uint64)
    return keys[np.argsort(buckets, kind="stable")], np.bincount(buckets, minlength=int(bucket_of[-1]) + 1)


def _sorted_ranges(all_keys: _Keys, row: int, end: int, n: int) -> NDArray[np.int64]:
    """Sort keys of one bucket and return their edges as ranges of one."""
    keys = all_keys.get(row, end, n)
    order = np.argsort((keys >> _EDGE_BITS).astype(np.uint16), kind="stable")
    found = np.empty((n, 2), np.int64)
    found[:, 0] = (keys & ((np.uint64(1) << _EDGE_BITS) - np.uint64(1)))[order]
    found[:, 1] = found[:, 0] + 1
    return found
