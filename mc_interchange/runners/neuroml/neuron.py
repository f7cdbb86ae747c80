"""The runner for NEURON, by way of the code that jNeuroML makes of NeuroML and LEMS."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mc_interchange.contracts import FileRunner
from mc_interchange.errors import MissingDependencyError, SimulationError, UsageError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import Document, NeuroMLWarning
from mc_interchange.network.simulation import times
from mc_interchange.progress import Progress
from mc_interchange.runners.tool import run_tool
from mc_interchange.runs import Run

from . import neuron_driver
from .drivers import DriverTask, run_driver
from .java import environment, java_error, jneuroml, jneuroml_version
from .jlems import parts_of
from .lems_results import run_of
from .neuron_mechanisms import Mechanism, read_mechanisms, write_mechanisms
from .neuron_program import PROGRAM, Program, settable_components
from .sources import read_quietly, refuse_equations, refuse_other_match, spike_trains
from .staging import staged

__all__ = ["NeuronRunner", "Task", "compile_mechanisms", "compiler_missing", "nrnivmodl", "translate"]

#: Memory of Java in MB: for itself, and per thousand parts that it translates, measured.
BASE_MEMORY, PART_MEMORY = 200, 5


@dataclass(frozen=True, kw_only=True)
class Task(DriverTask):
    """What the driver is told.

    Parameters
    ----------
    program
        Name of the module.
    n_steps
        Length of the simulation.
    parameters
        Values by name that instances of a mechanism get, by its name.
    trains
        Times in ms by the variable that holds the mechanisms of a population of spike arrays.
    """

    program: str
    n_steps: int
    parameters: dict[str, dict[str, float]]
    trains: dict[str, list[float]]


class NeuronRunner(FileRunner):
    """Simulates with NEURON, which takes implicit Euler steps of the potential here.

    jNeuroML translates the files, nrnivmodl compiles what it made, and a process of its own runs it. What is changed
    in the translation is told in :mod:`.neuron_mechanisms` and :mod:`.neuron_program`.
    """

    name: ClassVar[str] = "neuron"
    title: ClassVar[str] = "NEURON 9, by way of NeuroML and jNeuroML"
    format: ClassVar[str] = "neuroml"
    export_options: ClassVar[Mapping[str, Any]] = {}

    def run_files(self, path: Path, scratch: Path, *, threads: int | None, progress: Progress) -> Run:
        """Simulate (see :class:`mc_interchange.contracts.FileRunner`)."""
        if threads not in (None, 1):
            raise UsageError(f"threads: what jNeuroML makes for NEURON runs in one, got {threads}")
        compile_command = nrnivmodl()
        lems = staged(path, scratch)
        document = read_quietly(path)
        refuse_equations(document, "NEURON")
        refuse_other_match(document, "NEURON", "neuron")
        command = translate(lems, scratch, progress)
        with warnings.catch_warnings():
            # what an import would change: the files run as they are
            warnings.simplefilter("ignore", NeuroMLWarning)
            task = _prepare(lems, document, scratch)
        compile_mechanisms(compile_command, scratch, progress)
        quiet = {**os.environ, "NEURON_MODULE_OPTIONS": "-nogui"}
        run_driver(neuron_driver, task, scratch, progress, name="NEURON", environment=quiet)
        versions = {"neuron": version("neuron"), "jneuroml": jneuroml_version(command)}
        return run_of(lems, scratch, self.name, versions, seed=task.seed)


def compiler_missing() -> str | None:
    """Return what nrnivmodl lacks; None where it can work."""
    compiler = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "g++"
    if not shutil.which(shlex.split(compiler)[0]):
        return f"nrnivmodl needs a C++ compiler ({compiler}): apt install g++ make, or what your system has for it"
    for tool in ("make", "perl"):
        if not shutil.which(tool):
            return f"nrnivmodl needs {tool}: apt install {tool}, or what your system has for it"
    return None


def nrnivmodl() -> str:
    """Return the program that compiles mechanisms.

    Raises
    ------
    MissingDependencyError, SimulationError
    """
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    program = shutil.which("nrnivmodl", path=places)
    try:
        version("neuron")
    except PackageNotFoundError:
        program = None
    # found, not imported: NEURON stays out of this process
    if program is None or find_spec("neuron") is None:
        raise MissingDependencyError("NEURON", "neuron")
    if missing := compiler_missing():
        raise SimulationError(missing)
    return program


def translate(lems: fmt.LemsFile, scratch: Path, progress: Progress) -> Sequence[str]:
    """Let jNeuroML write mechanisms and program into the scratch directory."""
    progress.task("translating", 1, "files")
    # it writes beside the file that a link leads to
    content = lems.path.read_bytes()
    lems.path.unlink()
    lems.path.write_bytes(content)
    memory = BASE_MEMORY + PART_MEMORY * parts_of(scratch) // 1000
    command = jneuroml(lems.path.name, "-neuron", "-nogui", memory=f"{memory}M")
    lines = run_tool(command, name="jNeuroML", directory=scratch, environment=environment(), reason=java_error)
    if not _written(lems).exists():
        said = java_error(lines) or "it wrote no program"
        raise SimulationError(f"jNeuroML cannot translate {lems.path.name} for NEURON: {said}")
    return command


def _written(lems: fmt.LemsFile) -> Path:
    return lems.path.with_name(f"{lems.path.stem}_nrn.py")


def _prepare(lems: fmt.LemsFile, document: Document, scratch: Path) -> Task:
    """Change what jNeuroML wrote, and return the task of the driver."""
    mechanisms = read_mechanisms(scratch)
    settable = settable_components(_written(lems), mechanisms)
    names = write_mechanisms(scratch, mechanisms.values(), settable)
    # nA, as in the program
    weights = {
        projection.id: np.concatenate([[], *(block.weight for block in projection.edges.blocks())]) / 1000
        for projection in document.projections
    }
    program = Program(_written(lems), mechanisms, names, weights)
    program.rewrite(scratch)
    n_steps = round(lems.duration / lems.dt)
    return Task(
        program=PROGRAM,
        dt=lems.dt,
        duration=lems.duration,
        n_steps=n_steps,
        seed=1 if lems.seed is None else lems.seed,
        parameters={names[c]: _unset(mechanisms[c]) for c in names if c not in settable},
        trains={
            f"m_{program.populations[population][0]}_{population}": times(due[due <= n_steps], lems.dt).tolist()
            for population, due in spike_trains(document).items()
        },
    )


def _unset(mechanism: Mechanism) -> dict[str, float]:
    """Return the parameters that have more digits than the six that nrnivmodl keeps of a default."""
    exact = {name: float(text) for name, (_, text) in mechanism.parameters.items()}
    return {name: value for name, value in exact.items() if value != float(f"{value:.6g}")}


def compile_mechanisms(program: str, scratch: Path, progress: Progress) -> None:
    """Compile all mechanisms in a directory with the program that :func:`nrnivmodl` found."""
    # and a table of them
    progress.task("compiling", len(list(scratch.glob("*.mod"))) + 1, "files")

    def count(line: str) -> None:
        if "Compiling" in line:
            progress.advance(1)

    def error(lines: Sequence[str]) -> str | None:
        return next((line for line in lines if "error" in line.lower()), None)

    run_tool([sys.executable, program], name="nrnivmodl", directory=scratch, on_line=count, reason=error)
