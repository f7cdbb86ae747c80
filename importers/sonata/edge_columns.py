"""Where the values of an edge population stand: columns of its groups, its type table, and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError

from .edge_types import EdgeType
from .gather import Rows, gather

__all__ = ["Columns", "ids_column"]

#: Places of a value in a group, in the order in which they count.
_PLACES = {
    "weight": ("syn_weight", "dynamics_params/syn_weight", "dynamics_params/weight"),
    "delay": ("delay", "dynamics_params/delay"),
    "n_syns": ("nsyns",),
}
#: What would change the synapse of single edges, which projections cannot hold.
_PER_TYPE_ONLY = ("model_template", "weight_function")


@dataclass(frozen=True)
class Columns:
    """The columns of one group of an edge population.

    Parameters
    ----------
    path
        Path of the file.
    group
        The group's path in it.
    n_rows
        Its length; None: it has no columns.
    places
        Where the group holds ``weight``, ``delay`` and ``n_syns``, as far as it does.
    single
        Whether its weights are float32.
    """

    path: Path
    group: str
    n_rows: int | None
    places: Mapping[str, str]
    single: bool

    @classmethod
    def of(cls, path: Path, group: h5py.Group) -> Columns:
        """Look at a group without reading it."""
        refused = [name for name in _PER_TYPE_ONLY if name in group]
        own = group.get("dynamics_params", {})
        known = {place.partition("/")[2] for places in _PLACES.values() for place in places}
        refused += [f"dynamics_params/{name}" for name in own if name not in known]
        if refused:
            raise FormatError(f"{path}: {group.name}/{refused[0]} is given edge by edge; only edge types can have it")
        places = {key: next((p for p in names if p in group), None) for key, names in _PLACES.items()}
        found = {key: place for key, place in places.items() if place is not None}
        lengths = {place: group[place].shape for place in found.values()}
        if any(len(shape) != 1 for shape in lengths.values()) or len(set(lengths.values())) > 1:
            raise FormatError(f"{path}: the datasets of {group.parent.name} differ in length: {lengths}")
        for place in found.values():
            if group[place].dtype.kind not in "fiu":
                raise FormatError(f"{path}: {group.name}/{place} has the type {group[place].dtype}")
        return cls(
            path,
            group.name,
            next((int(shape[0]) for shape in lengths.values()), None),
            found,
            "weight" not in found or group[found["weight"]].dtype == np.float32,
        )

    def read(
        self, file: h5py.File, key: str, rows: Rows, types: int | NDArray[Any], table: Mapping[int, EdgeType]
    ) -> Any:
        """Return the values of some rows: an array from the group, else what their types say (NaN: nothing)."""
        if key in self.places:
            return gather(self.path, file[f"{self.group}/{self.places[key]}"], rows, "edge_group_index")
        if isinstance(types, int):
            value = getattr(table[types], key)
            return np.nan if value is None else value
        ids = sorted(table)
        values = np.array([getattr(table[i], key) for i in ids], np.float64)  # None becomes NaN
        return values[0] if (values == values[0]).all() else values[np.searchsorted(ids, types)]


def ids_column(path: Path, group: h5py.Group, name: str, n_edges: int, default: int | None) -> tuple[int | None, bool]:
    """Look at a column of whole numbers.

    Returns
    -------
    tuple
        Its only value where that is known without reading it (None else), and whether it is there.
    """
    if name not in group:
        return default, False
    column = group[name]
    if column.shape != (n_edges,) or column.dtype.kind not in "iu":
        raise FormatError(f"{path}: {group.name}/{name} must hold {n_edges} whole numbers")
    # what was never written has one value, the fill value
    return (None if column.id.get_storage_size() else int(column.fillvalue)), True
