"""``mc-compare``: whether two models, or two runs, are the same."""

from __future__ import annotations

from typing import Literal

import click

from mc_interchange.equivalence import compare_spikes, compare_structure
from mc_interchange.errors import UsageError
from mc_interchange.export import default_workers
from mc_interchange.progress import shown_progress
from mc_interchange.reading import open_model
from mc_interchange.runs import RUN_FILE, read_run

from . import options
from .common import NO, Terminal, Tool
from .models import existing_path

__all__ = ["command", "main"]

Level = Literal["structure", "spikes"]


@click.command(
    "mc-compare",
    cls=Tool,
    examples=(
        "mc-compare pd14-sonata other-sonata             # two exports: every neuron, synapse and parameter",
        "mc-compare my_network.yaml my_network-sonata    # the rules, and what was written of them",
        "mc-compare pd14-sonata-run other-sonata-run     # two runs: every spike",
    ),
)
@click.argument("a")
@click.argument("b")
@click.option(
    "--level",
    type=click.Choice(["structure", "spikes"]),
    help="What to compare.  [default: structure of two models, spikes of two runs]",
)
@options.quiet
@options.json_result
def command(a: str, b: str, level: Level | None, quiet: bool, as_json: bool) -> int:
    """Compare two models (model files, or exports in a format that can be read) or two runs.

    Exit code 0: identical; 1: they differ; 2: they cannot be compared.
    """
    terminal = Terminal(quiet, as_json)
    chosen = _level(a, b, level)
    return _structure(terminal, a, b) if chosen == "structure" else _spikes(terminal, a, b)


def _level(a: str, b: str, level: Level | None) -> Level:
    is_run = {path: (existing_path(path) / RUN_FILE).is_file() for path in (a, b)}
    if is_run[a] != is_run[b]:
        run, model = (a, b) if is_run[a] else (b, a)
        raise UsageError(f"{run} is a run, {model} is a model: compare two of a kind (mc-run {model} makes a run)")
    possible: Level = "spikes" if is_run[a] else "structure"
    if level not in (None, possible):
        kind = "runs: they have no structure" if is_run[a] else "models: mc-run them first"
        raise UsageError(f"--level {level}: {a} and {b} are {kind}")
    return possible


def _structure(terminal: Terminal, a: str, b: str) -> int:
    first, second = open_model(a), open_model(b)
    with shown_progress(terminal.quiet) as progress:
        found = compare_structure(first, second, workers=default_workers(), progress=progress)
    lines = [*found.differences, f"identical: {_word(found.identical)}"]
    if found.identical:
        lines.insert(0, f"{first.n_neurons} neurons, {first.n_edges} synapses, digest {found.digests[0].all}")
    document = {
        "level": "structure",
        "identical": found.identical,
        "differences": list(found.differences),
        "digests": [digest.all for digest in found.digests],
    }
    terminal.result("\n".join(lines), document)
    return 0 if found.identical else NO


def _spikes(terminal: Terminal, a: str, b: str) -> int:
    found = compare_spikes(read_run(a), read_run(b))
    lines = [found.divergence] if found.divergence else []
    lines += [f"{found.n_spikes[0]} and {found.n_spikes[1]} spikes", f"identical: {_word(found.identical)}"]
    if found.silent:
        lines.append("both runs are silent: this proves nothing")
    document = {
        "level": "spikes",
        "identical": found.identical,
        "n_spikes": list(found.n_spikes),
        "n_common": found.n_common,
        "divergence": found.divergence,
        "silent": found.silent,
    }
    terminal.result("\n".join(lines), document)
    return 0 if found.identical and not found.silent else NO


def _word(identical: bool) -> str:
    return "yes" if identical else "no"


def main() -> None:
    """Run the tool."""
    command.main()
