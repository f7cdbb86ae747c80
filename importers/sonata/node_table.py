"""The nodes of one population as its file and its type table hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats.hdf5 import holds, items_of, open_hdf5

from .config import read_types
from .gather import gather

__all__ = ["NodeTable", "Texts", "open_nodes"]

#: Ids have 32 bits in edge blocks.
MAX_NODES = 2**32
#: Populations without any stored column may have so many nodes; larger ones are taken for damage.
_MAX_UNSTORED = 2**24


@dataclass(frozen=True)
class Texts:
    """A property that is a text.

    Parameters
    ----------
    codes : ndarray, shape (size,), int64
        Index in ``values`` of each node.
    values
        The different texts; None: no value.
    """

    codes: NDArray[np.int64]
    values: tuple[str | None, ...]


def open_nodes(path: Path, types_file: Path | None, declared: Mapping[str, str]) -> list[NodeTable]:
    """Open every population of a node file.

    Parameters
    ----------
    path, types_file
        HDF5 file, and CSV file if there is one.
    declared
        Model types by population, for nodes that have none in either file.

    Raises
    ------
    FormatError
    """
    types = read_types(types_file, "node") if types_file else {}
    with open_hdf5(path) as file:
        return [NodeTable(path, name, group, types, declared.get(name)) for name, group in items_of(file["nodes"])]


class NodeTable:
    """Nodes with their properties, in the order of their ids; what the HDF5 file gives replaces the type table.

    Parameters
    ----------
    path, name
        The file and the population's name in it.
    group
        The population.
    types
        Rows of the type table by type id.
    model_type
        Of nodes that have none in either file.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        group: h5py.Group,
        types: Mapping[int, Mapping[str, str]],
        model_type: str | None = None,
    ) -> None:
        self.path = path
        self.model_type = model_type
        self.name = name
        self._types = types
        self.size = _size(path, group)
        row = self._rows(group)
        self.type_ids = self._column(group, "node_type_id")[row]
        self._used_types, self._type_codes = np.unique(self.type_ids, return_inverse=True)
        unknown = [int(t) for t in self._used_types if int(t) not in types] if types else []
        if unknown:
            raise FormatError(
                f"{path}: the node type {unknown[0]} of population {name} is not listed in its type table"
            )
        self.group_ids = self._column(group, "node_group_id", 0)[row]
        index = self._column(group, "node_group_index", None)
        self._group_index = row if index is None else index[row]
        present = {int(key) for key in group if key.isdecimal()} or {0}
        missing = [int(g) for g in np.unique(self.group_ids) if int(g) not in present]
        if missing:
            raise FormatError(f"{path}: {group.name}/node_group_id: there is no group {missing[0]}")
        self._groups = {g: np.flatnonzero(self.group_ids == g) for g in sorted(present)}

    def _column(self, group: h5py.Group, name: str, default: int | None = -1) -> Any:
        if name not in group and default != -1:
            return default if default is None else np.full(self.size, default, np.int64)
        column = group[name]
        if column.shape != (self.size,) or column.dtype.kind not in "iu":
            raise FormatError(f"{self.path}: {group.name}/{name} must hold {self.size} whole numbers")
        return column[:].astype(np.int64)

    def _rows(self, group: h5py.Group) -> NDArray[np.int64]:
        """Return the row of each node: ids may come in any order, but each from 0 on once."""
        ids = self._column(group, "node_id", None)
        rows = np.arange(self.size)
        if ids is None or np.array_equal(ids, rows):
            return rows
        order = np.argsort(ids, kind="stable")
        if not np.array_equal(ids[order], rows):
            raise FormatError(f"{self.path}: {group.name}/node_id must hold each id from 0 to {self.size - 1} once")
        return order

    def texts(self, name: str) -> Texts:
        """Return a property that is a text, such as ``model_template``."""
        codes = self._type_codes.astype(np.int64)
        values = [self._types.get(int(t), {}).get(name) for t in self._used_types]
        for members, found in self._stored(name):
            unique, inverse = np.unique(found.astype(str), return_inverse=True)
            codes[members] = len(values) + inverse
            values += [str(value) for value in unique]
        return Texts(codes, tuple(values))

    def parameters(self) -> dict[str, NDArray[np.float64]]:
        """Return ``dynamics_params`` of the HDF5 file: shape (size,) or (size, n) each, NaN for nodes without."""
        found: dict[str, NDArray[np.float64]] = {}
        with open_hdf5(self.path) as file:
            for g in self._groups:
                properties = file[f"nodes/{self.name}"].get(str(g), {})
                own = properties.get("dynamics_params", {})
                for name in own if isinstance(own, h5py.Group) else ():
                    values = self._numbers(own[name], self._groups[g])
                    shape = (self.size, *values.shape[1:])
                    column = found.setdefault(name, np.full(shape, np.nan))
                    if column.shape != shape:
                        raise FormatError(f"{self.path}: {own.name}/{name} has another shape than in other groups")
                    column[self._groups[g]] = values
        return found

    def positions(self) -> NDArray[np.float64] | None:
        """Return x, y, z of each node, shape (size, 3); None where some have none."""
        places = np.full((self.size, 3), np.nan)
        with open_hdf5(self.path) as file:
            for g, members in self._groups.items():
                properties = file[f"nodes/{self.name}"].get(str(g), {})
                if "positions" in properties:
                    places[members] = self._numbers(properties["positions"], members)
                elif all(axis in properties for axis in "xyz"):
                    places[members] = np.stack([self._numbers(properties[a], members) for a in "xyz"], axis=1)
        return None if np.isnan(places).any() else places

    def matches(self, name: str, wanted: Sequence[Any]) -> NDArray[np.bool_] | None:
        """Say which nodes have one of some values of a property; None where no node has the property."""
        known = any(name in self._types.get(int(t), {}) for t in self._used_types)
        of_type = [_equals(self._types.get(int(t), {}).get(name), wanted) for t in self._used_types]
        mask = np.array(of_type, bool)[self._type_codes]
        for members, found in self._stored(name):
            known = True
            if found.dtype.kind in "fiub":
                numbers = [value for value in wanted if isinstance(value, int | float)]
                mask[members] = np.isin(found, numbers)
            else:
                mask[members] = np.isin(found.astype(str), [str(value) for value in wanted])
        return mask if known else None

    def _stored(self, name: str) -> list[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Read a property from every group of the HDF5 file that has it: members of the group, and their values."""
        found = []
        with open_hdf5(self.path) as file:
            for g, members in self._groups.items():
                properties = file[f"nodes/{self.name}"].get(str(g), {})
                if isinstance(properties.get(name), h5py.Dataset):
                    values = self._take(properties[name], members)
                    library = properties.get(f"@library/{name}")
                    if library is not None:
                        used, codes = np.unique(values.astype(np.int64), return_inverse=True)
                        values = _decoded(gather(self.path, library, used, f"{g}/{name}"))[codes]
                    else:
                        values = _decoded(values)
                    found.append((members, values))
        return found

    def _take(self, dataset: h5py.Dataset, members: NDArray[np.int64]) -> NDArray[Any]:
        return gather(self.path, dataset, self._group_index[members], "node_group_index")

    def _numbers(self, dataset: h5py.Dataset, members: NDArray[np.int64]) -> NDArray[np.float64]:
        values = self._take(dataset, members)
        if values.dtype.kind not in "fiub" or values.ndim > 2 or not np.isfinite(values).all():
            raise FormatError(f"{self.path}: {dataset.name} must hold {len(members)} finite numbers")
        return values.astype(np.float64)


def _size(path: Path, group: h5py.Group) -> int:
    """Return the number of nodes, or refuse what the file only claims to hold."""
    column = group["node_type_id"]
    if column.ndim != 1:
        raise FormatError(f"{path}: {column.name} must be a list of whole numbers")
    size = int(column.shape[0])
    stored = any(name in group and holds(group[name]) for name in ("node_type_id", "node_id"))
    if size > MAX_NODES or (size > _MAX_UNSTORED and not stored):
        raise FormatError(f"{path}: {group.name} claims {size} nodes; the file does not hold them")
    if not size:
        raise FormatError(f"{path}: {group.name} has no nodes")
    return size


def _decoded(values: NDArray[Any]) -> NDArray[Any]:
    """Turn texts as HDF5 has them into those of Python; numbers stay."""
    if values.dtype.kind == "O":
        return np.array([v.decode() if isinstance(v, bytes) else str(v) for v in values])
    return np.char.decode(values) if values.dtype.kind == "S" else values


def _equals(text: str | None, wanted: Sequence[Any]) -> bool:
    """Compare a cell of a type table with values of a JSON file."""
    if text is None:
        return False
    try:
        number: float | None = float(text)
    except ValueError:
        number = None
    return any(text == value if isinstance(value, str) else number == value for value in wanted)
