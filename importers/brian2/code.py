"""Brian2's expressions and statements in our grammar."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from mc_interchange.errors import FormatError
from mc_interchange.network.expressions import parse_condition, parse_expression

__all__ = ["Statement", "condition", "expression", "functions_in", "statements"]

_SIGNS: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
#: Functions that draw numbers.
_RANDOM = ("rand", "randn", "poisson", "binomial")


class Statement(NamedTuple):
    """One statement of a block of code.

    Parameters
    ----------
    target
        Name that gets a value.
    operator
        Empty for ``=``, ``+`` for ``+=`` and so on.
    value
        The expression behind it.
    """

    target: str
    operator: str
    value: str


def statements(code: str, what: str) -> Iterator[Statement]:
    """Yield the statements of a block of code.

    Parameters
    ----------
    what
        Where it stands, for messages.

    Raises
    ------
    FormatError
        One is not an assignment to a name.
    """
    try:
        body = ast.parse("\n".join(line.strip() for line in code.splitlines())).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise FormatError(f"{what}: not statements: {' '.join(code.split())!r:.80}") from None
    for item in body:
        match item:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                yield Statement(target, "", ast.unparse(value))
            case ast.AugAssign(target=ast.Name(id=target), op=op, value=value) if type(op) in _SIGNS:
                yield Statement(target, _SIGNS[type(op)], ast.unparse(value))
            case _:
                raise FormatError(f"{what}: only assignments to variables can be read, not {ast.unparse(item)!r:.80}")


def expression(text: str, what: str) -> ast.expr:
    """Return the tree of an expression.

    Raises
    ------
    FormatError
        It is none of our grammar.
    """
    try:
        return parse_expression(" ".join(text.split()))
    except ValueError as error:
        raise FormatError(f"{what}: {_advised(text, str(error))}") from None


def condition(text: str, what: str) -> ast.expr:
    """Return the tree of a condition (see :func:`expression`)."""
    try:
        return parse_condition(" ".join(text.split()))
    except ValueError as error:
        raise FormatError(f"{what}: {_advised(text, str(error))}") from None


def _advised(text: str, message: str) -> str:
    try:
        called = functions_in(ast.parse(" ".join(text.split()), mode="eval"))
    except (SyntaxError, ValueError):
        return message
    if called & {*_RANDOM}:
        return f"{message}; equations are deterministic here: draw the numbers once, into a parameter"
    return message


def functions_in(tree: ast.AST) -> set[str]:
    """Return the names of all functions that are called."""
    return {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
