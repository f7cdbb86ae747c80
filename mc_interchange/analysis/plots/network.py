"""Plots of how neurons are connected."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import EdgeBlock, NetworkInstance, map_blocks
from mc_interchange.network import Neuron

from .style import new_axes, plain, with_colors

__all__ = ["connectivity", "delay_histogram", "indegree_histogram", "weight_histogram"]

#: Bars of a histogram of weights.
BINS = 200


def connectivity(instance: NetworkInstance, axes: Any = None) -> Any:
    """Draw the mean number of synapses that a neuron of each population gets from each other one.

    Parameters
    ----------
    instance
        The network; its synapses are not read, only counted.
    axes
        Of matplotlib; None: new ones.

    Returns
    -------
    matplotlib axes
    """
    axes = new_axes(axes)
    sources, targets = _ends(instance)
    table = np.zeros((len(targets), len(sources)))
    for edges in instance.projections.values():
        size = instance.populations[edges.target].size
        table[targets.index(edges.target), sources.index(edges.source)] += edges.n_edges / size
    image = axes.imshow(np.where(table > 0, table, np.nan), cmap="viridis", aspect="auto")
    axes.figure.colorbar(image, ax=axes, label="synapses per neuron")
    for (row, column), value in np.ndenumerate(table):
        if value:
            light = value > 0.6 * table.max()
            text = f"{value:.0f}" if value >= 10 else f"{value:.2g}"
            axes.text(column, row, text, ha="center", va="center", fontsize=6, color="black" if light else "white")
    axes.set_xticks(range(len(sources)), sources, rotation=90, fontsize="small")
    axes.set_yticks(range(len(targets)), targets, fontsize="small")
    axes.set_xlabel("from")
    axes.set_ylabel("to")
    return axes


def _ends(instance: NetworkInstance) -> tuple[list[str], list[str]]:
    """Return all sources and all targets of projections, in the order of the populations."""
    projections = instance.projections.values()
    sources, targets = {e.source for e in projections}, {e.target for e in projections}
    order = list(instance.populations)
    return [name for name in order if name in sources], [name for name in order if name in targets]


def indegree_histogram(
    instance: NetworkInstance, axes: Any = None, *, colors: Mapping[str, str] | None = None, workers: int = 1
) -> Any:
    """Draw how many synapses the neurons of each population get from all others, a line for each population.

    Reads all synapses once, holding none of them. Parameters as for :func:`weight_histogram`.
    """
    axes = new_axes(axes)
    indegrees: dict[str, NDArray[np.int64]] = {}
    for edges in instance.projections.values():
        size = instance.populations[edges.target].size
        into = indegrees.setdefault(edges.target, np.zeros(size, np.int64))
        for part in map_blocks(edges, partial(_indegrees, size=size), workers=workers):
            into += part
    names = [name for name in instance.populations if name in indegrees]
    palette = with_colors(names, colors)
    for name in names:
        low, high = int(indegrees[name].min()), int(indegrees[name].max()) + 1
        # about as many bins as so many neurons can fill
        n_bins = min(40, max(5, int(len(indegrees[name]) ** 0.5)))
        borders = np.arange(low, high + (step := max(1, -(-(high - low) // n_bins))) + 1, step) - 0.5
        counts = np.histogram(indegrees[name], borders)[0]
        axes.stairs(counts / counts.max(), borders, color=palette[name], linewidth=1.0, label=name)
    axes.set_xlabel("in-degree (synapses per neuron)")
    axes.set_ylabel("neurons (part of the highest bin)")
    axes.set_ylim(bottom=0)
    if names:
        axes.legend(fontsize="x-small", frameon=False)
    plain(axes)
    return axes


def weight_histogram(
    instance: NetworkInstance, axes: Any = None, *, colors: Mapping[str, str] | None = None, workers: int = 1
) -> Any:
    """Draw how the weights are distributed, a line for each source population.

    Reads all synapses twice, holding none of them.

    Parameters
    ----------
    instance, axes
        As for :func:`connectivity`.
    colors
        ``#rrggbb`` by population.
    workers
        Threads that read synapses.

    Returns
    -------
    matplotlib axes
    """
    axes = new_axes(axes)
    limits = [limit for e in instance.projections.values() for limit in map_blocks(e, _limits, workers=workers)]
    if limits:
        borders = np.linspace(min(low for low, _ in limits), max(high for _, high in limits) or 1.0, BINS + 1)
        if borders[0] == borders[-1]:
            borders = np.linspace(borders[0] - 1, borders[0] + 1, BINS + 1)
        counts = _summed(instance, lambda block: np.histogram(block.weight, borders)[0], workers)
        _draw(axes, counts, borders, colors)
    neurons = [model for nodes in instance.populations.values() for model in nodes.models]
    units = sorted({neuron.entry.weight_unit for neuron in neurons if isinstance(neuron, Neuron)})
    axes.set_xlabel(f"weight ({', '.join(units)})" if units else "weight")
    return axes


def delay_histogram(
    instance: NetworkInstance, axes: Any = None, *, colors: Mapping[str, str] | None = None, workers: int = 1
) -> Any:
    """Draw how the delays are distributed, a line for each source population.

    Reads all synapses once, holding none of them. Parameters as for :func:`weight_histogram`.
    """
    axes = new_axes(axes)
    counts = _summed(instance, lambda block: np.bincount(block.delay), workers)
    longest = max((len(count) for count in counts.values()), default=0)
    padded = {name: np.pad(count, (0, longest - len(count))) for name, count in counts.items()}
    dt = instance.simulation.dt
    _draw(axes, padded, (np.arange(longest + 1) - 0.5) * dt, colors)
    axes.set_xlabel("delay (ms)")
    return axes


def _indegrees(block: EdgeBlock, size: int) -> NDArray[np.int64]:
    return np.bincount(block.target, minlength=size)


def _limits(block: EdgeBlock) -> tuple[float, float]:
    return (float(block.weight.min()), float(block.weight.max())) if len(block) else (0.0, 0.0)


def _summed(instance: NetworkInstance, count: Any, workers: int) -> dict[str, NDArray[np.int64]]:
    """Add up the counts of all blocks of all projections of each source population."""
    sums: dict[str, NDArray[np.int64]] = {}
    for edges in instance.projections.values():
        for part in map_blocks(edges, count, workers=workers):
            sums[edges.source] = _added(sums.get(edges.source, part[:0]), part)
    return {name: sums[name] for name in instance.populations if name in sums}


def _added(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    total = longer.copy()
    total[: len(shorter)] += shorter
    return total


def _draw(
    axes: Any, counts: Mapping[str, NDArray[np.int64]], borders: NDArray[Any], colors: Mapping[str, str] | None
) -> None:
    palette = with_colors(counts, colors)
    for name, values in counts.items():
        axes.stairs(np.maximum(values, 0.5), borders, color=palette[name], label=name, linewidth=1.0, baseline=0.5)
    axes.set_yscale("log")
    axes.set_ylabel("number of synapses")
    if counts:
        axes.set_ylim(bottom=0.5)
        axes.legend(fontsize="x-small", frameon=False)
    plain(axes)
