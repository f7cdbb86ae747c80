"""Neurons of the catalogue as PyNN's cell types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats.pynn import CELL_TYPES, INITIAL, IZHIKEVICH, NAMES, thousandth
from mc_interchange.instance import MixedNeurons, Nodes
from mc_interchange.network import Neuron

__all__ = ["Cells", "cells_of", "neuron_of"]

#: A parameter in PyNN's unit: a ratio of two, each a number or the name of an array in the node file.
Ratio = list[str | float]
#: Parameters that PyNN cannot set: the value that its cell type has in NEST, and what is then said.
_FIXED: Mapping[tuple[str, str], Any] = {
    ("iaf_psc_delta", "refractory_input"): False,
    ("izhikevich", "V_th"): 30.0,
    ("izhikevich", "consistent_integration"): True,
}
#: Of the integration of NEST only; whoever takes another simulator takes another one.
_NUMERICAL = {"gsl_error_tol"}


@dataclass(frozen=True)
class Cells:
    """A population in PyNN's terms.

    Parameters
    ----------
    cell_type
        Name of PyNN's class.
    parameters
        That all neurons share, in PyNN's units.
    arrays
        Parameters in which they differ.
    initial
        Initial values: a number, or a ratio.
    """

    cell_type: str
    parameters: dict[str, float]
    arrays: dict[str, Ratio]
    initial: dict[str, float | Ratio]


def neuron_of(nodes: Nodes) -> Neuron:
    """Return the one model of a population.

    Raises
    ------
    NotRepresentableError
        It has several, or none that PyNN has.
    """
    if isinstance(nodes.neuron, MixedNeurons):
        raise NotRepresentableError(
            f"population {nodes.name}: PyNN's populations have one cell type, not {len(nodes.models)} models; "
            "give each model a population of its own"
        )
    neuron = nodes.neuron
    if not isinstance(neuron, Neuron) or neuron.model not in CELL_TYPES:
        raise NotRepresentableError(
            f"population {nodes.name}: PyNN has no cell type for {neuron and neuron.label}; it has one for "
            f"{', '.join(CELL_TYPES)}"
        )
    return neuron


def cells_of(nodes: Nodes) -> Cells:
    """Translate a population.

    Raises
    ------
    NotRepresentableError
        PyNN has no such cell type, or does not let one of its parameters have this value.
    """
    neuron = neuron_of(nodes)
    given: dict[str, Any] = {**neuron.parameters, **dict.fromkeys(nodes.varying)}
    parameters: dict[str, float] = {}
    arrays: dict[str, Ratio] = {}
    initial: dict[str, float | Ratio] = {"v": ["V_m", 1.0] if nodes.V_m is not None else _default_V_m(neuron)}
    if nodes.V_m is not None and nodes.size and np.all(nodes.V_m == nodes.V_m[0]):
        initial["v"] = float(nodes.V_m[0])
    names = IZHIKEVICH if neuron.model == "izhikevich" else NAMES
    for name in given:
        if name in _NUMERICAL:
            continue
        if (neuron.model, name) in _FIXED:
            _check_fixed(nodes, neuron, name)
        elif name == "g_L":
            _put("tau_m", [_item(nodes, neuron, "C_m"), _item(nodes, neuron, "g_L")], parameters, arrays)
        elif name in INITIAL:
            theirs, below = INITIAL[name]
            ratio: Ratio = [_item(nodes, neuron, name), below]
            initial[theirs] = ratio if name in nodes.varying else _number(ratio)
        else:
            theirs, below = names[name]
            _put(theirs, [_item(nodes, neuron, name), below], parameters, arrays)
    return Cells(CELL_TYPES[neuron.model], parameters, arrays, initial)


def _item(nodes: Nodes, neuron: Neuron, name: str) -> str | float:
    return name if name in nodes.varying else neuron[name]


def _put(name: str, ratio: Ratio, parameters: dict[str, float], arrays: dict[str, Ratio]) -> None:
    if any(isinstance(item, str) for item in ratio):
        arrays[name] = ratio
    else:
        parameters[name] = _number(ratio)


def _number(ratio: Ratio) -> float:
    above, below = (float(item) for item in ratio)
    return thousandth(above) if below == 1000.0 else above / below


def _default_V_m(neuron: Neuron) -> float:
    assert neuron.entry.V_m is not None  # of all that have a cell type
    return neuron.entry.V_m


def _check_fixed(nodes: Nodes, neuron: Neuron, name: str) -> None:
    fixed = _FIXED[neuron.model, name]
    values = nodes.varying.get(name, np.array([neuron.parameters[name]]))
    if np.any(values != fixed):
        raise NotRepresentableError(
            f"population {nodes.name}: PyNN's {CELL_TYPES[neuron.model]} has no {name}, which is {fixed!r:.20} there"
        )
