"""Names and layout of SONATA circuits, shared by the exporter and the importer.

One HDF5 file per node population and one per edge population; everything a consumer needs stands in
`circuit_config.json`. Specification: Dai et al. 2020, doi:10.1371/journal.pcbi.1007696.
"""

from __future__ import annotations

import numpy as np

from mc_interchange.network import StepCurrent
from mc_interchange.network.simulation import steps

__all__ = [
    "BEFORE_STEP",
    "CIRCUIT_CONFIG",
    "CIRCUIT_CONFIG_PYNN",
    "DIALECTS",
    "EDGES",
    "EDGE_ID",
    "EDGE_RANGES",
    "GRID_TOLERANCE",
    "INDICES",
    "NETWORK",
    "NEURON_MODELS",
    "NODES",
    "NODE_POPULATION",
    "NODE_RANGES",
    "NODE_SETS",
    "POINT_NEURONS",
    "SPIKES",
    "STATIC_SYNAPSE",
    "SYNAPSE_MODELS",
    "clamp_name",
    "clamp_steps",
    "edge_types_file",
    "edges_file",
    "input_file",
    "node_types_file",
    "nodes_file",
    "simulation_config",
]

CIRCUIT_CONFIG = "circuit_config.json"
CIRCUIT_CONFIG_PYNN = "circuit_config.pynn.json"
#: What stands in the name of a config that only some consumers read (``snap``: libsonata and bluepysnap).
DIALECTS = ("nest", "pynn", "snap")
NODE_SETS = "node_sets.json"
NETWORK = "network"
NEURON_MODELS = "components/point_neuron_models"
SYNAPSE_MODELS = "components/synaptic_models"
STATIC_SYNAPSE = "static_synapse"

#: Values of `model_type` that stand for point neurons: the specification's and bmtk's.
POINT_NEURONS = ("point_neuron", "point_process", "point_soma")
#: Groups at the root of node, edge and spike files.
NODES, EDGES, SPIKES = "nodes", "edges", "spikes"
#: Attribute of the ids in an edge file that names their population.
NODE_POPULATION = "node_population"
#: Indices of an edge population. Their first dataset has the specification's name, which libsonata reads, or the
#: one that bmtk reads.
INDICES = ("source_to_target", "target_to_source")
NODE_RANGES, EDGE_RANGES = ("node_id_to_ranges", "node_id_to_range"), "range_to_edge_id"

#: Replayed spikes are written so much (ms) before the step in which they are emitted.
BEFORE_STEP = 1e-6
#: Part of a step by which a spike time may miss the grid and still mean that step.
GRID_TOLERANCE = 2e-3

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


def clamp_name(current: str) -> str:
    """Return the key of a step current among the inputs, which is also that of its node set.

    The point keeps it apart from every population.
    """
    return f"{current}.current"


def clamp_steps(current: StepCurrent, dt: float) -> tuple[int, int]:
    """Return the first integration step with a current and the first without it again.

    Parameters
    ----------
    dt
        Resolution in ms. Step k leads from ``k * dt`` to ``(k + 1) * dt``.

    Notes
    -----
    NEST's ``dc_generator`` gives nothing in the first step of a simulation, whatever its ``start``.
    """
    delay = round(steps(current.delay, dt))
    start, stop = round(steps(current.start, dt)), round(steps(current.stop, dt))
    return max(start, 1) + delay, stop + delay
