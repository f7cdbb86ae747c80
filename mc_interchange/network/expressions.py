"""The grammar of equations: parsed, checked and evaluated without running any code.

An expression is made of decimal numbers, names, ``+ - * / **`` and parentheses, and the functions of
:data:`FUNCTIONS`. A condition compares expressions (``< <= > >= == !=``), and joins comparisons by ``and`` and ``or``.
Names of units (:data:`UNIT_NAMES`) stand for one of it: ``-50 * mV``. That is a part of Python's own grammar, whose
parser is used; what else Python has is refused by name.

Units are products of powers of ms, mV, pA and um. Ours are coherent (pF = pA ms / mV, nS = pA / mV), so that values in
them are calculated without factors.
"""

from __future__ import annotations

import ast
import copy
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = [
    "FUNCTIONS",
    "NONE",
    "UNIT_NAMES",
    "Dimension",
    "dimension_of",
    "evaluate",
    "names_in",
    "parse_condition",
    "parse_expression",
    "replaced",
    "unit_dimension",
    "unit_text",
]

#: Exponents of ms, mV, pA and um.
Dimension = tuple[Fraction, Fraction, Fraction, Fraction]

NONE: Dimension = (Fraction(0),) * 4
_BASE = ("ms", "mV", "pA", "um")


def _dimension(ms: int = 0, mV: int = 0, pA: int = 0, um: int = 0) -> Dimension:
    return Fraction(ms), Fraction(mV), Fraction(pA), Fraction(um)


#: Names that stand for one of a unit.
UNIT_NAMES: Mapping[str, Dimension] = {
    "ms": _dimension(ms=1),
    "mV": _dimension(mV=1),
    "pA": _dimension(pA=1),
    "pF": _dimension(pA=1, ms=1, mV=-1),
    "nS": _dimension(pA=1, mV=-1),
    "um": _dimension(um=1),
}

#: Functions of one argument.
FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "abs": np.abs,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}

_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
#: Longer texts, and deeper ones, are refused: the largest channel models need a tenth.
MAX_LENGTH, MAX_DEPTH = 10_000, 100

_UNIT_FACTOR = re.compile(r"([*/])\s*([A-Za-z]+|1)\s*(?:\*\*\s*(-?\d+))?\s*")


def parse_expression(text: str) -> ast.expr:
    """Return the tree of an expression that is a number.

    Raises
    ------
    ValueError
        In one phrase, what does not belong to the grammar.
    """
    tree = _parsed(text)
    _check(tree, 0)
    return tree


def parse_condition(text: str) -> ast.expr:
    """Return the tree of a condition (see :func:`parse_expression`)."""
    tree = _parsed(text)
    _check_condition(tree, 0)
    return tree


def _parsed(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must have at most {MAX_LENGTH} characters, it has {len(text)}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"is not an expression: {_shown(text)}") from None


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _refused(tree: ast.AST, why: str) -> ValueError:
    return ValueError(f"{why}: {_shown(ast.unparse(tree))}")


def _check(tree: ast.expr, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"must not be nested more than {MAX_DEPTH} levels deep")
    match tree:
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            if not abs(value) < 1e300:
                raise _refused(tree, "a number must be finite")
        case ast.Name():
            pass
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
            _check(left, depth + 1)
            _check(right, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            _check(argument, depth + 1)
        case ast.Call(func=ast.Name(id=name)):
            known = ", ".join(FUNCTIONS)
            raise _refused(tree, f"the function {name} is not among those of one argument that are known ({known})")
        case _:
            raise _refused(tree, "only numbers, names, + - * / ** and functions may stand here, got")


def _check_condition(tree: ast.expr, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"must not be nested more than {MAX_DEPTH} levels deep")
    match tree:
        case ast.BoolOp(values=values):
            for value in values:
                _check_condition(value, depth + 1)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, _COMPARISONS):
            _check(left, depth + 1)
            _check(right, depth + 1)
        case _:
            raise _refused(tree, "a condition must be comparisons of two values, joined by 'and' and 'or', got")


def names_in(tree: ast.AST) -> set[str]:
    """Return the names of quantities in an expression or condition (not those of functions)."""
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}


