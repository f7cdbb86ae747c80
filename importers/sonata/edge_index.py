"""The index from targets to their edges, as far as it tells that edges are sorted by target."""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import sonata
from mc_interchange.instance.edges import Order

__all__ = ["order_of", "read_index"]


def order_of(group: h5py.Group, n_targets: int) -> Order:
    """Tell from the index whether edges are sorted by target: each target then has the range after the last one's."""
    index = group.get("indices/target_to_source", {})
    tables = [index[name] for name in (*sonata.NODE_RANGES, sonata.EDGE_RANGES) if name in index]
    if len(tables) < 2 or any(t.ndim != 2 or t.shape[1] != 2 for t in tables):
        return "none"
    if not tables[-1].shape[0] <= tables[0].shape[0] <= n_targets:
        return "none"
    nodes, ranges = read_index(index)
    nodes = nodes[nodes[:, 0] != nodes[:, 1]]
    rows = nodes[:, 0]
    if not len(rows) or (nodes[:, 1] - rows != 1).any() or rows.min() < 0 or rows.max() >= len(ranges):
        return "none"
    starts, ends = ranges[rows].T
    ascending = np.array_equal(starts[1:], ends[:-1]) and bool((starts <= ends).all())
    complete = starts[0] == 0 and ends[-1] == group["source_node_id"].shape[0]
    return "target" if ascending and complete else "none"


def read_index(group: h5py.Group) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ranges of each target and the edges of each range, by the specification's name or bmtk's."""
    name = next(name for name in sonata.NODE_RANGES if name in group)
    return group[name][:].astype(np.int64), group[sonata.EDGE_RANGES][:].astype(np.int64)
