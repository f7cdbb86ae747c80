"""Building a network by NEST's own rules: the reference for statistical comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from mc_interchange.errors import SimulationError
from mc_interchange.formats.nest import nest_model
from mc_interchange.instance import ArrayTrains
from mc_interchange.instance.sampling import round_delays
from mc_interchange.network import (
    Constant,
    Distribution,
    Explicit,
    Network,
    Normal,
    Projection,
    SpikeTrains,
    TruncatedNormal,
    Uniform,
    Values,
    VirtualPopulation,
)
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress

from .devices import create_sources, refused_by, synapses_of
from .kernel import own_nodes

__all__ = ["connect_natively", "create_natively"]


def create_natively(nest: Any, network: Network) -> dict[str, Any]:
    """Create all populations; NEST draws the initial potentials."""
    populations = {}
    for population in network.populations:
        if isinstance(population, VirtualPopulation):
            activity = population.activity
            trains = ArrayTrains.from_lists(activity.times) if isinstance(activity, SpikeTrains) else activity
            nodes = create_sources(nest, population.name, population.size, trains, network.simulation.dt)
        else:
            model, parameters = nest_model(population.neuron)
            with refused_by(nest, f"population {population.name}"):
                nodes = nest.Create(model, population.size, params=parameters)
                V_m = _parameter(nest, population.initial_V_m)
                own = own_nodes(nest, nodes)
                if own is None:
                    nodes.set({"V_m": V_m})
                elif own.any():
                    mine = np.flatnonzero(own).tolist()
                    nodes[mine].set({"V_m": [V_m[i] for i in mine] if isinstance(V_m, list) else V_m})
        populations[population.name] = nodes
    return populations


def connect_natively(nest: Any, network: Network, populations: dict[str, Any], progress: Progress) -> None:
    """Connect all projections by NEST's connection rules."""
    progress.task("connecting", len(network.projections), "projections")
    for projection in network.projections:
        source, target = populations[projection.source], populations[projection.target]
        activity = getattr(network.population(projection.source), "activity", None)
        part = synapses_of(projection.synapse.model, activity, "its rule")
        with refused_by(nest, f"projection {projection.name}", part):
            if isinstance(projection.rule, Explicit):
                _connect_listed(nest, projection, projection.rule, source, target, network.simulation.dt)
            else:
                nest.Connect(source, target, _rule(projection), _synapse(nest, projection))
        progress.advance(1)


def _rule(projection: Projection) -> dict[str, Any]:
    names = {"number": "N", "probability": "p"}
    rule = projection.rule.model_dump()
    return {names.get(key, key): value for key, value in rule.items()}


def _synapse(nest: Any, projection: Projection) -> dict[str, Any]:
    return {
        "synapse_model": projection.synapse.model,
        **projection.synapse.parameters,
        "weight": _parameter(nest, projection.weight),
        "delay": _parameter(nest, projection.delay),
    }


def _parameter(nest: Any, distribution: Distribution) -> Any:
    """Return a distribution as NEST's Parameter (which has no normal distribution without spread)."""
    if isinstance(distribution, Constant):
        return distribution.value
    if isinstance(distribution, Values):
        return list(distribution.values)
    if isinstance(distribution, Uniform):
        return nest.random.uniform(distribution.low, distribution.high)
    assert isinstance(distribution, Normal | TruncatedNormal)
    if distribution.sd == 0:
        return distribution.mean
    normal = nest.random.normal(distribution.mean, distribution.sd)
    if isinstance(distribution, Normal):
        return normal
    return nest.math.redraw(normal, *distribution.bounds)


def _connect_listed(nest: Any, projection: Projection, rule: Explicit, source: Any, target: Any, dt: float) -> None:
    n = len(rule.sources)
    if n == 0:
        return
    arrays = {}
    for name in ("weight", "delay"):
        distribution = getattr(projection, name)
        if isinstance(distribution, Constant):
            arrays[name] = np.full(n, distribution.value)
        elif isinstance(distribution, Values):
            arrays[name] = np.array(distribution.values)
        else:
            raise SimulationError(
                f"projection {projection.name}: NEST cannot draw the {name} of listed synapses; give values, or run "
                "without --native"
            )
    extra = projection.synapse.parameters
    arrays["delay"] = round_delays(arrays["delay"], dt) / steps(1.0, dt)
    nest.Connect(
        np.array(rule.sources) + int(source[0].global_id),
        np.array(rule.targets) + int(target[0].global_id),
        "one_to_one",
        {"synapse_model": projection.synapse.model, **{k: np.full(n, v) for k, v in extra.items()}, **arrays},
    )
