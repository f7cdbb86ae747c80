"""Running exports that are a program (:mod:`mc_interchange.formats.program`), in a process of its own."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from mc_interchange._version import __version__
from mc_interchange.contracts import FileRunner
from mc_interchange.errors import FormatError, SimulationError, UsageError
from mc_interchange.formats.program import PROGRAM, PROGRESS
from mc_interchange.formats.sonata_output import read_reports, read_spikes
from mc_interchange.instance import NetworkInstance, has_random_input
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress
from mc_interchange.reading import import_path
from mc_interchange.runners.tool import run_tool
from mc_interchange.runs import SPIKES_FILE, VOLTAGES_FILE, Run, Spikes

__all__ = ["ProgramRunner"]


class ProgramRunner(FileRunner):
    """Runs the program of an export."""

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Return the versions of the simulator and what it needs.

        Raises
        ------
        MissingDependencyError
            It is not installed.
        """

    def arguments(self) -> Sequence[str]:
        """Return the program's own arguments."""
        return ()

    def check(self) -> None:
        """Ask for the versions, which only an installed simulator has."""
        self.versions()

    def run_files(self, path: Path, scratch: Path, *, threads: int | None, progress: Progress) -> Run:
        """Run the program, and read what it wrote."""
        if threads not in (None, 1):
            raise UsageError(f"--threads {threads}: {self.name} simulates in one thread")
        versions = self.versions()
        directory = path if path.is_dir() else path.parent
        program = directory / PROGRAM
        if not program.is_file():
            raise FormatError(f"{directory}: there is no {PROGRAM}, which an export as {self.format} has")
        instance = import_path(directory)
        simulation = instance.simulation
        progress.task("simulating", simulation.duration, "ms")
        done = 0.0

        def follow(line: str) -> None:
            nonlocal done
            if line.startswith(PROGRESS):
                with suppress(ValueError):  # whoever edits a program may print what they like
                    now = float(line.removeprefix(PROGRESS))
                    progress.advance(now - done)
                    done = now

        out = scratch / "out"
        # absolute, since it does not run where we are
        command = [sys.executable, str(program.resolve()), *self.arguments(), "--out", str(out.resolve())]
        run_tool(command, name=self.name, directory=scratch, on_line=follow)
        none = Spikes(np.empty(0, np.int64), np.empty(0, np.int64))
        try:
            found = _spikes(out / SPIKES_FILE, instance)
            voltages = read_reports(out / VOLTAGES_FILE) if (out / VOLTAGES_FILE).is_file() else {}
        except FormatError as error:
            # it may have been edited; and where it wrote is no place for the user to look
            what = str(error).replace(f"{out}{os.sep}", "")
            raise SimulationError(
                f"{self.name}: {program} ended without an error, but its output cannot be used: {what}"
            ) from None
        recorded = simulation.record_spikes
        # sources too, as NEST's runner has them
        sizes = {
            name: nodes.size
            for name, nodes in instance.populations.items()
            # a program may leave out spikes that it was given
            if (name in found or not nodes.virtual) and (recorded is None or name in recorded)
        }
        return Run(
            model=instance.name,
            simulator=self.name,
            dt=simulation.dt,
            duration=simulation.duration,
            discard=simulation.discard,
            seed=simulation.seed,
            threads=1,
            sizes=sizes,
            spikes={name: found.get(name, none) for name in sizes},
            voltages=voltages,
            versions={**versions, "mc-interchange": __version__},
            random_input=has_random_input(instance),
        )


def _spikes(path: Path, instance: NetworkInstance) -> dict[str, Spikes]:
    """Return the spikes that a program wrote, all of which must be those of the network's neurons, on its grid."""
    dt, found = instance.simulation.dt, {}
    for name, (times, neurons) in read_spikes(path).items():
        nodes = instance.populations.get(name)
        if nodes is None:
            raise FormatError(f"{path}: there is no population '{name}' in the network")
        if len(neurons) and neurons.max() >= nodes.size:
            raise FormatError(f"{path}: {name} has {nodes.size} neurons, a spike is of neuron {neurons.max()}")
        exact = steps(1.0, dt) * times
        whole = np.rint(exact)
        # also for what is not a number
        wrong = ~((np.abs(exact - whole) < 1e-3) & (whole >= 0) & (whole <= instance.simulation.n_steps))
        if wrong.any():
            raise FormatError(
                f"{path}: {name} has a spike at {times[wrong][0]:g} ms; "
                f"it must be a multiple of dt ({dt:g} ms) up to {instance.simulation.duration:g} ms"
            )
        found[name] = Spikes.sorted(whole.astype(np.int64), neurons)
    return found
