"""Writing the spikes that virtual populations replay."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.contracts import Column
from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import new_hdf5
from mc_interchange.formats.sonata_output import BY_ID, SORTING, stamp
from mc_interchange.instance import Trains
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress

__all__ = ["write_spike_input"]


def write_spike_input(
    population: str, trains: Trains, directory: Path, *, dt: float, progress: Progress
) -> list[Column]:
    """Write the spikes of a virtual population, streaming, and PyNN's view of the same file.

    Parameters
    ----------
    dt
        Resolution in ms.

    Returns
    -------
    list of Column
        Checksums of what was written.
    """
    name = sonata.input_file(population)
    progress.task(f"writing spikes of {population}", trains.n_spikes, "spikes")
    with new_hdf5(directory / name) as file:
        stamp(file.hdf5)
        group = file.hdf5.create_group(f"spikes/{population}")
        group.attrs.create("sorting", BY_ID, dtype=SORTING)
        times = file.streamed(group, "timestamps", (trains.n_spikes,), np.float64)
        times.dataset.attrs["units"] = "ms"
        ids = file.streamed(group, "node_ids", (trains.n_spikes,), np.uint64)
        for block in trains.blocks():
            times.append(_just_before(block.times, dt))
            ids.append(block.sources)
            progress.advance(len(block.times))
        columns = [Column(name, d.dataset.name, d.dataset.dtype.name, d.end, d.checksum) for d in file.streams]
    # PyNN looks for the same datasets in another place
    with new_hdf5(directory / sonata.input_file(population, "pynn")) as file:
        stamp(file.hdf5)
        group = file.hdf5.create_group("spikes")
        for theirs, ours in (("timestamps", "timestamps"), ("gids", "node_ids")):
            group[theirs] = h5py.ExternalLink(Path(name).name, f"/spikes/{population}/{ours}")
    return columns


def _just_before(times: NDArray[np.float64], dt: float) -> NDArray[np.float64]:
    """Put spikes on the grid a nanosecond before their step.

    Simulators round a time to the end of the step it lies in, but some subtract a delay first, in floating
    point; a little below, all of them arrive at the same step.
    """
    counts = np.rint(times * steps(1.0, dt))
    on_grid = np.abs(times * steps(1.0, dt) - counts) < sonata.GRID_TOLERANCE
    return np.where(on_grid, counts / steps(1.0, dt) - sonata.BEFORE_STEP, times)
