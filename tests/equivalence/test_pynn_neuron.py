"""Rung three in PyNN with NEURON: identical with matched parameters; with physical ones, each deviation measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matched_networks import dc, driven, equivalent, frozen, kinds, larger, subthreshold
from pynn_runs import assert_identical, every_model, neurons_of, only, run_pynn, with_weights

from mc_interchange import NetworkInstance
from mc_interchange.errors import SimulationError
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml.neuron import compiler_missing
from mc_interchange.runners.pynn import PyNNNeuronRunner

pytest.importorskip("pyNN")
pytest.importorskip("neuron")

pytestmark = [
    pytest.mark.slow,  # PyNN's mechanisms are compiled first
    pytest.mark.skipif(compiler_missing() is not None, reason=f"{compiler_missing()}"),
]


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> PyNNNeuronRunner:
    class Kept(PyNNNeuronRunner):
        mechanisms = tmp_path_factory.mktemp("mechanisms")

    return Kept()


@pytest.mark.parametrize("network", [dc, frozen])
def test_pd14_with_matched_parameters_fires_as_in_nest(
    runner: PyNNNeuronRunner, tmp_path: Path, network: Callable[[], NetworkInstance]
) -> None:
    """So all that differs with physical parameters is the integration."""
    instance = network()
    assert_identical(NestRunner().run(instance), run_pynn(runner, instance, tmp_path, matched=True))


@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_step_currents_replayed_spikes_and_potentials(runner: PyNNNeuronRunner, tmp_path: Path, dt: float) -> None:
    """Spikes, also of neurons that start above threshold; potentials but for the step of a spike."""
    instance = neurons_of(kinds(dt))
    reference, run = NestRunner().run(instance), run_pynn(runner, instance, tmp_path, matched=True)
    assert_identical(reference, run, 150)
    assert any((spikes.steps == 1).any() for spikes in reference.spikes.values())
    for name, report in reference.voltages.items():
        n = len(report.values)
        deviation = np.abs(run.voltages[name].values[:n] - report.values)
        for column, neuron in enumerate(report.neurons.tolist()):
            fired = reference.spikes[name].steps[reference.spikes[name].neurons == neuron] - 1
            # NEURON shows the potential before the reset
            assert np.delete(deviation[:, column], fired[fired < n]).max() < 1e-5


def test_a_larger_network(runner: PyNNNeuronRunner, tmp_path: Path) -> None:
    """Also in the last step: the program takes one step more, in which NEURON notices the spikes of the last."""
    instance = larger()
    run = run_pynn(runner, instance, tmp_path, matched=True)
    assert_identical(NestRunner().run(instance), run)
    assert max(spikes.steps.max() for spikes in run.spikes.values()) == instance.simulation.n_steps


def test_potentials_converge_in_the_first_order(runner: PyNNNeuronRunner, tmp_path: Path) -> None:
    deviations = []
    for dt in (0.1, 0.025):
        every = round(0.1 / dt)
        instance = subthreshold(dt)
        theirs, ours = (
            run.voltages["A"].values[every - 1 :: every]
            for run in (NestRunner().run(instance), run_pynn(runner, instance, tmp_path))
        )
        n = min(len(theirs), len(ours))
        assert n >= 890
        deviations.append(np.abs(ours[:n] - theirs[:n]).mean())
    assert deviations[0] < 0.04
    assert 0.8 < np.log(deviations[0] / deviations[1]) / np.log(4) < 1.2


def test_synapses_are_stronger_by_what_the_current_does_not_decay_within_a_step(
    runner: PyNNNeuronRunner, tmp_path: Path
) -> None:
    """The charge of a synapse is w h / (1 - exp(-h/tau_syn)) instead of w tau_syn: 10.3 % more at 0.1 and 0.5 ms."""
    h, tau_syn = 0.1, 0.5
    factor = h / tau_syn / (1 - np.exp(-h / tau_syn))
    run = run_pynn(runner, driven(), tmp_path)
    explained, reference = NestRunner().run(with_weights(driven(), factor)), NestRunner().run(driven())
    for name in ("E", "I"):
        assert equivalent(explained, run, name)
        assert not equivalent(reference, run, name)


def test_every_other_model(runner: PyNNNeuronRunner, tmp_path: Path) -> None:
    """Spikes of the first in each population within 0.5 ms; what PyNN has no sound model of is refused by name."""
    instance = every_model()
    for name, message in (
        ("iaf_psc_delta", r"iaf_psc_delta: pyNN\.neuron has no IF_curr_delta"),
        ("aeif_cond_exp", r"aeif_cond_exp: pyNN\.neuron loses most spikes of EIF_cond_exp_isfa_ista"),
        ("aeif_cond_alpha", r"aeif_cond_alpha: pyNN\.neuron loses most spikes"),
    ):
        with pytest.raises(SimulationError, match=message):
            run_pynn(runner, only(instance, name), tmp_path)
    kept = only(instance, "iaf_psc_exp", "iaf_psc_alpha", "iaf_cond_exp", "iaf_cond_alpha", "izhikevich")
    reference, run = NestRunner().run(kept), run_pynn(runner, kept, tmp_path)
    for name in kept.simulation.record_spikes or ():
        theirs, ours = reference.spikes[name], run.spikes[name]
        assert abs(len(theirs) - len(ours)) <= 1
        assert abs(int(theirs.steps[0]) - int(ours.steps[0])) <= 5
