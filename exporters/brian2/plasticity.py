"""The synapse models of the catalogue that change, as Brian2's variables and statements.

Between two events all states decay in closed form, so each event computes them from those of the event before: nothing
is integrated. A spike acts with ``sent`` in place of the weight. All events come late by the delay, which the intervals
between them do not show: a spike of the source after the delay, one of the target, which NEST lets travel back
over the delay, after twice the delay. That a step counts from ``t = 0`` of the source stands in ``last``, which is
the delay at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.programs import synapse_values
from mc_interchange.instance import Edges, NetworkInstance, Synapse
from mc_interchange.network import SYNAPSE_CATALOGUE, Neuron
from mc_interchange.units import WEIGHT_UNIT

from .glif import receptors_of

__all__ = ["PLASTIC", "Plasticity", "plasticity_of"]

#: NEST's default of the target's ``tau_minus``, ms.
_TAU_MINUS = 20.0


@dataclass(frozen=True)
class Plasticity:
    """A synapse model with parameters.

    Parameters
    ----------
    model
        Its name in the catalogue.
    states
        Variables of a synapse, a line each.
    on_pre, on_post
        What spikes of source and target do, a statement a line; ``sent`` is what takes the place of the weight.
    constants
        Value and unit by name.
    initial
        Of the states, as expressions.
    """

    model: str
    states: tuple[str, ...]
    on_pre: tuple[str, ...]
    on_post: tuple[str, ...]
    constants: Mapping[str, tuple[float, str]]
    initial: Mapping[str, str]


def plasticity_of(edges: Edges, instance: NetworkInstance) -> Plasticity | None:
    """Return what the synapses of a projection do; None: nothing, they are static.

    Raises
    ------
    NotRepresentableError
        There are no statements for them.
    """
    synapse, what = edges.synapse, f"projection {edges.name}"
    neuron = instance.populations[edges.target].neuron
    receptors = receptors_of(neuron) if isinstance(neuron, Neuron) else ()
    if synapse.receptor not in receptors:
        known = ", ".join(str(number) for number in receptors) or "none"
        raise NotRepresentableError(
            f"{what}: its synapses are onto receptor {synapse.receptor}; the receptors of {edges.target}: {known}"
        )
    if synapse == Synapse(receptor=synapse.receptor):
        return None
    if synapse.model not in PLASTIC:
        raise NotRepresentableError(
            f"{what}: synapses of the model {synapse.model} have no equations here; there are those of "
            f"static_synapse, {', '.join(PLASTIC)}"
        )
    if instance.populations[edges.source].virtual:
        raise NotRepresentableError(
            f"{what}: {synapse.model} needs neurons as sources, and {edges.source} are none: several spikes in one "
            "step are several rows there, each with synapses of its own; put neurons that repeat the spikes between"
        )
    values = synapse_values(edges)
    if values.get("tau_psc") == values.get("tau_rec", 0.0):
        raise NotRepresentableError(
            f"{what}: tau_psc and tau_rec of {synapse.model} are equal, and its closed form divides by their "
            "difference, in NEST, too; change one a little"
        )
    weight_unit = neuron.entry.weight_unit if isinstance(neuron, Neuron) else "1"
    parameters = SYNAPSE_CATALOGUE[synapse.model].parameters
    units = {p.name: weight_unit if p.unit == WEIGHT_UNIT else p.unit for p in parameters}
    return PLASTIC[synapse.model](values, units)


def _constants(values: Mapping[str, float], units: Mapping[str, str], *names: str) -> dict[str, tuple[float, str]]:
    return {name: (values[name], units[name]) for name in names}


def _initial(values: Mapping[str, float], *names: str) -> dict[str, str]:
    return {name: repr(values[name]) for name in names}


def _use(values: Mapping[str, float]) -> str:
    """Return the statement for the use of resources at a spike."""
    return "u = U + u * (1 - U) * exp(-wait / tau_fac)" if values["tau_fac"] else "u = U"


def _tsodyks(values: Mapping[str, float], units: Mapping[str, str]) -> Plasticity:
    """Tsodyks et al. 2000: the linear system of three kinds of resources, solved; z are the inactive ones."""
    recovery, activity = values["tau_rec"], values["tau_psc"]
    slow, apart = max(recovery, activity), recovery * activity / abs(recovery - activity)
    names = ("U", "tau_rec", *(["tau_fac"] if values["tau_fac"] else []), "tau_psc")
    return Plasticity(
        "tsodyks_synapse",
        ("x : 1", "y : 1", "u : 1", "last : second"),
        (
            "wait = t - last",
            # in this form there is neither overflow after long waits nor cancellation where both nearly agree
            "fresh = -y * (tau_apart / tau_psc) * exp(-wait / tau_slow) * expm1(-wait / tau_apart)",
            "z = (1 - x - y) * exp(-wait / tau_rec) + fresh",
            "y = y * exp(-wait / tau_psc)",
            "x = 1 - y - z",
            _use(values),
            "used = u * x",
            "x = x - used",
            "y = y + used",
            "last = t",
            "sent = weight * used",
        ),
        (),
        {**_constants(values, units, *names), "tau_slow": (slow, "ms"), "tau_apart": (apart, "ms")},
        {**_initial(values, "x", "y", "u"), "last": "delay"},
    )


def _tsodyks2(values: Mapping[str, float], units: Mapping[str, str]) -> Plasticity:
    """Maass & Markram 2002: use and resources of each spike from those of the one before; the first takes them so."""
    names = ("U", "tau_rec", *(["tau_fac"] if values["tau_fac"] else []))
    decay = " * exp(-wait / tau_fac)" if values["tau_fac"] else " * 0"
    return Plasticity(
        "tsodyks2_synapse",
        ("x : 1", "u : 1", "last : second", "repeated : 1"),
        (
            "wait = t - last",
            "x = x + repeated * (1 + (x - x * u - 1) * exp(-wait / tau_rec) - x)",
            f"u = u + repeated * (U + u * (1 - U){decay} - u)",
            "last = t",
            "repeated = 1",
            "sent = weight * u * x",
        ),
        (),
        _constants(values, units, *names),
        {**_initial(values, "x", "u"), "repeated": "0"},
    )


def _stdp(values: Mapping[str, float], units: Mapping[str, str]) -> Plasticity:
    """Guetig et al. 2003, all pairs; of spikes that meet at the synapse, that of the target acts first."""
    # a weight beyond its bound has a power in whole numbers only; it comes to its bound anyway
    room = "(1 - relative)" if values["mu_plus"].is_integer() else "clip(1 - relative, 0, inf)"
    return Plasticity(
        "stdp_synapse",
        ("relative : 1", "Kplus : 1", "Kminus : 1", "last : second", "felt : second"),
        (
            # a spike of the target that arrives just now does not count yet
            "met = Kminus * exp(-(t - felt) / tau_minus) - int(t == felt)",
            "relative = clip(relative - alpha * rate * relative ** mu_minus * met, 0, inf)",
            "Kplus = Kplus * exp(-(t - last) / tau_plus) + 1",
            "last = t",
            "sent = relative * Wmax",
        ),
        (
            f"relative = clip(relative + rate * {room} ** mu_plus * Kplus * exp(-(t - last) / tau_plus), -inf, 1)",
            "Kminus = Kminus * exp(-(t - felt) / tau_minus) + 1",
            "felt = t",
        ),
        {
            **_constants(values, units, "tau_plus", "alpha", "mu_plus", "mu_minus", "Wmax"),
            "rate": (values["lambda"], "1"),
            "tau_minus": (_TAU_MINUS, "ms"),
        },
        {"relative": "weight / Wmax", **_initial(values, "Kplus"), "last": "delay", "felt": "-1 * second"},
    )


#: What makes statements of a model's parameters and their units.
PLASTIC = {"tsodyks_synapse": _tsodyks, "tsodyks2_synapse": _tsodyks2, "stdp_synapse": _stdp}
