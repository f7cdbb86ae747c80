"""Indices of an edge file: from a node to its edges.

``node_id_to_ranges[node]`` is a half-open range of rows of ``range_to_edge_id``, and each such row a
half-open range of edges.
"""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats.hdf5 import NewFile, StreamedDataset

__all__ = ["write_index"]

#: Edges whose places are held in memory at once (about 40 bytes each).
PASS_EDGES = 2**22
_READ = 2**22


def write_index(
    file: NewFile, group: h5py.Group, ids: StreamedDataset, counts: NDArray[np.int64], *, is_sorted: bool
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
        _group_by_node(ids, starts, ends, file.streamed(group, "range_to_edge_id", (int(ends[-1]), 2), np.int64))
    group.create_dataset("node_id_to_ranges", data=nodes)
    # bmtk knows the singular name only, the specification and libsonata the plural.
    group["node_id_to_range"] = group["node_id_to_ranges"]


def _group_by_node(
    ids: StreamedDataset, starts: NDArray[np.int64], ends: NDArray[np.int64], ranges: StreamedDataset
) -> None:
    """Write every edge as a range of one, ordered by node, then by edge.

    In each pass over ``ids``, the edges of as many nodes as fit into memory are picked out and sorted.
    """
    first = 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + PASS_EDGES, side="right")))
        if ends[last - 1] > starts[first]:
            edges = _edges_of(ids, first, last)
            rows = np.empty((len(edges), 2), np.int64)
            rows[:, 0] = edges
            rows[:, 1] = edges + 1
            ranges.append(rows)
        first = last


def _edges_of(ids: StreamedDataset, first: int, last: int) -> NDArray[np.int64]:
    """Return the edges of nodes ``first`` to ``last - 1``, ordered by node, then by edge."""
    edges, nodes = [], []
    for start in range(0, len(ids), _READ):
        block = ids[start : start + _READ]
        # one comparison instead of two: below `first` the difference wraps around
        chosen = np.flatnonzero((block - np.uint32(first)) < np.uint32(last - first))
        edges.append(chosen + start)
        nodes.append(block[chosen] - np.uint32(first))
    node = np.concatenate(nodes)
    if last - first <= 2**16:
        node = node.astype(np.uint16)  # numpy sorts 16-bit integers by radix
    return np.concatenate(edges)[np.argsort(node, kind="stable")]
