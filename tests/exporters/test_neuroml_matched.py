"""The verification artefact: its formulas, its labels, and what it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, export, realize
from mc_interchange.equivalence import propagators
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.formats.neuroml import Solver, matched_neuron
from mc_interchange.instance import freeze_inputs
from mc_interchange.network import Network, Neuron, parse_network

H = 0.1
PARAMETERS = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 2.0, "t_ref": 2.0}
PARAMETERS |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "I_e": 100.0}

MODEL = """
name: m
populations:
- {name: A, size: 3, initial_V_m: {distribution: values, values: [-70.0, -60.0, -65.0]},
   neuron: {model: iaf_psc_exp, parameters: {C_m: 250,
   tau_m: 10, tau_syn_ex: 0.5, tau_syn_in: 2.0, t_ref: 2, E_L: -65, V_th: -50, V_reset: -65, I_e: 100}}}
- {kind: virtual, name: S, size: 1, activity: {kind: spike_trains, times: [[5.0, 7.3]]}}
projections:
- {source: S, target: A, rule: {rule: all_to_all}, weight: 200.0, delay: 1.5}
- {source: A, target: A, rule: {rule: explicit, sources: [0, 1], targets: [1, 2]},
   weight: {distribution: values, values: [80.0, -100.0]},
   delay: 0.1}
