"""Reading all files of a network."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mc_interchange.contracts import Finding
from mc_interchange.errors import FormatError, InterchangeError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.network.simulation import TICS_PER_MS

from .collected import Collected
from .document import Document
from .elements import DocumentReader
from .files import find_start, included, is_hdf5
from .hdf5 import read_hdf5
from .xml import file_parts, parse_xml, root_of

__all__ = ["check_document", "finding_of", "read_document"]


def read_document(path: Path, dt: float = 0.1) -> Document:
    """Read a network with everything that it includes.

    Connections in XML are parsed once, and put aside in a temporary file; those in HDF5 are read when they are
    needed. Memory does not grow with their number.

    Parameters
    ----------
    path
        A directory, a LEMS file, or a file of NeuroML in XML or HDF5.
    dt
        Resolution in ms, where there is no LEMS file that states one.

    Raises
    ------
    FormatError
        With file and line. Includes may not leave the directory of the first file.
    """
    start = find_start(path)
    lems = None if is_hdf5(start) or root_of(start).lower() != "lems" else fmt.read_lems(start)
    resolution = dt if lems is None else lems.dt
    tics = resolution * TICS_PER_MS
    if round(tics) < 1 or abs(tics - round(tics)) > 1e-6 * tics:
        raise FormatError(f"{start}: a step of {resolution:g} ms is not a multiple of {1 / TICS_PER_MS:g} ms")
    collected = Collected(start, resolution, lems)
    waiting = deque([start])
    seen = {start.resolve()}
    while waiting:
        file = waiting.popleft()

        def include(name: str, place: str, file: Path = file) -> None:
            other = included(file, name, start.parent, place)
            if other is not None and other.resolve() not in seen:
                seen.add(other.resolve())
                waiting.append(other)

        reader = DocumentReader(file, collected, include)
        if is_hdf5(file):
            read_hdf5(file, collected, reader)
        else:
            parse_xml(str(file), file_parts(file), reader)
    return collected.document()


def check_document(path: Path, dt: float = 0.1) -> list[Finding]:
    """Read everything, connections too, and return what is wrong.

    Parameters
    ----------
    path, dt
        As for :func:`read_document`.

    Returns
    -------
    list
        Errors, and as warnings the elements that are not read. XML ends at its first error; each projection in HDF5
        is read for itself.
    """
    directory = path if path.is_dir() else path.parent
    try:
        document = read_document(path, dt)
    except InterchangeError as error:
        return [finding_of(error, directory)]
    findings = [
        finding_of(FormatError(f"{place}: {name} is not read"), directory, "warning")
        for name, place in document.unknown
    ]
    for projection in document.projections:
        try:
            for _ in projection.edges.blocks():
                pass
        except InterchangeError as error:
            findings.append(finding_of(error, directory))
    return findings


def finding_of(error: InterchangeError, directory: Path, level: Literal["error", "warning"] = "error") -> Finding:
    """Make a finding of an error, whose message may begin with file and line."""
    found = Finding.of(error, directory)
    file, _, place = found.file.partition(":")
    return replace(found, level=level, file=file, place=f"line {place}" if place.isdigit() else place)
