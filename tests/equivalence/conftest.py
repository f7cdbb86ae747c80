"""Runs of the program for NEURON, which share mechanisms that are compiled once."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from matched_networks import dc
from neuron_program_networks import exported

from mc_interchange import NetworkInstance
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.neuron import compiler_missing
from mc_interchange.runners.neuron import NeuronProgramRunner
from mc_interchange.runs import Run


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A run of :func:`dc` by the runner as it is, which compiles the mechanisms, and where they are."""
    if find_spec("neuron") is None:
        pytest.skip("neuron is not installed")
    if missing := compiler_missing():
        pytest.skip(missing)
    path, scratch = exported(dc(), tmp_path_factory.mktemp("first"))
    run = NeuronProgramRunner().run_files(path, scratch, threads=None, progress=Silent())
    return run, scratch / "out" / "mechanisms"


@pytest.fixture
def run_neuron(first: tuple[Run, Path], tmp_path: Path) -> Callable[[NetworkInstance], Run]:
    """Export an instance and run it, with the mechanisms that have been compiled already."""
    count = iter(range(9))

    class Runner(NeuronProgramRunner):
        def arguments(self) -> tuple[str, ...]:
            return ("--mechanisms", str(first[1]))

    def run(instance: NetworkInstance) -> Run:
        path, scratch = exported(instance, tmp_path / str(next(count)))
        return Runner().run_files(path, scratch, threads=None, progress=Silent())

    return run
