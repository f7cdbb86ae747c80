"""Reading the edges of one population, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from mc_interchange.errors import FormatError
from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, Edges
from mc_interchange.instance.edges import Order, Piece
from mc_interchange.instance.sampling import round_delays

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

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that each read one slice of the file."""
        for start in range(0, self.n_edges, max_edges):
            yield partial(self._read, start, min(start + max_edges, self.n_edges))

    def _read(self, start: int, end: int) -> EdgeBlock:
        # Opened anew for each block: pieces may be called at any time, in any thread.
        with open_hdf5(self._path) as file:
            group = file[f"edges/{self.name}"]
            source, target, weight, delay = (group[name][start:end] for name in _NEEDED)
        for ids, size, which in ((source, self._sizes[0], "source"), (target, self._sizes[1], "target")):
            if len(ids) and (int(ids.max()) >= size or int(ids.min()) < 0):
                raise FormatError(
                    f"{self._path}: {which}_node_id of edges {start} to {end} is not below the population's size {size}"
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


def _order(group: h5py.Group) -> Order:
    """Tell from the index whether edges are sorted by target: then each target has one range at most."""
    index = group.get("indices/target_to_source/range_to_edge_id")
    if index is None or index.shape[0] > group["source_node_id"].shape[0]:
        return "none"
    ranges = index[:] if index.shape[0] <= 10**6 else None
    if ranges is not None and len(ranges) and np.array_equal(ranges[1:, 0], ranges[:-1, 1]):
        nodes = group["indices/target_to_source/node_id_to_ranges"][:]
        if np.all(nodes[:, 1] - nodes[:, 0] <= 1):
            return "target"
    return "none"


def open_edges(path: Path, sizes: dict[str, int], dt: float) -> list[SonataEdges]:
    """Open every edge population of a file.

    Parameters
    ----------
    sizes
        Size of every node population.
    dt
        Resolution in ms, to which delays are rounded.

    Raises
    ------
    FormatError
    """
    found = []
    with open_hdf5(path) as file:
        for name, group in file["edges"].items():
            layout = Layout(path, group)
            ends = tuple(_population(path, group, f"{end}_node_id", sizes) for end in ("source", "target"))
            assert len(ends) == 2
            if layout.n_edges:
                found.append(SonataEdges(path, name, ends, (sizes[ends[0]], sizes[ends[1]]), dt, layout))
    return found


def _population(path: Path, group: h5py.Group, dataset: str, sizes: dict[str, int]) -> str:
    name = group[dataset].attrs.get("node_population")
    name = name.decode() if isinstance(name, bytes) else name
    if not isinstance(name, str) or name not in sizes:
        raise FormatError(
            f"{path}: {group.name}/{dataset}: attribute node_population is {name!r}, known: {', '.join(sizes)}"
        )
    return name
