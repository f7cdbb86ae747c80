"""Populations with the same equations as one group of Brian2, and what cannot be written as such."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.instance import NetworkInstance, Nodes
from mc_interchange.network import CATALOGUE, Neuron, StepCurrent
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .equations import EQUATIONS, LEVELS, UNITS, Equations

__all__ = ["Group", "groups_of"]

#: Brian2's closed form divides by the difference of the rates of decay, for alpha functions by its square. So close may
#: they be, as a difference of rates times the resolution, that a postsynaptic potential keeps eight digits.
CLOSEST = {"iaf_psc_exp": 1e-7, "iaf_psc_alpha": 1e-4, "glif_psc": 1e-4}


@dataclass(frozen=True)
class Group:
    """Populations with one neuron model.

    Parameters
    ----------
    name
        What Brian2 calls it.
    model
        Our name of the model.
    equal
        Time constants of synapses that are equal to that of the membrane: the closed form is another one then.
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
    equal: tuple[str, ...]
    populations: tuple[Nodes, ...]
    shared: dict[str, float]
    own: tuple[str, ...]
    stepped: bool
    off_grid: bool

    @property
    def equations(self) -> Equations:
        """Those of its model."""
        return EQUATIONS[self.model]

    def declarations(self) -> list[str]:
        """Return the equations, line by line, with the parameters that are not the same for all."""
        constant = ["I_e"] if any(p.name == "I_e" for p in CATALOGUE[self.model].parameters) else []
        current = " + ".join([*constant, *(["I_step"] if self.stepped else [])]) or "0*pA"
        lines = self._named(
            self.equations.dynamics.format(I=f"({current})" if "+" in current else current)
        ).splitlines()
        parameters = [name for name in self.own if name not in self.equations.initial]
        lines += [f"{name} : {UNITS[CATALOGUE[self.model][name].unit][1]} (constant)" for name in parameters]
        return lines + (["I_step : amp"] if self.stepped else [])

    @property
    def receives(self) -> dict[str, str]:
        """What a spike does, by the sign of its weight."""
        return {sign: self._named(statement) for sign, statement in self.equations.receives.items()}

    def _named(self, text: str) -> str:
        for name in self.equal:
            text = text.replace(name, "tau_m")
        return text


def groups_of(instance: NetworkInstance) -> list[Group]:
    """Return all neurons by model.

    Raises
    ------
    NotRepresentableError
        Brian2 has no equal of a population.
    """
    found: dict[tuple[str, tuple[str, ...]], list[Nodes]] = {}
    for nodes in instance.populations.values():
        if not nodes.virtual:
            model = _model(nodes)
            found.setdefault((model, _equal(nodes, model, instance.simulation.dt)), []).append(nodes)
    stepped = {item.target for item in instance.inputs if isinstance(item, StepCurrent)}
    return [
        _group("_".join((model, *equal)), model, equal, tuple(nodes), stepped, instance.simulation.dt)
        for (model, equal), nodes in found.items()
    ]


def _model(nodes: Nodes) -> str:
    neuron = nodes.neuron
    if not isinstance(neuron, Neuron) or neuron.model not in EQUATIONS:
        what = "its neurons have several models" if nodes.mixed else f"the model {_name(nodes)} is not among them"
        raise NotRepresentableError(
            f"population {nodes.name}: Brian2 needs equations, which are there for populations of one of "
            f"{', '.join(EQUATIONS)}; {what}"
        )
    if len(neuron.parameters.get("tau_syn", (0.0,))) != 1 or "tau_syn" in nodes.varying:
        raise NotRepresentableError(
            f"population {nodes.name}: glif_psc has equations for Brian2 with one receptor, whose tau_syn is the "
            "same in all neurons; give tau_syn one value"
        )
    switches = (("refractory_input", False), ("consistent_integration", True), *((name, False) for name in LEVELS))
    for name, needed in switches:
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
    return neuron.model


def _name(nodes: Nodes) -> str:
    model = nodes.models[0]
    return model.model if isinstance(model, Neuron) else model.name


def _equal(nodes: Nodes, model: str, dt: float) -> tuple[str, ...]:
    """Return the time constants of synapses that are equal to that of the membrane."""
    if model not in CLOSEST:
        return ()
    found = []
    leak = "C_m / g" if model == "glif_psc" else "tau_m"
    tau_m = _values(nodes, "C_m") / _values(nodes, "g") if model == "glif_psc" else _values(nodes, "tau_m")
    names = ("tau_syn",) if model == "glif_psc" else ("tau_syn_ex", "tau_syn_in")
    for name in names:
        distance = np.abs(dt / _values(nodes, name) - dt / tau_m)
        if not distance.any() and model != "glif_psc":
            found.append(name)
        elif distance.min() < CLOSEST[model]:
            raise NotRepresentableError(
                f"population {nodes.name}: {name} and {leak} nearly agree, or agree in some neurons only, and Brian2's "
                "exact integration divides by their difference; "
                + ("" if model == "glif_psc" else "make them equal in all neurons, or ")
                + "let them differ more"
            )
    return tuple(found)


def _values(nodes: Nodes, name: str) -> NDArray[np.float64]:
    """Return a parameter of each neuron, or its common value, shape (size,) or (1,)."""
    if name in nodes.varying:
        return nodes.varying[name]
    assert isinstance(nodes.neuron, Neuron)
    return np.ravel(np.array(nodes.neuron[name]))


def _group(
    name: str, model: str, equal: tuple[str, ...], populations: tuple[Nodes, ...], stepped: set[str], dt: float
) -> Group:
    # where time constants are equal, only that of the membrane stands in the equations
    needed = [parameter for parameter in _parameters(model) if parameter not in equal]
    values: dict[str, set[float | None]] = {
        key: {None if key in nodes.varying else float(_values(nodes, key)[0]) for nodes in populations}
        for key in needed
    }
    shared = {
        key: value
        for key, found in values.items()
        if key not in EQUATIONS[model].initial and len(found) == 1 and (value := next(iter(found))) is not None
    }
    counts = np.concatenate(
        [_values(nodes, "t_ref") * steps(1.0, dt) for nodes in populations] if "t_ref" in values else [np.zeros(0)]
    )
    return Group(
        name,
        model,
        equal,
        populations,
        shared,
        tuple(key for key in values if key not in shared),
        any(nodes.name in stepped for nodes in populations),
        bool((np.abs(counts - np.rint(counts)) > TOLERANCE).any()),
    )


def _parameters(model: str) -> Iterator[str]:
    """Yield the parameters that stand in the equations, and initial values."""
    settings = EQUATIONS[model].settings
    return (p.name for p in CATALOGUE[model].parameters if p.name not in settings)
