"""Brunel's network in all four regimes: through every exporter, and with NEST's spikes in every exact simulator."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from brian2_runs import RunBrian2, run_brian2  # noqa: F401
from pynn_runs import run_pynn

from mc_interchange import NetworkInstance, build, export, open_model, realize, registry
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import NotRepresentableError
from mc_interchange.instance import freeze_inputs
from mc_interchange.reference_models.brunel2000 import REGIMES
from mc_interchange.runners.pynn import PyNNNestRunner
from mc_interchange.runs import Run

#: 50 neurons with few strong synapses, as in the test of jLEMS.
SMALL = {"scale": 0.004, "epsilon": 0.2, "J": 1.5, "discard": 0.0}
NEURONS = ["iaf_psc_delta", "iaf_psc_exp"]
#: Formats without a synapse by which the potential jumps; any other has to take it.
WITHOUT_JUMPS = {"neuroml"}


def small(regime: str, neuron: str, duration: float = 60.0) -> NetworkInstance:
    """Return the network, which draws its external spikes while it runs."""
    return realize(build("brunel2000", regime=regime, neuron=neuron, duration=duration, **SMALL))


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("format", registry.names("exporter"))
def test_through_every_exporter(format: str, regime: str, neuron: str, tmp_path: Path) -> None:
    """Also through one that was not there when this was written."""
    instance = small(regime, neuron)
    if neuron == "iaf_psc_delta" and format in WITHOUT_JUMPS:
        with pytest.raises(NotRepresentableError, match="iaf_psc_delta"):
            export(instance, format, tmp_path / "export")
        assert list(tmp_path.iterdir()) == []
        return
    written = export(instance, format, tmp_path / "export")
    assert written.digest == instance.digest()
    assert open_model(written.path).digest() == instance.digest()


@cache
def frozen(regime: str, neuron: str) -> tuple[NetworkInstance, Run]:
    """Return the network with its external spikes drawn beforehand, and what NEST makes of it."""
    from mc_interchange.runners.nest import NestRunner

    instance = freeze_inputs(small(regime, neuron, 200.0))
    return instance, NestRunner().run(instance)


def assert_identical(regime: str, neuron: str, run: Callable[[NetworkInstance], Run]) -> None:
    instance, reference = frozen(regime, neuron)
    found = run(instance)
    names = [name for name, nodes in instance.populations.items() if not nodes.virtual]
    comparison = compare_spikes(reference, found)
    assert comparison.identical, comparison.divergence
    # silence cannot pass, nor a population that was left out
    assert all(len(found.spikes[name]) == len(reference.spikes[name]) for name in names)
    assert sum(len(reference.spikes[name]) for name in names) > 190  # measured: 196 (SI_slow) to 1,703 (SI_fast)


#: All regimes and neurons; what is not slow is one regime.
everything = pytest.mark.parametrize(
    ("regime", "neuron"),
    [
        pytest.param(regime, neuron, marks=[] if regime == "SI_fast" else [pytest.mark.slow])
        for regime in REGIMES
        for neuron in NEURONS
    ],
)


@everything
def test_the_same_spikes_in_pynn_on_nest(regime: str, neuron: str, tmp_path: Path) -> None:
    pytest.importorskip("pyNN")
    assert_identical(regime, neuron, lambda instance: run_pynn(PyNNNestRunner(), instance, tmp_path))


@everything
def test_the_same_spikes_in_neuron(regime: str, neuron: str, run_neuron: Callable[[NetworkInstance], Run]) -> None:
    assert_identical(regime, neuron, run_neuron)


@pytest.mark.brian2
@everything
def test_the_same_spikes_in_brian2(regime: str, neuron: str, run_brian2: RunBrian2) -> None:  # noqa: F811
    assert_identical(regime, neuron, run_brian2)
