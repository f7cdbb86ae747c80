"""Rows of a table that are alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["alike", "occurrence"]


def alike(*columns: NDArray[Any]) -> Iterator[NDArray[np.int64]]:
    """Yield the rows that agree in all columns, by their values in the first column, then the second, ...

    Parameters
    ----------
    columns : ndarray, shape (n,)
        At least one.

    Yields
    ------
    ndarray, shape (number of these rows,), int64
        Ascending.
    """
    order, new = _sorted(columns)
    if len(order):
        yield from np.split(order, np.flatnonzero(new)[1:])


def occurrence(*columns: NDArray[Any]) -> NDArray[np.int64]:
    """Say of each row how many rows before it agree with it in all columns, shape (n,)."""
    order, new = _sorted(columns)
    places = np.arange(len(order))
    found = np.empty_like(places)
    found[order] = places - np.maximum.accumulate(np.where(new, places, 0))
    return found


def _sorted(columns: tuple[NDArray[Any], ...]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the order of the rows, and where in it each group begins."""
    order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[order][1:] != column[order][:-1]
    return order, new
