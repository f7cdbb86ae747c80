"""How far jLEMS is from Brian2 and from closed forms, by step: order of convergence of networks read from Brian2.

Needs Brian2: run it in the environment of the tests of Brian2, as ``python benchmarks/brian2_convergence.py``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange import export
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runs import Run

# the networks are those of the tests
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "importers"))

from live_brian2 import Live, cuba, integrate_and_fire

STEPS = (0.2, 0.1, 0.05, 0.025)
FINEST = 0.01


def in_jlems(live: Live, **options: object) -> Run:
    with tempfile.TemporaryDirectory() as directory:
        path = export(live.instance, "neuroml", Path(directory) / "export", NeuroMLOptions(**options)).path
        scratch = Path(directory) / "run"
        scratch.mkdir()
        return JLemsRunner().run_files(path, scratch, threads=None, progress=Silent())


def show(title: str, deviations: dict[str, list[float]]) -> None:
    print(f"\n{title}\n{'step (ms)':>34} " + " ".join(f"{dt:>10g}" for dt in STEPS) + "   order")
    for name, values in deviations.items():
        order = np.polyfit(np.log(STEPS), np.log(values), 1)[0]
        print(f"{name:>34} " + " ".join(f"{value:>10.3g}" for value in values) + f"   {order:.2f}", flush=True)


def closed_form(neuron: int, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return V (mV) of a neuron of the first network, which has not fired yet."""
    return 20 * neuron / 99 * -np.expm1(-times / 10)


def first_spikes(steps: NDArray[np.int64], neurons: NDArray[np.int64], dt: float) -> float:
    """Return the mean distance of first spikes from their closed form, in ms."""
    drive = 20 * np.arange(60, 100) / 99
    expected = 10 * np.log(drive / (drive - 10))
    found = [steps[neurons == neuron].min() * dt for neuron in range(60, 100)]
    return float(np.abs(np.array(found) - expected).mean())


def integrate_and_fire_network() -> None:
    found: dict[str, list[float]] = {}
    for dt in STEPS:
        live = integrate_and_fire("exact", dt=dt, duration=60.0)
        run = in_jlems(live)
        V = run.voltages["cells"].values
        times = dt * np.arange(1, len(V) + 1)
        before = times < 9.0
        for column, neuron in ((0, 2), (1, 63)):
            distance = np.abs(V[before, column] - closed_form(neuron, times[before])).max()
            found.setdefault(f"V of neuron {neuron} before 9 ms, mV", []).append(float(distance))
        spikes = run.spikes["cells"]
        found.setdefault("first spikes, ms", []).append(first_spikes(spikes.steps, spikes.neurons, dt))
        own = np.array(sorted(live.spike_set(dt)))
        found.setdefault("first spikes of Brian2 itself, ms", []).append(first_spikes(own[:, 0], own[:, 1], dt))
    show("100 integrate-and-fire neurons in jLEMS, distance to the closed form", found)


def cuba_network() -> None:
    duration = 20.0
    every = round(1 / FINEST)
    reference = cuba("exact", dt=FINEST, duration=duration + 1).V()[every - 1 :: every][:20]
    found: dict[str, list[float]] = {}
    for dt in STEPS:
        live = cuba("exact", dt=dt, duration=duration + 1)
        V = in_jlems(live).voltages["cells"].values
        per_ms = round(1 / dt)
        for name, values in (("jLEMS", V), ("Brian2 itself (exact)", live.V())):
            distance = np.abs(values[per_ms - 1 :: per_ms][:20] - reference)
            found.setdefault(f"V in {name}, mean, mV", []).append(float(distance.mean()))
            found.setdefault(f"V in {name}, median, mV", []).append(float(np.median(distance)))
    show(f"CUBA, 400 neurons, {duration:g} ms, distance to Brian2 with {FINEST:g} ms", found)


if __name__ == "__main__":
    integrate_and_fire_network()
    cuba_network()
