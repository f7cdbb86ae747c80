"""The program for NEURON takes exact steps: every spike and potential is NEST's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matched_networks import dc, frozen, kinds, larger, with_one_other_weight
from neuron_program_networks import BASE, DT, all_models, corners, relays

from mc_interchange import NetworkInstance
from mc_interchange.equivalence import compare_spikes
from mc_interchange.equivalence.probes import check_probe, probe
from mc_interchange.network import Neuron, Simulation
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

RunNeuron = Callable[[NetworkInstance], Run]


def assert_identical(instance: NetworkInstance, run: Run, at_least: int) -> Run:
    reference = NestRunner().run(instance)
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= at_least  # silence cannot pass
    return reference


def test_pd14_under_direct_current_fires_as_in_nest(first: tuple[Run, Path]) -> None:
    instance = dc()
    assert_identical(instance, first[0], 1000)
    assert not compare_spikes(NestRunner().run(with_one_other_weight(instance)), first[0]).identical


def test_pd14_with_frozen_poisson_input_fires_as_in_nest(run_neuron: RunNeuron) -> None:
    instance = frozen()
    assert_identical(instance, run_neuron(instance), 1000)


@pytest.mark.slow
@pytest.mark.parametrize("network", [dc, frozen])
def test_identical_at_a_finer_resolution(run_neuron: RunNeuron, network: Callable[[float], NetworkInstance]) -> None:
    instance = network(0.025)
    assert_identical(instance, run_neuron(instance), 1000)


@pytest.mark.slow
def test_a_larger_network(run_neuron: RunNeuron) -> None:
    """Also in the last step, whose spikes NEURON notices in the next one."""
    instance = larger()
    run = run_neuron(instance)
    assert_identical(instance, run, 3000)
    assert max(spikes.steps.max() for spikes in run.spikes.values()) == instance.simulation.n_steps


@pytest.mark.slow
def test_a_long_run(run_neuron: RunNeuron) -> None:
    """NEURON adds up its time in floating point; 200,000 steps do not move a spike."""
    instance = replace(dc(), network=None, simulation=Simulation(dt=DT, duration=20_000.0))
    assert_identical(instance, run_neuron(instance), 50_000)


@pytest.mark.filterwarnings("ignore:.*are not multiples of dt")
@pytest.mark.parametrize("dt", [DT, pytest.param(0.025, marks=pytest.mark.slow)])
def test_all_kinds_of_input(run_neuron: RunNeuron, dt: float) -> None:
    """Measured: potentials differ by at most 5e-13 mV."""
    instance = kinds(dt)
    run = run_neuron(instance)
    reference = assert_identical(instance, run, 500)
    for name, report in reference.voltages.items():
        ours = run.voltages[name]
        np.testing.assert_array_equal(ours.neurons, report.neurons)
        np.testing.assert_allclose(ours.times[: len(report.times)], report.times, atol=1e-9)
        np.testing.assert_allclose(ours.values[: len(report.values)], report.values, rtol=0, atol=1e-11)


@pytest.mark.filterwarnings("ignore:.*are not multiples of dt")
def test_corners(run_neuron: RunNeuron) -> None:
    instance = corners()
    block = next(instance.projections["AA"].blocks())
    assert (block.source == block.target).any()
    run = run_neuron(instance)
    assert_identical(instance, run, 70)
    ever = run.spikes["A"].steps[run.spikes["A"].neurons == 0]
    assert (np.diff(ever) == 1).any()  # without a refractory time, it fires in every step
    assert [run.spikes[name].steps.max() for name in "AS"] == [500, 500]


@pytest.mark.parametrize("dt", [DT, pytest.param(0.025, marks=pytest.mark.slow)])
def test_all_models(run_neuron: RunNeuron, dt: float) -> None:
    """Measured: potentials differ by at most 3e-13 mV."""
    instance = all_models(dt)
    run = run_neuron(instance)
    reference = assert_identical(instance, run, 1500)
    for name, report in reference.voltages.items():
        assert len(reference.spikes[name]) > 100
        np.testing.assert_allclose(run.voltages[name].values[: len(report.values)], report.values, rtol=0, atol=1e-11)


def test_relays(run_neuron: RunNeuron) -> None:
    run = run_neuron(relays())
    reference = assert_identical(relays(), run, 200)
    for name in ("relay", "echo", "mixed"):
        spikes = reference.spikes[name]
        counts = np.unique([spikes.steps, spikes.neurons], axis=1, return_counts=True)[1]
        assert counts.max() > 1  # several at once


@pytest.mark.parametrize(
    ("dt", "changes"),
    [
        (0.1, {"I_e": 300.0, "tau_syn_in": 10.0, "t_ref": 0.5, "V_reset": -62.0}),
        pytest.param(0.1, {"tau_syn_ex": 9.9999999, "I_e": 300.0}, marks=pytest.mark.slow),
        (0.025, {"C_m": 100.0, "E_L": -70.0, "tau_syn_ex": 3.0, "I_e": 250.0}),
    ],
)
def test_one_neuron_does_what_the_closed_form_says(run_neuron: RunNeuron, dt: float, changes: dict[str, float]) -> None:
    """Potentials to 1e-9 mV (measured: 5e-13), with time constants that are equal, or almost."""
    neuron = Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})
    run = run_neuron(probe(neuron, dt))
    assert [figure for figure in check_probe(run, neuron, neuron, "neuron") if not figure.passed] == []
    wrong = Neuron(model="iaf_psc_exp", parameters={**neuron.parameters, "tau_m": 10.0001})
    assert not all(figure.passed for figure in check_probe(run, wrong, neuron, "neuron"))
