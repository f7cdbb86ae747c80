"""Weights of synapses: numbers in the unit that the target's neuron model takes.

A weight that is given as a text with a unit is read before its target is known. So the part keeps what was given,
and the network, which knows both, compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ModelWrapValidatorHandler, model_validator

from mc_interchange.units import WEIGHT_UNIT, Quantity, unit_of

from .base import Part, refusal
from .synapses import SYNAPSE_CATALOGUE

__all__ = ["Weighted", "check_weight_units", "weight_quantity"]

#: Parameters of synapses that are weights too.
_WEIGHTS = {p.name for entry in SYNAPSE_CATALOGUE.values() for p in entry.parameters if p.unit == WEIGHT_UNIT}


def weight_quantity(symbol: str) -> Quantity:
    """Return the annotation of a field that holds weights."""
    return Quantity(WEIGHT_UNIT, symbol, "synaptic weight, in the unit that the target's neuron model takes")


class Weighted(Part):
    """Base class of parts with a ``weight`` onto a population."""

    # beside the fields: it is part of neither the description nor of comparisons
    __slots__ = ("_texts",)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_texts(cls, values: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        part = handler(values)
        if isinstance(values, dict):
            texts = [*_texts(values.get("weight"), "weight"), *_texts(_synapse(values), "synapse.parameters")]
            object.__setattr__(part, "_texts", tuple(texts))
        return part


def _synapse(values: dict[str, Any]) -> dict[str, Any]:
    """Return those parameters of the synapse that are weights."""
    synapse = values.get("synapse")
    parameters = synapse.get("parameters") if isinstance(synapse, dict) else None
    return {k: v for k, v in parameters.items() if k in _WEIGHTS} if isinstance(parameters, dict) else {}


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of everything that may carry a unit."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != "distribution":
                yield from _texts(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def check_weight_units(path: str, part: Weighted, unit: str) -> None:
    """Refuse a weight that was given in another unit than that of the target's neuron model.

    Parameters
    ----------
    path
        Of the part.
    unit
        That the neuron model takes.
    """
    for below, text in getattr(part, "_texts", ()):
        if unit_of(text) not in (None, unit):
            raise refusal(f"{path}.{below}", f"must be in {unit}, got {text!r:.60}")
