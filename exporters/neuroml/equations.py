"""The equations: LEMS component types of ``iaf_psc_exp`` and its synapse, in their own units.

For people, and for programs that read dynamics; nothing of the network depends on it. With PyLEMS.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mc_interchange.errors import NotRepresentableError, UsageError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import CATALOGUE, Neuron

from .lems_types import action, lems_api, new_model, write_model
from .plan import Plan

__all__ = ["MODEL", "SYNAPSE", "check_equations", "write_equations"]

#: Names of the two types, and the only neuron model that they describe.
MODEL, SYNAPSE = "iaf_psc_exp", "iaf_psc_exp_synapse"
_DIMENSIONS = {"pF": "capacitance", "ms": "time", "mV": "voltage", "pA": "current"}
#: Of the cell, in the order of the catalogue; time constants of currents belong to the synapses.
_PARAMETERS = ("C_m", "tau_m", "t_ref", "E_L", "V_th", "V_reset", "I_e")


def check_equations(instance: NetworkInstance, *, matched: bool) -> None:
    """Refuse what cannot be described.

    Parameters
    ----------
    matched
        Whether parameters are matched to a simulator.

    Raises
    ------
    UsageError
        They are matched.
    NotRepresentableError
        There is no population with this neuron model.
    MissingDependencyError
    """
    if matched:
        raise UsageError("--equations goes with the physical parameters, not with --matched-to")
    if not _populations(instance):
        raise NotRepresentableError(f"--equations: they describe {MODEL}, and no population has that neuron model")
    lems_api()


def write_equations(path: Path, instance: NetworkInstance, planned: Plan) -> None:
    """Write both types, and a component for each population and each synapse.

    Parameters
    ----------
    path
        The file.
    """
    lems = lems_api()
    model = new_model(lems)
    model.add(_cell_type(lems))
    model.add(_synapse_type(lems))
    taus = set()
    for name, neuron in _populations(instance).items():
        population = planned.populations[name]
        units = {p: neuron.entry[p].unit for p in _PARAMETERS}
        values = {p: f"{fmt.decimal(neuron[p])}{unit}" for p, unit in units.items()}
        identifier = f"{population.components[0]}_{MODEL}"
        model.add(lems.Component(identifier, MODEL, V_0=f"{fmt.decimal(population.v_init or 0.0)}mV", **values))
        taus |= {neuron["tau_syn_ex"], neuron["tau_syn_in"]}
    for tau_syn in sorted(taus):
        identifier = f"{fmt.synapse_name(tau_syn)}_{MODEL}"
        model.add(lems.Component(identifier, SYNAPSE, tau_syn=f"{fmt.decimal(tau_syn)}ms"))
    write_model(model, path)


def _populations(instance: NetworkInstance) -> dict[str, Neuron]:
    found = {name: nodes.neuron for name, nodes in instance.populations.items()}
    return {name: n for name, n in found.items() if isinstance(n, Neuron) and n.model == MODEL}


def _cell_type(lems: Any) -> Any:
    """Return the type of the cell (Rotter & Diesmann 1999, doi:10.1007/s004220050570).

    As in NEST, the potential rests at its reset value while the neuron is refractory, and currents go on; it fires
    at its threshold, not only above.
    """
    meaning = f"{CATALOGUE[MODEL].meaning}, as NEST has it: units are pF, ms, mV and pA"
    cell = lems.ComponentType(MODEL, meaning, "baseCellMembPot")
    for name in _PARAMETERS:
        parameter = CATALOGUE[MODEL][name]
        cell.add(lems.Parameter(name, _DIMENSIONS[parameter.unit], parameter.meaning))
    cell.add(lems.Parameter("V_0", "voltage", "membrane potential at t = 0"))
    cell.add(lems.Attachments("synapses", "basePointCurrent"))
    cell.add(lems.Exposure("I_syn", "current", "sum of the synaptic currents"))
    dynamics = cell.dynamics
    dynamics.add(lems.StateVariable("v", "voltage", "v"))
    dynamics.add(lems.StateVariable("t_spike", "time"))
    dynamics.add(
        lems.DerivedVariable("I_syn", dimension="current", exposure="I_syn", select="synapses[*]/i", reduce="add")
    )
    dynamics.add(action(lems.OnStart(), lems.StateAssignment("v", "V_0")))
    refractory = lems.Regime("refractory", dynamics)
    begin = (lems.StateAssignment("t_spike", "t"), lems.StateAssignment("v", "V_reset"))
    refractory.add(action(lems.OnEntry(), *begin))
    refractory.add(action(lems.OnCondition("t .gt. t_spike + t_ref"), lems.Transition("integrating")))
    integrating = lems.Regime("integrating", dynamics, True)
    integrating.add(lems.TimeDerivative("v", "(E_L - v) / tau_m + (I_e + I_syn) / C_m"))
    fire = (lems.EventOut("spike"), lems.Transition("refractory"))
    integrating.add(action(lems.OnCondition("v .geq. V_th"), *fire))
    dynamics.add(refractory)
    dynamics.add(integrating)
    return cell


def _synapse_type(lems: Any) -> Any:
    synapse = lems.ComponentType(SYNAPSE, "Current that a spike raises by the weight in pA", "baseCurrentBasedSynapse")
    synapse.add(lems.Parameter("tau_syn", "time", "time constant of the current"))
    synapse.add(lems.Property("weight", "none", "1", "in pA"))
    synapse.add(lems.Constant("PICOAMPERE", "1pA", "current"))
    dynamics = synapse.dynamics
    dynamics.add(lems.StateVariable("i", "current", "i"))
    dynamics.add(lems.TimeDerivative("i", "-i / tau_syn"))
    dynamics.add(action(lems.OnEvent("in"), lems.StateAssignment("i", "i + weight * PICOAMPERE")))
    return synapse
