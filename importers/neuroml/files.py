"""The files of a network: which one to begin with, and which others it may include."""

from __future__ import annotations

import os
from pathlib import Path

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt

from .xml import root_of

__all__ = ["CORE_TYPES", "find_start", "included", "is_hdf5", "is_neuroml"]

#: Definitions of the types themselves; every tool has its own copy of them.
CORE_TYPES = frozenset(
    f"{name}.xml"
    for name in (
        "Cells",
        "Channels",
        "Inputs",
        "Networks",
        "NeuroML2CoreTypes",
        "NeuroMLCoreCompTypes",
        "NeuroMLCoreDimensions",
        "PyNN",
        "Simulation",
        "Synapses",
    )
)
#: Names of files in a directory, the best first.
_PATTERNS = (("*.net.nml", "*.net.nml.h5"), ("*.nml", "*.nml.h5"))
_HDF5 = b"\x89HDF\r\n\x1a\n"


def is_neuroml(path: Path) -> bool:
    """Say whether names and first bytes look like a NeuroML network, or a directory with one."""
    if path.is_dir():
        return any(is_neuroml(file) for file in _candidates(path)[:1])
    if not path.is_file():
        return False
    try:
        if path.name.endswith(".nml.h5"):
            return is_hdf5(path)
        return path.suffix in (".nml", ".xml") and root_of(path).lower() in ("neuroml", "lems")
    except FormatError:
        return False


def is_hdf5(path: Path) -> bool:
    """Say whether a file begins as HDF5 files do.

    Raises
    ------
    FormatError
        It cannot be read.
    """
    if not path.is_file():
        raise FormatError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            return file.read(len(_HDF5)) == _HDF5
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None


def find_start(path: Path) -> Path:
    """Return the file to begin with: the path itself, or one of those in a directory.

    Raises
    ------
    FormatError
        There is none, or it is not clear which.
    """
    if not path.is_dir():
        return path
    lems = fmt.find_lems(path)
    if lems is not None:
        return lems
    found = _candidates(path)
    if not found:
        raise FormatError(f"{path}: there is no LEMS_*.xml, *.net.nml, *.nml or *.nml.h5 in it")
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:4])
        raise FormatError(f"{path}: there are several files of NeuroML ({names}); name one of them")
    return found[0]


def _candidates(directory: Path) -> list[Path]:
    for patterns in ((f"{fmt.LEMS_PREFIX}*.xml",), *_PATTERNS):
        found = sorted(file for pattern in patterns for file in directory.glob(pattern) if file.is_file())
        if found:
            return found
    return []


def included(file: Path, name: str, root: Path, place: str) -> Path | None:
    """Return the file that another one includes; None for the definitions of the core types.

    Parameters
    ----------
    file
        The one that includes it.
    name
        As written.
    root
        Directory that no file may leave.
    place
        For messages.

    Raises
    ------
    FormatError
        It is not there, or not inside.
    """
    if Path(name).name in CORE_TYPES:
        return None
    if "://" in name:
        raise FormatError(
            f"{place}: {name!r:.120} is on the network; copy the file into the directory, and name it here"
        )
    if "\0" in name or len(name) > 4096:
        raise FormatError(f"{place}: {name!r:.60} is not a path")
    path = (file.parent / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise FormatError(f"{place}: {name!r:.120} leaves the directory {root}; copy the file into it")
    if not path.is_file():
        raise FormatError(f"{place}: the included file {name!r:.120} is not there")
    as_given = Path(os.path.normpath(file.parent / name))
    return as_given if as_given.resolve() == path else path
