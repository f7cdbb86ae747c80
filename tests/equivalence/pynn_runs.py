"""Exporting an instance for PyNN and running it with one simulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mc_interchange import NetworkInstance, export
from mc_interchange.equivalence import compare_spikes
from mc_interchange.exporters.pynn import PyNNOptions
from mc_interchange.instance import ArrayEdges, MixedNeurons, Nodes
from mc_interchange.network import Neuron, PoissonInput
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
