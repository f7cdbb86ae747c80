"""Tables and texts in HDF5, as the writers of NeuroML lay them out: columns are named by attributes, in any order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.formats.hdf5 import holds, open_hdf5
from mc_interchange.formats.neuroml import hdf5 as layout

__all__ = ["Hdf5Table", "Rows", "member", "names_in", "required_text", "text"]

#: What PyTables writes for Python's None.
_PICKLED_NONE = "N."
#: Columns of segments: the first is the only one where cells are points.
_SEGMENTS = frozenset({"segment_id", "pre_segment_id", "post_segment_id"})
#: Columns that mean nothing where cells are points.
_NO_MATTER = frozenset({"id", "fraction_along", "pre_fraction_along", "post_fraction_along"})
_UNWEIGHTED = 1000.0


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    Parameters
    ----------
    place
        For messages.
    values : ndarray, shape (n_rows, n_columns)
    columns
        Place of each column by name.
    constant
        In pA or nS, of the table: what its stored weight stands for.
    """

    place: str
    values: NDArray[Any]
    columns: Mapping[str, int]
    constant: float | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column of finite numbers, shape (n_rows,)."""
        values: NDArray[Any] = self.values[:, self.columns[name]]
        if not np.isfinite(values).all():
            raise FormatError(f"{self.place}: {name} is not a finite number")
        return values

    def ids(self, name: str, size: int) -> NDArray[np.uint32]:
        """Return a column of whole numbers from 0 to ``size - 1``, shape (n_rows,)."""
        values = self[name]
        good = (values >= 0) & (values < size)
        if values.dtype.kind == "f":
            good &= values == np.floor(values)
        if not good.all():
            raise FormatError(f"{self.place}: {name} must be a whole number below {size}, got {values[~good][0]:.9g}")
        return values.astype(np.uint32)

    def weights(self) -> NDArray[np.float64]:
        """Return weights in pA (or nS), shape (n_rows,); 1 nA (or uS) where the table has none."""
        if "weight" not in self.columns:
            return np.full(len(self), _UNWEIGHTED)
        stored = self["weight"]
        if stored.dtype != layout.VALUES:
            return stored.astype(np.float64) * 1000
        weights = layout.from_single(stored)
        if self.constant is not None:
            weights[stored == layout.to_single(np.array([self.constant]))] = self.constant
        return weights

    def positions(self) -> NDArray[np.float64]:
        """Return locations in the order of the cells, shape (n_rows, 3), um."""
        n = len(self)
        order = self.ids("id", n) if "id" in self.columns else np.arange(n, dtype=np.uint32)
        if len(np.unique(order)) < n:
            raise FormatError(f"{self.place}: the ids must be 0 to {n - 1}, each once")
        positions = np.empty((n, len(layout.LOCATIONS)))
        for axis, name in enumerate(layout.LOCATIONS):
            stored = self[name]
            positions[order, axis] = layout.shortest(stored) if stored.dtype == layout.VALUES else stored
        return positions


@dataclass(frozen=True)
class Hdf5Table:
    """A table that stays in the file.

    Parameters
    ----------
    path, name
        The file, and the dataset in it.
    n_rows
        Its length.
    columns
        Place of each column by name.
    single
        Whether its numbers are float32.
    constant
        As in :class:`Rows`.
    """

    path: Path
    name: str
    n_rows: int
    columns: Mapping[str, int]
    single: bool
    constant: float | None = None

    @classmethod
    def of(cls, path: Path, group: h5py.Group, needed: Collection[str], known: Collection[str]) -> Hdf5Table | None:
        """Look at the table in a group; None where it has none.

        Parameters
        ----------
        needed, known
            Columns that must be there, and all that may.

        Raises
        ------
        FormatError
        """
        found = [item for key in names_in(path, group) if isinstance(item := member(path, group, key), h5py.Dataset)]
        if not found:
            return None
        dataset = found[0]
        place = f"{path}:{dataset.name}"
        if len(found) > 1 or dataset.ndim != 2 or dataset.dtype.kind not in "fiu":
            raise FormatError(f"{place}: must be the only table there, with rows and columns of numbers")
        if dataset.external or dataset.is_virtual:
            raise FormatError(f"{place}: its values are in another file, which is refused")
        if not holds(dataset):
            raise FormatError(f"{place} claims {dataset.shape[0]} rows; the file does not hold them")
        columns: dict[str, int] = {}
        for index in range(dataset.shape[1]):
            name = text(dataset, f"{layout.COLUMN}{index}")
            if name is None or name in columns or name not in {*needed, *known, *_SEGMENTS, *_NO_MATTER}:
                raise FormatError(f"{place}: column {index} is {name!r:.60}, which is unknown or there twice")
            columns[name] = index
        for name in needed:
            if name not in columns:
                raise FormatError(f"{place}: there is no column {name}")
        single = dataset.dtype == layout.VALUES
        return cls(path, str(dataset.name), dataset.shape[0], columns, single, _constant(place, dataset))

    def read(self, start: int, end: int) -> Rows:
        """Read some rows; they belong to cells that are points.

        Raises
        ------
        FormatError
        """
        # opened anew for each block: it may be called at any time, in any thread
        with open_hdf5(self.path) as file:
            values = file[self.name][start:end]
        rows = Rows(f"{self.path}:{self.name}: rows {start} to {end - 1}", values, self.columns, self.constant)
        for name in _SEGMENTS & self.columns.keys():
            if rows[name].any():
                raise FormatError(f"{rows.place}: {name} is not 0; only cells that are points are supported")
        return rows


def _constant(place: str, dataset: h5py.Dataset) -> float | None:
    given = text(dataset, layout.CONSTANT_WEIGHT)
    try:
        return None if given is None else float(fmt.exact(given).scaleb(3))
    except ValueError as error:
        raise FormatError(f"{place}: {layout.CONSTANT_WEIGHT} {error}") from None


def member(path: Path, group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """Return what a group holds under a name, if the file itself holds it."""
    if not group.id.links.exists(name.encode()):
        raise FormatError(f"{path}:{group.name}: there is no group {name}")
    if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise FormatError(f"{path}:{group.name}: {name:.80} is a link, which is refused")
    return group[name]


def names_in(path: Path, group: h5py.Group) -> list[str]:
    """Return the names in a group, in the order in which they were made where the file tells it."""
    tracked = group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED
    names: list[bytes] = []
    order = h5py.h5.INDEX_CRT_ORDER if tracked else h5py.h5.INDEX_NAME
    group.id.links.iterate(names.append, idx_type=order)
    try:
        return [name.decode() for name in names]
    except UnicodeDecodeError:
        raise FormatError(f"{path}:{group.name}: a name in it is not UTF-8") from None


def required_text(path: Path, group: h5py.Group, name: str) -> str:
    """Return an attribute that is a text.

    Raises
    ------
    FormatError
        It is missing or empty.
    """
    value = text(group, name)
    if not value:
        raise FormatError(f"{path}:{group.name}: there is no attribute {name}")
    return value


def text(item: h5py.Group | h5py.Dataset, name: str) -> str | None:
    """Return an attribute that is a text; None where there is none, or something else."""
    value = item.attrs.get(name)
    if isinstance(value, np.ndarray) and value.size == 1:  # as jNeuroML writes them
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and value != _PICKLED_NONE else None
