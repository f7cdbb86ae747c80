"""Rules of every kind hold for what is drawn of them, and do not for what is drawn of others."""

from __future__ import annotations

import numpy as np
import pytest

from mc_interchange import build
from mc_interchange.equivalence.hypotheses import dispersion_p
from mc_interchange.equivalence.rules import check_rules
from mc_interchange.instance import realize
from mc_interchange.network import Network, parse_network

MODEL = """
name: rules
populations:
- {{name: A, size: 60, initial_V_m: {V_m}, neuron: &n {{model: iaf_psc_exp, parameters: {{C_m: 250, tau_m: 10,
   tau_syn_ex: 0.5, tau_syn_in: 0.5, t_ref: 2, E_L: -65, V_th: -50, V_reset: -65}}}}}}
- {{name: B, size: 60, neuron: *n}}
projections:
- {{name: p, source: {source}, target: A, rule: {rule}, weight: {weight}, delay: {delay}}}
"""
NORMAL = "{distribution: normal, mean: 80, sd: 8}"
PARTS = {
    "V_m": "-65",
    "source": "B",
    "rule": "{rule: fixed_total_number, number: 2000}",
    "weight": NORMAL,
    "delay": "{distribution: truncated_normal, mean: 1.5, sd: 0.75, min: 0.1}",
}
RULES = [
    "{rule: fixed_total_number, number: 2000}",
    "{rule: fixed_total_number, number: 2000, allow_multapses: false}",
    "{rule: fixed_total_number, number: 2000, allow_autapses: false}",
    "{rule: fixed_total_number, number: 0}",
    "{rule: pairwise_bernoulli, probability: 0.4}",
    "{rule: pairwise_bernoulli, probability: 0.4, allow_autapses: false}",
    "{rule: fixed_indegree, indegree: 20}",
    "{rule: fixed_indegree, indegree: 20, allow_multapses: false}",
    "{rule: fixed_outdegree, outdegree: 20}",
    "{rule: fixed_outdegree, outdegree: 20, allow_multapses: false, allow_autapses: false}",
    "{rule: one_to_one}",
    "{rule: all_to_all}",
    "{rule: all_to_all, allow_autapses: false}",
    "{rule: explicit, sources: [0, 3, 3], targets: [1, 1, 1]}",
]
VALUES = [
    ("weight", "87.8"),
    ("weight", "-0.1"),
    ("weight", "0"),
    ("weight", "{distribution: normal, mean: 80, sd: 0}"),
    ("weight", "{distribution: uniform, low: -20, high: 30}"),
    ("weight", "{distribution: truncated_normal, mean: 5, sd: 8, min: 0, max: 12}"),
    ("delay", "1.5"),
    ("delay", "{distribution: uniform, low: 0.3, high: 2.2}"),
    ("V_m", "{distribution: normal, mean: -58, sd: 5}"),
    ("V_m", "{distribution: uniform, low: -70, high: -60}"),
    ("V_m", "{distribution: normal, mean: -58, sd: 0}"),
]


def network(**parts: str) -> Network:
    return parse_network(MODEL.format(**{**PARTS, **parts}))


def failures(drawn: Network, rules: Network, seed: int = 1) -> list[str]:
    return [figure.name for figure in check_rules(realize(drawn, seed), rules) if not figure.passed]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("source", ["A", "B"])
@pytest.mark.parametrize("rule", RULES)
def test_rules_hold(rule: str, source: str, seed: int) -> None:
    rules = network(rule=rule, source=source)
    assert failures(rules, rules, seed) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("part", "value"), VALUES)
def test_values_hold(part: str, value: str, seed: int) -> None:
    rules = network(**{part: value})
    assert failures(rules, rules, seed) == []


@pytest.mark.parametrize(
    ("part", "right", "wrong", "names"),
    [
        ("weight", "87.8", "87.9", "p: weights"),
        ("weight", NORMAL, "80", "p: weights"),
        ("weight", NORMAL, "{distribution: normal, mean: 82.5, sd: 8}", "p: weights"),
        (
            "weight",
            "{distribution: uniform, low: 0, high: 30}",
            "{distribution: uniform, low: 0, high: 31}",
            "p: weights",
        ),
        ("delay", "1.5", "1.6", "p: delays"),
        ("V_m", "-65", "-65.1", "initial V_m of A"),
        ("V_m", "{distribution: normal, mean: -58, sd: 5}", "-58", "initial V_m of A"),
        ("rule", RULES[0], RULES[1], "p: multapses"),
        ("rule", RULES[2], RULES[0], "p: autapses"),
        ("rule", RULES[6], RULES[0], "p: synapses"),
        ("rule", "{rule: fixed_total_number, number: 1200}", RULES[6], "p: in-degrees"),
        ("rule", "{rule: fixed_total_number, number: 1200}", RULES[8], "p: out-degrees"),
        ("rule", RULES[4], "{rule: pairwise_bernoulli, probability: 0.6}", "p: number of synapses"),
        ("rule", RULES[10], RULES[11], "p: synapses"),
    ],
)
def test_what_is_drawn_otherwise_is_rejected(part: str, right: str, wrong: str, names: str) -> None:
    source = "A" if "autapses" in right else "B"
    assert names in failures(network(**{part: wrong, "source": source}), network(**{part: right, "source": source}))


def test_projections_and_neurons_that_no_rule_names() -> None:
    rules, other = network(), network(source="A")
    renamed = other.model_copy(update={"projections": (other.projections[0].model_copy(update={"name": "q"}),)})
    assert {"projections that no rule names", "p: synapses"} <= set(failures(renamed, rules))
    fewer = rules.model_copy(
        update={"populations": (rules.populations[0].model_copy(update={"size": 50}), rules.populations[1])}
    )
    assert "neurons of A" in failures(fewer, rules)


@pytest.mark.filterwarnings("ignore::mc_interchange.reference_models.pd14.SubthresholdWarning")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_very_small_networks_raise_no_false_alarm(seed):
    # six synapses onto two neurons, three each: as even as can be, and nothing special
    network = build("pd14", n_scale=0.002, k_scale=0.01, background="dc")
    assert not [figure for figure in check_rules(realize(network, seed), network) if not figure.passed]


def test_evenness_is_still_seen():
    even, drawn = np.full(1000, 20), np.random.default_rng(1).multinomial(20_000, np.full(1000, 0.001))
    assert dispersion_p(even, 20.0) < 1e-100
    assert dispersion_p(drawn, 20.0) > 0.01
    assert dispersion_p(np.array([3, 3]), 3.0) > 0.3
