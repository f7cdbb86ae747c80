"""Weights are in the unit that the target's neuron model takes, from the model file to NEST."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from mc_interchange.describe import describe, tables
from mc_interchange.errors import ModelError
from mc_interchange.instance import realize
from mc_interchange.network import (
    CATALOGUE,
    Constant,
    Explicit,
    Network,
    Neuron,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    SpikeTrains,
    VirtualPopulation,
    VoltageRecording,
    parse_network,
    serialize_network,
)

DELTA = """
name: jumps
populations:
- name: A
  size: 4
  neuron:
    model: iaf_psc_delta
    parameters: {C_m: 250 pF, tau_m: 20 ms, t_ref: 2 ms, E_L: 0 mV, V_th: 20 mV, V_reset: 10 mV}
projections:
- {source: A, target: A, rule: {rule: all_to_all}, delay: 1.5 ms,
   weight: {distribution: normal, mean: 0.1 mV, sd: 0.01 mV}}
inputs:
- {kind: poisson, name: drive, target: A, rate: 8000 spikes/s, weight: 0.1 mV, delay: 1.5 ms}
"""
ABLE = sorted(name for name, entry in CATALOGUE.items() if entry.in_model_files)


def test_models_that_rules_can_be_given_for() -> None:
    assert set(CATALOGUE) - set(ABLE) == {"glif_psc", "parrot_neuron"}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("mean: 0.1 mV", "mean: 0.1 pA", "projections[0].weight.mean: must be in mV, got '0.1 pA'"),
        ("sd: 0.01 mV", "sd: 0.01 nS", "projections[0].weight.sd: must be in mV, got '0.01 nS'"),
        ("weight: 0.1 mV", "weight: 0.1 pA", "inputs[0].weight: must be in mV, got '0.1 pA'"),
        ("weight: 0.1 mV", "weight: 0.1 V", "inputs[0].weight: must be in pA or nS or mV, got '0.1 V'"),
        ("weight: 0.1 mV", "weight: much", "inputs[0].weight: must be a number in pA or nS or mV, got 'much'"),
    ],
)
def test_another_unit_is_refused(old: str, new: str, line: str) -> None:
    with pytest.raises(ModelError) as refusal:
        parse_network(DELTA.replace(old, new), origin="net")
    assert str(refusal.value) == f"net: {line}"


def test_what_is_written_is_the_same_network() -> None:
    network = parse_network(DELTA)
    assert network == parse_network(DELTA.replace(" mV", ""))
    assert parse_network(serialize_network(network)) == network
    assert pickle.loads(pickle.dumps(network)) == network
    assert "_texts" not in str(network.model_dump())


def test_units_in_python_are_compared_too() -> None:
    network = parse_network(DELTA)
    wrong = Projection(source="A", target="A", rule=network.projections[0].rule, weight="0.1 pA", delay=1.5)
    with pytest.raises(ModelError, match=r"projections\[0\]\.weight: must be in mV, got '0\.1 pA'"):
        Network(name="x", populations=network.populations, projections=(wrong,))
    drive = PoissonInput(name="d", target="A", rate=1.0, weight="1 nS", delay=1.0)
    with pytest.raises(ModelError, match=r"inputs\[0\]\.weight: must be in mV, got '1 nS'"):
        Network(name="x", populations=network.populations, inputs=(drive,))


def test_tables_say_the_unit() -> None:
    network = parse_network(DELTA)
    text = describe(network, "text")
    assert "Weight (mV)" in text
    assert "weight 0.1 mV" in text
    assert "adds the weight to the membrane potential of the target" in " ".join(text.split())
    other = Population(name="B", size=2, neuron=nest_defaults("iaf_cond_exp"), initial_V_m=-70.0)
    mixed = Network(
        name="mixed",
        populations=(*network.populations, other),
        projections=(
            *network.projections,
            Projection(source="A", target="B", rule=network.projections[0].rule, weight="2 nS", delay=1.0),
        ),
    )
    (connectivity,) = (t for t in tables(mixed) if t.title.startswith("C "))
    column = connectivity.header.index("Weight")
    assert [row[column] for row in connectivity.rows] == ["normal, mean 0.1, sd 0.01 (mV)", "2 (nS)"]


def nest_defaults(model: str) -> Neuron:
    return Neuron(model=model, parameters={p.name: p.nest for p in CATALOGUE[model].parameters})


def stimulated(model: str) -> Network:
    """One neuron with one excitatory and one inhibitory source."""
    entry = CATALOGUE[model]
    weight = {"pA": 300.0, "nS": 5.0, "mV": 2.0}[entry.weight_unit]
    return Network(
        name="one",
        populations=(
            Population(name="N", size=1, neuron=nest_defaults(model), initial_V_m=Constant(value=entry.V_m)),
            VirtualPopulation(name="S", size=2, activity=SpikeTrains(times=((5.0, 12.0), (20.0,)))),
        ),
        projections=tuple(
            Projection(
                name=name,
                source="S",
                target="N",
                rule=Explicit(sources=(source,), targets=(0,)),
                weight=f"{sign * weight} {entry.weight_unit}",
                delay=1.0,
            )
            for name, source, sign in (("excitation", 0, 1), ("inhibition", 1, -1))
        ),
        simulation=Simulation(
            duration=40.0, record_V_m=(VoltageRecording(population="N", neurons=(0,), interval=0.1),)
        ),
    )


@pytest.mark.parametrize("model", ABLE)
def test_nest_takes_the_rules_of_every_model(model: str) -> None:
    pytest.importorskip("nest")
    from mc_interchange.runners.nest import NestRunner

    network = parse_network(serialize_network(stimulated(model)))
    explicit = NestRunner().run(realize(network)).voltages["N"].values[:, 0]
    native = NestRunner().run(realize(network), native=True).voltages["N"].values[:, 0]
    np.testing.assert_array_equal(explicit, native)
    silent = network.model_copy(update={"projections": ()})
    at_rest = NestRunner().run(realize(silent)).voltages["N"].values[:, 0]
    difference = explicit - at_rest
    assert difference[70:200].max() > 0.1  # excitation
    assert difference[215:].min() < difference[200] - 0.05  # inhibition
    if model == "iaf_psc_delta":  # the potential jumps by the weight itself
        assert difference[60] - difference[59] * np.exp(-0.1 / 10.0) == pytest.approx(0.0, abs=1e-12)
        assert difference.max() >= 2.0 - 1e-12
        assert np.isclose(np.diff(difference), 2.0, atol=1e-12).any()
