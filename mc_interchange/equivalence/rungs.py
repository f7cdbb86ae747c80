"""The result of one rung of the ladder: figures, each with its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RUNGS", "Figure", "Kind", "Rung", "RungName", "keeps"]

RungName = Literal["structure", "single neuron", "spikes", "statistics"]
#: All rungs, from the bottom.
RUNGS: tuple[RungName, ...] = ("structure", "single neuron", "spikes", "statistics")
#: How a value is held against its limit; ``stated``: not at all.
Kind = Literal["exactly", "at most", "at least", "stated"]


def keeps(value: float, kind: Kind, limit: float | None) -> bool:
    """Whether a value keeps to its limit; what is not a number never does."""
    if kind == "stated" or limit is None:
        return kind == "stated"
    if kind == "exactly":
        return value == limit
    return value <= limit if kind == "at most" else value >= limit


@dataclass(frozen=True)
class Figure:
    """One number and its limit.

    Parameters
    ----------
    name
        What was measured.
    value
        What was found.
    kind
        How it is held against the limit.
    limit
        Of the value; None where it is only stated.
    detail
        Unit, where the worst place is.
    """

    name: str
    value: float
    kind: Kind
    limit: float | None
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value keeps to its limit."""
        return keeps(self.value, self.kind, self.limit)


@dataclass(frozen=True)
class Rung:
    """One rung.

    Parameters
    ----------
    name
        Which.
    figures
        What was measured.
    why_not
        Why it could not be climbed; empty where it could.
    """

    name: RungName
    figures: tuple[Figure, ...] = ()
    why_not: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether all figures keep to their limits; None where there are none."""
        return all(figure.passed for figure in self.figures) if self.figures else None

    @property
    def failures(self) -> tuple[Figure, ...]:
        """The figures that do not."""
        return tuple(figure for figure in self.figures if not figure.passed)
