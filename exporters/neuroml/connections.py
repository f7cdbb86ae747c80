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

from .plan import PlannedPopulation

__all__ = ["ConnectionFormatter", "weight_texts"]

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
        float32: nine significant digits, which a float64 in nA times 1000 rounds back to the same float32;
        float64: the shortest decimal of the pA with its decimal point moved (:func:`decimal`).
    """
    if not len(weight):
        return []
    if weight.min() == weight.max():
        return [fmt.decimal(_shortest(weight[0]), -3)] * len(weight)
    if weight.dtype == np.float32:
        # one long template is twice as fast as one format per number
        values = (weight.astype(np.float64) / 1000).tolist()
        return ("%.9g " * len(values) % tuple(values)).split()
    distinct, inverse = np.unique(weight, return_inverse=True)
    texts = np.array([fmt.decimal(value, -3) for value in distinct.tolist()], dtype=object)
    chosen: list[str] = texts[inverse.reshape(-1)].tolist()
    return chosen


def _shortest(value: Any) -> float:
    # str of a float32 has the digits of a float32: 0.1, not 0.10000000149
    return float(str(value))


class ConnectionFormatter:
    """Makes the lines of one projection.

    Parameters
    ----------
    source, target
        The populations.
    dt
        Resolution in ms.
    """

    def __init__(self, source: PlannedPopulation, target: PlannedPopulation, dt: float) -> None:
        self._dt = dt
        self._source = _table('" preCellId="../', source, '" postCellId="../')
        self._target = _table("", target, '" weight="')
        self._delay: dict[int, str] = _Delays(dt)

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


class _Delays(dict[int, str]):
    """Text behind the weight, by delay in steps."""

    def __init__(self, dt: float) -> None:
        self._dt = dt

    def __missing__(self, steps: int) -> str:
        self[steps] = f'" delay="{fmt.milliseconds(steps, self._dt)}ms"/>\n{_OPEN}'
        return self[steps]


def _table(before: str, population: PlannedPopulation, after: str) -> NDArray[Any]:
    return np.array([f"{before}{population.path(i)}{after}" for i in range(population.nodes.size)], dtype=object)
