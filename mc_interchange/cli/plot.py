"""``mc-plot``: pictures of runs and of networks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from mc_interchange import registry
from mc_interchange.analysis import plots
from mc_interchange.analysis.statistics import activity_of
from mc_interchange.errors import OutputError, UsageError
from mc_interchange.export import default_workers
from mc_interchange.instance import NetworkInstance
from mc_interchange.reading import build, open_model
from mc_interchange.runs import RUN_FILE, Run, read_run

from . import options
from .common import Terminal, Tool
from .models import default_out, existing_path

__all__ = ["command", "main"]

Runs = Mapping[str, Run]


def _distribution(measure: str) -> Callable[[Runs, Any], Any]:
    def draw(runs: Runs, colors: Any) -> Any:
        activities = {label: activity_of(run) for label, run in runs.items()}
        return plots.distributions(activities, measure, colors=colors)

    return draw


def _one(draw: Callable[..., Any]) -> Callable[[Runs, Any], Any]:
    def one(runs: Runs, colors: Any) -> Any:
        if len(runs) > 1:
            raise UsageError("this plot shows one run at a time; leave out --what for all that several have in common")
        return draw(next(iter(runs.values())), colors=colors)

    return one


#: Single plots of runs, by name.
OF_RUNS: Mapping[str, Callable[[Runs, Any], Any]] = {
    "raster": _one(plots.raster),
    "rates": lambda runs, colors: plots.rates(runs, colors=colors),
    "rate-distribution": _distribution("rate"),
    "cv": _distribution("CV"),
    "correlation": _distribution("correlation"),
    "potentials": _one(plots.potentials),
}
#: Single plots of networks, by name.
OF_NETWORKS: Mapping[str, Callable[[NetworkInstance, Any], Any]] = {
    "connectivity": lambda instance, colors: plots.connectivity(instance),  # noqa: ARG005
    "weights": lambda i, colors: plots.weight_histogram(i, colors=colors, workers=default_workers()),
    "delays": lambda i, colors: plots.delay_histogram(i, colors=colors, workers=default_workers()),
}


@click.command(
    "mc-plot",
    cls=Tool,
    examples=(
        "mc-plot pd14-sonata-run                         # raster and statistics, into ./pd14-sonata-run-plot.png",
        "mc-plot pd14-sonata-run pd14-neuroml-run --out both.pdf   # side by side",
        "mc-plot pd14-sonata                             # in-degrees, weights, delays",
        "mc-plot pd14-sonata-run --what raster --out raster.svg",
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--what", type=click.Choice([*OF_RUNS, *OF_NETWORKS]), help="One plot alone.  [default: all there is]")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="File to write: .png, .svg or .pdf.  [default: ./NAME-plot.png]",
)
@options.force("a file")
@options.quiet
@options.json_result
def command(
    paths: tuple[str, ...], what: str | None, out: Path | None, force: bool, quiet: bool, as_json: bool
) -> None:
    """Draw runs (of the same populations), or one network: a model file, or an export that can be read."""
    sources = [existing_path(path) for path in paths]
    out = out or Path(f"{default_out(paths[0], 'plot')}.png")
    if out.is_dir() or (os.path.lexists(out) and not force):
        hint = "choose another --out" if out.is_dir() else "choose another --out, or --force to replace it"
        raise OutputError(f"{out}: exists already; {hint}")
    are_runs = [(path / RUN_FILE).is_file() for path in sources]
    if all(are_runs):
        figure = _of_runs(sources, what)
    elif len(paths) == 1:
        figure = _of_network(paths[0], what)
    else:
        odd = paths[are_runs.index(False)]
        raise UsageError(f"{odd}: is no run, and networks are drawn one at a time")
    plots.save(figure, out)
    Terminal(quiet, as_json).result(f"{out}", {"path": str(out)})


def _of_runs(paths: list[Path], what: str | None) -> Any:
    if what in OF_NETWORKS:
        raise UsageError(f"--what {what}: is of networks; {paths[0]} is a run, of which there are {', '.join(OF_RUNS)}")
    labels = [path.resolve().name for path in paths]
    if len(set(labels)) < len(labels):
        labels = [str(path) for path in paths]
    if len(set(labels)) < len(labels):
        raise UsageError(f"{next(p for p in labels if labels.count(p) > 1)}: is given twice")
    runs = {label: read_run(path) for label, path in zip(labels, paths, strict=True)}
    first = next(iter(runs.values()))
    for label, run in runs.items():
        if dict(run.sizes) != dict(first.sizes):
            raise UsageError(f"{label}: has other populations than {labels[0]}")
    colors = _colors(first.model)
    return OF_RUNS[what](runs, colors) if what else plots.run_figure(runs, colors=colors)


def _colors(model: str) -> dict[str, str]:
    """Return the colours that a reference model of this name gives its populations; a run does not hold them."""
    return plots.colors_of(build(model)) if model in registry.names("reference model") else {}


def _of_network(path: str, what: str | None) -> Any:
    if what in OF_RUNS:
        kinds = ", ".join(OF_NETWORKS)
        raise UsageError(
            f"--what {what}: is of runs (mc-run makes one); {path} is a network, of which there are {kinds}"
        )
    instance = open_model(path)
    if what:
        return OF_NETWORKS[what](instance, plots.colors_of(instance))
    return plots.network_figure(instance, workers=default_workers())


def main() -> None:
    """Run the tool."""
    command.main()
