"""Connections of captured networks: each of them once, in pieces that fit."""

from __future__ import annotations

import gc
import resource
import warnings
from pathlib import Path

import nest
import numpy as np
import pytest
from nest_networks import empty_kernel, two_populations

from mc_interchange.errors import FormatError, OutputError
from mc_interchange.importers.nest import capture, connections
from mc_interchange.instance import spool
from mc_interchange.progress import Silent


@pytest.fixture(autouse=True)
def _empty_kernel() -> None:
    empty_kernel()


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


def test_a_single_connection_and_a_single_neuron() -> None:
    a, b = nest.Create("iaf_psc_exp"), nest.Create("iaf_psc_exp")
    nest.Connect(a, b, syn_spec={"weight": 3.0, "delay": 2.0})
    instance = capture({"A": a, "B": b})
    (edges,) = instance.projections.values()
    (block,) = edges.blocks()
    assert (block.weight.tolist(), block.delay.tolist()) == ([3.0], [20])
    assert np.array_equal(instance.populations["A"].V_m, [-70.0])


def test_copies_of_static_synapses_join_the_others() -> None:
    nodes = nest.Create("iaf_psc_exp", 3)
    nest.CopyModel("static_synapse", "excitatory")
    for model in ("static_synapse", "excitatory"):
        nest.Connect(nodes, nodes, syn_spec={"synapse_model": model})
    (edges,) = capture({"E": nodes}).projections.values()
    assert (edges.n_edges, edges.synapse.plain) == (18, True)


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
    for instance, first in ((capture({"A": a + b}), 3), (capture(), 0)):
        (edges,) = instance.projections.values()
        (block,) = edges.blocks()
        assert sorted(zip(block.source.tolist(), block.target.tolist(), strict=True)) == [
            (first + s, t) for s in range(2) for t in range(3)
        ]


@pytest.mark.parametrize("indegree", [1, 40])
def test_connections_are_never_asked_for_all_at_once(indegree: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FETCH", 500)
    monkeypatch.setattr(connections, "_BATCH", 70)
    monkeypatch.setattr(spool, "_WAITING", 200)
    nodes = nest.Create("iaf_psc_exp", 200)
    nest.Connect(nodes, nodes, {"rule": "fixed_indegree", "indegree": indegree})
    nest.Connect(nest.Create("dc_generator", 10), nodes)
    sizes, original = [], nest.GetConnections

    def watched(*arguments: object, **others: object) -> object:
        found = original(*arguments, **others)
        sizes.append(len(found))
        return found

    monkeypatch.setitem(vars(nest), "GetConnections", watched)
    instance = capture({"A": nodes})
    assert instance.n_edges == 200 * indegree
    assert sum(sizes) == 200 * indegree + 10 * 200
    assert max(sizes) < 1000
    assert len(sizes) < 20 + 2 * 200 * indegree / 500
    (edges,) = instance.projections.values()
    for size in (1, 64, 7777):
        blocks = list(edges.blocks(size))
        assert sum(map(len, blocks)) == 200 * indegree
        assert max(map(len, blocks)) <= size
        assert all(np.all(block.delay == 10) for block in blocks)


def test_every_connection_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    populations = two_populations()
    original = nest.GetConnections
    monkeypatch.setitem(vars(nest), "GetConnections", lambda *a, **k: original(*a, **k)[1:])
    with pytest.raises(FormatError, match=r"^NEST counts 340 connections of static_synapse, and hands out 33\d$"):
        capture(populations)


def test_the_kernel_may_go() -> None:
    instance = capture(two_populations())
    before = instance.digest()
    nest.ResetKernel()
    assert instance.digest() == before
    assert instance.n_edges == 340


def test_the_temporary_file_is_closed_without_edges_too() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        capture({"A": nest.Create("iaf_psc_exp", 3)})
        gc.collect()
    assert not [w for w in caught if issubclass(w.category, ResourceWarning)]


def test_no_place_for_the_connections(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"missing: the connections cannot be kept here \(No such file or directory\)"
    ):
        capture(two_populations(), directory=tmp_path / "missing")


def test_progress_is_told() -> None:
    class Watched(Silent):
        done = 0.0

        def task(self, label: str, total: float, unit: str) -> None:
            self.total = total

        def advance(self, amount: float) -> None:
            self.done += amount

    watched = Watched()
    capture(two_populations(), progress=watched)
    assert watched.done == watched.total == 340


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    populations = two_populations()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OutputError, match=r"the connections cannot be kept here \(File too large\), 20 bytes each"):
            capture(populations, directory=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
