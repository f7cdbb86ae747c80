"""Writing node populations: one HDF5 file and one type table each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import new_hdf5
from mc_interchange.formats.sonata_output import stamp
from mc_interchange.instance import Nodes
from mc_interchange.network import CATALOGUE, SpikeTrains

__all__ = ["write_nodes", "write_spike_input"]


def write_nodes(nodes: Nodes, directory: Path, node_type_id: int) -> None:
    """Write one population with its type table, and its neuron model where it has one."""
    with new_hdf5(directory / sonata.nodes_file(nodes.name)) as file:
        stamp(file.hdf5)
        group = file.hdf5.create_group(f"nodes/{nodes.name}")
        index = np.arange(nodes.size, dtype=np.uint64)
        group.create_dataset("node_id", data=index)
        group.create_dataset("node_type_id", (nodes.size,), np.uint32, fillvalue=node_type_id)
        group.create_dataset("node_group_id", (nodes.size,), np.uint32, fillvalue=0)
        group.create_dataset("node_group_index", data=index)
        properties = group.create_group("0")
        if nodes.positions is not None:
            for axis, name in enumerate("xyz"):
                properties.create_dataset(name, data=nodes.positions[:, axis])
        if nodes.V_m is not None:
            parameters = properties.create_group("dynamics_params")
            parameters.create_dataset("V_m", data=nodes.V_m)
            for name, values in sorted(nodes.varying.items()):
                parameters.create_dataset(name, data=values)
    _write_types(nodes, directory, node_type_id)


def _write_types(nodes: Nodes, directory: Path, node_type_id: int) -> None:
    table = {"node_type_id": str(node_type_id), "population": nodes.name, "pop_name": nodes.name}
    if nodes.neuron is None:
        # bmtk refuses virtual nodes whose table has a model_template or dynamics_params
        table["model_type"] = "virtual"
    else:
        model_file = f"{nodes.name}.json"
        table["model_type"] = "point_neuron"
        table["model_template"] = f"nest:{CATALOGUE[nodes.neuron.model].elsewhere['nest']}"
        table["dynamics_params"] = model_file
        common = {k: v for k, v in nodes.neuron.parameters.items() if k not in nodes.varying}
        text = json.dumps(common, indent=1)
        (directory / sonata.NEURON_MODELS / model_file).write_text(text + "\n", encoding="utf-8")
    write_table(directory / sonata.node_types_file(nodes.name), table)


def write_table(path: Path, row: dict[str, str]) -> None:
    """Write a type table of one row; SONATA separates columns by single spaces."""
    path.write_text(" ".join(row) + "\n" + " ".join(row.values()) + "\n", encoding="utf-8")


def write_spike_input(population: str, activity: SpikeTrains, directory: Path) -> None:
    """Write the spike trains of a virtual population, once per population and once in PyNN's flat layout."""
    trains = [np.array(train, np.float64) for train in activity.times]
    neurons = np.repeat(np.arange(len(trains), dtype=np.uint64), [len(t) for t in trains])
    times = np.concatenate(trains) if trains else np.empty(0)
    order = np.argsort(times, kind="stable")
    for consumer, group_name in ((None, f"spikes/{population}"), ("pynn", "spikes")):
        with new_hdf5(directory / sonata.input_file(population, consumer)) as file:
            stamp(file.hdf5)
            group = file.hdf5.create_group(group_name)
            group.create_dataset("timestamps", data=times[order]).attrs["units"] = "ms"
            group.create_dataset("gids" if consumer else "node_ids", data=neurons[order])
