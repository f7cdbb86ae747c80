"""Synapses: what their spikes do, and their edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.instance import EdgeBlock
from mc_interchange.network.expressions import dimension_of, evaluate, names_in, unit_text

from .code import Statement, expression, functions_in, statements
from .quantities import Names, dimension_from, in_our_unit

__all__ = ["Arrival", "arrivals", "members"]

#: What a target may be called.
_POST, _PRE = "_post", "_pre"


@dataclass(frozen=True)
class Arrival:
    """One increment that the spikes of some Synapses make.

    Parameters
    ----------
    name
        For the projection.
    source, target
        Names of the groups.
    variable
        What is raised.
    edges
        The synapses, with the increments as weights.
    """

    name: str
    source: str
    target: str
    variable: str
    edges: EdgeBlock


def members(group: Any) -> tuple[Any, int]:
    """Return the group to which a group or a part of it belongs, and the index of its first member there."""
    from brian2 import Subgroup

    return (group.source, int(group.start)) if isinstance(group, Subgroup) else (group, 0)


def arrivals(synapses: Any, namespace: Mapping[str, Any], dt: float) -> Iterator[Arrival]:
    """Yield what each statement of ``on_pre`` does; nothing where there are no synapses.

    Parameters
    ----------
    synapses
        The object.
    namespace
        Names that ``run`` would find.
    dt
        In s.

    Raises
    ------
    FormatError
        They do something else than to raise variables of the target by numbers.
    """
    what = f"Synapses {synapses.name}"
    _check(synapses, what)
    if not len(synapses):
        return
    found = [
        (pathway, statement)
        for pathway in synapses._pathways
        for statement in statements(pathway.code, f"{what}: on_pre")
    ]
    (source, first_source), (target, first_target) = members(synapses.source), members(synapses.target)
    several_pathways = len(synapses._pathways) > 1
    several = len({(pathway.objname, statement.target) for pathway, statement in found}) > 1
    used: dict[str, int] = {}
    for pathway, statement in found:
        variable = _raised(synapses, statement, what)
        name = "_".join(
            [synapses.name, *([pathway.objname] if several_pathways else []), *([variable] if several else [])]
        )
        used[name] = used.get(name, 0) + 1
        edges = EdgeBlock(
            source=(np.asarray(synapses.i[:]) + first_source).astype(np.uint32),
            target=(np.asarray(synapses.j[:]) + first_target).astype(np.uint32),
            weight=_weights(synapses, statement, variable, Names(synapses, namespace), what),
            delay=_delays(pathway, len(synapses), dt, what),
        )
        number = f"_{used[name]}" if used[name] > 1 else ""
        yield Arrival(name + number, source.name, target.name, variable, edges)


def _check(synapses: Any, what: str) -> None:
    from brian2 import NeuronGroup, PoissonGroup, SpikeGeneratorGroup

    source, target = members(synapses.source)[0], members(synapses.target)[0]
    if not isinstance(source, NeuronGroup | PoissonGroup | SpikeGeneratorGroup):
        raise FormatError(f"{what}: its source {source.name} is a {type(source).__name__}, which sends no spikes here")
    if not isinstance(target, NeuronGroup):
        raise FormatError(f"{what}: its target {target.name} is a {type(target).__name__}, which receives nothing")
    for name, item in synapses.equations.items():
        if item.type == "parameter" and "summed" not in item.flags and "linked" not in item.flags:
            continue
        kind = "a summed variable" if "summed" in item.flags else f"a {item.type}"
        raise FormatError(
            f"{what}: {name} is {kind}: synapses with dynamics of their own have no equal; give what decays to the "
            "neurons, and let on_pre raise it"
        )
    if synapses.event_driven:
        names = ", ".join(synapses.event_driven.names)
        raise FormatError(f"{what}: {names} changes from event to event: plastic synapses have no equal")
    for pathway in synapses._pathways:
        if pathway.prepost != "pre":
            raise FormatError(f"{what}: on_post has no equal: plastic synapses cannot be read; freeze their weights")
        if pathway.event != "spike":
            raise FormatError(f"{what}: the custom event {pathway.event} has no equal: there are spikes only")


def _raised(synapses: Any, statement: Statement, what: str) -> str:
    """Return the variable of the target that a statement raises."""
    target = statement.target
    text = f"{target} {statement.operator}= {statement.value}"
    if target.endswith(_PRE):
        raise FormatError(f"{what}: on_pre: {text!r:.80} changes the source: only the target can be changed")
    if target in synapses.equations:
        raise FormatError(f"{what}: on_pre: {text!r:.80} changes the synapse: plastic synapses have no equal")
    if statement.operator not in ("+", "-"):
        raise FormatError(
            f"{what}: on_pre: {text!r:.80}: a spike can raise a variable by a number, nothing else; write it with +="
        )
    return target.removesuffix(_POST)


def _weights(synapses: Any, statement: Statement, variable: str, names: Names, what: str) -> NDArray[np.float64]:
    """Return the increment of each synapse, in the unit of the variable."""
    what = f"{what}: on_pre"
    tree = expression(statement.value, what)
    for function in functions_in(tree):
        names.check_function(function, what)
    values: dict[str, Any] = {}
    dimensions = {}
    for name in names_in(tree):
        if name in synapses.equations:
            found = synapses.variables[name]
            values[name] = np.asarray(found.get_value(), np.float64)
            dimensions[name] = dimension_from(found.dim, f"{what}: {name}")
        elif name in synapses.variables:
            raise FormatError(
                f"{what}: the increment {statement.value!r:.80} depends on {name}: it must be made of the synapse's "
                "own parameters and constants (what depends on the neuron's state belongs into its equations)"
            )
        else:
            values[name], dimensions[name] = names.constant(name, what)
    target = members(synapses.target)[0]
    if variable not in target.variables:
        raise FormatError(f"{what}: {target.name} has no variable {variable}")
    wanted = dimension_from(target.variables[variable].dim, f"{what}: {variable}")
    try:
        dimension = dimension_of(tree, dimensions)
    except ValueError as error:
        raise FormatError(f"{what}: {error}") from None
    if dimension != wanted:
        raise FormatError(
            f"{what}: {statement.value!r:.60} is in {unit_text(dimension)}, and {variable} in {unit_text(wanted)}"
        )
    sign = -1.0 if statement.operator == "-" else 1.0
    weights = in_our_unit(np.broadcast_to(sign * evaluate(tree, values), len(synapses)), wanted)
    if not np.isfinite(weights).all():
        raise FormatError(f"{what}: {statement.value!r:.60} is not a finite number for every synapse")
    return weights


def _delays(pathway: Any, n: int, dt: float, what: str) -> NDArray[np.int32]:
    """Return delays in steps, rounded as Brian2 rounds them."""
    seconds = np.broadcast_to(np.asarray(pathway.variables["delay"].get_value(), np.float64), n)
    if not np.isfinite(seconds).all() or seconds.min() < 0:
        raise FormatError(f"{what}: a delay is negative or not a finite number")
    return np.floor(seconds / dt + 0.5).astype(np.int32)
