"""How far jLEMS is: it says nothing while it runs, but it writes."""

from __future__ import annotations

import re
import time
from pathlib import Path

from mc_interchange.formats import neuroml as fmt
from mc_interchange.network.simulation import TICS_PER_MS
from mc_interchange.progress import Progress

from .lems_results import population_of

__all__ = ["Watch"]

#: Time of one part (see :func:`mc_interchange.runners.neuroml.jlems.parts_of`) and one step in s, measured.
SECONDS = 1.3e-6
#: Steps after which jLEMS adds to a file of states.
FLUSHED = 1000
_FILE = "progress_of_the_run.dat"
_CELLS = re.compile(rf'<(?:{"|".join(fmt.CELLS)}) id="([^"]+)"')
#: Bytes at the beginning of a file in which definitions of cells are looked for.
_HEAD = 10_000_000


class Watch:
    """Reports the progress of a run by a file of states, to which jLEMS adds every 1000 steps.

    Between two additions progress is estimated: at first from the number of parts, then from the time that the last
    steps took.

    Parameters
    ----------
    lems
        The simulation, in a directory of our own: a file of states is added to it.
    parts
        Number of parts that jLEMS advances in every step.
    progress
        Where to report.
    """

    def __init__(self, lems: fmt.LemsFile, parts: int, progress: Progress) -> None:
        self._file = _watched_file(lems)
        self._progress = progress
        self._step = round(lems.dt * TICS_PER_MS) / TICS_PER_MS
        self._n_steps = round(lems.duration / self._step)
        self._seconds = max(parts, 1) * SECONDS
        self._offset = self._rows = self._written = 0
        self._shown = 0.0
        self._since = time.monotonic()
        progress.task("simulating", lems.duration, "ms")

    def look(self) -> None:
        """Report how far it is by now."""
        now = time.monotonic()
        rows = self._count()
        if rows > self._rows:
            if self._rows:  # the first ones include the time in which the network was built
                self._seconds = (now - self._since) / (rows - self._rows)
            self._rows, self._since = rows, now
        ahead = min((now - self._since) / self._seconds, FLUSHED - 1)
        done = min(self._rows + ahead, self._n_steps) * self._step
        if done > self._shown:
            self._progress.advance(done - self._shown)
            self._shown = done

    def _count(self) -> int:
        """Return the number of rows that are written."""
        if self._file is not None and self._file.exists():
            with self._file.open("rb") as file:
                file.seek(self._offset)
                while block := file.read(2**20):
                    self._offset += len(block)
                    self._written += block.count(b"\n")
        return self._written


def _watched_file(lems: fmt.LemsFile) -> Path | None:
    """Return a file of states that jLEMS will write: one that is asked for, else one of a single cell."""
    directory = lems.path.parent
    if lems.states:
        return directory / lems.states[0].file
    quantity = _some_potential(lems)
    if quantity is None:
        return None
    column = f'<OutputColumn id="v" quantity="{quantity}"/>'
    file = f'<OutputFile id="progress_of_the_run" fileName="{_FILE}">{column}</OutputFile>'
    text = lems.path.read_text(encoding="utf-8")
    lems.path.unlink()  # it may be a link to what is not ours
    lems.path.write_text(text.replace("</Simulation>", f"{file}</Simulation>"), encoding="utf-8")
    return directory / _FILE


def _some_potential(lems: fmt.LemsFile) -> str | None:
    """Return the path of the potential of one recorded cell whose type is sure to have one."""
    cells: set[str] = set()
    for file in lems.path.parent.rglob("*.nml"):
        with file.open(encoding="utf-8", errors="replace") as text:
            cells.update(_CELLS.findall(text.read(_HEAD)))
    for events in lems.events:
        if events.selections and f"{population_of(events)}_cell" in cells:
            return f"{next(iter(events.selections.values()))}/v"
    return None
