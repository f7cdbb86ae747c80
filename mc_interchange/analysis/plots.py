"""Plots of runs, in the order and colours of the model's populations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mc_interchange.errors import MissingDependencyError
from mc_interchange.runs import Run

__all__ = ["raster_and_rates"]

#: Neurons drawn in a raster at most; more would only make it grey.
MAX_ROWS = 2000
#: The raster shows the end of a run, at most so many ms.
SHOWN = 500.0
_DEFAULT = "#555555"


def raster_and_rates(
    runs: Mapping[str, Run], path: str | Path, *, colors: Mapping[str, str] | None = None, title: str = ""
) -> None:
    """Draw the spikes of one or more runs side by side, and their mean rates, into a PNG, SVG or PDF file.

    Parameters
    ----------
    runs
        What to draw, by the label it shall have; all of the same populations.
    path
        The ending chooses the file type.
    colors
        Hexadecimal colour by population.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    plt = _pyplot()
    colors = colors or {}
    figure, axes = plt.subplots(
        1,
        len(runs) + 1,
        figsize=(2.4 + 3.8 * len(runs), 4.6),
        width_ratios=(*[3.0] * len(runs), 1.6),
        layout="constrained",
        dpi=150,
    )
    for raster, (label, run) in zip(axes, runs.items(), strict=False):
        _draw_raster(raster, run, colors)
        raster.set_title(f"{label}: {run.n_spikes:,} spikes", fontsize="medium")
    _draw_rates(axes[-1], runs, colors)
    if title:
        figure.suptitle(title)
    figure.savefig(path)
    plt.close(figure)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise MissingDependencyError("matplotlib", "analysis") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _draw_raster(axes: Any, run: Run, colors: Mapping[str, str]) -> None:
    total = sum(run.sizes.values())
    every = max(1, -(-total // MAX_ROWS))
    start = max(0.0, run.duration - SHOWN)
    first, middles = 0.0, []
    for name, size in run.sizes.items():
        spikes = run.spikes[name]
        times = spikes.steps * run.dt
        shown = (times > start) & (spikes.neurons % every == 0)
        rows = first + spikes.neurons[shown]
        axes.plot(times[shown], rows, ".", markersize=1.6, color=colors.get(name, _DEFAULT), markeredgewidth=0)
        middles.append(first + size / 2)
        first += size
        axes.axhline(first, color="0.85", linewidth=0.5)
    axes.set_ylim(total, 0)
    axes.set_xlim(start, run.duration)
    labels = [f"{name} ({size:,})" for name, size in run.sizes.items()]
    axes.set_yticks(_spread(middles, 0.045 * total), labels, fontsize="small")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (ms)")
    axes.spines[["top", "right"]].set_visible(False)


def _spread(places: list[float], distance: float) -> list[float]:
    """Move labels downwards as far as needed to keep them apart."""
    spread: list[float] = []
    for place in places:
        spread.append(max(place, spread[-1] + distance) if spread else place)
    return spread


def _draw_rates(axes: Any, runs: Mapping[str, Run], colors: Mapping[str, str]) -> None:
    names = list(next(iter(runs.values())).sizes)
    height = 0.8 / len(runs)
    for number, (label, run) in enumerate(runs.items()):
        rates = run.rates()
        axes.barh(
            np.arange(len(names)) - 0.4 + (number + 0.5) * height,
            [rates[name] for name in names],
            height * 0.9,
            color=[colors.get(name, _DEFAULT) for name in names],
            hatch="////" if number else None,
            edgecolor="white",
            linewidth=0,
            label=label,
        )
    if len(runs) > 1:
        axes.legend(fontsize="x-small", frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    axes.set_yticks(range(len(names)), names, fontsize="small")
    axes.invert_yaxis()
    axes.set_xlabel("mean rate (spikes/s)")
    axes.spines[["top", "right"]].set_visible(False)
