"""Physical quantities: one unit each, checked where a value enters.

The units are NEST's: ms, mV, pF, pA, nS and spikes/s (lengths, for drawing only, in um). Nothing is
converted: a value with another unit is refused, so that a slip of a factor 1000 cannot enter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["UNITS", "WEIGHT_UNIT", "Quantity", "text_pattern", "unit_of"]

#: Every unit that a value may carry, with its meaning.
UNITS = {
    "ms": "time",
    "mV": "membrane potential, and synaptic weight of a synapse by which the potential jumps",
    "pF": "capacitance",
    "pA": "current, and synaptic weight of a current-based synapse",
    "nS": "conductance, and synaptic weight of a conductance-based synapse",
    "spikes/s": "rate",
    "1/ms": "rate of decay",
    "um": "length",
    "1": "a pure number",
}

#: Of a synaptic weight: the one of these that the target's neuron model takes.
WEIGHT_UNIT = "pA | nS | mV"

#: A decimal number; two digits of exponent, so that none is infinite.
_DECIMAL = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?"
_TEXT = re.compile(rf"\s*([-+]?{_DECIMAL})\s*(\S.*?)?\s*")


def text_pattern(unit: str, *, minimum: float | None = None, exclusive: bool = False) -> str:
    """Return the regular expression of the texts that are read as a quantity, for the JSON schema.

    Parameters
    ----------
    unit
        Key of :data:`UNITS`, or several as in ``pA | mV``.
    minimum
        0 or None: the smallest value (the expression knows signs and zero, no other limits).
    exclusive
        The value must be larger than ``minimum``.
    """
    sign = r"[-+]?" if minimum is None else r"\+?"
    above_zero = r"(?=[0-9.]*[1-9])" if exclusive else ""
    return rf"^\s*{sign}{above_zero}{_DECIMAL}\s*(?:{'|'.join(map(re.escape, _alternatives(unit)))})?\s*$"


def unit_of(text: str) -> str | None:
    """Return the unit behind the number of a text; None where there is none."""
    match = _TEXT.fullmatch(text)
    unit: str | None = match[2] if match else None
    return unit


def _alternatives(unit: str) -> list[str]:
    return unit.split(" | ")


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
        A key of :data:`UNITS`; or several as in ``pA | mV``, where it depends on something else which of them counts.
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

        Pure numbers have no unit to carry; as text they are refused where the number is checked.

        Raises
        ------
        PydanticCustomError
            When the text is not a number, or carries a unit other than this quantity's.
        """
        return value if self.unit == "1" else self._read(value, "")

    def _read(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            return self._read_text(value, path)
        if isinstance(value, dict):
            return {
                key: item
                if key in ("distribution", "kind")
                else self._read(item, f"{path}.{key}" if path else str(key))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._read(item, f"{path}[{index}]") for index, item in enumerate(value)]
        return value

    def _read_text(self, text: str, path: str) -> float:
        match = _TEXT.fullmatch(text)
        if match is None:
            raise self._refusal("quantity", f"must be a number in {self._units}, got {_shorten(text)}", path)
        number, unit = match.groups()
        if unit is not None and unit not in _alternatives(self.unit):
            raise self._refusal("unit", f"must be in {self._units}, got {_shorten(text)}", path)
        return float(number)

    @property
    def _units(self) -> str:
        return self.unit.replace(" | ", " or ")

    def _refusal(self, kind: Literal["quantity", "unit"], message: str, path: str) -> PydanticCustomError:
        context: dict[str, Any] = {"message": message, "complete": True}
        if path:
            context["at"] = path
        return PydanticCustomError(kind, "{message}", context)


def _shorten(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 60 else shown[:57] + "..."
