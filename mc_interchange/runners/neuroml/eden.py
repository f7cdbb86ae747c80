"""The runner for EDEN, which makes C code of each kind of cell and compiles it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from mc_interchange.contracts import FileRunner
from mc_interchange.errors import MissingDependencyError, NotRepresentableError, SimulationError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import Document
from mc_interchange.progress import Progress
from mc_interchange.runners.tool import run_tool
from mc_interchange.runs import Run, Spikes

from .eden_compiler import COMPILER, compiling_once
from .eden_limits import check_after, check_before
from .jlems_progress import Watch
from .lems_results import read_potentials, read_spikes, run_of
from .sources import read_quietly, refuse_equations, refuse_other_match, replayed
from .staging import staged

__all__ = ["EdenRunner"]

#: Steps by which the label of a spike lies behind the step at whose end the potential is above its threshold (see
#: ``docs/neuroml-simulators.md``): the first step only sets the initial state, and events are written a step late.
NEURONS_LATE = 2
#: Steps by which the label of a replayed spike lies behind its time.
SOURCES_LATE = 1
_PLACE = re.compile(r"file .+, line \d+, column \d+: ")
#: EDEN says nothing of its progress before its first step: estimates of the time until then are left out.
_UNKNOWN = 10**12


class EdenRunner(FileRunner):
    """Simulates with EDEN, which takes forward Euler steps in single precision.

    The files run as they are. What EDEN would change without a word is refused (see :mod:`.eden_limits`).
    """

    name: ClassVar[str] = "eden"
    title: ClassVar[str] = "EDEN, by way of NeuroML"
    format: ClassVar[str] = "neuroml"
    export_options: ClassVar[Mapping[str, Any]] = {"encoding": "xml", "spread_spikes": True}

    def run_files(self, path: Path, scratch: Path, *, threads: int | None, progress: Progress) -> Run:
        """Simulate (see :class:`mc_interchange.contracts.FileRunner`).

        Without ``threads``, there is one: several that have to share their cores are much slower, and the result is
        the same.
        """
        program = _program()
        environment = compiling_once(scratch / "compiler")
        lems = staged(path, scratch)
        _check_encoding(scratch)
        document = read_quietly(path)
        refuse_equations(document, "EDEN")
        refuse_other_match(document, "EDEN", None)
        longest = check_before(document, lems)
        watch = Watch(lems, _UNKNOWN, progress)
        run_tool(
            [program, "nml", lems.path.name, COMPILER],
            name="EDEN",
            directory=scratch,
            environment={**environment, "OMP_NUM_THREADS": str(threads or 1), "OMP_SCHEDULE": "static"},
            meanwhile=watch.look,
            reason=_reason,
        )
        spikes = _spikes(lems, scratch, document)
        check_after(document, lems, spikes, longest)
        # the rows of 0 and dt both hold the start
        voltages = read_potentials(lems, scratch, late=lambda _: True)
        versions = {"eden": version("eden-simulator")}
        return run_of(lems, scratch, self.name, versions, spikes=spikes, voltages=voltages, threads=threads or 1)


def _program() -> str:
    """Return the program inside its package, which is not imported: it needs modules that newer Pythons lack."""
    package = find_spec("eden_simulator")
    if package is None or not package.submodule_search_locations:
        raise MissingDependencyError("eden-simulator", "eden")
    program = Path(package.submodule_search_locations[0]) / "data" / "bin" / "eden"
    if not os.access(program, os.X_OK):
        raise SimulationError(f"the installed eden-simulator brings no program for this system ({program} is missing)")
    return str(program)


def _check_encoding(directory: Path) -> None:
    found = next(iter(sorted(directory.rglob("*.h5"))), None)
    if found is not None:
        raise NotRepresentableError(f"EDEN does not read HDF5 ({found.name}): export with --encoding xml")


def _spikes(lems: fmt.LemsFile, directory: Path, document: Document) -> dict[str, Spikes]:
    """Read spikes, and give them the steps that NEST gives them."""
    sources = replayed(lems, document)
    spikes = read_spikes(lems, directory, offset=-NEURONS_LATE)
    for name in spikes:
        if name in sources:
            spikes[name] = replace(spikes[name], steps=spikes[name].steps + NEURONS_LATE - SOURCES_LATE)
    return spikes


def _reason(lines: Sequence[str]) -> str:
    """Return what the compiler says, or EDEN of the place in a file that it does not understand."""
    for line in lines:
        if ": error: " in line:
            return line.strip()
    places = [line for line in lines if _PLACE.match(line)]
    # warnings have places, too
    if places and any(line.startswith("cmdline: could not") for line in lines):
        return places[-1].strip()
    return "it does not say why"
