"""``mc-compare``: whether two models, or two runs, are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from mc_interchange.equivalence import compare_spikes, compare_structure
from mc_interchange.equivalence.rungs import RungName
from mc_interchange.errors import UsageError
from mc_interchange.export import default_workers
from mc_interchange.progress import shown_progress
from mc_interchange.reading import open_model
from mc_interchange.runs import RUN_FILE, read_run

from . import options
from .common import NO, Terminal, Tool
from .figures import figure_line
from .models import existing_path

__all__ = ["command", "main"]


@click.command(
    "mc-compare",
    cls=Tool,
    examples=(
        "mc-compare pd14-sonata other-sonata             # two exports: every neuron, synapse and parameter",
        "mc-compare my_network.yaml my_network-sonata    # the rules, and what was written of them",
        "mc-compare pd14-sonata-run other-sonata-run     # two runs: every spike",
        "mc-compare native other-sonata-run --level statistics   # rates, irregularity, correlations",
    ),
)
@click.argument("a")
@click.argument("b")
@click.option(
    "--level",
    type=click.Choice(get_args(RungName)),
    help="What to compare.  [default: structure of two models, spikes of two runs]",
)
@options.quiet
@options.json_result
def command(a: str, b: str, level: RungName | None, quiet: bool, as_json: bool) -> int:
    """Compare two models (model files, or exports in a format that can be read) or two runs; A is the reference.

    At the level of statistics, either may be a directory of runs. Two models are simulated for what only runs show.

    Exit code 0: identical, or within the limits; 1: they differ; 2: they cannot be compared.
    """
    from mc_interchange.verify.sides import are_runs

    terminal = Terminal(quiet, as_json)
    runs = are_runs(existing_path(a), existing_path(b))
    level = level or ("spikes" if runs else "structure")
    if level == "structure" and not runs:
        return _structure(terminal, a, b)
    if level == "spikes" and runs:
        return _spikes(terminal, a, b)
    return _rung(terminal, a, b, level)


def _rung(terminal: Terminal, a: str, b: str, level: RungName) -> int:
    """Climb one rung, and tell every figure of it."""
    from mc_interchange.verify import Certificate, Settings, verify

    with shown_progress(terminal.quiet) as progress:
        found = verify(Path(b), Settings(rungs=(level,)), reference=Path(a), progress=progress)
    rung = found.rungs[0]
    if rung.passed is None:
        raise UsageError(f"--level {level}: {rung.why_not}")
    document: dict[str, Any] = {"level": level, "within_limits": rung.passed}
    certified = Certificate.of(found).rungs[0].model_dump(mode="json")
    lines = [*map(figure_line, rung.figures), f"within limits: {_word(rung.passed)}"]
    terminal.result("\n".join(lines), {**document, "figures": certified["figures"]})
    return 0 if rung.passed else NO


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
    for path in (a, b):
        if not (Path(path) / RUN_FILE).is_file():
            raise UsageError(f"{path}: several runs, whose spikes cannot be compared one by one (--level statistics)")
    first, second = read_run(a), read_run(b)
    for what in ("dt", "duration", "sizes"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            raise UsageError(f"{a} and {b} cannot be compared spike by spike: {what} {one} and {other}")
    found = compare_spikes(first, second)
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
