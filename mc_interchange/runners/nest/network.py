"""Building an explicit network: nodes with their arrays, synapses block by block."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats.nest import nest_model
from mc_interchange.instance import Edges, MixedNeurons, NetworkInstance, Nodes, Trains
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress

from .devices import create_sources, refused_by, synapses_of
from .kernel import own_nodes

__all__ = ["connect_edges", "create_nodes"]

#: Synapses per call of nest.Connect; its arrays take 32 bytes each.
_BLOCK = 2**21
#: Nodes of one virtual process that NEST's compact synapses can tell apart (16 bits), with room for devices.
_COMPACT_NODES = 65_000


def create_nodes(nest: Any, instance: NetworkInstance) -> dict[str, Any]:
    """Create all populations with parameters and initial potentials, and return NEST's nodes by name."""
    return {
        name: create_sources(nest, name, nodes.size, nodes.activity, instance.simulation.dt)
        if nodes.neuron is None
        else _neurons(nest, nodes)
        for name, nodes in instance.populations.items()
    }


def _neurons(nest: Any, nodes: Nodes) -> Any:
    with refused_by(nest, f"population {nodes.name}", "its parameters"):
        population = _created(nest, nodes)
        for name, values in nodes.varying.items():
            _set(nest, population, name, values)
        if nodes.V_m is not None:
            # after the other parameters: NEST moves V_m along when E_L changes
            _set(nest, population, "V_m", nodes.V_m)
    return population


def _created(nest: Any, nodes: Nodes) -> Any:
    """Create neurons so that their ids are consecutive, whatever their models."""
    models = [nest_model(neuron) for neuron in nodes.models]
    if not isinstance(nodes.neuron, MixedNeurons):
        model, parameters = models[0]
        return nest.Create(model, nodes.size, params=parameters)
    which = nodes.neuron.which
    borders = [0, *(np.flatnonzero(which[1:] != which[:-1]) + 1).tolist(), nodes.size]
    runs = []
    for first, last in pairwise(borders):
        model, parameters = models[which[first]]
        runs.append(nest.Create(model, last - first, params=parameters))
    begin = int(runs[0][0].global_id)
    return nest.NodeCollection(list(range(begin, begin + nodes.size)))


def _set(nest: Any, population: Any, name: str, values: NDArray[np.float64]) -> None:
    """Set a parameter where it is given; of those neurons that this process has."""
    own = own_nodes(nest, population)
    given = np.flatnonzero(~np.isnan(values) & (True if own is None else own))
    if len(given) == len(values):
        population.set({name: values.tolist()})
    elif len(given):
        population[given.tolist()].set({name: values[given].tolist()})


def connect_edges(nest: Any, instance: NetworkInstance, populations: dict[str, Any], progress: Progress) -> int:
    """Connect every synapse of an instance onto the neurons that this process has, and return their number."""
    progress.task("connecting", instance.n_edges / nest.num_processes, "edges")
    compact = nest.network_size / nest.total_num_virtual_procs < _COMPACT_NODES
    n_connected = 0
    for edges in instance.projections.values():
        # all connections of a spike generator must be of one kind, that to its recorder too
        activity = instance.populations[edges.source].activity
        compactly = compact and not isinstance(activity, Trains)
        part = synapses_of(edges.synapse.model, activity, "its synapses")
        n_connected += _connect(nest, edges, populations, instance.simulation.dt, progress, part, compact=compactly)
    return n_connected


def _connect(
    nest: Any, edges: Edges, populations: dict[str, Any], dt: float, progress: Progress, part: str, *, compact: bool
) -> int:
    """Connect one projection, and return the number of synapses.

    Parameters
    ----------
    part
        What NEST refuses if it does.
    compact
        Use NEST's variant of the static synapse with a short index of the target: the same dynamics in two
        thirds of the memory.
    """
    first_source, first_target = (int(populations[name][0].global_id) for name in (edges.source, edges.target))
    per_ms = steps(1.0, dt)
    synapse = edges.synapse
    plain = synapse.model == "static_synapse" and not synapse.receptor
    model = "static_synapse_hpc" if compact and plain else synapse.model
    n_connected = 0
    extra = {name: float(value) for name, value in synapse.parameters.items()}
    for block in edges.blocks_onto(own_nodes(nest, populations[edges.target]), _BLOCK):
        with refused_by(nest, f"projection {edges.name}", part):
            nest.Connect(
                _ids(block.source, first_source),
                _ids(block.target, first_target),
                "one_to_one",
                {
                    "synapse_model": model,
                    "weight": block.weight.astype(np.float64),
                    "delay": block.delay / per_ms,
                    **({"receptor_type": np.full(len(block), synapse.receptor)} if synapse.receptor else {}),
                    **{name: np.full(len(block), value) for name, value in extra.items()},
                },
            )
        n_connected += len(block)
        progress.advance(len(block))
    return n_connected


def _ids(index: NDArray[np.uint32], first: int) -> NDArray[np.int64]:
    ids = index.astype(np.int64)
    ids += first
    return ids
