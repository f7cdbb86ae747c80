"""Synapses as ``connectionWD`` elements, formatted in blocks.

Building one string per synapse dominates the time of an export. All parts that repeat (the path of a
source, that of a target, a delay) are therefore made once per population, and a block is one join over
references to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import EdgeBlock

from .digits import exact_texts
from .writer import Cells

__all__ = ["SLICE", "ConnectionFormatter", "DelayTexts", "path_texts", "weight_texts"]

#: Synapses that are text at one time: a quarter of a megabyte, which stays in the cache (twice as fast as 4 MB).
SLICE = 2**11


def weight_texts(weight: NDArray[Any]) -> list[str]:
    """Return weights in nA as texts.

    Parameters
    ----------
    weight : ndarray, shape (n_edges,), float32 or float64, pA

    Returns
    -------
    list of str
        Decimals of the pA with the point moved: nothing is rounded, so that 1000 times the number, correctly rounded,
        is the weight again.
    """
    if not len(weight):
        return []
    if weight.min() == weight.max():
        return [fmt.decimal(weight[0], -3)] * len(weight)
    if weight.dtype == np.float32 and (drawn := exact_texts(weight)):
        return drawn
    distinct, inverse = np.unique(weight, return_inverse=True)
    texts = np.array([fmt.decimal(value, -3) for value in distinct.tolist()], dtype=object)
    chosen: list[str] = texts[inverse.reshape(-1)].tolist()
    return chosen


class ConnectionFormatter:
    """Makes the lines of one projection.

    Parameters
    ----------
    sources, targets : ndarray, shape (size,), str
        The text up to the next part, for each cell (:func:`path_texts`).
    delays
        The text from the delay on, by steps.
    """

    def __init__(self, sources: NDArray[Any], targets: NDArray[Any], delays: DelayTexts) -> None:
        self._source, self._target, self._delay = sources, targets, delays

    def lines(self, block: EdgeBlock, first: int) -> Iterator[bytes]:
        """Yield the text of a block in slices; identifiers count from ``first``."""
        for offset in range(0, len(block), SLICE):
            part = block[offset : offset + SLICE]
            pieces = [""] * (5 * len(part))
            pieces[0::5] = map(str, range(first + offset, first + offset + len(part)))
            pieces[1::5] = self._source[part.source].tolist()
            pieces[2::5] = self._target[part.target].tolist()
            pieces[3::5] = weight_texts(part.weight)
            pieces[4::5] = map(self._delay.__getitem__, part.delay.tolist())
            # the end of a line opens the next one: give the first its beginning, and take it off the last
            pieces[0] = _OPEN + pieces[0]
            pieces[-1] = pieces[-1].removesuffix(_OPEN)
            yield "".join(pieces).encode("ascii")


_OPEN = '   <connectionWD id="'


class DelayTexts(dict[int, str]):
    """Text behind the weight, by delay in steps.

    Parameters
    ----------
    dt
        Resolution in ms.
    shift
        Steps that are added to every delay.
    """

    def __init__(self, dt: float, shift: float) -> None:
        self._dt, self._shift = dt, shift

    def __missing__(self, steps: int) -> str:
        self[steps] = f'" delay="{fmt.milliseconds(steps + self._shift, self._dt)}ms"/>\n{_OPEN}'
        return self[steps]


def path_texts(before: str, cells: Cells, after: str) -> NDArray[Any]:
    """Return the path of each cell between two texts, shape (size,), str."""
    return np.array([f"{before}{cells.path(i)}{after}" for i in range(cells.size)], dtype=object)
