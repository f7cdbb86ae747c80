"""Neuron models that are given by equations: what is accepted, and what is refused."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from mc_interchange.errors import ModelError
from mc_interchange.instance import NetworkInstance, Nodes
from mc_interchange.network import Assignment, Dynamics, Population, Simulation
from mc_interchange.network.expressions import (
    UNIT_NAMES,
    dimension_of,
    evaluate,
    names_in,
    parse_condition,
    parse_expression,
    unit_dimension,
    unit_text,
)

GIVEN = {
    "name": "adaptive",
    "units": {"v": "mV", "w": "pA", "theta": "mV", "C": "pF", "g": "nS", "E": "mV", "t_r": "ms"},
    "derivatives": {"v": "(g * (E - v) - w + I) / C", "w": "-w / (100 * ms)"},
    "derived": {"theta": "E + 15 * mV + w / g"},
    "parameters": {"C": 250.0, "g": 10.0, "E": -65.0, "t_r": 2.0, "w": 1.0},
    "threshold": "v > theta and v > -60 * mV",
    "reset": (Assignment(variable="v", value="E"), Assignment(variable="w", value="w + 5 * pA")),
    "refractory": "t_r",
    "held": ("v",),
    "receptors": ("w", "v"),
    "current": "I",
    "potential": "v",
}


def changed(**values: object) -> Dynamics:
    return Dynamics(**{**GIVEN, **values})  # type: ignore[arg-type]


def test_what_is_given_stays():
    dynamics = changed()
    assert dynamics["C"] == 250.0
    assert (dynamics["w"], dynamics["v"]) == (1.0, 0.0)
    assert dynamics.constants == ("C", "g", "E", "t_r")
    assert dynamics.label == "adaptive"
    with pytest.raises(Exception, match="frozen"):
        dynamics.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"derived": {"theta": "x"}}, "derived.theta: the name x is not known"),
        ({"derivatives": {**GIVEN["derivatives"], "w": "-w"}}, "derivatives.w: must be in pA/ms, is in pA: -w"),
        ({"threshold": "v > 3"}, "threshold: units differ (mV and 1): 'v > 3'"),
        ({"threshold": "v"}, "threshold: a condition must be comparisons of two values"),
        ({"threshold": "v > undefined * mV"}, "threshold: the name undefined is not known"),
        ({"reset": (Assignment(variable="g", value="g"),)}, "reset[0].variable: must be a state variable (v, w)"),
        ({"reset": (Assignment(variable="v", value="w"),)}, "reset[0].value: must be in mV, is in pA: w"),
        ({"refractory": "t_r * v / mV"}, "refractory: must be made of parameters, not of v"),
        ({"refractory": None}, "held: variables rest while a neuron is refractory"),
        ({"receptors": ("E",)}, "receptors[0]: must be a state variable (v, w), got 'E'"),
        ({"receptors": ("w", "w")}, "receptors[1]: must be given once, got 'w' twice"),
        ({"potential": "w"}, "potential: must be in mV, got pA"),
        ({"units": {**GIVEN["units"], "w": "kg"}}, "units.w: must be a product of ms, mV, pA, pF, nS, um and 1"),
        ({"units": {**GIVEN["units"], "x": "mV"}}, "units.x: there is no variable or parameter of this name"),
        ({"derived": {"theta": "theta"}}, "derived: must not need each other: theta"),
        ({"parameters": {**GIVEN["parameters"], "theta": 1.0}}, "parameters.theta: the name is used by derived, too"),
        ({"parameters": {**GIVEN["parameters"], "mV": 1.0}}, "parameters.mV: this name has a meaning already"),
        ({"parameters": {**GIVEN["parameters"], "E": float("nan")}}, "parameters.E: must be a finite number"),
        ({"current": "exp"}, "current: this name has a meaning already"),
    ],
)
def test_refusals_name_the_field(values, message):
    with pytest.raises(ModelError) as caught:
        changed(**values)
    assert f"Dynamics: {message}" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "v.real",
        "v[0]",
        "[v for v in w]",
        "v if w else 1",
        "'text'",
        "True",
        "1j",
        "v // 2",
        "f'{v}'",
        "exp(v, 2)",
        "print(v)",
        "v :=",
        "1e999",
        "(" * 300 + "v" + ")" * 300,
        "-" * 200 + "v",
        "v + " * 3000 + "v",
    ],
)
def test_nothing_but_the_grammar_is_an_expression(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_expression(text)


def test_expressions_are_evaluated_on_arrays():
    v = np.array([-60.0, -50.0])
    tree = parse_expression("(v + 65 * mV) ** 2 / (2 * mV) - sqrt(4) * abs(-a)")
    assert evaluate(tree, {"v": v, "a": 3.0}).tolist() == [6.5, 106.5]
    assert names_in(tree) == {"v", "mV", "a"}
    condition = parse_condition("v > -55 * mV or v < -70 * mV")
    assert evaluate(condition, {"v": v}).tolist() == [False, True]
    with pytest.raises(KeyError):
        evaluate(tree, {"v": v})


def test_units_are_products_of_powers():
    known = {"C": UNIT_NAMES["pF"], "v": UNIT_NAMES["mV"]}
    assert unit_text(dimension_of(ast.parse("C * v / ms", mode="eval").body, known)) == "pA"
    assert unit_text(unit_dimension("pA / mV")) == "nS"
    assert unit_text(unit_dimension("1/ms")) == "1/ms"
    assert unit_text(unit_dimension("mV**2*pA/ms**3")) == "mV**2*pA/ms**3"
    assert unit_dimension("nS*mV") == UNIT_NAMES["pA"]
    with pytest.raises(ValueError, match="exp takes a pure number, not mV"):
        dimension_of(parse_expression("exp(v)"), known)


def test_digest_tells_equations_and_values():
    def digest(dynamics: Dynamics, **nodes: object) -> str:
        population = Nodes("P", 2, neuron=dynamics, V_m=np.zeros(2), **nodes)  # type: ignore[arg-type]
        return NetworkInstance("x", {"P": population}, {}, (), Simulation()).digest().all

    first = digest(changed())
    assert digest(changed(name="other", meaning="something")) == first
    assert digest(changed(threshold="v > theta")) != first
    assert digest(changed(parameters={**GIVEN["parameters"], "C": 251.0})) != first
    assert digest(changed(), varying={"C": np.array([250.0, 251.0])}) != first


def test_rules_are_for_the_catalogue():
    with pytest.raises(ModelError, match="neuron: rules are for neuron models of the catalogue, not for adaptive"):
        Population(name="P", size=2, neuron=changed(), initial_V_m=0.0)  # type: ignore[arg-type]
