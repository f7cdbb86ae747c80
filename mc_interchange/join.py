"""Joining the shards of an export.

The joined network is an instance like any other: the exporter writes it as if it had drawn the synapses
itself, to the last byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from . import registry
from .contracts import Column, Exporter, ExportOptions
from .errors import FormatError, UsageError, one_line
from .formats.hdf5 import open_hdf5
from .instance import BLOCK_EDGES, EdgeBlock, Edges, NetworkInstance, Piece, realize
from .instance.edges import in_parts
from .manifest import check_files, created_by, read_manifest
from .network import read_network
from .output import MODEL_FILE, SHARD
from .shards import EDGES_FILE, Shard, record_type

__all__ = ["ExportJob", "join_shards"]

#: What all shards of an export say alike.
_COMMON = ("created_by", "format", "options", "model", "seed")
#: What a digest says of everything but the synapses.
_WITHOUT_EDGES = ("dt", "nodes", "parameters", "inputs")


@dataclass(frozen=True)
class ExportJob:
    """What to export, and how.

    Parameters
    ----------
    instance
        The network.
    format, options
        What to make of it.
    """

    instance: NetworkInstance
    format: str
    options: ExportOptions


def join_shards(directories: Iterable[str | Path]) -> ExportJob:
    """Check that shards belong together and are whole, and make one network of them.

    What they hold is read and checked block by block when the network is.

    Parameters
    ----------
    directories
        All shards of one export, in any order.

    Raises
    ------
    FormatError
        A directory is not a shard or was changed, one is missing or there twice, or they differ in anything
        but their synapses. Later, when a block is read that was changed.
    """
    parts = _in_order([(path, read_manifest(path, SHARD)) for path in map(Path, directories)])
    _check_common(parts)
    for path, manifest in parts:
        for finding in check_files(path, manifest):
            raise FormatError(f"{path}: {finding.where} {finding.message}")
    first, manifest = parts[0]
    drawn = realize(read_network(first / MODEL_FILE))
    expected = drawn.digest_with({}).to_json()
    for part in _WITHOUT_EDGES:
        if manifest["digest"][part] != expected[part]:
            raise FormatError(f"{first}: {part}: not what its {MODEL_FILE} gives here")
    blocks = [(path / EDGES_FILE, Column(**column)) for path, manifest in parts for column in manifest["columns"]]
    exporter: Exporter[Any] = registry.load("exporter", manifest["format"])
    return ExportJob(
        replace(drawn, projections={name: _joined(edges, blocks) for name, edges in drawn.projections.items()}),
        exporter.format,
        exporter.Options(**manifest["options"]),
    )


def _in_order(parts: Iterable[tuple[Path, dict[str, Any]]]) -> list[tuple[Path, dict[str, Any]]]:
    """Return shards and their manifests by number, every one once."""
    places: dict[Shard, tuple[Path, dict[str, Any]]] = {}
    for path, manifest in parts:
        try:
            shard = Shard.parse(str(manifest.get("shard")))
        except UsageError as error:
            raise FormatError(f"{path / SHARD}: {error}") from None
        if shard in places:
            raise FormatError(f"{path}: is shard {shard}, as is {places[shard][0]}")
        places[shard] = path, manifest
    if not places:
        raise UsageError("no shards are given")
    one = next(iter(places))
    for other, (path, _) in places.items():
        if other.of != one.of:
            raise FormatError(f"{path}: is shard {other}, but {places[one][0]} is shard {one}")
    numbers = [Shard(number, one.of) for number in range(1, one.of + 1)]
    missing = [shard for shard in numbers if shard not in places]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise FormatError(f"shard {missing[0]}{more} is missing: there are {len(places)} of {one.of}")
    return [places[shard] for shard in numbers]


def _check_common(parts: Sequence[tuple[Path, dict[str, Any]]]) -> None:
    """Refuse shards of different exports, and those of another version than this, which might draw otherwise."""
    first = parts[0][0]
    expected = _common(*parts[0])
    for path, manifest in parts:
        found = _common(path, manifest)
        for key, value in expected.items():
            if found[key] != value:
                said = f"{_said(found[key])}, but {_said(value)} in" if key in _COMMON else "not that of"
                raise FormatError(f"{path}: {key}: {said} {first}")
    if expected["created_by"] != created_by():
        theirs, ours = _said(expected["created_by"]), _said(created_by())
        raise FormatError(f"{first}: was written with {theirs}, this is {ours}; join with the versions of the shards")


def _common(path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    try:
        common = {key: manifest[key] for key in _COMMON} | {"options": dict(manifest["options"])}
        if not isinstance(common["format"], str):
            raise ValueError("format is not a text")
        rules = {MODEL_FILE: manifest["files"][MODEL_FILE]["xxh3"]}
        return common | rules | {part: manifest["digest"][part] for part in _WITHOUT_EDGES}
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path / SHARD}: not what a shard says of itself ({one_line(error)})") from None


def _said(value: object) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def _joined(edges: Edges, blocks: Sequence[tuple[Path, Column]]) -> JoinedEdges:
    """Find the blocks of a projection, which must follow each other without a gap."""
    rows: dict[int, tuple[Path, Column]] = {}
    for path, column in blocks:
        projection, _, row = column.dataset.rpartition("/")
        if projection == edges.name and row.isdecimal():
            rows[int(row)] = (path, column)
    end = 0
    for first, (path, column) in sorted(rows.items()):
        if first != end:
            raise FormatError(f"{path}: {edges.name}: row {first} comes after row {end - 1}")
        end += column.n
    if end != edges.n_edges:
        raise FormatError(f"projection {edges.name}: has {edges.n_edges} synapses, {end} are in the shards")
    return JoinedEdges(edges, [rows[first] for first in sorted(rows)])


class JoinedEdges(Edges):
    """The synapses of a projection, from shards.

    Parameters
    ----------
    drawn
        The same synapses as the rules draw them.
    blocks
        File and dataset, in order.
    """

    def __init__(self, drawn: Edges, blocks: Sequence[tuple[Path, Column]]) -> None:
        super().__init__(
            drawn.name, drawn.source, drawn.target, drawn.n_edges, drawn.order, drawn.weight_dtype, drawn.synapse
        )
        self._blocks = blocks

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that read a block and compare it with its checksum, or that return a part of it."""
        for path, column in self._blocks:
            yield from in_parts(partial(self._read, path, column), range(column.n), max_edges)

    def _read(self, path: Path, column: Column) -> EdgeBlock:
        with open_hdf5(path) as file:
            dataset = file[column.dataset]
            whole = dataset.shape == (column.n,) and dataset.dtype == record_type(self)
            records = dataset[:] if whole else None
        if records is None or xxhash.xxh3_64(records.view(np.uint8)).hexdigest() != column.xxh3:
            raise FormatError(f"{path}: {column.dataset}: values differ from what was written")
        return EdgeBlock(*(np.ascontiguousarray(records[name]) for name in ("source", "target", "weight", "delay")))
