"""Rules of a network as PyNN's connectors and distributions."""

from __future__ import annotations

import math
from typing import Any

from mc_interchange.contracts import Loss
from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats.pynn import WEIGHT_UNITS
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import (
    AllToAll,
    Constant,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Population,
    Projection,
    TruncatedNormal,
    Uniform,
    Values,
)
from mc_interchange.network.distributions import Distribution

from .models import neuron_of

__all__ = ["initial_values", "rules_of"]

#: So many standard deviations from the mean, nothing is drawn (less than once in 1e15).
_TAIL = 8.0
#: What is less probable is not worth a word.
_NONE = 1e-12
#: A projection of which more than this part would have the other sign is refused.
_MOST_OF_OTHER_SIGN = 0.01

#: A number, or the keyword arguments of PyNN's RandomDistribution.
Given = float | dict[str, Any]


def network_of(instance: NetworkInstance) -> Network:
    """Return the rules.

    Raises
    ------
    NotRepresentableError
        There are none.
    """
    if instance.network is None:
        raise NotRepresentableError(
            f"--level rules: {instance.name} has synapses but no rules; use --level instance, which writes them"
        )
    return instance.network


def rules_of(instance: NetworkInstance) -> tuple[dict[str, Any], list[Loss]]:
    """Return PyNN's connector, weights and delays of each projection, and what they do not say.

    Raises
    ------
    NotRepresentableError
        PyNN has no such rule, or no such distribution.
    """
    losses = [
        Loss("the realisation", "approximated", "PyNN draws synapses and potentials; the circuit beside it is another")
    ]
    found: dict[str, Any] = {}
    several = []
    too_short = 0.0
    for projection in network_of(instance).projections:
        if projection.name not in instance.projections:
            continue  # its rule makes no synapse
        neuron = neuron_of(instance.populations[projection.target])
        ends = {"source": projection.source, "target": projection.target}
        if isinstance(projection.rule, Explicit):
            found[projection.name] = {**ends, "connector": None}
            continue
        weight, receptor, loss = _weights(projection, WEIGHT_UNITS[neuron.entry.weight_unit], neuron.model)
        losses += loss
        delay, below = _delays(projection, instance.simulation.dt)
        too_short = max(too_short, below)
        found[projection.name] = {
            **ends,
            "connector": _connector(projection),
            "receptor": receptor,
            "weight": weight,
            "delay": delay,
        }
        if getattr(projection.rule, "allow_multapses", False):
            several.append(projection.name)
    if too_short > _NONE:
        text = (
            f"PyNN has none below {instance.simulation.dt:g} ms; they are drawn again (up to {too_short:.2g} of them)"
        )
        losses.append(Loss("delays that would be rounded up to the resolution", "approximated", text))
    if several:
        text = "in Brian2, PyNN gives all of them the weight and delay of the last"
        losses.append(Loss("synapses between the same two neurons", "approximated", text))
    return found, losses


def initial_values(instance: NetworkInstance) -> tuple[dict[str, Any], list[Loss]]:
    """Return the distribution of initial potentials of each population that draws them, and what it does not say."""
    found: dict[str, Any] = {}
    for population in network_of(instance).populations:
        if isinstance(population, Population) and not isinstance(population.initial_V_m, Constant | Values):
            found[population.name] = _distribution(population.initial_V_m, 1.0, -math.inf, math.inf)
    return found, []


def _connector(projection: Projection) -> tuple[str, dict[str, Any]]:
    rule = projection.rule
    itself = projection.source == projection.target
    match rule:
        case FixedTotalNumber():
            if not rule.allow_multapses or (itself and not rule.allow_autapses):
                raise NotRepresentableError(
                    f"projection {projection.name}: PyNN's FixedTotalNumberConnector always allows synapses of a "
                    "neuron onto itself and several between two neurons; use --level instance"
                )
            return "FixedTotalNumberConnector", {"n": rule.number}
        case PairwiseBernoulli():
            return "FixedProbabilityConnector", {
                "p_connect": rule.probability,
                "allow_self_connections": rule.allow_autapses,
            }
        case FixedIndegree() | FixedOutdegree():
            fixed_in = isinstance(rule, FixedIndegree)
            kind = "FixedNumberPreConnector" if fixed_in else "FixedNumberPostConnector"
            number = rule.indegree if isinstance(rule, FixedIndegree) else rule.outdegree
            return kind, {
                "n": number,
                "with_replacement": rule.allow_multapses,
                "allow_self_connections": rule.allow_autapses,
            }
        case OneToOne():
            return "OneToOneConnector", {}
        case AllToAll():
            return "AllToAllConnector", {"allow_self_connections": rule.allow_autapses}
    raise NotRepresentableError(f"projection {projection.name}: PyNN has no connector for the rule {rule.rule}")


