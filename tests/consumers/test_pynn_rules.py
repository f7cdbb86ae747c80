"""Rules of a network in PyNN's own connectors: what PyNN draws has the statistics of the description."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mc_interchange import export, realize
from mc_interchange.cli.compare import command as compare
from mc_interchange.cli.run import command as run
from mc_interchange.exporters.pynn import PyNNOptions
from mc_interchange.network import Network, parse_network

pytest.importorskip("pyNN")

NETWORK = """
name: rules
populations:
- {name: A, size: 60, neuron: &neuron {model: iaf_psc_exp, parameters: {C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms,
   tau_syn_in: 0.5 ms, t_ref: 2 ms, E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV, I_e: 400 pA}},
   initial_V_m: {distribution: normal, mean: -58.0, sd: 5.0}}
- {name: B, size: 40, neuron: *neuron}
projections:
- {source: A, target: A, rule: {rule: fixed_total_number, number: 9000}, delay: {distribution: truncated_normal,
   mean: 1.5, sd: 0.75, min: 0.1}, weight: {distribution: normal, mean: 20.0, sd: 2.0}}
- {source: A, target: B, rule: {rule: fixed_indegree, indegree: 50}, weight: 20.0, delay: 1.0}
- {source: B, target: A, rule: {rule: fixed_outdegree, outdegree: 30, allow_multapses: false}, delay: 0.8,
   weight: {distribution: truncated_normal, mean: -40.0, sd: 10.0, max: 0.0}}
- {source: B, target: B, rule: {rule: pairwise_bernoulli, probability: 0.3, allow_autapses: false}, weight: -40.0,
   delay: {distribution: uniform, low: 0.5, high: 2.0}}
simulation: {duration: 50.0}
"""

#: Builds the network of a program without running it, and keeps what PyNN made.
DRIVER = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import run
sim = run.Backend("nest", None, "numpy")
populations = {name: sim.neurons(name, **item) for name, item in run.NEURONS.items()}
run.connect(sim, populations)
found = {p.label: np.array(p.get(["weight", "delay"], format="list")) for p in sim.kept}
np.savez(sys.argv[2], V=populations["A"].node_collection.V_m, **found)
"""


@pytest.fixture(scope="module")
def network() -> Network:
    return parse_network(NETWORK)


@pytest.fixture(scope="module")
def exported(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rules")
    return export(realize(network), "pynn", directory / "rules-pynn", PyNNOptions(level="rules")).path


@pytest.fixture(scope="module")
def drawn(exported: Path) -> dict[str, np.ndarray]:
    out = exported.parent / "drawn.npz"
    subprocess.run([sys.executable, "-c", DRIVER, exported, out], check=True, capture_output=True)
    return dict(np.load(out))


def columns(found: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return sources, targets, weights in pA and delays in ms."""
    return found[:, 0].astype(int), found[:, 1].astype(int), found[:, 2] * 1000, found[:, 3]


def test_fixed_total_number(drawn: dict[str, np.ndarray]) -> None:
    sources, targets, weights, delays = columns(drawn["A_to_A"])
    assert len(sources) == 9000
    # degrees are binomial: chi-squared with 59 degrees of freedom, five standard deviations
    for ids in (sources, targets):
        counts = np.bincount(ids, minlength=60)
        assert abs((counts - 150.0) @ (counts - 150.0) / (150 * 59 / 60) - 59) < 5 * np.sqrt(2 * 59)
    assert abs((sources == targets).sum() - 150) < 5 * np.sqrt(150)
    pairs = len(np.unique(sources * 60 + targets))
    assert abs(pairs - 3600 * (1 - (1 - 1 / 3600) ** 9000)) < 5 * np.sqrt(3600 * 0.075)
    assert abs(weights.mean() - 20.0) < 5 * 2 / np.sqrt(9000)
    assert abs(weights.std() - 2.0) < 5 * 2 / np.sqrt(18000)
    # the truncated normal's mean: mu + sd * phi(a) / (1 - Phi(a)), a = (0.1 - 1.5) / 0.75
    assert abs(delays.mean() - 1.5541) < 5 * 0.7 / np.sqrt(9000)
    assert delays.min() >= 0.1 - 1e-9
    np.testing.assert_allclose(delays * 10, np.rint(delays * 10), atol=1e-6)


def test_degrees_and_probabilities(drawn: dict[str, np.ndarray]) -> None:
    sources, targets, weights, delays = columns(drawn["A_to_B"])
    assert (np.bincount(targets, minlength=40) == 50).all()
    assert len(np.unique(sources * 40 + targets)) < 2000  # several between two neurons
    assert set(weights.round(9)) == {20.0}
    assert set(delays.round(9)) == {1.0}
    sources, targets, weights, _ = columns(drawn["B_to_A"])
    assert (np.bincount(sources, minlength=40) == 30).all()
    assert len(np.unique(sources * 60 + targets)) == 1200
    assert weights.max() <= 0
    assert abs(weights.mean() + 40.0) < 5 * 10 / np.sqrt(1200)
    sources, targets, _, delays = columns(drawn["B_to_B"])
    assert abs(len(sources) - 0.3 * 1560) < 5 * np.sqrt(1560 * 0.21)
    assert not (sources == targets).any()
    assert 0.5 - 1e-9 <= delays.min() <= 0.6
    assert 1.9 <= delays.max() <= 2.0 + 1e-9


def test_initial_potentials(drawn: dict[str, np.ndarray]) -> None:
    assert len(np.unique(drawn["V"])) == 60
    assert abs(drawn["V"].mean() + 58) < 5 * 5 / np.sqrt(60)
    assert 3.0 < drawn["V"].std() < 7.0


def test_mc_run_states_no_digest_of_what_pynn_draws(exported: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    result = CliRunner().invoke(run, [str(exported), "--simulator", "pynn-nest", "--out", out, "--quiet"])
    assert result.exit_code == 0, result.output
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["source_digest"] is None
    assert facts["simulator"] == "pynn-nest"
    assert facts["versions"].keys() == {"PyNN", "nest-simulator", "mc-interchange"}
    assert facts["n_spikes"] > 100


def test_mc_run_and_mc_compare(network: Network, tmp_path: Path) -> None:
    """A SONATA export is exported for PyNN first; both runs state its digest."""
    path = export(realize(network), "sonata", tmp_path / "sonata").path
    for simulator in ("nest", "pynn-nest"):
        arguments = [str(path), "--simulator", simulator, "--out", str(tmp_path / simulator), "--quiet"]
        result = CliRunner().invoke(run, arguments)
        assert result.exit_code == 0, result.output
    result = CliRunner().invoke(compare, [str(tmp_path / "nest"), str(tmp_path / "pynn-nest"), "--level", "spikes"])
    assert result.exit_code == 0, result.output
    digests = [
        json.loads((tmp_path / name / "run.json").read_text())["source_digest"] for name in ("nest", "pynn-nest")
    ]
    assert digests[0] == digests[1] is not None


def test_arbor_is_refused_as_long_as_pynn_has_no_point_neurons_for_it(network: Network, tmp_path: Path) -> None:
    """The program reads it in PyNN itself, with Arbor or without: what PyNN will have one day is run."""
    path = export(realize(network), "pynn", tmp_path / "pynn").path
    result = CliRunner().invoke(run, [str(path), "--simulator", "pynn-arbor", "--out", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert "pyNN.arbor has no IF_curr_exp: it has neurons of several compartments only" in result.output
    assert not (tmp_path / "run").exists()
