"""Readers of the HDF5 form of a network; connections stay in the file until they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.formats.neuroml import hdf5 as layout
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, Edges, Piece

from .collected import Collected, check_size
from .columns import Delays
from .document import InputListElement, PopulationElement
from .hdf5_table import Hdf5Table, Rows, member, names_in, required_text, text
from .xml import Node, parse_xml

__all__ = ["read_hdf5"]

_SOURCE, _TARGET, _WEIGHT, _DELAY = layout.CONNECTIONS
#: Beginnings of the names of input lists: today's and an older one.
_INPUT_LISTS = (layout.INPUT_LIST, "input_list_")


def read_hdf5(path: Path, collected: Collected, document: Node) -> None:
    """Read a file.

    Parameters
    ----------
    path
        The file.
    collected
        Takes what is found.
    document
        Reads the document around the network, which is XML in an attribute.

    Raises
    ------
    FormatError
    """
    with open_hdf5(path) as file:
        root = member(path, file, layout.ROOT)
        around = text(root, layout.TOP_LEVEL)
        if around:
            parse_xml(f"{path}:{root.name}/{layout.TOP_LEVEL}", [around.encode()], document)
        if layout.NETWORK in root:
            _read_network(path, member(path, root, layout.NETWORK), collected)


def _read_network(path: Path, network: h5py.Group, collected: Collected) -> None:
    place = f"{path}:{network.name}"
    if not collected.begins(required_text(path, network, "id"), path, place):
        return
    collected.notes = text(network, "notes") or ""
    collected.properties.update(_properties(network))
    others = []
    for name in names_in(path, network):
        group = member(path, network, name)
        if not isinstance(group, h5py.Group):
            collected.add_unknown(name, "", place)
        elif name.startswith(layout.POPULATION):
            collected.add_population(_population(path, group))
        else:
            others.append((name, group))
    for name, group in others:
        if name.startswith(layout.PROJECTION):
            _read_projection(path, group, collected)
        elif name.startswith(_INPUT_LISTS):
            collected.add_inputs(_input_list(path, group, collected))
        else:
            collected.add_unknown(name, "", place)


def _population(path: Path, group: h5py.Group) -> PopulationElement:
    place = f"{path}:{group.name}"
    table = Hdf5Table.of(path, group, layout.LOCATIONS, ())
    given = group.attrs.get("size")
    given = int(given) if isinstance(given, int | np.integer) else None
    size = given if table is None else table.n_rows
    if size is None or size < 0 or given not in (None, size):
        raise FormatError(f"{place}: the size is {given}, with {table.n_rows if table else 'no'} locations")
    check_size(size, place)
    positions = None if table is None else table.read(0, size).positions()
    identifier, component = (required_text(path, group, name) for name in ("id", "component"))
    return PopulationElement(identifier, component, size, positions, _properties(group), place)


def _read_projection(path: Path, group: h5py.Group, collected: Collected) -> None:
    place = f"{path}:{group.name}"
    kind = text(group, "type") or "projection"
    name = required_text(path, group, "id")
    if kind != "projection":
        collected.add_unknown(kind, name, place)
        return
    source, target = (required_text(path, group, f"{end}synapticPopulation") for end in ("pre", "post"))
    sizes = _size(collected, source, place), _size(collected, target, place)
    table = Hdf5Table.of(path, group, (_SOURCE, _TARGET), layout.CONNECTIONS)
    edges = None if table is None else Hdf5Edges(table, name, (source, target), sizes, collected.delays)
    collected.add_projection(name, source, target, required_text(path, group, "synapse"), place, edges)


class Hdf5Edges(Edges):
    """The connections of one projection.

    Parameters
    ----------
    table
        The table of them.
    name
        Of the projection.
    ends, sizes
        Source and target population, and numbers of their cells.
    delays
        Rounds delays.
    """

    def __init__(
        self, table: Hdf5Table, name: str, ends: tuple[str, str], sizes: tuple[int, int], delays: Delays
    ) -> None:
        super().__init__(name, *ends, table.n_rows, "none", np.dtype(np.float64))
        if table.single and max(sizes) > layout.MAX_ID:
            raise FormatError(f"{table.path}:{table.name}: float32 cannot number {max(sizes)} cells")
        self._table, self._sizes, self._delays = table, sizes, delays

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that each read one range of rows."""
        for start in range(0, self.n_edges, max_edges):
            yield partial(self._read, start, min(start + max_edges, self.n_edges))

    def _read(self, start: int, end: int) -> EdgeBlock:
        rows = self._table.read(start, end)
        source, target = rows.ids(_SOURCE, self._sizes[0]), rows.ids(_TARGET, self._sizes[1])
        return EdgeBlock(source, target, rows.weights(), self._steps(rows))

    def _steps(self, rows: Rows) -> NDArray[np.int32]:
        delay = rows[_DELAY].astype(np.float64) if _DELAY in rows.columns else np.zeros(len(rows))
        try:
            return self._delays.steps(delay)
        except ValueError as error:
            raise FormatError(f"{rows.place}: {_DELAY} {error}") from None


def _input_list(path: Path, group: h5py.Group, collected: Collected) -> InputListElement:
    place = f"{path}:{group.name}"
    identifier, component, population = (required_text(path, group, n) for n in ("id", "component", "population"))
    size = _size(collected, population, place)
    table = Hdf5Table.of(path, group, ("target_cell_id",), layout.WEIGHTED_INPUTS)
    if table is None:
        return InputListElement(identifier, population, component, np.empty(0, np.uint32), None, place)
    check_size(table.n_rows, place)
    rows = table.read(0, table.n_rows)
    weights = rows.weights() if _WEIGHT in table.columns else None
    return InputListElement(identifier, population, component, rows.ids("target_cell_id", size), weights, place)


def _size(collected: Collected, population: str, place: str) -> int:
    if population not in collected.populations:
        raise FormatError(f"{place}: there is no population {population!r:.80}")
    return collected.populations[population].size


def _properties(group: h5py.Group) -> dict[str, str]:
    tags = [name for name in group.attrs if name.startswith(layout.PROPERTY)]
    return {name.removeprefix(layout.PROPERTY): text(group, name) or "" for name in tags}
