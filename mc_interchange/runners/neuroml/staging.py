"""The files of an export in a directory in which a tool may write."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.formats.neuroml import hdf5 as layout
from mc_interchange.importers.neuroml.files import is_hdf5
from mc_interchange.importers.neuroml.hdf5_table import text

__all__ = ["staged"]

_INCLUDE = re.compile(rb"""<(?:\w+:)?[iI]nclude\b[^<>]*?\b(?:href|file|url)\s*=\s*["']([^"'<>]+)["']""")
#: Bytes of a file that are searched at a time, and of one tag at most.
_PART, _TAG = 2**22, 2**12


def staged(path: Path, scratch: Path) -> fmt.LemsFile:
    """Show a LEMS file, and the files that it includes, in another directory, where results land beside them.

    Parameters
    ----------
    path
        A directory with one LEMS file, or a LEMS file. Nothing is written there.
    scratch
        An empty directory.

    Returns
    -------
    LemsFile
        The one in ``scratch``. All directories for its results are there.

    Raises
    ------
    FormatError
        There is no LEMS file, or it asks for results outside its directory.
    """
    found = fmt.find_lems(path) if path.is_dir() else path
    if found is None:
        raise FormatError(f"{path}: there is no {fmt.LEMS_PREFIX}*.xml, which says what to simulate")
    if found.suffix in (".nml", ".h5"):
        raise FormatError(
            f"{found}: a network does not say what to simulate; name its {fmt.LEMS_PREFIX}*.xml (with --duration, "
            "mc-run exports the network anew)"
        )
    lems = fmt.read_lems(found)
    written = (*(e.file for e in lems.events), *(s.file for s in lems.states), *lems.reports)
    results = {PurePosixPath(name) for name in written}
    for result in results:
        if result.is_absolute() or ".." in result.parts:
            raise FormatError(f"{found}: {result} lies outside the directory, where results are not written")
    # without "..", so that names can be compared
    root = Path(os.path.abspath(found.parent))
    for file in _model_files(root / found.name):
        name = file.relative_to(root)
        if PurePosixPath(name.as_posix()) not in results:
            _show(file, scratch / name)
    for result in results:
        (scratch / result).parent.mkdir(parents=True, exist_ok=True)
    return fmt.read_lems(scratch / found.name)


def _model_files(lems: Path) -> list[Path]:
    """Return a LEMS file and all that it includes, as far as they are there and in its directory or below.

    Other files of its directory are none of the model's: they may be large, and no tool needs them. That all are
    there is for those to say who know what is a comment.
    """
    found, waiting = [lems], [lems]
    while waiting:
        file = waiting.pop()
        for name in _includes(file):
            other = Path(os.path.abspath(file.parent / name))
            if other.is_relative_to(lems.parent) and other not in found and os.path.isfile(other):
                found.append(other)
                waiting.append(other)
    return found


def _includes(file: Path) -> Iterator[str]:
    """Yield the names in the includes of a file."""
    if is_hdf5(file):
        with open_hdf5(file) as hdf5:
            around = text(hdf5[layout.ROOT], layout.TOP_LEVEL) if layout.ROOT in hdf5 else None
        yield from map(_name, _INCLUDE.findall((around or "").encode()))
        return
    rest = b""
    with file.open("rb") as opened:
        while part := opened.read(_PART):
            yield from map(_name, _INCLUDE.findall(rest + part))
            rest = part[-_TAG:]


def _name(attribute: bytes) -> str:
    return html.unescape(attribute.decode("utf-8", "replace"))


def _show(file: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(file.resolve(), name)
    except OSError:  # some systems have no links, or not for everyone
        shutil.copyfile(file, name)
