"""The digest sees every change, and nothing but changes."""

from dataclasses import replace

import numpy as np
import pytest
from test_golden import diverse_network

from mc_interchange.instance import ArrayEdges, EdgeBlock, EdgeDigest, digest_block, realize
from mc_interchange.instance.digest import digest_arrays, digest_json
from mc_interchange.network import PoissonInput, StepCurrent


@pytest.fixture(scope="module")
def block():
    edges = realize(diverse_network()).projections["out_once"]
    return next(iter(edges.blocks()))[:3000]


def copy(block):
    return EdgeBlock(*(getattr(block, name).copy() for name in EdgeBlock.__slots__))


def at(block, order):
    return EdgeBlock(*(getattr(block, name)[order] for name in EdgeBlock.__slots__))


def test_order_does_not_matter(block):
    for seed in range(3):
        shuffled = at(block, np.random.default_rng(seed).permutation(len(block)))
        assert digest_block(shuffled) == digest_block(block)


def test_parts_add_up(block):
    total = sum((digest_block(block[i : i + 700]) for i in range(0, 3000, 700)), EdgeDigest())
    assert total == digest_block(block)
    assert digest_block(block[:0]) == EdgeDigest(0, 0)


def test_type_of_the_weights_does_not_matter(block):
    wide = EdgeBlock(block.source, block.target, block.weight.astype(np.float64), block.delay)
    assert digest_block(wide) == digest_block(block)


def test_negative_zero_is_zero(block):
    for value in (0.0, -0.0):
        other = copy(block)
        other.weight[:] = value
        assert (
            digest_block(other).value
            == digest_block(EdgeBlock(block.source, block.target, block.weight * 0, block.delay)).value
        )


def source(block):
    block.source[7] ^= 1


def target(block):
    block.target[7] += 1


def one_ulp(block):
    block.weight[7] = np.nextafter(block.weight[7], np.float32(1e9))


def delay(block):
    block.delay[7] += 1


def sign(block):
    block.weight[7] *= -1


def source_and_target(block):
    block.source[7], block.target[7] = block.target[7], block.source[7]


def swap(name, i, j):
    def swapped(block):
        values = getattr(block, name)
        assert values[i] != values[j]
        values[[i, j]] = values[[j, i]]

    swapped.__name__ = f"swap_{name}"
    return swapped


def duplicate_for_another(block):
    for name in EdgeBlock.__slots__:
        getattr(block, name)[8] = getattr(block, name)[7]


@pytest.mark.parametrize(
    "change",
    [
        source,
        target,
        one_ulp,
        delay,
        sign,
        source_and_target,
        swap("weight", 5, 900),
        swap("delay", 5, 901),
        swap("source", 5, 900),
        swap("target", 5, 900),
        duplicate_for_another,
    ],
)
def test_one_change(block, change):
    other = copy(block)
    change(other)
    assert digest_block(other).count == digest_block(block).count
    assert digest_block(other).value != digest_block(block).value


def test_missing_and_additional(block):
    assert digest_block(block[1:]) != digest_block(block)
    assert digest_block(at(block, np.append(np.arange(3000), 7))) != digest_block(block)


@pytest.mark.parametrize("name", EdgeBlock.__slots__)
def test_every_single_change_shows(block, name):
    """Each synapse in turn: the hash is a bijection of each field."""
    other = copy(block)
    values = getattr(other, name)
    values += 1
    for i in range(0, 3000, 13):
        assert digest_block(at(other, [i])) != digest_block(at(block, [i]))


@pytest.mark.parametrize("name", EdgeBlock.__slots__)
def test_swaps_change_all_bits(block, name):
    """What two synapses do that swap a field spreads over 64 bits; few bits would hide many swaps."""
    rng, changes = np.random.default_rng(1), []
    for i, j in rng.integers(0, 3000, (2000, 2)):
        pair, values = at(block, [i, j]), getattr(block, name)
        swapped = EdgeBlock(*(getattr(block, n)[[j, i] if n == name else [i, j]] for n in EdgeBlock.__slots__))
        if values[i] != values[j]:
            changes.append((digest_block(pair).value - digest_block(swapped).value) % 2**64)
    high = np.array([value >> 54 for value in changes])
    assert np.count_nonzero((high == 0) | (high == 1023)) < 20  # 4 by chance


def test_text():
    assert str(EdgeDigest(3, 255)) == "3:00000000000000ff"


