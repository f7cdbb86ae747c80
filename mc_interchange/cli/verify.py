"""``mc-verify``: the whole ladder for one export."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from mc_interchange.equivalence.rungs import RUNGS, RungName
from mc_interchange.errors import UsageError
from mc_interchange.network.simulation import MAX_SEED
from mc_interchange.output import staged_directory
from mc_interchange.progress import shown_progress
from mc_interchange.runs import RUN_FILE

from . import options
from .common import NO, Terminal, Tool
from .models import default_out, existing_path

__all__ = ["command", "main"]

REPORT = "report.html"


@click.command(
    "mc-verify",
    cls=Tool,
    examples=(
        "mc-verify pd14-sonata                           # report and certificate into ./pd14-sonata-verify",
        "mc-verify pd14-sonata --rung structure --rung spikes",
    ),
)
@click.argument("path")
@click.option(
    "--rung",
    "rungs",
    multiple=True,
    type=click.Choice(get_args(RungName)),
    help="Climb this rung alone; repeatable.  [default: all that apply]",
)
@click.option(
    "--spikes-duration",
    type=click.FloatRange(min=0, min_open=True),
    default=200.0,
    show_default=True,
    metavar="MS",
    help="Length of the runs that are compared spike by spike.",
)
@click.option(
    "--min-spikes",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    metavar="N",
    help="Fewest spikes in these: silent networks agree as well.",
)
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(1, MAX_SEED),
    multiple=True,
    help="Seed of a run whose statistics are compared; repeatable.  [default: 101, 102]",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="Directory to make.  [default: ./NAME-verify after the path; of '.': ../NAME-verify]",
)
@options.force("an earlier verification")
@options.quiet
@options.json_result
def command(
    path: str,
    rungs: tuple[RungName, ...],
    spikes_duration: float,
    min_spikes: int,
    seeds: tuple[int, ...],
    out: Path | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Hold an export against its own rules: structure, single neurons, spikes, statistics.

    The reference is the description beside the export, realised with the export's seed and loaded directly.
    Writes report.html and certificate.json. Exit code 0: all rungs that apply hold; 1: one fails, or none applies.
    """
    from mc_interchange.verify import CERTIFICATE, Certificate, Settings, verify, write_certificate, write_report

    source = existing_path(path)
    if (source / RUN_FILE).is_file():
        raise UsageError(f"{path}: a run; mc-verify takes an export, mc-compare two runs")
    if source.suffix in (".yaml", ".yml"):
        raise UsageError(f"{path}: a model file has nothing to be held against but itself (mc-export makes an export)")
    out = out or default_out(path, "verify")
    chosen = Settings(tuple(rungs) or RUNGS, spikes_duration, min_spikes, tuple(seeds) or Settings().seeds)
    with staged_directory(out, force=force, marker=CERTIFICATE) as directory:
        with shown_progress(quiet) as progress:
            found = verify(source, chosen, progress=progress)
        certificate = Certificate.of(found)
        write_report(found, certificate, directory / REPORT)
        write_certificate(certificate, directory / CERTIFICATE)
    lines = [line for rung in certificate.rungs for line in _lines(rung)]
    lines.append(f"{out / REPORT}")
    lines.append(f"verified: {'yes' if certificate.passed else 'no'}")
    Terminal(quiet, as_json).result("\n".join(lines), {"path": str(out), **certificate.model_dump(mode="json")})
    return 0 if certificate.passed else NO


def _lines(rung: Any) -> list[str]:
    """Write a rung as its verdict, and its failures or its first figures."""
    if rung.passed is None:
        return [f"{rung.name}: not climbed, {rung.why_not}"]
    shown = [f for f in rung.figures if not f.passed] if not rung.passed else rung.figures[:3]
    lines = [f"{rung.name}: {'holds' if rung.passed else 'FAILS'}, {len(rung.figures)} figures"]
    return lines + [f"  {f.name}: {_number(f.value)} (limit {_number(f.limit)}; {f.detail})" for f in shown]


def _number(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float | int) else str(value)


def main() -> None:
    """Run the tool."""
    command.main()