inputs:
- {kind: step_current, name: on, target: A, amplitude: 50.0, start: 0.0, stop: 20.0, delay: 1.0}
simulation: {duration: 50.0}
"""


@pytest.fixture
def instance() -> NetworkInstance:
    return realize(parse_network(MODEL))


def matched(to: Solver) -> NeuroMLExporter.Options:
    return NeuroMLExporter.Options(matched_to=to)


# --- formulas


def solver_step(solver: Solver, V: float, ex: float, inh: float, p: dict[str, float]) -> tuple[float, float, float]:
    """Take a step of the equations as a solver does: V relative to E_L in mV, currents in pA."""
    current = (ex + inh + p["I_e"]) / p["C_m"]
    if solver == "jlems":
        V += H * (current - V / p["tau_m"])
    else:
        V = (V + H * current) / (1 + H / p["tau_m"])
    return V, ex * (1 - H / p["tau_syn_ex"]), inh * (1 - H / p["tau_syn_in"])


@pytest.mark.parametrize("solver", ["jlems", "neuron"])
@pytest.mark.parametrize("change", [{}, {"tau_syn_ex": 10.0}, {"tau_syn_ex": 10.0 + 1e-9}, {"tau_m": 3.3, "C_m": 90.0}])
def test_a_step_of_the_solver_is_exact(solver: Solver, change: dict[str, float]) -> None:
    parameters = {**PARAMETERS, **change}
    new = matched_neuron(parameters, H, solver)
    C_m, tau_m = parameters["C_m"], parameters["tau_m"]
    ex, inh = (exact_propagators(tau_m, parameters[name], C_m) for name in ("tau_syn_ex", "tau_syn_in"))
    expected = V, I_ex, I_in = 3.0, 200.0, -300.0
    stepped = (V, I_ex, I_in * new.inhibition)
    for _ in range(300):
        V, I_ex, I_in = expected
        V = ex["P22"] * V + ex["P21"] * I_ex + inh["P21"] * I_in + ex["P20"] * parameters["I_e"]
        expected = V, ex["P11"] * I_ex, inh["P11"] * I_in
        stepped = solver_step(solver, *stepped, new.parameters)
        assert stepped[0] == pytest.approx(expected[0], abs=1e-9)
    assert {k: new.parameters[k] for k in ("E_L", "V_th", "V_reset")} == {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}
    assert new.parameters["t_ref"] == 1.95


def exact_propagators(tau_m: float, tau_syn: float, C_m: float) -> dict[str, float]:
    if abs(tau_m - tau_syn) < 1e-6:  # the closed form has no limit built in
        P = np.exp(-H / tau_m)
        return {"P11": np.exp(-H / tau_syn), "P22": P, "P20": tau_m / C_m * (1 - P), "P21": P * H / C_m}
    return propagators(H, tau_m, tau_syn, C_m)


@pytest.mark.parametrize("solver", ["jlems", "neuron"])
def test_the_first_pulse_moves_the_initial_potential(solver: Solver) -> None:
    new = matched_neuron(PARAMETERS, H, solver)
    with_pulse = solver_step(solver, 0.0, 4.0 * new.pulse, 0.0, new.parameters)[0]
    assert with_pulse == pytest.approx(solver_step(solver, 4.0, 0.0, 0.0, new.parameters)[0], abs=1e-12)


# --- files


@pytest.mark.parametrize(("solver", "delays"), [("jlems", {"1.55ms", "0.15ms"}), ("neuron", {"1.4ms", "0ms"})])
def test_delays_spikes_and_weights(instance: NetworkInstance, tmp_path: Path, solver: Solver, delays: set[str]) -> None:
    path = export(instance, "neuroml", tmp_path / "x", matched(solver)).path
    net, cells = ((path / f"m.{part}.nml").read_text() for part in ("net", "cells"))
    assert set(re.findall(r'delay="([\d.]+ms)"/>', net)) == delays
    assert re.findall(r'<spike id="\d" time="([^"]+)"', cells) == ["4.95ms", "7.25ms"]
    weights = [float(text) * 1000 for text in re.findall(r'<connectionWD [^>]*weight="([^"]+)"', net)]
    inhibition = matched_neuron(PARAMETERS, H, solver).inhibition
    assert sorted(weights) == pytest.approx([-100.0 * inhibition, 80.0, 200.0, 200.0, 200.0])
    assert inhibition > 1.02  # a slower synapse moves the potential more in its first step


def test_the_digest_is_that_of_the_model(instance: NetworkInstance, tmp_path: Path) -> None:
    """So that a run states that it is of the same network as a run in NEST."""
    physical = export(instance, "neuroml", tmp_path / "physical")
    artefact = export(instance, "neuroml", tmp_path / "artefact", matched("jlems"))
    assert artefact.digest.all == physical.digest.all == instance.digest().all


@pytest.mark.parametrize("solver", ["jlems", "neuron"])
def test_it_is_labelled_everywhere(instance: NetworkInstance, tmp_path: Path, solver: Solver) -> None:
    result = export(instance, "neuroml", tmp_path / "x", matched(solver))
    for name in ("m.net.nml", "LEMS_m.xml", "export_report.json"):
        assert "VERIFICATION ARTEFACT" in (result.path / name).read_text()
    assert f'<property tag="matched to" value="{solver}"/>' in (result.path / "m.net.nml").read_text()
    assert result.losses[0].what == "the physical parameters"
    assert json.loads((result.path / "manifest.json").read_text())["options"]["matched_to"] == solver


def test_the_archival_file_is_physical(instance: NetworkInstance, tmp_path: Path) -> None:
    path = export(instance, "neuroml", tmp_path / "x").path
    assert 'cm="0.25"' in (path / "m.cells.nml").read_text()
    for file in path.iterdir():
        assert "VERIFICATION" not in file.read_text()
        assert '"matched to"' not in file.read_text()


# --- refusals


def refused(instance: NetworkInstance, tmp_path: Path, says: str, **options: object) -> None:
    with pytest.raises(NotRepresentableError, match=says):
        export(instance, "neuroml", tmp_path / "x", NeuroMLExporter.Options(**{"matched_to": "jlems", **options}))
    assert not (tmp_path / "x").exists()


def test_poisson_input_is_refused(small_network: Network, tmp_path: Path) -> None:
    drawn = realize(small_network)
    refused(drawn, tmp_path, r"the Poisson (input background|sources of population TH) .*--freeze-input")
    export(freeze_inputs(drawn), "neuroml", tmp_path / "x", matched("jlems"))


def test_other_neuron_models_are_refused(instance: NetworkInstance, tmp_path: Path) -> None:
    parameters = {name: PARAMETERS[name] for name in PARAMETERS}
    nodes = replace(instance.populations["A"], neuron=Neuron(model="iaf_psc_alpha", parameters=parameters))
    other = replace(instance, populations={**instance.populations, "A": nodes})
    refused(other, tmp_path, "population A: --matched-to is for the neuron model iaf_psc_exp only")


@pytest.mark.parametrize("t_ref", [0.0, 0.05, 2.05])
def test_refractory_times_between_steps_are_refused(instance: NetworkInstance, tmp_path: Path, t_ref: float) -> None:
    nodes = instance.populations["A"]
    parameters = {**nodes.neuron.parameters, "t_ref": t_ref}
    nodes = replace(nodes, neuron=nodes.neuron.model_copy(update={"parameters": parameters}))
    other = replace(instance, populations={**instance.populations, "A": nodes})
    refused(other, tmp_path, "population A: --matched-to needs a refractory time of whole steps")


def test_varying_parameters_are_refused(instance: NetworkInstance, tmp_path: Path) -> None:
    nodes = replace(instance.populations["A"], varying={"V_th": np.array([-50.0, -51.0, -50.0])})
    other = replace(instance, populations={**instance.populations, "A": nodes})
    refused(other, tmp_path, "population A: --matched-to needs one value for all neurons, V_th differs")


def test_float32_is_refused(instance: NetworkInstance, tmp_path: Path) -> None:
    refused(instance, tmp_path, "--matched-to needs all digits", encoding="hdf5")
