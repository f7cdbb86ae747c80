"""Physical quantities: one unit each, checked where a value enters.

The units are NEST's: ms, mV, pF, pA and spikes/s (lengths, for drawing only, in um). Nothing is
converted: a value with another unit is refused, so that a slip of a factor 1000 cannot enter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["UNITS", "Quantity"]

#: Every unit that a value may carry, with its meaning.
UNITS = {
    "ms": "time",
    "mV": "membrane potential",
    "pF": "capacitance",
    "pA": "current, and synaptic weight of a current-based synapse",
    "spikes/s": "rate",
    "um": "length",
    "1": "a pure number",
}

_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*$")


@dataclass(frozen=True)
class Quantity:
    """Annotation of a model field: its unit, symbol and meaning.

    In a model file the value may be a bare number (in this unit) or a string with the unit behind the
    number, as in ``C_m: 250 pF``. Any other unit is refused. Used as
    ``Annotated[float, Quantity("ms", "h", "resolution")]``; on a distribution, it holds for each of
    its numbers.

    Parameters
    ----------
    unit
        A key of :data:`UNITS`.
    symbol
        The symbol in equations.
    meaning
        One phrase.
    """

    unit: str
    symbol: str
    meaning: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        json_schema = handler(schema)
        described = {"description": self.meaning, "unit": self.unit, "symbol": self.symbol}
        if "$ref" in json_schema or "anyOf" in json_schema or "oneOf" in json_schema:
            return {"allOf": [json_schema], **described}
        return {**json_schema, **described}

    def read(self, value: Any) -> Any:
        """Take the unit off strings like ``"250 pF"``, in mappings and lists too.

        Raises
        ------
        PydanticCustomError
            When the text is not a number, or carries a unit other than this quantity's.
        """
        if isinstance(value, str):
            return self._read_text(value)
        if isinstance(value, dict):
            return {k: v if k in ("distribution", "kind") else self.read(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.read(v) for v in value]
        return value

    def _read_text(self, text: str) -> float:
        match = _NUMBER.match(text)
        if match is None:
            raise PydanticCustomError("quantity", "must be a number in {unit}", {"unit": self.unit})
        number, unit = match.groups()
        if unit is not None and unit != self.unit:
            raise PydanticCustomError(
                "unit", "has the wrong unit '{given}'; it must be in {unit}", {"given": unit, "unit": self.unit}
            )
        return float(number)
