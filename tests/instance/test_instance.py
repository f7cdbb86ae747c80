"""What an instance is checked for when it is made; and what can be imported."""

from dataclasses import replace

import numpy as np
import pytest
from statistics_of_rules import NEURON, network

from mc_interchange import instance as package
from mc_interchange.errors import ModelError
from mc_interchange.instance import Nodes, realize
from mc_interchange.network import FixedTotalNumber, PoissonActivity


@pytest.fixture(scope="module")
def instance():
    return realize(network(FixedTotalNumber(number=10), 3, 3))


@pytest.mark.parametrize("name", ["L2/3E", "2A", "", "A B", "A\n", "A" * 65, "Ä"])
def test_names_of_populations(name):
    with pytest.raises(
        ModelError, match=r"^population '.*': a name must have 1 to 64 letters .*underscores.*"
    ) as refused:
        Nodes(name, 3, neuron=NEURON)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["L23E", "_a", "A" * 64])
def test_names_that_are_taken(name):
    assert Nodes(name, 3, neuron=NEURON).name == name


def test_names_of_projections(instance, monkeypatch):
    monkeypatch.setattr(instance.projections["p"], "name", "a/b")
    with pytest.raises(ModelError, match=r"^projection 'a/b': a name must have"):
        replace(instance)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"V_m": np.zeros(2)}, r"V_m must have the shape \(3,\), got \(2,\)"),
        ({"V_m": np.zeros((3, 1))}, r"V_m must have the shape \(3,\), got \(3, 1\)"),
        ({"V_m": np.array([0.0, np.nan, 0.0])}, "V_m must be finite"),
        ({"varying": {"tau_m": np.ones(4)}}, r"tau_m must have the shape \(3,\), got \(4,\)"),
        ({"varying": {"tau_m": np.array([1.0, np.inf, 1.0])}}, "tau_m must be finite"),
        ({"positions": np.zeros((3, 2))}, r"positions must have the shape \(3, 3\), got \(3, 2\)"),
        ({"positions": np.full((3, 3), np.nan)}, "positions must be finite"),
    ],
)
def test_arrays_of_nodes(arrays, message):
    with pytest.raises(ModelError, match=f"^population A: {message}"):
        Nodes("A", 3, neuron=NEURON, **arrays)


def test_ends_of_projections(instance):
    for gone in "ST":
        rest = {name: nodes for name, nodes in instance.populations.items() if name != gone}
        with pytest.raises(ModelError, match=f"^projection p: there is no population {gone}$"):
            replace(instance, populations=rest)
    sources = Nodes("T", 3, activity=PoissonActivity(rate=1.0))
    with pytest.raises(ModelError, match=r"^projection p: its target T is virtual"):
        replace(instance, populations={**instance.populations, "T": sources})


def test_no_synapse_is_drawn_for_the_checks(instance, monkeypatch):
    monkeypatch.setattr(type(instance.projections["p"]), "pieces", None)
    replace(instance)


def test_names_to_import():
    assert all(hasattr(package, name) for name in package.__all__)
    assert {"Order", "Piece", "pair"} <= set(package.__all__)
