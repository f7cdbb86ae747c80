"""Columns of texts into numbers: weights, delays, times and paths of cells, as NeuroML writes them."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance.sampling import round_delays

from .document import NeuroMLWarning

__all__ = ["CellPaths", "Delays", "number", "split_path", "thousandfold", "times"]

#: ms; longer delays are taken for damage (the number of steps shall fit 32 bits at any resolution).
_MAX_DELAY = 1e6
#: Steps by which a delay may miss the grid without a word: more than float32 does below 1 s.
_TOLERANCE = 1e-3
#: Texts whose numbers are kept, at most.
_KEPT = 2**20
#: Different names of components in paths of one population that are kept.
_COMPONENTS = 4

_PATH = re.compile(r"(?:\.\./)*([^/\[\]]+)(?:\[([0-9]{1,10})\]|/([0-9]{1,10})(?:/([^/\[\]]+))?)")


def thousandfold(texts: list[str]) -> NDArray[np.float64]:
    """Return 1000 times each number, correctly rounded: nA become pA, and uS nS.

    Raises
    ------
    ValueError
        One is not a finite number.
    """
    joined = "".join(texts)
    try:
        if "_" in joined or not joined.isascii():  # which Python takes for numbers, and XML does not
            raise ValueError
        if "e" in joined or "E" in joined:
            values = np.array([fmt.picoamperes(text) for text in texts])
        else:
            values = np.array([float(text + "e3") for text in map(str.strip, texts)])
        if not np.isfinite(values).all():
            raise ValueError
    except (ValueError, ArithmeticError):
        raise ValueError(f"must be a finite number, got {texts[0]!r:.60}") from None
    return values


def number(text: str) -> float:
    """Return a number.

    Raises
    ------
    ValueError
        It is not a finite one.
    """
    try:
        value = float(text)
        if "_" in text or not text.isascii() or not math.isfinite(value):
            raise ValueError
    except ValueError:
        raise ValueError(f"must be a finite number, got {text!r:.60}") from None
    return value


def times(texts: list[str]) -> NDArray[np.float64]:
    """Return times in ms.

    Raises
    ------
    ValueError
        One is not a time with its unit.
    """
    joined = "".join(texts)
    if "_" not in joined and joined.isascii() and joined.count("s") == joined.count("ms") == len(texts):
        values = np.array([float(text.strip().removesuffix("ms")) for text in texts])
        if np.isfinite(values).all():
            return values
    return np.array([fmt.time_in_ms(text) for text in texts])


class Delays(dict[str, int]):
    """Delays in steps, by text; whatever is not on the grid is told once.

    Parameters
    ----------
    dt
        Resolution in ms.
    where
        File, for messages.
    properties
        Of the network, as they come; they stand before its connections.
    """

    def __init__(self, dt: float, where: str, properties: Mapping[str, str] = MappingProxyType({})) -> None:
        self._dt, self._where, self._properties = dt, where, properties
        self._told: set[str] = set()

    def __missing__(self, text: str) -> int:
        if len(self) >= _KEPT:
            self.clear()
        self[text] = steps = int(self.steps(times([text]))[0])
        return steps

    def of(self, texts: list[str]) -> NDArray[np.int32]:
        """Return delays in steps, shape (n,).

        Raises
        ------
        ValueError
        """
        return np.array(list(map(self.__getitem__, texts)), np.int32)

    def steps(self, delays: NDArray[np.float64]) -> NDArray[np.int32]:
        """Round delays in ms to steps, halves up; what is less than a step becomes one.

        Raises
        ------
        ValueError
            One is negative, not finite, or far too long.
        """
        if not ((delays >= 0) & (delays <= _MAX_DELAY)).all():
            bad = delays[~((delays >= 0) & (delays <= _MAX_DELAY))][0]
            raise ValueError(f"must be from 0 to {_MAX_DELAY:g} ms, got {bad:g} ms")
        rounded = round_delays(delays, self._dt)
        missed = np.flatnonzero(np.abs(delays / self._dt - rounded) > _TOLERANCE)
        if len(missed):
            self._tell("are not multiples of dt and are rounded", delays[missed[0]])
        short = np.flatnonzero(rounded < 1)
        if len(short):
            self._tell("are below half of dt and become dt", delays[short[0]])
            rounded[short] = 1
        return rounded

    def _tell(self, what: str, delay: float) -> None:
        # delays that are matched to a simulator are beside the grid for a reason
        if what not in self._told and fmt.MATCHED_TO not in self._properties:
            self._told.add(what)
            message = f"{self._where}: some delays, such as {delay:.9g} ms, {what} (dt = {self._dt:g} ms)"
            warnings.warn(message, NeuroMLWarning, stacklevel=3)


class CellPaths(dict[str, int]):
    """Indices of the cells of one population, by path.

    Parameters
    ----------
    population
        Identifier.
    """

    def __init__(self, population: str) -> None:
        self.population = population
        #: Number of cells, when it is known.
        self.size: int | None = None
        #: Largest index so far.
        self.highest = -1
        #: The first few names of components in paths.
        self.components: set[str] = set()

    def __missing__(self, path: str) -> int:
        population, index, component = split_path(path)
        if population != self.population:
            raise ValueError(f"must be a cell of {self.population!r}, got {path!r:.80}")
        if self.size is not None and index >= self.size:
            raise ValueError(f"is {path!r:.80}, but {self.population!r} has {self.size} cells")
        if component is not None and len(self.components) < _COMPONENTS:
            self.components.add(component)
        self.highest = max(self.highest, index)
        if len(self) >= _KEPT:
            self.clear()
        self[path] = index
        return index

    def of(self, paths: list[str]) -> NDArray[np.uint32]:
        """Return indices, shape (n,).

        Raises
        ------
        ValueError
        """
        return np.array(list(map(self.__getitem__, paths)), np.uint32)


def split_path(path: str) -> tuple[str, int, str | None]:
    """Return population, index and, if it is named, component of a path such as ``../E/3/cell`` or ``E[3]``.

    Raises
    ------
    ValueError
    """
    match = _PATH.fullmatch(path)
    if match is None or int(match[2] or match[3]) >= 2**32:
        raise ValueError(f"must be the path of a cell, such as ../E/3/cell or E[3], got {path!r:.80}")
    return match[1], int(match[2] or match[3]), match[4]