def _weights(projection: Projection, unit: float, model: str) -> tuple[Given, str, list[Loss]]:
    """Return weights in PyNN's unit, their receptor, and the loss of those that would have the other sign."""
    weight = projection.weight
    mean = _mean(weight)
    excitatory = mean >= 0
    other = _part_below(weight, 0.0) if excitatory else 1 - _part_below(weight, 0.0)
    what = f"projection {projection.name}"
    if other > _MOST_OF_OTHER_SIGN:
        raise NotRepresentableError(
            f"{what}: {other:.2g} of its weights have the other sign, and PyNN's projections have one receptor; "
            "use --level instance"
        )
    losses = []
    if other > _NONE:
        text = f"those of the other sign are drawn again ({other:.2g} of them)"
        losses.append(Loss(f"weights of {what}", "approximated", text))
    given = _distribution(weight, unit, 0.0 if excitatory else -math.inf, math.inf if excitatory else 0.0)
    if "cond" in model and not excitatory:
        given = _negative(given)
    return given, "excitatory" if excitatory else "inhibitory", losses


def _delays(projection: Projection, dt: float) -> tuple[Given, float]:
    """Return delays in ms, and the part of them that would be below the resolution."""
    delay = projection.delay
    if isinstance(delay, Constant):
        return max(delay.value, dt), 0.0
    given = _distribution(delay, 1.0, dt, math.inf)
    if isinstance(given, dict) and given["distribution"] == "normal":
        # NEST wants a bound of all delays
        given = {**given, "distribution": "normal_clipped", "low": dt, "high": given["mu"] + _TAIL * given["sigma"]}
    return given, _part_below(delay, dt)


def _distribution(given: Distribution, unit: float, low: float, high: float) -> Given:
    """Return a distribution in PyNN's terms, within bounds (in the unit of what is given)."""
    match given:
        case Constant():
            return given.value * unit
        case Uniform():
            return {"distribution": "uniform", "low": max(given.low, low) * unit, "high": min(given.high, high) * unit}
        case Normal() | TruncatedNormal():
            if given.sd == 0:
                return given.mean * unit
            bounds = given.bounds if isinstance(given, TruncatedNormal) else (-math.inf, math.inf)
            ends = (given.mean - _TAIL * given.sd, given.mean + _TAIL * given.sd)
            lowest, highest = max(bounds[0], low, ends[0]), min(bounds[1], high, ends[1])
            drawn = {"mu": given.mean * unit, "sigma": given.sd * unit}
            if (lowest, highest) == ends:
                return {"distribution": "normal", **drawn}
            return {"distribution": "normal_clipped", **drawn, "low": lowest * unit, "high": highest * unit}
    raise NotRepresentableError(f"PyNN has no distribution {given.distribution}; use --level instance")


def _negative(given: Given) -> Given:
    if not isinstance(given, dict):
        return -given
    changed = dict(given)
    if "mu" in given:
        changed["mu"] = -given["mu"]
    if "low" in given:
        changed |= {"low": -given["high"], "high": -given["low"]}
    return changed


def _mean(given: Distribution) -> float:
    match given:
        case Constant():
            return given.value
        case Uniform():
            return (given.low + given.high) / 2
        case Normal() | TruncatedNormal():
            return given.mean
    raise NotRepresentableError(f"PyNN has no distribution {given.distribution}; use --level instance")


def _part_below(given: Distribution, value: float) -> float:
    """Return the probability of values below."""
    match given:
        case Constant():
            return float(given.value < value)
        case Uniform():
            return min(max((value - given.low) / (given.high - given.low), 0.0), 1.0)
        case Normal() | TruncatedNormal():
            lowest, highest = given.bounds if isinstance(given, TruncatedNormal) else (-math.inf, math.inf)
            if given.sd == 0:
                return float(given.mean < value)
            if value <= lowest or value >= highest:
                return float(value >= highest)
            below, first, last = (
                0.5 * math.erfc((given.mean - x) / (given.sd * math.sqrt(2))) for x in (value, lowest, highest)
            )
            return (below - first) / (last - first)
    raise NotRepresentableError(f"PyNN has no distribution {given.distribution}; use --level instance")
