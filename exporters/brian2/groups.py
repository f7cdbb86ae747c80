"""Populations with the same equations as one group of Brian2, and what cannot be written as such."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.instance import NetworkInstance, Nodes
from mc_interchange.network import CATALOGUE, Neuron, StepCurrent
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .equations import EQUATIONS, UNITS, Equations
from .glif import NAME as GLIF
from .glif import STATES, glif

__all__ = ["MODELS", "Group", "groups_of", "scalars", "unit_of"]

#: Neuron models for which there are equations.
MODELS = (*EQUATIONS, GLIF)

#: Brian2's closed form divides by the difference of the rates of decay, for alpha functions by its square. So close may
#: they be, as a difference of rates times the resolution, that a postsynaptic potential keeps eight digits.
CLOSEST = {"iaf_psc_exp": 1e-7, "iaf_psc_alpha": 1e-4, GLIF: 1e-7}
#: Below this they are equal but for rounding.
EQUAL = 1e-12


@dataclass(frozen=True)
class Group:
    """Populations with one neuron model.

    Parameters
    ----------
    name
        What Brian2 calls it.
    model
        Our name of the model.
    equations
        Those of its model.
    populations
        In their order in the group.
    shared
        Parameters that have one value.
    own
        Parameters that differ, between populations or between neurons, and initial values.
    stepped
        Whether a step current goes to it.
    off_grid
        Whether refractory periods are not all whole steps; NEST takes the next whole one.
    """

    name: str
    model: str
    equations: Equations
    populations: tuple[Nodes, ...]
    shared: dict[str, float]
    own: tuple[str, ...]
    stepped: bool
    off_grid: bool

    def declarations(self) -> list[str]:
        """Return the equations, line by line, with the parameters that are not the same for all."""
        lines = self.equations.dynamics.format(I=self._current).splitlines()
        parameters = [name for name in self.own if name not in self.equations.initial]
        lines += [f"{name} : {UNITS[unit_of(self.model, name)][1]} (constant)" for name in parameters]
        return lines + (["I_step : amp"] if self.stepped else [])

    def step(self) -> list[str]:
        """Return the statements that integrate a step, if they are given."""
        return [line.format(I=self._current) for line in self.equations.step]

    @property
    def _current(self) -> str:
        constant = ["I_e"] if any(p.name == "I_e" for p in CATALOGUE[self.model].parameters) else []
        current = " + ".join([*constant, *(["I_step"] if self.stepped else [])]) or "0*pA"
        return f"({current})" if "+" in current else current


def groups_of(instance: NetworkInstance) -> list[Group]:
    """Return all neurons by model.

    Raises
    ------
    NotRepresentableError
        Brian2 has no equal of a population.
    """
    found: dict[str, tuple[str, Equations, list[Nodes]]] = {}
    for nodes in instance.populations.values():
        if not nodes.virtual:
            neuron = _neuron(nodes)
            name, equations = _equations(neuron, _equal(nodes, neuron, instance.simulation.dt))
            found.setdefault(name, (neuron.model, equations, []))[-1].append(nodes)
    stepped = {item.target for item in instance.inputs if isinstance(item, StepCurrent)}
    return [
        _group(name, model, equations, tuple(nodes), stepped, instance.simulation.dt)
        for name, (model, equations, nodes) in found.items()
    ]


def scalars(neuron: Neuron) -> dict[str, float | bool]:
    """Return the parameters of a neuron, those of lists by number from 1 on."""
    found: dict[str, float | bool] = {}
    for name, value in neuron.parameters.items():
        if isinstance(value, tuple):
            found |= {f"{STATES.get(name, name)}_{k}": item for k, item in enumerate(value, 1)}
        else:
            found[name] = value
    return found


def unit_of(model: str, name: str) -> str:
    """Return the catalogue's unit of one of them."""
    lists = {f"{STATES.get(p.name, p.name)}_": p for p in CATALOGUE[model].parameters if p.kind == "list"}
    found = lists.get(name.rstrip("0123456789"))
    return (found or CATALOGUE[model][name]).unit


