"""How EDEN and NetPyNE, with physical parameters, deviate from NEST: the tables of ``docs/neuroml-simulators.md``.

``python benchmarks/neuroml_deviations.py [spikes] [potentials] [size]``; without arguments, all of it (half an hour).
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine

from mc_interchange import registry
from mc_interchange.contracts import FileRunner
from mc_interchange.errors import InterchangeError
from mc_interchange.export import export
from mc_interchange.instance import NetworkInstance, freeze_inputs, realize
from mc_interchange.network import (
    Explicit,
    Network,
    Neuron,
    Population,
    Projection,
    Simulation,
    SpikeTrains,
    VirtualPopulation,
    VoltageRecording,
)
from mc_interchange.progress import Silent
from mc_interchange.reading import build
from mc_interchange.runs import Run

SIMULATORS = ("eden", "netpyne")
#: Spikes of a neuron with the same number that lie farther apart than this have parted, in ms.
PARTED = 1.0


def simulate(instance: NetworkInstance, simulator: str) -> tuple[Run, float]:
    """Run an instance; the seconds are those of the tool, without the export."""
    runner = registry.load("runner", simulator)
    if not isinstance(runner, FileRunner):
        return runner.run(instance), 0.0
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory) / "work"
        scratch.mkdir()
        exporter = registry.load("exporter", runner.format)
        options = exporter.Options(**{"encoding": "xml", **runner.export_options})
        files = export(instance, exporter, Path(directory) / "files", options).path
        start = time.perf_counter()
        run = runner.run_files(files, scratch, threads=None, progress=Silent())
        return run, time.perf_counter() - start


def microcircuit(drive: str, dt: float, **changes: Any) -> NetworkInstance:
    """155 neurons and 5,973 synapses that fire, for 300 ms."""
    arguments = {"n_scale": 0.002, "k_scale": 0.01, "duration": 300.0, "discard": 0.0, "dt": dt}
    drives = {
        "dc": {"background": "dc", "bg_rate": 12.0},
        "frozen": {"background": "poisson", "bg_rate": 16.0},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return freeze_inputs(realize(build("pd14", **{**arguments, **drives[drive], **changes})))


def parting(one: Run, other: Run) -> float:
    """Return the time in ms at which a neuron first fires more than ``PARTED`` apart in two runs, or in one only."""
    first = one.duration
    for name in one.spikes:
        for neuron in range(one.sizes[name]):
            a, b = (r.spikes[name].steps[r.spikes[name].neurons == neuron] * r.dt for r in (one, other))
            n = min(len(a), len(b))
            apart = np.flatnonzero(np.abs(a[:n] - b[:n]) > PARTED)
            ends = [min(a[apart[0]], b[apart[0]])] if len(apart) else []
            if len(a) != len(b):
                ends.append((a if len(a) > n else b)[n])
            first = min([first, *ends])
    return float(first)


def spikes() -> None:
    """Number of spikes, and when the runs part."""
    print("| drive | dt (ms) | NEST | " + " | ".join(f"{s}: spikes, ratio, parts at" for s in SIMULATORS) + " |")
    for drive in ("dc", "frozen"):
        for dt in (0.1, 0.05, 0.025):
            instance = microcircuit(drive, dt)
            reference, _ = simulate(instance, "nest")
            cells = []
            for simulator in SIMULATORS:
                try:
                    run, _ = simulate(instance, simulator)
                except InterchangeError as error:
                    cells.append(str(error))
                    continue
                ratio = run.n_spikes / reference.n_spikes
                cells.append(f"{run.n_spikes}, {ratio:.3f}, {parting(reference, run):.1f} ms")
            print(f"| {drive} | {dt:g} | {reference.n_spikes} | {' | '.join(cells)} |", flush=True)


def potentials() -> None:
    """Deviation of the potential of one neuron that gets replayed spikes and does not fire."""
    parameters = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
    parameters |= {"E_L": -65.0, "V_th": 1e6, "V_reset": -65.0, "I_e": 300.0}
    print("| dt (ms) | " + " | ".join(f"{s}: median, largest (mV)" for s in SIMULATORS) + " |")
    for dt in (0.1, 0.05, 0.025, 0.01):
        times = tuple(np.arange(5.0, 190.0, 2.3).round(1).tolist())
        network = Network(
            name="one",
            populations=(
                VirtualPopulation(name="T", size=1, activity=SpikeTrains(times=(times,))),
                Population(name="A", size=1, neuron=Neuron(model="iaf_psc_exp", parameters=parameters)),
            ),
            projections=(
                Projection(source="T", target="A", rule=Explicit(sources=(0,), targets=(0,)), weight=90.0, delay=1.5),
            ),
            simulation=Simulation(
                dt=dt, duration=200.0, record_V_m=(VoltageRecording(population="A", neurons=(0,), interval=dt),)
            ),
        )
        instance = realize(network, 1)
        reference = simulate(instance, "nest")[0].voltages["A"].values
        cells = []
        for simulator in SIMULATORS:
            values = simulate(instance, simulator)[0].voltages["A"].values[: len(reference)]
            apart = np.abs(values - reference)
            cells.append(f"{np.median(apart):.2g}, {apart.max():.2g}")
        print(f"| {dt:g} | {' | '.join(cells)} |", flush=True)


def size() -> None:
    """Seconds by number of synapses."""
    print("| neurons | synapses | model time | " + " | ".join(SIMULATORS) + " |")
    for n_scale, k_scale, bg_rate, simulators in (
        (0.002, 0.01, 12.0, SIMULATORS),
        (0.01, 0.02, 12.0, SIMULATORS),
        (0.03, 0.06, 9.0, ("eden",)),
    ):
        instance = microcircuit("dc", 0.1, n_scale=n_scale, k_scale=k_scale, bg_rate=bg_rate)
        cells = [f"{simulate(instance, s)[1]:.1f} s" if s in simulators else "" for s in SIMULATORS]
        print(f"| {instance.n_neurons} | {instance.n_edges} | 300 ms | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Make the tables."""
    print(machine())
    for name in sys.argv[1:] or ("spikes", "potentials", "size"):
        {"spikes": spikes, "potentials": potentials, "size": size}[name]()


if __name__ == "__main__":
    main()
