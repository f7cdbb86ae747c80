"""Comparing runs and instances that were made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from mc_interchange import realize
from mc_interchange.equivalence import compare_spikes, compare_structure, first_difference
from mc_interchange.instance import ArrayEdges, EdgeBlock, Piece
from mc_interchange.network import Network
from mc_interchange.runs import Run, Spikes


def run(spikes: dict[str, list[tuple[int, int]]], **changes: object) -> Run:
    arrays = {name: np.array(pairs, np.int64).reshape(-1, 2) for name, pairs in spikes.items()}
    values = {
        "model": "m",
        "simulator": "s",
        "dt": 0.1,
        "duration": 100.0,
        "discard": 0.0,
        "seed": 1,
        "threads": 1,
        "sizes": dict.fromkeys(spikes, 10),
        "spikes": {name: Spikes.sorted(a[:, 0], a[:, 1]) for name, a in arrays.items()},
    }
    return Run(**{**values, **changes})


BASE = {"E": [(10, 1), (10, 2), (35, 1)], "I": [(12, 0)]}


def test_order_of_spikes_does_not_matter() -> None:
    shuffled = {"E": BASE["E"][::-1], "I": BASE["I"]}
    result = compare_spikes(run(BASE), run(shuffled))
    assert (result.identical, result.n_spikes, result.n_common, result.divergence) == (True, (4, 4), 4, None)


@pytest.mark.parametrize(
    ("other", "divergence"),
    [
        ({"E": [(10, 1), (10, 2)], "I": [(12, 0)]}, "E neuron 1 at 3.5 ms, only in the first run"),
        ({"E": [*BASE["E"], (99, 9)], "I": [(12, 0)]}, "E neuron 9 at 9.9 ms, only in the second run"),
        ({"E": [(10, 1), (10, 3), (35, 1)], "I": [(12, 0)]}, "E neuron 2 at 1 ms, only in the first run"),
        ({"E": BASE["E"], "I": [(13, 0)]}, "I neuron 0 at 1.2 ms, only in the first run"),
        ({"E": [*BASE["E"], (35, 1)], "I": [(12, 0)]}, "E neuron 1 at 3.5 ms, only in the second run"),
    ],
)
def test_first_difference_is_named(other: dict[str, list[tuple[int, int]]], divergence: str) -> None:
    result = compare_spikes(run(BASE), run(other))
    assert not result.identical
    assert result.divergence == divergence


@pytest.mark.parametrize("change", [{"dt": 0.05}, {"duration": 50.0}, {"sizes": {"E": 10, "I": 11}}])
def test_runs_that_cannot_be_the_same(change: dict[str, object]) -> None:
    assert not compare_spikes(run(BASE), run(BASE, **change)).identical


def test_silence_is_recognised() -> None:
    result = compare_spikes(run({"E": []}), run({"E": []}))
    assert result.identical
    assert result.silent
    assert not compare_spikes(run(BASE), run(BASE)).silent


def test_rates_include_silent_neurons_and_leave_out_the_start() -> None:
    result = run(BASE, discard=1.0)
    assert result.rates() == {"E": pytest.approx(1 / (10 * 0.099)), "I": pytest.approx(1 / (10 * 0.099))}


def test_structure_names_every_part_that_differs(small_network: Network) -> None:
    a = realize(small_network, 5)
    assert compare_structure(a, realize(small_network, 5), workers=2).identical
    shifted = replace(a.populations["I"], V_m=a.populations["I"].V_m + 1e-12)
    changes = {
        "edges of E -> I": {"projections": {k: v for k, v in a.projections.items() if k != "E_to_I"}},
        "nodes of I": {"populations": {**a.populations, "I": shifted}},
        "inputs": {"inputs": ()},
    }
    for message, change in changes.items():
        result = compare_structure(a, replace(a, **change))
        assert not result.identical
        assert [d.split(":")[0] for d in result.differences] == [message]
    other = compare_structure(a, realize(small_network, 6))
    assert {d.split(":")[0] for d in other.differences} == {
        "edges of E -> I",
        "edges of I -> E",
        "edges of TH -> E",
        "nodes of I",
    }


class Cut(ArrayEdges):
    """E_to_I in blocks of a size of its own."""

    def __init__(self, block: EdgeBlock, size: int) -> None:
        super().__init__("E_to_I", "E", "I", block)
        self.size = size

    def pieces(self, max_edges: int = 0) -> Iterator[Piece]:
        return super().pieces(self.size)


@pytest.fixture
def block(small_network: Network) -> EdgeBlock:
    return next(realize(small_network, 5).projections["E_to_I"].blocks(10**6))


@pytest.mark.parametrize("sizes", [(1000, 1000), (7, 1000), (1000, 13), (7, 13)])
@pytest.mark.parametrize("column", ["source", "target", "weight", "delay"])
def test_the_first_row_that_differs_is_told(block: EdgeBlock, sizes: tuple[int, int], column: str) -> None:
    changed = getattr(block, column).copy()
    changed[[123, 200]] += 1
    other = replace(block, **{column: changed})
    assert first_difference(Cut(block, sizes[0]), Cut(block, sizes[1])) is None
    found = first_difference(Cut(block, sizes[0]), Cut(other, sizes[1]))
    assert found is not None
    assert found.row == 123
    for edge, held in zip(found.edges, (block, other), strict=True):
        assert edge == (held.source[123], held.target[123], held.weight[123], held.delay[123])


def test_a_stream_that_ends_is_told(block: EdgeBlock) -> None:
    found = first_difference(Cut(block, 100), Cut(block[:250], 100))
    assert found is not None
    assert (found.row, found.edges[1]) == (250, None)
    weight = float(block.weight[250])
    assert (
        str(found)
        == f"row 250: {block.source[250]} -> {block.target[250]}, weight {weight}, delay 15 steps against none"
    )
