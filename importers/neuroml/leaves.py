"""Elements that come in millions: their attributes as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from mc_interchange.errors import FormatError

__all__ = ["TOGETHER", "Leaves", "Table"]

#: Leaves that are handed on together: few enough to stay in the cache of the processor, a quarter faster than 4096.
TOGETHER = 2**9


class Table:
    """Some leaves of the same name, with the same attributes.

    Parameters
    ----------
    file
        Where they stand, for messages.
    element
        Their name.
    columns
        Values by attribute.
    lines
        Line of each.
    """

    def __init__(self, file: str, element: str, columns: Mapping[str, list[str]], lines: Sequence[int]) -> None:
        self.file, self.element, self.columns, self.lines = file, element, columns, lines

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self, name: str) -> list[str]:
        """Return a column."""
        if name not in self.columns:
            raise self.error(0, f"has no attribute '{name}'")
        return self.columns[name]

    def convert(self, name: str, function: Callable[[list[str]], Any]) -> Any:
        """Return what a function makes of a column; a ValueError that it raises gets file and line."""
        texts = self.texts(name)
        try:
            return function(texts)
        except ValueError as whole:
            for index, text in enumerate(texts):
                try:
                    function([text])
                except ValueError as error:
                    raise self.error(index, f"{name} {error}") from None
            raise self.error(0, f"{name} {whole}") from None

    def known(self, names: frozenset[str], constants: Mapping[str, frozenset[str]]) -> None:
        """Refuse attributes other than ``names`` and ``constants``, and values other than the latter allow.

        Raises
        ------
        FormatError
        """
        for name, texts in self.columns.items():
            if name in constants:
                for text in set(texts) - constants[name]:
                    raise self.error(
                        texts.index(text), f"{name} {text!r:.60} is not supported, only {_listed(constants[name])}"
                    )
            elif name not in names:
                raise self.error(0, f"has the attribute '{name:.60}', which is not supported")

    def error(self, index: int, message: str) -> FormatError:
        """Return an error about one of the leaves."""
        return FormatError(f"{self.file}:{self.lines[index]}: {self.element} {message}")


class Leaves:
    """Leaves of one name that wait.

    Parameters
    ----------
    file, element
        As in :class:`Table`.
    take
        Called with many at once.
    """

    def __init__(self, file: str, element: str, take: Callable[[Table], None]) -> None:
        self._file, self._element, self._take = file, element, take
        #: Names and values of attributes, by turns.
        self.rows: list[list[str]] = []
        self.lines: list[int] = []

    def hand_on(self) -> None:
        """Hand on those that wait."""
        rows, lines = self.rows, self.lines
        self.rows, self.lines = [], []
        if not rows:
            return
        columns = _columns(rows)
        if columns is not None:
            self._take(Table(self._file, self._element, columns, lines))
            return
        start = 0
        for _, group in groupby(rows, key=lambda row: row[::2]):
            part = list(group)
            columns = dict(zip(part[0][::2], map(list, zip(*(row[1::2] for row in part), strict=True)), strict=True))
            self._take(Table(self._file, self._element, columns, lines[start : start + len(part)]))
            start += len(part)


def _columns(rows: list[list[str]]) -> dict[str, list[str]] | None:
    """Return values by attribute, if all rows have the same ones in the same order."""
    names = rows[0][::2]
    width = 2 * len(names)
    flat = list(chain.from_iterable(rows))
    # no attribute occurs twice in an element, so nothing else has so many of them, and each name at its place
    if len(flat) != width * len(rows) or any(
        flat[2 * place :: width].count(name) != len(rows) for place, name in enumerate(names)
    ):
        return None
    return {name: flat[2 * place + 1 :: width] for place, name in enumerate(names)}


def _listed(values: frozenset[str]) -> str:
    return " or ".join(repr(value) for value in sorted(values))