def test_differences_name_the_part():
    a = realize(diverse_network()).digest()
    b = realize(diverse_network(), seed=2).digest()
    found = a.differences(b)
    assert any(line.startswith("edges of A -> B: 29916:") for line in found)
    assert any(line.startswith("nodes of A: ") for line in found)
    assert not any(line.startswith(("inputs", "dt", "parameters")) for line in found)
    assert a.differences(a) == []
    missing = type(a)({}, a.nodes, a.parameters, a.inputs, 0.2)
    assert "edges of A -> C: 9000:27b084fa30e5980a against missing" in a.differences(missing)
    assert "dt: 0.1 against 0.2" in a.differences(missing)
    assert a.all != missing.all


def test_arrays_and_values():
    one = {"a": np.arange(3.0), "b": np.arange(2)}
    assert digest_arrays(one) == digest_arrays(dict(reversed(one.items())))
    assert digest_arrays(one) != digest_arrays({"a": np.arange(3.0), "c": np.arange(2)})
    assert digest_arrays({"a": np.zeros((2, 3))}) != digest_arrays({"a": np.zeros((3, 2))})
    assert digest_arrays({"a": np.arange(6.0)[::2]}) == digest_arrays({"a": np.array([0.0, 2.0, 4.0])})
    assert digest_json({"a": 0.1}) != digest_json({"a": np.nextafter(0.1, 1)})


@pytest.mark.parametrize(
    ("columns", "order"),
    [(([1, 0, 1], [0, 1, 1]), "target"), (([0, 1, 1], [1, 0, 2]), "source"), (([1, 0], [1, 0]), "none")],
)
def test_held_edges_find_their_order(columns, order):
    n = len(columns[0])
    source, target = (np.array(c, np.uint32) for c in columns)
    block = EdgeBlock(source, target, np.ones(n, np.float32), np.ones(n, np.int32))
    edges = ArrayEdges("p", "A", "B", block)
    assert (edges.order, edges.n_edges, edges.weight_dtype) == (order, n, np.float32)
    assert [len(b) for b in edges.blocks(2)] == ([2, 1] if n == 3 else [2])
    assert repr(edges) == f"<ArrayEdges p: {n} synapses A -> B>"


def small():
    """An instance whose digest needs no edges."""
    return replace(realize(diverse_network()), projections={})


def with_nodes(instance, name, **changes):
    nodes = replace(instance.populations[name], **changes)
    return replace(instance, populations={**instance.populations, name: nodes})


def test_pairs_without_synapses_do_not_count():
    instance = small()
    a, b = instance.digest_with({}), instance.digest_with({"A -> B": EdgeDigest(0, 0)})
    assert a.all == b.all
    assert a.differences(b) == []
    assert a.all != instance.digest_with({"A -> B": EdgeDigest(1, 0)}).all


def test_order_of_inputs_does_not_matter():
    one = PoissonInput(name="one", target="A", rate=10.0, weight=1.0, delay=1.0)
    two = StepCurrent(name="two", target="A", amplitude=1.0, start=1.0, stop=2.0, delay=1.0)
    a, b, c = (replace(small(), inputs=inputs).digest() for inputs in ((one, two), (two, one), (one,)))
    assert a.inputs == b.inputs
    assert a.all == b.all
    assert a.inputs != c.inputs


def test_common_value_of_a_varying_parameter_does_not_count():
    instance = small()
    neuron = instance.populations["A"].neuron
    varying = {"tau_m": np.linspace(9.0, 11.0, 1000)}
    first = with_nodes(instance, "A", varying=varying)
    other = neuron.model_copy(update={"parameters": {**neuron.parameters, "tau_m": 9.0}})
    second = with_nodes(instance, "A", varying=varying, neuron=other)
    assert first.digest().all == second.digest().all
    assert with_nodes(instance, "A", neuron=other).digest().parameters != instance.digest().parameters
    assert first.digest().nodes["A"] != instance.digest().nodes["A"]


def test_negative_zero_of_nodes_is_zero():
    instance = small()
    neuron = instance.populations["A"].neuron
    digests = set()
    for zero in (0.0, -0.0):
        values = np.full(1000, zero)
        parameters = {**neuron.parameters, "I_e": zero}
        common = neuron.model_copy(update={"parameters": parameters})
        digests.add(with_nodes(instance, "A", V_m=values, neuron=common).digest().all)
        digests.add(with_nodes(instance, "A", V_m=values, varying={"I_e": values}).digest().all + " varying")
    assert len(digests) == 2
