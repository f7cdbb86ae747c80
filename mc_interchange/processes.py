"""Processes that MPI has started together (``mpirun -n 4 mc-run ...``), each with its part of one simulation.

The first of them speaks and writes; the others are silent. mpi4py is loaded only where there are several.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from mc_interchange.errors import InterchangeError, MissingDependencyError, SimulationError, one_line

__all__ = ["ALONE", "Processes", "started_together"]

T = TypeVar("T")
#: What launchers tell every process: how many there are, and its own number.
_LAUNCHERS = {
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",
    "PMI_SIZE": "PMI_RANK",
    "SLURM_STEP_NUM_TASKS": "SLURM_PROCID",
}
#: How long a process that failed waits for the others to notice, in s, before it ends them.
PATIENCE = 10.0
#: Exit code of all when a signal ends one of them.
INTERRUPTED = 130


@dataclass(frozen=True)
class Processes:
    """One process among those of a run.

    Parameters
    ----------
    rank
        Its number, from 0.
    size
        How many there are.
    communicator
        Of mpi4py; None where there is one process only.
    """

    rank: int = 0
    size: int = 1
    communicator: Any = None

    @property
    def first(self) -> bool:
        """Whether this is the process that speaks and writes."""
        return self.rank == 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let an error in one of them end all, with one message.

        A simulator may wait in one process for another that has failed. So a process that fails waits for the
        others only for a while, and then ends them.
        """
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            if self.communicator is None:
                raise
            failure = error
        except BaseException:  # a signal: the others would wait for this process for ever
            if self.communicator is not None:
                self.communicator.Abort(INTERRUPTED)
            raise
        if self.communicator is None:
            return
        self._meet(failure)
        messages = self.communicator.allgather(None if failure is None else _text(failure))
        failed = [(rank, message) for rank, message in enumerate(messages) if message is not None]
        if failure is not None:
            raise failure
        if failed and not self.first:
            sys.exit(2)
        if failed:
            raise SimulationError(f"process {failed[0][0]}: {failed[0][1]}")

    def gather(self, part: T) -> list[T]:
        """Return the parts of all processes, in order, to the first of them; to the others an empty list."""
        if self.communicator is None:
            return [part]
        return self.communicator.gather(part, root=0) or []

    def total(self, value: int) -> int:
        """Return the sum of the values of all processes to all."""
        if self.communicator is None:
            return value
        return int(self.communicator.allreduce(value))

    def agree(self, value: T) -> T:
        """Return the value of the first process to all."""
        if self.communicator is None:
            return value
        shared: T = self.communicator.bcast(value, root=0)
        return shared

    def _meet(self, failure: Exception | None) -> None:
        request = self.communicator.Ibarrier()
        if failure is None:
            request.Wait()
            return
        last = time.monotonic() + PATIENCE
        while not request.Test():
            if time.monotonic() > last:
                self._end(failure)
            time.sleep(0.05)

    def _end(self, failure: Exception) -> NoReturn:
        name = Path(sys.argv[0]).name
        print(f"{name}: error: process {self.rank}: {_text(failure)}", file=sys.__stderr__, flush=True)
        self.communicator.Abort(2)
        raise failure  # not reached


#: The usual case: one process.
ALONE = Processes()


def _text(error: Exception) -> str:
    """Return the message of an error; of a defect, with its place."""
    if isinstance(error, InterchangeError | OSError | MemoryError):
        return one_line(error)
    return one_line(" ".join(traceback.format_exception(error)))


def started_together() -> Processes:
    """Return the processes that were started together with this one, and silence all but the first.

    Raises
    ------
    MissingDependencyError
        There are several, and mpi4py is not installed.
    """
    ranks = [os.environ.get(rank, "0") for size, rank in _LAUNCHERS.items() if os.environ.get(size, "1") != "1"]
    if not ranks:
        return ALONE
    if "0" not in ranks:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        from mpi4py import MPI
    except ImportError:
        raise MissingDependencyError("mpi4py", "mpi") from None
    # a communicator of our own, as the simulator speaks through the common one
    communicator = MPI.COMM_WORLD.Dup()
    return Processes(communicator.rank, communicator.size, communicator)
