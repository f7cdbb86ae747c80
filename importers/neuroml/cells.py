"""Which population of ours each NeuroML population is, or is a part of.

All cells of a NeuroML population share one component, so exports of this package divide spike trains into
populations of one source each, and the spikes of one source into layers where several fall on one time. Properties
tell what belongs together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.names import our_names

from .document import Document, NeuroMLWarning, PopulationElement

__all__ = ["Cells", "Place", "find_cells"]


@dataclass(frozen=True)
class Place:
    """Where the cells of a NeuroML population are.

    Parameters
    ----------
    population
        Ours.
    source
        Its only cell is this source; None: its cells are those of ours, in order.
    layer
        Above 0: further spikes of that source.
    """

    population: str
    source: int | None = None
    layer: int = 0


@dataclass(frozen=True)
class Cells:
    """All populations.

    Parameters
    ----------
    places
        By NeuroML's identifier.
    members
        NeuroML's populations by our name: one, or first one for every source and then the layers.
    """

    places: Mapping[str, Place]
    members: Mapping[str, tuple[PopulationElement, ...]]

    def merged(self, population: str) -> bool:
        """Whether a population of ours consists of one NeuroML population for each source."""
        return self.places[self.members[population][0].id].source is not None


def find_cells(document: Document) -> Cells:
    """Find out what belongs together, and give valid names.

    Raises
    ------
    FormatError
        Properties contradict each other.
    """
    parts = [(element, _part(element)) for element in document.populations]
    keys = list(dict.fromkeys(_key(element, part) for element, part in parts))
    names = our_names(document.path, "population", [name for _, name in keys], NeuroMLWarning)
    ours = dict(zip(keys, names, strict=True))
    places = {}
    found: dict[str, list[tuple[int, int, PopulationElement]]] = {name: [] for name in names}
    for element, part in parts:
        name = ours[_key(element, part)]
        source, layer = (None, 0) if part is None else part[1:]
        places[element.id] = Place(name, source, layer)
        found[name].append((layer, source or 0, element))
    members = {}
    for name, several in found.items():
        several.sort(key=lambda item: item[:2])
        _check(several)
        members[name] = tuple(element for _, _, element in several)
    return Cells(places, members)


def _key(element: PopulationElement, part: tuple[str, int, int] | None) -> tuple[bool, str]:
    return (False, element.id) if part is None else (True, part[0])


def _part(element: PopulationElement) -> tuple[str, int, int] | None:
    """Return population, source and layer, as the properties say."""
    text = element.properties.get(fmt.SOURCE)
    if text is None:
        return None
    name, _, source = text.rpartition("/")
    layer = element.properties.get(fmt.LAYER, "0")
    if not name or not all(number.isascii() and number.isdigit() and len(number) < 10 for number in (source, layer)):
        raise FormatError(
            f"{element.place}: population {element.id}: the property '{fmt.SOURCE}' must be NAME/NUMBER and "
            f"'{fmt.LAYER}' a number, got {text!r:.60} and {layer!r:.60}"
        )
    if element.size != 1:
        raise FormatError(f"{element.place}: population {element.id} is one source, but has the size {element.size}")
    return name, int(source), int(layer)


def _check(members: list[tuple[int, int, PopulationElement]]) -> None:
    """Refuse sources that are missing, or there twice."""
    sources = [source for layer, source, _ in members if layer == 0]
    for source, expected in zip([*sources, None], range(len(sources) + 1), strict=True):
        if source is not None and source != expected:
            element = members[expected][2]
            raise FormatError(
                f"{element.place}: population {element.id}: its property '{fmt.SOURCE}' says {source}, where "
                f"{expected} was expected"
            )
    for layer, source, element in members:
        if layer and source >= len(sources):
            raise FormatError(f"{element.place}: population {element.id} is a layer of a source that is not there")
