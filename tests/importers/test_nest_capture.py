"""Capturing live NEST networks; what cannot be captured is named."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nest
import numpy as np
import pytest
from nest_networks import empty_kernel, two_populations

from mc_interchange.errors import FormatError
from mc_interchange.importers.nest import capture
from mc_interchange.network import ForeignModel
from mc_interchange.runners.nest.network import create_nodes


@pytest.fixture(autouse=True)
def _empty_kernel() -> None:
    empty_kernel()


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


def test_neurons_without_a_name_get_one() -> None:
    populations = two_populations()
    nest.CopyModel("iaf_psc_alpha", "Vip2/3-cells")
    nest.Create("Vip2/3-cells", 2)
    nest.Create("hh_psc_alpha", 2)
    assert {name: nodes.size for name, nodes in capture(populations).populations.items()} == {
        "A": 20,
        "B": 5,
        "Vip2_3_cells_0": 2,
        "hh_psc_alpha_0": 2,
    }


def test_parameters_that_differ_from_neuron_to_neuron_make_no_border() -> None:
    same, spread = nest.Create("iaf_psc_exp", 30), nest.Create("iaf_psc_exp", 20, params={"C_m": 200.0})
    spread.tau_m = nest.random.uniform(9.0, 11.0)
    nest.Create("iaf_psc_exp", 10).C_m = nest.random.uniform(9.0, 11.0)
    nest.Create("iaf_psc_exp", 30)
    sizes = [nodes.size for nodes in capture().populations.values()]
    assert sizes == [30, 30, 30]
    assert len(same) == 30


def test_populations_are_not_found_without_end() -> None:
    neurons = nest.Create("iaf_psc_exp", 400)
    for first in range(0, 400, 3):
        neurons[first : min(first + 3, 400)].C_m = 100.0 + first
    (population,) = capture().populations.values()
    assert population.varying["C_m"].tolist() == [100.0 + n - n % 3 for n in range(400)]


def test_every_neuron_model_of_nest() -> None:
    own = {"global_id", "model_id", "thread_local_id", "vp"}
    seen = 0
    for model in nest.node_models:
        empty_kernel()
        if nest.GetDefaults(model)["element_type"] != "neuron" or model == "spike_train_injector":
            continue
        neurons = nest.Create(model, 2)
        if isinstance(neurons[0].get().get("V_m"), float):
            neurons.V_m = [neurons[0].V_m, neurons[0].V_m + 0.5]
        before = [{key: repr(value) for key, value in n.get().items() if key not in own} for n in neurons]
        if re.search("rate|siegert|astrocyte|eprop|cm_default", model):
            with pytest.raises(FormatError, match=f"neurons of the model {model} cannot be captured"):
                capture()
            continue
        instance = capture()
        empty_kernel()
        (neurons,) = create_nodes(nest, instance).values()
        assert [{key: repr(value) for key, value in n.get().items() if key not in own} for n in neurons] == before
        seen += 1
    assert seen > 50


def test_structural_plasticity_is_refused() -> None:
    elements = {"pre_synaptic_element": "Axon", "post_synaptic_element": "Dendrite"}
    nest.structural_plasticity_synapses = {"growing": {"synapse_model": "static_synapse", **elements}}
    with pytest.raises(FormatError, match=r"^structural plasticity \(growing\) cannot be captured"):
        capture(two_populations())


def simulate() -> None:
    nest.Simulate(1.0)


def add_gap_junction() -> None:
    cells = nest.Create("hh_psc_alpha_gap", 2)
    nest.Connect(*cells, {"rule": "one_to_one", "make_symmetric": True}, {"synapse_model": "gap_junction"})


def add_shared_parameters() -> None:
    nest.Connect(nest.GetNodes()[:2], nest.GetNodes()[:2], syn_spec={"synapse_model": "stdp_synapse_hom"})


def add_ambiguous_copy() -> None:
    nest.CopyModel("stdp_nn_symm_synapse", "mine")
    nest.Connect(nest.GetNodes()[:2], nest.GetNodes()[:2], syn_spec={"synapse_model": "mine"})


def add_rate_neurons() -> None:
    nest.CopyModel("rate_connection_delayed", "copied")  # looks like a copy of static_synapse
    cells = nest.Create("lin_rate_ipn", 2)
    nest.Connect(cells, cells, syn_spec={"synapse_model": "copied"})


def add_delays_off_the_grid() -> None:
    nest.SetDefaults("cont_delay_synapse", {"delay": 1.23})
    nest.Connect(nest.GetNodes()[:1], nest.GetNodes()[:1], syn_spec={"synapse_model": "cont_delay_synapse"})


def add_many_parameters() -> None:
    synapse = {"synapse_model": "tsodyks2_synapse", "U": nest.random.uniform(0.0, 1.0)}
    nest.Connect(nest.GetNodes()[:10], nest.GetNodes()[:10], syn_spec=synapse)


def add_compartments() -> None:
    nest.Create("cm_default")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (simulate, "the network has been simulated for 1 ms"),
        (add_gap_junction, "2 connections of the synapse model gap_junction cannot be captured; known: static"),
        (add_shared_parameters, "4 connections of the synapse model stdp_synapse_hom cannot be captured"),
        (add_ambiguous_copy, r".* mine cannot .*copy of stdp_nn_restr_synapse or stdp_nn_symm_synapse, and NEST does"),
        (add_rate_neurons, "neurons of the model lin_rate_ipn cannot be captured: they do more than send spikes"),
        (add_delays_off_the_grid, "connections of cont_delay_synapse have delays between the steps of the resolution"),
        (add_many_parameters, "connections of tsodyks2_synapse differ in U: at most 16 sets"),
        (add_compartments, "neurons of the model cm_default cannot be captured"),
    ],
)
def test_what_cannot_be_captured_is_named(change: Callable[[], None], message: str) -> None:
    populations = two_populations()
    change()
    with pytest.raises(FormatError, match=f"^{message}"):
        capture(populations)


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class OfTwo:
        num_processes = 2

    monkeypatch.setitem(sys.modules, "nest", OfTwo)
    with pytest.raises(FormatError, match=r"^NEST runs in 2 processes .* one process, with threads, to capture it$"):
        capture()


def test_overlapping_and_foreign_populations_are_refused() -> None:
    populations = two_populations()
    with pytest.raises(FormatError, match="population C: some of its nodes belong to another population too"):
        capture({**populations, "C": populations["A"][:3]})
    with pytest.raises(FormatError, match="population C: model spike_recorder is a device, not a neuron"):
        capture({**populations, "C": nest.Create("spike_recorder")})
    with pytest.raises(FormatError, match="population C: it has no nodes"):
        capture({**populations, "C": nest.NodeCollection()})


def test_an_empty_kernel_is_refused() -> None:
    with pytest.raises(FormatError, match="holds no neurons"):
        capture()


def test_seed_and_resolution_are_those_of_the_kernel() -> None:
    nest.resolution, nest.rng_seed = 0.05, 4711
    simulation = capture(two_populations(), duration=20.0, discard=5.0).simulation
    assert (simulation.dt, simulation.seed, simulation.duration, simulation.discard) == (0.05, 4711, 20.0, 5.0)


@pytest.mark.parametrize(
    "setting", [{"delta": 5.0}, {"frozen": True}, {"ignore_and_spike": True, "ignore_and_spike_interval": 20.0}]
)
def test_settings_without_a_place_in_the_catalogue(setting: dict[str, Any]) -> None:
    populations = two_populations()
    populations["B"][3].set(setting)  # one neuron is enough
    population = capture(populations).populations["B"]
    neuron = population.models[int(population.neuron.which[3]) if population.mixed else 0]
    assert isinstance(neuron, ForeignModel)
    values = {**neuron.parameters, **{key: column[3] for key, column in population.varying.items()}}
    assert {key: values[key] for key in setting} == setting


def test_what_is_infinite_is_left_to_the_default() -> None:
    neurons = nest.Create("iaf_psc_alpha", 2, params={"frozen": True})
    neuron = capture({"A": neurons}).populations["A"].neuron
    assert neurons[0].V_min == -np.inf
    assert isinstance(neuron, ForeignModel)
    assert "V_min" not in neuron.parameters


def test_changed_defaults_do_not_hide_settings() -> None:
    nest.SetDefaults("iaf_psc_exp", {"delta": 5.0})
    neuron = capture(two_populations()).populations["A"].neuron
    assert isinstance(neuron, ForeignModel)
    assert neuron.parameters["delta"] == 5.0


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


@pytest.mark.parametrize("name", ["L2/3E", "2A", "", "A-B", "Ä", "A" * 65])
def test_names_that_no_format_holds_are_refused_at_once(name: str) -> None:
    nodes = nest.Create("iaf_psc_exp", 3)
    with pytest.raises(FormatError, match=r"^population '.*': a name must have 1 to 64 letters \(A-Z, a-z\), digits"):
        capture({name: nodes})
    with pytest.raises(FormatError, match=r"^model '.*': a name must have"):
        capture({"A": nodes}, name=name)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_positions(dimensions: int) -> None:
    where = np.arange(4 * dimensions, dtype=float).reshape(4, dimensions)
    placed = nest.Create("iaf_psc_exp", positions=nest.spatial.free(where.tolist()))
    other = nest.Create("iaf_psc_exp", 2)
    instance = capture({"A": placed, "B": other})
    assert instance.populations["A"].positions.tolist() == np.pad(where, ((0, 0), (0, 3 - dimensions))).tolist()
    assert instance.populations["B"].positions is None


def test_the_example_of_the_page(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "capture.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "['E_to_E', 'I_to_E', 'E_to_I', 'I_to_I']" in done.stdout
    assert (tmp_path / "mine" / "circuit_config.json").is_file()
