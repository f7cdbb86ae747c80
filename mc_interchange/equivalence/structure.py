"""Structural comparison of two instances, synapse by synapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mc_interchange.instance import EdgeBlock, Edges, InstanceDigest, NetworkInstance, pair
from mc_interchange.progress import Progress, Silent

__all__ = ["EdgeDifference", "StructureComparison", "compare_digests", "compare_structure", "first_difference"]

#: A synapse: source, target, weight, delay in steps.
Edge = tuple[int, int, float, int]


@dataclass(frozen=True)
class EdgeDifference:
    """The first row in which two streams of synapses differ.

    Parameters
    ----------
    row
        Its number, from 0.
    edges
        The synapse there of either stream; None: that one has ended.
    """

    row: int
    edges: tuple[Edge | None, Edge | None]

    @property
    def words(self) -> tuple[str, str]:
        """The two synapses in words."""
        return _words(self.edges[0]), _words(self.edges[1])

    def __str__(self) -> str:
        return f"row {self.row}: {' against '.join(self.words)}"


def _words(edge: Edge | None) -> str:
    if edge is None:
        return "none"
    source, target, weight, delay = edge
    return f"{source} -> {target}, weight {weight!r}, delay {delay} steps"


def first_difference(a: Edges, b: Edges) -> EdgeDifference | None:
    """Compare two streams row by row up to the first difference; None: there is none.

    Only for streams in the same order: that of an export, say, and that in which its rules are drawn.
    """
    streams = a.blocks(), b.blocks()
    blocks = [next(stream, None) for stream in streams]
    row = 0
    while blocks[0] is not None and blocks[1] is not None:
        n = min(len(block) for block in blocks if block is not None)
        differing = np.flatnonzero(_differ(blocks[0][:n], blocks[1][:n]))
        if len(differing):
            index = int(differing[0])
            return EdgeDifference(row + index, (_edge(blocks[0], index), _edge(blocks[1], index)))
        row += n
        blocks = [
            block[n:] if block is not None and len(block) > n else next(stream, None)
            for block, stream in zip(blocks, streams, strict=True)
        ]
    if blocks[0] is None and blocks[1] is None:
        return None
    return EdgeDifference(row, (_edge(blocks[0], 0), _edge(blocks[1], 0)))


def _differ(a: EdgeBlock, b: EdgeBlock) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = a.source != b.source
    found |= a.target != b.target
    found |= a.weight != b.weight
    found |= a.delay != b.delay
    return found


def _edge(block: EdgeBlock | None, row: int) -> Edge | None:
    if block is None or row >= len(block):
        return None
    return int(block.source[row]), int(block.target[row]), float(block.weight[row]), int(block.delay[row])


@dataclass(frozen=True)
class StructureComparison:
    """Result of :func:`compare_structure`.

    Parameters
    ----------
    identical
        All digests are equal.
    differences
        The parts that differ, in words; of synapses with the first row that differs, where either side has
        one projection between the two populations.
    digests
        Of the two instances.
    n_edges
        Synapses that were compared.
    """

    identical: bool
    differences: tuple[str, ...]
    digests: tuple[InstanceDigest, InstanceDigest]
    n_edges: int


def compare_structure(
    a: NetworkInstance, b: NetworkInstance, *, workers: int = 1, progress: Progress | None = None
) -> StructureComparison:
    """Compare synapses (as a multiset), initial values, parameters and inputs of two instances.

    Streams both once, and what differs again; memory does not grow with the networks.
    """
    progress = progress or Silent()
    progress.task("comparing", a.n_edges + b.n_edges, "edges")
    return compare_digests(
        (a, a.digest(workers=workers, progress=progress.advance)),
        (b, b.digest(workers=workers, progress=progress.advance)),
    )


def compare_digests(
    first: tuple[NetworkInstance, InstanceDigest], second: tuple[NetworkInstance, InstanceDigest]
) -> StructureComparison:
    """Do what :func:`compare_structure` does, with digests that are known already."""
    (a, _), (b, _) = first, second
    digests = (first[1], second[1])
    differences = tuple(_located(a, b, text) for text in digests[0].differences(digests[1]))
    return StructureComparison(not differences, differences, digests, a.n_edges)


def _located(a: NetworkInstance, b: NetworkInstance, difference: str) -> str:
    """Add to a difference between synapses where it begins."""
    for key in {pair(edges) for edges in a.projections.values()}:
        if difference.startswith(f"edges of {key}: "):
            found = [[e for e in instance.projections.values() if pair(e) == key] for instance in (a, b)]
            if [len(edges) for edges in found] == [1, 1]:
                where = first_difference(found[0][0], found[1][0])
                return f"{difference}; first in {where}" if where else difference
    return difference
