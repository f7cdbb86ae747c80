"""What the exporter for Brian2 writes and refuses; nothing is simulated here."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.brian2 import MODELS, PLASTIC, Brian2Exporter
from mc_interchange.instance import ArrayEdges, EdgeBlock, MixedNeurons, Nodes, Synapse, freeze_inputs
from mc_interchange.network import (
    CATALOGUE,
    SYNAPSE_CATALOGUE,
    ForeignModel,
    Network,
    Neuron,
    PoissonActivity,
    PoissonInput,
    Simulation,
)

LIF = {"C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}
EXPONENTIAL = Neuron(model="iaf_psc_exp", parameters={**LIF, "tau_syn_ex": 0.5, "tau_syn_in": 0.5})


def one(
    neuron: Neuron | ForeignModel | MixedNeurons | None, *, varying: dict[str, list[float]] | None = None, **fields
):
    """Return a network of one population of two neurons."""
    arrays = {name: np.array(values) for name, values in (varying or {}).items()}
    nodes = Nodes("N", 2, neuron, V_m=np.array([-60.0, -61.0]), varying=arrays)
    simulation = fields.pop("simulation", Simulation(duration=10.0))
    return NetworkInstance("one", {"N": nodes}, {}, (), simulation, **fields)


def exported_model(instance: NetworkInstance, directory: Path) -> str:
    path = export(instance, "brian2", directory / "export").path
    text = (path / "model.py").read_text()
    ast.parse(text)
    return text


def test_the_catalogue_says_which_models_have_equations():
    assert {e.name for e in CATALOGUE.values() if e.elsewhere.get("brian2") == "equations"} == set(MODELS)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_export_is_the_instance(small_network: Network, tmp_path: Path, frozen: bool):
    """Rung one: everything that imports SONATA gets it back."""
    instance = freeze_inputs(realize(small_network)) if frozen else realize(small_network)
    result = export(instance, "brian2", tmp_path / "a")
    assert open_model(result.path).digest() == instance.digest() == result.digest
    again = export(instance, "brian2", tmp_path / "b").path
    for name in ("model.py", "run.py"):
        assert (result.path / name).read_bytes() == (again / name).read_bytes()
    assert not result.losses


def test_pd14_is_one_group_and_all_its_parameters_are_said(tmp_path: Path):
    network = build("pd14", scale=0.02, background="poisson", thalamus=True)
    text = exported_model(realize(network), tmp_path)
    assert text.count('"equations"') == 1
    assert "dv/dt = (E_L - v) / tau_m + (I_ex + I_in + I_e) / C_m : volt\n" in text
    assert '"C_m": 250.0 * pF,' in text
    assert '"t_ref": 2.0 * ms,' in text
    for population in network.populations:
        assert f'"{population.name}": {{"size": {population.size}' in text
    for item in network.inputs:
        assert f'"name": "{item.name}"' in text


def test_parameters_that_differ_are_declared_and_others_are_constants(tmp_path: Path):
    text = exported_model(one(EXPONENTIAL, varying={"tau_m": [10.0, 12.0]}), tmp_path)
    assert "tau_m : second (constant)" in text
    assert '"tau_m"' not in text
    assert '"E_L": -65.0 * mV,' in text


def test_the_potential_of_nest_stands_where_none_is_given(tmp_path: Path):
    instance = one(EXPONENTIAL)
    populations = {"N": replace(instance.populations["N"], V_m=None)}
    assert '"V_m": -70.0 * mV' in exported_model(replace(instance, populations=populations), tmp_path)


@pytest.mark.parametrize(("t_ref", "condition"), [(2.0, "t_ref + dt"), (1.93, "ceil(t_ref / dt - 1e-4) * dt + dt")])
def test_refractory_periods_end_with_whole_steps(tmp_path: Path, t_ref: float, condition: str):
    neuron = Neuron(model="iaf_psc_exp", parameters={**EXPONENTIAL.parameters, "t_ref": t_ref})
    assert f'"refractory": "{condition}",' in exported_model(one(neuron), tmp_path)


def test_equal_time_constants_have_equations_of_their_own(tmp_path: Path):
    neuron = Neuron(model="iaf_psc_exp", parameters={**EXPONENTIAL.parameters, "tau_syn_ex": 10.0})
    text = exported_model(one(neuron), tmp_path)
    assert "dI_ex/dt = -I_ex / tau_m : amp" in text
    assert "tau_syn_ex" not in text.replace("iaf_psc_exp_tau_syn_ex", "")


def test_equal_time_constants_stand_in_the_statements_of_synapses_too(tmp_path: Path):
    text = exported_model(one(nest_defaults("iaf_psc_alpha", tau_syn_in=10.0)), tmp_path)
    assert '"positive": "y_ex += weight * e / tau_syn_ex",' in text
    assert '"negative": "y_in += weight * e / tau_m",' in text


def test_integration_of_conductances_is_a_loss(tmp_path: Path):
    entry = CATALOGUE["iaf_cond_exp"]
    neuron = Neuron(model="iaf_cond_exp", parameters={p.name: p.nest for p in entry.parameters})
    (loss,) = Brian2Exporter().losses(one(neuron), Brian2Exporter.Options())
    assert loss.what == "integration of iaf_cond_exp (N)"
    assert loss.how == "approximated"


def test_steps_too_long_for_hodgkin_huxley_are_divided(tmp_path: Path):
    instance = one(nest_defaults("hh_psc_alpha"))
    text = exported_model(instance, tmp_path)
    assert '"substeps": 4,' in text
    assert '"Act_m": 0.05293248525724958, "Inact_h": 0.5961207535084603, "Act_n": 0.3176769140606974' in text
    (loss,) = Brian2Exporter().losses(instance, Brian2Exporter.Options())
    assert "rk4 in steps of dt / 4," in loss.detail


def nest_defaults(model: str, **changes: object) -> Neuron:
    parameters = {p.name: p.nest for p in CATALOGUE[model].parameters}
    return Neuron(model=model, parameters={**parameters, **changes})


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (one(ForeignModel(format="nest", name="mat2_psc_exp", parameters={})), "the model mat2_psc_exp is not among"),
        (one(nest_defaults("parrot_neuron")), "the model parrot_neuron is not among"),
        (one(nest_defaults("glif_psc", g=29.36001, tau_syn=(5.0, 2.0))), "tau_syn_2 and C_m / g nearly agree"),
        (one(MixedNeurons((EXPONENTIAL, EXPONENTIAL), np.array([0, 1], np.uint32))), "several models"),
        (one(nest_defaults("iaf_psc_delta", refractory_input=True)), "refractory_input true .* set it to false"),
        (one(nest_defaults("izhikevich", consistent_integration=False)), "consistent_integration false .* to true"),
        (one(nest_defaults("aeif_cond_exp", Delta_T=0.0)), "Delta_T of 0 mV"),
        (one(nest_defaults("iaf_psc_exp", tau_syn_ex=9.99999)), "tau_syn_ex and tau_m nearly agree"),
        (one(EXPONENTIAL, varying={"tau_syn_in": [10.0, 2.0]}), "tau_syn_in and tau_m .* agree in some neurons only"),
    ],
    ids=[
        "foreign",
        "parrot",
        "glif near",
        "mixed",
        "refractory input",
        "published",
        "Delta_T",
        "near",
        "some equal",
    ],
)
def test_what_has_no_equations_is_named(instance: NetworkInstance, message: str, tmp_path: Path):
    with pytest.raises(NotRepresentableError, match=f"population N: .*{message}"):
        export(instance, "brian2", tmp_path / "export")
    assert not (tmp_path / "export").exists()


def joined(synapse: Synapse, source: str = "N") -> NetworkInstance:
    instance = one(EXPONENTIAL)
    zero = np.zeros(1, np.uint32)
    block = EdgeBlock(zero, zero, np.ones(1), np.ones(1, np.int32))
    edges = ArrayEdges("to_N", source, "N", block, synapse=synapse)
    populations = {**instance.populations, "S": Nodes("S", 2, activity=PoissonActivity(rate=8.0))}
    return replace(instance, populations=populations, projections={"to_N": edges})


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (joined(Synapse("stdp_triplet_synapse")), "synapses of the model stdp_triplet_synapse have no equations"),
        (joined(Synapse("stdp_synapse", 2)), "its synapses are onto receptor 2; the receptors of N: 0"),
        (joined(Synapse("static_synapse", 1)), "its synapses are onto receptor 1; the receptors of N: 0"),
        (joined(Synapse("stdp_synapse"), "S"), "stdp_synapse needs neurons as sources, and S are none"),
        (joined(Synapse("stdp_synapse", parameters={"tau_x": 1.0})), "stdp_synapse has no parameter tau_x here"),
        (
            joined(Synapse("tsodyks_synapse", parameters={"tau_psc": 5.0, "tau_rec": 5.0})),
            "tau_psc and tau_rec of tsodyks_synapse are equal",
        ),
    ],
    ids=["unknown", "receptor", "static receptor", "source", "parameter", "equal"],
)
def test_synapses_that_have_no_statements_are_named(instance: NetworkInstance, message: str, tmp_path: Path):
    with pytest.raises(NotRepresentableError, match=f"projection to_N: {message}"):
        export(instance, "brian2", tmp_path / "export")


def onto_glif(synapse: Synapse, **inputs: Any) -> NetworkInstance:
    instance = joined(synapse)
    nodes = replace(instance.populations["N"], neuron=nest_defaults("glif_psc", tau_syn=(2.0, 5.0)))
    return replace(instance, populations={**instance.populations, "N": nodes}, **inputs)


@pytest.mark.parametrize("receptor", [0, 3])
def test_synapses_onto_receptors_that_a_neuron_lacks_are_named(receptor: int, tmp_path: Path):
    instance = onto_glif(Synapse(receptor=receptor))
    with pytest.raises(NotRepresentableError, match=rf"to_N: .* onto receptor {receptor}; the receptors of N: 1, 2$"):
        export(instance, "brian2", tmp_path / "export")


def test_poisson_input_reaches_no_receptor_that_synapses_choose(tmp_path: Path):
    item = PoissonInput(name="noise", target="N", rate=8.0, weight=5.0, delay=1.0)
    with pytest.raises(NotRepresentableError, match="input noise: it goes to no receptor of N"):
        export(onto_glif(Synapse(receptor=1), inputs=(item,)), "brian2", tmp_path / "export")


def test_equations_of_glif_are_those_of_its_level(tmp_path: Path):
    text = exported_model(onto_glif(Synapse(receptor=2)), tmp_path)
    assert '"glif_psc_level_1_2_receptors": {' in text
    assert "dv/dt = (g * (E_L - v) + I_syn_1 + I_syn_2 + 0*pA) / C_m : volt" in text
    assert '"receptor_2": "y_syn_2 += weight * e / tau_syn_2",' in text
    assert '("N", "N", None, "receptor_2"),' in text
    assert "asc" not in text
    assert "th_" not in text


def test_the_catalogue_says_which_synapses_have_statements():
    written = {e.name for e in SYNAPSE_CATALOGUE.values() if e.elsewhere.get("brian2") == "equations"}
    assert written == PLASTIC.keys() == SYNAPSE_CATALOGUE.keys() - {"static_synapse"}


def test_synapses_that_change_the_same_way_are_described_once(tmp_path: Path):
    instance = joined(Synapse("stdp_synapse"))
    block = next(instance.projections["to_N"].blocks())
    other = Synapse("stdp_synapse", parameters={"tau_plus": 15.0})
    synapses = (Synapse("stdp_synapse"), Synapse("stdp_synapse"), other, Synapse())
    projections = {f"P{k}": ArrayEdges(f"P{k}", "N", "N", block, synapse=s) for k, s in enumerate(synapses)}
    text = exported_model(replace(instance, projections=projections), tmp_path)
    names = ['"stdp_synapse_1"', '"stdp_synapse_1"', '"stdp_synapse_2"', "None"]
    for k, name in enumerate(names):
        assert f'"P{k}": ("N", "N", {name}, None),' in text
    assert text.count('"on_post"') == 2
    assert '"Wmax": 100.0 * pA,' in text  # NEST's default, in the target's unit


def test_the_program_needs_only_brian2_numpy_and_h5py(tmp_path: Path):
    path = export(one(EXPONENTIAL), "brian2", tmp_path / "export").path
    files = {file.stem: ast.parse(file.read_text()) for file in path.glob("*.py")}
    assert files.keys() == {"run", "model", "sonata_output"}
    for tree in files.values():
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported <= {"brian2", "numpy", "h5py", *files, *sys.stdlib_module_names}
