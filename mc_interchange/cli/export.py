"""``mc-export``: write a model in one format."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mc_interchange import registry
from mc_interchange.contracts import Exporter
from mc_interchange.errors import UsageError, one_line
from mc_interchange.export import REPORT_FILE, ExportResult, export
from mc_interchange.network.simulation import MAX_SEED
from mc_interchange.progress import short_number, shown_progress

from . import options
from .common import Terminal, Tool
from .models import default_out, given_arguments, load_instance, model_arguments

__all__ = ["command", "main"]


class ExportTool(Tool):
    """A tool whose flags depend on ``--format``: those of the exporter come on top."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the format first, for its flags; say of a flag that belongs to another format whose it is."""
        ctx.meta["format"] = _format_among(args)
        ctx.meta["flags"] = self._flags_of(ctx.meta["format"])
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            owners = [name for name in registry.names("exporter") if self._has(name, error.option_name)]
            if not owners:
                raise
            given = f", not of {ctx.meta['format']}" if ctx.meta["format"] else ""
            raise UsageError(f"{error.option_name} is an option of {', '.join(owners)}{given}") from None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the flags of all formats and those of the chosen one."""
        return [*super().get_params(ctx), *ctx.meta.get("flags", ())]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags in two groups, and the formats."""
        own = ctx.meta.get("flags", ())
        common = [p.get_help_record(ctx) for p in self.get_params(ctx) if isinstance(p, click.Option) and p not in own]
        with formatter.section("Options"):
            formatter.write_dl([record for record in common if record])
        name = ctx.meta.get("format")
        if name:
            with formatter.section(f"Options of the format {name}"):
                formatter.write_dl([record for p in own if (record := p.get_help_record(ctx))] or [("none", "")])
            return
        with formatter.section("Formats (mc-export --format NAME --help shows the options of one)"):
            formatter.write_dl([(known, _title(known)) for known in registry.names("exporter")])

    def _flags_of(self, format: str | None) -> list[click.Option]:
        if format is None:
            return []
        exporter: Exporter[Any] = registry.load("exporter", format)
        flags = options.flags_of(exporter.Options)
        taken = {name for param in self.params for name in param.opts}
        for flag in flags:
            if taken.intersection(flag.opts):
                raise UsageError(f"the exporter '{format}' has an option {flag.opts[0]}, which is mc-export's own")
        return flags

    def _has(self, format: str, flag: str) -> bool:
        try:
            return any(flag in (*param.opts, *param.secondary_opts) for param in self._flags_of(format))
        except Exception:  # a plug-in that cannot be loaded has no say here
            return False


def _format_among(args: list[str]) -> str | None:
    """Return the value of ``--format`` before anything else is known of the command line."""
    found = None
    for position, arg in enumerate(args):
        if arg == "--":
            break
        if arg == "--format" or re.fullmatch("-q*f", arg):
            found = args[position + 1] if position + 1 < len(args) else None
        elif arg.startswith("--format="):
            found = arg.removeprefix("--format=")
        elif joined := re.match("-q*f(.+)", arg):
            found = joined[1]
    return found


def _title(format: str) -> str:
    try:
        title: str = registry.load("exporter", format).title
    except Exception as error:  # one broken plug-in must not hide the other formats
        return f"(not usable: {one_line(error)})"
    return title


@click.command(
    "mc-export",
    cls=ExportTool,
    examples=(
        "mc-export --format sonata                       # pd14 at scale 0.1 into ./pd14-sonata",
        "mc-export pd14 --format neuroml --scale 0.02 --out column",
        "mc-export my_network.yaml --format sonata --seed 7",
        "mc-export pd14-sonata --format neuroml          # one format into another",
    ),
)
@click.argument("model", default="pd14")
@click.option("--format", "-f", "format", metavar="NAME", help="Format to write (see below).")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="Directory to make.  [default: ./NAME-FORMAT after the model or path; of '.': ../NAME-FORMAT]",
)
@model_arguments
@click.option("--seed", type=click.IntRange(1, MAX_SEED), help="Seed that fixes every synapse and initial value.")
@click.option("--dt", type=float, metavar="MS", help="Resolution.")
@click.option("--duration", type=float, metavar="MS", help="Simulated time in all.")
@click.option("--workers", type=click.IntRange(1, 256), help="Threads; no influence on the result.")
@click.option("--strict", is_flag=True, help="Refuse when the format cannot hold the model exactly.")
@options.force("an earlier export")
@options.quiet
@options.json_result
def command(
    model: str,
    format: str | None,
    out: Path | None,
    seed: int | None,
    dt: float | None,
    duration: float | None,
    workers: int | None,
    strict: bool,
    force: bool,
    quiet: bool,
    as_json: bool,
    **others: Any,
) -> None:
    """Write a model in one format, completely or not at all.

    MODEL is the name of a reference model (default: pd14), a model file (.yaml), or an export that an
    importer reads. The scale, --background and --param are for reference models.
    """
    if format is None:
        raise UsageError(f"--format is missing; known: {', '.join(registry.names('exporter'))}")
    terminal = Terminal(quiet, as_json)
    exporter: Exporter[Any] = registry.load("exporter", format)
    chosen = exporter.Options(**options.values_of(others))
    simulation = {"seed": seed, "dt": dt, "duration": duration}
    given = given_arguments(others)
    started = time.perf_counter()
    instance = load_instance(
        model, given, exporter.model_defaults, {name: value for name, value in simulation.items() if value is not None}
    )
    out = out or default_out(model, format)
    with shown_progress(quiet) as progress:
        result = export(instance, exporter, out, chosen, strict=strict, force=force, workers=workers, progress=progress)
    _tell_losses(terminal, format, result)
    _tell_result(terminal, format, instance.name, result, time.perf_counter() - started)


def _tell_losses(terminal: Terminal, format: str, result: ExportResult) -> None:
    if not result.losses:
        terminal.note(f"{format} holds this model exactly")
        return
    terminal.note(f"What {format} does not hold as it is (also in {result.path / REPORT_FILE}):")
    alike: dict[tuple[str, str], list[str]] = {}
    for loss in result.losses:
        alike.setdefault((loss.how, loss.detail), []).append(loss.what)
    for (how, detail), parts in alike.items():
        more = f" (and {len(parts) - 1} more)" if len(parts) > 1 else ""
        terminal.note(f"  {parts[0]}{more}: {how}, {detail}")


def _tell_result(terminal: Terminal, format: str, model: str, result: ExportResult, seconds: float) -> None:
    n_bytes = sum(file.stat().st_size for file in result.path.rglob("*") if file.is_file())
    rate = result.n_edges / seconds
    terminal.result(
        f"{result.path}: {result.n_neurons} neurons, {result.n_edges} synapses in {seconds:.1f} s "
        f"({short_number(rate)} synapses/s), {short_number(n_bytes)}B, digest {result.digest.all}",
        {
            "path": str(result.path),
            "format": format,
            "model": model,
            "n_neurons": result.n_neurons,
            "n_synapses": result.n_edges,
            "seconds": round(seconds, 3),
            "synapses_per_second": round(rate),
            "bytes": n_bytes,
            "digest": result.digest.to_json(),
            "losses": [asdict(loss) for loss in result.losses],
        },
    )


def main() -> None:
    """Run the tool."""
    command.main()
