"""Two sound circuits for the tests of the linter, and ways to break one thing in a copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mc_interchange import export, realize
from mc_interchange.contracts import Finding
from mc_interchange.importers.sonata import SonataImporter
from mc_interchange.network import Network


def write_export(network: Network, directory: Path) -> Path:
    """Write an export whose virtual population TH replays spikes, none of them before the longest delay."""
    data = network.model_dump()
    data["inputs"] = []
    data["populations"][2]["activity"] = {"kind": "spike_trains", "times": [[10.0, 20.5], [11], [12], [13], [50.0]]}
    return export(realize(Network.model_validate(data), 5), "sonata", directory).path


def write_by_hand(directory: Path) -> Path:
    """Write a circuit that uses what the specification leaves open.

    Two populations in one file, several types and groups, properties in tables and in HDF5, signed ids, a singular
    name in an index of one end only, no delays, words through a library, flat spikes, components in the simulation
    config.
    """
    (directory / "models").mkdir(parents=True)
    for name in ("fast", "slow"):
        (directory / f"models/{name}.json").write_text('{"tau_m": 10.0}')
    (directory / "cells.csv").write_text(
        "node_type_id name model_type model_template dynamics_params\n"
        '1 "fast one" point_neuron nest:iaf_psc_exp fast.json\n'
        "2 slow point_process nest:iaf_psc_alpha slow.json\n"
        "3 drive virtual NULL NULL\n"
    )
    (directory / "synapses.csv").write_text(
        "edge_type_id syn_weight model_template target_query\n"
        "7 2.5 static_synapse \"name=='fast one'\"\n"
        "8 NULL static_synapse *\n"
    )
    with h5py.File(directory / "cells.h5", "w") as file:
        stamp(file)
        cells = file.create_group("nodes/cortex")
        cells["node_id"] = np.arange(6)
        cells["node_type_id"] = [1, 2, 1, 2, 1, 2]
        cells["node_group_id"] = [0, 1, 0, 1, 0, 1]
        cells["node_group_index"] = [0, 0, 1, 1, 2, 2]
        cells["0/layer"] = np.array([0, 1, 1], np.uint8)
        cells["0/@library/layer"] = ["upper", "lower"]
        cells["0/dynamics_params/V_m"] = [-60.0, -61.0, -62.0]
        cells.create_group("1")
        drive = file.create_group("nodes/drive")
        drive["node_type_id"] = [3, 3]
        drive.create_group("0")
    with h5py.File(directory / "synapses.h5", "w") as file:
        stamp(file)
        edges = file.create_group("edges/recurrent")
        edges["source_node_id"] = [0, 1, 2, 5, 5]
        edges["source_node_id"].attrs["node_population"] = "cortex"
        edges["target_node_id"] = [1, 1, 3, 0, 3]
        edges["target_node_id"].attrs["node_population"] = np.bytes_("cortex")
        edges["edge_type_id"] = [7, 7, 8, 8, 8]
        edges["edge_group_id"] = [0, 0, 1, 1, 1]
        edges["edge_group_index"] = [0, 1, 0, 1, 2]
        edges["0/nsyns"] = np.array([1, 3], np.uint16)
        edges["1/syn_weight"] = [0.5, -1.5, 2.0]
        index = edges.create_group("indices/target_to_source")
        index["node_id_to_range"] = [[0, 1], [1, 2], [0, 0], [2, 4], [0, 0], [0, 0]]
        index["range_to_edge_id"] = [[3, 4], [0, 2], [2, 3], [4, 5]]
        drive = file.create_group("edges/drive_to_cortex")
        drive["source_node_id"] = [0, 1]
        drive["source_node_id"].attrs["node_population"] = "drive"
        drive["target_node_id"] = [2, 5]
        drive["target_node_id"].attrs["node_population"] = "cortex"
        drive["edge_type_id"] = [7, 7]
        drive.create_group("0")
    with h5py.File(directory / "drive.h5", "w") as file:
        stamp(file)
        file["spikes/timestamps"] = [3.0, 1.5, 2.0]
        file["spikes/gids"] = [0, 1, 0]
    circuit = {
        "manifest": {"$HERE": ".", "$MODELS": "$HERE/models"},
        "networks": {
            "nodes": [{"nodes_file": "$HERE/cells.h5", "node_types_file": "$HERE/cells.csv"}],
            "edges": [{"edges_file": "synapses.h5", "edge_types_file": "${HERE}/synapses.csv"}],
        },
    }
    simulation = {
        "manifest": {"$MODELS": "./models"},
        "network": "circuit_config.json",
        "components": {"point_neuron_models_dir": "$MODELS"},
        "run": {"tstop": 10, "dt": 0.5},
        "node_sets": {"all": {"population": ["cortex", "drive"]}, "two": {"population": "cortex", "node_id": [1, 5]}},
        "inputs": {"drive": {"input_type": "spikes", "module": "h5", "input_file": "drive.h5", "node_set": "drive"}},
    }
    (directory / "circuit_config.json").write_text(json.dumps(circuit))
    (directory / "simulation_config.json").write_text(json.dumps(simulation))
    return directory


def stamp(file: h5py.File) -> None:
    file.attrs["magic"] = np.uint32(0x0A7A)
    file.attrs["version"] = np.array([0, 1], np.uint32)


def hdf5(name: str, change: Callable[[h5py.File], Any]) -> Callable[[Path], None]:
    """Make a function that changes an HDF5 file of a directory."""

    def apply(directory: Path) -> None:
        with h5py.File(directory / name, "r+") as file:
            change(file)

    return apply


def put(name: str, place: str, values: Any, **more: Any) -> Callable[[Path], None]:
    """Make a function that puts another dataset in the place of one (None: nothing), keeping its attributes."""

    def change(file: h5py.File) -> None:
        attributes = dict(file[place].attrs) if place in file else {}
        if place in file:
            del file[place]
        if values is not None or more:
            file.create_dataset(place, **({} if values is None else {"data": values}), **more).attrs.update(attributes)

    return hdf5(name, change)


def value(name: str, place: str, row: int, new: Any) -> Callable[[Path], None]:
    """Make a function that changes one value, or the rows of a slice."""

    def change(file: h5py.File) -> None:
        values = file[place][()]
        values[row] = new
        attributes = dict(file[place].attrs)
        del file[place]  # it may be a fill value that was never written
        file[place] = values
        file[place].attrs.update(attributes)

    return hdf5(name, change)


def config(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Make a function that changes a JSON file."""

    def apply(directory: Path) -> None:
        content = json.loads((directory / name).read_text())
        change(content)
        (directory / name).write_text(json.dumps(content))

    return apply


def text(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Make a function that replaces a piece of a text file."""

    def apply(directory: Path) -> None:
        content = (directory / name).read_text()
        assert old in content
        (directory / name).write_text(content.replace(old, new))

    return apply


def check(path: Path, *consumers: str) -> list[Finding]:
    """Return what the linter finds."""
    return SonataImporter().check(path, consumers)


def error(file: str, place: str, message: str) -> Finding:
    return Finding("error", file, place, message)


def warning(file: str, place: str, message: str) -> Finding:
    return Finding("warning", file, place, message)
