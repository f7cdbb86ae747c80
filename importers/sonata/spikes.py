"""Spike trains of virtual populations, from the files that the inputs name."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import holds, items_of, open_hdf5
from mc_interchange.instance import ArrayTrains, TrainBlock, Trains
from mc_interchange.instance.trains import divided
from mc_interchange.network.simulation import TICS_PER_MS

from .config import SonataWarning

__all__ = ["off_grid", "read_csv_trains", "read_trains", "spike_populations"]

_PART = 2**20
#: Names of the column of ids: the specification's, and that of older files.
_IDS = ("node_ids", "gids")


def spike_populations(path: Path) -> list[str]:
    """Return the populations of a spike file; none where it is a flat list of spikes."""
    with open_hdf5(path) as file:
        return [name for name, item in items_of(file[sonata.SPIKES]) if isinstance(item, h5py.Group)]


def read_trains(path: Path, population: str, size: int, dt: float) -> Trains:
    """Read the spikes of a population, onto the grid.

    Parameters
    ----------
    population
        Its name in the file; a file without populations, or with one only, is taken to be that one's.
    size
        Number of its nodes.
    dt
        Resolution in ms.

    Returns
    -------
    Trains
        They are read when they are needed if the file is sorted by source, and held in memory if not.

    Raises
    ------
    FormatError
    """
    place = _place(path, population)
    checked = _FileTrains(path, place, size, dt)
    if checked.n_moved:
        _report_moved(path, checked.n_moved, checked.n_spikes, dt)
    if checked.sorted:
        return checked
    with open_hdf5(path) as file:
        times, ids = _columns(path, file[place])
        return ArrayTrains(size, ids[:].astype(np.int64), on_grid(times[:].astype(np.float64), dt))


def read_csv_trains(path: Path, population: str, size: int, dt: float) -> Trains:
    """Read spikes from bmtk's text form: columns ``timestamps``, ``population`` and ``node_ids``."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=" "))
        mine = [row for row in rows if row.get("population", population) == population]
        times = np.array([float(row["timestamps"]) for row in mine])
        ids = np.array([int(row["node_ids"]) for row in mine], np.int64)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, ValueError, TypeError, csv.Error):
        raise FormatError(f"{path}: not a table of spikes (timestamps population node_ids)") from None
    _check(f"{path}: spikes of {population}", times, ids, size)
    n_moved = int(np.count_nonzero(off_grid(times, dt)))
    if n_moved:
        _report_moved(path, n_moved, len(times), dt)
    return ArrayTrains(size, ids, on_grid(times, dt))


def on_grid(times: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    """Return the times of the steps in which simulators emit spikes: the end of the step that a time lies in.

    This is what NEST does with the exact times that bmtk gives to it, in the same floating point operations.
    """
    tics = round(dt * TICS_PER_MS)
    counts = np.floor(np.trunc(times * TICS_PER_MS) / tics)
    counts += counts * (tics / TICS_PER_MS) < times
    result: NDArray[np.float64] = counts / (TICS_PER_MS / tics)
    return result


def off_grid(times: NDArray[np.float64], dt: float) -> NDArray[np.bool_]:
    """Say which times move to another one on the grid, by more than what an exporter leaves before a step."""
    mask: NDArray[np.bool_] = on_grid(times, dt) - times > 10 * sonata.BEFORE_STEP
    return mask


class _FileTrains(Trains):
    """Spikes in a file that is sorted by source; they are looked through once, and read again when needed."""

    def __init__(self, path: Path, place: str, size: int, dt: float) -> None:
        super().__init__(size)
        self._path, self._place, self._dt = path, place, dt
        self._counts = np.zeros(size, np.int64)
        self.sorted = True
        self.n_moved = 0
        last = 0
        with open_hdf5(path) as file:
            times, ids = _columns(path, file[place])
            for start in range(0, times.shape[0], _PART):
                when = times[start : start + _PART].astype(np.float64)
                who = ids[start : start + _PART].astype(np.int64)
                _check(f"{path}: {place}", when, who, size)
                self.n_moved += int(np.count_nonzero(off_grid(when, dt)))
                self._counts += np.bincount(who, minlength=size)
                self.sorted &= bool(who[0] >= last and (who[1:] >= who[:-1]).all())
                last = int(who[-1])

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return int(self._counts.sum())

    def blocks(self) -> Iterator[TrainBlock]:
        """Read ranges of sources."""
        for sources, spikes in divided(self._counts, _PART):
            counts = self._counts[sources]
            with open_hdf5(self._path) as file:
                times = _columns(self._path, file[self._place])[0][spikes]
            when = on_grid(times.astype(np.float64), self._dt)
            order = np.lexsort((when, np.repeat(np.arange(len(counts)), counts)))
            yield TrainBlock(sources.start, counts, when[order])


def _place(path: Path, population: str) -> str:
    names = spike_populations(path)
    if population in names:
        return f"/{sonata.SPIKES}/{population}"
    if not names:
        return f"/{sonata.SPIKES}"
    if len(names) > 1:
        raise FormatError(f"{path}: /{sonata.SPIKES}/{population} is missing")
    message = f"{path}: the spikes of {names[0]!r} are taken for the population {population!r}, as there are no others"
    warnings.warn(message, SonataWarning, stacklevel=2)
    return f"/{sonata.SPIKES}/{names[0]}"


def _columns(path: Path, group: h5py.Group) -> tuple[h5py.Dataset, h5py.Dataset]:
    times, ids = group["timestamps"], group[next((name for name in _IDS if name in group), _IDS[0])]
    for dataset, kinds in ((times, "fiu"), (ids, "iu")):
        if dataset.ndim != 1 or dataset.dtype.kind not in kinds:
            which = "whole numbers" if kinds == "iu" else "numbers"
            raise FormatError(f"{path}: {dataset.name} must be a list of {which}")
    if times.shape != ids.shape:
        raise FormatError(f"{path}: {group.name}: timestamps and {Path(ids.name).name} differ in length")
    if not (holds(times) and holds(ids)):
        raise FormatError(f"{path}: {group.name} claims {len(times)} spikes; the file does not hold them")
    units = times.attrs.get("units", "ms")
    units = units.decode() if isinstance(units, bytes) else units
    if units not in ("ms", "milliseconds"):
        raise FormatError(f"{path}: {times.name}: the unit {units!r} is not supported, only ms")
    return times, ids


def _check(where: str, times: NDArray[np.float64], ids: NDArray[np.int64], size: int) -> None:
    if len(ids) and int(ids.min()) < 0:
        raise FormatError(f"{where}/node_ids must not be negative")
    if len(ids) and int(ids.max()) >= size:
        raise FormatError(f"{where}/node_ids must be below the population's size {size}")
    if not (np.isfinite(times) & (times > 0)).all():
        raise FormatError(f"{where}: times must be finite and above 0 ms")


def _report_moved(path: Path, n_moved: int, n_spikes: int, dt: float) -> None:
    message = (
        f"{path}: {n_moved} of {n_spikes} spike times are not multiples of dt = {dt:g} ms; they are rounded up, as "
        "simulators on a grid do"
    )
    warnings.warn(message, SonataWarning, stacklevel=3)