def _neuron(nodes: Nodes) -> Neuron:
    """Return the neuron of a population, or say why there are no equations for it."""
    neuron = nodes.neuron
    if not isinstance(neuron, Neuron) or neuron.model not in MODELS:
        what = "its neurons have several models" if nodes.mixed else f"the model {_name(nodes)} is not among them"
        raise NotRepresentableError(
            f"population {nodes.name}: Brian2 needs equations, which are there for populations of one of "
            f"{', '.join(MODELS)}; {what}"
        )
    for name, needed in (("refractory_input", False), ("consistent_integration", True)):
        if neuron.parameters.get(name, needed) is not needed:
            raise NotRepresentableError(
                f"population {nodes.name}: {neuron.model} with {name} {str(not needed).lower()} has no equations for "
                f"Brian2; set it to {str(needed).lower()}"
            )
    if "Delta_T" in neuron.parameters and not _values(nodes, "Delta_T").all():
        raise NotRepresentableError(
            f"population {nodes.name}: Delta_T of 0 mV makes the exponential a threshold, for which there are no "
            "equations for Brian2; give a small one"
        )
    return neuron


def _name(nodes: Nodes) -> str:
    model = nodes.models[0]
    return model.model if isinstance(model, Neuron) else model.name


def _equations(neuron: Neuron, equal: tuple[str, ...]) -> tuple[str, Equations]:
    """Return the equations of a neuron, and a name for them.

    Parameters
    ----------
    equal
        Time constants of synapses that are equal to that of the membrane: the closed form is another one then.
    """
    if neuron.model == GLIF:
        name, equations = glif(neuron, equal)
        return "_".join((name, *equal)), equations
    equations = EQUATIONS[neuron.model]
    for name in equal:
        equations = replace(
            equations,
            dynamics=equations.dynamics.replace(name, "tau_m"),
            receives={sign: statement.replace(name, "tau_m") for sign, statement in equations.receives.items()},
            settings=(*equations.settings, name),
        )
    return "_".join((neuron.model, *equal)), equations


def _equal(nodes: Nodes, neuron: Neuron, dt: float) -> tuple[str, ...]:
    """Return the time constants of synapses that are equal to that of the membrane."""
    if neuron.model not in CLOSEST:
        return ()
    if neuron.model == GLIF:
        leak, tau_m = "C_m / g", _values(nodes, "C_m") / _values(nodes, "g")
    else:
        leak, tau_m = "tau_m", _values(nodes, "tau_m")
    found = []
    for name in (name for name in scalars(neuron) if name.startswith("tau_syn")):
        distance = np.abs(dt / _values(nodes, name) - dt / tau_m)
        if distance.max() < EQUAL:
            found.append(name)
        elif distance.min() < CLOSEST[neuron.model]:
            raise NotRepresentableError(
                f"population {nodes.name}: {name} and {leak} nearly agree, or agree in some neurons only, and the "
                "closed form divides by their difference; make them equal in all neurons, or let them differ more"
            )
    return tuple(found)


def _values(nodes: Nodes, name: str) -> NDArray[np.float64]:
    """Return a parameter of each neuron, or its common value, shape (size,) or (1,)."""
    if name in nodes.varying:
        return nodes.varying[name]
    assert isinstance(nodes.neuron, Neuron)
    return np.ravel(np.array(scalars(nodes.neuron)[name]))


def _group(
    name: str,
    model: str,
    equations: Equations,
    populations: tuple[Nodes, ...],
    stepped: set[str],
    dt: float,
) -> Group:
    values: dict[str, set[float | None]] = {
        key: {None if key in nodes.varying else float(_values(nodes, key)[0]) for nodes in populations}
        for key in _parameters(populations[0], equations)
    }
    shared = {
        key: value
        for key, found in values.items()
        if key not in equations.initial and len(found) == 1 and (value := next(iter(found))) is not None
    }
    counts = np.concatenate(
        [_values(nodes, "t_ref") * steps(1.0, dt) for nodes in populations] if "t_ref" in values else [np.zeros(0)]
    )
    return Group(
        name,
        model,
        equations,
        populations,
        shared,
        tuple(key for key in values if key not in shared),
        any(nodes.name in stepped for nodes in populations),
        bool((np.abs(counts - np.rint(counts)) > TOLERANCE).any()),
    )


def _parameters(nodes: Nodes, equations: Equations) -> Iterator[str]:
    """Yield the parameters that stand in the equations, and initial values."""
    assert isinstance(nodes.neuron, Neuron)
    return (name for name in scalars(nodes.neuron) if name not in equations.settings)
