"""HDF5 groups and datasets that may be damaged or hostile: looked at first, then read in blocks.

Nothing is read that its file does not hold: a dataset that was never written is one value however long it claims to
be, and one that claims more than its storage can hold, or that keeps its values in other files, is reported and left
alone. So time and memory are bounded by the size of the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .report import Report

__all__ = ["ANYTHING", "INTEGERS", "NUMBERS", "Column", "Group", "Rule", "scan"]

#: Kinds of numpy types.
INTEGERS, NUMBERS, ANYTHING = "iu", "iuf", "iufbOSUV"
#: Values per block.
_BLOCK = 2**20
#: No filter of HDF5 makes data smaller than this (deflate reaches 1032).
_BEST_COMPRESSION = 1100
#: A chunk is read as a whole, so larger ones are refused (bytes).
_LARGEST_CHUNK = 2**28
_KIND_NAMES = {INTEGERS: "whole numbers", NUMBERS: "numbers", ANYTHING: "numbers or texts"}

Values = NDArray[Any]


class Column:
    """A dataset whose length and storage make sense.

    Parameters
    ----------
    owner
        The group that it is in.
    dataset
        As h5py knows it.
    constant
        The value that all rows have, where nothing was ever written.
    """

    def __init__(self, owner: Group, dataset: h5py.Dataset, constant: Values | None) -> None:
        self.owner = owner
        self.dataset = dataset
        self.place = str(dataset.name)
        self.rows = int(dataset.shape[0])
        self.dtype = dataset.dtype
        self.constant = constant
        #: The name of a filter that changes the size of what is stored, or empty.
        self.compression = str(_compression(dataset))

    def blocks(self, size: int = 0) -> Iterator[tuple[int, Values]]:
        """Yield the first row of each block and its values; of a constant column one row."""
        if self.constant is not None:
            yield 0, self.constant
            return
        size = size or _BLOCK
        for start in range(0, self.rows, size):
            block = self.dataset[start : start + size]
            self.owner.report.progress.advance(block.nbytes)
            yield start, block

    def error(self, message: str) -> None:
        """Report an error about this dataset."""
        self.owner.report.error(self.owner.file, self.place, message)

    def warning(self, message: str) -> None:
        """Report a warning about this dataset."""
        self.owner.report.warning(self.owner.file, self.place, message)


@dataclass(frozen=True)
class Rule:
    """What every value of a column must fulfil.

    Parameters
    ----------
    broken
        Takes a block; returns a mask of the rows that break the rule, or None for none (the quick answer).
    message
        What is wrong with those rows.
    warning
        Whether that is a warning instead of an error.
    """

    broken: Callable[[Values], NDArray[np.bool_] | None]
    message: str
    warning: bool = False


def scan(column: Column, rules: Sequence[Rule], see: Callable[[int, Values], None] | None = None) -> None:
    """Read a column once and report how many rows break each rule, and the first of them.

    Parameters
    ----------
    see
        Called with the first row and the values of every block, too.
    """
    counts = [0] * len(rules)
    firsts: dict[int, tuple[int, Any]] = {}
    for start, block in column.blocks():
        for number, rule in enumerate(rules):
            with np.errstate(all="ignore"):
                mask = rule.broken(block)
            if mask is not None and mask.any():
                row = int(np.argmax(mask))
                firsts.setdefault(number, (start + row, block[row]))
                counts[number] += int(np.count_nonzero(mask))
        if see is not None:
            see(start, block)
    for number, (row, value) in sorted(firsts.items()):
        count = counts[number] if column.constant is None else column.rows
        text = f"{rules[number].message}: {count} of {column.rows} rows (first: row {row}: {value})"
        (column.warning if rules[number].warning else column.error)(text)


class Group:
    """A group in an HDF5 file under check.

    Parameters
    ----------
    report
        Where findings go.
    file
        The file.
    hdf5
        The group as h5py knows it.
    """

    def __init__(self, report: Report, file: Path, hdf5: h5py.Group) -> None:
        self.report = report
        self.file = file
        self.hdf5 = hdf5
        self.place = str(hdf5.name)

    def names(self) -> list[str]:
        """Return the names of all members."""
        return list(self.hdf5)

    def child(self, name: str) -> Any:
        """Return a member, or None where there is none that is in the directory under check."""
        place = f"{self.place.rstrip('/')}/{name}"
        link = self.hdf5.get(name, getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink) and not self._is_inside(self.file.parent / link.filename):
            self.report.error(self.file, place, "is a link that leaves the directory")
            return None
        try:
            child = self.hdf5[name]
        except (KeyError, OSError, RuntimeError):
            self.report.error(self.file, place, "is a link to nothing")
            return None
        if not self._is_inside(Path(child.file.filename)):  # by a link to a link
            self.report.error(self.file, place, "is a link that leaves the directory")
            return None
        return child

    def _is_inside(self, file: Path) -> bool:
        return file.resolve().is_relative_to(self.report.root)

    def is_group(self, name: str) -> bool:
        """Say whether a member is a group, without following links."""
        link = self.hdf5.get(name, getlink=True)
        return isinstance(link, h5py.HardLink) and self.hdf5.get(name, getclass=True) is h5py.Group

    def same(self, name: str, other: Group) -> bool:
        """Say whether a member is also one of another group, by the same name."""
        links = (self.hdf5.get(name, getlink=True), other.hdf5.get(name, getlink=True))
        return all(isinstance(link, h5py.HardLink) for link in links) and bool(self.hdf5[name] == other.hdf5[name])

    def group(self, name: str) -> Group | None:
        """Return a group below this one, or None."""
        child = self.child(name)
        if child is None or isinstance(child, h5py.Group):
            return None if child is None else Group(self.report, self.file, child)
        self.report.error(self.file, str(child.name), "is a dataset where a group belongs")
        return None

    def groups(self) -> Iterator[tuple[str, Group]]:
        """Yield the groups below this one; what is something else there is reported."""
        for name in self.names():
            group = self.group(name)
            if group is not None:
                yield name, group

    def missing(self, name: str) -> None:
        """Report that something is missing."""
        self.report.error(self.file, f"{self.place.rstrip('/')}/{name}", "is missing")

    def column(self, name: str, kinds: str, rows: int | None = None, *, columns: int = 1) -> Column | None:
        """Return a dataset that can be read safely, or None where there is none; what is wrong is reported.

        Parameters
        ----------
        kinds
            Allowed kinds of numpy types.
        rows
            The length that it must have.
        columns
            1: one-dimensional; else the width of a table.
        """
        dataset = self.child(name)
        if dataset is None:
            return None
        place = f"{self.place.rstrip('/')}/{name}"
        message = _problem(dataset, kinds, columns) or _storage_problem(dataset)
        if message:
            self.report.error(self.file, place, message)
            return None
        n_rows = int(dataset.shape[0])
        if rows is not None and n_rows != rows:
            self.report.error(self.file, place, f"has {n_rows} rows where {rows} belong")
        constant = None
        if n_rows and not dataset.id.get_storage_size():
            constant = np.full((1, columns) if columns > 1 else 1, dataset.fillvalue, dataset.dtype)
        return Column(self, dataset, constant)


def _problem(dataset: Any, kinds: str, columns: int) -> str:
    """Say what is wrong with the shape and type of a dataset."""
    if not isinstance(dataset, h5py.Dataset):
        return "is a group where a dataset belongs"
    shape = dataset.shape
    if shape is None or len(shape) != (1 if columns == 1 else 2) or (columns > 1 and shape[1] != columns):
        wanted = "one dimension" if columns == 1 else f"{columns} columns"
        return f"has the shape {shape}; {wanted} belongs here".replace("columns belongs", "columns belong")
    if dataset.dtype.kind not in kinds:
        return f"has the type {dataset.dtype}; {_KIND_NAMES[kinds]} belong here"
    if dataset.external or dataset.is_virtual:
        return "keeps its values in other files; it is not read"
    return ""


def _storage_problem(dataset: h5py.Dataset) -> str:
    """Say why a dataset is not read, judged by what its file holds of it."""
    declared = int(np.prod([int(n) for n in dataset.shape], dtype=object)) * dataset.dtype.itemsize
    stored = int(dataset.id.get_storage_size())
    if not stored or dataset.chunks is None:
        return ""
    chunk = int(np.prod([int(n) for n in dataset.chunks], dtype=object)) * dataset.dtype.itemsize
    if chunk > _LARGEST_CHUNK:
        return f"has chunks of {chunk} bytes; it is not read"
    largest = stored * _BEST_COMPRESSION + chunk if _compression(dataset) else stored
    if declared > largest:
        return f"claims {declared} bytes, of which {stored} are stored; it is not read"
    return ""


def _compression(dataset: h5py.Dataset) -> str:
    """Name the first filter that is not one of those that keep the size."""
    properties = dataset.id.get_create_plist()
    keep = (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
    for number in range(properties.get_nfilters()):
        code, _, _, name = properties.get_filter(number)
        if code not in keep:
            return {h5py.h5z.FILTER_DEFLATE: "gzip"}.get(code, name.decode(errors="replace") or f"filter {code}")
    return ""
