"""Plots of what neurons do: spikes, rates and other statistics, membrane potentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mc_interchange.analysis.statistics import MEASURES, Activity
from mc_interchange.errors import UsageError
from mc_interchange.runs import Run

from .style import new_axes, new_figure, plain, save, with_colors

__all__ = ["UNITS", "distributions", "potentials", "raster", "raster_and_rates", "rates"]

#: Neurons drawn in a raster at most; more would only make it grey.
MAX_ROWS = 2000
#: A raster shows the end of a run, at most so many ms.
SHOWN = 500.0
#: Traces of membrane potentials at most.
MAX_TRACES = 12
#: Labels of axes, by measure.
UNITS = {"rate": "rate (spikes/s)", "CV": "CV of inter-spike intervals", "correlation": "correlation"}


def raster(
    run: Run,
    axes: Any = None,
    *,
    colors: Mapping[str, str] | None = None,
    shown: float = SHOWN,
    until: float | None = None,
) -> Any:
    """Draw spikes as dots, neurons downwards in the order of the populations.

    Parameters
    ----------
    run
        What to draw.
    axes
        Of matplotlib; None: new ones.
    colors
        ``#rrggbb`` by population.
    shown
        Length of the time that is drawn, ms. Of large networks every n-th neuron is drawn.
    until
        Its end, ms; None: that of the run.

    Returns
    -------
    matplotlib axes
    """
    axes = new_axes(axes)
    palette = with_colors(run.sizes, colors)
    total = max(1, sum(run.sizes.values()))
    every = -(-total // MAX_ROWS)
    until = run.duration if until is None else until
    start = max(0.0, until - shown)
    # few spikes are hard to see in small dots
    dots = 1.6 if run.n_spikes * shown > 20_000 * run.duration else 3.0
    first, middles = 0.0, []
    for name, size in run.sizes.items():
        spikes = run.spikes[name]
        times = spikes.steps * run.dt
        drawn = (times > start) & (times <= until) & (spikes.neurons % every == 0)
        rows = first + spikes.neurons[drawn]
        axes.plot(
            times[drawn],
            rows,
            ".",
            markersize=dots,
            color=palette[name],
            markeredgewidth=0,
            rasterized=True,
            label=name,
        )
        middles.append(first + size / 2)
        first += size
        axes.axhline(first, color="0.85", linewidth=0.5)
    axes.set_ylim(total, 0)
    axes.set_xlim(start, until)
    labels = [f"{name} ({size:,})" for name, size in run.sizes.items()]
    axes.set_yticks(_spread(middles, 0.045 * total), labels, fontsize="small")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (ms)")
    plain(axes)
    return axes


def _spread(places: list[float], distance: float) -> list[float]:
    """Move labels downwards as far as needed to keep them apart."""
    spread: list[float] = []
    for place in places:
        spread.append(max(place, spread[-1] + distance) if spread else place)
    return spread


def rates(runs: Mapping[str, Run], axes: Any = None, *, colors: Mapping[str, str] | None = None) -> Any:
    """Draw the mean rate of each population as a bar, one for each run.

    Parameters
    ----------
    runs
        By label; all of the same populations. The bars of the second and further ones are hatched.
    axes, colors
        As for :func:`raster`.

    Returns
    -------
    matplotlib axes
    """
    axes = new_axes(axes)
    names = list(next(iter(runs.values())).sizes)
    palette = with_colors(names, colors)
    height = 0.8 / len(runs)
    for number, (label, run) in enumerate(runs.items()):
        found = run.rates()
        axes.barh(
            np.arange(len(names)) - 0.4 + (number + 0.5) * height,
            [found[name] for name in names],
            height * 0.9,
            color=[palette[name] for name in names],
            hatch=_hatch(number),
            edgecolor="white",
            linewidth=0,
            label=label,
        )
    if len(runs) > 1:
        axes.legend(fontsize="x-small", frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    _list_populations(axes, names)
    axes.set_xlabel("mean rate (spikes/s)")
    return axes


def distributions(
    activities: Mapping[str, Mapping[str, Activity]],
    measure: str,
    axes: Any = None,
    *,
    colors: Mapping[str, str] | None = None,
) -> Any:
    """Draw how a measure is distributed over neurons (or pairs), as a box for each population and run.

    The box holds the middle half, its line is the median, the whiskers reach from the 5th to the 95th percentile.

    Parameters
    ----------
    activities
        By label of the run, then by population (:func:`mc_interchange.analysis.statistics.activity_of`).
    measure
        ``rate``, ``CV`` or ``correlation``.
    axes, colors
        As for :func:`raster`.

    Returns
    -------
    matplotlib axes
    """
    if measure not in MEASURES:
        raise UsageError(f"unknown measure '{measure}'; known: {', '.join(MEASURES)}")
    axes = new_axes(axes)
    names = list(next(iter(activities.values())))
    palette = with_colors(names, colors)
    height = 0.8 / len(activities)
    for number, (label, activity) in enumerate(activities.items()):
        boxes = axes.boxplot(
            [activity[name][measure] for name in names],
            positions=np.arange(len(names)) - 0.4 + (number + 0.5) * height,
            widths=height * 0.8,
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            patch_artist=True,
            medianprops={"color": "black"},
        )
        for box, name in zip(boxes["boxes"], names, strict=True):
            box.set(facecolor=palette[name], hatch=_hatch(number), edgecolor="0.3", linewidth=0.6, label=label)
    _list_populations(axes, names)
    axes.set_xlabel(UNITS[measure])
    return axes


def _hatch(number: int) -> str | None:
    return ("////", "....", "xxxx")[(number - 1) % 3] if number else None


def _list_populations(axes: Any, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize="small")
    axes.set_ylim(len(names) - 0.5, -0.5)
    plain(axes)


def potentials(run: Run, axes: Any = None, *, colors: Mapping[str, str] | None = None) -> Any:
    """Draw recorded membrane potentials over time, the first few neurons of each population.

    Parameters
    ----------
    run
        With recorded potentials.
    axes, colors
        As for :func:`raster`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    UsageError
        Nothing was recorded.
    """
    if not run.voltages:
        raise UsageError("no membrane potentials were recorded (mc-run --record V_m:POPULATION:IDS)")
    axes = new_axes(axes)
    palette = with_colors(run.sizes, colors)
    each = max(1, MAX_TRACES // len(run.voltages))
    for name, report in run.voltages.items():
        for column, neuron in enumerate(report.neurons[:each].tolist()):
            label = name if column == 0 else None
            values = report.values[:, column]
            axes.plot(report.times, values, color=palette[name], linewidth=0.7, alpha=0.8, label=label, gid=f"{neuron}")
    axes.legend(fontsize="x-small", frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4)
    axes.set_xlabel("time (ms)")
    axes.set_ylabel("membrane potential (mV)")
    plain(axes)
    return axes


def raster_and_rates(
    runs: Mapping[str, Run], path: str | Path, *, colors: Mapping[str, str] | None = None, title: str = ""
) -> None:
    """Draw the spikes of one or more runs side by side, and their mean rates, into a file.

    Parameters
    ----------
    runs
        What to draw, by the label it shall have; all of the same populations.
    path
        The ending chooses the type of file: png, svg or pdf.
    colors
        ``#rrggbb`` by population.
    title
        Above all of it.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    figure = new_figure(2.4 + 3.8 * len(runs), 4.6)
    axes = figure.subplots(1, len(runs) + 1, width_ratios=[*[3.0] * len(runs), 1.6])
    for place, (label, run) in zip(axes, runs.items(), strict=False):
        raster(run, place, colors=colors)
        place.set_title(f"{label}: {run.n_spikes:,} spikes", fontsize="medium")
    rates(runs, axes[-1], colors=colors)
    if title:
        figure.suptitle(title)
    save(figure, path)
