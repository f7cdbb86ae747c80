"""Structural comparison of two instances, synapse by synapse."""

from __future__ import annotations

from dataclasses import dataclass

from mc_interchange.instance import InstanceDigest, NetworkInstance
from mc_interchange.progress import Progress, Silent

__all__ = ["StructureComparison", "compare_structure"]


@dataclass(frozen=True)
class StructureComparison:
    """Result of :func:`compare_structure`.

    Parameters
    ----------
    identical
        All digests are equal.
    differences
        The parts that differ, in words.
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

    Streams both once; memory does not grow with the networks.
    """
    progress = progress or Silent()
    progress.task("comparing", a.n_edges + b.n_edges, "edges")
    digests = (
        a.digest(workers=workers, progress=progress.advance),
        b.digest(workers=workers, progress=progress.advance),
    )
    differences = tuple(digests[0].differences(digests[1]))
    return StructureComparison(not differences, differences, digests, a.n_edges)
