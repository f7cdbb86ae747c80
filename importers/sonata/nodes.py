"""From node tables to populations: one each, however many types, groups and models it has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats import sonata
from mc_interchange.instance import MixedNeurons, Nodes
from mc_interchange.network import AnyNeuron

from .models import neuron, parameters
from .node_table import NodeTable

__all__ = ["read_nodes"]

_PROPERTIES = ("model_type", "model_template", "dynamics_params", "model_processing")


def read_nodes(table: NodeTable, name: str, models: Path) -> Nodes:
    """Make the population of a node table.

    Parameters
    ----------
    name
        Ours of the population.
    models
        Directory of the point neuron models.

    Raises
    ------
    FormatError
    """
    where = f"{table.path}: population {table.name}"
    texts = {key: table.texts(key) for key in _PROPERTIES}
    own = table.parameters()
    lists = {key: values for key, values in own.items() if values.ndim == 2}
    numbers = {key: values for key, values in own.items() if values.ndim == 1}
    # nodes of one kind have all of this in common
    kinds, which = _unique([*(t.codes for t in texts.values()), table.group_ids, *_list_codes(lists)], table.size)
    found = {key: [t.values[t.codes[node]] for node in kinds] for key, t in texts.items()}
    found["model_type"] = [kind or table.model_type for kind in found["model_type"]]
    _check_kinds(where, found)
    positions = table.positions()
    if set(found["model_type"]) == {"virtual"}:
        return Nodes(name, table.size, positions=positions)
    files = {value: parameters(table.path, models, value) for value in set(found["dynamics_params"])}
    neurons, potentials = [], []
    for kind, node in enumerate(kinds):
        of_node = {key: values[node].tolist() for key, values in own.items() if not np.isnan(values[node]).any()}
        model, V_m = neuron(where, found["model_template"][kind], files[found["dynamics_params"][kind]] | of_node)
        neurons.append(model)
        potentials.append(np.nan if V_m is None else V_m)
    given_V_m = numbers.pop("V_m", np.full(table.size, np.nan))
    all_V_m = np.where(np.isnan(given_V_m), np.array(potentials)[which], given_V_m)
    common, varying = _common(neurons, which, numbers)
    unknown = np.isnan(all_V_m)
    if not isinstance(common, MixedNeurons) and unknown.any() and not unknown.all():
        common = MixedNeurons((common,), np.zeros(table.size, np.uint32))  # which may know some potentials only
    try:
        return Nodes(
            name,
            table.size,
            neuron=common,
            V_m=None if unknown.all() else all_V_m,
            varying=varying,
            positions=positions,
        )
    except ModelError as error:
        raise FormatError(f"{where}: {error}") from None


def _unique(columns: Sequence[NDArray[Any]], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return one node of each different combination, and the number of its combination for every node."""
    which = np.zeros(size, np.int64)
    for column in columns:
        _, codes = np.unique(column, return_inverse=True)
        _, which = np.unique(which * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
    _, first, which = np.unique(which, return_index=True, return_inverse=True)
    return first, which


def _list_codes(lists: dict[str, NDArray[np.float64]]) -> list[NDArray[np.int64]]:
    return [np.unique(values, axis=0, return_inverse=True)[1].reshape(-1) for values in lists.values()]


def _check_kinds(where: str, found: dict[str, list[str | None]]) -> None:
    types = set(found["model_type"])
    if "virtual" in types and len(types) > 1:
        raise FormatError(f"{where} has virtual nodes and neurons; give each a population of its own")
    for kind in types - {"virtual"}:
        if kind is not None and kind not in sonata.POINT_NEURONS:
            raise FormatError(f"{where} has nodes of the model type {kind!r}; supported are point_neuron and virtual")
    for name in found["model_processing"]:
        if name is not None:
            raise FormatError(f"{where} has the model_processing {name!r}, a Python function that is not in the files")


def _common(
    models: list[AnyNeuron], which: NDArray[np.int64], numbers: dict[str, NDArray[np.float64]]
) -> tuple[AnyNeuron | MixedNeurons, dict[str, NDArray[np.float64]]]:
    """Return what the neurons have in common, and what differs between them.

    Neurons of one model whose parameters differ in numbers only are neurons of one kind.
    """
    first = models[0]
    differing = {
        key
        for model in models
        for key in first.parameters.keys() | model.parameters.keys()
        if model.parameters.get(key) != first.parameters.get(key)
    }
    alike = all(model.definition == first.definition for model in models)
    if alike and all(type(model.parameters.get(key)) is float for model in models for key in differing):
        varying = {key: np.array([model.parameters[key] for model in models])[which] for key in sorted(differing)}
        for key, values in numbers.items():
            base = varying.get(key, np.full(len(which), first.parameters[key]))
            varying[key] = np.where(np.isnan(values), base, values)
        return first, varying
    distinct: dict[str, AnyNeuron] = {}
    for model in models:
        distinct.setdefault(_key(model), model)
    places = {key: place for place, key in enumerate(distinct)}
    place = np.array([places[_key(model)] for model in models], np.uint32)
    return MixedNeurons(tuple(distinct.values()), place[which]), numbers


def _key(model: AnyNeuron) -> str:
    return json.dumps([model.definition, model.parameters], sort_keys=True)
