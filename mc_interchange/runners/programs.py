"""Running exports that are a program (:mod:`mc_interchange.formats.program`), in a process of its own."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mc_interchange._version import __version__
from mc_interchange.contracts import FileRunner
from mc_interchange.errors import FormatError, UsageError
from mc_interchange.formats.program import PROGRAM, PROGRESS
from mc_interchange.formats.sonata_output import read_reports, read_spikes
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
                now = float(line.removeprefix(PROGRESS))
                progress.advance(now - done)
                done = now

        out = scratch / "out"
        # absolute, since it does not run where we are
        command = [sys.executable, str(program.resolve()), *self.arguments(), "--out", str(out.resolve())]
        run_tool(command, name=self.name, directory=scratch, on_line=follow)
        none = Spikes(np.empty(0, np.int64), np.empty(0, np.int64))
        found = {
            name: Spikes.sorted(np.rint(steps(1.0, simulation.dt) * times).astype(np.int64), ids.astype(np.int64))
            for name, (times, ids) in read_spikes(out / SPIKES_FILE).items()
        }
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
            voltages=read_reports(out / VOLTAGES_FILE) if (out / VOLTAGES_FILE).is_file() else {},
            versions={**versions, "mc-interchange": __version__},
        )
