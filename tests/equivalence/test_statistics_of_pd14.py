"""Rung four on PD14 with Poisson input: exports and native runs pass against the stored limits, mutants do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.equivalence import Null, compare_statistics, observe, stored_null
from mc_interchange.equivalence.mutants import MUTANTS, Mutant
from mc_interchange.network import Network
from mc_interchange.reference_models.pd14.native import NativeMicrocircuit
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

pytestmark = pytest.mark.slow

SCALE = 0.05
#: Not among those of the stored runs.
SEEDS = (101, 102, 103)


@pytest.fixture(scope="module")
def network() -> Network:
    return build("pd14", scale=SCALE)


@pytest.fixture(scope="module")
def null(network: Network) -> Null:
    found = stored_null(network)
    assert found is not None
    return found


def simulated(instance: NetworkInstance, null: Null) -> Run:
    duration = {"discard": null.discard, "duration": null.discard + null.duration}
    changed = replace(instance, simulation=instance.simulation.model_copy(update=duration))
    return NestRunner().run(changed, threads=1)


def test_exports_pass(network: Network, null: Null, tmp_path: Path) -> None:
    paths = [export(realize(network, seed), "sonata", tmp_path / str(seed)).path for seed in SEEDS]
    rung = compare_statistics(observe([simulated(open_model(path), null) for path in paths]), null)
    assert rung.passed, rung.failures
    assert len(rung.figures) == 1 + 8 * 3 * 2 + 1 + 8


def test_native_runs_with_other_seeds_pass(null: Null, tmp_path: Path) -> None:
    runs = []
    for seed in SEEDS:
        native = NativeMicrocircuit(tmp_path / str(seed), n_scale=SCALE, k_scale=SCALE, background="poisson", seed=seed)
        runs.append(replace(native.run(null.discard + null.duration), discard=null.discard))
    rung = compare_statistics(observe(runs), null)
    assert rung.passed, rung.failures


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if "statistics" in m.rungs], ids=lambda m: m.name)
def test_mutants_are_rejected(network: Network, null: Null, mutant: Mutant) -> None:
    """One network of each is enough."""
    assert not compare_statistics(observe([simulated(mutant(network, 201), null)]), null).passed
