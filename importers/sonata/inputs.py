"""Spike trains of virtual populations, as the simulation config names them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats import sonata
from mc_interchange.formats.sonata_output import read_spikes
from mc_interchange.instance import Nodes
from mc_interchange.network import SpikeTrains
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .config import Config, SonataWarning

__all__ = ["with_spike_inputs"]


def with_spike_inputs(
    populations: Mapping[str, Nodes], directory: Path, config: Config | None, dt: float
) -> dict[str, Nodes]:
    """Give virtual populations their spike trains; they count more than the model file.

    Parameters
    ----------
    config
        The simulation config. None: there is none, and the exporter's file names are tried.
    dt
        Resolution in ms.

    Raises
    ------
    FormatError
    """
    virtual = [name for name, nodes in populations.items() if nodes.virtual]
    if config is None:
        candidates = {name: directory / sonata.input_file(name) for name in virtual}
        files = {name: path for name, path in candidates.items() if path.is_file()}
    else:
        files = _named_files(config, virtual)
    complete = dict(populations)
    for name, path in files.items():
        activity = _read_trains(path, name, populations[name].size, dt)
        complete[name] = replace(populations[name], activity=activity)
    return complete


def _named_files(config: Config, virtual: list[str]) -> dict[str, Path]:
    """Return the spike file of each virtual population, and tell of every input that is not read."""
    files: dict[str, Path] = {}
    for key, entry in config.section("inputs").items():
        population = _population(entry)
        if population in virtual and population not in files:
            files[population] = config.path(entry, "input_file")
        else:
            message = (
                f"{config.file}: input {key} is not read: only the spikes of virtual populations are, from one HDF5 "
                "file each (input_type spikes, module h5)"
            )
            warnings.warn(message, SonataWarning, stacklevel=2)
    return files


def _population(entry: Any) -> str | None:
    """Return the population whose spikes this input gives, or None when it is another kind of input."""
    if not isinstance(entry, dict) or entry.get("input_type") != "spikes" or entry.get("module") != "h5":
        return None
    node_set = entry.get("node_set")
    return node_set if isinstance(node_set, str) else None


def _read_trains(path: Path, name: str, size: int, dt: float) -> SpikeTrains:
    spikes = read_spikes(path)
    if name not in spikes:
        raise FormatError(f"{path}: /spikes/{name} is missing")
    times, neurons = spikes[name]
    if len(neurons) and int(neurons.max()) >= size:
        raise FormatError(f"{path}: /spikes/{name}/node_ids must be below the population's size {size}")
    _report_rounding(path, times, dt)
    order = np.lexsort((times, neurons))
    ends = np.searchsorted(neurons[order], np.arange(size + 1))
    trains = tuple(tuple(times[order][a:b].tolist()) for a, b in pairwise(ends))
    try:
        return SpikeTrains(times=trains)
    except ModelError as error:
        raise FormatError(f"{path}: /spikes/{name}: {str(error).removeprefix('SpikeTrains: ')}") from None


def _report_rounding(path: Path, times: NDArray[np.float64], dt: float) -> None:
    """Tell of spike times that simulators with this resolution will round."""
    counts = times * steps(1.0, dt)
    n_missed = np.count_nonzero(np.abs(counts - np.rint(counts)) > TOLERANCE)
    if n_missed:
        message = (
            f"{path}: {n_missed} of {len(times)} spike times are not multiples of dt = {dt:g} ms; they are rounded"
        )
        warnings.warn(message, SonataWarning, stacklevel=2)
