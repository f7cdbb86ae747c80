"""Sources of spikes: arrays of times, regular and Poisson generators."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import ArrayTrains, Nodes, Trains
from mc_interchange.network import PoissonActivity, Simulation
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .components import Components, refuse, refused, report_unread, value
from .document import Component, NeuroMLWarning, PopulationElement
from .neurons import color_of

__all__ = ["SOURCES", "replayed", "sources", "window"]

#: Types of sources that can be read.
SOURCES = ("spikeArray", "spikeGenerator", "spikeGeneratorPoisson", "SpikeSourcePoisson")
#: Spikes that one regular generator may emit; beyond it, a period is taken for a mistake.
_MAX_SPIKES = 10_000_000
#: ms; what lasts so long has no end.
_ENDLESS = fmt.time_in_ms(fmt.NO_END)


def sources(
    name: str, elements: Sequence[PopulationElement], components: Components, simulation: Simulation, *, merged: bool
) -> Nodes:
    """Make a virtual population.

    Parameters
    ----------
    name
        Ours.
    elements
        The NeuroML population, or, where ``merged``, one for each source and then those with further spikes.

    Raises
    ------
    FormatError
    """
    found = [components.get(element.component, element.place) for element in elements]
    if merged:
        return _merged(name, elements, found, simulation)
    element, component = elements[0], found[0]
    return Nodes(
        name,
        element.size,
        activity=_activity(component, element.size, simulation),
        positions=element.positions,
        color=color_of(element),
    )


def _activity(component: Component, size: int, simulation: Simulation) -> PoissonActivity | Trains:
    with refused(component):
        if component.type == "spikeGeneratorPoisson":
            report_unread(component, ["averageRate"])
            return PoissonActivity(rate=value(component, "averageRate", "Hz"))
        if component.type == "SpikeSourcePoisson":
            report_unread(component, ["rate", "start", "duration"])
            start, stop = window(component, "start")
            return PoissonActivity(rate=value(component, "rate", "Hz"), start=start, stop=stop)
    # all cells of a population share the component, and so its spikes
    times = _spike_times(component, simulation)
    return ArrayTrains(size, np.repeat(np.arange(size), len(times)), np.tile(times, size))


def replayed(component: Component, simulation: Simulation) -> Trains:
    """Return the spikes of an input as those of a source whose synapse has a delay of one step.

    Raises
    ------
    FormatError
    """
    report_unread(component, ["synapse", "spikeTarget", "spike"])
    times = _spike_times(component, simulation)
    per_ms = steps(1.0, simulation.dt)
    emitted = np.rint(times * per_ms) - 1
    if (emitted < 1).any():
        raise refuse(
            component, f"has a spike at or before dt = {simulation.dt:g} ms, when no source can have emitted it"
        )
    return ArrayTrains(1, np.zeros(len(times), np.int64), emitted / per_ms)


def _spike_times(component: Component, simulation: Simulation) -> NDArray[np.float64]:
    """Return the times of a source, shape (n_spikes,), ms, on the grid.

    Raises
    ------
    FormatError
    """
    if component.type == "spikeGenerator":
        report_unread(component, ["period"])
        period = value(component, "period", "ms")
        if not simulation.duration / _MAX_SPIKES < period:
            raise refuse(component, f"emits a spike every {period:g} ms, which is too often")
        times = period * np.arange(1, int(simulation.duration / period) + 2)
        times = np.round(times[times <= simulation.duration + simulation.dt / 2], 9)
    else:
        times = np.empty(0) if component.times is None else component.times
    if not (np.isfinite(times) & (times > 0)).all():
        raise refuse(component, "has a spike that is not after 0 ms")
    return _on_grid(f"{component.place}: {component.type} {component.id}", np.sort(times), simulation.dt)


def _on_grid(where: str, times: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    """Move times that are not on the grid to the end of the step that they lie in; those on it stay as they are."""
    per_ms = steps(1.0, dt)
    ends = np.maximum(np.ceil(times * per_ms - TOLERANCE), 1)
    moved = np.abs(ends - times * per_ms) > TOLERANCE
    if moved.any():
        message = (
            f"{where}: {np.count_nonzero(moved)} of {len(times)} spike times are not multiples of dt = {dt:g} ms; they "
            "are rounded up, as simulators on a grid do"
        )
        warnings.warn(message, NeuroMLWarning, stacklevel=2)
    result: NDArray[np.float64] = np.where(moved, ends / per_ms, times)
    return result


def window(component: Component, start: str) -> tuple[float, float | None]:
    """Return the first and the last time (ms) of what has a beginning and a duration; None: it does not end."""
    begin, duration = value(component, start, "ms"), value(component, "duration", "ms")
    if begin < 0 or duration <= 0:
        raise refuse(component, f"must begin at 0 ms or later and last more than 0 ms, got {begin:g} and {duration:g}")
    if duration >= _ENDLESS:
        return begin, None
    return begin, float(Decimal(repr(begin)) + Decimal(repr(duration)))


def _merged(
    name: str, elements: Sequence[PopulationElement], found: Sequence[Component], simulation: Simulation
) -> Nodes:
    """Put the spikes of all sources together, those of one source in several layers too."""
    size = sum(1 for element in elements if fmt.LAYER not in element.properties)
    ids, times = [], []
    for element, component in zip(elements, found, strict=True):
        if component.type != "spikeArray":
            raise FormatError(f"{element.place}: population {element.id} is one source, but not of a spikeArray")
        own = _spike_times(component, simulation)
        ids.append(np.full(len(own), int(element.properties[fmt.SOURCE].rpartition("/")[2])))
        times.append(own)
    positions = None
    if all(element.positions is not None for element in elements[:size]):
        positions = np.concatenate([element.positions for element in elements[:size] if element.positions is not None])
    trains = ArrayTrains(size, np.concatenate(ids), np.concatenate(times))
    return Nodes(name, size, activity=trains, positions=positions, color=color_of(elements[0]))
