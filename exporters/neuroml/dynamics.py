"""What becomes of neurons that are given by equations: types of components of their own, before a byte is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import Edges, NetworkInstance, Nodes
from mc_interchange.instance.digest import digest_json
from mc_interchange.network import Dynamics, PoissonInput, StepCurrent
from mc_interchange.network.dynamics import TIME

__all__ = ["EquationInput", "EquationTypes", "OwnValues", "PlannedEquations", "plan_equations", "receptor_of"]

#: What has a meaning in the expressions of LEMS, or in the types that are written.
_RESERVED = ("H", "ceil", "factorial", "ln", "random", "v", "synapses", "spike", "active", "t_spike")


@dataclass(frozen=True)
class EquationTypes:
    """The types of one set of equations.

    All that acts on such a cell is of a type that extends ``base``, which exposes for each receptor the sum of the
    weights that have arrived, for each quantity that differs between neurons the value of this one, and a current.

    Parameters
    ----------
    dynamics
        The equations.
    cell, base
        Identifiers of the type of the cell, and of what acts on it.
    synapses, poisson, own
        Identifiers of the types of synapses and Poisson inputs by receptor, and of own values by quantity.
    current
        That of current inputs.
    names
        Names in LEMS, by ours.
    extra
        Names in LEMS of what the type needs besides, by purpose and ours: ``("seen", "ge")``.
    """

    dynamics: Dynamics
    cell: str
    base: str
    synapses: Mapping[str, str]
    poisson: Mapping[str, str]
    own: Mapping[str, str]
    current: str
    names: Mapping[str, str]
    extra: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class OwnValues:
    """A quantity that differs between the neurons of a population.

    Parameters
    ----------
    quantity
        Parameter, or state variable at t = 0.
    list_id, component
        Identifiers of the list of inputs that hands it out, and of the component there.
    values : ndarray, shape (size,), float64
        In its unit.
    """

    quantity: str
    list_id: str
    component: str
    values: NDArray[np.float64]


@dataclass(frozen=True)
class EquationInput:
    """What an input onto such cells is in LEMS.

    Parameters
    ----------
    type
        Identifier of its type.
    input
        The input.
    n_sources
        Number of sources of a Poisson input on each cell.
    """

    type: str
    input: PoissonInput | StepCurrent
    n_sources: int = 1


@dataclass(frozen=True)
class PlannedEquations:
    """A population of such cells.

    Parameters
    ----------
    types
        Theirs.
    component
        Identifier of the cell.
    synapses
        Identifier of the component of a synapse, by receptor.
    own
        What differs between its neurons.
    """

    types: EquationTypes
    component: str
    synapses: Mapping[str, str]
    own: tuple[OwnValues, ...]


def receptor_of(dynamics: Dynamics, index: int, what: str) -> str:
    """Return the state variable that a receptor raises.

    Parameters
    ----------
    what
        Who asks, for the message.

    Raises
    ------
    NotRepresentableError
        There is no such receptor.
    """
    if not 0 <= index < len(dynamics.receptors):
        receptors = ", ".join(f"{number}: {name}" for number, name in enumerate(dynamics.receptors)) or "none"
        raise NotRepresentableError(f"{what}: {dynamics.label} has no receptor {index} (it has {receptors})")
    return dynamics.receptors[index]


def plan_equations(
    ids: fmt.Identifiers, instance: NetworkInstance, components: Mapping[str, str]
) -> dict[str, PlannedEquations]:
    """Name the types and components of all populations with equations.

    Parameters
    ----------
    components
        Identifier of the cell component of each population.

    Raises
    ------
    NotRepresentableError
    """
    populations = [(nodes, n) for nodes in instance.populations.values() if isinstance(n := nodes.neuron, Dynamics)]
    own: dict[str, dict[str, None]] = {}
    for nodes, dynamics in populations:
        own.setdefault(_key(dynamics), {}).update(dict.fromkeys(_own_values(nodes, dynamics)))
    types: dict[str, EquationTypes] = {}
    synapses: dict[str, dict[str, str]] = {}
    planned = {}
    for nodes, dynamics in populations:
        key = _key(dynamics)
        if key not in types:
            types[key] = _types(ids, dynamics, tuple(own[key]))
            synapses[key] = {name: ids.claim(f"{dynamics.name}_onto_{name}") for name in dynamics.receptors}
        values = tuple(
            OwnValues(name, ids.claim(f"{name}_of_{nodes.name}"), ids.claim(f"{name}_of_{nodes.name}_value"), array)
            for name, array in _own_values(nodes, dynamics, also=own[key]).items()
        )
        planned[nodes.name] = PlannedEquations(types[key], components[nodes.name], synapses[key], values)
    return planned


def _key(dynamics: Dynamics) -> str:
    return digest_json([dynamics.name, dynamics.definition])


def _own_values(nodes: Nodes, dynamics: Dynamics, also: Mapping[str, None] = {}) -> dict[str, NDArray[np.float64]]:
    """Return what differs between the neurons of a population, and some quantities although they do not."""
    known = {*dynamics.derivatives, *dynamics.constants}
    if others := sorted(nodes.varying.keys() - known):
        raise NotRepresentableError(f"population {nodes.name}: {dynamics.label} has no {', '.join(others)}")
    given = dict(nodes.varying)
    if nodes.V_m is not None and dynamics.potential is not None:
        given[dynamics.potential] = nodes.V_m
    elif nodes.V_m is not None:
        raise NotRepresentableError(f"population {nodes.name}: {dynamics.label} has no membrane potential")
    return {
        name: given[name] if name in given else np.full(nodes.size, dynamics[name])
        for name in sorted(given.keys() | also.keys())
    }


def _types(ids: fmt.Identifiers, dynamics: Dynamics, own: tuple[str, ...]) -> EquationTypes:
    name = dynamics.name
    local = fmt.Identifiers()
    for reserved in (TIME, *_RESERVED):
        local.claim(reserved)
    names = {
        ours: "v" if ours == dynamics.potential else local.claim(ours)
        for ours in (*dynamics.derivatives, *dynamics.derived, *dynamics.constants)
    }
    if dynamics.current is not None:
        names[dynamics.current] = local.claim(dynamics.current)
    purposes = [("seen", r) for r in dynamics.receptors] + [("arrived", r) for r in dynamics.receptors]
    purposes += [(purpose, variable) for variable in dynamics.derivatives for purpose in ("start", "old")]
    purposes += [("own", quantity) for quantity in own]
    return EquationTypes(
        dynamics,
        ids.claim(fmt.equation_type(name)),
        ids.claim(f"{name}_input"),
        {r: ids.claim(f"{name}_synapse_onto_{r}") for r in dynamics.receptors},
        {r: ids.claim(f"{name}_poisson_onto_{r}") for r in dynamics.receptors},
        {quantity: ids.claim(f"{name}_own_{quantity}") for quantity in own},
        ids.claim(f"{name}_current"),
        names,
        {(purpose, ours): local.claim(f"{purpose}_{ours}") for purpose, ours in purposes},
    )


def undelayed(instance: NetworkInstance) -> Iterator[str]:
    """Yield the projections with synapses that have no delay."""
    for edges in instance.projections.values():
        if isinstance(instance.populations[edges.target].neuron, Dynamics) and _undelayed(edges):
            yield edges.name


def _undelayed(edges: Edges) -> bool:
    return any(len(block) and int(block.delay.min()) == 0 for block in edges.blocks())
