"""Exporting an instance for PyNN and running it with one simulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mc_interchange import NetworkInstance, export
from mc_interchange.equivalence import compare_spikes
from mc_interchange.exporters.pynn import PyNNOptions
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, MixedNeurons, Nodes
from mc_interchange.network import CATALOGUE, Neuron, PoissonInput, Simulation, VoltageRecording
from mc_interchange.progress import Silent
from mc_interchange.runners.programs import ProgramRunner
from mc_interchange.runs import Run


def run_pynn(runner: ProgramRunner, instance: NetworkInstance, directory: Path, **options: object) -> Run:
    """Export into ``directory`` and run there."""
    number = len(list(directory.iterdir()))
    scratch = directory / f"scratch{number}"
    scratch.mkdir()
    path = export(instance, "pynn", directory / f"export{number}", PyNNOptions(**options)).path
    return runner.run_files(path, scratch, threads=None, progress=Silent())


def assert_identical(reference: Run, run: Run, at_least: int = 1000) -> None:
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= at_least  # silence cannot pass


def neurons_of(instance: NetworkInstance) -> NetworkInstance:
    """Return an instance that records the spikes of its neurons only."""
    names = tuple(name for name, nodes in instance.populations.items() if not nodes.virtual)
    return replace(instance, simulation=instance.simulation.model_copy(update={"record_spikes": names}))


def changed(instance: NetworkInstance, population: str, **parameters: float) -> NetworkInstance:
    """Return an instance with other parameters of one population."""
    nodes = instance.populations[population]
    assert isinstance(nodes, Nodes)
    assert isinstance(nodes.neuron, Neuron)
    assert not isinstance(nodes.neuron, MixedNeurons)
    neuron = Neuron(model=nodes.neuron.model, parameters={**nodes.neuron.parameters, **parameters})
    return replace(
        instance, network=None, populations={**instance.populations, population: replace(nodes, neuron=neuron)}
    )


def with_weights(instance: NetworkInstance, factor: float) -> NetworkInstance:
    """Return an instance in which all weights are multiplied."""
    projections = {}
    for name, edges in instance.projections.items():
        blocks = list(edges.blocks())
        block = replace(
            blocks[0],
            **{
                key: np.concatenate([getattr(b, key) for b in blocks])
                for key in ("source", "target", "weight", "delay")
            },
        )
        block = replace(block, weight=block.weight.astype(float) * factor)
        projections[name] = ArrayEdges(name, edges.source, edges.target, block)
    inputs = tuple(
        item.model_copy(update={"weight": item.weight * factor}) if isinstance(item, PoissonInput) else item
        for item in instance.inputs
    )
    return replace(instance, network=None, projections=projections, inputs=inputs)


def only(instance: NetworkInstance, *names: str) -> NetworkInstance:
    """Leave out all other populations of neurons."""
    simulation = instance.simulation.model_copy(
        update={
            "record_spikes": names,
            "record_V_m": tuple(r for r in instance.simulation.record_V_m if r.population in names),
        }
    )
    return replace(
        instance,
        populations={name: nodes for name, nodes in instance.populations.items() if nodes.virtual or name in names},
        projections={name: edges for name, edges in instance.projections.items() if edges.target in names},
        simulation=simulation,
    )


def every_model() -> NetworkInstance:
    """A population for each model that PyNN has, under spikes of both signs and a current."""
    cells = {name: entry for name, entry in CATALOGUE.items() if "pynn" in entry.elsewhere}
    # weight of an excitatory spike: in pA, mV or nS
    weights = {"pA": 400.0, "mV": 4.0, "nS": 12.0}
    populations = {
        "S": Nodes(
            "S", 2, activity=ArrayTrains(2, [0] * 60 + [1] * 20, [*np.arange(5.0, 125.0, 2.0), *range(30, 130, 5)])
        )
    }
    projections = {}
    for name, entry in cells.items():
        own = {"E_L": -65.0, "V_th": -50.0, "V_reset": -63.0, "tau_syn_ex": 1.5, "tau_syn_in": 3.0, "I_e": 150.0}
        own |= {"w": 20.0, "U_m": -12.0} if name != "izhikevich" else {"U_m": -12.0, "I_e": 4.0}
        if name == "izhikevich":
            del own["V_th"]
        parameters = {p.name: own.get(p.name, p.nest) for p in entry.parameters}
        # two neurons differ in a parameter that PyNN has under another name and unit
        varying = {} if name == "izhikevich" else {"C_m": np.array([250.0, 180.0]), "I_e": np.array([150.0, 110.5])}
        populations[name] = Nodes(
            name, 2, Neuron(model=name, parameters=parameters), np.array([-64.0, -60.5]), varying=varying
        )
        weight = weights[entry.weight_unit]
        block = EdgeBlock(
            source=np.array([0, 0, 1, 1], np.uint32),
            target=np.array([0, 1, 0, 1], np.uint32),
            weight=np.array([weight, weight / 2, -weight, -weight / 3]),
            delay=np.array([10, 15, 5, 12], np.uint32),
        )
        projections[f"S_to_{name}"] = ArrayEdges(f"S_to_{name}", "S", name, block)
    recordings = tuple(VoltageRecording(population=name, neurons=(0, 1), interval=0.1) for name in cells)
    simulation = Simulation(dt=0.1, duration=150.0, record_spikes=tuple(cells), record_V_m=recordings)
    return NetworkInstance("every_model", populations, projections, (), simulation)
