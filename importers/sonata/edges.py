"""Reading the edges of one population, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, Edges
from mc_interchange.instance.edges import Order, Piece
from mc_interchange.instance.sampling import round_delays

from .config import read_types

__all__ = ["SonataEdges", "open_edges"]

#: Longer delays are taken for damage; they would need as many steps of buffer in a simulator.
MAX_DELAY = 1e6
_NEEDED = ("source_node_id", "target_node_id", "0/syn_weight", "0/delay")


class SonataEdges(Edges):
    """The synapses of one SONATA edge population; see :func:`open_edges`."""

    def __init__(
        self, path: Path, population: str, ends: tuple[str, str], sizes: tuple[int, int], dt: float, layout: Layout
    ) -> None:
        super().__init__(population, *ends, layout.n_edges, layout.order, layout.weight_dtype)
        self._path = path
        self._sizes = sizes
        self._dt = dt
        self._constants = layout.constants

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that each read one slice of the file."""
        for start in range(0, self.n_edges, max_edges):
            yield partial(self._read, start, min(start + max_edges, self.n_edges))

    def _read(self, start: int, end: int) -> EdgeBlock:
        # Opened anew for each block: pieces may be called at any time, in any thread.
        with open_hdf5(self._path) as file:
            group = file[f"edges/{self.name}"]
            source, target, weight, delay = (group[name][start:end] for name in _NEEDED)
            self._check_groups(group, start, end)
        for ids, size, which in ((source, self._sizes[0], "source"), (target, self._sizes[1], "target")):
            if len(ids) and (int(ids.max()) >= size or int(ids.min()) < 0):
                raise FormatError(
                    f"{self._path}: {which}_node_id of edges {start} to {end} is not below the population's size {size}"
                )
        if self.order == "target" and (target[1:] < target[:-1]).any():
            raise FormatError(
                f"{self._path}: target_node_id of edges {start} to {end} is not sorted, "
                "but the index target_to_source says so"
            )
        for values, name in ((weight, "syn_weight"), (delay, "delay")):
            if not np.isfinite(values).all():
                row = start + int(np.flatnonzero(~np.isfinite(values))[0])
                raise FormatError(f"{self._path}: {name} of edge {row} is not a finite number")
        if len(delay) and float(delay.max()) > MAX_DELAY:
            row = start + int(np.argmax(delay))
            raise FormatError(f"{self._path}: delay of edge {row} is above {MAX_DELAY:g} ms")
        steps = round_delays(delay.astype(np.float64), self._dt)
        if len(steps) and int(steps.min()) < 1:
            row = start + int(np.argmin(steps))
            raise FormatError(f"{self._path}: delay of edge {row} is below half the resolution ({self._dt:g} ms)")
        return EdgeBlock(
            source.astype(np.uint32, copy=False),
            target.astype(np.uint32, copy=False),
            weight.astype(self.weight_dtype, copy=False),
            steps,
        )

    def _check_groups(self, group: h5py.Group, start: int, end: int) -> None:
        """Refuse types and groups that would give edges another meaning than that of their row."""
        for name, value in self._constants.items():
            if (group[name][start:end] != value).any():
                raise FormatError(f"{self._path}: {group.name}/{name} must be {value} throughout: one is supported")
        index = group.get("edge_group_index")
        if index is not None and not np.array_equal(index[start:end], np.arange(start, end)):
            raise FormatError(
                f"{self._path}: {group.name}/edge_group_index of edges {start} to {end} must be the number of the edge"
            )


