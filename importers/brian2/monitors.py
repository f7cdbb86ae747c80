"""Monitors: which spikes and which membrane potentials are recorded."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mc_interchange.instance import Nodes
from mc_interchange.network import Dynamics, VoltageRecording

from .synapses import members

__all__ = ["Brian2Warning", "record_V_m", "record_spikes", "warn_of_rates"]


class Brian2Warning(UserWarning):
    """Something of a network in Brian2 that is left out or read otherwise than it stands there; no spike changes."""


def _warn(text: str) -> None:
    warnings.warn(text, Brian2Warning, stacklevel=4)


def warn_of_rates(monitors: Iterable[Any]) -> None:
    """Name the monitors of rates, which follow from spikes."""
    for monitor in monitors:
        _warn(f"PopulationRateMonitor {monitor.name} is left out: rates follow from the spikes")


def record_spikes(monitors: Iterable[Any], sizes: Mapping[str, int]) -> tuple[str, ...] | None:
    """Return the groups whose spikes are recorded; None where there is no monitor: all of them."""
    names: dict[str, None] = {}
    monitors = list(monitors)
    for monitor in monitors:
        group, _ = members(monitor.source)
        if monitor.event != "spike" or group.name not in sizes:
            _warn(f"{type(monitor).__name__} {monitor.name} of {monitor.event} of {group.name} is left out")
            continue
        if int(monitor.source.N) < sizes[group.name]:
            _warn(f"SpikeMonitor {monitor.name}: a part of {group.name} is recorded; read as all of it")
        names[group.name] = None
    return tuple(names) if monitors else None


def record_V_m(monitors: Iterable[Any], populations: Mapping[str, Nodes], dt: float) -> tuple[VoltageRecording, ...]:
    """Return the neurons whose membrane potentials are recorded.

    Parameters
    ----------
    dt
        In ms.
    """
    chosen: dict[str, tuple[set[int], set[float]]] = {}
    for monitor in monitors:
        group, first = members(monitor.source)
        nodes = populations.get(group.name)
        dynamics = nodes.neuron if nodes is not None else None
        potential = dynamics.potential if isinstance(dynamics, Dynamics) else None
        others = [name for name in monitor.record_variables if name != potential]
        if others:
            _warn(f"StateMonitor {monitor.name}: {', '.join(others)} of {group.name} is left out, V_m is recorded only")
        if potential not in monitor.record_variables:
            continue
        neurons, intervals = chosen.setdefault(group.name, (set(), set()))
        neurons.update((np.asarray(monitor.record, np.int64) + first).tolist())
        intervals.add(max(1, round(float(monitor.clock.dt_) * 1000 / dt)) * dt)
    found = []
    for name, (neurons, intervals) in chosen.items():
        if len(intervals) > 1:
            _warn(f"{name}: V_m is recorded at several intervals; read as the shortest, {min(intervals):g} ms")
        if neurons:
            interval = float(f"{min(intervals):.12g}")
            found.append(VoltageRecording(population=name, neurons=tuple(sorted(neurons)), interval=interval))
    return tuple(found)
