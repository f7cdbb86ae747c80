"""Sources of spikes: PoissonGroup, SpikeGeneratorGroup and PoissonInput."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, Edges, Nodes, Synapse
from mc_interchange.network import PoissonActivity, PoissonInput
from mc_interchange.network.expressions import UNIT_NAMES, dimension_of, evaluate, names_in
from mc_interchange.network.simulation import times

from .code import expression
from .quantities import Names, dimension_from, number_in_our_unit
from .synapses import members

__all__ = ["poisson_edges", "poisson_input", "poisson_sources", "replayed"]

#: Steps that Brian2 adds before it rounds a time down.
_ROUNDING = 1e-3
#: Largest mean number of spikes of one source per step, where an input becomes sources.
_MAX_PER_STEP = 0.08


def poisson_sources(group: Any) -> Nodes:
    """Describe a PoissonGroup.

    Raises
    ------
    FormatError
        Rates change in time, or differ between sources.
    """
    what = f"PoissonGroup {group.name}"
    if "rates" not in group.variables or isinstance(group._rates, str):
        raise FormatError(
            f"{what}: its rates are an expression ({group._rates!r:.60}), and rates are constant here; draw the spikes "
            "beforehand, and replay them with a SpikeGeneratorGroup"
        )
    rates = np.atleast_1d(group.variables["rates"].get_value()).astype(np.float64)
    if np.any(rates != rates[0]):
        raise FormatError(f"{what}: its sources have several rates; make one PoissonGroup for each rate")
    rate = number_in_our_unit(rates[0], _per_second()) * 1000
    return Nodes(group.name, int(group.N), activity=PoissonActivity(rate=_tidy(rate)))


def _per_second() -> Any:
    a, b, c, d = UNIT_NAMES["ms"]
    return -a, b, c, d


def _tidy(value: float) -> float:
    return float(f"{value:.15g}")


def replayed(group: Any, dt: float, duration: float) -> Nodes:
    """Describe a SpikeGeneratorGroup; a spike that is due in a step is stamped with its end, as everywhere here.

    Parameters
    ----------
    dt, duration
        In ms.
    """
    seconds = np.asarray(group.variables["spike_time"].get_value(), np.float64)
    sources = np.asarray(group.variables["neuron_index"].get_value(), np.int64)
    step = dt / 1000
    bins = np.floor(seconds / step + _ROUNDING).astype(np.int64)
    period = int(np.floor(float(group.variables["period"].get_value()[0]) / step + _ROUNDING))
    n_steps = round(duration / dt)
    if period > 0:
        rounds = np.arange(-(-n_steps // period))
        bins, sources = (bins[None, :] + period * rounds[:, None]).ravel(), np.tile(sources, len(rounds))
    inside = bins < n_steps
    return Nodes(
        group.name, int(group.N), activity=ArrayTrains(int(group.N), sources[inside], times(bins[inside] + 1, dt))
    )


def _weight(source: Any, target: Any, namespace: Mapping[str, Any]) -> float:
    what = f"PoissonInput {source.name}"
    variable = source.target_var
    dimension = dimension_from(target.variables[variable].dim, f"{what}: {variable}")
    if not isinstance(source.weight, str):
        return number_in_our_unit(float(source.weight), dimension)
    tree, names = expression(source.weight, f"{what}: weight"), Names(target, namespace)
    if own := sorted(names_in(tree) & {*target.user_equations.names}):
        raise FormatError(f"{what}: its weight depends on {', '.join(own)}; it must be a number")
    known = {name: names.constant(name, f"{what}: weight") for name in names_in(tree)}
    try:
        found = dimension_of(tree, {name: unit for name, (_, unit) in known.items()})
    except ValueError as error:
        raise FormatError(f"{what}: weight: {error}") from None
    if found != dimension:
        raise FormatError(f"{what}: its weight does not have the unit of {variable}")
    return number_in_our_unit(evaluate(tree, {name: value for name, (value, _) in known.items()}), dimension)


def poisson_input(source: Any, target: Any, namespace: Mapping[str, Any], dt: float) -> PoissonInput:
    """Describe a PoissonInput: its N sources are one of N times the rate.

    Parameters
    ----------
    target
        The NeuronGroup.
    dt
        In ms.

    Raises
    ------
    FormatError
    """
    if isinstance(source.rate, str):
        raise FormatError(f"PoissonInput {source.name}: its rate is an expression; rates are constant here")
    group, first = members(source._group)
    some = source._group is not group
    return PoissonInput(
        name=source.name,
        target=group.name,
        rate=_tidy(float(source.rate) * int(source.N)),
        weight=_weight(source, target, namespace),
        delay=dt,
        neurons=tuple(range(first, first + int(source._group.N))) if some else None,
    )


def poisson_edges(item: PoissonInput, name: str, size: int, receptor: int, dt: float) -> tuple[Nodes, Edges]:
    """Turn an input into sources that project one to one, for a receptor that inputs do not reach.

    Parameters
    ----------
    name
        Of the projection.
    size
        Number of neurons of the target.
    dt
        In ms.
    """
    per_neuron = max(1, int(np.ceil(item.rate * dt / 1000 / _MAX_PER_STEP - 1e-9)))
    chosen = np.arange(size) if item.neurons is None else np.array(item.neurons)
    targets = np.repeat(chosen, per_neuron).astype(np.uint32)
    n = len(targets)
    edges = EdgeBlock(np.arange(n, dtype=np.uint32), targets, np.full(n, item.weight), np.ones(n, np.int32))
    nodes = Nodes(item.name, n, activity=PoissonActivity(rate=item.rate / per_neuron))
    return nodes, ArrayEdges(name, item.name, item.target, edges, Synapse(receptor=receptor))
