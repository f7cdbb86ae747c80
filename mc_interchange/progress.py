"""Progress of long work: a tiny protocol, a silent one, and bars for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "Silent", "TerminalProgress"]


class Progress(Protocol):
    """What exporters, importers and runners report to."""

    def task(self, label: str, total: float, unit: str) -> None:
        """Begin a task of ``total`` units (it ends when the next begins)."""

    def advance(self, amount: float) -> None:
        """Report that ``amount`` more units of the task are done."""


class Silent:
    """Reports nothing."""

    def task(self, label: str, total: float, unit: str) -> None:
        """Do nothing."""

    def advance(self, amount: float) -> None:
        """Do nothing."""


class TerminalProgress:
    """A bar with rate and time left on standard error; nothing where that is not a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description:28}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rate]:>20}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._current = None

    @contextmanager
    def shown(self) -> Iterator[TerminalProgress]:
        """Show the bars while in the context."""
        with self._bars:
            yield self

    def task(self, label: str, total: float, unit: str) -> None:
        """Begin a task of ``total`` units (it ends when the next begins)."""
        self._finish()
        self._unit = unit
        self._current = self._bars.add_task(label, total=total, rate="")

    def advance(self, amount: float) -> None:
        """Report that ``amount`` more units of the task are done."""
        if self._current is None:
            return
        self._bars.advance(self._current, amount)
        speed = self._bars.tasks[self._current].speed
        if speed:
            self._bars.update(self._current, rate=f"{_human(speed)} {self._unit}/s")

    def _finish(self) -> None:
        if self._current is not None:
            task = self._bars.tasks[self._current]
            self._bars.update(self._current, completed=task.total)


def _human(value: float) -> str:
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.1f} {prefix}"
    return f"{value:.0f}"
