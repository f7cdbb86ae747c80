"""SONATA circuits written column by column, for layouts that no tool at hand writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

NODE_TYPES = """node_type_id model_type model_template dynamics_params layer
1 point_neuron nest:iaf_psc_exp exc.json L4
2 point_neuron nest:iaf_psc_exp inh.json L5
"""
EDGE_TYPES = """edge_type_id model_template dynamics_params syn_weight delay
7 static_synapse NULL 10.0 1.5
8 nest:static_synapse NULL NULL NULL
"""
NODES = {"node_type_id": [1, 1, 2, 1, 2, 2], "node_id": range(6)}
CLAMP = {"input_type": "current_clamp", "module": "IClamp", "amp": 100.0, "delay": 10.0, "duration": 5.0}
EDGES = {"source_node_id": [0, 1, 2, 3], "target_node_id": [5, 4, 3, 2], "edge_type_id": [7, 7, 7, 7]}


def put(group: h5py.Group, columns: Mapping[str, Any]) -> None:
    """Write columns by path; ids get their population."""
    for name, values in columns.items():
        dataset = group.create_dataset(name, data=list(values) if isinstance(values, range) else values)
        if name in ("source_node_id", "target_node_id"):
            dataset.attrs["node_population"] = "p"


def write(
    directory: Path,
    *,
    nodes: Mapping[str, Any] = NODES,
    node_types: str | None = NODE_TYPES,
    edges: Mapping[str, Any] = EDGES,
    edge_types: str = EDGE_TYPES,
    run: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | None = None,
) -> Path:
    """Write a circuit of one population ``p``.

    Parameters
    ----------
    run
        Sections of the simulation config; None: there is no such file.
    files
        More JSON files by path.
    """
    directory.mkdir(exist_ok=True)
    for path, kind, columns in (("nodes.h5", "nodes/p", nodes), ("edges.h5", "edges/p_to_p", edges)):
        with h5py.File(directory / path, "w") as file:
            put(file.create_group(kind), columns)
    entry: dict[str, Any] = {"nodes_file": "nodes.h5", "node_types_file": None}
    if node_types is not None:
        entry["node_types_file"] = "node_types.csv"
        (directory / "node_types.csv").write_text(node_types)
    (directory / "edge_types.csv").write_text(edge_types)
    circuit = {
        "components": {"point_neuron_models_dir": "cells", "synaptic_models_dir": "synapses"},
        "networks": {"nodes": [entry], "edges": [{"edges_file": "edges.h5", "edge_types_file": "edge_types.csv"}]},
    }
    everything = {
        "circuit_config.json": circuit,
        "cells/exc.json": {"tau_m": 20.0},
        "cells/inh.json": {"tau_m": 8.0, "V_m": -62.0},
        **(files or {}),
    }
    if run is not None:
        everything["simulation_config.json"] = {"network": "circuit_config.json", **run}
    for name, content in everything.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return directory


def spikes(path: Path, **populations: tuple[list[float], list[int]]) -> None:
    """Write a spike file with one group per population, or a flat one if the name is ``flat``."""
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, (times, ids) in populations.items():
            group = file.require_group("spikes" if name == "flat" else f"spikes/{name}")
            group["timestamps"] = np.array(times)
            group["gids" if name == "flat" else "node_ids"] = np.array(ids, np.uint64)
