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
from mc_interchange.instance import NetworkInstance, PoissonTrains, freeze_inputs
from mc_interchange.join import ExportJob, join_shards
from mc_interchange.network.simulation import MAX_SEED
from mc_interchange.progress import short_number, shown_progress
from mc_interchange.shards import Shard

from . import options
from .common import Terminal, Tool, tell_losses
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
        "mc-export --format sonata --scale 1 --shard 3/8 # one of 8 shares, each on a machine of its own",
        "mc-export --join pd14-sonata-shard-*            # all shares; the same as without --shard",
    ),
)
@click.argument("models", nargs=-1, metavar="[MODEL | SHARD...]")
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
@click.option(
    "--freeze-input",
    is_flag=True,
    help="Draw the spikes of all Poisson sources now, so that every tool replays the same.",
)
@click.option("--shard", metavar="I/N", help="Write share I of N of the synapses only, for --join.")
@click.option("--join", is_flag=True, help="Write what all SHARDs of an export make together.")
@click.option("--workers", type=click.IntRange(1, 256), help="Threads; no influence on the result.")
@click.option("--strict", is_flag=True, help="Refuse when the format cannot hold the model exactly.")
@options.force("an earlier export")
@options.quiet
@options.json_result
def command(
    models: tuple[str, ...],
    format: str | None,
    out: Path | None,
    seed: int | None,
    dt: float | None,
    duration: float | None,
    freeze_input: bool,
    shard: str | None,
    join: bool,
    workers: int | None,
    strict: bool,
    force: bool,
    quiet: bool,
    as_json: bool,
    **others: Any,
) -> None:
    """Write a model in one format, completely or not at all.

    MODEL is the name of a reference model (default: pd14), a model file (.yaml), or an export that an
    importer reads. The scale, --background and --param are for reference models. With --join: the directories
    that were written with --shard, all of them.
    """
    terminal = Terminal(quiet, as_json)
    simulation = {"seed": seed, "dt": dt, "duration": duration}
    simulation = {name: value for name, value in simulation.items() if value is not None}
    given, chosen = given_arguments(others), options.values_of(others)
    part = Shard.parse(shard) if shard else None
    if part and freeze_input:
        raise UsageError("--freeze-input: a shard holds no input; give it beside --join")
    started = time.perf_counter()
    if join:
        _refuse_beside_join({"shard": shard} if shard else {}, simulation, given, chosen)
        job = join_shards(models)
        if format not in (None, job.format):
            raise UsageError(f"--format {format}: these are shards of an export as {job.format}")
        out = out or Path(f"{job.instance.name}-{job.format}")
    else:
        model = _only(models)
        job = _job(model, format, given, chosen, simulation)
        out = out or default_out(model, f"{job.format}-shard-{part.number}-of-{part.of}" if part else job.format)
    instance = job.instance
    if freeze_input:
        instance = freeze_inputs(instance)
        _tell_frozen(terminal, instance)
    with shown_progress(quiet) as progress:
        result = export(
            instance,
            job.format,
            out,
            job.options,
            shard=part,
            strict=strict,
            force=force,
            workers=workers,
            progress=progress,
        )
    tell_losses(terminal, job.format, result.losses, result.path / REPORT_FILE)
    _tell_result(terminal, job.format, instance.name, part, result, time.perf_counter() - started)


def _only(models: tuple[str, ...]) -> str:
    if len(models) > 1:
        raise UsageError(f"one MODEL is written at a time, got {' '.join(models)} (all shards of an export: --join)")
    return models[0] if models else "pd14"


def _job(
    model: str, format: str | None, given: dict[str, Any], chosen: dict[str, Any], simulation: dict[str, Any]
) -> ExportJob:
    if format is None:
        raise UsageError(f"--format is missing; known: {', '.join(registry.names('exporter'))}")
    exporter: Exporter[Any] = registry.load("exporter", format)
    chosen_options = exporter.Options(**chosen)
    return ExportJob(load_instance(model, given, exporter.model_defaults, simulation), format, chosen_options)


def _refuse_beside_join(*given: dict[str, Any]) -> None:
    flags = [options.flag_name(name) for group in given for name in group]
    if flags:
        raise UsageError(f"{flags[0]}: the shards say this; leave it out beside --join")


def _tell_frozen(terminal: Terminal, instance: NetworkInstance) -> None:
    """Announce how many spikes there will be, before any is drawn."""
    trains = [n.activity for n in instance.populations.values() if isinstance(n.activity, PoissonTrains)]
    if not trains:
        terminal.note("there are no Poisson sources to freeze")
        return
    n_spikes = sum(t.expected for t in trains)
    terminal.note(
        f"freezing {sum(t.size for t in trains)} Poisson sources for {instance.simulation.duration:g} ms: about "
        f"{short_number(n_spikes)} spikes, {short_number(16 * n_spikes)}B as binary numbers"
    )


def _tell_result(
    terminal: Terminal, format: str, model: str, shard: Shard | None, result: ExportResult, seconds: float
) -> None:
    n_bytes = sum(file.stat().st_size for file in result.path.rglob("*") if file.is_file())
    rate = result.n_edges / seconds
    which = f"shard {shard}, " if shard else ""
    terminal.result(
        f"{result.path}: {which}{result.n_neurons} neurons, {result.n_edges} synapses in {seconds:.1f} s "
        f"({short_number(rate)} synapses/s), {short_number(n_bytes)}B, digest {result.digest.all}",
        {
            "path": str(result.path),
            "format": format,
            "model": model,
            **({"shard": str(shard)} if shard else {}),
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
