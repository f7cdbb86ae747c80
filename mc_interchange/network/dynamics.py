"""Neuron models that are given by their equations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, model_validator

from .base import Name, Part, Real, refusal
from .expressions import (
    FUNCTIONS,
    NONE,
    UNIT_NAMES,
    Dimension,
    dimension_of,
    names_in,
    parse_condition,
    parse_expression,
    replaced,
    unit_dimension,
    unit_text,
)

__all__ = ["TIME", "Assignment", "Dynamics"]

#: Name of the time since the start in equations, in ms.
TIME = "t"
Text = Annotated[str, Field(strict=True, min_length=1)]


class Assignment(Part):
    """A statement that gives a state variable a new value.

    Parameters
    ----------
    variable
        The state variable.
    value
        Expression of its value.
    """

    variable: Name
    value: Text


class Dynamics(Part):
    """A point neuron given by equations (their grammar is that of :mod:`mc_interchange.network.expressions`).

    It fires when the threshold condition becomes true while it is not refractory; then the reset statements are
    carried out in order. A spike that arrives at a receptor raises its state variable by the weight of the synapse,
    whose unit is that of the variable. Everything is stated in continuous time; how a simulator steps, in which order
    it does things that fall into one step, and whether a refractory time counts the step of the spike, is its own.

    Parameters
    ----------
    name
        What it is called.
    units
        Unit of each state variable, derived variable and parameter: a product of powers of ms, mV, pA, pF, nS and um,
        such as ``mV/ms``; ``1`` for a pure number. Values and weights are in these units.
    derivatives
        Expression of the derivative by time of each state variable (``0`` for what only spikes change).
    derived
        Expressions that have a name: outputs, or parts of other expressions.
    parameters
        Value by name of all parameters, and of state variables at t = 0 (0 where not given). In a
        :class:`~mc_interchange.instance.Nodes`, ``varying`` holds those that differ between neurons, and ``V_m`` the
        potential at t = 0.
    threshold
        Condition of a spike; without it, neurons never fire.
    reset
        What a spike changes in the neuron itself.
    refractory
        Expression of the absolute refractory time, of parameters; None: there is none.
    held
        State variables that rest while the neuron is refractory: they neither follow their derivative nor take spikes.
    receptors
        State variables that synapses raise; a synapse's ``receptor`` is the index here.
    current
        Name by which the equations call the sum of the currents (pA) of current inputs.
    potential
        State variable that is the membrane potential (mV), which recordings of V_m mean.

    Raises
    ------
    mc_interchange.errors.ModelError
        A name is not known or used twice, or units do not go together; with the field.
    """

    name: Name
    units: dict[Name, Text]
    derivatives: Annotated[dict[Name, Text], Field(min_length=1)]
    derived: dict[Name, Text] = {}
    parameters: dict[Name, Real] = {}
    threshold: Text | None = None
    reset: tuple[Assignment, ...] = ()
    refractory: Text | None = None
    held: tuple[Name, ...] = ()
    receptors: tuple[Name, ...] = ()
    current: Name | None = None
    potential: Name | None = None
    meaning: str = ""
    source: str = ""

    def __getitem__(self, name: str) -> float:
        """Return a parameter, or the value of a state variable at t = 0."""
        return self.parameters.get(name, 0.0) if name in self.derivatives else self.parameters[name]

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.name

    @property
    def definition(self) -> dict[str, Any]:
        """The equations without the values of parameters, as plain values."""
        left_out = {"name", "parameters", "meaning", "source"}
        return {"dynamics": self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)}

    @property
    def constants(self) -> tuple[str, ...]:
        """The names of parameters, without those of state variables."""
        return tuple(name for name in self.parameters if name not in self.derivatives)

    @cached_property
    def dimensions(self) -> dict[str, Dimension]:
        """The dimension of everything that has a name."""
        known = {name: unit_dimension(unit) for name, unit in self.units.items()}
        known[TIME] = UNIT_NAMES["ms"]
        if self.current is not None:
            known[self.current] = UNIT_NAMES["pA"]
        return known

    def in_order(self) -> list[str]:
        """Return the derived variables so that each comes behind those that it needs."""
        needs = {name: names_in(parse_expression(text)) & self.derived.keys() for name, text in self.derived.items()}
        ordered: list[str] = []
        while len(ordered) < len(needs):
            ready = [name for name, others in needs.items() if name not in ordered and others <= {*ordered}]
            if not ready:
                raise refusal("derived", f"must not need each other: {', '.join(needs.keys() - {*ordered})}")
            ordered += ready
        return ordered

    @model_validator(mode="after")
    def _names(self) -> Dynamics:
        sets = {"derivatives": self.derivatives, "derived": self.derived, "parameters": self.constants}
        owner: dict[str, str] = {}
        for where, names in sets.items():
            for name in names:
                if name in UNIT_NAMES or name in FUNCTIONS or name in (TIME, self.current):
                    raise refusal(f"{where}.{name}", "this name has a meaning already")
                if name in owner:
                    raise refusal(f"{where}.{name}", f"the name is used by {owner[name]}, too")
                if name not in self.units:
                    raise refusal(f"units.{name}", "this key is missing")
                owner[name] = where
        for name in self.units:
            if name not in owner:
                raise refusal(f"units.{name}", "there is no variable or parameter of this name")
            _explained(f"units.{name}", unit_dimension, self.units[name])
        for where, chosen in (("held", self.held), ("receptors", self.receptors)):
            for index, name in enumerate(chosen):
                if name not in self.derivatives:
                    raise refusal(f"{where}[{index}]", _no_variable(name, self.derivatives))
                if name in chosen[:index]:
                    raise refusal(f"{where}[{index}]", f"must be given once, got '{name}' twice")
        if self.held and self.refractory is None:
            raise refusal("held", "variables rest while a neuron is refractory, and 'refractory' is not given")
        if self.current is not None and self.current in {*UNIT_NAMES, *FUNCTIONS, TIME}:
            raise refusal("current", "this name has a meaning already")
        if self.potential is not None:
            if self.potential not in self.derivatives:
                raise refusal("potential", _no_variable(self.potential, self.derivatives))
            if self.dimensions[self.potential] != UNIT_NAMES["mV"]:
                raise refusal("potential", f"must be in mV, got {self.units[self.potential]}")
        return self

    @model_validator(mode="after")
    def _expressions(self) -> Dynamics:
        known = self.dimensions
        per_time = UNIT_NAMES["ms"]
        for name, text in self.derivatives.items():
            wanted = tuple(a - b for a, b in zip(known[name], per_time, strict=True))
            self._check_unit(f"derivatives.{name}", text, wanted)
        for name, text in self.derived.items():
            self._check_unit(f"derived.{name}", text, known[name])
        self.in_order()
        for index, statement in enumerate(self.reset):
            if statement.variable not in self.derivatives:
                raise refusal(f"reset[{index}].variable", _no_variable(statement.variable, self.derivatives))
            self._check_unit(f"reset[{index}].value", statement.value, known[statement.variable])
        if self.threshold is not None:
            _explained("threshold", dimension_of, _explained("threshold", parse_condition, self.threshold), known)
        if self.refractory is not None:
            tree = self._check_unit("refractory", self.refractory, UNIT_NAMES["ms"])
            if others := names_in(tree) - {*self.constants, *UNIT_NAMES}:
                raise refusal("refractory", f"must be made of parameters, not of {', '.join(sorted(others))}")
        return self

    def _check_unit(self, where: str, text: str, wanted: tuple[Any, ...]) -> ast.expr:
        tree: ast.expr = _explained(where, parse_expression, text)
        found = _explained(where, dimension_of, tree, self.dimensions)
        # nothing is nothing in every unit
        if found != wanted and not (found == NONE and isinstance(tree, ast.Constant) and tree.value == 0):
            a, b, c, d = wanted
            raise refusal(where, f"must be in {unit_text((a, b, c, d))}, is in {unit_text(found)}: {text:.60}")
        return tree

    def with_time(self, text: str) -> Dynamics:
        """Return the same equations with another expression for the time in them."""
        by = {TIME: parse_expression(text)}

        def changed(tree: ast.expr) -> str:
            return ast.unparse(replaced(tree, by))

        return self.model_copy(
            update={
                "derivatives": {name: changed(parse_expression(t)) for name, t in self.derivatives.items()},
                "derived": {name: changed(parse_expression(t)) for name, t in self.derived.items()},
                "reset": tuple(
                    Assignment(variable=s.variable, value=changed(parse_expression(s.value))) for s in self.reset
                ),
                "threshold": self.threshold and changed(parse_condition(self.threshold)),
            }
        )

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the place and the text of every expression and condition."""
        yield from ((f"derivatives.{name}", text) for name, text in self.derivatives.items())
        yield from ((f"derived.{name}", text) for name, text in self.derived.items())
        yield from ((f"reset[{index}].value", item.value) for index, item in enumerate(self.reset))
        yield from (("threshold", text) for text in (self.threshold,) if text is not None)
        yield from (("refractory", text) for text in (self.refractory,) if text is not None)


def _explained(where: str, function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ValueError as error:
        raise refusal(where, str(error)) from None


def _no_variable(name: str, names: Any) -> str:
    return f"must be a state variable ({', '.join(names)}), got '{name}'"
