"""Exports read back with libsonata and bluepysnap, edge for edge, with no edit by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bluepysnap
import libsonata
import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, realize
from mc_interchange.instance import EdgeBlock, digest_block
from mc_interchange.instance.instance import pair
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import write_run


@pytest.fixture(scope="module")
def instance() -> NetworkInstance:
    network = build(
        "pd14",
        n_scale=0.01,
        k_scale=0.05,
        thalamus=True,
        duration=60.0,
        discard=0.0,
    )
    return realize(network)


@pytest.fixture(scope="module")
def directory(instance: NetworkInstance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(instance, "sonata", tmp_path_factory.mktemp("sonata") / "pd14").path


@pytest.fixture(scope="module")
def circuit(directory: Path) -> libsonata.CircuitConfig:
    return libsonata.CircuitConfig.from_file(str(directory / "circuit_config.json"))


def read(population: libsonata.EdgePopulation, selection: libsonata.Selection, dt: float) -> EdgeBlock:
    return EdgeBlock(
        population.source_nodes(selection).astype(np.uint32),
        population.target_nodes(selection).astype(np.uint32),
        population.get_attribute("syn_weight", selection),
        np.rint(population.get_attribute("delay", selection) / dt).astype(np.int32),
    )


def test_every_edge(instance: NetworkInstance, circuit: libsonata.CircuitConfig) -> None:
    digest = instance.digest()
    assert circuit.edge_populations == set(instance.projections)
    for name in circuit.edge_populations:
        population = circuit.edge_population(name)
        edges = instance.projections[name]
        assert (population.source, population.target, population.size) == (edges.source, edges.target, edges.n_edges)
        block = read(population, population.select_all(), instance.simulation.dt)
        assert digest_block(block) == digest.edges[pair(edges)]


def test_indices(instance: NetworkInstance, circuit: libsonata.CircuitConfig) -> None:
    population = circuit.edge_population("L4E_to_L23E")
    block = read(population, population.select_all(), instance.simulation.dt)
    for node in (0, 17, instance.populations["L23E"].size - 1):
        assert population.afferent_edges([node]).flatten().tolist() == np.flatnonzero(block.target == node).tolist()
    for node in (0, 17, instance.populations["L4E"].size - 1):
        found = np.sort(population.efferent_edges([node]).flatten())
        assert found.tolist() == np.flatnonzero(block.source == node).tolist()


def test_every_node(instance: NetworkInstance, circuit: libsonata.CircuitConfig) -> None:
    assert circuit.node_populations == set(instance.populations)
    for name, nodes in instance.populations.items():
        population = circuit.node_population(name)
        assert population.size == nodes.size
        if nodes.V_m is not None:
            values = population.get_dynamics_attribute("V_m", population.select_all())
            assert np.array_equal(values, nodes.V_m)
        if nodes.positions is not None:
            assert np.array_equal(population.get_attribute("y", population.select_all()), nodes.positions[:, 1])


def test_configs_and_node_sets(instance: NetworkInstance, directory: Path) -> None:
    simulation = libsonata.SimulationConfig.from_file(str(directory / "simulation_config.snap.json"))
    assert simulation.run.dt == instance.simulation.dt
    assert simulation.run.tstop == instance.simulation.duration
    assert simulation.run.random_seed == instance.seed
    sets = libsonata.NodeSets.from_file(str(directory / "node_sets.json"))
    assert sets.names == set(instance.populations)


def test_bluepysnap_opens_the_circuit(instance: NetworkInstance, directory: Path) -> None:
    circuit = bluepysnap.Circuit(str(directory / "circuit_config.json"))
    assert set(circuit.nodes.population_names) == set(instance.populations)
    edges = circuit.edges["L4E_to_L23E"]
    assert edges.size == instance.projections["L4E_to_L23E"].n_edges
    weights = edges.get([0, 1, 2], ["syn_weight"])["syn_weight"].to_numpy()
    first = next(instance.projections["L4E_to_L23E"].blocks())
    assert np.array_equal(weights, first.weight[:3])


def test_output_of_a_run(instance: NetworkInstance, tmp_path: Path) -> None:
    simulation = type(instance.simulation)(
        **{
            **instance.simulation.model_dump(),
            "record_V_m": [{"population": "L5E", "neurons": [3, 0, 7], "interval": 0.5}],
        }
    )
    run = NestRunner().run(replace(instance, simulation=simulation))
    assert run.n_spikes > 50
    write_run(run, tmp_path)
    reader = libsonata.SpikeReader(str(tmp_path / "spikes.h5"))
    assert set(reader.get_population_names()) == set(instance.populations)
    for name in instance.populations:
        population = reader[name]
        assert population.sorting == "by_time"
        spikes = population.get()
        assert [node for node, _ in spikes] == run.spikes[name].neurons.tolist()
        assert np.rint([time * 10 for _, time in spikes]).tolist() == run.spikes[name].steps.tolist()
    report = libsonata.SomaReportReader(str(tmp_path / "V_m.h5"))["L5E"]
    assert report.get_node_ids() == [0, 3, 7]
    frame = report.get()
    assert np.allclose(frame.data, run.voltages["L5E"].values, atol=1e-4)
    assert np.allclose(frame.times, run.voltages["L5E"].times)
