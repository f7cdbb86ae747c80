"""Plots of two things beside each other: a reference, and what is held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.analysis.statistics import MEASURES
from mc_interchange.runs import Run

from .activity import UNITS, raster
from .style import new_figure, plain, with_colors

__all__ = ["Course", "Densities", "courses_beside", "densities_beside", "potentials_beside", "rasters_beside"]

#: A raster ends so long after the time that is marked, ms.
AFTER = 100.0
#: The reference is drawn below, broad and grey; the other above it, thin.
_BELOW: Mapping[str, Any] = {"color": "0.35", "linewidth": 2.8, "solid_capstyle": "round"}


def rasters_beside(
    runs: Mapping[str, Run], *, colors: Mapping[str, str] | None = None, mark: float | None = None
) -> Any:
    """Draw the spikes of runs side by side.

    Parameters
    ----------
    runs
        By the label they shall have; all of the same populations.
    colors
        ``#rrggbb`` by population.
    mark
        A time that is marked, ms; the raster then ends soon after it.

    Returns
    -------
    matplotlib Figure
    """
    figure = new_figure(11.0 if len(runs) < 3 else 5.0 * len(runs), 4.6)
    for place, (label, run) in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True):
        until = run.duration if mark is None else min(run.duration, mark + AFTER)
        raster(run, place, colors=colors, until=until)
        place.set_title(f"{label}: {run.n_spikes:,} spikes", fontsize="medium", pad=14)
        if mark is not None:
            place.axvline(mark, color="black", linewidth=0.8, linestyle="--")
            place.annotate(
                f"{mark:g} ms", (mark, 1.0), xycoords=("data", "axes fraction"), fontsize="x-small", va="bottom"
            )
    return figure


def potentials_beside(
    runs: Mapping[str, Run], *, colors: Mapping[str, str] | None = None, mark: float | None = None
) -> Any:
    """Draw the potential of the first recorded neuron of each population, of two runs in the same axes.

    Parameters
    ----------
    runs
        Two, by label: the reference first.
    colors, mark
        As for :func:`rasters_beside`.

    Returns
    -------
    matplotlib Figure
    """
    (below, one), (above, other) = runs.items()
    names = [name for name in one.voltages if name in other.voltages]
    palette = with_colors(one.sizes, colors)
    figure, places = _grid(len(names), 2, 1.45)
    for place, name in zip(places, names, strict=True):
        a, b = one.voltages[name], other.voltages[name]
        place.plot(a.times, a.values[:, 0], **_BELOW, label=below)
        place.plot(b.times, b.values[:, 0], color=palette[name], linewidth=0.9, label=above)
        if mark is not None:
            place.axvline(mark, color="black", linewidth=0.8, linestyle="--")
        place.set_title(f"{name}, neuron {int(a.neurons[0])}", fontsize="small", loc="left")
        place.set_ylabel("V (mV)", fontsize="small")
        place.set_xlim(0, one.duration)
        plain(place)
    _last_row(places, 2, "time (ms)")
    return figure


@dataclass(frozen=True)
class Course:
    """Membrane potentials of some neurons, and what they should be.

    Parameters
    ----------
    name
        Of the panel.
    times : ndarray, shape (n_times,), ms
        Of the samples.
    found, wanted : ndarray, shape (n_times, n_neurons), mV
        Potentials.
    """

    name: str
    times: NDArray[np.float64]
    found: NDArray[np.float64]
    wanted: NDArray[np.float64]


def courses_beside(courses: Sequence[Course], *, colors: Mapping[str, str] | None = None) -> Any:
    """Draw potentials over what they should be, a panel for each course; its name and the largest difference above.

    Returns
    -------
    matplotlib Figure
    """
    palette = with_colors([course.name for course in courses], colors)
    figure, places = _grid(len(courses), 2, 2.1)
    for place, course in zip(places, courses, strict=True):
        for column in range(course.found.shape[1]):
            place.plot(course.times, course.wanted[:, column], **_BELOW)
            place.plot(course.times, course.found[:, column], color=palette[course.name], linewidth=0.8)
        apart = float(np.abs(course.found - course.wanted).max()) if course.found.size else np.nan
        place.set_title(f"{course.name}: largest difference {apart:.2g} mV", fontsize="small", loc="left")
        place.set_ylabel("V (mV)", fontsize="small")
        plain(place)
    _last_row(places, 2, "time (ms)")
    return figure


@dataclass(frozen=True)
class Densities:
    """How one measure is distributed on both sides.

    Parameters
    ----------
    borders : ndarray, shape (n + 1,)
        Of bins, in the unit of the measure.
    reference, found : ndarray, shape (n,)
        Densities.
    title
        Above the panel.
    passed
        Whether the two agree.
    """

    borders: NDArray[np.float64]
    reference: NDArray[np.float64]
    found: NDArray[np.float64]
    title: str
    passed: bool


def densities_beside(densities: Mapping[tuple[str, str], Densities], *, colors: Mapping[str, str] | None = None) -> Any:
    """Draw distributions of rates, irregularity and correlations: a column for each population, a row for each measure.

    The densities of correlations have a square root scale.

    Parameters
    ----------
    densities
        By population and measure; where there is none, the panel is left out.
    colors
        ``#rrggbb`` by population.

    Returns
    -------
    matplotlib Figure
    """
    names = list(dict.fromkeys(name for name, _ in densities))
    palette = with_colors(names, colors)
    figure = new_figure(max(6.0, 1.75 * len(names)), 5.6)
    table = figure.subplots(len(MEASURES), len(names), squeeze=False)
    for row, measure in zip(table, MEASURES, strict=True):
        for place, name in zip(row, names, strict=True):
            panel = densities.get((name, measure))
            if panel is None:
                place.set_axis_off()
                continue
            place.stairs(panel.reference, panel.borders, fill=True, color="0.82")
            place.stairs(panel.found, panel.borders, color=palette[name], linewidth=1.3)
            if measure == "correlation":  # most pairs have next to none, and the others would not be seen
                place.set_yscale("function", functions=(np.sqrt, np.square))
            place.set_title(panel.title, fontsize=7, color="#333333" if panel.passed else "#b34700")
            place.set_yticks([])
            place.tick_params(axis="x", labelsize=7)
            place.locator_params(axis="x", nbins=4)
            place.spines["left"].set_visible(False)
            plain(place)
        row[len(row) // 2].set_xlabel(UNITS[measure])
    for place, name in zip(table[0], names, strict=True):
        place.annotate(name, (0.5, 1.28), xycoords="axes fraction", ha="center", weight="bold", color=palette[name])
    return figure


def _grid(n: int, n_columns: int, height: float) -> tuple[Any, list[Any]]:
    """Return a figure with so many axes, row by row."""
    n_rows = max(1, -(-n // n_columns))
    figure = new_figure(11.0, 0.5 + height * n_rows)
    places = list(figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).flat)
    for place in places[n:]:
        place.set_axis_off()
    return figure, places[:n]


def _last_row(places: list[Any], n_columns: int, label: str) -> None:
    for place in places[-n_columns:]:
        place.set_xlabel(label)
        place.tick_params(axis="x", labelbottom=True)
