"""The pictures of a report: what is held against what, beside each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mc_interchange.analysis import plots
from mc_interchange.equivalence.distances import densities, kolmogorov_smirnov
from mc_interchange.equivalence.probes import N_NEURONS, expected_course
from mc_interchange.equivalence.rungs import Figure
from mc_interchange.export import default_workers
from mc_interchange.network.simulation import steps
from mc_interchange.reading import build
from mc_interchange.registry import names

from .found import Probe, Samples, Verification
from .sides import Side

__all__ = ["Picture", "pictures_of"]

#: Of larger networks, weights and delays are not drawn: that would read all synapses four times more.
MAX_DRAWN = 30_000_000
#: Single neurons that are drawn, and bins of a distribution.
MAX_PROBES, N_BINS = 8, 28
_BELOW = "The reference is drawn broad and grey, the other thin and in colour above it."


@dataclass(frozen=True)
class Picture:
    """One picture.

    Parameters
    ----------
    rung
        Below whose figures it stands.
    title, caption
        What it shows.
    figure
        Of matplotlib; None where it was too much to draw, as the caption says.
    """

    rung: str
    title: str
    caption: str
    figure: Any


def pictures_of(found: Verification) -> Iterator[Picture]:
    """Yield all pictures of a verification, one at a time."""
    colors = _colors(found.tested)
    if "structure" in found.settings.rungs:
        yield from _of_networks(found, colors)
    if found.probes:
        yield _of_probes(found.probes[:MAX_PROBES], len(found.probes), colors)
    yield from _of_spikes(found, colors)
    if found.samples:
        yield _of_samples(found, found.samples, colors)
    if found.longer:
        yield Picture(
            "statistics",
            "Spikes of a run whose statistics were compared",
            "The last 500 ms; one row for each neuron (of large networks, for every n-th).",
            plots.rasters_beside(found.longer, colors=colors),
        )


def _colors(side: Side) -> dict[str, str]:
    if side.model in names("reference model"):
        return plots.colors_of(build(side.model))
    return plots.colors_of(side.instance) if side.instance else {}


def _of_networks(found: Verification, colors: Mapping[str, str]) -> Iterator[Picture]:
    sides = {"reference": found.reference, found.label: found.tested}
    if found.digests[0] == found.digests[1]:
        del sides["reference"]  # which is the same
    for label, side in sides.items():
        if side is None or side.instance is None:
            continue
        title = f"Synapses of the {label}"
        if side.instance.n_edges > MAX_DRAWN:
            limit = f"more than {MAX_DRAWN:,} synapses; mc-plot draws them"
            yield Picture("structure", title, f"Not drawn: there are {limit}.", None)
            continue
        same = " The reference has the same, synapse by synapse." if len(sides) == 1 and found.digests[0] else ""
        caption = (
            "Mean number of synapses per neuron by source and target; in-degrees of the neurons of each population; "
            f"weights and delays by source population (logarithmic).{same}"
        )
        figure = plots.network_figure(side.instance, colors=colors, workers=default_workers())
        yield Picture("structure", title, caption, figure)


def _of_probes(probes: tuple[Probe, ...], n: int, colors: Mapping[str, str]) -> Picture:
    courses = []
    for probe in probes:
        report, dt = probe.run.voltages["neurons"], probe.run.dt
        rows = np.rint(report.times * steps(1.0, dt)).astype(int)
        wanted = expected_course(probe.wanted, probe.stimulus, dt).V_m
        within = (rows >= 1) & (rows <= len(wanted))
        courses.append(
            plots.Course(probe.population, report.times[within], report.values[within], wanted[rows[within] - 1])
        )
    more = f" The first {len(probes)} of {n} kinds of neurons." if n > len(probes) else ""
    caption = (
        f"{N_NEURONS} neurons of each kind under known input: membrane potential (mV) in the simulator, in colour, "
        f"over the closed form, broad and grey.{more}"
    )
    return Picture(
        "single neuron", "Single neurons and their closed form", caption, plots.courses_beside(courses, colors=colors)
    )


def _of_spikes(found: Verification, colors: Mapping[str, str]) -> Iterator[Picture]:
    if not found.runs:
        return
    mark = None
    where = "There is no difference."
    if found.divergence and (time := re.search(r" at (\S+) ms", found.divergence)):
        mark = float(time[1])
        where = f"The first difference is marked: {found.divergence}."
    caption = f"One row for each neuron (of large networks, for every n-th). {where}"
    figure = plots.rasters_beside(found.runs, colors=colors, mark=mark)
    yield Picture("spikes", f"Spikes of the reference and of the {found.label}", caption, figure)
    a, b = found.runs.values()
    if not a.voltages.keys() & b.voltages.keys():
        return
    apart = _figure(found, "spikes", "membrane potentials of")
    largest = f" Largest difference of all that were recorded: {apart.value:.2g} mV." if apart else ""
    yield Picture(
        "spikes",
        f"Membrane potentials of the reference and of the {found.label}",
        f"The first recorded neuron of each population (mV). {_BELOW}{largest}",
        plots.potentials_beside(found.runs, colors=colors, mark=mark),
    )


def _of_samples(found: Verification, samples: Samples, colors: Mapping[str, str]) -> Picture:
    panels = {}
    for (name, measure), reference in samples.reference.items():
        tested = samples.tested[name, measure]
        judged = _figure(found, "statistics", f"D of {measure}, {name}")
        if not len(reference) and not len(tested):
            continue
        borders, (below, above) = densities([reference, tested], N_BINS)
        D = kolmogorov_smirnov(reference, tested)
        title = f"D {D:.3f}" + (f" (limit {judged.limit:.3f})" if judged and judged.limit is not None else "")
        panels[name, measure] = plots.Densities(borders, below, above, title, judged is None or judged.passed)
    n, m = samples.n_networks
    caption = (
        "Rates (spikes/s, silent neurons included), coefficients of variation of inter-spike intervals, and "
        f"correlations of spike counts in bins of 2 ms. Filled: the reference, {n} {_networks(n)} together; line: the "
        f"{found.label}, {m} {_networks(m)}. D is the largest difference of the cumulative "
        "distributions; correlations have a square root scale."
    )
    figure = plots.densities_beside(panels, colors=colors)
    return Picture("statistics", "Rates, irregularity and correlations beside the reference", caption, figure)


def _networks(n: int) -> str:
    return "network" if n == 1 else "networks"


def _figure(found: Verification, rung: str, name: str) -> Figure | None:
    """Return the figure of a rung that is called so, or whose name begins with these words."""
    figures = (figure for r in found.rungs if r.name == rung for figure in r.figures)
    return next((figure for figure in figures if f"{figure.name} ".startswith(f"{name} ")), None)
