"""Capturing live NEST networks; what cannot be captured is named."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nest
import numpy as np
import pytest

from mc_interchange.errors import FormatError
from mc_interchange.importers.nest import capture


@pytest.fixture(autouse=True)
def _empty_kernel() -> Iterator[None]:
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    yield
    nest.ResetKernel()


def two_populations() -> dict[str, nest.NodeCollection]:
    a = nest.Create("iaf_psc_exp", 20, params={"I_e": 100.0, "C_m": 250.0})
    b = nest.Create("iaf_psc_exp", 5)
    b.set({"V_m": [-60.0, -61.0, -62.0, -63.0, -64.0], "tau_m": [10.0, 11.0, 12.0, 13.0, 14.0]})
    nest.Connect(a, b, {"rule": "fixed_total_number", "N": 300}, {"weight": nest.random.normal(50.0, 5.0)})
    nest.Connect(b, a, {"rule": "fixed_indegree", "indegree": 2}, {"weight": -7.25, "delay": 0.3})
    return {"A": a, "B": b}


def test_every_connection_in_blocks_of_any_size() -> None:
    populations = two_populations()
    instance = capture(populations)
    table = nest.GetConnections().get(["source", "target", "weight", "delay"])
    steps = np.rint(np.array(table["delay"]) * 10).astype(int).tolist()
    expected = sorted(zip(table["source"], table["target"], table["weight"], steps, strict=True))
    found = []
    for size in (1, 7, 10**6):
        found = []
        for edges in instance.projections.values():
            first = [populations[name][0].global_id for name in (edges.source, edges.target)]
            for block in edges.blocks(size):
                assert len(block) <= size
                found += list(
                    zip(
                        (block.source + first[0]).tolist(),
                        (block.target + first[1]).tolist(),
                        block.weight.tolist(),
                        block.delay.tolist(),
                        strict=True,
                    )
                )
        assert sorted(found) == expected
    assert instance.n_edges == len(expected) == 340


def test_parameters_and_potentials() -> None:
    instance = capture(two_populations())
    assert instance.populations["A"].neuron.parameters["I_e"] == 100.0
    assert not instance.populations["A"].varying
    assert instance.populations["B"].V_m.tolist() == [-60.0, -61.0, -62.0, -63.0, -64.0]
    assert instance.populations["B"].varying["tau_m"].tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]


def test_populations_are_found_where_parameters_change() -> None:
    nest.Create("iaf_psc_exp", 3)
    nest.Create("iaf_psc_exp", 2, params={"I_e": 1.0})
    nest.Create("spike_recorder")
    nest.Create("iaf_psc_exp", 4, params={"I_e": 1.0})
    sizes = [nodes.size for nodes in capture().populations.values()]
    assert sizes == [3, 2, 4]


def test_a_single_connection_and_a_single_neuron() -> None:
    a, b = nest.Create("iaf_psc_exp"), nest.Create("iaf_psc_exp")
    nest.Connect(a, b, syn_spec={"weight": 3.0, "delay": 2.0})
    instance = capture({"A": a, "B": b})
    (edges,) = instance.projections.values()
    (block,) = edges.blocks()
    assert (block.weight.tolist(), block.delay.tolist()) == ([3.0], [20])
    assert np.array_equal(instance.populations["A"].V_m, [-70.0])


def add_generator() -> None:
    nest.Create("poisson_generator")


def add_other_model() -> None:
    nest.Create("iaf_psc_alpha", 2)


def add_plastic_synapse() -> None:
    nest.Connect(nest.GetNodes()[:2], nest.GetNodes()[:2], syn_spec={"synapse_model": "stdp_synapse"})


def simulate() -> None:
    nest.Simulate(1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (add_generator, r"node 26 \(poisson_generator\) is in none of the populations"),
        (add_other_model, r"node 26 \(iaf_psc_alpha\) is in none of the populations"),
        (add_plastic_synapse, "synapses of the model stdp_synapse cannot be captured"),
        (simulate, "has been simulated for 1 ms"),
    ],
)
def test_what_cannot_be_captured_is_named(change, message: str) -> None:
    populations = two_populations()
    change()
    with pytest.raises(FormatError, match=message):
        capture(populations)


def test_overlapping_and_foreign_populations_are_refused() -> None:
    populations = two_populations()
    with pytest.raises(FormatError, match="population C: some of its nodes belong to another population too"):
        capture({**populations, "C": populations["A"][:3]})
    with pytest.raises(FormatError, match="population C: model spike_recorder cannot be captured"):
        capture({**populations, "C": nest.Create("spike_recorder")})


def test_an_empty_kernel_is_refused() -> None:
    with pytest.raises(FormatError, match="holds no neurons"):
        capture()


def test_seed_and_resolution_are_those_of_the_kernel() -> None:
    nest.resolution, nest.rng_seed = 0.05, 4711
    simulation = capture(two_populations(), duration=20.0, discard=5.0).simulation
    assert (simulation.dt, simulation.seed, simulation.duration, simulation.discard) == (0.05, 4711, 20.0, 5.0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"delta": 5.0}, "population B: delta is 5.0 and cannot be captured; only 0.0 can"),
        ({"rho": 0.5}, "population B: rho is 0.5 and cannot be captured; only 0.01 can"),
        ({"frozen": True}, "population B: frozen is True and cannot be captured; only False can"),
        ({"ignore_and_spike": True}, "population B: ignore_and_spike is True and cannot be captured; only False can"),
    ],
)
def test_settings_without_a_place_are_refused(setting: dict[str, object], message: str) -> None:
    populations = two_populations()
    populations["B"][3].set(setting)  # one neuron is enough
    with pytest.raises(FormatError, match=f"^{message}$"):
        capture(populations)


def test_changed_defaults_do_not_hide_settings() -> None:
    nest.SetDefaults("iaf_psc_exp", {"delta": 5.0})
    with pytest.raises(FormatError, match=r"population A: delta is 5\.0"):
        capture(two_populations())


def test_settings_without_effect_on_static_synapses_are_ignored() -> None:
    populations = two_populations()
    populations["A"].set({"tau_minus": 33.0, "tau_Ca": 5.0, "ignore_and_spike_interval": 7.0})
    assert capture(populations).n_edges == 340


def test_copies_of_the_neuron_model_are_known_by_their_type() -> None:
    nest.CopyModel("iaf_psc_exp", "excitatory", {"tau_m": 7.5})
    nodes = nest.Create("excitatory", 3)
    for instance in (capture({"E": nodes}), capture()):
        (population,) = instance.populations.values()
        assert (population.size, population.neuron.model) == (3, "iaf_psc_exp")
        assert population.neuron.parameters["tau_m"] == 7.5


def test_copies_of_synapse_models_are_refused() -> None:
    nodes = nest.Create("iaf_psc_exp", 3)
    nest.CopyModel("static_synapse", "excitatory")
    assert capture({"E": nodes}).n_edges == 0  # there, but not in use
    nest.Connect(nodes, nodes, syn_spec={"synapse_model": "excitatory"})
    with pytest.raises(FormatError, match=r"model excitatory cannot be captured; known: static_synapse, .*copies"):
        capture({"E": nodes})


@pytest.mark.parametrize("name", ["L2/3E", "2A", "", "A-B", "Ä", "A" * 65])
def test_names_that_no_format_holds_are_refused_at_once(name: str) -> None:
    nodes = nest.Create("iaf_psc_exp", 3)
    with pytest.raises(FormatError, match=r"^population '.*': a name must have 1 to 64 letters \(A-Z, a-z\), digits"):
        capture({name: nodes})
    with pytest.raises(FormatError, match=r"^model '.*': a name must have"):
        capture({"A": nodes}, name=name)


def test_names_of_projections_are_short_and_differ() -> None:
    names = ["A", "A_to_A", "B" * 64]
    populations = {name: nest.Create("iaf_psc_exp") for name in names}
    every = sum(populations.values(), start=nest.NodeCollection())
    nest.Connect(every, every)
    instance = capture(populations)
    assert instance.n_edges == len(instance.projections) == 9
    assert {e.name for e in instance.projections.values()} == set(instance.projections)
    assert "A_to_A" in instance.projections
    assert max(map(len, instance.projections)) <= 64


def test_nodes_that_are_not_consecutive() -> None:
    a = nest.Create("iaf_psc_exp", 3)
    nest.Create("spike_recorder")
    b = nest.Create("iaf_psc_exp", 2)
    nest.Connect(b, a)
    with pytest.raises(FormatError, match="population A: its nodes must have consecutive ids"):
        capture({"A": a + b})
    instance = capture()
    assert [nodes.size for nodes in instance.populations.values()] == [3, 2]
    (edges,) = instance.projections.values()
    (block,) = edges.blocks()
    assert sorted(zip(block.source.tolist(), block.target.tolist(), strict=True)) == [
        (s, t) for s in range(2) for t in range(3)
    ]


@pytest.mark.parametrize("indegree", [1, 40])
def test_connections_are_never_asked_for_all_at_once(indegree: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[capture.__module__], "_FETCH", 500)
    nodes = nest.Create("iaf_psc_exp", 200)
    nest.Connect(nodes, nodes, {"rule": "fixed_indegree", "indegree": indegree})
    sizes, original = [], nest.GetConnections

    def watched(*arguments: object) -> object:
        connections = original(*arguments)
        sizes.append(len(connections))
        return connections

    monkeypatch.setitem(vars(nest), "GetConnections", watched)
    instance = capture({"A": nodes})
    assert instance.n_edges == sum(sizes) == 200 * indegree
    assert max(sizes) < 1000
    assert len(sizes) < 4 + 2 * 200 * indegree / 500
    sizes.clear()
    assert sum(len(block) for edges in instance.projections.values() for block in edges.blocks()) == 200 * indegree
    assert max(sizes) < 1000


def test_the_example_of_the_page(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "capture.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "['E_to_E', 'I_to_E', 'E_to_I', 'I_to_I']" in done.stdout
    assert (tmp_path / "mine" / "circuit_config.json").is_file()
