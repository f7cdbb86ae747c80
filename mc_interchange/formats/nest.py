"""NEST's names and defaults for neuron models, and starting NEST without its banner."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.network import CATALOGUE, AnyNeuron, Dynamics, ForeignModel, Neuron

__all__ = ["BY_NEST_NAME", "nest_model", "neuron_from_nest", "plain_value", "without_banner"]

#: Entries of the catalogue by NEST's names.
BY_NEST_NAME = {entry.elsewhere["nest"]: entry for entry in CATALOGUE.values() if "nest" in entry.elsewhere}
#: By model: a parameter of initial values that NEST holds and does not use, the state that it starts with instead, and
#: the switch without which NEST refuses that.
_UNUSED = {"glif_psc": ("asc_init", "ASCurrents", "after_spike_currents")}


def neuron_from_nest(model: str, parameters: Mapping[str, Any]) -> tuple[AnyNeuron, float | None]:
    """Describe the neurons that ``nest.Create(model, params=parameters)`` makes.

    Parameters
    ----------
    model
        NEST's name.
    parameters
        Some of its parameters, with NEST's names; ``V_m`` may be among them, and ``ASCurrents`` of ``glif_psc``, with
        which NEST starts: its ``asc_init`` does nothing.

    Returns
    -------
    tuple
        The neuron with all its parameters, and the membrane potential (mV) at which it starts. A model or a
        parameter that the catalogue does not hold gives a :class:`~mc_interchange.network.ForeignModel` with
        exactly the given parameters; its potential is None where it is not among them.

    Raises
    ------
    ModelError
        A parameter has a value that its model does not allow, or one that NEST would not use.
    """
    given = {name: plain_value(value) for name, value in parameters.items()}
    entry = BY_NEST_NAME.get(model)
    names = {p.name for p in entry.parameters} | ({"V_m"} if entry.V_m is not None else set()) if entry else set()
    V_m = given.pop("V_m", None)
    if V_m is not None and (isinstance(V_m, bool) or not isinstance(V_m, int | float) or not np.isfinite(V_m)):
        raise ModelError(f"V_m: must be a finite number in mV, got {V_m!r:.60}")
    held = _with_initial_values(given, *_UNUSED[model]) if model in _UNUSED else given
    if entry is None or not (held.keys() | ({"V_m"} if V_m is not None else set())) <= names:
        return ForeignModel(format="nest", name=model, parameters=given), None if V_m is None else float(V_m)
    try:
        neuron = Neuron(model=entry.name, parameters={p.name: held.get(p.name, p.nest) for p in entry.parameters})
    except ModelError as error:
        raise ModelError(str(error).removeprefix("Neuron: ")) from None
    return neuron, entry.V_m if V_m is None else float(V_m)


def nest_model(neuron: AnyNeuron) -> tuple[str, dict[str, Any]]:
    """Return NEST's name of a neuron's model, and its parameters as NEST takes them.

    Raises
    ------
    FormatError
        It is a model of another simulator, or one that NEST does not have.
    """
    if isinstance(neuron, Dynamics):
        raise FormatError(
            f"the neuron model {neuron.label} is given by equations, which NEST does not take: export to NeuroML, "
            "whose LEMS types hold equations"
        )
    if isinstance(neuron, ForeignModel):
        if neuron.format != "nest":
            raise FormatError(f"the neuron model {neuron.name} is one of {neuron.format}; NEST does not know it")
        return neuron.name, dict(neuron.parameters)
    name = neuron.entry.elsewhere.get("nest")
    if name is None:
        raise FormatError(f"NEST has no equal of the neuron model {neuron.model}")
    parameters = {k: list(v) if isinstance(v, tuple) else v for k, v in neuron.parameters.items()}
    if name in _UNUSED:
        parameter, state, switch = _UNUSED[name]
        parameters |= {state: parameters[parameter]} if parameters[switch] else {}
    return name, parameters


def _with_initial_values(given: Mapping[str, Any], parameter: str, state: str, switch: str) -> dict[str, Any]:
    """Put the values with which NEST starts in the place of those that it does not use."""
    if not given.get(switch):
        return dict(given)
    if state not in given and np.any(given.get(parameter, 0.0)):
        raise ModelError(
            f"{parameter}: NEST starts with {state} instead, which is not given; give it, or zeros for {parameter}"
        )
    others = {name: value for name, value in given.items() if name != state}
    return {**others, parameter: given[state]} if state in given else others


def plain_value(value: Any) -> Any:
    """Turn what NEST or a file gives into plain numbers, texts, switches, lists and objects, as JSON has them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    return value


@contextmanager
def without_banner() -> Iterator[None]:
    """Keep NEST from printing its banner when it is imported in this context."""
    before = os.environ.get("PYNEST_QUIET")
    os.environ["PYNEST_QUIET"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYNEST_QUIET"]
        else:
            os.environ["PYNEST_QUIET"] = before
