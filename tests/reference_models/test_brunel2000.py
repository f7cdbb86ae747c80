"""Brunel's network: its numbers, the theory's rates, and its way through the exporters."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import build, export, open_model, realize
from mc_interchange.describe import describe
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import ModelError, NotRepresentableError
from mc_interchange.instance import freeze_inputs
from mc_interchange.network import FixedIndegree, parse_network, serialize_network
from mc_interchange.reference_models.brunel2000 import REGIMES, Brunel2000Arguments, stationary_rate

#: Small enough for any simulator, and driven well above the threshold.
SMALL = {"scale": 0.008, "eta": 3.0, "duration": 60.0, "discard": 0.0}


def test_numbers_of_the_paper() -> None:
    network = build("brunel2000")
    assert [(p.name, p.size) for p in network.populations] == [("E", 10_000), ("I", 2_500)]
    assert {p.name: (p.rule, p.weight.value, p.delay.value) for p in network.projections} == {
        "E_to_E": (FixedIndegree(indegree=1000), 0.1, 1.5),
        "I_to_E": (FixedIndegree(indegree=250), -0.5, 1.5),
        "E_to_I": (FixedIndegree(indegree=1000), 0.1, 1.5),
        "I_to_I": (FixedIndegree(indegree=250), -0.5, 1.5),
    }
    # 1000 sources of 2 x 10 spikes/s; 10 spikes/s of them reach the threshold: 0.1 mV * 1000 * 0.01/ms * 20 ms = 20 mV
    assert [(i.rate, i.weight, i.delay) for i in network.inputs] == [(20_000.0, 0.1, 1.5)] * 2
    neuron = network.populations[0].neuron
    assert neuron.model == "iaf_psc_delta"
    assert [neuron[name] for name in ("tau_m", "V_th", "V_reset", "E_L", "t_ref")] == [20.0, 20.0, 10.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("regime", "g", "rate"), [("SR", 3.0, 2e4), ("SI_fast", 6.0, 4e4), ("AI", 5.0, 2e4), ("SI_slow", 4.5, 0.9e4)]
)
def test_regimes(regime: str, g: float, rate: float) -> None:
    network = build("brunel2000", regime=regime)
    assert {p.weight.value for p in network.projections} == {0.1, -g * 0.1}
    assert [i.rate for i in network.inputs] == pytest.approx([rate, rate], rel=1e-12)
    assert REGIMES[regime].meaning in network.description
    parameters = {p.name: p for p in network.parameters}
    assert parameters["g"].value == g
    assert "of the regime" in parameters["g"].source


def test_free_parameters() -> None:
    network = build("brunel2000", regime="SI_slow", g=7.0, eta=1.5, scale=0.2, epsilon=0.5, J=0.2, delay=2.0)
    assert [p.size for p in network.populations] == [2000, 500]
    assert {p.rule.indegree for p in network.projections} == {1000, 250}
    assert {p.weight.value for p in network.projections} == {0.2, -7.0 * 0.2}
    assert {p.delay.value for p in network.projections} == {i.delay for i in network.inputs} == {2.0}
    assert network.inputs[0].rate == pytest.approx(1000 * 1.5 * 20 / (0.2 * 20), rel=1e-12)
    assert {p.name: p.source for p in network.parameters}["g"] == "chosen by the user"


def test_currents_bring_the_charge_of_a_jump() -> None:
    t = np.linspace(0, 40, 400_001)
    for neuron, course in (("iaf_psc_exp", np.exp(-t / 0.7)), ("iaf_psc_alpha", math.e * t / 0.7 * np.exp(-t / 0.7))):
        network = build("brunel2000", neuron=neuron, tau_syn=0.7)
        weight = network.projections[0].weight.value
        charge = float(np.trapezoid(weight * course, t))  # pA ms, which is fC; over pF: mV
        assert charge / network.populations[0].neuron["C_m"] == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize(("regime", "published"), [("SI_fast", 55.8), ("AI", 38.0), ("SI_slow", 6.5)])
def test_theory_gives_the_published_rates(regime: str, published: float) -> None:
    # Table 1, column "theory", to its last digit
    assert stationary_rate(Brunel2000Arguments(regime=regime)) == pytest.approx(published, abs=0.051)


def test_theory_of_saturation_and_of_silence() -> None:
    assert 300 < stationary_rate(Brunel2000Arguments(regime="SR")) < 500
    assert stationary_rate(Brunel2000Arguments(g=8.0, eta=0.5)) < 0.1


@pytest.mark.parametrize("neuron", ["iaf_psc_delta", "iaf_psc_alpha"])
def test_yaml_and_tables(neuron: str) -> None:
    network = build("brunel2000", neuron=neuron)
    assert parse_network(serialize_network(network)) == network
    text = describe(network, "text")
    assert ("Weight (mV)" if neuron == "iaf_psc_delta" else "Weight (pA)") in text
    assert ("tau_syn" in {p.name for p in network.parameters}) == (neuron != "iaf_psc_delta")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"regime": "AR"}, r"^brunel2000: regime: must be 'SR', 'SI_fast', 'AI' or 'SI_slow', got 'AR'$"),
        ({"g": -5.0}, r"^brunel2000: g: must be greater than 0, got -5"),
        ({"epsilon": 1.5}, r"^brunel2000: epsilon: must be at most 1, got 1\.5$"),
        ({"scale": 1e-5}, r"^brunel2000: scale: 1e-05 leaves E without neurons; give at least 0\.00021$"),
        ({"scale": 0.001}, r"^brunel2000: epsilon: 0\.1 of 2 neurons leaves no synapses from I; give at least 0\.27$"),
        ({"J": "0.1 pA"}, r"^brunel2000: J: must be in mV, got '0\.1 pA'$"),
        ({"delay": 0.05}, r"^brunel2000: projections\[0\]\.delay: must be at least the resolution"),
    ],
)
def test_wrong_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build("brunel2000", **arguments)


def test_smallest_scale_of_the_message_is_enough() -> None:
    build("brunel2000", scale=0.00021, epsilon=1.0)
    build("brunel2000", scale=0.001, epsilon=0.27)


def test_sonata_and_nest(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    from mc_interchange.runners.nest import NestRunner

    original = freeze_inputs(realize(build("brunel2000", **SMALL)))
    imported = open_model(export(original, "sonata", tmp_path / "sonata").path)
    assert imported.digest() == original.digest()
    here, there = NestRunner().run(original), NestRunner().run(imported)
    assert compare_spikes(here, there).identical
    assert sum(map(len, here.spikes.values())) > 200


def test_neuroml_has_no_jumps_but_currents(tmp_path: Path) -> None:
    jumps = realize(build("brunel2000", **SMALL))
    with pytest.raises(
        NotRepresentableError, match=r"population E: .* iaf_psc_delta; iaf_psc_exp with a short tau_syn"
    ):
        export(jumps, "neuroml", tmp_path / "jumps")
    for neuron in ("iaf_psc_exp", "iaf_psc_alpha"):
        currents = realize(build("brunel2000", **SMALL, neuron=neuron))
        imported = open_model(export(currents, "neuroml", tmp_path / neuron).path)
        assert imported.digest() == currents.digest()
