"""The network of the PyPI package ``microcircuit``, captured whole, without naming anything in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nest
import numpy as np
import pytest
from microcircuit.network import Network
from microcircuit.network_params import default_net_dict
from microcircuit.sim_params import default_sim_dict
from microcircuit.stimulus_params import default_stim_dict
from nest_networks import empty_kernel, spikes_of_run
from scipy.stats import poisson

from mc_interchange import NetworkInstance, export, open_model
from mc_interchange.importers.nest import capture
from mc_interchange.network import PoissonInput, StepCurrent
from mc_interchange.runners.nest import NestRunner


def build(directory: Path, n_scale: float, k_scale: float, background: str, **stimuli: Any) -> Network:
    """Let the package build its network in the kernel."""
    empty_kernel()
    simulation = {"data_path": f"{directory}/", "rec_dev": ["spike_recorder"], "print_time": False, "rng_seed": 7}
    network = {"N_scaling": n_scale, "K_scaling": k_scale, "bg_input_type": background}
    circuit = Network(
        {**default_sim_dict, **simulation, "local_num_threads": 1, "store_metadata": False},
        {**default_net_dict, **network},
        {**default_stim_dict, **stimuli},
    )
    circuit.create()
    circuit.connect()
    return circuit


def neurons_in_order(instance: NetworkInstance) -> dict[str, int]:
    """Return how many neurons were created before those of each population."""
    before, found = 0, {}
    for name, nodes in instance.populations.items():
        found[name] = before
        before += nodes.size
    return found


def all_connections() -> list[tuple[int, ...]]:
    """Return all connections between neurons as NEST lists them, with the neurons in order and delays in steps."""
    nodes = nest.GetNodes({"model": "iaf_psc_exp"}) + nest.GetNodes({"model": "parrot_neuron"})
    table = nest.GetConnections(nodes, nodes).get(["source", "target", "weight", "delay"])
    source, target = (np.searchsorted(nodes.tolist(), table[end]).tolist() for end in ("source", "target"))
    delay = np.rint(np.array(table["delay"]) * 10).astype(int).tolist()
    return sorted(zip(source, target, table["weight"], delay, strict=True))


def all_edges(instance: NetworkInstance) -> list[tuple[int, ...]]:
    """Return the same of an instance."""
    first = neurons_in_order(instance)
    found: list[tuple[int, ...]] = []
    for edges in instance.projections.values():
        for block in edges.blocks():
            source = block.source.astype(int) + first[edges.source]
            target = block.target.astype(int) + first[edges.target]
            found += zip(source.tolist(), target.tolist(), block.weight.tolist(), block.delay.tolist(), strict=True)
    return sorted(found)


def test_with_direct_current_every_spike_is_the_same(tmp_path: Path) -> None:
    duration = 200.0
    circuit = build(tmp_path, 0.01, 0.5, "dc", dc_transient=True, dc_transient_start=50.0, dc_transient_dur=20.0)
    recorder = nest.Create("spike_recorder")
    every = nest.GetNodes({"model": "iaf_psc_exp"})
    nest.Connect(every, recorder)
    instance = capture(duration=duration)
    assert [nodes.size for nodes in instance.populations.values()] == [len(nodes) for nodes in circuit.pops]
    assert [type(item) for item in instance.inputs] == [StepCurrent] * 8
    path = export(instance, "sonata", tmp_path / "sonata").path
    nest.Simulate(duration)
    events = recorder.events
    there = sorted(zip(np.rint(events["times"] * 10).astype(int).tolist(), events["senders"].tolist(), strict=True))
    first = neurons_in_order(instance)
    spikes = spikes_of_run(NestRunner().run(open_model(path)))
    here = sorted((step, index + first[name] + 1) for name, pairs in spikes.items() for step, index in pairs)
    assert len(there) > 500  # silence cannot pass
    assert here == there


@pytest.fixture(scope="module")
def with_thalamus(tmp_path_factory: pytest.TempPathFactory) -> tuple[NetworkInstance, list[tuple[int, ...]]]:
    thalamus = {"thalamic_input": True, "th_start": 20.0, "th_duration": 100.0, "th_rate": 50.0, "num_th_neurons": 100}
    build(tmp_path_factory.mktemp("microcircuit"), 0.01, 0.1, "poisson", **thalamus)
    return capture(duration=200.0), all_connections()


def test_with_poisson_input_and_thalamus(with_thalamus: tuple[NetworkInstance, list[tuple[int, ...]]]) -> None:
    instance, expected = with_thalamus
    cortex = {f"iaf_psc_exp_{n}": size for n, size in enumerate((207, 58, 219, 55, 48, 11, 144, 29))}
    assert {name: nodes.size for name, nodes in instance.populations.items()} == {**cortex, "parrot_neuron_0": 100}
    assert all_edges(instance) == expected
    *background, thalamus = instance.inputs
    assert [(item.target, item.neurons) for item in background] == [(name, None) for name in cortex]
    assert thalamus == PoissonInput(
        name="parrot_neuron_0_poisson_0",
        target="parrot_neuron_0",
        rate=50.0,
        weight=1.0,
        delay=1.0,
        start=20.0,
        stop=120.0,
    )
    assert instance.simulation.record_spikes == tuple(cortex)


def test_rates_of_thalamus_and_cortex(with_thalamus: tuple[NetworkInstance, list[tuple[int, ...]]]) -> None:
    instance, _ = with_thalamus
    simulation = instance.simulation.model_copy(update={"record_spikes": None})
    run = NestRunner().run(
        NetworkInstance(instance.name, instance.populations, instance.projections, instance.inputs, simulation)
    )
    low, high = poisson.ppf([1e-6, 1 - 1e-6], 100 * 50.0 * 0.1)
    assert low <= len(run.spikes["parrot_neuron_0"]) <= high
    assert sum(len(spikes) for spikes in run.spikes.values()) - len(run.spikes["parrot_neuron_0"]) > 100
