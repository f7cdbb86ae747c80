"""Component types of LEMS, made with the model classes of PyLEMS; nothing is simulated with it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from mc_interchange.errors import MissingDependencyError, NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.network.expressions import NONE, UNIT_NAMES, Dimension, unit_text

__all__ = ["Units", "action", "lems_api", "lems_expression", "new_model", "write_model"]

#: Files of NeuroML's core that define what the types extend.
_INCLUDES = ("Cells.xml", "Synapses.xml")
#: Name of the dimension in NeuroML's core, of what has a unit of our own there.
_CORE: Mapping[Dimension, str] = {
    UNIT_NAMES[unit]: name
    for unit, name in {
        "ms": "time",
        "mV": "voltage",
        "pA": "current",
        "pF": "capacitance",
        "nS": "conductance",
        "um": "length",
    }.items()
}
#: Exponents of mass, length, time and current in each of our base units (ms, mV, pA, um), and its power of ten.
_BASE = (((0, 0, 1, 0), -3), ((1, 2, -3, -1), -3), ((0, 0, 0, 1), -12), ((0, 1, 0, 0), -6))

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "^",
    ast.Lt: ".lt.",
    ast.Gt: ".gt.",
    ast.GtE: ".geq.",
    ast.Eq: ".eq.",
    ast.NotEq: ".neq.",
    ast.And: ".and.",
    ast.Or: ".or.",
}
#: Whole powers up to here are products: LEMS need not know what becomes of units then.
_MOST_FACTORS = 4


def lems_api() -> Any:
    """Return the module with the model classes.

    Raises
    ------
    MissingDependencyError
    """
    try:
        import lems.api
    except ImportError:
        raise MissingDependencyError("PyLEMS", "neuroml") from None
    return lems.api


def new_model(lems: Any) -> Any:
    """Return an empty model that includes what the types extend."""
    model = lems.Model(include_includes=False)
    for name in _INCLUDES:
        model.add(lems.Include(name))
    return model


def write_model(model: Any, path: Path) -> None:
    """Write a model."""
    path.write_text(model.export_to_dom().toprettyxml(indent=" "), encoding="utf-8", newline="\n")


def action(handler: Any, *actions: Any) -> Any:
    """Return an event handler that does all this, in order."""
    for item in actions:
        handler.add(item)
    return handler


class Units:
    """Names of dimensions and units; those that the core does not have are added to a model.

    Parameters
    ----------
    lems, model
        The module, and the model.
    """

    def __init__(self, lems: Any, model: Any) -> None:
        self._lems, self._model = lems, model
        self._added: set[str] = set()

    def dimension(self, dimension: Dimension) -> str:
        """Return the name of a dimension."""
        if dimension == NONE:
            return "none"
        if dimension in _CORE:
            return _CORE[dimension]
        name = f"dimension_{self._name(dimension)}"
        if name not in self._added:
            self._added.add(name)
            m, l, t, i = (self._exponent(dimension, part) for part in range(4))  # noqa: E741  # as LEMS calls them
            self._model.add(self._lems.Dimension(name, "", m=m, l=l, t=t, i=i))
        return name

    def text(self, value: float, dimension: Dimension, power: int = 0) -> str:
        """Return a value (in our unit, times a power of ten) with its unit."""
        number = fmt.decimal(value, power)
        if dimension == NONE:
            return number
        return number + (unit_text(dimension) if dimension in _CORE else self._unit(dimension))

    def _unit(self, dimension: Dimension) -> str:
        symbol = f"unit_{self._name(dimension)}"
        if symbol not in self._added:
            self._added.add(symbol)
            power = sum(exponent * base[1] for exponent, base in zip(dimension, _BASE, strict=True))
            self._model.add(self._lems.Unit(symbol, symbol, self.dimension(dimension), int(power)))
        return symbol

    @staticmethod
    def _name(dimension: Dimension) -> str:
        parts = zip(("ms", "mV", "pA", "um"), dimension, strict=True)
        if any(exponent.denominator != 1 for exponent in dimension):
            raise NotRepresentableError(f"LEMS has whole powers of units only, not {unit_text(dimension)}")
        return "_".join(f"{name}{'_per' if e < 0 else ''}_{abs(e)}" for name, e in parts if e)

    @staticmethod
    def _exponent(dimension: Dimension, part: int) -> int:
        total = sum((exponent * base[0][part] for exponent, base in zip(dimension, _BASE, strict=True)), Fraction(0))
        return int(total)


def lems_expression(tree: ast.AST, names: Mapping[str, str]) -> str:
    """Return an expression or condition of ours in the words of LEMS.

    Parameters
    ----------
    names
        Names in LEMS by ours, where they differ.
    """
    match tree:
        case ast.Constant(value=value):
            return fmt.decimal(float(value))  # type: ignore[arg-type]  # checked when it was parsed
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.UnaryOp(op=op, operand=operand):
            inner = lems_expression(operand, names)
            return f"(-1 * {inner})" if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))) if 0 < power <= _MOST_FACTORS:
            return f"({' * '.join([lems_expression(left, names)] * power)})"
        case ast.Compare(left=left, ops=[ast.LtE()], comparators=[right]):  # which PyLEMS has not
            return lems_expression(ast.Compare(right, [ast.GtE()], [left]), names)
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return f"({lems_expression(left, names)} {_OPERATORS[type(op)]} {lems_expression(right, names)})"
        case ast.BoolOp(op=op, values=parts):
            return "(" + f" {_OPERATORS[type(op)]} ".join(lems_expression(part, names) for part in parts) + ")"
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return f"{name}({lems_expression(argument, names)})"
    raise TypeError(f"not an expression: {ast.dump(tree)}")
