"""Progress of long work: a tiny protocol, a silent one, and bars for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Task

__all__ = ["Progress", "Silent", "TerminalProgress", "short_number", "shown_progress"]


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
    """One bar per task on standard error, with rate and time left; nothing where that is not a terminal.

    May be told of progress from several threads. The bars are drawn ten times per second, however often
    they advance.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.text import Text

        class Rate(TextColumn):
            def render(self, task: Task) -> Text:
                return Text(_rate(task).rjust(16))

        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:28}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            Rate(""),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._current: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator[TerminalProgress]:
        """Show the bars while in the context; those of a finished context remain visible as complete."""
        with self._bars:
            yield self
            self._finish()

    def task(self, label: str, total: float, unit: str) -> None:
        """Begin a task of ``total`` units (it ends when the next begins)."""
        self._finish()
        self._current = self._bars.add_task(label, total=total, unit=unit)

    def advance(self, amount: float) -> None:
        """Report that ``amount`` more units of the task are done."""
        if self._current is not None:
            self._bars.advance(self._current, amount)

    def _finish(self) -> None:
        if self._current is not None:
            task = next(t for t in self._bars.tasks if t.id == self._current)
            self._bars.update(self._current, completed=task.total)
            self._bars.stop_task(self._current)


@contextmanager
def shown_progress(quiet: bool = False) -> Iterator[Progress]:
    """Give bars while standard error is a terminal, and silence otherwise (without loading anything)."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    with TerminalProgress().shown() as bars:
        yield bars


def _rate(task: Task) -> str:
    """Return the mean rate of a task, such as ``9.6 M edges/s``."""
    if not task.elapsed or not task.completed:
        return ""
    return f"{short_number(task.completed / task.elapsed)} {task.fields['unit']}/s"


def short_number(value: float) -> str:
    """Write a number with three digits and a prefix, for people: ``29.9 M``.

    A unit may follow directly after a blank: ``29.9 M synapses``, ``512 MB``.
    """
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}" if value < 999.5 * factor else f"{value / factor:.0f} {prefix}"
    return f"{value:.3g}"
