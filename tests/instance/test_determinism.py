"""(network, seed) fixes every bit, whatever the blocks, the workers and the order of projections."""

import numpy as np
import pytest
from statistics_of_rules import joined, network
from test_golden import diverse_network

from mc_interchange.errors import ModelError
from mc_interchange.instance import EdgeDigest, digest_block, map_blocks, realize
from mc_interchange.network import AllToAll, FixedTotalNumber, Network, TruncatedNormal
from mc_interchange.network.rules import FixedOutdegree


@pytest.fixture(scope="module")
def diverse():
    return diverse_network()


@pytest.fixture(scope="module")
def digest(diverse):
    return realize(diverse).digest()


@pytest.mark.parametrize("block_edges", [50_021, 2**17, 10**7])
@pytest.mark.parametrize("workers", [1, 4])
def test_blocks_and_workers(diverse, digest, block_edges, workers):
    again = realize(diverse).digest(workers=workers, block_edges=block_edges)
    assert again.differences(digest) == []
    assert again.all == digest.all


def test_order_of_projections_and_populations(diverse, digest):
    values = {name: getattr(diverse, name) for name in type(diverse).model_fields}
    values["projections"] = diverse.projections[::-1]
    values["populations"] = diverse.populations[::-1]
    assert realize(Network(**values)).digest().all == digest.all


def test_one_projection_more_leaves_the_others(diverse):
    values = {name: getattr(diverse, name) for name in type(diverse).model_fields}
    values["projections"] = diverse.projections[1:]
    fewer, all_of_them = realize(Network(**values)), realize(diverse)
    for name in ("total_once", "listed_drawn"):
        a, b = (joined(x.projections[name]) for x in (fewer, all_of_them))
        assert digest_block(a) == digest_block(b)


def test_another_seed_is_another_network(diverse, digest):
    other = realize(diverse, seed=2).digest()
    assert set(other.edges) == set(digest.edges)
    same = {name for name in digest.edges if other.edges[name] == digest.edges[name]}
    assert same == {"TH -> A"}  # listed with all its values: nothing is drawn
    assert all(other.nodes[name] != digest.nodes[name] for name in "ABC")
    assert other.parameters == digest.parameters


def test_seed_of_the_file_and_given_seed_are_one(diverse, digest):
    assert realize(diverse, seed=diverse.simulation.seed).digest().all == digest.all
    assert realize(diverse, seed=np.int64(1)).digest().all == digest.all
    assert realize(diverse, seed=7).simulation.seed == 7


@pytest.mark.parametrize("seed", [0, -1, 2**32, 1.0, True, "1"])
def test_seeds_that_are_refused(diverse, seed):
    with pytest.raises(ModelError, match=r"^seed: must be a whole number from 1 to 4294967295, got "):
        realize(diverse, seed=seed)


def test_stream_is_the_same_in_any_blocks(diverse):
    """Not only as a multiset: the order of the stream is fixed, too."""
    for projection in realize(diverse).projections.values():
        whole = joined(projection)
        assert len(whole) == projection.n_edges
        for size in (projection.n_edges // 3 + 1, 2**18):
            parts = joined(projection, max_edges=size)
            for column in ("source", "target", "weight", "delay"):
                assert np.array_equal(getattr(parts, column), getattr(whole, column))


def test_blocks_have_at_most_the_size_asked_for(diverse):
    for projection in realize(diverse).projections.values():
        size = projection.n_edges // 3 + 1
        lengths = [len(block) for block in projection.blocks(size)]
        assert max(lengths) <= size
        assert min(lengths) > 0
        assert sum(lengths) == projection.n_edges


def test_declared_order_holds(diverse):
    orders = set()
    for projection in realize(diverse).projections.values():
        orders.add(projection.order)
        last = 0
        for block in projection.blocks(100_003):
            if projection.order == "none":
                continue
            ids = getattr(block, projection.order)
            assert np.all(ids[1:] >= ids[:-1])
            assert ids[0] >= last
            last = ids[-1]
    assert orders == {"target", "source", "none"}


def test_types(diverse):
    for projection in realize(diverse).projections.values():
        block = next(iter(projection.blocks()))
        assert (block.source.dtype, block.target.dtype, block.delay.dtype) == (np.uint32, np.uint32, np.int32)
        assert block.weight.dtype == projection.weight_dtype
        assert block.delay.min() >= 1


def test_rows_larger_than_a_chunk():
    delay = TruncatedNormal(mean=1.5, sd=0.75, min=0.05)
    for rule in (AllToAll(), FixedOutdegree(outdegree=200_000)):
        edges = realize(network(rule, 2 if rule.rule == "fixed_outdegree" else 200_000, 2, delay=delay)).projections[
            "p"
        ]
        assert edges.n_edges == 400_000
        one = sum((digest_block(b) for b in edges.blocks(10**6)), EdgeDigest())
        many = sum(map_blocks(edges, digest_block, max_edges=70_000, workers=3), EdgeDigest())
        assert one == many


def test_empty_projections_are_left_out():
    assert realize(network(FixedTotalNumber(number=0))).projections == {}


def test_numbers(diverse):
    instance = realize(diverse)
    assert instance.n_neurons == 1600
    assert instance.n_edges == sum(d.count for d in instance.digest().edges.values())
    assert instance.projections["chunks"].n_edges == 300_000


def test_too_many_pairs_to_draw_without_multapses():
    with pytest.raises(ModelError, match="use pairwise_bernoulli"):
        realize(network(FixedTotalNumber(number=10, allow_multapses=False), 40_000, 40_000))


def test_positions_and_initial_values(diverse):
    for name in "ABC":
        nodes = realize(diverse).populations[name]
        assert nodes.V_m.shape == (nodes.size,)
        assert nodes.V_m.dtype == np.float64
        assert nodes.positions.shape == (nodes.size, 3)
        assert np.array_equal(nodes.positions, np.round(nodes.positions, 1))
        assert -400 <= nodes.positions[:, 1].min() <= nodes.positions[:, 1].max() <= 0
        assert np.abs(nodes.positions[:, [0, 2]]).max() <= 500
    assert realize(diverse).populations["C"].V_m.max() <= -50.0


def test_failing_consumer_stops_the_workers(diverse):
    edges = realize(diverse).projections["chunks"]

    def fail(block):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(map_blocks(edges, fail, max_edges=1000, workers=3))
    results = map_blocks(edges, digest_block, max_edges=50_000, workers=3)
    next(results)
    results.close()


def test_long_rows_are_drawn_once(monkeypatch):
    """A row longer than a block comes in several pieces; drawing it for each would take quadratic time."""
    edges = realize(network(FixedTotalNumber(number=400_000), 5000, 1)).projections["p"]
    drawn, original = [], type(edges)._draw_chunk
    monkeypatch.setattr(type(edges), "_draw_chunk", lambda self, chunk: drawn.append(chunk) or original(self, chunk))
    whole = joined(edges)
    assert drawn == [0]
    for workers in (1, 4):
        drawn.clear()
        parts = list(map_blocks(edges, lambda block: block, max_edges=10_000, workers=workers))
        assert drawn == [0]
        assert [len(block) for block in parts] == [10_000] * 40
        assert np.array_equal(np.concatenate([block.source for block in parts]), whole.source)


def test_the_rules_of_an_instance_have_its_seed(diverse, digest):
    other = realize(diverse, seed=7)
    assert other.network.simulation.seed == other.simulation.seed == other.seed == 7
    assert realize(other.network).digest().all == other.digest().all != digest.all
    assert diverse.simulation.seed == 1
    assert realize(diverse).network is diverse
