"""From the text files that a LEMS simulation leaves to spikes and potentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange._version import __version__
from mc_interchange.errors import SimulationError
from mc_interchange.formats.neuroml import LEMS_PREFIX, EventFile, LemsFile, StateFile
from mc_interchange.formats.sonata_output import Report
from mc_interchange.network.simulation import times
from mc_interchange.runs import Run, Spikes

__all__ = ["cell_of", "population_of", "read_potentials", "read_spikes", "run_of", "sizes_of"]

#: Identifier that our exporter gives to the file of a population's spikes; those in the file are indices then.
_OURS = re.compile(r"(?:layer_\d+_)?spikes_(.+)")
#: What follows the number of a source in the name of a population of further spikes of it.
_MEMBER = re.compile(r"_*_layer_\d+$")
#: Population and index in the path of a cell, with or without a list of instances.
_CELL = re.compile(r"(?:\.\./)?(\w+)(?:/(\d+)|\[(\d+)\])")


def run_of(
    lems: LemsFile,
    directory: Path,
    simulator: str,
    versions: Mapping[str, str],
    *,
    spikes: Mapping[str, Spikes] | None = None,
    voltages: Mapping[str, Report] | None = None,
    seed: int | None = None,
    threads: int = 1,
) -> Run:
    """Return what a tool left of a simulation.

    Parameters
    ----------
    lems
        What was asked for.
    directory
        Where the tool wrote it.
    simulator
        Its name.
    versions
        Of what it is made of.
    spikes, voltages
        None: as they stand in the files.
    seed
        None: that of the LEMS file.
    """
    return Run(
        model=lems.path.stem.removeprefix(LEMS_PREFIX),
        simulator=simulator,
        dt=lems.dt,
        duration=lems.duration,
        discard=0.0,
        seed=lems.seed or 0 if seed is None else seed,
        threads=threads,
        sizes=sizes_of(lems),
        spikes=read_spikes(lems, directory) if spikes is None else spikes,
        voltages=read_potentials(lems, directory) if voltages is None else voltages,
        versions={**versions, "mc-interchange": __version__},
    )


def cell_of(path: str) -> tuple[str, int] | None:
    """Return population and index of the cell at the start of a path; None where there is none."""
    match = _CELL.match(path)
    return (match[1], int(match[2] or match[3])) if match else None


def population_of(events: EventFile) -> str:
    """Return the population whose spikes a file holds: as our exporter names it, else by the paths in it."""
    populations = {population for population, _ in _cells(events).values()}
    return populations.pop() if len(populations) == 1 else events.id


def sizes_of(lems: LemsFile) -> dict[str, int]:
    """Return the number of recorded cells by population, one above the largest index."""
    sizes: dict[str, int] = {}
    for events in lems.events:
        for population, index in _cells(events).values():
            sizes[population] = max(sizes.get(population, 0), index + 1)
    return sizes


def read_spikes(lems: LemsFile, directory: Path, *, offset: float = 0.0) -> dict[str, Spikes]:
    """Read all spikes that a LEMS file asks for, by population.

    Parameters
    ----------
    directory
        Where the tool wrote its files.
    offset
        Added to the times of the tool, in steps, before they are rounded to whole ones: tools label the step
        in which a neuron fires in their own ways.

    Raises
    ------
    SimulationError
        A file is missing, or cannot be read.
    """
    found: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {name: [] for name in sizes_of(lems)}
    for events in lems.events:
        for population, part in _by_population(events, directory, lems.dt, offset).items():
            found[population].append(part)
    return {
        name: Spikes.sorted(*(np.concatenate([part[i] for part in parts]) for i in (0, 1)))
        for name, parts in found.items()
    }


def read_potentials(
    lems: LemsFile, directory: Path, *, late: Callable[[str], bool] = lambda _population: False
) -> dict[str, Report]:
    """Read all membrane potentials that a LEMS file asks for, by population.

    Parameters
    ----------
    directory
        Where the tool wrote its files.
    late
        Says of a population whether the tool writes its states one row behind their time.

    Returns
    -------
    dict
        At dt, 2 dt and so on, like NEST's: the start is left out, for a pulse in the first step may set it.

    Raises
    ------
    SimulationError
        A file is missing, or cannot be read.
    """
    columns: dict[str, dict[int, NDArray[np.float64]]] = {}
    for states in lems.states:
        values = _table(states, directory)[:, 1:] * 1000
        for (_, quantity), column in zip(states.columns, values.T, strict=True):
            cell = cell_of(quantity)
            if cell and quantity.endswith("/v"):
                population, index = cell
                columns.setdefault(population, {})[index] = column[2 if late(population) else 1 :]
    return {population: _report(cells, lems.dt) for population, cells in columns.items()}


def _report(cells: Mapping[int, NDArray[np.float64]], dt: float) -> Report:
    neurons = sorted(cells)
    values = np.stack([cells[i] for i in neurons], axis=1)
    return Report(np.array(neurons, np.uint64), times(np.arange(1, len(values) + 1), dt), values)


def _cells(events: EventFile) -> dict[str, tuple[str, int]]:
    """Return population and index by the identifier that stands in a file."""
    cells = {}
    for identifier, path in events.selections.items():
        if match := _CELL.match(path):
            cells[identifier] = (match[1], int(match[2] or match[3]))
    name = _OURS.fullmatch(events.id)
    if name and all(_is_ours(name[1], identifier, *cell) for identifier, cell in cells.items()):
        return {identifier: (name[1], int(identifier)) for identifier in cells}
    return cells


def _is_ours(name: str, identifier: str, population: str, index: int) -> bool:
    """Whether a cell is where our exporter puts the one with this number of a population."""
    if not identifier.isdigit() or not population.startswith(name):
        return False
    rest = population.removeprefix(name).rstrip("_")
    return (rest == "" and index == int(identifier)) or (_MEMBER.sub("", rest) == f"_{identifier}" and index == 0)


def _by_population(
    events: EventFile, directory: Path, dt: float, offset: float
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return steps and neurons by population."""
    words = _text(directory, events.file).split()
    if len(words) % 2:
        raise _unreadable(events.file, f"lines of {events.format}")
    first, second = words[::2], words[1::2]
    identifiers, texts = (first, second) if events.format == "ID_TIME" else (second, first)
    cells = _cells(events)
    try:
        seconds = np.array(texts, np.float64)
        names, which = np.unique(np.array(identifiers, str), return_inverse=True)
        where = [cells[name] for name in names.tolist()]
        steps = np.rint(seconds * 1000 / dt + offset).astype(np.int64)
        populations = np.array([population for population, _ in where], str)[which]
        neurons = np.array([index for _, index in where], np.int64)[which]
    except (ValueError, KeyError):
        raise _unreadable(events.file, f"lines of {events.format}") from None
    return {
        population: (steps[populations == population], neurons[populations == population])
        for population in {population for population, _ in cells.values()}
    }


def _table(states: StateFile, directory: Path) -> NDArray[np.float64]:
    try:
        table = np.array(_text(directory, states.file).split(), np.float64)
        return table.reshape(-1, len(states.columns) + 1)
    except ValueError:
        raise _unreadable(states.file, f"a table of {len(states.columns) + 1} columns") from None


def _text(directory: Path, file: str) -> str:
    path = directory / file
    if not path.exists():
        path = directory / path.name  # NEURON and EDEN know no directories of results
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SimulationError(f"the results {path.name} cannot be read ({error.strerror})") from None


def _unreadable(name: str, what: str) -> SimulationError:
    return SimulationError(f"the results {name} are not {what}")
