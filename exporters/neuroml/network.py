"""The network file: populations, projections and lists of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import numpy as np

from mc_interchange._version import __version__
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import EdgeBlock, EdgeDigest, Edges, NetworkInstance, digest_block, map_blocks
from mc_interchange.instance.instance import pair
from mc_interchange.network import StepCurrent
from mc_interchange.progress import Progress

from .cells import document_start
from .connections import ConnectionFormatter
from .plan import Plan, PlannedInput, PlannedPopulation, neuron_of
from .regroup import by_source
from .xml import element, start, text_element

__all__ = ["write_network_file"]

#: Synapses drawn at a time: large enough that a chunk of a realisation is not drawn twice.
BLOCK = 2**18
#: Radius of the spheres that viewers draw, um.
RADIUS = 5.0


def write_network_file(
    file: BinaryIO, instance: NetworkInstance, planned: Plan, cells_file: str, *, workers: int, progress: Progress
) -> dict[str, EdgeDigest]:
    """Write the network, streaming.

    Parameters
    ----------
    file
        Open for writing; its ``name`` is a path (spike trains need a scratch file beside it).
    cells_file
        Name of the file of components.
    workers
        Threads that draw synapses; formatting stays in this one.

    Returns
    -------
    dict
        Digests of the synapses by ``"source -> target"``.
    """
    put = _Writer(file).put
    put(document_start(f"{instance.name}_net"))
    put("  " + element("include", href=cells_file) + "\n")
    put("  " + start("network", id=planned.network_id) + "\n")
    put("  " + text_element("notes", _notes(instance)) + "\n")
    for population in planned.populations.values():
        for line in _population(population):
            put(line)
    progress.task("synapses", instance.n_edges, "synapses")
    digests: dict[str, EdgeDigest] = {}
    for edges in instance.projections.values():
        projection = _Projection(file, planned, edges, instance.simulation.dt)
        key = pair(edges)
        digests[key] = digests.get(key, EdgeDigest()) + projection.write(workers, progress)
    for population in planned.populations.values():
        for line in _initial_potentials(population, planned, instance.simulation.dt):
            put(line)
    for item in planned.inputs:
        for line in _input(item, planned.populations[item.input.target]):
            put(line)
    put("  </network>\n</neuroml>\n")
    return digests


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def put(self, text: str) -> None:
        self._file.write(text.encode("utf-8"))


def _notes(instance: NetworkInstance) -> str:
    lines = [f"{instance.name}, written by mc-interchange {__version__}"]
    if instance.seed is not None:
        lines[0] += f", realised with seed {instance.seed}"
    if instance.network is not None and instance.network.description:
        lines.append(instance.network.description)
    return "\n".join(lines)


def _population(population: PlannedPopulation) -> Iterator[str]:
    nodes = population.nodes
    size = 1 if population.divided else nodes.size
    for first, (identifier, component) in enumerate(zip(population.members, population.components, strict=True)):
        attributes = {"id": identifier, "component": component, "size": str(size)}
        if nodes.positions is not None:
            attributes["type"] = "populationList"
        yield "   " + start("population", **attributes) + "\n"
        if nodes.color is not None:
            yield "    " + element("property", tag="color", value=fmt.colour(nodes.color)) + "\n"
        if nodes.positions is not None:
            yield "    " + element("property", tag="radius", value=fmt.decimal(RADIUS)) + "\n"
            for index, (x, y, z) in enumerate(nodes.positions[first : first + size].tolist()):
                yield f'    <instance id="{index}"><location x="{x!r}" y="{y!r}" z="{z!r}"/></instance>\n'
        yield "   </population>\n"


class _Projection:
    """Writes the synapses of one projection.

    As several ``projection`` elements where a NeuroML projection cannot hold them: it has one synapse
    component, and one presynaptic population.
    """

    def __init__(self, file: BinaryIO, planned: Plan, edges: Edges, dt: float) -> None:
        self._file = file
        self._plan = planned
        self._edges = edges
        self._source = planned.populations[edges.source]
        self._target = planned.populations[edges.target]
        self._formatter = ConnectionFormatter(self._source, self._target, dt)
        self._open: str | None = None
        self._count = 0

    def write(self, workers: int, progress: Progress) -> EdgeDigest:
        excitatory, inhibitory = self._plan.projection_ids[self._edges.name]
        passes: list[tuple[str, bool, int]] = [(excitatory, True, 0)]
        if inhibitory != excitatory:
            # each pass draws all synapses and writes those of one sign
            passes = [(excitatory, True, 1), (inhibitory, False, -1)]
        total = EdgeDigest()
        for identifier, is_excitatory, sign in passes:
            tau_syn = self._plan.tau_syn(self._edges.target, excitatory=is_excitatory)
            synapse = self._plan.synapses[tau_syn]
            blocks = map_blocks(self._edges, partial(_digested, sign=sign), max_edges=BLOCK, workers=workers)
            if self._source.divided:
                total += self._write_by_source(blocks, identifier, synapse, progress)
            else:
                for block, digest in blocks:
                    self._write_block(block, identifier, self._source.members[0], synapse)
                    progress.advance(digest.count)
                    total += digest
                self._close()
        return total

    def _write_by_source(
        self, blocks: Iterator[tuple[EdgeBlock, EdgeDigest]], identifier: str, synapse: str, progress: Progress
    ) -> EdgeDigest:
        total = EdgeDigest()

        def counted() -> Iterator[EdgeBlock]:
            nonlocal total
            for block, digest in blocks:
                total += digest
                yield block

        for source, block in by_source(counted(), self._source.nodes.size, f"{self._file.name}.scratch"):
            name = f"{identifier}_from_{source}"
            if self._open != name:
                self._close()
            self._write_block(block, name, self._source.members[source], synapse)
            progress.advance(len(block))
        self._close()
        return total

    def _write_block(self, block: EdgeBlock, identifier: str, source: str, synapse: str) -> None:
        if not len(block):
            return
        if self._open is None:
            head = start(
                "projection",
                id=identifier,
                presynapticPopulation=source,
                postsynapticPopulation=self._target.members[0],
                synapse=synapse,
            )
            self._file.write(f"   {head}\n".encode())
            self._open, self._count = identifier, 0
        for lines in self._formatter.lines(block, self._count):
            self._file.write(lines)
        self._count += len(block)

    def _close(self) -> None:
        if self._open is not None:
            self._file.write(b"   </projection>\n")
            self._open = None


def _digested(block: EdgeBlock, sign: int) -> tuple[EdgeBlock, EdgeDigest]:
    """Keep the synapses of one sign (0: all of them), and take their digest."""
    if sign:
        kept = np.flatnonzero(block.weight >= 0 if sign > 0 else block.weight < 0)
        block = EdgeBlock(block.source[kept], block.target[kept], block.weight[kept], block.delay[kept])
    return block, digest_block(block)


def _initial_potentials(population: PlannedPopulation, planned: Plan, dt: float) -> Iterator[str]:
    nodes = population.nodes
    if nodes.name not in planned.pulse_lists or planned.pulse is None or nodes.V_m is None:
        return
    neuron = neuron_of(nodes)
    C_m, tau_m, v_init = neuron.parameters["C_m"], neuron.parameters["tau_m"], population.v_init or 0.0
    attributes = {"population": population.members[0], "component": planned.pulse}
    yield "   " + start("inputList", id=planned.pulse_lists[nodes.name], **attributes) + "\n"
    for index, V_m in enumerate(nodes.V_m.tolist()):
        # a difference, so its last digits are noise: twelve are 1e-11 mV
        weight = fmt.decimal(float(f"{fmt.initial_pulse_weight(V_m, v_init, C_m, tau_m, dt):.12g}"), -3)
        target = population.path(index)
        yield f'    <inputW id="{index}" target="../{target}" destination="synapses" weight="{weight}"/>\n'
    yield "   </inputList>\n"


def _input(item: PlannedInput, target: PlannedPopulation) -> Iterator[str]:
    attributes = {"population": target.members[0], "component": item.component}
    yield "   " + start("inputList", id=item.list_id, **attributes) + "\n"
    if isinstance(item.input, StepCurrent):
        name, end = "input", 'destination="synapses"/>'
    else:
        name, end = "inputW", f'destination="synapses" weight="{fmt.decimal(item.input.weight, -3)}"/>'
    chosen = item.input.neurons
    for number, index in enumerate(range(target.nodes.size) if chosen is None else chosen):
        path = target.path(index)
        for source in range(item.n_sources):
            yield f'    <{name} id="{number * item.n_sources + source}" target="../{path}" {end}\n'
    yield "   </inputList>\n"
