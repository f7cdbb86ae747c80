"""A NeuronGroup: its equations become Dynamics, its variables a node table."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.instance import Nodes
from mc_interchange.network import Assignment, Dynamics
from mc_interchange.network.dynamics import TIME
from mc_interchange.network.expressions import FUNCTIONS, NONE, UNIT_NAMES, Dimension, names_in, replaced

from .code import Statement, condition, expression, functions_in, statements
from .quantities import Names, dimension_from, in_our_unit, number_in_our_unit, unit_of

__all__ = ["neuron_nodes"]

#: Names that a membrane potential is likely to have, the likeliest first.
_POTENTIALS = ("v", "V", "vm", "Vm", "v_m", "V_m", "u")
#: Variables of Brian2 that describe the simulation, not the model.
_INTERNAL = {
    "dt": "the step",
    "lastspike": "the last spike",
    "not_refractory": "refractoriness",
    "t_in_timesteps": "steps",
}


def neuron_nodes(group: Any, namespace: Mapping[str, Any], receptors: Sequence[str], potential: str | None) -> Nodes:
    """Describe a NeuronGroup.

    Parameters
    ----------
    group
        The group.
    namespace
        Names that ``run`` would find.
    receptors
        Variables that synapses and inputs raise, in order.
    potential
        Variable that is the membrane potential; None: the likeliest.

    Raises
    ------
    FormatError
        It holds something that has no equal; what, and what to do.
    """
    return _Reader(group, namespace, receptors).nodes(potential)


class _Reader:
    def __init__(self, group: Any, namespace: Mapping[str, Any], receptors: Sequence[str]) -> None:
        self._group, self._receptors = group, receptors
        self._what = f"NeuronGroup {group.name}"
        self._names = Names(group, namespace)
        self._equations = group.user_equations
        self._check()
        by_type: dict[str, list[str]] = {}
        for name, item in self._equations.items():
            by_type.setdefault(item.type, []).append(name)
        self._reset = list(statements(group.event_codes.get("spike") or "", f"{self._what}: reset"))
        # what a spike changes is a state variable, whether it has a derivative or not
        changed = {*receptors, *(item.target for item in self._reset)}
        parameters = by_type.get("parameter", [])
        self._states = [*by_type.get("differential equation", []), *(name for name in parameters if name in changed)]
        self._parameters = [name for name in parameters if name not in changed]
        self._derived = by_type.get("subexpression", [])
        for name in changed - {*self._states}:
            raise FormatError(f"{self._what}: a spike changes {name}, which is no variable that can be changed")
        #: Our name by Brian2's, where it has a meaning here.
        own = [*self._states, *self._parameters, *self._derived]
        self._renamed = {name: f"{name}_" for name in own if name in {*FUNCTIONS, *UNIT_NAMES, TIME}}
        self._constants: dict[str, tuple[float, Dimension]] = {}
        self._uses_index = False

    def _check(self) -> None:
        group, what = self._group, self._what
        if self._equations.is_stochastic:
            raise FormatError(
                f"{what}: its equations hold noise (xi), and equations are deterministic here: use PoissonInput, or "
                "spikes that are drawn beforehand (SpikeGeneratorGroup)"
            )
        if others := sorted({*group.events} - {"spike"}):
            raise FormatError(f"{what}: custom events ({', '.join(others)}) have no equal: there are spikes only")
        for name, item in self._equations.items():
            if "linked" in item.flags:
                raise FormatError(f"{what}: {name} is linked to another group: state its equation, or copy its values")
            if item.var_type == "boolean":
                raise FormatError(f"{what}: {name} is a truth value: use a number, 0 or 1")

    def nodes(self, potential: str | None) -> Nodes:
        group = self._group
        derivatives = {self._own(n): self._derivative(n) for n in self._states}
        derived = {self._own(n): self._text(self._equations[n].expr.code, f"{n} =") for n in self._derived}
        threshold = self._threshold()
        refractory = self._refractory()
        reset = tuple(
            Assignment(variable=self._own(s.target), value=self._text(_whole(s), "reset")) for s in self._reset
        )
        potential = self._potential(potential, threshold)
        held = [self._own(n) for n in self._states if "unless refractory" in self._equations[n].flags]
        dimensions = {self._own(n): self._dimension(n) for n in (*self._states, *self._parameters, *self._derived)}
        common, varying = self._values()
        for name, (value, dimension) in self._constants.items():
            common[name] = number_in_our_unit(value, dimension)
            dimensions[name] = dimension
        if self._uses_index:
            common["i"], varying["i"], dimensions["i"] = 0.0, np.arange(group.N, dtype=np.float64), NONE
        V_m = None
        if potential is not None:
            value = common.pop(potential)
            V_m = varying.pop(potential, np.full(group.N, value))
        try:
            dynamics = Dynamics(
                name=group.name,
                units={name: unit_of(dimension) for name, dimension in dimensions.items()},
                derivatives=derivatives,
                derived=derived,
                parameters=common,
                threshold=threshold,
                reset=reset,
                refractory=refractory,
                held=tuple(held) if refractory is not None else (),
                receptors=tuple(self._own(n) for n in self._receptors),
                potential=potential,
            )
            return Nodes(group.name, int(group.N), neuron=dynamics, V_m=V_m, varying=varying)
        except ModelError as error:
            raise FormatError(f"{self._what}: {str(error).removeprefix('Dynamics: ')}") from None

    def _own(self, name: str) -> str:
        return self._renamed.get(name, name)

    def _dimension(self, name: str) -> Dimension:
        return dimension_from(self._equations[name].dim, f"{self._what}: {name}")

    def _derivative(self, name: str) -> str:
        item = self._equations[name]
        return self._text(item.expr.code, f"d{name}/dt =") if item.type == "differential equation" else "0"

    def _text(self, text: str, where: str) -> str:
        what = f"{self._what}: {where}"
        return self._translated(expression(text, what), what)

    def _threshold(self) -> str | None:
        text = self._group.events.get("spike")
        if text is None:
            return None
        return self._translated(condition(text, f"{self._what}: threshold"), f"{self._what}: threshold")

    def _translated(self, tree: ast.expr, what: str) -> str:
        """Return a text with our names, and remember the constants in it."""
        for function in functions_in(tree):
            self._names.check_function(function, what)
        renamed = dict(self._renamed)
        known = {*self._states, *self._parameters, *self._derived, TIME}
        for name in names_in(tree) - known:
            if name in _INTERNAL:
                raise FormatError(f"{what}: {name} ({_INTERNAL[name]}) has no equal in continuous time")
            if name == "i":
                self._uses_index = True
            elif name == "N":
                self._constants["N"] = (float(self._group.N), NONE)
            elif not self._names.means_unit(name, what):
                renamed[name] = f"{name}_" if name in {*UNIT_NAMES, *FUNCTIONS} else name
                self._constants[renamed[name]] = self._names.constant(name, what)
        return ast.unparse(replaced(tree, {name: ast.Name(ours) for name, ours in renamed.items()}))

    def _refractory(self) -> str | None:
        given = self._group._refractory
        if given is False or self._group.events.get("spike") is None:
            return None
        if not isinstance(given, str):
            time = number_in_our_unit(float(given), UNIT_NAMES["ms"])
            return f"{time!r} * ms" if time > 0 else None
        what = f"{self._what}: refractory"
        try:
            tree = expression(given, what)
        except FormatError:
            raise FormatError(
                f"{what}: {given!r:.60} is no time; refractoriness that lasts while a condition holds has no equal: "
                "give a time, or a parameter that is one"
            ) from None
        if changing := sorted(names_in(tree) & {*self._states, *self._derived}):
            raise FormatError(f"{what}: must be made of parameters, {', '.join(changing)} changes")
        return self._translated(tree, what)

    def _potential(self, wanted: str | None, threshold: str | None) -> str | None:
        volts = [self._own(n) for n in self._states if self._dimension(n) == UNIT_NAMES["mV"]]
        if wanted is not None:
            if wanted not in volts:
                raise FormatError(f"{self._what}: potential: {wanted} is no state variable in volts")
            return wanted
        for name in _POTENTIALS:
            if name in volts:
                return name
        compared = set() if threshold is None else names_in(condition(threshold, self._what))
        return next((name for name in volts if name in compared), None)

    def _values(self) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
        """Return values at the start: common ones, and those that differ between neurons."""
        common: dict[str, float] = {}
        varying: dict[str, NDArray[np.float64]] = {}
        for name in (*self._parameters, *self._states):
            variable = self._group.variables[name]
            values = in_our_unit(np.atleast_1d(variable.get_value()), self._dimension(name))
            if not np.isfinite(values).all():
                raise FormatError(f"{self._what}: {name} is not a finite number everywhere")
            common[self._own(name)] = float(values[0])
            if np.any(values != values[0]):
                common[self._own(name)] = 0.0
                varying[self._own(name)] = values
        return common, varying


def _whole(statement: Statement) -> str:
    """Return the expression of the new value."""
    if not statement.operator:
        return statement.value
    return f"{statement.target} {statement.operator} ({statement.value})"
