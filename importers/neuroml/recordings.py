"""How a network is simulated, as its LEMS file or its properties say."""

from __future__ import annotations

import math
import warnings
from typing import Any

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.network import Simulation, VoltageRecording

from .cells import Cells
from .columns import split_path
from .document import Document, NeuroMLWarning

__all__ = ["recorded", "simulation_of"]

#: Fields of a simulation by the property of the network that may hold them, where no LEMS file says them.
_PROPERTIES = {"dt": fmt.DT, "duration": fmt.DURATION, "discard": fmt.DISCARD, "seed": fmt.SEED}


def simulation_of(document: Document, base: Simulation, *, alone: bool) -> Simulation:
    """Return the simulation: what the LEMS file says, and otherwise ``base``.

    Parameters
    ----------
    base
        What the file beside the network says.
    alone
        Whether there is no such file; then properties of the network count, where the LEMS file says nothing.

    Raises
    ------
    FormatError
    """
    said: dict[str, Any] = {"dt": document.dt}
    lems = document.simulation
    if lems is not None:
        said["duration"] = lems.duration
        if lems.seed is not None:
            said["seed"] = lems.seed
    if alone:
        for field, tag in _PROPERTIES.items():
            if tag in document.properties and field not in said:
                said[field] = _number(document.properties[tag], whole=field == "seed")
    try:
        return Simulation(**{**base.model_dump(), **{key: value for key, value in said.items() if value is not None}})
    except ModelError as error:
        file = document.path if lems is None else lems.path
        raise FormatError(f"{file}: {str(error).removeprefix('Simulation: ')}") from None


def property_dt(document: Document) -> float | None:
    """Return the resolution that the network recommends, in ms."""
    number = _number(document.properties.get(fmt.DT, ""), whole=False)
    return number if number and 0 < number < math.inf else None


def recorded(document: Document, simulation: Simulation, cells: Cells, neurons: set[str]) -> Simulation:
    """Return the simulation with what the LEMS file records.

    Parameters
    ----------
    neurons
        Our populations that have membrane potentials.
    """
    lems = document.simulation
    if lems is None:
        return simulation
    spikes = {place[0] for file in lems.events for path in file.selections.values() if (place := _place(path, cells))}
    voltages: dict[str, set[int]] = {}
    unread = []
    for identifier, quantity in (column for file in lems.states for column in file.columns):
        path, _, name = quantity.rpartition("/")
        place = _place(path, cells) if name == "v" else None
        if place is None or place[0] not in neurons:
            unread.append(f"{identifier} ({quantity})")
        else:
            voltages.setdefault(place[0], set()).add(place[1])
    if unread:
        more = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
        message = f"{lems.path}: not recorded: {unread[0]:.80}{more}; only membrane potentials v and spikes are"
        warnings.warn(message, NeuroMLWarning, stacklevel=2)
    every = not spikes or spikes == set(cells.members)
    return simulation.model_copy(
        update={
            "record_spikes": None if every else tuple(name for name in cells.members if name in spikes),
            "record_V_m": tuple(
                VoltageRecording(population=name, neurons=tuple(sorted(found)), interval=simulation.dt)
                for name, found in voltages.items()
            ),
        }
    )


def _place(path: str, cells: Cells) -> tuple[str, int] | None:
    """Return our population, and the index in it, of a path below the network."""
    try:
        population, index, _ = split_path(path)
    except ValueError:
        return None
    place = cells.places.get(population)
    if place is None:
        return None
    return place.population, index if place.source is None else place.source


def _number(text: str, *, whole: bool) -> Any:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return None
