"""Every defect is rejected by the rungs that must see it, and a right network by none."""

from __future__ import annotations

from functools import cache

import pytest
from mutants import MUTANTS, Mutant

from mc_interchange import build, realize
from mc_interchange.equivalence import compare_structure
from mc_interchange.equivalence.rules import check_rules
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Network

SEED = 3
BY_NAME = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)


@cache
def network(background: str) -> Network:
    """771 neurons, 149,442 synapses."""
    return build("pd14", n_scale=0.01, k_scale=0.05, background=background)


def of(mutant: Mutant, seed: int) -> tuple[NetworkInstance, Network]:
    rules = network("poisson" if "Poisson" in mutant.name else "dc")
    return mutant(rules, seed), rules


def test_there_are_enough_and_names_differ():
    assert len(MUTANTS) >= 20
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
    assert {rung for m in MUTANTS for rung in m.rungs} == {"digest", "rules", "single neuron", "spikes"}


@BY_NAME
def test_digest_rejects(mutant: Mutant):
    defective, rules = of(mutant, SEED)
    assert "digest" in mutant.rungs
    assert not compare_structure(defective, realize(rules, SEED)).identical


@BY_NAME
def test_rules_reject(mutant: Mutant):
    """Drawn from another seed than any reference: only the rules are known."""
    defective, rules = of(mutant, SEED + 1)
    failures = [figure for figure in check_rules(defective, rules) if not figure.passed]
    assert bool(failures) == ("rules" in mutant.rungs), failures


@pytest.mark.parametrize("seed", range(10, 20))
def test_rules_accept_what_is_right(seed: int):
    rules = network("dc")
    assert [figure for figure in check_rules(realize(rules, seed), rules, workers=2) if not figure.passed] == []
