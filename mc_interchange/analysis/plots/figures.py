"""All there is to see of one run, or of one network, in one figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mc_interchange.analysis.statistics import MEASURES, activity_of
from mc_interchange.instance import NetworkInstance
from mc_interchange.runs import Run

from .activity import distributions, potentials, raster
from .network import connectivity, delay_histogram, indegree_histogram, weight_histogram
from .style import colors_of, new_figure

__all__ = ["network_figure", "run_figure"]


def run_figure(runs: Mapping[str, Run], *, colors: Mapping[str, str] | None = None) -> Any:
    """Draw one or several runs of the same populations: rasters, distributions, and recorded potentials.

    Parameters
    ----------
    runs
        By the label they shall have.
    colors
        ``#rrggbb`` by population.

    Returns
    -------
    matplotlib Figure
    """
    recorded = {label: run for label, run in runs.items() if run.voltages}
    above = len(runs) + len(recorded)
    figure = new_figure(max(9.0, 4.4 * above), 8.4)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.25, 1.0))
    places = iter(upper.subplots(1, above, squeeze=False)[0])
    for label, run in runs.items():
        raster(run, place := next(places), colors=colors)
        place.set_title(f"{label}: {run.n_spikes:,} spikes", fontsize="medium")
    for label, run in recorded.items():
        potentials(run, place := next(places), colors=colors)
        place.set_title(label, fontsize="medium", loc="right")
    activities = {label: activity_of(run) for label, run in runs.items()}
    for measure, place in zip(MEASURES, lower.subplots(1, len(MEASURES)), strict=True):
        distributions(activities, measure, place, colors=colors)
    return figure


def network_figure(instance: NetworkInstance, *, colors: Mapping[str, str] | None = None, workers: int = 1) -> Any:
    """Draw a network: mean in-degrees, in-degrees, weights, delays.

    Parameters
    ----------
    instance
        The network; its synapses are read four times, and none is held.
    colors
        ``#rrggbb`` by population; None: its own.
    workers
        Threads that read synapses.

    Returns
    -------
    matplotlib Figure
    """
    colors = colors_of(instance) if colors is None else colors
    figure = new_figure(11.0, 8.4)
    axes = figure.subplots(2, 2, width_ratios=(1.15, 1.0)).flat
    connectivity(instance, axes[0])
    indegree_histogram(instance, axes[1], colors=colors, workers=workers)
    weight_histogram(instance, axes[2], colors=colors, workers=workers)
    delay_histogram(instance, axes[3], colors=colors, workers=workers)
    figure.suptitle(f"{instance.name}: {instance.n_neurons:,} neurons, {instance.n_edges:,} synapses")
    return figure
