"""An export and a run of it in bluepysnap, from one simulation config, with no edit by hand."""

from __future__ import annotations

import bluepysnap
import networks
import numpy as np
import pytest

from mc_interchange import export, realize
from mc_interchange.network import VoltageRecording
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run, write_run


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[bluepysnap.Simulation, Run]:
    """A circuit with inputs of all kinds, and its run where the simulation config looks for it."""
    network = networks.step_network()
    recording = VoltageRecording(population="L5E", neurons=(3, 0, 7), interval=0.5)
    simulation = network.simulation.model_copy(update={"record_V_m": (recording,)})
    instance = realize(network.model_copy(update={"simulation": simulation}))
    directory = export(instance, "sonata", tmp_path_factory.mktemp("snap") / "sonata").path
    run = NestRunner().run(instance)
    assert run.n_spikes >= 300
    (directory / "output").mkdir()
    write_run(run, directory / "output")
    return bluepysnap.Simulation(str(directory / "simulation_config.snap.json")), run


def test_spikes(simulated: tuple[bluepysnap.Simulation, Run]) -> None:
    simulation, run = simulated
    assert set(simulation.spikes.population_names) == set(run.spikes)
    for name, spikes in run.spikes.items():
        found = simulation.spikes[name].get()
        assert np.array_equal(np.rint(found.index.to_numpy() * 10), spikes.steps)
        assert np.array_equal(found.to_numpy(), spikes.neurons)


def test_soma_report(simulated: tuple[bluepysnap.Simulation, Run]) -> None:
    simulation, run = simulated
    frames = simulation.reports["V_m_L5E"]["L5E"].get()
    assert frames.columns.tolist() == [0, 3, 7]
    expected = run.voltages["L5E"].values
    assert np.array_equal(frames.to_numpy(), expected.astype(np.float32))
    assert np.ptp(expected, axis=0).min() > 1  # mV: the potentials do move
    assert simulation.reports["V_m_L5E"]["L5E"].nodes.size == run.sizes["L5E"]


def test_inputs(simulated: tuple[bluepysnap.Simulation, Run]) -> None:
    simulation, _ = simulated
    few = simulation.inputs["few.current"]
    assert (few.amp_start, few.amp_end) == (0.4, 0.4)  # nA
    # nothing is delivered in the very first step
    assert (few.delay, few.duration) == (1.6, 45.2)
    assert simulation.circuit.nodes["L4E"].ids(simulation.node_sets[few.node_set]).tolist() == [3, 8, 100, 207]
