"""Every defect is rejected by the rungs that must see it, by no other, and a right network by none."""

from __future__ import annotations

import runpy
from functools import cache
from pathlib import Path

import pytest

from mc_interchange import build, realize
from mc_interchange.equivalence import compare_spikes, compare_structure
from mc_interchange.equivalence.mutants import MUTANTS, Mutant
from mc_interchange.equivalence.probes import check_probe, probe
from mc_interchange.equivalence.rules import check_rules
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Network
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

SEED = 3
BY_NAME = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)


@cache
def network(background: str) -> Network:
    """771 neurons, 149,442 synapses; with so few, direct current reaches the threshold only at a higher rate."""
    return build("pd14", n_scale=0.01, k_scale=0.05, background=background, bg_rate=12.0, duration=100.0, discard=0.0)


@cache
def reference(background: str) -> NetworkInstance:
    return realize(network(background), SEED)


@cache
def reference_run() -> Run:
    return NestRunner().run(reference("dc"))


def background(mutant: Mutant) -> str:
    return "poisson" if "Poisson" in mutant.name else "dc"


def test_there_are_enough_and_names_differ():
    assert len(MUTANTS) >= 20
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
    assert {rung for m in MUTANTS for rung in m.rungs} == {"digest", "rules", "single neuron", "spikes", "statistics"}


def test_the_page_is_up_to_date():
    script = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "mutants.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"]()


@BY_NAME
def test_digest_rejects(mutant: Mutant):
    assert "digest" in mutant.rungs
    kind = background(mutant)
    assert not compare_structure(mutant(network(kind), SEED), reference(kind)).identical


@BY_NAME
def test_rules_reject(mutant: Mutant):
    """Drawn from another seed than any reference: only the rules are known."""
    rules = network(background(mutant))
    failures = [figure for figure in check_rules(mutant(rules, SEED + 1), rules) if not figure.passed]
    assert bool(failures) == ("rules" in mutant.rungs), failures


@BY_NAME
def test_single_neuron_rejects(mutant: Mutant):
    rules = network(background(mutant))
    right, wrong = rules.populations[0].neuron, mutant(rules, SEED).populations["L23E"].neuron
    figures = () if right == wrong else check_probe(NestRunner().run(probe(wrong, 0.1)), right, wrong, "L23E")
    assert any(not figure.passed for figure in figures) == ("single neuron" in mutant.rungs), figures


@BY_NAME
def test_spikes_reject(mutant: Mutant):
    if background(mutant) == "poisson":
        assert "spikes" not in mutant.rungs  # random input: other spikes in any case
        return
    assert reference_run().n_spikes > 500
    found = compare_spikes(reference_run(), NestRunner().run(mutant(network("dc"), SEED)))
    assert found.identical == ("spikes" not in mutant.rungs), found


@pytest.mark.parametrize("seed", range(10, 16))
def test_rules_accept_what_is_right(seed: int):
    rules = network("dc")
    assert [figure for figure in check_rules(realize(rules, seed), rules, workers=2) if not figure.passed] == []
