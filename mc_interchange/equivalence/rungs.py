"""The result of one rung of the ladder: figures, each with its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RUNGS", "Figure", "Rung", "RungName"]

RungName = Literal["structure", "single neuron", "spikes", "statistics"]
#: All rungs, from the bottom.
RUNGS: tuple[RungName, ...] = ("structure", "single neuron", "spikes", "statistics")


@dataclass(frozen=True)
class Figure:
    """One number and its limit.

    Parameters
    ----------
    name
        What was measured.
    value
        What was found.
    limit
        Up to or from where it passes, as ``detail`` says; None: for information.
    passed
        Whether it keeps to the limit.
    detail
        Kind of the limit, unit, where the worst place is.
    """

    name: str
    value: float
    limit: float | None
    passed: bool
    detail: str = ""


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