class Layout:
    """What a look at an edge population's datasets tells, without reading them."""

    def __init__(self, path: Path, group: h5py.Group) -> None:
        missing = [name for name in _NEEDED if name not in group]
        if missing:
            raise FormatError(f"{path}: {group.name}/{missing[0]} is missing")
        lengths = {name: group[name].shape for name in _NEEDED}
        if any(len(shape) != 1 for shape in lengths.values()) or len(set(lengths.values())) != 1:
            raise FormatError(f"{path}: the datasets of {group.name} differ in length: {lengths}")
        self.n_edges = int(group["source_node_id"].shape[0])
        for name in _NEEDED:
            kind = group[name].dtype.kind
            if kind not in ("iu" if name.endswith("_id") else "f"):
                raise FormatError(f"{path}: {group.name}/{name} has the type {group[name].dtype}")
        single = group["0/syn_weight"].dtype == np.float32
        self.weight_dtype = np.dtype(np.float32 if single else np.float64)
        self.order = _order(group)
        groups = sorted(name for name in group if name.isdecimal())
        if groups != ["0"]:
            raise FormatError(f"{path}: {group.name} has the groups {', '.join(groups)}; only one, 0, is supported")
        #: Columns that must be the same throughout, with that value, as far as blocks must be looked at.
        self.constants: dict[str, int] = {}
        self.edge_type_id = -1
        for name in ("edge_type_id", "edge_group_id"):
            if name not in group:
                if name == "edge_type_id":
                    raise FormatError(f"{path}: {group.name}/{name} is missing")
                continue
            column = group[name]
            if column.shape != (self.n_edges,) or column.dtype.kind not in "iu":
                raise FormatError(f"{path}: {group.name}/{name} must hold {self.n_edges} whole numbers")
            if name == "edge_type_id" and self.n_edges:
                self.edge_type_id = int(column[0])
            value = self.edge_type_id if name == "edge_type_id" else 0
            # what was never written has one value, the fill value
            if column.id.get_storage_size() or int(column.fillvalue) != value:
                self.constants[name] = value


def _order(group: h5py.Group) -> Order:
    """Tell from the index whether edges are sorted by target: each target then has the range after the last one's."""
    index = group.get("indices/target_to_source")
    if index is None or "range_to_edge_id" not in index:
        return "none"
    # the specification's name, and bmtk's
    tables = [index[name] for name in ("node_id_to_ranges", "node_id_to_range") if name in index]
    if not tables or any(t.ndim != 2 or t.shape[1] != 2 for t in (tables[0], index["range_to_edge_id"])):
        return "none"
    if index["range_to_edge_id"].shape[0] > tables[0].shape[0]:
        return "none"
    nodes, ranges = (table[:].astype(np.int64) for table in (tables[0], index["range_to_edge_id"]))
    nodes = nodes[nodes[:, 0] != nodes[:, 1]]
    rows = nodes[:, 0]
    if not len(rows) or (nodes[:, 1] - rows != 1).any() or rows.min() < 0 or rows.max() >= len(ranges):
        return "none"
    starts, ends = ranges[rows].T
    ascending = np.array_equal(starts[1:], ends[:-1]) and bool((starts <= ends).all())
    complete = starts[0] == 0 and ends[-1] == group["source_node_id"].shape[0]
    return "target" if ascending and complete else "none"


def open_edges(path: Path, types_file: Path, sizes: dict[str, int], dt: float) -> list[SonataEdges]:
    """Open every edge population of a file.

    Parameters
    ----------
    path, types_file
        HDF5 and CSV file.
    sizes
        Size of every node population.
    dt
        Resolution in ms, to which delays are rounded.

    Raises
    ------
    FormatError
    """
    found = []
    types = read_types(types_file, "edge")
    with open_hdf5(path) as file:
        for name, group in file["edges"].items():
            layout = Layout(path, group)
            ends = tuple(_population(path, group, f"{end}_node_id", sizes) for end in ("source", "target"))
            assert len(ends) == 2
            if layout.n_edges:
                _check_type(types_file, name, layout.edge_type_id, types)
                found.append(SonataEdges(path, name, ends, (sizes[ends[0]], sizes[ends[1]]), dt, layout))
    return found


def _check_type(path: Path, name: str, edge_type_id: int, types: dict[int, dict[str, str]]) -> None:
    if edge_type_id not in types:
        raise FormatError(f"{path}: the edge type {edge_type_id} of edge population {name} is not listed")
    template = types[edge_type_id].get("model_template")
    if template not in (sonata.STATIC_SYNAPSE, f"nest:{sonata.STATIC_SYNAPSE}"):
        raise FormatError(
            f"{path}: edge population {name} has the synapse model {template!r}; supported: {sonata.STATIC_SYNAPSE}"
        )


def _population(path: Path, group: h5py.Group, dataset: str, sizes: dict[str, int]) -> str:
    name = group[dataset].attrs.get("node_population")
    name = name.decode() if isinstance(name, bytes) else name
    if not isinstance(name, str) or name not in sizes:
        raise FormatError(
            f"{path}: {group.name}/{dataset}: attribute node_population is {name!r}, known: {', '.join(sizes)}"
        )
    return name
