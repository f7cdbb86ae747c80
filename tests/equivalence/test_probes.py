"""One neuron under known input in NEST, against its closed form; and what the comparison rejects."""

from __future__ import annotations

import pytest

from mc_interchange import build
from mc_interchange.equivalence.probes import check_probe, expected_course, probe
from mc_interchange.network import Neuron
from mc_interchange.runners.nest import NestRunner

BASE = build("pd14", n_scale=0.01, k_scale=0.5, background="dc").populations[0].neuron


def with_(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE.parameters, **changes})


def check(found: Neuron, wanted: Neuron, dt: float = 0.1):
    return check_probe(NestRunner().run(probe(found, dt)), wanted, found, "L23E")


@pytest.mark.parametrize("dt", [0.1, 0.025])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"I_e": 0.0},
        {"tau_syn_in": 2.0},
        {"I_e": 300.0, "t_ref": 0.5, "V_reset": -62.0, "tau_m": 14.3},
        {"C_m": 100.0, "E_L": -70.0, "tau_syn_ex": 3.0, "I_e": 250.0},
    ],
    ids=str,
)
def test_nest_does_what_the_closed_form_says(changes, dt):
    neuron = with_(**changes)
    assert [figure for figure in check(neuron, neuron, dt) if not figure.passed] == []


def test_some_neurons_fire_often_and_one_by_synapses_alone():
    spikes = expected_course(BASE, BASE, 0.1).spikes
    assert [len(fired) > 1 for fired in spikes] == [True] * 4
    quiet = with_(I_e=0.0)
    spikes = expected_course(quiet, quiet, 0.1).spikes
    assert spikes[:2] == ((), ())
    assert len(spikes[3]) >= 3


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tau_m", 1.0001),
        ("C_m", 1.0001),
        ("tau_syn_ex", 1.0001),
        ("tau_syn_in", 1.0001),
        ("E_L", 1.0001),
        ("V_th", 0.998),
        ("V_reset", 1.0001),
        ("t_ref", 1.1),
        ("I_e", 1.0001),
        ("I_e", 0.001),
    ],
)
def test_a_wrong_parameter_is_rejected(name, change):
    failures = [f.name for f in check(with_(**{name: BASE[name] * change}), BASE) if not f.passed]
    assert failures
