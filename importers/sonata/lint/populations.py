"""What node and edge populations have in common: ids of types, and groups with properties."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .columns import ANYTHING, INTEGERS, NUMBERS, Column, Group, Rule, Values, scan

__all__ = ["Population", "check_groups", "check_type_ids", "not_finite"]

#: More different types or groups in one population than this are taken for damage.
_MOST_DISTINCT = 10_000


@dataclass
class Population:
    """What was seen of a population.

    Parameters
    ----------
    name, file, place, rows
        Name, HDF5 file, path in it, and number of nodes or edges.
    datasets
        Names of what is in its group.
    types, groups
        Type ids, and group ids, that occur, with the first row of each.
    properties
        Names of the properties of each group; those in ``dynamics_params`` with that in front.
    rows_are_index
        Whether there is one group, in which the properties of a row have its number.
    compressed
        Path of the first dataset that is compressed, and how; empty where none is.
    """

    name: str
    file: Path
    place: str
    rows: int = 0
    datasets: frozenset[str] = frozenset()
    types: dict[int, int] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    properties: dict[str, frozenset[str]] = field(default_factory=dict)
    rows_are_index: bool = True
    compressed: tuple[str, str] = ("", "")

    @property
    def all_properties(self) -> frozenset[str]:
        """Properties of any group."""
        return frozenset().union(*self.properties.values())

    def saw(self, column: Column) -> None:
        """Note how a dataset is stored."""
        if column.compression and not self.compressed[0]:
            self.compressed = (column.place, column.compression)


def not_finite(block: Values) -> NDArray[np.bool_] | None:
    """Return a mask of what is not a finite number (a sum that is one settles most blocks)."""
    if block.dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        if np.isfinite(block.sum(dtype=np.float64)):
            return None
    mask: NDArray[np.bool_] = ~np.isfinite(block)
    return mask


def distinct(column: Column) -> dict[int, int]:
    """Return the values of a column with the first row of each."""
    found: dict[int, int] = {}
    for start, block in column.blocks():
        low, high = int(block.min()), int(block.max())
        if low == high and low in found:
            continue
        if low == high:
            found[low] = start
            continue
        few = high - low < len(block)
        present = np.flatnonzero(np.bincount((block - block.dtype.type(low)).astype(np.intp))) if few else None
        if present is None or any(int(value) + low not in found for value in present):
            values, rows = np.unique(block, return_index=True)
            for value, row in zip(values.tolist(), rows.tolist(), strict=True):
                found.setdefault(value, start + row)
        if len(found) > _MOST_DISTINCT:
            column.error(f"has more than {_MOST_DISTINCT} different values")
            return {}
    return found


def check_type_ids(population: Population, group: Group, name: str, rows: int | None = None) -> Column | None:
    """Read the column of type ids."""
    column = group.column(name, INTEGERS, rows)
    if column is None:
        if name not in population.datasets:
            group.missing(name)
        return None
    population.saw(column)
    population.types = distinct(column) if column.rows else {}
    return column


def check_groups(population: Population, group: Group, kind: str, rules: dict[str, list[Rule]]) -> None:
    """Check which group and which row of it each node or edge has, and the properties.

    Parameters
    ----------
    kind
        ``node`` or ``edge``.
    rules
        What the values of a property must fulfil besides being finite; the keys are as in
        :attr:`Population.properties`.
    """
    names = sorted((name for name in group.names() if name.isdecimal()), key=int)
    ids = group.column(f"{kind}_group_id", INTEGERS, population.rows)
    index = group.column(f"{kind}_group_index", INTEGERS, population.rows)
    _check_pair(population, group, kind)
    for column in (ids, index):
        if column is not None:
            population.saw(column)
    if not names:
        group.missing("0")
    if ids is None or not ids.rows:
        population.groups = {int(name): 0 for name in names[:1]}
    else:
        population.groups = distinct(ids)
        unknown = [number for number in population.groups if str(number) not in names]
        if unknown and names:
            number = unknown[0]
            ids.error(f"names group {number}, which does not exist (first: row {population.groups[number]})")
    sizes = _sizes(population, names, ids)
    for name in names:
        member = group.group(name)
        if member is not None:
            _check_properties(population, member, name, sizes[name], rules)
    _check_index(population, ids, index, sizes)


def _check_pair(population: Population, group: Group, kind: str) -> None:
    pair = [f"{kind}_group_id", f"{kind}_group_index"]
    there = [name in population.datasets for name in pair]
    if any(there) and not all(there):
        group.missing(pair[there.index(False)])


def _sizes(population: Population, names: list[str], ids: Column | None) -> dict[str, int]:
    """Return how many rows belong to each group."""
    if len(names) <= 1 or ids is None:
        return dict.fromkeys(names, population.rows)
    if ids.constant is not None:
        return {name: population.rows if int(name) in population.groups else 0 for name in names}
    counts = dict.fromkeys(names, 0)
    for _, block in ids.blocks():
        for name in names:
            counts[name] += int(np.count_nonzero(block == int(name)))
    return counts


def _check_properties(population: Population, group: Group, name: str, rows: int, rules: dict[str, list[Rule]]) -> None:
    found = []
    for prefix, part in (("", group), ("dynamics_params/", group.group("dynamics_params"))):
        if part is None:
            continue
        library = part.group("@library")
        for key in part.names():
            if part.is_group(key):
                continue
            found.append(prefix + key)
            if prefix and part.same(key, group):
                continue  # a second name of what was checked already
            column = part.column(key, NUMBERS if prefix or key in rules else ANYTHING, rows)
            if column is None:
                continue
            population.saw(column)
            if column.dtype.kind in NUMBERS:
                scan(column, [Rule(not_finite, "not a finite number"), *rules.get(prefix + key, [])])
            if library is not None and key in library.names():
                _check_library(column, library)
    population.properties[name] = frozenset(found)


def _check_library(column: Column, library: Group) -> None:
    """Check that the numbers in a column are places in the list of words that goes with it."""
    words = library.column(column.place.rpartition("/")[2], ANYTHING)
    if words is not None and column.dtype.kind in INTEGERS:
        size = words.rows
        scan(column, [Rule(lambda block: block >= size, f"not below {size}, the number of words in {words.place}")])


def _check_index(population: Population, ids: Column | None, index: Column | None, sizes: dict[str, int]) -> None:
    """Check that each row of a group exists."""
    if index is None or not index.rows:
        return
    if len(sizes) == 1:
        size = next(iter(sizes.values()))
        _check_only_index(population, index, size)
        return
    population.rows_are_index = False
    if ids is None or ids.rows != index.rows or ids.constant is not None or index.constant is not None:
        return
    limits = np.zeros(max(map(int, sizes)) + 1, np.int64)
    for name, size in sizes.items():
        limits[int(name)] = size
    owners = ids.blocks()

    def beyond(block: Values) -> NDArray[np.bool_] | None:
        _, owner = next(owners)
        known = (owner >= 0) & (owner < len(limits))
        return (block < 0) | (known & (block >= limits[np.where(known, owner, 0)]))

    scan(index, [Rule(beyond, "not a row of its group")])


def _check_only_index(population: Population, index: Column, size: int) -> None:
    def see(start: int, block: Values) -> None:
        if population.rows_are_index and index.constant is None:
            population.rows_are_index = bool(
                block[0] == start and block[-1] == start + len(block) - 1 and (block[1:] > block[:-1]).all()
            )

    def beyond(block: Values) -> NDArray[np.bool_] | None:
        return None if int(block.max()) < size and int(block.min()) >= 0 else (block < 0) | (block >= size)

    population.rows_are_index = index.constant is None or index.rows == 1
    scan(index, [Rule(beyond, f"not a row of the group, which has {size}")], see)
