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
_DEFAULT = "#555555"


def raster_and_rates(
    run: Run,
    path: str | Path,
    *,
    colors: Mapping[str, str] | None = None,
    reference: Run | None = None,
    title: str = "",
) -> None:
    """Draw the spikes of all populations, and their mean rates, into a PNG, SVG or PDF file.

    Parameters
    ----------
    run
        What to draw; its spikes during the last 500 ms at most.
    path
        The ending chooses the file type.
    colors
        Hexadecimal colour by population.
    reference
        Another run, whose rates stand beside as open markers.
    """
    plt = _pyplot()
    colors = colors or {}
    figure, (raster, bars) = plt.subplots(1, 2, figsize=(9, 4.5), width_ratios=(3, 1.1), layout="constrained", dpi=150)
    names = list(run.sizes)
    _draw_raster(raster, run, names, colors)
    _draw_rates(bars, run, reference, names, colors)
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


def _draw_raster(axes: Any, run: Run, names: list[str], colors: Mapping[str, str]) -> None:
    total = sum(run.sizes.values())
    every = max(1, -(-total // MAX_ROWS))
    start = max(0.0, run.duration - 500)
    first, middles = 0.0, []
    for name in names:
        spikes = run.spikes[name]
        times = spikes.steps * run.dt
        shown = (times > start) & (spikes.neurons % every == 0)
        rows = first + spikes.neurons[shown]
        axes.plot(times[shown], rows, ".", markersize=1.6, color=colors.get(name, _DEFAULT), markeredgewidth=0)
        middles.append(first + run.sizes[name] / 2)
        first += run.sizes[name]
        axes.axhline(first, color="0.85", linewidth=0.5)
    axes.set_ylim(first, 0)
    axes.set_xlim(start, run.duration)
    axes.set_yticks(middles, names)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (ms)")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_rates(axes: Any, run: Run, reference: Run | None, names: list[str], colors: Mapping[str, str]) -> None:
    rates = run.rates()
    rows = np.arange(len(names))
    axes.barh(rows, [rates[n] for n in names], color=[colors.get(n, _DEFAULT) for n in names])
    if reference is not None:
        others = reference.rates()
        axes.plot(
            [others[n] for n in names],
            rows,
            "o",
            markerfacecolor="none",
            markeredgecolor="black",
            label=reference.simulator,
        )
        axes.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 1.12))
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlabel("mean rate (spikes/s)")
    axes.spines[["top", "right"]].set_visible(False)
