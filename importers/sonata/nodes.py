"""Reading node populations with their type tables and models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats.hdf5 import open_hdf5
from mc_interchange.instance import Nodes
from mc_interchange.network import CATALOGUE, Neuron

from .config import read_types

__all__ = ["read_nodes"]

_MODELS = {f"nest:{entry.elsewhere['nest']}": name for name, entry in CATALOGUE.items() if "nest" in entry.elsewhere}


def read_nodes(nodes_file: Path, types_file: Path, models: Path) -> list[Nodes]:
    """Read every population of a node file.

    Parameters
    ----------
    nodes_file, types_file
        HDF5 and CSV file.
    models
        Directory of the point neuron models.

    Raises
    ------
    FormatError
    """
    types = read_types(types_file, "node")
    with open_hdf5(nodes_file) as file:
        return [_population(nodes_file, name, group, types, models) for name, group in file["nodes"].items()]


def _population(path: Path, name: str, group: h5py.Group, types: dict[int, dict[str, str]], models: Path) -> Nodes:
    type_ids = np.unique(group["node_type_id"][:])
    if len(type_ids) != 1 or int(type_ids[0]) not in types:
        raise FormatError(
            f"{path}: population {name} has the node types {type_ids[:5].tolist()}; "
            "exactly one, listed in its type table, is supported"
        )
    row = types[int(type_ids[0])]
    size = int(group["node_type_id"].shape[0])
    _check_ids(path, group, size)
    properties = group.get("0", {})
    positions = None
    if all(axis in properties for axis in "xyz"):
        positions = np.stack([_values(path, properties, axis, size) for axis in "xyz"], axis=1)
    if row.get("model_type") == "virtual":
        return Nodes(name, size, positions=positions)
    parameters = _parameters(path, row, models)
    own = properties.get("dynamics_params", {}) if properties else {}
    varying = {key: _values(path, own, key, size) for key in own if key != "V_m"}
    common = {**parameters, **{key: float(values[0]) for key, values in varying.items()}}
    neuron = _neuron(path, name, row.get("model_template", ""), common)
    V_m = _values(path, own, "V_m", size) if "V_m" in own else np.full(size, neuron.parameters["E_L"])
    return Nodes(name, size, neuron=neuron, V_m=V_m, varying=varying, positions=positions)


def _check_ids(path: Path, group: h5py.Group, size: int) -> None:
    """Refuse ids and groups that would give rows another meaning than their place."""
    rows = np.arange(size)
    for name, expected, what in (
        ("node_id", rows, f"must be 0 to {size - 1} in order"),
        ("node_group_id", 0 * rows, "must be 0 throughout: one group is supported"),
        ("node_group_index", rows, f"must be 0 to {size - 1} in order"),
    ):
        if name in group and not np.array_equal(group[name][()], expected):
            raise FormatError(f"{path}: {group.name}/{name} {what}")


def _values(path: Path, group: h5py.Group, name: str, size: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = group[name][:]
    if values.shape != (size,) or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise FormatError(f"{path}: {group.name}/{name} must hold {size} finite numbers")
    return np.asarray(values, np.float64)


def _parameters(path: Path, row: dict[str, str], models: Path) -> dict[str, Any]:
    name = row.get("dynamics_params", "")
    if not name or name == "NULL":
        return {}
    file = models / name
    if Path(name).name != name:
        raise FormatError(f"{path}: dynamics_params {name!r} must be a file name in {models}")
    try:
        parameters = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise FormatError(f"{file}: not valid JSON ({error})") from None
    if not isinstance(parameters, dict):
        raise FormatError(f"{file}: not a JSON object of parameters")
    return parameters


def _neuron(path: Path, name: str, template: str, parameters: dict[str, Any]) -> Neuron:
    if template not in _MODELS:
        raise FormatError(
            f"{path}: population {name} has the model {template!r}; supported: {', '.join(sorted(_MODELS))}"
        )
    try:
        return Neuron(model=_MODELS[template], parameters=parameters)
    except ModelError as error:
        raise FormatError(f"{path}: population {name}: {str(error).removeprefix('Neuron: ')}") from None
