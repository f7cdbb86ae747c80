"""Captured networks run as they do where they were built: the same spikes, through a SONATA export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nest
import numpy as np
import pytest
from nest_networks import DURATION, both_ways, connected, empty_kernel, inputs, relays

from mc_interchange import NetworkInstance, export
from mc_interchange.importers.nest import capture
from mc_interchange.instance import MixedNeurons
from mc_interchange.network import ForeignModel, Neuron

Populations = Mapping[str, Any]


def recurrent(model: str, weight: float, *, parameters: Mapping[str, Any] = {}, **synapse: Any) -> Populations:
    """Two populations of one model with input, each neuron with a potential of its own."""
    nest.resolution = 0.1
    source = inputs()
    E, I = (nest.Create(model, n, params=dict(parameters)) for n in (20, 10))  # noqa: E741
    if "V_m" in E[0].get():
        start = E[0].V_m
        E.V_m = nest.random.uniform(start - 2.0, start + 2.0)
        I.V_m = nest.random.uniform(start - 2.0, start + 2.0)
    for target in (E, I):
        connected(source, target, 20, weight, **synapse)
    connected(E, E + I, 8, weight / 4, 1.2, **synapse)
    connected(I, E + I, 4, -weight / 4, 0.8, **synapse)
    return {"IN": source, "E": E, "I": I}


def same_spikes(build: Callable[[], Populations], tmp_path: Path, least: int = 100) -> NetworkInstance:
    there, here, instance = both_ways(build, tmp_path)
    assert {name: here[name] for name in there} == there
    neurons = [name for name, nodes in instance.populations.items() if not nodes.virtual]
    assert sum(len(there[name]) for name in neurons if name in there) >= least  # silence cannot pass
    return instance


@pytest.mark.parametrize(
    ("model", "weight", "parameters"),
    [
        ("iaf_psc_exp", 300.0, {"I_e": 100.0}),
        ("iaf_psc_alpha", 300.0, {"tau_syn_ex": 1.5}),
        ("iaf_psc_delta", 3.0, {"refractory_input": True}),
        ("iaf_cond_exp", 15.0, {}),
        ("iaf_cond_alpha", 15.0, {"E_ex": 5.0}),
        ("aeif_cond_exp", 20.0, {"w": 3.0}),
        ("izhikevich", 20.0, {"U_m": -12.0, "consistent_integration": False}),
        ("hh_psc_alpha", 400.0, {"Act_m": 0.06}),
        ("iaf_psc_exp_htum", 300.0, {"t_ref_tot": 3.0, "t_ref_abs": 3.0}),
        ("mat2_psc_exp", 300.0, {"alpha_1": 20.0}),
    ],
)
def test_models(model: str, weight: float, parameters: dict[str, Any], tmp_path: Path) -> None:
    instance = same_spikes(lambda: recurrent(model, weight, parameters=parameters), tmp_path)
    neuron = instance.populations["E"].neuron
    known = model in {"iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta", "iaf_cond_exp", "iaf_cond_alpha"} or model in {
        "aeif_cond_exp",
        "izhikevich",
        "hh_psc_alpha",
    }
    assert isinstance(neuron, Neuron if known else ForeignModel)
    for name, value in parameters.items():
        assert neuron.parameters[name] == value


@pytest.mark.parametrize(
    ("model", "parameters", "weight"),
    [
        ("glif_psc", {"tau_syn": [2.0, 5.0, 1.0]}, 200.0),
        ("iaf_psc_exp_multisynapse", {"tau_syn": [2.0, 5.0, 1.0]}, 300.0),
        ("aeif_cond_alpha_multisynapse", {"tau_syn": [0.2, 2.0, 1.0], "E_rev": [0.0, 0.0, -85.0]}, 10.0),
    ],
)
def test_one_projection_per_receptor(model: str, parameters: dict[str, Any], weight: float, tmp_path: Path) -> None:
    def build() -> Populations:
        source, neurons = inputs(), nest.Create(model, 20, params=parameters)
        for receptor in (3, 1, 2):
            connected(source, neurons, 8, weight, receptor_type=receptor)
        connected(neurons, neurons, 4, weight / 4, receptor_type=2)
        return {"IN": source, "E": neurons}

    instance = same_spikes(build, tmp_path)
    assert {name: (e.synapse.receptor, e.n_edges) for name, e in instance.projections.items()} == {
        "IN_to_E_receptor_1": (1, 160),
        "IN_to_E_receptor_2": (2, 160),
        "IN_to_E_receptor_3": (3, 160),
        "E_to_E_receptor_2": (2, 80),
    }


def test_glif_with_all_its_mechanisms(tmp_path: Path) -> None:
    def build() -> Populations:
        source = inputs()
        switches = dict.fromkeys(("spike_dependent_threshold", "after_spike_currents", "adapting_threshold"), True)
        neurons = nest.Create("glif_psc", 20, params={**switches, "asc_init": [1.0, 2.0]})
        neurons[5:].set({"asc_amps": [-5.0, -100.0]})
        neurons[:5].set({"ASCurrents": [150.0, 20.0]})
        connected(source, neurons, 20, 200.0, receptor_type=1)
        return {"IN": source, "E": neurons}

    instance = same_spikes(build, tmp_path)
    population = instance.populations["E"]
    assert isinstance(population.neuron, MixedNeurons)
    assert population.neuron.which.tolist() == [population.neuron.which[0]] * 5 + [1 - population.neuron.which[0]] * 15
    starts = [population.models[k].parameters["asc_init"] for k in population.neuron.which[[0, 5]]]
    assert starts == [(150.0, 20.0), (0.0, 0.0)]


def test_a_population_of_several_models(tmp_path: Path) -> None:
    def build() -> Populations:
        source = inputs()
        nest.CopyModel("iaf_psc_exp", "slow", {"tau_m": 30.0})
        parts = [nest.Create(m, 10) for m in ("iaf_psc_exp", "hh_psc_alpha", "slow", "iaf_psc_alpha")]
        parts[0].C_m = nest.random.normal(250.0, 10.0)
        everyone = sum(parts[1:], start=parts[0])
        everyone.V_m = nest.random.uniform(-68.0, -62.0)
        connected(source, everyone, 20, 300.0)
        connected(everyone, everyone, 8, 100.0)
        return {"IN": source, "ALL": everyone}

    instance = same_spikes(build, tmp_path)
    population = instance.populations["ALL"]
    assert isinstance(population.neuron, MixedNeurons)
    assert len(population.models) == 3  # a copy is what it was copied from
    assert np.isnan(population.varying["tau_m"]).tolist() == [False] * 10 + [True] * 10 + [False] * 10 + [True] * 10


def test_switches_and_states_the_catalogue_does_not_hold(tmp_path: Path) -> None:
    def build() -> Populations:
        populations = recurrent("iaf_psc_delta", 3.0)
        populations["E"][3].set({"ignore_and_spike": True, "ignore_and_spike_interval": 10.0})
        populations["E"][4].set({"frozen": True})
        populations["I"].set({"V_min": -71.0})
        return populations

    there, here, instance = both_ways(build, tmp_path)
    assert here == there
    assert [step for step, neuron in here["E"] if neuron == 3] == list(range(10, 2000, 100))
    assert [step for step, neuron in here["E"] if neuron == 4] == []
    assert isinstance(instance.populations["I"].neuron, ForeignModel)
    assert sorted(type(m).__name__ for m in instance.populations["E"].models) == ["ForeignModel"] * 2 + ["Neuron"]


@pytest.mark.parametrize(
    "synapse",
    [
        {"synapse_model": "static_synapse_hpc"},
        {"synapse_model": "static_synapse_lbl", "synapse_label": 3},
        {"synapse_model": "cont_delay_synapse"},
        {"synapse_model": "copied"},
        {"synapse_model": "tsodyks2_synapse", "U": 0.3, "tau_rec": 100.0, "tau_fac": 20.0},
        {"synapse_model": "tsodyks_synapse", "U": 0.3, "tau_rec": 100.0},
        {"synapse_model": "depressing"},
        {"synapse_model": "stdp_synapse", "alpha": 1.1, "Wmax": 1000.0},
        {"synapse_model": "stdp_synapse_hpc", "lambda": 0.1, "Wmax": 1000.0},
        {"synapse_model": "stdp_triplet_synapse", "Aplus": 0.01, "Wmax": 1000.0},
        {"synapse_model": "stdp_nn_symm_synapse", "lambda": 0.1, "Wmax": 1000.0},
        {"synapse_model": "stdp_nn_restr_synapse", "lambda": 0.1, "Wmax": 1000.0},
        {"synapse_model": "stdp_nn_pre_centered_synapse", "lambda": 0.1, "Wmax": 1000.0},
        {"synapse_model": "vogels_sprekeler_synapse", "Wmax": 1000.0, "eta": 0.1},
        {"synapse_model": "ht_synapse", "delta_P": 0.3, "tau_P": 50.0},
    ],
    ids=lambda synapse: synapse["synapse_model"],
)
def test_synapse_models(synapse: dict[str, Any], tmp_path: Path) -> None:
    def build() -> Populations:
        nest.CopyModel("static_synapse", "copied")
        nest.CopyModel("tsodyks2_synapse", "depressing", {"U": 0.7, "tau_rec": 50.0})
        source, neurons = relays(), nest.Create("iaf_psc_exp", 20, params={"tau_minus": 15.0})
        connected(source, neurons, 20, 400.0, **synapse)
        connected(neurons, neurons, 4, 50.0)
        return {"IN": source, "E": neurons}

    same_spikes(build, tmp_path)


def test_clopath_synapses(tmp_path: Path) -> None:
    def build() -> Populations:
        source, neurons = relays(), nest.Create("hh_psc_alpha_clopath", 20, params={"A_LTP": 1e-3})
        connected(source, neurons, 20, 400.0, synapse_model="clopath_synapse", Wmax=1000.0)
        return {"IN": source, "E": neurons}

    same_spikes(build, tmp_path)


def test_synapses_with_one_weight_for_all(tmp_path: Path) -> None:
    def build() -> Populations:
        nest.CopyModel("static_synapse_hom_w", "strong", {"weight": 350.0})
        source, neurons = relays(), nest.Create("iaf_psc_exp", 20)
        for model in ("static_synapse_hom_w", "strong"):
            nest.Connect(source, neurons, {"rule": "fixed_indegree", "indegree": 15}, {"synapse_model": model})
        return {"IN": source, "E": neurons}

    instance = same_spikes(build, tmp_path)
    edges = instance.projections["IN_to_E"]
    (block,) = edges.blocks()
    assert sorted(set(block.weight.tolist())) == [1.0, 350.0]
    assert edges.weight_dtype == np.float32


def test_random_synapses_have_the_right_rate(tmp_path: Path) -> None:
    def build() -> Populations:
        source, relay = relays(100, 100.0), nest.Create("parrot_neuron", 100)
        nest.Connect(source, relay, "one_to_one", {"synapse_model": "bernoulli_synapse", "p_transmit": 0.3})
        return {"IN": source, "E": relay}

    there, here, instance = both_ways(build, tmp_path)
    assert instance.projections["IN_to_E_bernoulli_synapse"].synapse.parameters == {"p_transmit": 0.3}
    n = len(there["IN"])
    assert len(here["IN"]) == n
    for spikes in (there["E"], here["E"]):
        assert abs(len(spikes) - 0.3 * n) < 5 * np.sqrt(0.3 * 0.7 * n)


def test_nodes_with_gaps_between_them(tmp_path: Path) -> None:
    def build() -> Populations:
        source, neurons = inputs(), nest.Create("iaf_psc_exp", 40)
        connected(source, neurons, 20, 300.0)
        connected(neurons, neurons, 8, 100.0)
        return {"IN": source[::2], "IN2": source[1::2], "ODD": neurons[1::2], "EVEN": neurons[::2]}

    same_spikes(build, tmp_path)


def test_several_threads(tmp_path: Path) -> None:
    def build() -> Populations:
        nest.local_num_threads = 3
        return recurrent("iaf_psc_exp", 300.0)

    assert same_spikes(build, tmp_path).simulation.threads == 3


def test_resolutions(tmp_path: Path) -> None:
    def build() -> Populations:
        nest.resolution = 0.05
        source, neurons = inputs(), nest.Create("iaf_psc_exp", 20)
        connected(source, neurons, 20, 300.0, 0.35)
        return {"IN": source, "E": neurons}

    assert same_spikes(build, tmp_path).simulation.dt == 0.05
    assert DURATION == 200.0


def test_into_neuroml(tmp_path: Path) -> None:
    empty_kernel()
    E = nest.Create("iaf_psc_exp", 20)
    nest.Connect(E, E, {"rule": "fixed_indegree", "indegree": 5}, {"weight": 50.0})
    nest.Connect(nest.Create("dc_generator", params={"amplitude": 400.0, "start": 10.0}), E[:7])
    result = export(capture({"E": E}, duration=100.0), "neuroml", tmp_path / "neuroml")
    assert result.n_edges == 100
    assert not [loss for loss in result.losses if loss.how == "dropped"]
    assert "pulseGenerator" in "".join(path.read_text() for path in result.path.glob("*.nml"))
