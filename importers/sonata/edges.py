"""Reading the edges of a file as projections, block by block."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats.hdf5 import items_of, open_hdf5
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, Edges, Piece
from mc_interchange.instance.edges import onto

from .config import SonataWarning, read_types
from .edge_table import EdgeTable
from .edge_types import EdgeType, edge_type

__all__ = ["SonataEdges", "open_edges"]

#: ms; what NEST, and so bmtk, gives synapses without a delay.
DEFAULT_DELAY = 1.0


class SonataEdges(Edges):
    """The edges of one population, or those with one kind of synapse; see :func:`open_edges`.

    Parameters
    ----------
    table
        The edges as the file holds them.
    types
        All types that occur in it.
    chosen
        Those of this projection.
    n_edges
        How many edges these have.
    dt
        Resolution in ms.
    """

    def __init__(
        self,
        name: str,
        table: EdgeTable,
        types: Mapping[int, EdgeType],
        chosen: tuple[int, ...],
        n_edges: int,
        dt: float,
    ) -> None:
        given = {type_id: types[type_id] for type_id in chosen}
        dtype = np.dtype(np.float32 if table.single(given) else np.float64)
        super().__init__(name, table.source, table.target, n_edges, table.order, dtype, types[chosen[0]].synapse)
        self._table = table
        self._types = types
        self._chosen = None if len(chosen) == len(types) else np.array(chosen)
        self._dt = dt

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that each read one range of the file, as far as it holds edges of this projection."""
        return self._pieces([(0, self._table.n_edges)], max_edges)

    def pieces_onto(self, chosen: NDArray[np.bool_], max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield the synapses onto some of the targets; where an index tells, other rows are left out."""
        with open_hdf5(self._table.path):  # kept open: opening it anew takes longer than reading a short stretch
            for piece in self._pieces(self._table.stretches(chosen), max_edges):
                yield partial(onto, piece, chosen)

    def _pieces(self, stretches: list[tuple[int, int]], max_edges: int) -> Iterator[Piece]:
        for first, last in stretches:
            for start in range(first, last, max_edges):
                end = min(start + max_edges, last)
                if self._chosen is None or np.isin(self._table.types_of(start, end), self._chosen).any():
                    yield partial(self._read, start, end)

    def _read(self, start: int, end: int) -> EdgeBlock:
        types = self._table.types_of(start, end)
        block = self._table.read(start, end, types, self._types, self._dt, self.weight_dtype)
        if self._chosen is None:
            return block
        mine = np.flatnonzero(np.isin(types, self._chosen))
        return EdgeBlock(block.source[mine], block.target[mine], block.weight[mine], block.delay[mine])


def open_edges(
    path: Path, types_file: Path | None, models: Path, sizes: Mapping[str, int], dt: float
) -> list[SonataEdges]:
    """Open every edge population of a file; one that has several kinds of synapses gives several projections.

    Parameters
    ----------
    path, types_file
        HDF5 and CSV file.
    models
        Directory of the synapse models.
    sizes
        Number of nodes by population, with the names of the files.
    dt
        Resolution in ms.

    Returns
    -------
    list
        Projections with the names of the files; they are not read yet, apart from the types of their edges.

    Raises
    ------
    FormatError
    """
    rows = read_types(types_file, "edge") if types_file else {}
    with open_hdf5(path) as file:
        tables = [EdgeTable(path, name, group, sizes) for name, group in items_of(file["edges"])]
    return [
        edges
        for table in tables
        if table.n_edges
        for edges in _projections(table, _types(table, types_file or path, rows, models), dt)
    ]


def _types(
    table: EdgeTable, file: Path, rows: Mapping[int, Mapping[str, str]], models: Path
) -> dict[int, tuple[EdgeType, int]]:
    """Return the types that occur, with their defaults filled in, and the number of edges of each."""
    found = {}
    counts = table.count_types()
    for type_id in counts:
        if type_id not in rows:
            raise FormatError(f"{file}: the edge type {type_id} of edge population {table.name} is not listed")
        found[type_id] = edge_type(file, table.name, type_id, rows[type_id], models)
    unweighted = table.types_without("weight", {i for i, entry in found.items() if entry.weight is None})
    if unweighted:
        raise FormatError(f"{file}: edges of {table.name} (type {_listed(unweighted)}) have no syn_weight")
    undelayed = table.types_without("delay", {i for i, entry in found.items() if entry.delay is None})
    if undelayed:
        message = (
            f"{table.path}: edges of {table.name} (type {_listed(undelayed)}) have no delay; {DEFAULT_DELAY:g} ms "
            "is taken, NEST's default"
        )
        warnings.warn(message, SonataWarning, stacklevel=2)
    return {
        type_id: (
            replace(
                entry,
                delay=DEFAULT_DELAY if entry.delay is None else entry.delay,
                n_syns=1.0 if entry.n_syns is None else entry.n_syns,
            ),
            counts[type_id],
        )
        for type_id, entry in found.items()
    }


def _listed(types: set[int]) -> str:
    return ", ".join(map(str, sorted(types)))


def _projections(table: EdgeTable, types: Mapping[int, tuple[EdgeType, int]], dt: float) -> list[SonataEdges]:
    kinds: dict[Any, list[int]] = {}
    for type_id, (entry, _) in sorted(types.items()):
        synapse = entry.synapse
        kinds.setdefault((synapse.model, synapse.receptor, *sorted(synapse.parameters.items())), []).append(type_id)
    entries = {type_id: entry for type_id, (entry, _) in types.items()}
    return [
        SonataEdges(
            table.name if len(kinds) == 1 else f"{table.name}_{chosen[0]}",
            table,
            entries,
            tuple(chosen),
            sum(types[type_id][1] for type_id in chosen),
            dt,
        )
        for chosen in kinds.values()
    ]
