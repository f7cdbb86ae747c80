"""Exporting for Brian2 and running that, for the tests that need it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mc_interchange import NetworkInstance, export
from mc_interchange.progress import Silent
from mc_interchange.runners.brian2 import Brian2Runner
from mc_interchange.runs import Run

RunBrian2 = Callable[[NetworkInstance], Run]


@pytest.fixture
def run_brian2(tmp_path: Path) -> RunBrian2:
    """Export an instance, and run it."""
    count = iter(range(9))

    def run(instance: NetworkInstance) -> Run:
        directory = tmp_path / str(next(count))
        (directory / "scratch").mkdir(parents=True)
        path = export(instance, "brian2", directory / "export").path
        return Brian2Runner().run_files(path, directory / "scratch", threads=None, progress=Silent())

    return run
