"""Rung three in Brian2: its exact integration gives every spike of NEST, with the physical parameters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brian2_runs import RunBrian2, run_brian2  # noqa: F401
from matched_networks import dc, driven, equivalent, frozen, kinds, larger, with_one_other_weight

from mc_interchange import NetworkInstance, export
from mc_interchange.equivalence import compare_spikes
from mc_interchange.formats.sonata_output import read_spikes
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

pytestmark = pytest.mark.brian2


@pytest.mark.parametrize("dt", [0.1, pytest.param(0.025, marks=pytest.mark.slow)])
def test_everything_that_is_exact(run_brian2: RunBrian2, dt: float) -> None:  # noqa: F811
    """Measured: 5e-13 mV at every sample, spikes and refractoriness included."""
    instance = kinds(dt)
    reference, run = NestRunner().run(instance), run_brian2(instance)
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    # the sources too, with several spikes in one step
    assert all(len(spikes) >= 50 for spikes in reference.spikes.values())
    assert len(run.spikes["S"]) == 243
    for name, report in reference.voltages.items():
        ours = run.voltages[name]
        np.testing.assert_array_equal(ours.neurons, report.neurons)
        n = len(report.times)  # NEST gives no samples of the last smallest delay
        np.testing.assert_allclose(ours.times[:n], report.times, rtol=0, atol=1e-9)
        assert n > 149 / dt
        assert np.abs(ours.values[:n] - report.values).max() < 1e-11


def test_pd14_under_direct_current_fires_as_in_nest(run_brian2: RunBrian2) -> None:  # noqa: F811
    instance = dc()
    run = assert_identical(instance, run_brian2)
    assert not compare_spikes(NestRunner().run(with_one_other_weight(instance)), run).identical


def test_pd14_with_frozen_poisson_input_fires_as_in_nest(run_brian2: RunBrian2) -> None:  # noqa: F811
    assert_identical(frozen(), run_brian2)


@pytest.mark.slow
@pytest.mark.parametrize("network", [dc, frozen])
def test_identical_at_a_finer_resolution(
    run_brian2: RunBrian2,  # noqa: F811
    network: Callable[[float], NetworkInstance],
) -> None:
    assert_identical(network(0.025), run_brian2)


@pytest.mark.slow
def test_a_larger_network(run_brian2: RunBrian2) -> None:  # noqa: F811
    """Also in the last step."""
    instance = larger()
    run = assert_identical(instance, run_brian2)
    n_steps = round(instance.simulation.duration / instance.simulation.dt)
    assert max(spikes.steps.max() for spikes in run.spikes.values()) == n_steps


def assert_identical(instance: NetworkInstance, run: RunBrian2) -> Run:
    found = run(instance)
    comparison = compare_spikes(NestRunner().run(instance), found)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= 1000  # silence cannot pass
    return found


@pytest.mark.slow
def test_compiled_code_gives_the_same_spikes(tmp_path: Path) -> None:
    """With the neurons that have equations of their own for equal time constants."""
    instance = kinds()
    path = export(instance, "brian2", tmp_path / "export").path
    command = [sys.executable, str(path / "run.py"), "--out", str(tmp_path / "out"), "--codegen", "cython"]
    subprocess.run(command, check=True, capture_output=True, timeout=1200)
    found = read_spikes(tmp_path / "out/spikes.h5")
    for name, spikes in NestRunner().run(instance).spikes.items():
        times, neurons = found[name]
        np.testing.assert_array_equal(np.rint(times / instance.simulation.dt), spikes.steps)
        np.testing.assert_array_equal(neurons, spikes.neurons)


@pytest.mark.slow
def test_rates_under_poisson_input_are_equal(run_brian2: RunBrian2) -> None:  # noqa: F811
    """Two one-sided tests at 5 % that the mean rates of each population lie within 10 % of each other."""
    reference, run = NestRunner().run(driven()), run_brian2(driven())
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)
        # the test has the power to reject what is wrong by as much
        assert not equivalent(NestRunner().run(driven(weight=330.0)), run, name)
