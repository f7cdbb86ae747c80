"""The runner for NetPyNE, which builds networks in NEURON by its own import of NeuroML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from mc_interchange.contracts import FileRunner
from mc_interchange.errors import MissingDependencyError, NotRepresentableError, SimulationError, UsageError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import Document
from mc_interchange.network.simulation import times
from mc_interchange.progress import Progress
from mc_interchange.runs import Run

from . import netpyne_driver
from .drivers import DriverTask, run_driver
from .java import jneuroml_version
from .lems_results import cell_of, run_of
from .neuron import compile_mechanisms, nrnivmodl, translate
from .neuron_mechanisms import read_mechanisms, write_mechanisms
from .sources import read_quietly, refuse_equations, refuse_other_match, refuse_poisson, spike_trains
from .staging import staged

__all__ = ["NetPyNERunner", "Task"]


@dataclass(frozen=True, kw_only=True)
class Task(DriverTask):
    """What the driver is told.

    Parameters
    ----------
    network
        Name of the file that holds the network.
    mechanisms
        Name of the compiled mechanism ("mod") and values of its parameters, by component.
    trains
        Times in ms by population of spike arrays.
    events
        Files of spikes to write: "file", and "cells", which are population and index by identifier.
    states
        Files of potentials to write: "file", and "cells" in the order of the columns.
    """

    network: str
    mechanisms: dict[str, dict[str, str | float]]
    trains: dict[str, list[float]]
    events: list[dict[str, Any]]
    states: list[dict[str, Any]]


class NetPyNERunner(FileRunner):
    """Simulates with NetPyNE, and NEURON below it.

    jNeuroML makes the mechanisms, as for NEURON; NetPyNE imports the network and simulates it, in a process of its own.
    What is done otherwise than NetPyNE does it is told in :mod:`.netpyne_driver`.
    """

    name: ClassVar[str] = "netpyne"
    title: ClassVar[str] = "NetPyNE with NEURON 9, by way of NeuroML"
    format: ClassVar[str] = "neuroml"
    export_options: ClassVar[Mapping[str, Any]] = {}

    def run_files(self, path: Path, scratch: Path, *, threads: int | None, progress: Progress) -> Run:
        """Simulate (see :class:`mc_interchange.contracts.FileRunner`)."""
        if threads not in (None, 1):
            raise UsageError(f"threads: NetPyNE runs in one here, got {threads}")
        if find_spec("netpyne") is None:
            raise MissingDependencyError("NetPyNE", "netpyne")
        compiler = nrnivmodl()
        lems = staged(path, scratch)
        document = read_quietly(path)
        refuse_equations(document, "NetPyNE")
        refuse_other_match(document, "NetPyNE", "neuron")
        refuse_poisson(document, "NetPyNE", "gives Poisson sources whose names begin alike the same spikes")
        _check_names(document)
        command = translate(lems, scratch, progress)
        task = _prepare(lems, document, scratch)
        compile_mechanisms(compiler, scratch, progress)
        run_driver(netpyne_driver, task, scratch, progress, name="NetPyNE")
        versions = {
            "netpyne": version("netpyne"),
            "neuron": version("neuron"),
            "jneuroml": jneuroml_version(command),
        }
        return run_of(lems, scratch, self.name, versions, seed=task.seed)


def _check_names(document: Document) -> None:
    """Refuse what NetPyNE refuses without an error."""
    if any(population.id == "pop" for population in document.populations):
        raise NotRepresentableError("NetPyNE cannot simulate a population named pop: give it another name")


def _prepare(lems: fmt.LemsFile, document: Document, scratch: Path) -> Task:
    """Change the mechanisms that jNeuroML wrote, and return the task of the driver."""
    mechanisms = read_mechanisms(scratch)
    names = write_mechanisms(scratch, mechanisms.values(), settable=mechanisms)
    return Task(
        network=document.path.name,
        dt=lems.dt,
        duration=lems.duration,
        seed=1 if lems.seed is None else lems.seed,
        mechanisms={
            component: {"mod": name, **{k: float(text) for k, (_, text) in mechanisms[component].parameters.items()}}
            for component, name in names.items()
        },
        trains={population: times(train, lems.dt).tolist() for population, train in spike_trains(document).items()},
        events=[
            {"file": events.file, "cells": {name: _cell(path) for name, path in events.selections.items()}}
            for events in lems.events
        ],
        states=[
            {"file": states.file, "cells": [_cell(quantity, "/v") for _, quantity in states.columns]}
            for states in lems.states
        ],
    )


def _cell(path: str, end: str = "") -> tuple[str, int]:
    """Return population and index of a cell.

    Parameters
    ----------
    path
        From the LEMS file.
    end
        What it must end with.
    """
    cell = cell_of(path)
    if cell is None or not path.endswith(end):
        raise SimulationError(f"NetPyNE records spikes and potentials of cells here, and not {path}")
    return cell
