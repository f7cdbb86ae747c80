"""What EDEN would change without a word, and how it is found out.

EDEN keeps one time of arrival per connection. A spike that is fired while an earlier one is underway, closer to it than
the delay, is lost. Whether that happens follows from the trains of sources before a run, and from the spikes of neurons
after it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError, SimulationError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import Document
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import TICS_PER_MS
from mc_interchange.runs import Spikes

from .sources import refuse_poisson, spike_trains

__all__ = ["check_after", "check_before"]

#: Cells at which EDEN 0.2.3 crashes while it makes code.
_CRASHING = ("EIF_cond_alpha_isfa_ista", "EIF_cond_exp_isfa_ista", "adExIaFCell")
#: Whole numbers up to which float32, in which EDEN counts microseconds, leaves none out.
_EXACT = 2**24
_RULE = "EDEN loses a spike when an earlier one of the same connection is underway"
_OTHERS = "choose another simulator (neuron, jlems)"


def check_before(document: Document, lems: fmt.LemsFile) -> dict[str, NDArray[np.int64]]:
    """Refuse what cannot run as it is.

    Returns
    -------
    dict
        Longest delay of the connections of each cell in steps, by population: ndarray, shape (size,), int64.

    Raises
    ------
    NotRepresentableError
        Poisson sources; cells at which EDEN crashes; a run that is too long for its clock; spikes of sources that
        would be lost.
    """
    refuse_poisson(document, "EDEN", "stops at Poisson sources")
    _check_cells(document)
    _check_clock(lems)
    _warn_of_pulses(document)
    longest = _longest_delays(document)
    for name, train in spike_trains(document).items():
        delay = int(longest[name].max(initial=0))
        if _shortest_interval(train) < delay:
            _refuse_train(name, train, delay, document.dt)
    return longest


def check_after(
    document: Document, lems: fmt.LemsFile, spikes: Mapping[str, Spikes], longest: Mapping[str, NDArray[np.int64]]
) -> None:
    """Refuse a run in which a spike of a neuron was lost, and warn where that cannot be told.

    Parameters
    ----------
    spikes
        Of the run, by population.
    longest
        Longest delays (see :func:`check_before`).

    Raises
    ------
    SimulationError
        It names the spike that was lost first.
    """
    trains = spike_trains(document)
    losses = []
    unknown = []
    for name, delays in longest.items():
        if name in spikes:
            losses += _losses(name, spikes[name], delays)
        elif name not in trains and delays.max(initial=0) > 1:
            unknown.append(name)
    if losses:
        step, name, neuron, interval = min(losses)
        times = f"{_ms(step - interval, lems.dt)} and {_ms(step, lems.dt)} ms"
        raise SimulationError(
            f"{_RULE}: neuron {neuron} of {name} fires at {times}, and one of its delays is "
            f"{_ms(longest[name][neuron], lems.dt)} ms (neurons that lose spikes: "
            f"{len({loss[1:3] for loss in losses})}); {_OTHERS}"
        )
    if unknown:
        warnings.warn(
            f"the spikes of {', '.join(unknown)} are not recorded, so it cannot be told whether EDEN lost some of them",
            stacklevel=2,
        )


def _check_cells(document: Document) -> None:
    for population in document.populations:
        component = document.components.get(population.component)
        if component is not None and component.type in _CRASHING:
            raise NotRepresentableError(
                f"EDEN crashes at cells of the type {component.type} (population {population.id}): {_OTHERS}"
            )


def _check_clock(lems: fmt.LemsFile) -> None:
    tics = round(lems.dt * TICS_PER_MS)
    # every multiple of the step is exact up to here
    end = _EXACT * (tics & -tics)
    if lems.duration * TICS_PER_MS > end:
        raise NotRepresentableError(
            f"EDEN counts time in single precision, in which steps of {lems.dt:g} ms blur after {end / TICS_PER_MS:g} "
            f"ms; the run lasts {lems.duration:g} ms: make it shorter, or {_OTHERS}"
        )


def _warn_of_pulses(document: Document) -> None:
    """Tell of currents that end on a step: EDEN has them on in that step, too."""
    longer = []
    for identifier in sorted({item.component for item in document.inputs}):
        component = document.components.get(identifier)
        if component is not None and component.type.startswith("pulseGenerator"):
            end = sum(fmt.time_in_ms(component.attributes[name]) for name in ("delay", "duration")) / document.dt
            if abs(end - round(end)) < TOLERANCE:
                longer.append(identifier)
    if longer:
        warnings.warn(
            f"EDEN leaves the current of {', '.join(longer)} on for one step more than it lasts", stacklevel=3
        )


def _longest_delays(document: Document) -> dict[str, NDArray[np.int64]]:
    longest = {population.id: np.zeros(population.size, np.int64) for population in document.populations}
    for projection in document.projections:
        for block in projection.edges.blocks():
            np.maximum.at(longest[projection.source], block.source, block.delay)
    return longest


def _shortest_interval(train: NDArray[np.int64]) -> int:
    return int(np.diff(train).min(initial=np.iinfo(np.int64).max))


def _refuse_train(name: str, train: NDArray[np.int64], delay: int, dt: float) -> NoReturn:
    first = np.flatnonzero(np.diff(train) < delay)[0]
    raise NotRepresentableError(
        f"{_RULE}: the source {name} fires at {_ms(train[first], dt)} and {_ms(train[first + 1], dt)} ms, and one of "
        f"its delays is {_ms(delay, dt)} ms; export with --spread-spikes, or {_OTHERS}"
    )


def _losses(name: str, spikes: Spikes, delays: NDArray[np.int64]) -> list[tuple[int, str, int, int]]:
    """Return step, population, neuron and interval of all spikes that come too soon after one of the same neuron."""
    order = np.lexsort((spikes.steps, spikes.neurons))
    neurons, fired = spikes.neurons[order], spikes.steps[order]
    intervals = np.diff(fired)
    soon = np.flatnonzero((np.diff(neurons) == 0) & (intervals < delays[neurons[1:]]))
    return [(int(fired[i + 1]), name, int(neurons[i]), int(intervals[i])) for i in soon]


def _ms(count: int | np.int64, dt: float) -> str:
    return fmt.milliseconds(int(count), dt)
