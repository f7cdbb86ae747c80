"""Shards: shares of an export that several machines prepare (see :mod:`mc_interchange.join`).

A shard holds a range of the synapses of a network, in the order in which its rules draw them and from the
end of one projection into the next, so that all shards have the same size whatever the projections have.
Beside them stand the rules, from which everything else follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contracts import Column, Exporter, ExportOptions, Loss, Written
from .errors import UsageError
from .formats.hdf5 import new_hdf5
from .instance import EdgeBlock, EdgeDigest, Edges, NetworkInstance, digest_block, map_blocks
from .instance.instance import pair
from .instance.realize import RealizedEdges, RealizedPart
from .progress import Progress

__all__ = ["EDGES_FILE", "Shard", "ShardExporter", "record_type", "share_of"]

#: All that a shard holds but its rules.
EDGES_FILE = "edges.h5"
#: Edges per block.
BLOCK = 2**18


@dataclass(frozen=True)
class Shard:
    """One of several shares of a network, about equal in synapses.

    Parameters
    ----------
    number
        Which one, from 1.
    of
        How many there are.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise UsageError(f"shard {self}: must be I/N, with I from 1 to N")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``I/N``."""
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if not found:
            raise UsageError(f"shard {text!r}: must be I/N, such as 1/8")
        return cls(int(found[1]), int(found[2]))


def share_of(instance: NetworkInstance, shard: Shard) -> NetworkInstance:
    """Return the same network with a share of its synapses only.

    Raises
    ------
    UsageError
        Its synapses are not all drawn from rules.
    """
    start, end = (instance.n_edges * number // shard.of for number in (shard.number - 1, shard.number))
    parts: dict[str, Edges] = {}
    offset = 0
    for name, edges in instance.projections.items():
        if instance.network is None or not isinstance(edges, RealizedEdges):
            raise UsageError(f"projection {name}: only synapses that are drawn from rules can be shared out in shards")
        rows = range(max(start - offset, 0), min(end - offset, edges.n_edges))
        if rows:
            parts[name] = edges.part(rows)
        offset += edges.n_edges
    return replace(instance, projections=parts)


class ShardExporter(Exporter[ExportOptions]):
    """Writes the synapses of :func:`share_of` a network, in blocks that each have a checksum."""

    format = "shard"
    title = "a share of the synapses of an export"

    def losses(self, instance: NetworkInstance, options: ExportOptions) -> list[Loss]:  # noqa: ARG002
        """Nothing is lost."""
        return []

    def estimate(self, instance: NetworkInstance, options: ExportOptions) -> int:  # noqa: ARG002
        """Return the size: 16 bytes per synapse, or 20."""
        return sum(e.n_edges * record_type(e).itemsize for e in instance.projections.values()) + 2**20

    def write(
        self,
        instance: NetworkInstance,
        directory: Path,
        options: ExportOptions,  # noqa: ARG002
        *,
        workers: int,
        progress: Progress,
    ) -> Written:
        """Write each block as a dataset that is named after its projection and its first row there."""
        progress.task("writing a shard", instance.n_edges, "edges")
        digests: dict[str, EdgeDigest] = {}
        columns = []
        with new_hdf5(directory / EDGES_FILE) as file:
            for edges in instance.projections.values():
                assert isinstance(edges, RealizedPart)
                group = file.hdf5.create_group(edges.name)
                row = edges.rows.start
                packed = partial(_packed, record_type(edges))
                for records, digest in map_blocks(edges, packed, max_edges=BLOCK, workers=workers):
                    dataset = file.streamed(group, str(row), records.shape, records.dtype)
                    dataset.append(records)
                    columns.append(
                        Column(EDGES_FILE, f"{edges.name}/{row}", records.dtype.name, len(records), dataset.checksum)
                    )
                    digests[pair(edges)] = digests.get(pair(edges), EdgeDigest()) + digest
                    row += len(records)
                    progress.advance(len(records))
        return Written(digests, columns)


def record_type(edges: Edges) -> np.dtype[Any]:
    """Return the type of a synapse in a shard."""
    return np.dtype([("source", "<u4"), ("target", "<u4"), ("weight", edges.weight_dtype), ("delay", "<i4")])


def _packed(dtype: np.dtype[Any], block: EdgeBlock) -> tuple[NDArray[Any], EdgeDigest]:
    records = np.empty(len(block), dtype)
    for name in ("source", "target", "weight", "delay"):
        records[name] = getattr(block, name)
    return records, digest_block(block)
