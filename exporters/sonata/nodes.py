"""Writing node populations: one HDF5 file and one type table each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import new_hdf5
from mc_interchange.formats.nest import nest_model
from mc_interchange.formats.sonata_output import stamp
from mc_interchange.instance import MixedNeurons, Nodes
from mc_interchange.network import AnyNeuron

__all__ = ["write_nodes", "write_parameters", "write_table"]


def write_nodes(nodes: Nodes, directory: Path, first_type_id: int) -> int:
    """Write one population with its type table, and its neuron models where it has some.

    Each neuron model is one node type, with a node group of its own.

    Parameters
    ----------
    first_type_id
        Node type of the first model; the others follow.

    Returns
    -------
    int
        The next free node type.

    Raises
    ------
    NotRepresentableError
    """
    n_types = max(1, len(nodes.models))
    with new_hdf5(directory / sonata.nodes_file(nodes.name)) as file:
        stamp(file.hdf5)
        group = file.hdf5.create_group(f"nodes/{nodes.name}")
        group.create_dataset("node_id", data=np.arange(nodes.size, dtype=np.uint64))
        if isinstance(nodes.neuron, MixedNeurons):
            which = nodes.neuron.which.astype(np.uint32)
            group.create_dataset("node_type_id", data=which + np.uint32(first_type_id))
            group.create_dataset("node_group_id", data=which)
        else:
            # constant columns take no space: HDF5 gives the fill value for what was never written
            group.create_dataset("node_type_id", (nodes.size,), np.uint32, fillvalue=first_type_id)
            group.create_dataset("node_group_id", (nodes.size,), np.uint32, fillvalue=0)
        rows = np.empty(nodes.size, np.uint64)
        for number in range(n_types):
            members = nodes.members(number)
            rows[members] = np.arange(len(members))
            _write_group(group.create_group(str(number)), nodes, number, members)
        group.create_dataset("node_group_index", data=rows)
    _write_types(nodes, directory, first_type_id)
    return first_type_id + n_types


def _write_group(group: h5py.Group, nodes: Nodes, number: int, members: NDArray[np.int64]) -> None:
    """Write what differs between the neurons of one model."""
    if nodes.positions is not None:
        for axis, name in enumerate("xyz"):
            group.create_dataset(name, data=nodes.positions[members, axis])
    own = dict(_own_values(nodes, number, members))
    if own:
        parameters = group.create_group("dynamics_params")
        for name, values in own.items():
            parameters.create_dataset(name, data=values)


def _own_values(nodes: Nodes, number: int, members: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    given = nodes.varying if nodes.V_m is None else {**nodes.varying, "V_m": nodes.V_m}
    for name, everyone in sorted(given.items(), key=lambda item: (item[0] != "V_m", item[0])):
        values = everyone[members]
        missing = np.isnan(values)
        if missing.all() and len(values):
            continue
        if missing.any():
            common = nodes.models[number].parameters.get(name)
            if not isinstance(common, int | float):
                raise NotRepresentableError(
                    f"population {nodes.name}: {name} is given for some neurons of a model only, and the model has no "
                    "common value; give it for all"
                )
            values = np.where(missing, common, values)
        yield name, values


def _write_types(nodes: Nodes, directory: Path, first_type_id: int) -> None:
    rows = []
    for number, neuron in enumerate(nodes.models or (None,)):
        row = {"node_type_id": str(first_type_id + number), "population": nodes.name, "pop_name": nodes.name}
        if neuron is None:
            # bmtk refuses virtual nodes whose table has a model_template or dynamics_params
            row["model_type"] = "virtual"
        else:
            row |= _model_columns(nodes, neuron, number, directory)
        rows.append(row)
    write_table(directory / sonata.node_types_file(nodes.name), rows)


def _model_columns(nodes: Nodes, neuron: AnyNeuron, number: int, directory: Path) -> dict[str, str]:
    model, parameters = nest_model(neuron)
    # no population has a point in its name
    file = f"{nodes.name}.{number}.json" if nodes.mixed else f"{nodes.name}.json"
    common = {k: v for k, v in parameters.items() if nodes.mixed or k not in nodes.varying}
    write_parameters(directory / sonata.NEURON_MODELS / file, common, f"population {nodes.name}")
    return {"model_type": "point_neuron", "model_template": f"nest:{model}", "dynamics_params": file}


def write_parameters(path: Path, parameters: dict[str, Any], whose: str) -> None:
    """Write the parameters of a model.

    Raises
    ------
    NotRepresentableError
        One of them is infinite or not a number.
    """
    try:
        text = json.dumps(parameters, indent=1, allow_nan=False)
    except ValueError:
        raise NotRepresentableError(
            f"{whose}: a parameter is infinite or not a number, which JSON cannot hold"
        ) from None
    path.write_text(text + "\n", encoding="utf-8")


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a type table; SONATA separates columns by single spaces."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=" ", lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
