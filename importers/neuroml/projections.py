"""Projections: those of several sources, and of several synapses, as one stream each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mc_interchange.errors import FormatError
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, EdgeDigest, Edges, Piece, digest_block
from mc_interchange.instance.edges import Order

from .cells import Cells, Place
from .document import ProjectionElement
from .synapses import Attached

__all__ = ["INHIBITORY", "JoinedEdges", "Part", "check_layers", "stem"]

#: The end of the name of a projection that has the synapses of one source only.
_FROM = re.compile(r"_from_[0-9]+$")
#: The end of the name of a projection with the negative weights of one that has both.
INHIBITORY = "_inhibitory"


@dataclass(frozen=True)
class Part:
    """A projection of NeuroML, as a part of one of ours.

    Parameters
    ----------
    element
        The projection.
    synapse
        Its synapse.
    source
        The only source of it; None: sources are those of the population, in order.
    inhibitory
        Whether its weights, which are conductances, become negative.
    """

    element: ProjectionElement
    synapse: Attached
    source: int | None
    inhibitory: bool = False

    def read(self, piece: Piece) -> EdgeBlock:
        """Return a block of it as one of ours.

        Raises
        ------
        FormatError
            A conductance is negative.
        """
        block = piece()
        weight = self.synapse.scaled(block.weight)
        if self.synapse.E_rev is not None and np.any(weight < 0):
            raise FormatError(f"{self.element.place}: projection {self.element.id} has a conductance below 0")
        source = block.source if self.source is None else np.full(len(block), self.source, np.uint32)
        return EdgeBlock(source, block.target, -weight if self.inhibitory else weight, block.delay)


class JoinedEdges(Edges):
    """Several projections of NeuroML that are one of ours.

    Parameters
    ----------
    name, source, target
        Ours.
    parts
        What it consists of, in the order of the stream.
    """

    def __init__(self, name: str, source: str, target: str, parts: Sequence[Part]) -> None:
        single = all(part.synapse.unscaled and part.element.edges.weight_dtype == np.float32 for part in parts)
        n_edges = sum(part.element.edges.n_edges for part in parts)
        super().__init__(name, source, target, n_edges, _order(parts), np.dtype(np.float32 if single else np.float64))
        self._parts = parts

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield the pieces of all parts, small ones several at a time."""
        waiting: list[Piece] = []
        room = max_edges
        for part in self._parts:
            n = part.element.edges.n_edges
            if n > room and waiting:
                yield partial(self._joined, tuple(waiting))
                waiting, room = [], max_edges
            pieces = (partial(part.read, piece) for piece in part.element.edges.pieces(max_edges))
            if n > max_edges:
                yield from (partial(self._joined, (piece,)) for piece in pieces)
            else:
                waiting += pieces
                room -= n
        if waiting:
            yield partial(self._joined, tuple(waiting))

    def _joined(self, pieces: tuple[Piece, ...]) -> EdgeBlock:
        blocks = [piece() for piece in pieces]
        if len(blocks) == 1:
            return replace(blocks[0], weight=blocks[0].weight.astype(self.weight_dtype, copy=False))
        columns = ([getattr(block, name) for block in blocks] for name in ("source", "target", "weight", "delay"))
        source, target, weight, delay = map(np.concatenate, columns)
        return EdgeBlock(source, target, weight.astype(self.weight_dtype, copy=False), delay)


def _order(parts: Sequence[Part]) -> Order:
    if len(parts) == 1 and parts[0].source is None:
        return parts[0].element.edges.order
    sources = [part.source for part in parts if part.source is not None]
    ascending = len(sources) == len(parts) and sources == sorted(sources)
    return "source" if ascending else "none"


def stem(element: ProjectionElement, *, one_source: bool, by_sign: bool) -> str:
    """Return the name of our projection that a projection is a part of.

    Parameters
    ----------
    one_source
        Whether its only source is one of a population of ours.
    by_sign
        Whether excitation and inhibition are projections of their own.
    """
    name = _FROM.sub("", element.id) if one_source else element.id
    return name.removesuffix(INHIBITORY) if by_sign else name


def check_layers(elements: Sequence[ProjectionElement], cells: Cells) -> list[ProjectionElement]:
    """Return projections without those of further layers of a source, which must be copies of its own.

    Raises
    ------
    FormatError
    """
    digests: dict[Place, dict[tuple[str, str], EdgeDigest]] = {
        Place(place.population, place.source, layer): {}
        for place in cells.places.values()
        if place.layer
        for layer in (0, place.layer)
    }
    kept = []
    for element in elements:
        place = cells.places[element.source]
        if not place.layer:
            kept.append(element)
        if place in digests:
            key = element.target, element.synapse
            read = (digest_block(block) for block in element.edges.blocks())
            digests[place][key] = sum(read, digests[place].get(key, EdgeDigest()))
    for place, found in digests.items():
        if found != digests[replace(place, layer=0)]:
            raise FormatError(
                f"the connections of layer {place.layer} of source {place.source} of {place.population} are not those "
                "of the source itself"
            )
    return kept
