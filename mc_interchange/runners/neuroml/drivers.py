"""Running a driver: a program of ours in a process of its own, so that its simulator stays out of this one."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

from mc_interchange.progress import Progress
from mc_interchange.runners.tool import run_tool

__all__ = ["DriverTask", "run_driver"]

TASK_FILE = "task.json"


@dataclass(frozen=True, kw_only=True)
class DriverTask:
    """What every driver is told.

    Parameters
    ----------
    dt, duration, seed
        Of the simulation; times in ms.
    """

    dt: float
    duration: float
    seed: int


def run_driver(
    driver: ModuleType,
    task: DriverTask,
    scratch: Path,
    progress: Progress,
    *,
    name: str,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Write a task, and let a driver simulate it.

    Parameters
    ----------
    driver
        Is run as a program; prints ``REPORT`` and the time in ms as it goes on.
    task
        As it reads it from the file it is given.
    scratch
        Where it works.
    name
        What messages call the simulator.
    environment
        None: as here.
    """
    (scratch / TASK_FILE).write_text(json.dumps(asdict(task)), encoding="utf-8")
    progress.task("simulating", task.duration, "ms")
    done = 0.0

    def follow(line: str) -> None:
        nonlocal done
        if line.startswith(driver.REPORT):
            now = float(line.removeprefix(driver.REPORT))
            progress.advance(now - done)
            done = now

    # -P: the directory of the driver has modules named like those that it imports
    command = [sys.executable, "-P", str(driver.__file__), TASK_FILE]
    run_tool(command, name=name, directory=scratch, environment=environment, on_line=follow)
