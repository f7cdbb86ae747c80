"""How a rung is told on a terminal."""

from __future__ import annotations

from typing import Any

__all__ = ["figure_line", "rung_lines"]

#: Figures of a rung that holds.
SHOWN = 3


def rung_lines(rung: Any) -> list[str]:
    """Write a rung as its verdict, and its failures or its first figures."""
    if rung.passed is None:
        return [f"{rung.name}: not climbed, {rung.why_not}"]
    shown = [f for f in rung.figures if not f.passed] if not rung.passed else rung.figures[:SHOWN]
    return [
        f"{rung.name}: {'holds' if rung.passed else 'FAILS'}, {len(rung.figures)} figures",
        *map(figure_line, shown),
    ]


def figure_line(figure: Any) -> str:
    """Write a figure with its limit."""
    limit = "stated" if figure.limit is None else f"{figure.kind} {_number(figure.limit)}"
    mark = " " if figure.passed else "!"
    return f"{mark} {figure.name}: {_number(figure.value)} ({limit}{'; ' if figure.detail else ''}{figure.detail})"


def _number(value: float | str) -> str:
    return f"{value:.6g}" if isinstance(value, float | int) else str(value)
