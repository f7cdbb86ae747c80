"""Distributions of synaptic weights, delays and initial values.

A plain number means :class:`Constant`. A distribution has no unit of its own: the field that holds it
does (see :class:`mc_interchange.units.Quantity`).
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from .base import NonNegative, Part, Real

__all__ = ["Constant", "Distribution", "Normal", "TruncatedNormal", "Uniform", "Values"]


class Constant(Part):
    """The same value everywhere."""

    distribution: Literal["constant"] = "constant"
    value: Real

    @property
    def lower(self) -> float:
        """Smallest value that can occur."""
        return self.value


class Normal(Part):
    """Normal distribution."""

    distribution: Literal["normal"] = "normal"
    mean: Real
    sd: NonNegative

    @property
    def lower(self) -> float:
        """Smallest value that can occur."""
        return -math.inf if self.sd > 0 else self.mean


class TruncatedNormal(Part):
    """Normal distribution from which a value outside ``[min, max]`` is drawn again."""

    distribution: Literal["truncated_normal"] = "truncated_normal"
    mean: Real
    sd: NonNegative
    min: Real | None = None
    max: Real | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that is kept (infinite where not given)."""
        return (
            -math.inf if self.min is None else self.min,
            math.inf if self.max is None else self.max,
        )

    @property
    def lower(self) -> float:
        """Smallest value that can occur."""
        return self.bounds[0] if self.sd > 0 else self.mean

    @model_validator(mode="after")
    def _can_be_drawn(self) -> TruncatedNormal:
        lower, upper = self.bounds
        if lower >= upper:
            raise ValueError(f"min must be below max, got [{lower:g}, {upper:g}]")
        if self.sd == 0:
            kept = float(lower <= self.mean <= upper)
        else:
            scale = self.sd * math.sqrt(2)
            kept = 0.5 * (math.erf((upper - self.mean) / scale) - math.erf((lower - self.mean) / scale))
        if kept < 0.01:
            raise ValueError(
                f"less than 1 % of a normal distribution with mean {self.mean:g} and sd {self.sd:g} lies in "
                f"[{lower:g}, {upper:g}]: redrawing would not end in useful time (is a sign wrong?)"
            )
        return self


class Uniform(Part):
    """Uniform distribution on ``[low, high)``."""

    distribution: Literal["uniform"] = "uniform"
    low: Real
    high: Real

    @property
    def lower(self) -> float:
        """Smallest value that can occur."""
        return self.low

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got [{self.low:g}, {self.high:g})")
        return self


class Values(Part):
    """One value each, in the order of the neurons, or of the synapses of an explicit list."""

    distribution: Literal["values"] = "values"
    values: tuple[Real, ...]

    @property
    def lower(self) -> float:
        """Smallest value that can occur."""
        return min(self.values, default=math.inf)


def _number_is_constant(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"distribution": "constant", "value": value}
    return value


def _kind(value: Any) -> str | None:
    kind = value.get("distribution") if isinstance(value, dict) else getattr(value, "distribution", None)
    return kind if isinstance(kind, str) else None


Distribution = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[TruncatedNormal, Tag("truncated_normal")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Values, Tag("values")],
    Discriminator(
        _kind,
        custom_error_type="tag",
        custom_error_message="must be a number, or have a 'distribution' that is one of: "
        "constant, normal, truncated_normal, uniform, values",
        custom_error_context={"key": "distribution"},
    ),
    BeforeValidator(_number_is_constant),
]
