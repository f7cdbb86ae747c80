"""Current clamps of a simulation config, as step currents."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata
from mc_interchange.importers.names import valid_name
from mc_interchange.network import StepCurrent
from mc_interchange.network.simulation import steps

from .config import Config, SonataWarning
from .node_sets import NodeSets

__all__ = ["is_clamp", "read_clamp", "report_early"]

#: Parts of a step by which a time may miss the grid without a warning.
_TOLERANCE = 1e-6
#: ms; for currents that do not end.
_FOREVER = 1e9


def is_clamp(entry: Mapping[str, Any]) -> bool:
    """Say whether an input is a current clamp whose values stand in the config or in a text table."""
    kind, module = entry.get("input_type"), entry.get("module")
    return module == "IClamp" and kind in ("current_clamp", "csv", "file")


def read_clamp(
    config: Config, key: str, entry: Mapping[str, Any], sets: NodeSets, ours: Mapping[str, str], dt: float
) -> list[StepCurrent]:
    """Return the currents of a clamp, for each population that gets some.

    Parameters
    ----------
    key, entry
        The input, as the config has it. Amplitudes are in pA and times in ms, as bmtk hands them to NEST.
    sets
        The node sets.
    ours
        Our names of those populations that have neurons.
    dt
        Resolution in ms.

    Raises
    ------
    FormatError
    """
    where = f"{config.file}: inputs.{key}"
    pulses = _table(where, config, entry) if entry["input_type"] != "current_clamp" else _pulses(where, entry)
    targets = {ours[name]: mask for name, mask in sets.select(entry.get("node_set", "all")).items() if name in ours}
    if not targets:
        raise FormatError(f"{where}: its node set has no neurons")
    name = valid_name(key.removesuffix(sonata.clamp_name("")))
    currents = []
    for number, (start, stop, amplitude) in enumerate(pulses):
        for target, mask in targets.items():
            begin = _grid(where, start, dt)
            endless = stop == _FOREVER or stop > 10 * _FOREVER
            end = math.floor(steps(_FOREVER, dt)) if endless else _grid(where, stop, dt)
            if not amplitude or end <= max(begin, 0):
                continue
            label = name if len(pulses) == 1 else f"{name}_{number}"
            currents.append(
                StepCurrent(
                    name=(label if len(targets) == 1 else f"{label}_{target}")[:64],
                    target=target,
                    amplitude=amplitude,
                    start=max(begin, 0) / steps(1.0, dt),
                    stop=end / steps(1.0, dt),
                    delay=dt,
                    neurons=None if mask.all() else tuple(np.flatnonzero(mask).tolist()),
                )
            )
    return currents


def _pulses(where: str, entry: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Return begin, end and amplitude of each pulse; a pulse ends at the latest where the next one begins."""
    columns = []
    for key in ("delay", "duration", "amp"):
        if key not in entry:
            raise FormatError(f"{where} has no {key}")
        values = entry[key] if isinstance(entry[key], list) else [entry[key]]
        if not all(isinstance(v, int | float) and not isinstance(v, bool) and np.isfinite(v) for v in values):
            raise FormatError(f"{where}.{key} must be a finite number or a list of them, got {entry[key]!r:.60}")
        columns.append([float(v) for v in values])
    delays, durations, amplitudes = columns
    if not len(delays) == len(durations) == len(amplitudes):
        raise FormatError(f"{where}: delay, duration and amp must be lists of one length")
    if any(later < earlier for earlier, later in pairwise(delays)):
        raise FormatError(f"{where}.delay must be in ascending order")
    nexts = [*delays[1:], float("inf")]
    return [
        (start, min(start + duration, following), amplitude)
        for start, duration, amplitude, following in zip(delays, durations, amplitudes, nexts, strict=True)
    ]


def _table(where: str, config: Config, entry: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Read times and amplitudes from a text table: each value lasts until the next."""
    path = config.path(dict(entry), "file")
    time, amplitude = entry.get("timestamps_column", "timestamps"), entry.get("amplitudes_column", "amps")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(float(r[time]), float(r[amplitude])) for r in csv.DictReader(file, delimiter=_separator(entry))]
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, ValueError, TypeError, csv.Error):
        raise FormatError(f"{path}: not a table of currents (columns {time} and {amplitude}, for {where})") from None
    if len(rows) < 2 or not np.isfinite(rows).all() or any(b[0] <= a[0] for a, b in pairwise(rows)):
        raise FormatError(f"{path}: needs two or more finite values at ascending times")
    changes = [row for before, row in zip([(0.0, None), *rows], rows, strict=False) if row[1] != before[1]]
    ends = [row[0] for row in changes[1:]] + [_FOREVER]
    return [(start, end, value) for (start, value), end in zip(changes, ends, strict=True)]


def _separator(entry: Mapping[str, Any]) -> str:
    separator = entry.get("separator", " ")
    return separator if isinstance(separator, str) and len(separator) == 1 else " "


def _grid(where: str, time: float, dt: float) -> int:
    """Return the nearest step, and tell when that is another time."""
    count = steps(time, dt)
    if not math.isfinite(count):
        raise FormatError(f"{where}: {time:g} ms is too far from 0")
    if abs(count - round(count)) > _TOLERANCE:
        message = f"{where}: {time:g} ms is not a multiple of dt = {dt:g} ms and is rounded"
        warnings.warn(message, SonataWarning, stacklevel=2)
    return round(count)


def report_early(config: Config, key: str, currents: list[StepCurrent], dt: float) -> None:
    """Tell of a current that bmtk leaves out; the exporter of this package has told of its own."""
    if not key.endswith(sonata.clamp_name("")) and any(current.start <= dt for current in currents):
        message = (
            f"{config.file}: inputs.{key} begins at or before dt = {dt:g} ms; it is used from its beginning, though "
            "bmtk's PointNet leaves such a current out"
        )
        warnings.warn(message, SonataWarning, stacklevel=2)
