"""Rung three in PyNN with NEST: the program that is exported fires as NEST does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matched_networks import BASE, dc, driven, equivalent, frozen, kinds, with_one_other_weight
from pynn_runs import assert_identical, every_model, neurons_of, run_pynn

from mc_interchange import NetworkInstance
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import SimulationError
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, Nodes
from mc_interchange.network import Neuron, Simulation
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.pynn import PyNNNestRunner

pytest.importorskip("pyNN")


@pytest.mark.parametrize("network", [dc, frozen])
def test_pd14_fires_as_in_nest(tmp_path: Path, network: Callable[[], NetworkInstance]) -> None:
    """5,973 synapses, among them autapses and many that join the same two neurons with different weights."""
    instance = network()
    run = run_pynn(PyNNNestRunner(), instance, tmp_path)
    assert_identical(NestRunner().run(instance), run)
    if network is dc:
        assert not compare_spikes(NestRunner().run(with_one_other_weight(instance)), run).identical


@pytest.mark.parametrize("dt", [0.1, pytest.param(0.025, marks=pytest.mark.slow)])
def test_step_currents_replayed_spikes_and_potentials(tmp_path: Path, dt: float) -> None:
    """Potentials, too, to the last digit."""
    instance = neurons_of(kinds(dt))
    reference, run = NestRunner().run(instance), run_pynn(PyNNNestRunner(), instance, tmp_path)
    assert_identical(reference, run, 150)
    for name, report in reference.voltages.items():
        ours = run.voltages[name]
        n = len(report.values)
        assert n >= 100 / dt
        np.testing.assert_array_equal(ours.neurons, report.neurons)
        np.testing.assert_allclose(ours.times[:n], report.times, rtol=1e-12)
        np.testing.assert_array_equal(ours.values[:n], report.values)


def test_every_model_that_pynn_has(tmp_path: Path) -> None:
    """Spikes identical; potentials to rounding, since a leak conductance goes through a time constant."""
    instance = every_model()
    reference, run = NestRunner().run(instance), run_pynn(PyNNNestRunner(), instance, tmp_path)
    assert_identical(reference, run, 50)
    assert len(reference.spikes) == 8
    for name, report in reference.voltages.items():
        assert np.ptp(report.values) > 5.0
        np.testing.assert_allclose(run.voltages[name].values[: len(report.values)], report.values, atol=1e-4)
    assert all(len(spikes) for spikes in reference.spikes.values())


@pytest.mark.slow
def test_rates_under_poisson_input_are_equal(tmp_path: Path) -> None:
    """Two one-sided tests at 5 % that the mean rates of each population lie within 10 % of each other."""
    reference, run = NestRunner().run(driven()), run_pynn(PyNNNestRunner(), driven(), tmp_path)
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)
        # the test has the power to reject what is wrong by as much
        assert not equivalent(NestRunner().run(driven(weight=330.0)), run, name)


def test_a_spike_in_the_first_step_is_refused(tmp_path: Path) -> None:
    neuron = Neuron(model="iaf_psc_exp", parameters=BASE)
    populations = {
        "S": Nodes("S", 1, activity=ArrayTrains(1, [0], [0.1])),
        "A": Nodes("A", 1, neuron, np.array([-60.0])),
    }
    block = EdgeBlock(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.full(1, 50.0), np.full(1, 10, np.uint32))
    edges = {"S_to_A": ArrayEdges("S_to_A", "S", "A", block)}
    instance = NetworkInstance("early", populations, edges, (), Simulation(duration=5.0))
    with pytest.raises(SimulationError, match=r"S: pyNN\.nest can emit no spike in the first step \(0\.1 ms\)"):
        run_pynn(PyNNNestRunner(), instance, tmp_path)
