"""Equations as component types of LEMS: what acts on a cell, and all components.

A synapse cannot change a variable of the cell in LEMS. So each synapse sums up the weights that have arrived, and the
cell adds what is new in the sum of all of them; that is exact, whatever the step. What differs between neurons is
handed out in the same way, by parts that expose a value for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mc_interchange.formats import neuroml as fmt
from mc_interchange.network import StepCurrent

from .dynamics import EquationInput, EquationTypes, PlannedEquations
from .dynamics_cell import EquationCell
from .lems_types import Units, action, lems_api, new_model, write_model

__all__ = ["write_dynamics"]

#: Weights in network files are a thousandth of ours, whatever the unit.
_WEIGHT_POWER = 3


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
        self._model.add(EquationCell(self._lems, self._units, types).build())
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
