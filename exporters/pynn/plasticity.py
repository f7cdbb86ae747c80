"""Synapses that change, as PyNN's synapse types; and what these cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np

from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.programs import synapse_values
from mc_interchange.formats.pynn import WEIGHT_UNITS, thousandth
from mc_interchange.instance import Edges, NetworkInstance

from .models import neuron_of

__all__ = ["plasticity_of"]

#: PyNN's rule by the exponents of potentiation and depression; for others there is Guetig's.
_RULES = {
    (0.0, 0.0): "AdditiveWeightDependence",
    (1.0, 1.0): "MultiplicativeWeightDependence",
    (0.0, 1.0): "AdditivePotentiationMultiplicativeDepression",
}
#: NEST's default of the target's ``tau_minus``, ms.
_TAU_MINUS = 20.0
#: States at t = 0 with which PyNN's synapses begin.
_STATES = {"x": 1.0, "y": 0.0, "u": 0.0, "Kplus": 0.0}


def plasticity_of(edges: Edges, instance: NetworkInstance) -> dict[str, Any] | None:
    """Return PyNN's synapse type and what it is given; None: it is static.

    Raises
    ------
    NotRepresentableError
        PyNN has no such synapse type, or does not let one of its parameters have this value.
    """
    synapse, what = edges.synapse, f"projection {edges.name}"
    if synapse.plain:
        return None
    if synapse.model not in ("tsodyks_synapse", "stdp_synapse") or synapse.receptor:
        raise NotRepresentableError(
            f"{what}: PyNN gets static_synapse, tsodyks_synapse and stdp_synapse at receptor 0 only, these are "
            f"{synapse.model} at receptor {synapse.receptor}"
        )
    if instance.populations[edges.source].virtual:
        raise NotRepresentableError(
            f"{what}: {synapse.model} needs neurons as sources, since NEST's spike generators take static ones, and "
            f"{edges.source} are none; put neurons that repeat the spikes between"
        )
    values = synapse_values(edges)
    for name, initial in _STATES.items():
        if values.get(name, initial) != initial:
            raise NotRepresentableError(
                f"{what}: PyNN begins with {name} of {initial:g}, this {synapse.model} with {values[name]:g}"
            )
    if synapse.model == "tsodyks_synapse":
        _check_tau_psc(edges, instance, values["tau_psc"])
        return {
            "synapse": "TsodyksMarkramSynapse",
            "parameters": {"U": values["U"], "tau_rec": values["tau_rec"], "tau_facil": values["tau_fac"]},
        }
    limit = values["Wmax"]
    if (_has(edges, negative=True) and limit > 0) or (_has(edges, negative=False) and limit < 0):
        raise NotRepresentableError(f"{what}: weights and the Wmax of {limit:g} must have the same sign, as in NEST")
    return {"synapse": "STDPMechanism", **_stdp(values, WEIGHT_UNITS[_weight_unit(edges, instance)])}


def _stdp(values: dict[str, float], unit: float) -> dict[str, Any]:
    exponents = (values["mu_plus"], values["mu_minus"])
    rule = _RULES.get(exponents, "GutigWeightDependence")
    given = {} if exponents in _RULES else dict(zip(("mu_plus", "mu_minus"), exponents, strict=True))
    limit = values["Wmax"]
    return {
        "timing": {
            "tau_plus": values["tau_plus"],
            "tau_minus": _TAU_MINUS,
            "A_plus": values["lambda"],
            # of this PyNN makes alpha again, whose value has no effect where lambda is 0
            "A_minus": values["alpha"] * values["lambda"],
        },
        "weights": [rule, {"w_min": 0.0, "w_max": limit if unit == 1.0 else thousandth(limit), **given}],
    }


def _weight_unit(edges: Edges, instance: NetworkInstance) -> str:
    return neuron_of(instance.populations[edges.target]).entry.weight_unit


def _check_tau_psc(edges: Edges, instance: NetworkInstance, tau_psc: float) -> None:
    """Refuse a time constant that is not that of the target's synapses, from which PyNN takes it."""
    target = instance.populations[edges.target]
    neuron = neuron_of(target)
    for name, negative in (("tau_syn_ex", False), ("tau_syn_in", True)):
        if not _has(edges, negative=negative):
            continue
        found = target.varying.get(name, neuron.parameters.get(name))
        if found is None or np.any(np.asarray(found) != tau_psc):
            says = f"{neuron.model} has no {name}" if found is None else f"{name} of {edges.target} is another"
            raise NotRepresentableError(
                f"projection {edges.name}: PyNN takes tau_psc ({tau_psc:g} ms) of tsodyks_synapse from the target's "
                f"synapses, and {says}"
            )


def _has(edges: Edges, *, negative: bool) -> bool:
    return any(bool(((block.weight < 0) == negative).any()) for block in edges.blocks())
