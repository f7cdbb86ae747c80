"""One edge population as its file holds it: what a look at it tells, and reading a range of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import holds, open_hdf5
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock
from mc_interchange.instance.sampling import round_delays

from .edge_columns import Columns, ids_column
from .edge_index import order_of, read_index
from .edge_types import EdgeType
from .gather import Rows

__all__ = ["EdgeTable"]

#: Longer delays are taken for damage; they would need as many steps of buffer in a simulator.
MAX_DELAY = 1e6
#: Rows that are rather read in vain than skipped, since every reading costs as much time as so many rows, about.
GAP = 2**14
#: Type ids within such a range are counted, others sorted.
_MAX_COUNTED = 2**20


class EdgeTable:
    """The edges of one population.

    Parameters
    ----------
    path, name
        The file and the population's name in it.
    group
        The population.
    sizes
        Number of nodes by population, for the two that it connects.
    """

    def __init__(self, path: Path, name: str, group: h5py.Group, sizes: Mapping[str, int]) -> None:
        self.path = path
        self.name = name
        for end in ("source", "target"):
            ids = group[f"{end}_node_id"]
            if ids.ndim != 1 or ids.dtype.kind not in "iu":
                raise FormatError(f"{path}: {ids.name} must be a list of whole numbers, its type is {ids.dtype}")
        self.n_edges = int(group["source_node_id"].shape[0])
        if group["target_node_id"].shape != (self.n_edges,):
            raise FormatError(f"{path}: source_node_id and target_node_id of {group.name} differ in length")
        if not all(holds(group[f"{end}_node_id"]) for end in ("source", "target")):
            raise FormatError(f"{path}: {group.name} claims {self.n_edges} edges; the file does not hold them")
        self.source, self.target = (_population(path, group, f"{end}_node_id", sizes) for end in ("source", "target"))
        self._sizes = (sizes[self.source], sizes[self.target])
        self.order = order_of(group, self._sizes[1])
        if "edge_type_id" not in group:
            raise FormatError(f"{path}: {group.name}/edge_type_id is missing")
        self._type_id, _ = ids_column(path, group, "edge_type_id", self.n_edges, None)
        self._group_id, _ = ids_column(path, group, "edge_group_id", self.n_edges, 0)
        _, self._indexed = ids_column(path, group, "edge_group_index", self.n_edges, None)
        groups = [key for key in group if key.isdecimal() and self._group_id in (None, int(key))]
        self._groups = {int(key): Columns.of(path, group[key]) for key in groups}
        if not self._groups:
            if self._group_id or any(key.isdecimal() for key in group):
                raise FormatError(f"{path}: {group.name}/edge_group_id: there is no group {self._group_id}")
            # none is needed where types say everything
            self._groups = {0: Columns(path, f"{group.name}/0", None, {}, single=True)}
        if not self._indexed and (self._group_id is None or len(self._groups) > 1):
            raise FormatError(f"{path}: {group.name}/edge_group_index is missing, and there are several groups")
        for columns in self._groups.values():
            if not self._indexed and columns.n_rows not in (None, self.n_edges):
                raise FormatError(f"{path}: {columns.group} has {columns.n_rows} rows for {self.n_edges} edges")

    def count_types(self) -> dict[int, int]:
        """Return the number of edges of each type."""
        if self._type_id is not None:
            return {self._type_id: self.n_edges}
        counts: dict[int, int] = {}
        with open_hdf5(self.path) as file:
            column = file[f"edges/{self.name}/edge_type_id"]
            for start in range(0, self.n_edges, BLOCK_EDGES):
                for type_id, count in _counted(column[start : start + BLOCK_EDGES]):
                    counts[type_id] = counts.get(type_id, 0) + count
        return counts

    def types_without(self, key: str, types: set[int]) -> set[int]:
        """Return those of some types that have edges in a group without a column of this kind."""
        lacking = np.array([g for g, columns in self._groups.items() if key not in columns.places])
        if not types or not len(lacking) or self._group_id is not None:
            return types if len(lacking) else set()
        found: set[int] = set()
        with open_hdf5(self.path) as file:
            group = file[f"edges/{self.name}"]
            for start in range(0, self.n_edges, BLOCK_EDGES):
                rows = np.isin(group["edge_group_id"][start : start + BLOCK_EDGES], lacking)
                found |= {t for t, _ in _counted(group["edge_type_id"][start : start + BLOCK_EDGES][rows])}
        return found & types

    def single(self, types: Mapping[int, EdgeType]) -> bool:
        """Say whether float32 holds every weight exactly."""
        groups = self._groups.values()
        if any("n_syns" in g.places for g in groups) or any(t.n_syns not in (None, 1.0) for t in types.values()):
            return False
        if "weight" in self.everywhere:
            return all(g.single for g in groups)
        with np.errstate(over="ignore"):
            exact = all(t.weight is None or float(np.float32(t.weight)) == t.weight for t in types.values())
        return exact and all(g.single for g in groups)

    @property
    def everywhere(self) -> frozenset[str]:
        """What every group has a column of: ``weight``, ``delay``, ``n_syns``."""
        return frozenset.intersection(*(frozenset(group.places) for group in self._groups.values()))

    def types_of(self, start: int, end: int) -> int | NDArray[Any]:
        """Return the types of a range of rows; one number where they are known to be the same."""
        if self._type_id is not None:
            return self._type_id
        with open_hdf5(self.path) as file:
            types: NDArray[Any] = file[f"edges/{self.name}/edge_type_id"][start:end]
        return types

    def stretches(self, chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Return ranges of rows that hold all edges onto some of the targets, as the index tells.

        Rows of others between them are left out where there are many.
        """
        if self.order != "target":
            return [(0, self.n_edges)]
        with open_hdf5(self.path) as file:
            nodes, ranges = read_index(file[f"edges/{self.name}/indices/target_to_source"])
        mine = np.flatnonzero((nodes[:, 0] != nodes[:, 1]) & chosen[: len(nodes)])
        if not len(mine):
            return []
        starts, ends = ranges[nodes[mine, 0]].T
        breaks = np.flatnonzero(starts[1:] - ends[:-1] > GAP)
        return list(zip(starts[[0, *(breaks + 1)]].tolist(), ends[[*breaks, -1]].tolist(), strict=True))

    def read(
        self, start: int, end: int, types: int | NDArray[Any], table: Mapping[int, EdgeType], dt: float, dtype: Any
    ) -> EdgeBlock:
        """Read a range of rows whose types are known.

        Parameters
        ----------
        types
            As :meth:`types_of` returned them.
        table
            All types that occur, by id.
        dt
            Resolution in ms.
        dtype
            Of the weights.
        """
        # Opened anew for each block: pieces may be called at any time, in any thread.
        with open_hdf5(self.path) as file:
            group = file[f"edges/{self.name}"]
            source, target = (group[f"{end_}_node_id"][start:end] for end_ in ("source", "target"))
            self._check_ids(source, target, start, end)
            parts = self._parts(group, start, end)
            if len(parts) == 1:
                weight, delay = self._values(file, *parts[0][:2], types, table, end - start)
            else:
                weight, delay = np.empty(end - start, dtype), np.empty(end - start)
                for columns, rows, where in parts:
                    here = types if isinstance(types, int) else types[where]
                    weight[where], delay[where] = self._values(file, columns, rows, here, table, len(where))
        return EdgeBlock(
            source.astype(np.uint32, copy=False),
            target.astype(np.uint32, copy=False),
            self._finite(weight, "syn_weight", start).astype(dtype, copy=False),
            self._steps(self._finite(delay, "delay", start), start, dt),
        )

    def _parts(self, group: h5py.Group, start: int, end: int) -> list[tuple[Columns, Rows, Any]]:
        """Return for each group its columns, the rows in it, and where these belong in the block."""
        used: list[tuple[int, Any]] = []
        if self._group_id is None:
            ids = group["edge_group_id"][start:end]
            used = [(g, np.flatnonzero(ids == g)) for g, _ in _counted(ids)]
        if len(used) < 2:
            used = [(used[0][0] if used else self._group_id or 0, slice(None))]
        index = group["edge_group_index"][start:end] if self._indexed else None
        parts: list[tuple[Columns, Rows, Any]] = []
        for g, where in used:
            if g not in self._groups:
                raise FormatError(f"{self.path}: {group.name}/edge_group_id: there is no group {g}")
            parts.append((self._groups[g], _rows(index[where]) if index is not None else slice(start, end), where))
        return parts

    def _values(
        self,
        file: h5py.File,
        columns: Columns,
        rows: Rows,
        types: int | NDArray[Any],
        table: Mapping[int, EdgeType],
        n_rows: int,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return weights and delays (ms) of some rows of a group."""
        weight, delay, n_syns = (columns.read(file, key, rows, types, table) for key in ("weight", "delay", "n_syns"))
        if isinstance(n_syns, np.ndarray) or n_syns != 1.0:
            weight = np.asarray(weight, np.float64) * n_syns
        return np.broadcast_to(weight, n_rows), np.broadcast_to(delay, n_rows)

    def _check_ids(self, source: NDArray[Any], target: NDArray[Any], start: int, end: int) -> None:
        for ids, size, which in ((source, self._sizes[0], "source"), (target, self._sizes[1], "target")):
            if len(ids) and (int(ids.max()) >= size or int(ids.min()) < 0):
                raise FormatError(
                    f"{self.path}: {which}_node_id of edges {start} to {end} is not below the population's size {size}"
                )
        if self.order == "target" and (target[1:] < target[:-1]).any():
            raise FormatError(
                f"{self.path}: target_node_id of edges {start} to {end} is not sorted, "
                "but the index target_to_source says so"
            )

    def _finite(self, values: NDArray[Any], name: str, start: int) -> NDArray[Any]:
        if not np.isfinite(values).all():
            row = start + int(np.flatnonzero(~np.isfinite(values))[0])
            raise FormatError(f"{self.path}: {name} of edge {row} is not a finite number")
        return values

    def _steps(self, delay: NDArray[Any], start: int, dt: float) -> NDArray[np.int32]:
        if len(delay) and float(delay.max()) > MAX_DELAY:
            row = start + int(np.argmax(delay))
            raise FormatError(f"{self.path}: delay of edge {row} is above {MAX_DELAY:g} ms")
        steps = round_delays(delay.astype(np.float64), dt)
        if len(steps) and int(steps.min()) < 1:
            row = start + int(np.argmin(steps))
            raise FormatError(f"{self.path}: delay of edge {row} is below half the resolution ({dt:g} ms)")
        return steps


def _rows(index: NDArray[Any]) -> Rows:
    """Return the rows of a group as a range where they are one."""
    rows = index.astype(np.int64, copy=False)
    first = int(rows[0])
    contiguous = np.array_equal(rows, np.arange(first, first + len(rows)))
    return slice(first, first + len(rows)) if contiguous else rows


def _counted(values: NDArray[Any]) -> list[tuple[int, int]]:
    """Return the different values and how often each occurs."""
    if not len(values):
        return []
    low, high = int(values.min()), int(values.max())
    if high - low < _MAX_COUNTED:
        counts = np.bincount((values - values.dtype.type(low)).astype(np.int64, copy=False))
        return [(low + int(k), int(counts[k])) for k in np.flatnonzero(counts)]
    unique, counts = np.unique(values, return_counts=True)
    return [(int(value), int(count)) for value, count in zip(unique, counts, strict=True)]


def _population(path: Path, group: h5py.Group, dataset: str, sizes: Mapping[str, int]) -> str:
    name = group[dataset].attrs.get(sonata.NODE_POPULATION)
    name = name.decode() if isinstance(name, bytes) else name
    if not isinstance(name, str) or name not in sizes:
        raise FormatError(
            f"{path}: {group.name}/{dataset}: attribute {sonata.NODE_POPULATION} is {name!r}, known: {', '.join(sizes)}"
        )
    return name
