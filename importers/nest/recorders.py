"""Recorders: which populations' spikes and which neurons' membrane potentials are recorded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.network import VoltageRecording

from .kernel import CaptureWarning
from .nodes import Kernel

__all__ = ["record_V_m", "record_spikes"]


def _warn(text: str) -> None:
    warnings.warn(text, CaptureWarning, stacklevel=4)


def _settings(nest: Any, kernel: Kernel, ids: NDArray[np.int64]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield id and settings of recorders, and name those that do not record all the time."""
    for node in nest.NodeCollection(ids.tolist()):
        status = node.get()
        if (
            max(status["start"], status.get("offset", 0.0)) > 0
            or status["origin"] != 0
            or status["stop"] < 1e300
            or status["frozen"]
        ):
            _warn(f"{kernel.describe(node.global_id)} records at times of its own; captured as recording all the time")
        yield node.global_id, status


def record_spikes(
    nest: Any, kernel: Kernel, senders: NDArray[np.int64], recorders: NDArray[np.int64]
) -> tuple[str, ...] | None:
    """Return the populations whose spikes are recorded; None where there is no recorder: all of them.

    Parameters
    ----------
    senders, recorders : ndarray, shape (n,), int64
        Ids of both ends of the connections to spike recorders.
    """
    used = np.unique(recorders)
    if not len(used):
        return None
    for _ in _settings(nest, kernel, used):
        pass
    part, names = kernel.part_of[senders], []
    for number in np.unique(part).tolist():
        population = kernel.parts[number]
        if population.nodes is None:
            _warn(f"recorders of the spikes of generators ({population.name}) are left out")
            continue
        names.append(population.name)
        n = len(np.unique(senders[part == number]))
        if n < population.nodes.size:
            _warn(f"population {population.name}: {n} of {population.nodes.size} neurons are recorded; captured as all")
    return tuple(names)


def record_V_m(
    nest: Any, kernel: Kernel, meters: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[VoltageRecording, ...]:
    """Return the neurons whose membrane potentials are recorded.

    Parameters
    ----------
    meters, targets : ndarray, shape (n,), int64
        Ids of both ends of the connections from voltmeters and multimeters.
    """
    interval: dict[int, float] = {}
    for node, status in _settings(nest, kernel, np.unique(meters)):
        others = [name for name in status["record_from"] if name != "V_m"]
        if others:
            _warn(f"{kernel.describe(node)} records {', '.join(others)}, which is left out")
        if "V_m" in status["record_from"]:
            interval[node] = float(status["interval"])
    every = np.array([interval.get(node, 0.0) for node in meters.tolist()])
    part, found = kernel.part_of[targets], []
    for number in np.unique(part[every > 0]).tolist():
        population = kernel.parts[number]
        if population.nodes is None:
            _warn(f"recorders of generators ({population.name}) are left out")
            continue
        here = (part == number) & (every > 0)
        finest = float(every[here].min())
        if np.any(every[here] != finest):
            _warn(f"population {population.name}: V_m is recorded at several intervals; captured at {finest:g} ms")
        neurons = np.unique(kernel.index_of[targets[here]]).tolist()
        found.append(VoltageRecording(population=population.name, neurons=tuple(neurons), interval=finest))
    return tuple(found)
