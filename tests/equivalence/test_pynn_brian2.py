"""Rung three in PyNN with Brian2: identical where Brian2 integrates exactly, refused where it does something else.

Needs Brian2, and so an environment with numpy before 2.4: python -m pytest -m brian2
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matched_networks import dc, driven, equivalent, frozen, kinds
from pynn_runs import assert_identical, changed, every_model, neurons_of, only, run_pynn

from mc_interchange import NetworkInstance
from mc_interchange.errors import SimulationError
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.pynn import PyNNBrian2Runner

pytest.importorskip("pyNN")
pytest.importorskip("brian2")

pytestmark = pytest.mark.brian2


@pytest.mark.slow
@pytest.mark.parametrize("network", [dc, frozen])
def test_pd14_fires_as_in_nest(tmp_path: Path, network: Callable[[], NetworkInstance]) -> None:
    instance = network()
    assert_identical(NestRunner().run(instance), run_pynn(PyNNBrian2Runner(), instance, tmp_path))


@pytest.mark.parametrize("dt", [0.1, pytest.param(0.025, marks=pytest.mark.slow)])
def test_step_currents_replayed_spikes_and_potentials(tmp_path: Path, dt: float) -> None:
    """Measured: potentials differ by at most 3e-12 mV. 0.025 ms is not the resolution of Brian2's own clock."""
    instance = changed(neurons_of(kinds(dt)), "C", tau_syn_ex=9.0)
    reference, run = NestRunner().run(instance), run_pynn(PyNNBrian2Runner(), instance, tmp_path)
    assert_identical(reference, run, 150)
    for name, report in reference.voltages.items():
        np.testing.assert_allclose(run.voltages[name].values[: len(report.values)], report.values, rtol=0, atol=1e-9)


def test_equal_time_constants_are_refused(tmp_path: Path) -> None:
    """The exact solution is then not a number in Brian2."""
    with pytest.raises(SimulationError, match="C: Brian2's exact integration divides by tau_m - tau_syn_E"):
        run_pynn(PyNNBrian2Runner(), kinds(), tmp_path)


@pytest.mark.slow
def test_rates_under_poisson_input_are_equal(tmp_path: Path) -> None:
    """Each neuron has several sources, since one emits at most one spike per step."""
    reference, run = NestRunner().run(driven()), run_pynn(PyNNBrian2Runner(), driven(), tmp_path)
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)


@pytest.mark.slow
def test_every_other_model(tmp_path: Path) -> None:
    instance = every_model()
    for name, message in (
        ("iaf_psc_alpha", "gives inhibitory synapses of IF_curr_alpha the time constant tau_syn_E"),
        ("aeif_cond_exp", "detects the spikes of EIF_cond_exp_isfa_ista below v_spike"),
    ):
        with pytest.raises(SimulationError, match=message):
            run_pynn(PyNNBrian2Runner(), only(instance, name), tmp_path)
    instance = changed(instance, "iaf_psc_alpha", tau_syn_in=1.5)
    exact = only(instance, "iaf_psc_exp", "iaf_psc_alpha", "izhikevich")
    assert_identical(NestRunner().run(exact), run_pynn(PyNNBrian2Runner(), exact, tmp_path), 20)
    others = only(instance, "iaf_psc_delta", "iaf_cond_exp", "iaf_cond_alpha")
    reference, run = NestRunner().run(others), run_pynn(PyNNBrian2Runner(), others, tmp_path)
    for name in others.simulation.record_spikes or ():
        theirs, ours = reference.spikes[name], run.spikes[name]
        assert len(theirs) == len(ours) >= 10
        if name == "iaf_psc_delta":
            # the threshold is looked at before synapses act: a jump across it counts in the next step
            late = ours.steps - theirs.steps
            assert set(late.tolist()) == {0, 1} or set(late.tolist()) == {1}
        else:
            # forward Euler instead of Runge-Kutta-Fehlberg
            assert abs(int(theirs.steps[0]) - int(ours.steps[0])) <= 1
