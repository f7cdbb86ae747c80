"""Names and layout of SONATA circuits, shared by the exporter and the importer.

One HDF5 file per node population and one per edge population; everything a consumer needs stands in
`circuit_config.json`. Specification: Dai et al. 2020, doi:10.1371/journal.pcbi.1007696.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "CIRCUIT_CONFIG",
    "CIRCUIT_CONFIG_PYNN",
    "EDGE_ID",
    "NETWORK",
    "NEURON_MODELS",
    "NODE_SETS",
    "STATIC_SYNAPSE",
    "SYNAPSE_MODELS",
    "edge_types_file",
    "edges_file",
    "input_file",
    "node_types_file",
    "nodes_file",
    "simulation_config",
]

CIRCUIT_CONFIG = "circuit_config.json"
CIRCUIT_CONFIG_PYNN = "circuit_config.pynn.json"
NODE_SETS = "node_sets.json"
NETWORK = "network"
NEURON_MODELS = "components/point_neuron_models"
SYNAPSE_MODELS = "components/synaptic_models"
STATIC_SYNAPSE = "static_synapse"

#: Type of node ids in edge files; the specification leaves the width open.
EDGE_ID = np.dtype(np.uint32)


def simulation_config(consumer: str | None = None) -> str:
    """Return the file name of the simulation config for a consumer (None: bmtk, the common form)."""
    return f"simulation_config.{consumer}.json" if consumer else "simulation_config.json"


def nodes_file(population: str) -> str:
    """Return the path of a population's node file."""
    return f"{NETWORK}/{population}_nodes.h5"


def node_types_file(population: str) -> str:
    """Return the path of a population's node type table."""
    return f"{NETWORK}/{population}_node_types.csv"


def edges_file(projection: str) -> str:
    """Return the path of an edge population's file."""
    return f"{NETWORK}/{projection}_edges.h5"


def edge_types_file(projection: str, consumer: str | None = None) -> str:
    """Return the path of an edge population's type table (PyNN needs its own)."""
    folder = f"{NETWORK}/{consumer}" if consumer else NETWORK
    return f"{folder}/{projection}_edge_types.csv"


def input_file(population: str, consumer: str | None = None) -> str:
    """Return the path of the spikes of a virtual population (PyNN reads another layout)."""
    return f"inputs/{population}_spikes{f'.{consumer}' if consumer else ''}.h5"
