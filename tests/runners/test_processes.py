"""Runs in several processes, as far as one process can show it (the rest is in test_mpi.py)."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from mc_interchange import realize
from mc_interchange.errors import MissingDependencyError, SimulationError, UsageError
from mc_interchange.formats.sonata_output import Report
from mc_interchange.network import Network, VoltageRecording
from mc_interchange.processes import ALONE, Processes, started_together
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.nest.kernel import threads_for
from mc_interchange.runs import Run, Spikes, join_runs


def part(run: Run, rank: int, size: int) -> Run:
    """Return what one of several processes would have recorded."""
    spikes = {
        name: Spikes(s.steps[s.neurons % size == rank], s.neurons[s.neurons % size == rank])
        for name, s in run.spikes.items()
    }
    voltages = {}
    for name, report in run.voltages.items():
        mine = report.neurons % size == rank
        times = report.times if mine.any() else report.times[:0]  # NEST has no samples where it has no neuron
        voltages[name] = Report(report.neurons[mine], times, report.values[: len(times), mine])
    return replace(run, spikes=spikes, voltages=voltages)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_parts_make_the_run(small_network: Network, size: int) -> None:
    recording = VoltageRecording(population="E", neurons=(6, 3, 38), interval=0.5)
    simulation = small_network.simulation.model_copy(update={"record_V_m": (recording,)})
    run = NestRunner().run(realize(small_network.model_copy(update={"simulation": simulation})))
    assert run.n_spikes > 20
    joined = join_runs([part(run, rank, size) for rank in range(size)])
    for name, spikes in run.spikes.items():
        assert np.array_equal(joined.spikes[name].steps, spikes.steps)
        assert np.array_equal(joined.spikes[name].neurons, spikes.neurons)
    for field in ("neurons", "times", "values"):
        assert np.array_equal(getattr(joined.voltages["E"], field), getattr(run.voltages["E"], field))


def test_one_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started_together() is ALONE
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "1")
    assert started_together() is ALONE
    with pytest.raises(ZeroDivisionError), ALONE.together():
        _ = 1 / 0
    assert ALONE.gather("x") == ["x"]


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"])
def test_several_without_mpi4py(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(MissingDependencyError, match=r"mpi4py is not installed: .*\[mpi\]"):
        started_together()


def test_a_nest_without_mpi_is_refused(small_network: Network) -> None:
    with pytest.raises(SimulationError, match="2 processes were started, but NEST counts 1: it was not built with MPI"):
        NestRunner().run(realize(small_network), processes=Processes(0, 2))


def test_threads_are_shared_out() -> None:
    assert threads_for(100, None, 3) == 3
    assert threads_for(250_000_000, None, 2) == 4
    assert threads_for(100, 6, 3) == 6
    with pytest.raises(UsageError, match="threads: 4 cannot be shared out evenly to 3 processes"):
        threads_for(100, 4, 3)
