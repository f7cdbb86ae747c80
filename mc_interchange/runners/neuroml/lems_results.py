"""From the text files that a LEMS simulation leaves to spikes and potentials."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mc_interchange.errors import SimulationError
from mc_interchange.formats.neuroml import EventFile, LemsFile
from mc_interchange.runs import Spikes

__all__ = ["population_of", "read_events", "sizes_of"]

#: Identifier that our exporter gives to the file of a population's spikes.
_OURS = re.compile("spikes_(.+)")


def population_of(events: EventFile) -> str:
    """Return the population whose spikes a file holds: as our exporter names it, else by the paths in it."""
    if match := _OURS.fullmatch(events.id):
        return match[1]
    paths = {re.split(r"[/\[]", path.removeprefix("../"))[0] for path in events.selections.values()}
    return paths.pop() if len(paths) == 1 else events.id


def sizes_of(lems: LemsFile) -> dict[str, int]:
    """Return the number of recorded cells by population, one above the largest identifier."""
    return {population_of(e): max((int(i) for i in e.selections), default=-1) + 1 for e in lems.events}


def read_events(events: EventFile, directory: Path, dt: float, *, offset: float = 0.0) -> Spikes:
    """Read a file of spikes.

    Parameters
    ----------
    events
        Which.
    directory
        Where the tool wrote it.
    dt
        Resolution in ms.
    offset
        Added to the times of the tool, in steps, before they are rounded to whole ones: tools label the step
        in which a neuron fires in their own ways.

    Raises
    ------
    SimulationError
        It is missing, or cannot be read.
    """
    path = directory / events.file
    try:
        table = np.loadtxt(path, ndmin=2) if path.stat().st_size else np.empty((0, 2))
    except (OSError, ValueError):
        raise SimulationError(f"{path.name} was not written as {events.format}") from None
    if table.shape[1] != 2 and table.size:
        raise SimulationError(f"{path.name} was not written as {events.format}")
    table = table.reshape(-1, 2)
    neurons, seconds = table.T if events.format == "ID_TIME" else table.T[::-1]
    steps = np.rint(seconds * 1000 / dt + offset)
    return Spikes.sorted(steps.astype(np.int64), neurons.astype(np.int64))
