"""The files of an export in a directory in which a tool may write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt

__all__ = ["staged"]

#: Files that a model may consist of.
_MODEL_FILES = (".nml", ".xml", ".h5")


def staged(path: Path, scratch: Path) -> fmt.LemsFile:
    """Show the files of a model in another directory, where results land beside them.

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
        There is no LEMS file, or it asks for files outside its directory.
    """
    found = fmt.find_lems(path) if path.is_dir() else path
    if found is None:
        raise FormatError(f"{path}: there is no {fmt.LEMS_PREFIX}*.xml, which says what to simulate")
    lems = fmt.read_lems(found)
    results = {PurePosixPath(name) for name in (*(e.file for e in lems.events), *(s.file for s in lems.states))}
    for result in results:
        if result.is_absolute() or ".." in result.parts:
            raise FormatError(f"{found}: {result} lies outside the directory, where results are not written")
    for file in sorted(found.parent.rglob("*")):
        name = file.relative_to(found.parent)
        if file.suffix in _MODEL_FILES and PurePosixPath(name.as_posix()) not in results and file.is_file():
            _show(file, scratch / name)
    for result in results:
        (scratch / result).parent.mkdir(parents=True, exist_ok=True)
    return fmt.read_lems(scratch / found.name)


def _show(file: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(file.resolve(), name)
    except OSError:  # some systems have no links, or not for everyone
        shutil.copyfile(file, name)
