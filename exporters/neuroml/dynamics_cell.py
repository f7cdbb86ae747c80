"""The component type of a cell that is given by equations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mc_interchange.errors import NotRepresentableError
from mc_interchange.network.expressions import (
    UNIT_NAMES,
    Dimension,
    names_in,
    parse_condition,
    parse_expression,
    replaced,
)

from .dynamics import EquationTypes
from .lems_types import Units, action, lems_expression

__all__ = ["EquationCell"]

#: State variable that is 1 while a neuron integrates and 0 while it is refractory.
_ACTIVE = "active"


class EquationCell:
    """Builds the type of the cell.

    jLEMS goes through a step in this order: what arrives acts on the old state, the state is advanced, and the
    conditions of a regime see the new one. So derivatives and the threshold are in a regime, the only one, and what
    arrives and the end of the refractory time are outside. In a regime, conditions and what happens at them find
    parameters, and state variables that the regime changes, but no derived variables: these are written out, and own
    values are copied into state variables at the start.
    """

    def __init__(self, lems: Any, units: Units, types: EquationTypes) -> None:
        self._lems, self._units, self._types, self._dynamics = lems, units, types, types.dynamics

    def build(self) -> Any:
        """Return the type."""
        lems, equations = self._lems, self._dynamics
        extends = "baseSpikingCell" if equations.potential is None else "baseCellMembPot"
        cell = lems.ComponentType(self._types.cell, equations.meaning or f"Equations of {equations.name}", extends)
        for item in self._quantities():
            cell.add(item)
        cell.add(lems.Attachments("synapses", self._types.base))
        dynamics = cell.dynamics
        for variable in self._variables():
            dynamics.add(variable)
        own = [name for name in self._types.own if name not in equations.derivatives]
        starts = [lems.StateAssignment(self._name(x), self._start(x)) for x in (*own, *equations.derivatives)]
        copies = [lems.StateAssignment(self._types.extra["old", x], self._name(x)) for x in self._copied]
        starts += copies
        if self._rests:
            starts.append(lems.StateAssignment(_ACTIVE, "1"))
        dynamics.add(action(lems.OnStart(), *starts))
        for name in equations.receptors:
            dynamics.add(self._arrival(name))
        if self._rests:
            assert equations.refractory is not None
            end = f"active .lt. 0.5 .and. t .gt. t_spike + {self._expression(equations.refractory)}"
            dynamics.add(action(lems.OnCondition(end), lems.StateAssignment(_ACTIVE, "1")))
        if copies:  # in every step
            dynamics.add(action(lems.OnCondition("t .geq. 0 * t"), *copies))
        regime = lems.Regime("integrating", dynamics, True)
        for name in equations.derivatives:
            regime.add(self._derivative(name))
        # cells that never fire need a port for spikes, too: jLEMS asks for it where an input is placed
        never = action(lems.OnCondition("t .lt. t"), lems.EventOut("spike"))
        regime.add(never if equations.threshold is None else self._spike(equations.threshold))
        dynamics.add(regime)
        return cell

    @cached_property
    def _copied(self) -> list[str]:
        """The state variables of which derivatives further down need the old value.

        jLEMS advances the variables of a regime one after the other, each with the new values of those before it.
        """
        found: dict[str, None] = {}
        before: set[str] = set()
        for name, text in self._dynamics.derivatives.items():
            needed = names_in(self._without_derived(parse_expression(text))) & before
            found.update(dict.fromkeys(other for other in self._dynamics.derivatives if other in needed))
            before.add(name)
        return list(found)

    @property
    def _rests(self) -> bool:
        """Whether there is a refractory time."""
        return self._dynamics.refractory is not None and self._dynamics.threshold is not None

    def _name(self, ours: str) -> str:
        return self._types.names[ours]

    def _dimension(self, ours: str) -> str:
        return self._units.dimension(self._dynamics.dimensions[ours])

    def _expression(self, text: str) -> str:
        return lems_expression(parse_expression(text), self._types.names)

    def _start(self, name: str) -> str:
        return self._types.extra["own" if name in self._types.own else "start", name]

    def _quantities(self) -> Iterator[Any]:
        """Yield parameters, constants and exposures."""
        lems, equations, types = self._lems, self._dynamics, self._types
        for name in equations.constants:
            if name not in types.own:
                yield lems.Parameter(self._name(name), self._dimension(name))
        for name in equations.derivatives:
            if name not in types.own:
                yield lems.Parameter(types.extra["start", name], self._dimension(name), f"{name} at t = 0")
        used = {name for tree in self._trees() for name in names_in(tree)}
        for unit in UNIT_NAMES:
            if unit in used:
                dimension: Dimension = UNIT_NAMES[unit]
                yield lems.Constant(unit, f"1{unit}", self._units.dimension(dimension))
        for name in (*equations.derivatives, *equations.derived):
            if name != equations.potential:
                yield lems.Exposure(self._name(name), self._dimension(name))

    def _trees(self) -> Iterator[Any]:
        for place, text in self._dynamics.texts():
            yield parse_condition(text) if place == "threshold" else parse_expression(text)

    def _variables(self) -> Iterator[Any]:
        """Yield state variables and derived variables."""
        lems, equations, types = self._lems, self._dynamics, self._types
        for name in equations.derivatives:
            yield lems.StateVariable(self._name(name), self._dimension(name), self._name(name))
        for name in types.own:
            if name not in equations.derivatives:
                yield lems.StateVariable(self._name(name), self._dimension(name))
        for name in self._copied:
            yield lems.StateVariable(types.extra["old", name], self._dimension(name))
        for name in equations.receptors:
            yield lems.StateVariable(types.extra["seen", name], self._dimension(name))
        if self._rests:
            yield lems.StateVariable("t_spike", "time")
            yield lems.StateVariable(_ACTIVE, "none")
        for purpose, name in types.extra:
            if purpose in ("arrived", "own"):
                exposure = types.extra[purpose, name]
                yield self._sum(exposure, self._dimension(name), exposure)
        if equations.current is not None:
            yield self._sum(self._name(equations.current), self._units.dimension(UNIT_NAMES["pA"]), "i")
        for name in equations.in_order():
            value = self._expression(equations.derived[name])
            variable = self._name(name)
            yield lems.DerivedVariable(variable, dimension=self._dimension(name), exposure=variable, value=value)

    def _sum(self, name: str, dimension: str, exposure: str) -> Any:
        select = f"synapses[*]/{exposure}"
        return self._lems.DerivedVariable(name, dimension=dimension, select=select, reduce="add")

    def _derivative(self, name: str) -> Any:
        order = list(self._dynamics.derivatives)
        old = {x: self._types.extra["old", x] for x in self._copied if order.index(x) < order.index(name)}
        tree = self._without_derived(parse_expression(self._dynamics.derivatives[name]))
        value = lems_expression(tree, {**self._types.names, **old})
        if self._rests and name in self._dynamics.held:
            value = f"{_ACTIVE} * {value}"
        return self._lems.TimeDerivative(self._name(name), value)

    def _arrival(self, name: str) -> Any:
        """Return what adds the weights that are new; a variable that rests passes them by."""
        lems, variable = self._lems, self._name(name)
        arrived, seen = self._types.extra["arrived", name], self._types.extra["seen", name]
        factor = f"{_ACTIVE} * " if self._rests and name in self._dynamics.held else ""
        taken = lems.StateAssignment(variable, f"{variable} + {factor}({arrived} - {seen})")
        return action(lems.OnCondition(f"{arrived} .neq. {seen}"), taken, lems.StateAssignment(seen, arrived))

    def _spike(self, threshold: str) -> Any:
        """Return what happens at the threshold."""
        lems, equations = self._lems, self._dynamics
        test = self._at_spikes(parse_condition(threshold), "threshold")
        if self._rests:
            test += " .and. active .gt. 0.5"
        actions = [
            lems.StateAssignment(self._name(s.variable), self._at_spikes(parse_expression(s.value), "reset"))
            for s in equations.reset
        ]
        actions.append(lems.EventOut("spike"))
        if self._rests:
            actions += [lems.StateAssignment("t_spike", "t"), lems.StateAssignment(_ACTIVE, "0")]
        # what is assigned in a regime is known in it
        own = [self._name(name) for name in self._types.own if name not in equations.derivatives]
        actions += [lems.StateAssignment(name, name) for name in own]
        return action(lems.OnCondition(test), *actions)

    def _without_derived(self, tree: ast.expr) -> ast.expr:
        """Write out derived variables, which jLEMS calculates before what arrives has acted."""
        derived = self._dynamics.derived
        while needed := names_in(tree) & derived.keys():
            tree = replaced(tree, {name: parse_expression(derived[name]) for name in needed})
        return tree

    def _at_spikes(self, tree: ast.expr, where: str) -> str:
        """Return an expression of what happens at spikes."""
        tree = self._without_derived(tree)
        if self._dynamics.current in names_in(tree):
            raise NotRepresentableError(
                f"{self._dynamics.label}: {where}: jLEMS knows no input current here; only derivatives can depend on it"
            )
        return lems_expression(tree, self._types.names)
