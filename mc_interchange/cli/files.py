"""Running files with the tool that reads them: as they are, or exported for it first."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mc_interchange import registry
from mc_interchange.contracts import FileRunner, Importer
from mc_interchange.export import export
from mc_interchange.instance import NetworkInstance
from mc_interchange.manifest import read_manifest
from mc_interchange.network import Simulation, read_experiment, read_network
from mc_interchange.output import EXPERIMENT_FILE, MANIFEST, MODEL_FILE
from mc_interchange.progress import Progress
from mc_interchange.runs import Run

from .common import Terminal, tell_losses
from .models import warn_of_discard

__all__ = ["run_files"]


def run_files(
    runner: FileRunner,
    path: Path,
    digest: str | None,
    opened: Callable[[], NetworkInstance],
    changed: bool,
    threads: int | None,
    terminal: Terminal,
    progress: Progress,
) -> Run:
    """Run what a path holds.

    Parameters
    ----------
    runner
        The tool.
    path
        Files of the tool's format, or any other model or export.
    digest
        Of the export at ``path``, where it is one.
    opened
        Gives the instance, with all that the user wants changed.
    changed
        Whether there is anything such: then the files at ``path`` do not say it.
    threads
        For the tool.
    """
    with tempfile.TemporaryDirectory(prefix="mc-run-") as temporary:
        scratch = Path(temporary) / "work"
        scratch.mkdir()
        if not changed and _reads(runner, path):
            directory = path if path.is_dir() else path.parent
            # before the run, which a fault in these files shall not cost
            model, discard = _model(directory), _simulation(directory).discard
            run = runner.run_files(path, scratch, threads=threads, progress=progress)
            if 0 < run.duration <= discard:
                warn_of_discard(str(path), discard)
                discard = 0.0
            if runner.draws(path):
                digest = None
            return replace(run, source_digest=digest, discard=discard, model=run.model if model is None else model)
        runner.check()
        instance = opened()
        exporter = registry.load("exporter", runner.format)
        options = exporter.Options(**runner.export_options)
        files = Path(temporary) / instance.name
        result = export(instance, exporter, files, options, progress=progress)
        tell_losses(terminal, exporter.format, result.losses)
        run = runner.run_files(files, scratch, threads=threads, progress=progress)
        return replace(
            run, model=instance.name, discard=instance.simulation.discard, source_digest=str(result.digest.all)
        )


def _reads(runner: FileRunner, path: Path) -> bool:
    """Say whether a path is in a runner's format, by what its manifest states or by its content."""
    directory = path if path.is_dir() else path.parent
    if (directory / MANIFEST).is_file() and read_manifest(directory).get("format") == runner.format:
        return True
    if runner.format not in registry.names("importer"):
        return False
    importer: Importer = registry.load("importer", runner.format)
    return importer.recognises(path)


def _model(directory: Path) -> Any:
    """Return the name of the model that an export's manifest states."""
    return read_manifest(directory).get("model") if (directory / MANIFEST).is_file() else None


def _simulation(directory: Path) -> Simulation:
    """Return the simulation parameters that travel beside an export."""
    if (directory / MODEL_FILE).is_file():
        return read_network(directory / MODEL_FILE).simulation
    if (directory / EXPERIMENT_FILE).is_file():
        return read_experiment(directory / EXPERIMENT_FILE).simulation
    return Simulation()