def evaluate(tree: ast.AST, values: Mapping[str, Any]) -> Any:
    """Return the value of an expression or condition, in our units.

    Parameters
    ----------
    tree
        As parsed.
    values
        Number or array by name; units are known.

    Raises
    ------
    KeyError
        A name has no value.
    """
    match tree:
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]  # checked when it was parsed
        case ast.Name(id=name):
            return values[name] if name in values or name not in UNIT_NAMES else 1.0
        case ast.UnaryOp(op=op, operand=operand):
            value = evaluate(operand, values)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _OPERATORS[type(op)](evaluate(left, values), evaluate(right, values))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](evaluate(argument, values))
        case ast.BoolOp(op=op, values=parts):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce([evaluate(part, values) for part in parts])
    raise ValueError(f"cannot be evaluated: {_shown(ast.unparse(tree))}")


def replaced(tree: ast.expr, by: Mapping[str, ast.expr]) -> ast.expr:
    """Return an expression or condition in which other expressions stand for some names; the given one stays."""

    class Replacing(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:  # the name is ast's
            return by.get(node.id, node)

    changed: ast.expr = Replacing().visit(copy.deepcopy(tree))
    return changed


def dimension_of(tree: ast.AST, known: Mapping[str, Dimension]) -> Dimension:
    """Return the dimension of an expression (of a condition: none).

    Raises
    ------
    ValueError
        Units do not go together, or a name is not known.
    """
    match tree:
        case ast.Constant():
            return NONE
        case ast.Name(id=name):
            if name not in known and name not in UNIT_NAMES:
                raise ValueError(f"the name {name} is not known")
            return known[name] if name in known else UNIT_NAMES[name]
        case ast.UnaryOp(operand=operand):
            return dimension_of(operand, known)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(tree, dimension_of(left, known), right, known)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            sign = 1 if isinstance(op, ast.Mult) else -1
            return _combined(dimension_of(left, known), dimension_of(right, known), sign)
        case ast.BinOp(left=left, right=right) | ast.Compare(left=left, comparators=[right]):
            first, second = dimension_of(left, known), dimension_of(right, known)
            if first != second:
                raise _refused(tree, f"units differ ({unit_text(first)} and {unit_text(second)})")
            return NONE if isinstance(tree, ast.Compare) else first
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            inner = dimension_of(argument, known)
            if name == "abs":
                return inner
            if name == "sqrt":
                return _scaled(inner, Fraction(1, 2))
            if inner != NONE:
                raise _refused(tree, f"{name} takes a pure number, not {unit_text(inner)}")
            return NONE
        case ast.BoolOp(values=parts):
            for part in parts:
                dimension_of(part, known)
            return NONE
    raise ValueError(f"has no unit: {_shown(ast.unparse(tree))}")


def _power(tree: ast.AST, base: Dimension, exponent: ast.expr, known: Mapping[str, Dimension]) -> Dimension:
    if dimension_of(exponent, known) != NONE:
        raise _refused(tree, "an exponent must be a pure number")
    if base == NONE:
        return NONE
    if names_in(exponent):
        raise _refused(tree, f"the exponent of something in {unit_text(base)} must be a number")
    return _scaled(base, Fraction(evaluate(exponent, {})).limit_denominator(12))


def _combined(first: Dimension, second: Dimension, sign: int) -> Dimension:
    a, b, c, d = (x + sign * y for x, y in zip(first, second, strict=True))
    return a, b, c, d


def _scaled(dimension: Dimension, factor: Fraction) -> Dimension:
    a, b, c, d = (x * factor for x in dimension)
    return a, b, c, d


def unit_dimension(text: str) -> Dimension:
    """Return the dimension of a unit such as ``mV``, ``1/ms`` or ``pA/mV**2``; ``1`` is none.

    Raises
    ------
    ValueError
    """
    rest, total = "*" + text.strip(), NONE
    while rest:
        match = _UNIT_FACTOR.match(rest)
        if match is None or (match[2] not in UNIT_NAMES and match[2] != "1"):
            raise ValueError(f"must be a product of {', '.join(UNIT_NAMES)} and 1, such as mV/ms, got {_shown(text)}")
        factor = UNIT_NAMES.get(match[2], NONE)
        total = _combined(total, _scaled(factor, Fraction(match[3] or 1)), 1 if match[1] == "*" else -1)
        rest = rest[match.end() :]
    return total


def unit_text(dimension: Dimension) -> str:
    """Return the unit of a dimension: one of ours where there is one, else a product of powers."""
    for name, known in UNIT_NAMES.items():
        if known == dimension:
            return name
    above = "*".join(_powers(dimension, 1))
    return "/".join([above or "1", *_powers(dimension, -1)])


def _powers(dimension: Dimension, sign: int) -> Iterator[str]:
    for name, exponent in zip(_BASE, dimension, strict=True):
        if exponent * sign > 0:
            yield name if exponent * sign == 1 else f"{name}**{exponent * sign}"
