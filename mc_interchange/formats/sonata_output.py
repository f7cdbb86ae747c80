"""SONATA output files: spikes and membrane potential reports.

The layout is the one that libsonata, bluepysnap and bmtk were seen to read: ``sorting`` as an HDF5
enumeration, unsigned 64-bit ids, no compression, ``index_pointers`` and bmtk's alias of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError

from .hdf5 import items_of, new_hdf5, open_hdf5

__all__ = [
    "BY_ID",
    "BY_TIME",
    "SORTING",
    "Report",
    "read_reports",
    "read_spikes",
    "stamp",
    "write_reports",
    "write_spikes",
]

#: Root attributes that the specification asks of every file.
MAGIC, VERSION = 0x0A7A, (0, 1)
#: How spikes are sorted, as the attribute `sorting` says.
BY_ID, BY_TIME = 1, 2
SORTING = h5py.enum_dtype({"none": 0, "by_id": BY_ID, "by_time": BY_TIME}, basetype=np.uint8)


@dataclass(frozen=True)
class Report:
    """Sampled values of chosen neurons of one population.

    Parameters
    ----------
    neurons : ndarray, shape (n_neurons,), uint64
        Index in the population.
    times : ndarray, shape (n_times,), float64, ms
        Equally spaced.
    values : ndarray, shape (n_times, n_neurons), float64, mV
    """

    neurons: NDArray[np.uint64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]


def stamp(file: h5py.File) -> None:
    """Write the root attributes of a SONATA file."""
    file.attrs.create("magic", MAGIC, dtype=np.uint32)
    file.attrs.create("version", VERSION, dtype=np.uint32)


def write_spikes(path: Path, spikes: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]]) -> None:
    """Write spike times by population, sorted by time.

    Parameters
    ----------
    spikes
        Per population: times (float64, ms, ascending) and neurons (index in the population).
    """
    with new_hdf5(path) as new:
        file = new.hdf5
        stamp(file)
        for population, (times, neurons) in spikes.items():
            group = file.create_group(f"spikes/{population}")
            group.attrs.create("sorting", BY_TIME, dtype=SORTING)
            group.create_dataset("timestamps", data=times, dtype=np.float64).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=neurons, dtype=np.uint64)


def read_spikes(path: Path) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Read a spike file; inverse of :func:`write_spikes` (in the order of the file).

    Raises
    ------
    FormatError
    """
    spikes = {}
    with open_hdf5(path) as file:
        for population, group in items_of(file["spikes"]):
            if not isinstance(group, h5py.Group):
                raise FormatError(f"{path}: /spikes/{population} is not a group (one per population is needed)")
            times, neurons = _numbers(path, group, "timestamps", "fiu"), _numbers(path, group, "node_ids", "iu")
            if times.shape != neurons.shape:
                raise FormatError(f"{path}: /spikes/{population}: timestamps and node_ids differ in length")
            neurons = neurons.astype(np.int64)
            if len(neurons) and int(neurons.min()) < 0:
                raise FormatError(f"{path}: /spikes/{population}/node_ids must not be negative")
            spikes[population] = (times.astype(np.float64), neurons)
    return spikes


def _numbers(path: Path, group: h5py.Group, name: str, kinds: str) -> NDArray[Any]:
    dataset = group[name]
    if dataset.ndim != 1 or dataset.dtype.kind not in kinds:
        raise FormatError(f"{path}: {group.name}/{name} must be a list of {'whole ' if kinds == 'iu' else ''}numbers")
    values: NDArray[Any] = dataset[:]
    return values


def write_reports(path: Path, reports: Mapping[str, Report]) -> None:
    """Write membrane potentials by population as a SONATA soma report (float32, as the specification says)."""
    with new_hdf5(path) as new:
        file = new.hdf5
        stamp(file)
        for population, report in reports.items():
            group = file.create_group(f"report/{population}")
            group.create_dataset("data", data=report.values, dtype=np.float32).attrs["units"] = "mV"
            n = len(report.neurons)
            mapping = group.create_group("mapping")
            mapping.attrs.create("sorting", BY_ID, dtype=SORTING)
            mapping.create_dataset("node_ids", data=report.neurons, dtype=np.uint64)
            mapping.create_dataset("index_pointers", data=np.arange(n + 1), dtype=np.uint64)
            mapping["index_pointer"] = mapping["index_pointers"]
            mapping.create_dataset("element_ids", data=np.zeros(n), dtype=np.uint32)
            step = report.times[1] - report.times[0] if len(report.times) > 1 else 1.0
            start = report.times[0] if len(report.times) else 0.0
            time = mapping.create_dataset("time", data=[start, start + step * len(report.times), step])
            time.attrs["units"] = "ms"


def read_reports(path: Path) -> dict[str, Report]:
    """Read a soma report; inverse of :func:`write_reports`."""
    reports = {}
    with open_hdf5(path) as file:
        for population, group in items_of(file["report"]):
            values = group["data"][:].astype(np.float64)
            start, _, step = group["mapping/time"][:]
            times = start + step * np.arange(len(values))
            reports[population] = Report(group["mapping/node_ids"][:].astype(np.uint64), times, values)
    return reports
