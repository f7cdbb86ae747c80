"""``mc-run``: simulate a model and keep its spikes."""

from __future__ import annotations

import time
import warnings
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from mc_interchange import registry
from mc_interchange.contracts import FileRunner, Runner
from mc_interchange.equivalence.null import rules_digest
from mc_interchange.errors import FormatError, UsageError
from mc_interchange.export import available_cores
from mc_interchange.instance import NetworkInstance, has_random_input
from mc_interchange.manifest import check_manifest, read_manifest
from mc_interchange.network import read_network
from mc_interchange.network.simulation import MAX_SEED, MAX_THREADS
from mc_interchange.output import MANIFEST, MODEL_FILE, staged_directory
from mc_interchange.processes import started_together
from mc_interchange.progress import shown_progress
from mc_interchange.reading import open_model
from mc_interchange.runs import RUN_FILE, Run, join_runs, write_run

from . import options
from .common import Terminal, Tool
from .files import run_files
from .models import default_out, existing_path, with_simulation
from .recordings import recordings

__all__ = ["command", "main"]


@click.command(
    "mc-run",
    cls=Tool,
    examples=(
        "mc-run pd14-sonata                              # into ./pd14-sonata-run",
        "mc-run pd14-sonata --duration 200 --record V_m:L4E:0,3,5-9 --out short",
        "mc-run my_network.yaml --native                 # by the simulator's own connection rules",
        "mpirun -n 4 mc-run pd14-sonata                  # in 4 processes, if NEST was built with MPI",
        "mc-run pd14-neuroml --simulator jlems           # with a tool that reads the files itself",
    ),
)
@click.argument("path")
@click.option("--simulator", default="nest", show_default=True, metavar="NAME", help="Simulator to use.")
@click.option("--native", is_flag=True, help="Let the simulator draw the synapses by its own rules.")
@click.option(
    "--record", multiple=True, metavar="V_m:POP:IDS", help="Record potentials of 0,3,5-9 or 0:10; repeatable."
)
@click.option("--duration", type=float, metavar="MS", help="Simulated time in all.")
@click.option(
    "--threads",
    type=click.IntRange(1, MAX_THREADS),
    help="Threads, of all processes together; a Poisson realisation depends on it.",
)
@click.option("--seed", type=click.IntRange(1, MAX_SEED), help="Seed of the run (of a model file: of synapses too).")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="Directory to make.  [default: ./NAME-run after the path; of '.': ../NAME-run]",
)
@options.force("an earlier run")
@options.quiet
@options.json_result
def command(
    path: str,
    simulator: str,
    native: bool,
    record: tuple[str, ...],
    duration: float | None,
    threads: int | None,
    seed: int | None,
    out: Path | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Simulate a model file (.yaml) or an export, and write spikes, potentials and run.json.

    The synapses of an export stay as they are, whatever the seed.
    """
    processes = started_together()
    started = time.perf_counter()
    terminal = Terminal(quiet, as_json)
    with ExitStack() as stack:
        with processes.together():
            runner: Runner | FileRunner = registry.load("runner", simulator)
            if processes.size > 1 and not getattr(runner, "parallel", False):
                raise UsageError(f"--simulator {simulator}: runs in one process only, {processes.size} were started")
            if native and isinstance(runner, FileRunner):
                raise UsageError(f"--native: {simulator} runs files, it draws no synapses")
            source = existing_path(path)
            out = out or default_out(path, "run")
            opened = partial(_opened, source, native, record, duration, seed)
            # before any work: a model that cannot be opened is told of before a directory that is in the way
            instance = None if isinstance(runner, FileRunner) else opened()
            if threads:
                _check_threads(threads // processes.size)
            directory = None
            if processes.first:
                directory = stack.enter_context(staged_directory(out, force=force, marker=RUN_FILE))
            digest = _digest_of(source) if directory and not native else None
        with processes.together(), shown_progress(quiet) as progress:
            if isinstance(runner, FileRunner):
                changed = bool(record) or duration is not None or seed is not None
                part = run_files(runner, source, digest, opened, changed, threads, terminal, progress)
            elif instance is not None:
                part = runner.run(
                    instance,
                    native=native,
                    threads=threads,
                    source_digest=digest,
                    progress=progress,
                    **({"processes": processes} if runner.parallel else {}),
                )
        parts = processes.gather(part)
        if directory is None:
            return
        run = replace(join_runs(parts), **_of_model(instance, source))
        write_run(run, directory)
    _tell(terminal, out, run, time.perf_counter() - started)


def _opened(
    path: Path, native: bool, record: tuple[str, ...], duration: float | None, seed: int | None
) -> NetworkInstance:
    """Open a model and set what the options say."""
    instance = open_model(path, seed)
    if native and instance.network is None:
        raise UsageError(f"--native: {path} has no rules, only synapses")
    changes: dict[str, Any] = {"seed": seed, "duration": duration}
    instance = with_simulation(instance, str(path), **{name: v for name, v in changes.items() if v is not None})
    if record:
        instance = with_simulation(instance, str(path), record_V_m=recordings(record, instance))
    return instance


def _of_model(instance: NetworkInstance | None, path: Path) -> dict[str, Any]:
    """Return what decides whether the run can be compared with others."""
    if instance is not None:
        rules = rules_digest(instance.network) if instance.network else None
        return {"rules": rules, "random_input": has_random_input(instance)}
    beside = path if path.suffix in (".yaml", ".yml") else (path if path.is_dir() else path.parent) / MODEL_FILE
    return {"rules": rules_digest(read_network(beside)) if beside.is_file() else None}


def _check_threads(threads: int) -> None:
    """Warn of more threads in one process than are of use."""
    cores = available_cores()
    if threads > 4 * cores:
        text = f"--threads {threads}: there are only {cores} cores, more threads than these make a run slower"
        warnings.warn(text, stacklevel=2)


def _digest_of(path: Path) -> str | None:
    """Return the digest that the manifest of an export states.

    None where there is no manifest; and, with a warning, where the export is not what was written.
    """
    if path.suffix in (".yaml", ".yml"):
        return None
    directory = path if path.is_dir() else path.parent
    if not (directory / MANIFEST).exists():
        return None
    digest = read_manifest(directory).get("digest")
    if not isinstance(digest, dict) or not isinstance(digest.get("all"), str):
        raise FormatError(f"{directory / MANIFEST}: 'digest' is missing")
    errors = [finding for finding in check_manifest(directory) if finding.level == "error"]
    if errors:
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        text = f"{directory} was changed after it was written ({errors[0].where}: {errors[0].message}{more})"
        warnings.warn(f"{text}; the run states no digest of it", stacklevel=2)
        return None
    return str(digest["all"])


def _tell(terminal: Terminal, out: Path, run: Run, seconds: float) -> None:
    rates = run.rates()
    width = max((len(name) for name in run.spikes), default=0)
    lines = [f"{'':{width}} {'neurons':>9} {'spikes':>11} {'spikes/s':>9}"]
    lines += [
        f"{name:{width}} {run.sizes[name]:>9} {len(spikes):>11} {rates[name]:>9.3f}"
        for name, spikes in run.spikes.items()
    ]
    lines.append(
        f"{out}: {run.n_spikes} spikes in {run.duration:g} ms of {run.model} with {run.simulator} "
        f"(seed {run.seed}, {run.threads} thread{'s' if run.threads != 1 else ''}, {seconds:.1f} s)"
    )
    document = {
        "path": str(out),
        "model": run.model,
        "simulator": run.simulator,
        "dt": run.dt,
        "duration": run.duration,
        "discard": run.discard,
        "seed": run.seed,
        "threads": run.threads,
        "seconds": round(seconds, 3),
        "source_digest": run.source_digest,
        "n_spikes": run.n_spikes,
        "populations": {
            name: {"neurons": run.sizes[name], "spikes": len(spikes), "rate": rates[name]}
            for name, spikes in run.spikes.items()
        },
    }
    terminal.result("\n".join(lines), document)


def main() -> None:
    """Run the tool."""
    command.main()
