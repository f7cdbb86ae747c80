"""Small files of a circuit: JSON, type tables, and HDF5 files as a whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.formats.sonata_output import MAGIC

from ..config import NULL
from .columns import Group
from .report import Report

__all__ = ["LARGEST_TEXT", "TypeTable", "opened", "read_object", "read_table", "too_large"]

#: Bytes of the largest JSON or CSV file that is read.
LARGEST_TEXT = 2**26


@dataclass(frozen=True)
class TypeTable:
    """A table of node or edge types.

    Parameters
    ----------
    file
        Where it is.
    kind
        ``node`` or ``edge``.
    columns
        Names in the header.
    rows
        The cells that hold a value, by type id and column.
    """

    file: Path
    kind: str
    columns: frozenset[str]
    rows: dict[int, dict[str, str]] = field(default_factory=dict)


def too_large(report: Report, file: Path) -> bool:
    """Report a text file that is missing, not a file, or too large to be what it should be."""
    if not file.is_file():
        report.error(file, "", "no such file")
        return True
    size = file.stat().st_size
    if size > LARGEST_TEXT:
        report.error(file, "", f"has {size} bytes, more than the {LARGEST_TEXT} that are read")
    return size > LARGEST_TEXT


def read_object(report: Report, file: Path) -> dict[str, Any] | None:
    """Read a JSON object; what is wrong is reported."""
    if too_large(report, file):
        return None
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        report.error(file, "", f"not valid JSON ({error})")
        return None
    if not isinstance(content, dict):
        report.error(file, "", "not a JSON object")
        return None
    return content


def read_table(report: Report, file: Path, kind: str) -> TypeTable | None:
    """Read a type table; what is wrong is reported, and the rows that are good are kept.

    Parameters
    ----------
    kind
        ``node`` or ``edge``.
    """
    if too_large(report, file):
        return None
    try:
        text = file.read_bytes().decode()
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=" ", strict=True))
    except (ValueError, csv.Error) as error:
        report.error(file, "", f"not a table ({error})")
        return None
    header, key = lines[0] if lines else [], f"{kind}_type_id"
    if key not in header:
        report.error(file, "row 1", f"has no column {key}; the columns of a type table are separated by single spaces")
        return None
    if len(set(header)) < len(header):
        report.error(file, "row 1", f"names a column twice: {next(n for n in header if header.count(n) > 1)!r}")
    table = TypeTable(file, kind, frozenset(header))
    for number, line in enumerate(lines[1:], 2):
        if line:
            _add_row(report, table, number, header, line)
    return table


def _add_row(report: Report, table: TypeTable, number: int, header: list[str], line: list[str]) -> None:
    place, key = f"row {number}", f"{table.kind}_type_id"
    if len(line) != len(header):
        report.error(table.file, place, f"has {len(line)} fields, the header has {len(header)}")
        return
    cells = dict(zip(header, line, strict=True))
    try:
        type_id = int(cells[key])
    except ValueError:
        report.error(table.file, place, f"{key} {cells[key]!r} is not a whole number")
        return
    if type_id in table.rows:
        report.error(table.file, place, f"{key} {type_id} is there already")
        return
    table.rows[type_id] = {name: cell for name, cell in cells.items() if name and cell not in NULL}


@contextmanager
def opened(report: Report, file: Path, root: str) -> Iterator[Group | None]:
    """Open an HDF5 file and give the group that holds its populations, or None; check what every file has."""
    top = None
    with ExitStack() as stack:
        with report.guard(file):
            hdf5 = stack.enter_context(open_hdf5(file))
            _check_stamp(report, file, hdf5)
            group = Group(report, file, hdf5["/"])
            top = group.group(root)
            if root not in hdf5:
                group.missing(root)
            elif top is not None and not top.names():
                report.error(file, top.place, "is empty")
        with report.guard(file):
            yield top


def _check_stamp(report: Report, file: Path, hdf5: h5py.File) -> None:
    """Check the attributes that tell a SONATA file from another."""
    magic, version = hdf5.attrs.get("magic"), hdf5.attrs.get("version")
    if magic is None:
        report.warning(file, "/", f"has no attribute magic (0x{MAGIC:04X} in SONATA files)")
    elif np.size(magic) != 1 or np.ravel(magic)[0] != MAGIC:
        report.error(file, "/", f"attribute magic is {magic}, not {MAGIC} (0x{MAGIC:04X})")
    if version is None:
        report.warning(file, "/", "has no attribute version (two whole numbers in SONATA files)")
    elif np.shape(version) != (2,) or np.asarray(version).dtype.kind not in "iu":
        report.error(file, "/", f"attribute version is {version}, not two whole numbers")
