"""The arguments of a reference model as documented parameters, for its tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from mc_interchange.network import ModelParameter
from mc_interchange.network.base import Part
from mc_interchange.units import Quantity

__all__ = ["documented"]


def documented(
    arguments: Part, *, without: Collection[str] = (), used: Mapping[str, Any] = MappingProxyType({})
) -> tuple[ModelParameter, ...]:
    """Return the arguments of a model as documented parameters.

    Parameters
    ----------
    arguments
        Their fields carry a ``Quantity`` or a description, and the ``source`` of the default. A value that is not the
        default is marked as the user's.
    without
        Names of arguments that are left out, as they have no effect or stand elsewhere.
    used
        Values that were used in place of given ones, by name.
    """
    parameters = []
    for name, field in type(arguments).model_fields.items():
        value = getattr(arguments, name)
        if name in without:
            continue
        quantity = next((m for m in field.metadata if isinstance(m, Quantity)), None)
        extra = field.json_schema_extra
        source = str(extra["source"]) if isinstance(extra, dict) else ""
        parameters.append(
            ModelParameter(
                name=name,
                value=used.get(name, value),
                unit=quantity.unit if quantity else "",
                symbol=quantity.symbol if quantity else "",
                meaning=quantity.meaning if quantity else field.description or "",
                source=source if value == field.default else "chosen by the user",
            )
        )
    return tuple(parameters)
