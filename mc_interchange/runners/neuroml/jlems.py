"""The runner for jLEMS, the reference simulator of LEMS that comes with jNeuroML."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import h5py

from mc_interchange.contracts import FileRunner
from mc_interchange.errors import SimulationError, UsageError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.importers.neuroml.document import Document
from mc_interchange.progress import Progress, short_number
from mc_interchange.runners.tool import run_tool
from mc_interchange.runs import Run

from .java import environment, java_error, jneuroml, jneuroml_version
from .jlems_progress import Watch
from .lems_results import read_potentials, run_of
from .sources import read_quietly, refuse_other_match
from .staging import staged

__all__ = ["JLemsRunner", "heap", "parts_of"]

#: Largest seed: jLEMS reads a signed number of 32 bits.
MAX_SEED = 2**31 - 1
#: Memory of Java in MB: for itself, and per thousand parts, measured.
BASE_MEMORY, PART_MEMORY = 300, 12
#: Core types with regimes: the rows of 0 and of dt both hold their start.
LATE_TYPES = frozenset({"adExIaFCell", "iafRefCell", "iafTauRefCell", *(name for name in fmt.CELLS if "IF_" in name)})
_PART = re.compile(rb"<(?:connection(?:WD)?|spike|inputW?|explicitInput) ")


class JLemsRunner(FileRunner):
    """Simulates with jLEMS, which takes forward Euler steps.

    For small networks: about a microsecond per synapse and step.
    """

    name: ClassVar[str] = "jlems"
    title: ClassVar[str] = "jLEMS of jNeuroML, by way of NeuroML"
    format: ClassVar[str] = "neuroml"
    export_options: ClassVar[Mapping[str, Any]] = {}

    def run_files(self, path: Path, scratch: Path, *, threads: int | None, progress: Progress) -> Run:
        """Simulate (see :class:`mc_interchange.contracts.FileRunner`)."""
        if threads not in (None, 1):
            raise UsageError(f"threads: jLEMS has one, got {threads}")
        lems = staged(path, scratch)
        if lems.seed is not None and lems.seed > MAX_SEED:
            raise SimulationError(f"jLEMS takes seeds up to {MAX_SEED}, got {lems.seed}: choose another with --seed")
        document = read_quietly(path)
        refuse_other_match(document, "jLEMS", "jlems")
        parts = parts_of(scratch)
        command = jneuroml(lems.path.name, "-nogui", memory=f"{heap(parts)}M")
        watch = Watch(lems, parts, progress)
        run_tool(
            command,
            name="jLEMS",
            directory=scratch,
            environment=environment(),
            meanwhile=watch.look,
            reason=_reason,
        )
        versions = {"jneuroml": jneuroml_version(command)}
        voltages = read_potentials(lems, scratch, late=_late(document)) if lems.states else {}
        return run_of(lems, scratch, self.name, versions, voltages=voltages)


def parts_of(directory: Path) -> int:
    """Return about how many parts jLEMS advances in every step: synapses, inputs, and spikes of sources."""
    n_parts = 0
    for file in directory.rglob("*"):
        if file.suffix == ".h5":
            with open_hdf5(file) as hdf5:
                n_parts += _rows(hdf5)
        elif file.suffix in (".nml", ".xml"):
            with file.open("rb") as text:
                while block := text.read(2**20):
                    n_parts += len(_PART.findall(block))
    return n_parts


def _rows(group: h5py.Group) -> int:
    found = 0

    def count(_name: str, item: object) -> None:
        nonlocal found
        if isinstance(item, h5py.Dataset) and item.ndim == 2:
            found += item.shape[0]

    group.visititems(count)
    return found


def heap(parts: int) -> int:
    """Return the heap in MB that so many parts need.

    Raises
    ------
    SimulationError
        The machine has less.
    """
    needed = BASE_MEMORY + PART_MEMORY * parts // 1000
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6
    if needed > there:
        raise SimulationError(
            f"jLEMS needs about {short_number(needed * 1e6)}B of memory for {short_number(parts)} synapses and inputs, "
            f"and the machine has {short_number(there * 1e6)}B: take a smaller network, or another simulator"
        )
    return needed


def _late(document: Document) -> Callable[[str], bool]:
    """Say which populations' states jLEMS writes one row late."""
    types = {name: component.type for name, component in document.components.items()}
    late = {name for name, kind in types.items() if kind in LATE_TYPES or fmt.is_equation_type(kind)}
    return {p.id for p in document.populations if p.component in late}.__contains__


def _reason(lines: Sequence[str]) -> str | None:
    error = java_error(lines)
    if error and error.startswith("OutOfMemoryError"):
        return f"{error} (the network is too large for the memory of this machine)"
    return error
