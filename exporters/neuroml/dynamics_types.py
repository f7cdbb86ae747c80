"""Equations as component types of LEMS: the cell, and what acts on it.

A synapse cannot change a variable of the cell in LEMS. So each synapse sums up the weights that have arrived, and the
cell adds what is new in the sum of all of them; that is exact, whatever the step. What differs between neurons is
handed out in the same way, by parts that expose a value for ever.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.network import StepCurrent
from mc_interchange.network.expressions import (
    UNIT_NAMES,
    Dimension,
    names_in,
    parse_condition,
    parse_expression,
    replaced,
)

from .dynamics import EquationInput, EquationTypes, PlannedEquations
from .lems_types import Units, action, lems_api, lems_expression, new_model, write_model

__all__ = ["write_dynamics"]

_CURRENT = UNIT_NAMES["pA"]
#: Weights in network files are a thousandth of ours, whatever the unit.
_WEIGHT_POWER = 3
#: State variable that is 1 while a neuron integrates and 0 while it is refractory.
_ACTIVE = "active"


def write_dynamics(path: Path, planned: Mapping[str, PlannedEquations], inputs: Mapping[str, EquationInput]) -> None:
    """Write the types that are needed, and all components of them.

    Parameters
    ----------
    path
        The file.
    planned
        By population.
    inputs
        By identifier of the component.
    """
    lems = lems_api()
    model = new_model(lems)
    writer = _Writer(lems, model)
    used = {item.type for item in inputs.values()}
    done: set[str] = set()
    for population in planned.values():
        types = population.types
        if types.cell not in done:
            done.add(types.cell)
            writer.types(types, used)
            for receptor, component in population.synapses.items():
                model.add(lems.Component(component, types.synapses[receptor]))
        writer.cell_component(population)
        for own in population.own:
            model.add(lems.Component(own.component, types.own[own.quantity]))
    for component, item in inputs.items():
        writer.input_component(component, item)
    write_model(model, path)


class _Writer:
    """Adds types and components to a model."""

    def __init__(self, lems: Any, model: Any) -> None:
        self._lems, self._model = lems, model
        self._units = Units(lems, model)

    def types(self, types: EquationTypes, used: set[str]) -> None:
        """Add the types of one set of equations."""
        self._model.add(self._base(types))
        self._model.add(_Cell(self._lems, self._units, types).build())
        for receptor in types.dynamics.receptors:
            self._model.add(self._synapse(types, receptor))
            if types.poisson[receptor] in used:
                self._model.add(self._poisson(types, receptor))
        for quantity in types.own:
            self._model.add(self._own(types, quantity))
        if types.current in used:
            self._model.add(self._current(types))

    def cell_component(self, population: PlannedEquations) -> None:
        """Add the cell of a population: parameters, and state variables at the start, that all neurons share."""
        types, dynamics = population.types, population.types.dynamics
        own = {item.quantity for item in population.own}
        values = {}
        for name in (*dynamics.constants, *dynamics.derivatives):
            if name not in own:
                key = types.extra["start", name] if name in dynamics.derivatives else types.names[name]
                values[key] = self._units.text(dynamics[name], dynamics.dimensions[name])
        self._model.add(self._lems.Component(population.component, types.cell, **values))

    def input_component(self, identifier: str, item: EquationInput) -> None:
        """Add an input."""
        source = item.input
        if isinstance(source, StepCurrent):
            values = {"amplitude": f"{fmt.decimal(source.amplitude)}pA", "stop": _sum(source.stop, source.delay)}
        else:
            stop = fmt.NO_END if source.stop is None else _sum(source.stop, source.delay)
            values = {"rate": f"{fmt.decimal(source.rate / item.n_sources)}Hz", "stop": stop}
        start = _sum(source.start, source.delay)
        self._model.add(self._lems.Component(identifier, item.type, start=start, **values))

    def _base(self, types: EquationTypes) -> Any:
        lems, dynamics = self._lems, types.dynamics
        base = lems.ComponentType(types.base, f"What acts on {types.cell}", "baseSynapse")
        for (purpose, name), exposure in types.extra.items():
            if purpose == "arrived":
                meaning = f"sum of the weights that have arrived for {name}"
            elif purpose == "own":
                meaning = f"{name} of this neuron"
            else:
                continue
            base.add(lems.Exposure(exposure, self._units.dimension(dynamics.dimensions[name]), meaning))
        return base

    def _part(self, types: EquationTypes, identifier: str, meaning: str, own: str) -> Any:
        """Return a type that exposes nothing but zeros so far, save for what is its own."""
        lems, dynamics = self._lems, types.dynamics
        part = lems.ComponentType(identifier, meaning, types.base)
        others = {
            exposure: self._units.dimension(dynamics.dimensions[name])
            for (purpose, name), exposure in types.extra.items()
            if purpose in ("arrived", "own")
        }
        for exposure, dimension in {**others, "i": "current"}.items():
            if exposure != own:  # state variables that nothing changes cost nothing
                part.dynamics.add(lems.StateVariable(exposure, dimension, exposure))
        return part

    def _weighted(self, types: EquationTypes, part: Any, quantity: str) -> str:
        """Give a type a weight, and return the expression of it with its unit."""
        dimension = types.dynamics.dimensions[quantity]
        part.add(self._lems.Property("weight", "none", "1", "in thousands of the unit"))
        value = self._units.text(1.0, dimension, _WEIGHT_POWER)
        part.add(self._lems.Constant("UNIT", value, self._units.dimension(dimension)))
        return "weight * UNIT"

    def _synapse(self, types: EquationTypes, receptor: str) -> Any:
        lems = self._lems
        total = types.extra["arrived", receptor]
        part = self._part(types, types.synapses[receptor], f"Synapse whose spikes raise {receptor}", total)
        weight = self._weighted(types, part, receptor)
        dimension = self._units.dimension(types.dynamics.dimensions[receptor])
        part.dynamics.add(lems.StateVariable(total, dimension, total))
        part.dynamics.add(action(lems.OnEvent("in"), lems.StateAssignment(total, f"{total} + {weight}")))
        return part

    def _poisson(self, types: EquationTypes, receptor: str) -> Any:
        """Return the type of Poisson inputs, which fire once per step at most; a spike that is due waits a step."""
        lems = self._lems
        total = types.extra["arrived", receptor]
        part = self._part(types, types.poisson[receptor], f"Poisson input whose spikes raise {receptor}", total)
        weight = self._weighted(types, part, receptor)
        part.add(lems.Parameter("rate", "per_time", "mean rate"))
        part.add(lems.Parameter("start", "time", "first time"))
        part.add(lems.Parameter("stop", "time", "last time"))
        dynamics = part.dynamics
        dynamics.add(lems.StateVariable(total, self._units.dimension(types.dynamics.dimensions[receptor]), total))
        dynamics.add(lems.StateVariable("t_next", "time"))
        interval = "log(1 - random(1)) / rate"
        dynamics.add(action(lems.OnStart(), lems.StateAssignment("t_next", f"start - {interval}")))
        fires = lems.OnCondition("t .geq. t_next .and. t .lt. stop")
        further = lems.StateAssignment("t_next", f"t_next - {interval}")
        dynamics.add(action(fires, lems.StateAssignment(total, f"{total} + {weight}"), further))
        return part

    def _own(self, types: EquationTypes, quantity: str) -> Any:
        lems = self._lems
        exposure = types.extra["own", quantity]
        part = self._part(types, types.own[quantity], f"The {quantity} of one neuron", exposure)
        weight = self._weighted(types, part, quantity)
        dimension = self._units.dimension(types.dynamics.dimensions[quantity])
        part.dynamics.add(lems.DerivedVariable(exposure, dimension=dimension, exposure=exposure, value=weight))
        return part

    def _current(self, types: EquationTypes) -> Any:
        lems = self._lems
        part = self._part(types, types.current, "Current between two times", "i")
        part.add(lems.Parameter("amplitude", "current", "current"))
        part.add(lems.Parameter("start", "time", "first time"))
        part.add(lems.Parameter("stop", "time", "last time"))
        dynamics = part.dynamics
        dynamics.add(lems.StateVariable("i", "current", "i"))
        begins = lems.OnCondition("t .geq. start .and. t .lt. stop")
        dynamics.add(action(begins, lems.StateAssignment("i", "amplitude")))
        dynamics.add(action(lems.OnCondition("t .geq. stop"), lems.StateAssignment("i", "0 * amplitude")))
        return part


def _sum(first: float, second: float) -> str:
    return f"{fmt.decimal(round(first + second, 9))}ms"


class _Cell:
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
            yield self._sum(self._name(equations.current), self._units.dimension(_CURRENT), "i")
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
