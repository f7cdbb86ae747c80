"""Runs in Brian2: random input, what is recorded, and the program by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mc_interchange import NetworkInstance, export
from mc_interchange.errors import FormatError, MissingDependencyError, SimulationError, UsageError
from mc_interchange.formats.sonata_output import read_reports, read_spikes
from mc_interchange.instance import ArrayEdges, EdgeBlock, Nodes
from mc_interchange.network import Neuron, PoissonActivity, PoissonInput, Simulation, VoltageRecording
from mc_interchange.progress import Silent
from mc_interchange.runners import brian2 as runner_module
from mc_interchange.runners.brian2 import Brian2Runner
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

#: A potential that counts what arrives: 1 mV for each spike, no leak to speak of, no threshold.
COUNTER = Neuron(
    model="iaf_psc_delta",
    parameters={"C_m": 250.0, "tau_m": 1e9, "t_ref": 0.0, "E_L": 0.0, "V_th": 1e6, "V_reset": -1.0},
)
RATE = 12_800.0


def counters() -> NetworkInstance:
    """Counters of Poisson input, of input to some of them in a window, and of sources that they share."""
    dt, targets = 0.1, np.arange(4, dtype=np.uint32)
    sizes = {"all": 200, "some": 4, "shared": 4}
    populations = {name: Nodes(name, size, COUNTER, V_m=np.zeros(size)) for name, size in sizes.items()}
    populations["T"] = Nodes("T", 4, activity=PoissonActivity(rate=RATE, start=5.0, stop=60.0))
    populations["silent"] = Nodes("silent", 2, activity=PoissonActivity(rate=0.0))
    pairs = EdgeBlock(targets // 2, targets, np.ones(4), np.array([1, 4, 1, 1], np.int32))
    nothing = EdgeBlock(targets[:2], targets[:2], np.full(2, 1e3), np.ones(2, np.int32))
    edges = (ArrayEdges("T_to", "T", "shared", pairs), ArrayEdges("silent_to", "silent", "all", nothing))
    inputs = (
        PoissonInput(name="noise", target="all", rate=RATE, weight=1.0, delay=0.1),
        PoissonInput(
            **{"name": "window", "target": "some", "rate": 80_000.0, "weight": -1.0, "delay": 1.5},
            **{"start": 10.0, "stop": 30.0, "neurons": (1, 3)},
        ),
    )
    recordings = tuple(
        VoltageRecording(population=name, neurons=tuple(range(size)), interval=dt) for name, size in sizes.items()
    )
    simulation = Simulation(dt=dt, duration=100.0, record_V_m=recordings)
    return NetworkInstance("counters", populations, {e.name: e for e in edges}, inputs, simulation)


def arrivals(run: Run, population: str) -> NDArray[np.int64]:
    """Return how many spikes arrived at the end of each step, shape (n_steps, n_neurons)."""
    values = run.voltages[population].values
    counts = np.diff(values, axis=0, prepend=0.0)
    np.testing.assert_allclose(counts, np.rint(counts), rtol=0, atol=1e-4)
    return np.rint(counts).astype(np.int64)


def program_run(instance: NetworkInstance, tmp_path: Path) -> Run:
    (tmp_path / "scratch").mkdir()
    path = export(instance, "brian2", tmp_path / "export").path
    return Brian2Runner().run_files(path, tmp_path / "scratch", threads=None, progress=Silent())


@pytest.mark.brian2
def test_poisson_input_has_its_mean_and_its_variance_at_12800_spikes_per_s(tmp_path: Path) -> None:
    """Four standard errors of each; at most one spike per step would have the variance of 0."""
    instance = counters()
    run = program_run(instance, tmp_path)
    counts = arrivals(run, "all")[2:]  # as in NEST, nothing comes before
    expected, n = RATE * 1e-4, counts.size
    assert n > 190_000
    assert abs(counts.mean() - expected) < 4 * np.sqrt(expected / n)
    assert abs(counts.var() / expected - 1) < 4 * np.sqrt((2 + 1 / expected) / n)
    # neurons are independent: the variance of their sum is the sum of their variances
    assert abs(counts.sum(axis=1).var() / (200 * expected) - 1) < 4 * np.sqrt(2 / len(counts))
    # and so are steps
    shifted = np.corrcoef(counts[:-1].ravel(), counts[1:].ravel())[0, 1]
    assert abs(shifted) < 4 / np.sqrt(n)

    reference = NestRunner().run(instance)
    for result in (run, reference):  # the same window, in the same neurons
        window = arrivals(result, "some")
        assert window[:, [0, 2]].any() == 0
        assert [*np.flatnonzero(window.any(axis=1))[[0, -1]] + 1] == [117, 316]
        # all targets of a source see the same spikes, which are recorded
        shared, spikes = arrivals(result, "shared"), result.spikes["T"]
        np.testing.assert_array_equal(shared[3:, 1], shared[:-3, 0])
        np.testing.assert_array_equal(shared[:, 3], shared[:, 2])
        emitted = np.bincount(spikes.steps[spikes.neurons == 0], minlength=1001)
        np.testing.assert_array_equal(shared[1:, 0], emitted[1 : len(shared)])
        assert emitted.max() > 3
        assert 53 <= spikes.steps[0] < 56  # 1.28 spikes per step and source
        assert 599 < spikes.steps[-1] <= 602
        assert abs(len(spikes) / (4 * RATE * 0.055) - 1) < 4 / np.sqrt(4 * RATE * 0.055)
        assert len(result.spikes["silent"]) == 0


@pytest.mark.brian2
def test_the_program_runs_by_itself_and_leaves_the_export_alone(tmp_path: Path) -> None:
    instance = counters()
    path = export(instance, "brian2", tmp_path / "export").path
    before = contents(path)
    command = [sys.executable, str(path / "run.py"), "--out", "here"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert contents(path) == before
    assert read_spikes(tmp_path / "here/spikes.h5").keys() == instance.populations.keys()
    assert read_reports(tmp_path / "here/V_m.h5")["all"].values.shape == (999, 200)


def contents(path: Path) -> Mapping[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.mark.brian2
def test_a_delay_below_the_resolution_is_named(tmp_path: Path) -> None:
    instance = counters()
    edges = instance.projections["T_to"]
    block = replace(next(edges.blocks()), delay=np.zeros(4, np.int32))
    projections = {"T_to": ArrayEdges("T_to", "T", "shared", block)}
    with pytest.raises(SimulationError, match="T_to: a delay is shorter than the resolution"):
        program_run(replace(instance, projections=projections), tmp_path)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--threads 2: brian2 simulates in one thread"):
        Brian2Runner().run_files(tmp_path, tmp_path, threads=2, progress=Silent())
    monkeypatch.setattr(runner_module, "version", lambda name: "1")
    with pytest.raises(FormatError, match=r"there is no run\.py"):
        Brian2Runner().run_files(tmp_path, tmp_path, threads=None, progress=Silent())

    def absent(name: str) -> str:
        raise runner_module.PackageNotFoundError(name)

    monkeypatch.setattr(runner_module, "version", absent)
    with pytest.raises(MissingDependencyError, match=r"mc-interchange\[brian2\]"):
        Brian2Runner().run_files(tmp_path, tmp_path, threads=None, progress=Silent())
