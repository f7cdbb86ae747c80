"""What stands in the files of a NeuroML network, before anything is made of it.

Reading gives these; what they mean in terms of the catalogue, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats.neuroml import LemsFile
from mc_interchange.instance import Edges

__all__ = ["Component", "Document", "InputListElement", "NeuroMLWarning", "PopulationElement", "ProjectionElement"]


class NeuroMLWarning(UserWarning):
    """Something about a network that its user should know: what was rounded, chosen, or is not read."""


@dataclass(frozen=True)
class Component:
    """A cell, a synapse, an input, or one of the parts of these.

    Parameters
    ----------
    type
        Its element, such as ``IF_curr_exp``.
    id
        Its identifier; empty for parts without one.
    attributes
        As written, without the identifier.
    children
        In order. The spikes of a ``spikeArray`` are not among them (see ``times``).
    place
        File and line, for messages.
    times : ndarray, shape (n_spikes,), float64, ms, or None
        Of a ``spikeArray``, in the order of the file.
    """

    type: str
    id: str
    attributes: Mapping[str, str]
    children: tuple[Component, ...]
    place: str
    times: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class PopulationElement:
    """A population.

    Parameters
    ----------
    id, component
        Identifiers.
    size
        Number of cells.
    positions : ndarray, shape (size, 3), float64, um, or None
        Where its cells are listed, by cell.
    properties
        Value by tag.
    place
        File and line.
    """

    id: str
    component: str
    size: int
    positions: NDArray[np.float64] | None
    properties: Mapping[str, str]
    place: str


@dataclass(frozen=True)
class ProjectionElement:
    """A projection.

    Parameters
    ----------
    id, source, target, synapse
        Identifiers of itself, the two populations and the synapse component.
    edges
        Its connections. A weight is 1000 times the number in the file (nA become pA), correctly rounded, and
        1000 where there is none.
    place
        File and line.
    """

    id: str
    source: str
    target: str
    synapse: str
    edges: Edges
    place: str


@dataclass(frozen=True)
class InputListElement:
    """A list of inputs, or one ``explicitInput``.

    Parameters
    ----------
    id, population, component
        Identifiers.
    targets : ndarray, shape (n,), uint32
        Cell of each input; one cell may occur several times.
    weights : ndarray, shape (n,), float64, or None
        1000 times the number in the file, correctly rounded; None where no input has a weight.
    place
        File and line.
    """

    id: str
    population: str
    component: str
    targets: NDArray[np.uint32]
    weights: NDArray[np.float64] | None
    place: str


@dataclass(frozen=True)
class Document:
    """All of it.

    Parameters
    ----------
    path
        The file that holds the network.
    name
        Identifier of the network.
    dt
        Resolution in ms, in which delays are counted.
    notes, properties
        Of the network.
    components
        By identifier, of all files.
    populations, projections, inputs
        In the order of the file.
    simulation
        The LEMS file, where there is one.
    unknown
        Elements (name, with the identifier if there is one, and place) of the network that are not read, such as
        ``electricalProjection gaps``.
    own_types
        Place of each ``ComponentType`` that the files define, by name; components of these types mean nothing to us.
    """

    path: Path
    name: str
    dt: float
    notes: str
    properties: Mapping[str, str]
    components: Mapping[str, Component]
    populations: tuple[PopulationElement, ...]
    projections: tuple[ProjectionElement, ...]
    inputs: tuple[InputListElement, ...]
    simulation: LemsFile | None
    unknown: tuple[tuple[str, str], ...] = ()
    own_types: Mapping[str, str] = field(default_factory=dict)
