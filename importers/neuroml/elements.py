"""Readers of the elements of a NeuroML or LEMS document in XML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError

from .collected import Collected
from .columns import times
from .document import Component
from .leaves import Table
from .network import NetworkReader
from .xml import Node, Skip, required

__all__ = ["DocumentReader"]

#: What says nothing about the model.
_REMARKS = frozenset({"annotation", "notes", "property"})
#: What belongs to a LEMS file; its simulation is read elsewhere.
_DEFINITIONS = frozenset({"Assertion", "Constant", "Dimension", "Simulation", "Target", "Unit"})


class DocumentReader(Node):
    """Reads a whole document, ``neuroml`` or ``Lems``.

    Parameters
    ----------
    path
        The file.
    collected
        Takes what is found.
    include
        Called with each included file, as written, and its place.
    """

    def __init__(self, path: Path, collected: Collected, include: Callable[[str, str], None]) -> None:
        self._path, self._collected, self._include = path, collected, include
        self._inside = False

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        """Begin the document, or one of the elements in it."""
        if not self._inside:
            if name.lower() not in ("neuroml", "lems"):
                raise FormatError(f"{place}: neither NeuroML nor LEMS (its root is {name:.60})")
            self._inside = True
            return self
        if name in ("include", "Include"):
            self._include(required(attributes, "href" if name == "include" else "file", name, place), place)
            return Skip()
        if name == "ComponentType":
            self._collected.own_types.setdefault(required(attributes, "name", name, place), place)
            return Skip()
        if name in _REMARKS or name in _DEFINITIONS:
            return Skip()
        if name == "Component":  # LEMS knows this form of every element
            name = required(attributes, "type", name, place)
            del attributes["type"]
        if name in ("network", "networkWithTemperature"):
            chosen = self._collected.begins(required(attributes, "id", name, place), self._path, place)
            return NetworkReader(name, attributes, place, self._collected) if chosen else Skip()
        required(attributes, "id", name, place)
        return ComponentReader(name, attributes, place, self._collected, self._collected.add_component)


class ComponentReader(Node):
    """Reads a component with its parts.

    Parameters
    ----------
    name, attributes, place
        Of its element.
    collected
        Counts the parts.
    take
        Called with the component.
    """

    def __init__(
        self, name: str, attributes: dict[str, str], place: str, collected: Collected, take: Callable[[Component], None]
    ) -> None:
        collected.count(place)
        self._name, self._id, self._attributes, self._place = name, attributes.pop("id", ""), attributes, place
        self._collected, self._take = collected, take
        self._children: list[Component] = []
        self._times: list[NDArray[np.float64]] = []
        self.leaves = {"spike": self._spikes}

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        """Begin a part."""
        if name in _REMARKS:
            return Skip()
        return ComponentReader(name, attributes, place, self._collected, self._children.append)

    def end(self) -> None:
        """Hand the component on."""
        empty = np.empty(0) if self._name == "spikeArray" else None
        spikes = np.concatenate(self._times) if self._times else empty
        children = tuple(self._children)
        self._take(Component(self._name, self._id, self._attributes, children, self._place, spikes))

    def _spikes(self, table: Table) -> None:
        self._times.append(table.convert("time", times))
