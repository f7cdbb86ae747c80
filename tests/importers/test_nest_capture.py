"""Capturing live NEST networks; what cannot be captured is named."""

from __future__ import annotations

from collections.abc import Iterator

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
