"""Building an explicit network: nodes with their arrays, synapses block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import Edges, NetworkInstance, Nodes
from mc_interchange.network import CATALOGUE
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress

from .devices import create_sources, refused_by

__all__ = ["connect_edges", "create_nodes"]

#: Synapses per call of nest.Connect; its arrays take 32 bytes each.
_BLOCK = 2**21


def create_nodes(nest: Any, instance: NetworkInstance) -> dict[str, Any]:
    """Create all populations with parameters and initial potentials, and return NEST's nodes by name."""
    return {
        name: create_sources(nest, name, nodes.size, nodes.activity, instance.simulation.dt)
        if nodes.neuron is None
        else _neurons(nest, nodes)
        for name, nodes in instance.populations.items()
    }


def _neurons(nest: Any, nodes: Nodes) -> Any:
    assert nodes.neuron is not None
    model = CATALOGUE[nodes.neuron.model].elsewhere["nest"]
    with refused_by(nest, f"population {nodes.name}", "its parameters"):
        population = nest.Create(model, nodes.size, params=dict(nodes.neuron.parameters))
        for name, values in nodes.varying.items():
            population.set({name: values.tolist()})
        if nodes.V_m is not None:
            # after the other parameters: NEST moves V_m along when E_L changes
            population.set({"V_m": nodes.V_m.tolist()})
    return population


def connect_edges(nest: Any, instance: NetworkInstance, populations: dict[str, Any], progress: Progress) -> None:
    """Connect every synapse of an instance."""
    progress.task("connecting", instance.n_edges, "edges")
    for edges in instance.projections.values():
        _connect(nest, edges, populations, instance.simulation.dt, progress)


def _connect(nest: Any, edges: Edges, populations: dict[str, Any], dt: float, progress: Progress) -> None:
    first_source, first_target = (int(populations[name][0].global_id) for name in (edges.source, edges.target))
    per_ms = steps(1.0, dt)
    for block in edges.blocks(_BLOCK):
        with refused_by(nest, f"projection {edges.name}", "its synapses"):
            nest.Connect(
                _ids(block.source, first_source),
                _ids(block.target, first_target),
                "one_to_one",
                {
                    "synapse_model": "static_synapse",
                    "weight": block.weight.astype(np.float64),
                    "delay": block.delay / per_ms,
                },
            )
        progress.advance(len(block))


def _ids(index: NDArray[np.uint32], first: int) -> NDArray[np.int64]:
    ids = index.astype(np.int64)
    ids += first
    return ids
