"""``mc-verify``: the whole ladder for one export, or for two things."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from mc_interchange.equivalence.rungs import RUNGS, RungName
from mc_interchange.errors import UsageError
from mc_interchange.network.simulation import MAX_SEED
from mc_interchange.output import staged_directory
from mc_interchange.progress import shown_progress

from . import options
from .common import NO, Terminal, Tool
from .figures import rung_lines
from .models import default_out, existing_path

__all__ = ["command", "main"]

REPORT = "report.html"


@click.command(
    "mc-verify",
    cls=Tool,
    examples=(
        "mc-verify pd14-sonata                           # report and certificate into ./pd14-sonata-verify",
        "mc-verify pd14-sonata --rung structure --rung spikes",
        "mc-verify pd14-sonata pd14-neuroml              # the second held against the first",
        "mc-verify my_network.yaml other-sonata          # the rules, and what was made of them elsewhere",
        "mc-verify native pd14-sonata-run                # a directory of runs, and a run: statistics",
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="[REFERENCE] PATH")
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
    paths: tuple[str, ...],
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

    The reference is the description beside the export, realised with the export's seed and loaded directly; or what
    is named first: another export, a model file (drawn with the export's seed), or, for runs, a run or a directory of
    runs.

    Writes report.html and certificate.json. Exit code 0: all rungs that apply hold; 1: one fails, or none applies; 2:
    the two cannot be compared.
    """
    from mc_interchange.verify import CERTIFICATE, Certificate, Settings, verify, write_certificate, write_report

    if len(paths) > 2:
        raise UsageError(f"{paths[2]}: one thing is held against another; there are {len(paths)}")
    *before, source = (existing_path(path) for path in paths)
    out = out or default_out(paths[-1], "verify")
    chosen = Settings(tuple(rungs) or RUNGS, spikes_duration, min_spikes, tuple(seeds) or Settings().seeds)
    with staged_directory(out, force=force, marker=CERTIFICATE) as directory:
        with shown_progress(quiet) as progress:
            found = verify(source, chosen, reference=before[0] if before else None, progress=progress)
        certificate = Certificate.of(found)
        write_report(found, certificate, directory / REPORT)
        write_certificate(certificate, directory / CERTIFICATE)
    lines = [line for rung in certificate.rungs for line in rung_lines(rung)]
    lines.append(f"{out / REPORT}")
    lines.append(f"verified: {'yes' if certificate.passed else 'no'}")
    Terminal(quiet, as_json).result("\n".join(lines), {"path": str(out), **certificate.model_dump(mode="json")})
    return 0 if certificate.passed else NO


def main() -> None:
    """Run the tool."""
    command.main()
