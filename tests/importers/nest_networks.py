"""Small networks built in NEST by hand, and running them there and from their capture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nest
import numpy as np

from mc_interchange import NetworkInstance, export, open_model
from mc_interchange.importers.nest import capture
from mc_interchange.instance import freeze_inputs
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

DURATION = 200.0


def empty_kernel(threads: int = 1) -> None:
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.local_num_threads = threads


def inputs(n: int = 40, rate: float = 200.0, seed: int = 1) -> Any:
    """Spike generators with trains of their own: something irregular that is the same in every run."""
    generator = np.random.default_rng(seed)
    sources = nest.Create("spike_generator", n)
    for source in sources:
        steps = np.unique(generator.integers(1, round(DURATION * 10), round(rate * DURATION / 1000)))
        source.set({"spike_times": steps / 10})
    return sources


def relays(n: int = 40, rate: float = 200.0) -> Any:
    """Parrot neurons that repeat such trains: unlike a generator, they take every synapse model."""
    neurons = nest.Create("parrot_neuron", n)
    nest.Connect(inputs(n, rate), neurons, "one_to_one", {"delay": 0.7})
    return neurons


def connected(sources: Any, targets: Any, indegree: int, weight: float, delay: float = 1.5, **synapse: Any) -> None:
    """Connect with weights that all differ, multapses and autapses among them."""
    parameters = {"weight": nest.random.normal(weight, abs(weight) / 5), "delay": delay, **synapse}
    nest.Connect(sources, targets, {"rule": "fixed_indegree", "indegree": indegree}, parameters)


def spikes_of(populations: Mapping[str, Any], recorder: Any) -> dict[str, list[tuple[int, int]]]:
    """Return (step, index) of all spikes by population, sorted."""
    events = recorder.events
    steps = np.rint(np.asarray(events["times"]) / nest.resolution).astype(int)
    found = {}
    for name, nodes in populations.items():
        index = {node: i for i, node in enumerate(nodes.tolist())}
        pairs = zip(steps.tolist(), np.asarray(events["senders"]).astype(int).tolist(), strict=True)
        found[name] = sorted((step, index[node]) for step, node in pairs if node in index)
    return found


def spikes_of_run(run: Run) -> dict[str, list[tuple[int, int]]]:
    """Return the same of a run."""
    return {
        name: sorted(zip(spikes.steps.tolist(), spikes.neurons.tolist(), strict=True))
        for name, spikes in run.spikes.items()
    }


def both_ways(
    build: Callable[[], Mapping[str, Any]], directory: Path, *, frozen: bool = False
) -> tuple[dict[str, list[tuple[int, int]]], dict[str, list[tuple[int, int]]], NetworkInstance]:
    """Build a network, capture it, simulate it where it is, and run its SONATA export.

    Parameters
    ----------
    frozen
        Draw the spikes of Poisson generators beforehand.

    Returns
    -------
    tuple
        The spikes in the kernel, those from the export, and the captured network.
    """
    empty_kernel()
    populations = build()
    recorder = nest.Create("spike_recorder")
    for nodes in populations.values():
        nest.Connect(nodes, recorder)
    instance = capture(populations, duration=DURATION)
    given = freeze_inputs(instance) if frozen else instance
    path = export(given, "sonata", directory / "sonata").path
    nest.Simulate(DURATION)
    there = spikes_of(populations, recorder)
    loaded = open_model(path)
    assert loaded.digest().differences(given.digest()) == []
    return there, spikes_of_run(NestRunner().run(loaded)), instance


def two_populations() -> dict[str, Any]:
    """Twenty and five neurons, the second with parameters of their own."""
    a = nest.Create("iaf_psc_exp", 20, params={"I_e": 100.0, "C_m": 250.0})
    b = nest.Create("iaf_psc_exp", 5)
    b.set({"V_m": [-60.0, -61.0, -62.0, -63.0, -64.0], "tau_m": [10.0, 11.0, 12.0, 13.0, 14.0]})
    nest.Connect(a, b, {"rule": "fixed_total_number", "N": 300}, {"weight": nest.random.normal(50.0, 5.0)})
    nest.Connect(b, a, {"rule": "fixed_indegree", "indegree": 2}, {"weight": -7.25, "delay": 0.3})
    return {"A": a, "B": b}
