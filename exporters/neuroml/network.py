"""The network file: populations, projections and lists of inputs, whatever the encoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.instance import (
    EdgeBlock,
    EdgeDigest,
    Edges,
    NetworkInstance,
    Spool,
    SpooledEdges,
    digest_block,
    map_blocks,
)
from mc_interchange.instance.instance import pair
from mc_interchange.instance.spool import RECORD
from mc_interchange.progress import Progress

from .essentials import notes, properties
from .plan import Plan, PlannedInput, PlannedPopulation, PlannedProjection
from .writer import Cells, Connections, Head, NetworkWriter

__all__ = ["estimate_network", "write_network"]

#: Synapses drawn at a time: large enough that a chunk of a realisation is not drawn twice.
BLOCK = 2**18


def write_network(
    writer: NetworkWriter,
    instance: NetworkInstance,
    planned: Plan,
    cells_file: str,
    scratch: Path,
    *,
    workers: int,
    progress: Progress,
) -> dict[str, EdgeDigest]:
    """Write the network, streaming.

    Parameters
    ----------
    cells_file
        Name of the file of components.
    scratch
        Directory for a temporary file, which holds synapses that must be put into another order.
    workers
        Threads that draw and encode synapses.

    Returns
    -------
    dict
        Digests of the synapses by ``"source -> target"``.
    """
    head = (notes(instance, planned), properties(instance, planned))
    writer.begin(Head(f"{instance.name}_net", planned.network_id, *head, cells_file))
    for population in planned.populations.values():
        _write_population(writer, population)
    progress.task("synapses", instance.n_edges, "synapses")
    digests: dict[str, EdgeDigest] = {}
    for edges in instance.projections.values():
        projection = _Projection(writer, planned, edges, workers, progress)
        key = pair(edges)
        digests[key] = digests.get(key, EdgeDigest()) + projection.write(scratch)
    for population in planned.populations.values():
        _write_initial_potentials(writer, population, planned, instance.simulation.dt)
        _write_own_values(writer, population, planned)
    for item in planned.inputs:
        _write_input(writer, item, planned.populations[item.input.target])
    writer.end()
    return digests


def estimate_network(writer: type[NetworkWriter], instance: NetworkInstance, planned: Plan) -> int:
    """Return about how many bytes a network takes, with the synapses that wait to be put into order."""
    per_cell, per_input, per_group = writer.sizes
    total = 0
    for population in planned.populations.values():
        total += len(population.members) * per_group + population.nodes.size * per_cell
        equations = planned.equations.get(population.nodes.name)
        lists = len(equations.own) if equations else int(population.nodes.name in planned.pulse_lists)
        total += lists * population.nodes.size * per_input
    for edges in instance.projections.values():
        source, target = planned.populations[edges.source], planned.populations[edges.target]
        n = edges.n_edges
        if source.divided:
            total += len(source.members) * per_group
            n = -(-n * len(source.members) // source.nodes.size)
        if source.divided or len(planned.projections[edges.name]) > 1:
            total += edges.n_edges * RECORD.itemsize
        total += n * writer.connection_bytes(_cells(source, len(source.members) - 1), _cells(target))
    for item in planned.inputs:
        total += planned.populations[item.input.target].nodes.size * item.n_sources * per_input
    return total


def _cells(population: PlannedPopulation, member: int = 0) -> Cells:
    size = 1 if population.divided else population.nodes.size
    return Cells(population.members[member], population.components[member], size, population.listed)


def _write_population(writer: NetworkWriter, population: PlannedPopulation) -> None:
    positions = population.nodes.positions
    if positions is None and population.listed:
        positions = np.zeros((population.nodes.size, 3))
    for member in range(len(population.members)):
        some = positions
        if positions is not None and population.divided:
            source, _ = population.origin(member)
            some = positions[source : source + 1]
        writer.population(_cells(population, member), some, dict(population.properties(member)))


class _Projection:
    """Writes the synapses of one projection.

    As several projections where one of NeuroML cannot hold them: it has one synapse component, and one
    presynaptic population.
    """

    def __init__(self, writer: NetworkWriter, planned: Plan, edges: Edges, workers: int, progress: Progress) -> None:
        self._writer, self._edges, self._workers, self._progress = writer, edges, workers, progress
        self._kinds = planned.projections[edges.name]
        self._source = planned.populations[edges.source]
        self._target = _cells(planned.populations[edges.target])

    def write(self, scratch: Path) -> EdgeDigest:
        if self._source.divided or len(self._kinds) > 1:
            return self._write_in_order(scratch)
        kind, total = self._kinds[0], EdgeDigest()
        ends = _cells(self._source), self._target
        heading = self._edges.name, kind.identifier, kind.synapse
        connections = self._writer.projection(*heading, *ends, self._edges.n_edges)
        for encoded, digest in self._map(self._edges, partial(_encode, self._edges.name, connections, kind.factor)):
            connections.append(encoded)
            self._progress.advance(digest.count)
            total += digest
        connections.close()
        return total

    def _write_in_order(self, scratch: Path) -> EdgeDigest:
        """Put the synapses aside, by component and source, and then write them."""
        total, spool = EdgeDigest(), Spool(scratch)
        n_sources = self._source.nodes.size if self._source.divided else 1
        sort = partial(_sort, by_sign=len(self._kinds) > 1, by_source=self._source.divided, n_sources=n_sources)
        for digest, keys, parts in self._map(self._edges, sort):
            for key, records in zip(keys, parts, strict=True):
                spool.add(key, records)
            self._progress.advance(digest.count)
            total += digest
        spool.flush()
        for key in sorted(spool.extents):
            edges = SpooledEdges(
                spool, key, self._edges.name, self._edges.source, self._edges.target, self._edges.synapse
            )
            edges.weight_dtype = self._edges.weight_dtype
            sign, source = divmod(key, n_sources)
            self._write_part(edges, self._kinds[sign], source)
        return total

    def _write_part(self, edges: Edges, kind: PlannedProjection, source: int) -> None:
        for member in self._source.copies(source) if self._source.divided else (0,):
            cells = _cells(self._source, member)
            heading = edges.name, kind.parts[member], kind.synapse
            connections = self._writer.projection(*heading, cells, self._target, edges.n_edges)
            encode = partial(_encode, edges.name, connections, kind.factor, only_source=self._source.divided)
            for encoded, _ in self._map(edges, encode):
                connections.append(encoded)
            connections.close()

    def _map(self, edges: Edges, function: Any) -> Iterator[Any]:
        # threads cost more than they give where there is one block
        workers = self._workers if edges.n_edges > BLOCK else 1
        return map_blocks(edges, function, max_edges=BLOCK, workers=workers)


def _encode(
    name: str, connections: Connections, factor: float, block: EdgeBlock, *, only_source: bool = False
) -> tuple[Any, EdgeDigest]:
    digest = digest_block(block)
    if not np.isfinite(block.weight).all():
        raise NotRepresentableError(f"projection {name}: a weight is not a finite number")
    if factor != 1:
        block = replace(block, weight=block.weight.astype(np.float64) * factor)
    if only_source:
        block = replace(block, source=np.zeros_like(block.source))
    return connections.encode(block), digest


def _sort(
    block: EdgeBlock, *, by_sign: bool, by_source: bool, n_sources: int
) -> tuple[EdgeDigest, list[int], list[NDArray[Any]]]:
    """Return a block by the key ``n_sources * negative + source``, each part in the order of the stream."""
    keys = np.zeros(len(block), np.int64)
    if by_sign:
        keys += n_sources * (block.weight < 0)
    if by_source:
        keys += block.source
    order = np.argsort(keys, kind="stable")
    records = np.empty(len(block), RECORD)
    for name in ("source", "target", "weight", "delay"):
        records[name] = getattr(block, name)[order]
    distinct, starts = np.unique(keys[order], return_index=True)
    return digest_block(block), distinct.tolist(), np.split(records, starts[1:])


def _write_initial_potentials(writer: NetworkWriter, population: PlannedPopulation, planned: Plan, dt: float) -> None:
    nodes = population.nodes
    if nodes.name not in planned.pulse_lists or planned.pulse is None or nodes.V_m is None:
        return
    per_mV = planned.pulse_per_mV(nodes.name, dt)
    # all digits, from which an importer finds the potential again
    weights = (nodes.V_m - (population.v_init or 0.0)) * per_mV
    targets = np.arange(nodes.size)
    writer.input_list(planned.pulse_lists[nodes.name], planned.pulse, _cells(population), targets, weights)


def _write_own_values(writer: NetworkWriter, population: PlannedPopulation, planned: Plan) -> None:
    """Hand out what differs between neurons that are given by equations."""
    equations = planned.equations.get(population.nodes.name)
    for own in equations.own if equations else ():
        targets = np.arange(population.nodes.size)
        writer.input_list(own.list_id, own.component, _cells(population), targets, own.values)


def _write_input(writer: NetworkWriter, item: PlannedInput, target: PlannedPopulation) -> None:
    chosen = range(target.nodes.size) if item.input.neurons is None else item.input.neurons
    targets = np.repeat(np.array(chosen, np.int64), item.n_sources)
    weights = None if item.weight is None else np.full(len(targets), item.weight)
    writer.input_list(item.list_id, item.component, _cells(target), targets, weights)
