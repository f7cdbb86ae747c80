"""Reading only the synapses onto some of the neurons: all of these, and with an index not much else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.exporters.sonata import SonataOptions
from mc_interchange.importers.sonata import edge_table
from mc_interchange.instance import EdgeBlock


@pytest.fixture(scope="module")
def instance() -> NetworkInstance:
    return realize(build("pd14", n_scale=0.01, k_scale=0.02))


def sorted_rows(blocks: list[EdgeBlock]) -> np.ndarray:
    columns = [np.concatenate([getattr(b, name) for b in blocks]) for name in ("target", "source", "weight", "delay")]
    return np.array(columns)[:, np.lexsort(columns[::-1])]


@pytest.mark.parametrize("index", ["both", "none"])
@pytest.mark.parametrize("gap", [0, edge_table.GAP])
def test_all_of_the_chosen_and_no_others(
    instance: NetworkInstance, index: str, gap: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_table, "GAP", gap)
    read: list[int] = []
    original = edge_table.EdgeTable.read

    def counted(table, start, end, *rest):
        read.append(end - start)
        return original(table, start, end, *rest)

    monkeypatch.setattr(edge_table.EdgeTable, "read", counted)
    opened = open_model(export(instance, "sonata", tmp_path / "pd14", SonataOptions(index=index)).path)
    for name in ("L4E_to_L4E", "L6E_to_L23I"):
        edges = opened.projections[name]
        every = list(edges.blocks(1000))
        read.clear()
        chosen = np.arange(opened.populations[edges.target].size) % 4 == 1
        found = list(edges.blocks_onto(chosen, 1000))
        assert 0 < sum(map(len, found)) < edges.n_edges
        of_all = [block[np.flatnonzero(chosen[block.target])] for block in every]
        assert np.array_equal(sorted_rows(found), sorted_rows(of_all))
        if index == "none":
            assert sum(read) == edges.n_edges
        else:  # a short gap is read through, as that takes less time
            assert (sum(read) == sum(map(len, found))) == (gap == 0)


def test_nobody_chosen(instance: NetworkInstance, tmp_path: Path) -> None:
    opened = open_model(export(instance, "sonata", tmp_path / "pd14").path)
    edges = opened.projections["L4E_to_L4E"]
    assert list(edges.blocks_onto(np.zeros(opened.populations["L4E"].size, bool))) == []
