"""What is looked up in a network before a simulator runs its files: spike trains, and what must be refused."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import Document, NeuroMLWarning
from mc_interchange.importers.neuroml.reading import read_document
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .lems_results import population_of

__all__ = ["read_quietly", "refuse_equations", "refuse_other_match", "refuse_poisson", "replayed", "spike_trains"]


def read_quietly(path: Path) -> Document:
    """Read a network of which the simulator, not we, decides what becomes of its delays and what is unknown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroMLWarning)
        return read_document(path)


def refuse_other_match(document: Document, simulator: str, solver: fmt.Solver | None) -> None:
    """Refuse parameters that are matched to the steps of another simulator, where they are another model.

    Parameters
    ----------
    simulator
        Its name.
    solver
        Whose match holds in it.

    Raises
    ------
    NotRepresentableError
        With what to do.
    """
    matched = document.properties.get(fmt.MATCHED_TO)
    if matched not in (None, solver):
        instead = f"--matched-to {solver}, or without" if solver else "without --matched-to"
        raise NotRepresentableError(
            f"{document.path}: its parameters are matched to {matched:.40}, and in {simulator} they are those of "
            f"another model; export {instead}"
        )


def refuse_equations(document: Document, simulator: str) -> None:
    """Refuse neurons that are given by equations, which are made for jLEMS.

    Parameters
    ----------
    simulator
        Its name.

    Raises
    ------
    NotRepresentableError
        With a population, and what to do.
    """
    for population in document.populations:
        component = document.components.get(population.component)
        if component is not None and fmt.is_equation_type(component.type) and component.type in document.own_types:
            raise NotRepresentableError(
                f"{document.path}: population {population.id} is given by equations, of which {simulator} makes no "
                "neurons here: run it with --simulator jlems"
            )


def spike_trains(document: Document) -> dict[str, NDArray[np.int64]]:
    """Return the steps in which the cells of each population of spike arrays fire, ascending."""
    trains = {}
    for population in document.populations:
        component = document.components.get(population.component)
        if component is not None and component.type == "spikeArray":
            times = np.empty(0) if component.times is None else np.sort(component.times)
            trains[population.id] = np.ceil(times * steps(1.0, document.dt) - TOLERANCE).astype(np.int64)
    return trains


def replayed(lems: fmt.LemsFile, document: Document) -> set[str]:
    """Return the recorded populations (as results name them) whose cells are spike arrays."""
    trains = spike_trains(document).keys()
    found = set(trains)
    for events in lems.events:
        populations = {re.split(r"[/\[]", path.removeprefix("../"))[0] for path in events.selections.values()}
        if populations and populations <= trains:
            found.add(population_of(events))
    return found


def refuse_poisson(document: Document, simulator: str, why: str) -> None:
    """Refuse Poisson sources.

    Parameters
    ----------
    simulator
        Its name.
    why
        What it does with them.

    Raises
    ------
    NotRepresentableError
        With one of the sources in use, and what to do.
    """
    used = {population.component for population in document.populations} | {item.component for item in document.inputs}
    for identifier in sorted(used):
        component = document.components.get(identifier)
        if component is not None and "poisson" in component.type.lower():
            raise NotRepresentableError(
                f"{simulator} {why}: {identifier} is a {component.type}; export with --freeze-input, and its spikes "
                "are replayed"
            )
