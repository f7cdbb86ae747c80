"""PyNN exports: what the program says, what the circuit beside it holds, and what is refused."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.pynn import PyNNExporter, PyNNOptions
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.formats.pynn import CELL_TYPES, thousandth
from mc_interchange.instance import ArrayEdges, MixedNeurons, Nodes, Synapse, freeze_inputs
from mc_interchange.network import (
    AllToAll,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    Normal,
    PairwiseBernoulli,
    StepCurrent,
    VoltageRecording,
)


@pytest.fixture
def instance(small_network: Network) -> NetworkInstance:
    return realize(small_network)


def literals(path: Path) -> dict[str, Any]:
    """Return the values that a program gives to names in capitals."""
    found = {}
    for statement in ast.parse((path / "model.py").read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:
                continue
    return found


def with_neuron(instance: NetworkInstance, model: str, **parameters: object) -> NetworkInstance:
    neuron, V_m = neuron_from_nest(model, parameters)
    nodes = Nodes("E", 40, neuron, V_m=None if V_m is None else np.full(40, V_m))
    return replace(instance, network=None, populations={**instance.populations, "E": nodes})


@pytest.mark.parametrize("level", ["instance", "rules"])
def test_the_circuit_is_the_instance_and_the_program_is_sound(
    instance: NetworkInstance, tmp_path: Path, level: str
) -> None:
    paths = [export(instance, "pynn", tmp_path / name, PyNNOptions(level=level)).path for name in ("a", "b")]
    assert open_model(paths[0]).digest().all == instance.digest().all
    programs = [{file.name: file.read_bytes() for file in path.glob("*.py")} for path in paths]
    assert programs[0] == programs[1]
    assert not any(str(tmp_path).encode() in text for text in programs[0].values())
    # names that do not exist, imports that nothing needs (of a rules' or an instance's part), syntax
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F", str(paths[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_program_says_what_the_model_says(instance: NetworkInstance, tmp_path: Path) -> None:
    current = StepCurrent(name="step", target="I", amplitude=50.0, start=10.0, stop=20.0, delay=1.5, neurons=(1, 3))
    simulation = instance.simulation.model_copy(
        update={
            "discard": 20.0,
            "record_spikes": ("I",),
            "record_V_m": (VoltageRecording(population="I", neurons=(4, 2), interval=0.5),),
        }
    )
    instance = replace(instance, network=None, inputs=(*instance.inputs, current), simulation=simulation)
    said = literals(export(instance, "pynn", tmp_path / "x").path)
    assert (said["TIMESTEP"], said["DURATION"], said["DISCARDED_START"], said["SEED"]) == (0.1, 100.0, 20.0, 1)
    assert said["NEURONS"]["E"] == {
        "size": 40,
        "cell_type": "IF_curr_exp",
        "parameters": {
            "cm": 0.25,
            "tau_m": 10.0,
            "tau_syn_E": 0.5,
            "tau_syn_I": 0.5,
            "tau_refrac": 2.0,
            "v_rest": -65.0,
            "v_thresh": -50.0,
            "v_reset": -65.0,
            "i_offset": 0.0,
        },
        "initial": {"v": -65.0},
        "arrays": {},
    }
    assert said["NEURONS"]["I"]["initial"] == {"v": ["V_m", 1.0]}
    assert said["POISSON_SOURCES"] == {"TH": {"size": 5, "rate": 10.0, "start": 0.0, "duration": 100.0}}
    assert said["POISSON_INPUTS"] == {
        "background": {
            "target": "E",
            "rate": 8000.0,
            "start": 0.0,
            "duration": 100.0,
            "weight": 87.8,
            "delay": 0.1,
            "neurons": None,
        }
    }
    assert said["PROJECTIONS"] == {"E_to_I": ("E", "I"), "I_to_E": ("I", "E"), "TH_to_E": ("TH", "E")}
    assert said["STEP_CURRENTS"] == {
        "step": {"target": "I", "amplitude": 0.05, "start": 11.5, "stop": 21.5, "neurons": [1, 3]}
    }
    assert said["RECORD_SPIKES"] == ["I"]
    assert said["RECORD_V_M"] == {"I": {"neurons": [2, 4], "interval": 0.5}}


def test_replayed_sources(instance: NetworkInstance, tmp_path: Path) -> None:
    frozen = freeze_inputs(instance)
    path = export(frozen, "pynn", tmp_path / "x").path
    assert literals(path)["REPLAYED_SOURCES"] == {"TH": 5, "background": 40}
    assert literals(path)["POISSON_INPUTS"] == {}
    assert open_model(path).digest().all == frozen.digest().all


def test_currents_come_back_exactly() -> None:
    """PyNN multiplies by 1000; where no double gives the same number, the next one is taken."""
    generator = np.random.default_rng(1)
    for value in (375.4, 87.8, 250.0, 0.1, -351.2, *np.round(generator.uniform(0, 1000, 2000), 3).tolist()):
        found = thousandth(value)
        near = found + np.spacing(found) * np.arange(-4, 5)
        assert found * 1000.0 == value or not (near * 1000.0 == value).any()
        assert abs(found * 1000.0 - value) <= 3e-16 * abs(value)


def test_parameters_that_differ_are_ratios_of_arrays(instance: NetworkInstance, tmp_path: Path) -> None:
    changed = with_neuron(instance, "iaf_cond_exp", g_L=12.5)
    nodes = replace(changed.populations["E"], varying={"C_m": np.linspace(200, 300, 40), "I_e": np.linspace(0, 1, 40)})
    changed = replace(changed, populations={**changed.populations, "E": nodes})
    cells = literals(export(changed, "pynn", tmp_path / "x").path)["NEURONS"]["E"]
    assert cells["cell_type"] == "IF_cond_exp"
    assert cells["arrays"] == {"cm": ["C_m", 1000.0], "tau_m": ["C_m", 12.5], "i_offset": ["I_e", 1000.0]}


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        ("glif_psc", {}, "population E: PyNN has no cell type for glif_psc; it has one for iaf_psc_exp"),
        ("parrot_neuron", {}, "PyNN has no cell type for parrot_neuron"),
        ("iaf_tum_2000", {"C_m": 30.0}, "PyNN has no cell type for nest:iaf_tum_2000"),
        ("iaf_psc_delta", {"refractory_input": True}, "PyNN's IF_curr_delta has no refractory_input"),
        ("izhikevich", {"V_th": 25.0}, "PyNN's Izhikevich has no V_th, which is 30.0 there"),
    ],
)
def test_models_that_pynn_lacks_are_refused(
    instance: NetworkInstance, tmp_path: Path, model: str, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(NotRepresentableError, match=re.escape(message)):
        export(with_neuron(instance, model, **parameters), "pynn", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_every_model_with_a_name_in_pynn_is_written(instance: NetworkInstance, tmp_path: Path) -> None:
    assert len(CELL_TYPES) >= 8
    for model, cell_type in CELL_TYPES.items():
        path = export(with_neuron(instance, model), "pynn", tmp_path / model).path
        assert literals(path)["NEURONS"]["E"]["cell_type"] == cell_type


def test_mixed_populations_and_other_synapses_are_refused(instance: NetworkInstance, tmp_path: Path) -> None:
    nodes = instance.populations["E"]
    mixed = replace(nodes, neuron=MixedNeurons((nodes.neuron, nodes.neuron), np.arange(40, dtype=np.uint32) % 2))  # type: ignore[arg-type]
    changed = replace(instance, network=None, populations={**instance.populations, "E": mixed})
    with pytest.raises(NotRepresentableError, match="population E: PyNN's populations have one cell type, not 2"):
        export(changed, "pynn", tmp_path / "x")
    edges = instance.projections["E_to_I"]
    block = next(edges.blocks())
    other = ArrayEdges(edges.name, "E", "I", block, synapse=Synapse("tsodyks2_synapse"))
    changed = replace(instance, network=None, projections={**instance.projections, "E_to_I": other})
    with pytest.raises(NotRepresentableError, match=r"projection E_to_I: PyNN gets .* these are tsodyks2_synapse at"):
        export(changed, "pynn", tmp_path / "x")


def plastic(
    instance: NetworkInstance, synapse: Synapse, projection: str = "E_to_I", factor: float = 1.0
) -> NetworkInstance:
    edges = instance.projections[projection]
    block = next(edges.blocks())
    block = replace(block, weight=block.weight * factor)
    other = ArrayEdges(edges.name, edges.source, edges.target, block, synapse=synapse)
    return replace(instance, network=None, projections={**instance.projections, projection: other})


@pytest.mark.parametrize(
    ("synapse", "factor", "message"),
    [
        (Synapse("stdp_synapse", 1), 1.0, "PyNN gets .* these are stdp_synapse at receptor 1"),
        (Synapse("stdp_synapse", parameters={"tau_x": 1.0}), 1.0, "stdp_synapse has no parameter tau_x here"),
        (Synapse("stdp_synapse", parameters={"Kplus": 0.5}), 1.0, "PyNN begins with Kplus of 0, this .* with 0.5"),
        (Synapse("stdp_synapse", parameters={"Wmax": -5.0}), 1.0, "Wmax of -5 must have the same sign"),
        (Synapse("stdp_synapse"), -1.0, "Wmax of 100 must have the same sign"),
        (Synapse("tsodyks_synapse", parameters={"x": 0.5}), 1.0, "PyNN begins with x of 1, this .* with 0.5"),
        (Synapse("tsodyks_synapse"), 1.0, r"takes tau_psc \(3 ms\) .*, and tau_syn_ex of I is another"),
        (Synapse("tsodyks_synapse"), -1.0, r"takes tau_psc \(3 ms\) .*, and tau_syn_in of I is another"),
    ],
    ids=["receptor", "parameter", "trace", "limit", "sign", "resources", "tau_psc", "inhibitory tau_psc"],
)
def test_what_pynns_synapses_cannot_say_is_refused(
    instance: NetworkInstance, tmp_path: Path, synapse: Synapse, factor: float, message: str
) -> None:
    with pytest.raises(NotRepresentableError, match=f"projection E_to_I: .*{message}"):
        export(plastic(instance, synapse, factor=factor), "pynn", tmp_path / "x")


def test_plastic_synapses_need_neurons_with_time_constants_and_no_rules(
    small_network: Network, instance: NetworkInstance, tmp_path: Path
) -> None:
    tau = instance.populations["E"].neuron["tau_syn_ex"]  # type: ignore[index]
    synapse = Synapse("tsodyks_synapse", parameters={"tau_psc": tau})
    source = next(e.name for e in instance.projections.values() if instance.populations[e.source].virtual)
    with pytest.raises(NotRepresentableError, match=f"projection {source}: tsodyks_synapse needs neurons as sources"):
        export(plastic(instance, synapse, source), "pynn", tmp_path / "x")
    delta = with_neuron(instance, "iaf_psc_delta")
    (onto,) = (e.name for e in instance.projections.values() if (e.source, e.target) == ("I", "E"))
    with pytest.raises(NotRepresentableError, match="iaf_psc_delta has no tau_syn_in"):
        export(plastic(delta, synapse, onto), "pynn", tmp_path / "x")
    model = {"model": "stdp_synapse", "parameters": dict.fromkeys(("tau_plus", "lambda", "alpha", "mu_plus"), 1.0)}
    model["parameters"] |= {"mu_minus": 1.0, "Wmax": 1e3}  # type: ignore[operator]
    text = small_network.model_dump(mode="json")
    (projection,) = (p for p in text["projections"] if p["name"] == "E_to_I")
    projection["synapse"] = model
    with pytest.raises(NotRepresentableError, match="projection E_to_I: --level rules writes static synapses only"):
        export(realize(Network.model_validate(text)), "pynn", tmp_path / "x", PyNNOptions(level="rules"))


@pytest.mark.parametrize(
    ("mu_plus", "mu_minus", "kind"),
    [
        (0.0, 0.0, "AdditiveWeightDependence"),
        (1.0, 1.0, "MultiplicativeWeightDependence"),
        (0.0, 1.0, "AdditivePotentiationMultiplicativeDepression"),
        (0.6, 0.4, "GutigWeightDependence"),
    ],
)
def test_plasticity_by_timing_is_one_of_pynns_rules(
    instance: NetworkInstance, tmp_path: Path, mu_plus: float, mu_minus: float, kind: str
) -> None:
    given = {"lambda": 0.1, "alpha": 1.5, "mu_plus": mu_plus, "mu_minus": mu_minus, "Wmax": 5000.0}
    path = export(plastic(instance, Synapse("stdp_synapse", parameters=given)), "pynn", tmp_path / "x").path
    item = literals(path)["PLASTICITY"]["E_to_I"]
    assert item["timing"] == {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.1, "A_minus": 1.5 * 0.1}
    exponents = {"mu_plus": mu_plus, "mu_minus": mu_minus} if kind == "GutigWeightDependence" else {}
    assert item["weights"] == [kind, {"w_min": 0.0, "w_max": 5.0, **exponents}]


def test_short_term_plasticity_is_pynns(instance: NetworkInstance, tmp_path: Path) -> None:
    tau = instance.populations["I"].neuron["tau_syn_ex"]  # type: ignore[index]
    given = {"U": 0.4, "tau_rec": 80.0, "tau_fac": 30.0, "tau_psc": tau}
    path = export(plastic(instance, Synapse("tsodyks_synapse", parameters=given)), "pynn", tmp_path / "x").path
    parameters = {"U": 0.4, "tau_rec": 80.0, "tau_facil": 30.0}
    assert literals(path)["PLASTICITY"] == {"E_to_I": {"synapse": "TsodyksMarkramSynapse", "parameters": parameters}}


def test_losses(instance: NetworkInstance) -> None:
    recorded = instance.simulation.model_copy(update={"record_spikes": ("E", "TH")})
    losses = PyNNExporter().losses(replace(instance, simulation=recorded), PyNNOptions())
    assert [(loss.what, loss.how) for loss in losses] == [
        ("Poisson activity of TH", "approximated"),
        ("Poisson input background onto E", "approximated"),
        ("recording of the spikes of TH", "dropped"),
    ]


# --- rules


def rule(network: Network, **changes: object) -> NetworkInstance:
    """Return the small network with another projection from E to I."""
    first, *others = network.projections
    changed = type(first).model_validate({**first.model_dump(), **changes})
    return realize(network.model_copy(update={"projections": (changed, *others)}))


@pytest.mark.parametrize(
    ("given", "connector"),
    [
        (FixedTotalNumber(number=300), ("FixedTotalNumberConnector", {"n": 300})),
        (
            PairwiseBernoulli(probability=0.5, allow_autapses=False),
            ("FixedProbabilityConnector", {"p_connect": 0.5, "allow_self_connections": False}),
        ),
        (
            FixedIndegree(indegree=3, allow_multapses=False),
            ("FixedNumberPreConnector", {"n": 3, "with_replacement": False, "allow_self_connections": True}),
        ),
        (
            FixedOutdegree(outdegree=3),
            ("FixedNumberPostConnector", {"n": 3, "with_replacement": True, "allow_self_connections": True}),
        ),
        (AllToAll(), ("AllToAllConnector", {"allow_self_connections": True})),
    ],
)
def test_rules_are_connectors(small_network: Network, tmp_path: Path, given: Any, connector: object) -> None:
    path = export(rule(small_network, rule=given.model_dump()), "pynn", tmp_path / "x", PyNNOptions(level="rules")).path
    said = literals(path)["PROJECTIONS"]["E_to_I"]
    assert said == {
        "source": "E",
        "target": "I",
        "connector": connector,
        "receptor": "excitatory",
        "weight": 87.8 * 1e-3,
        "delay": 1.5,
    }


def test_distributions(small_network: Network, tmp_path: Path) -> None:
    said = literals(export(realize(small_network), "pynn", tmp_path / "x", PyNNOptions(level="rules")).path)
    assert said["NEURONS"]["I"]["initial"]["v"] == {"distribution": "normal", "mu": -58.0, "sigma": 5.0}
    inhibitory, thalamic = said["PROJECTIONS"]["I_to_E"], said["PROJECTIONS"]["TH_to_E"]
    assert inhibitory["receptor"] == "inhibitory"
    assert inhibitory["weight"] == {"distribution": "normal", "mu": pytest.approx(-0.35), "sigma": pytest.approx(0.035)}
    assert thalamic["delay"] == {"distribution": "uniform", "low": 0.5, "high": 2.0}


def test_rules_that_pynn_lacks_are_refused(small_network: Network, tmp_path: Path) -> None:
    options = PyNNOptions(level="rules")
    for changes, message in (
        ({"rule": FixedTotalNumber(number=30, allow_multapses=False).model_dump()}, "always allows synapses"),
        ({"weight": Normal(mean=10.0, sd=10.0).model_dump()}, "of its weights have the other sign"),
    ):
        with pytest.raises(NotRepresentableError, match=message):
            export(rule(small_network, **changes), "pynn", tmp_path / "x", options)
    with pytest.raises(NotRepresentableError, match="has synapses but no rules; use --level instance"):
        export(replace(realize(small_network), network=None), "pynn", tmp_path / "x", options)


def test_what_rules_do_not_say_is_reported(small_network: Network) -> None:
    losses = PyNNExporter().losses(
        rule(
            small_network, weight=Normal(mean=50.0, sd=20.0).model_dump(), delay=Normal(mean=0.4, sd=0.1).model_dump()
        ),
        PyNNOptions(level="rules"),
    )
    said = {loss.what: loss.detail for loss in losses}
    assert said["weights of projection E_to_I"] == "those of the other sign are drawn again (0.0062 of them)"
    assert said["delays that would be rounded up to the resolution"].endswith("(up to 0.0013 of them)")
    assert "the realisation" in said
    assert "synapses between the same two neurons" in said


def test_matched_is_for_one_model(instance: NetworkInstance, tmp_path: Path) -> None:
    with pytest.raises(NotRepresentableError, match="--matched: parameters are matched for iaf_psc_exp, population E"):
        export(with_neuron(instance, "iaf_psc_alpha"), "pynn", tmp_path / "x", PyNNOptions(matched=True))


def test_pd14_with_all_its_inputs(tmp_path: Path) -> None:
    instance = realize(build("pd14", scale=0.002, thalamus=True))
    said = literals(export(instance, "pynn", tmp_path / "x").path)
    assert sum(cells["size"] for cells in said["NEURONS"].values()) == instance.n_neurons
    assert len(said["POISSON_INPUTS"]) == 8
    assert len(said["POISSON_SOURCES"]) == 1
    assert {source for source, _ in said["PROJECTIONS"].values()} >= said["POISSON_SOURCES"].keys()
