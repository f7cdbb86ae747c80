"""From the parameters of neurons to populations: which neurons belong together, and their node tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import MixedNeurons, Nodes
from mc_interchange.network import AnyNeuron

from .grouping import alike
from .parameters import ParameterTable

__all__ = ["neuron_nodes", "split"]

#: More parts than this of neurons that were created in a row are taken for one population.
_MAX_PARTS = 64


def split(table: ParameterTable) -> list[slice]:
    """Divide neurons in a row where a parameter changes.

    A parameter that changes at every other neuron or more often differs between neurons, not between
    populations; nor do neighbours that each stand alone make populations of one.
    """
    n = table.size
    columns = [*(c for name, c in table.numbers.items() if name != "V_m"), *table.codes.values()]
    changes = [column[1:] != column[:-1] for column in columns]
    common = [change for change in changes if 2 * np.count_nonzero(change) < n]
    borders = np.flatnonzero(np.any(common, axis=0)) + 1 if common else np.zeros(0, np.int64)
    sizes = np.diff(np.concatenate([[0], borders, [n]]))
    borders = borders[(sizes[1:] > 1) | (sizes[:-1] > 1)]
    if len(borders) >= _MAX_PARTS:
        borders = borders[:0]
    return [slice(a, b) for a, b in pairwise([0, *borders.tolist(), n])]


def neuron_nodes(
    name: str, tables: Sequence[tuple[NDArray[np.int64], ParameterTable]], positions: NDArray[np.float64] | None = None
) -> Nodes:
    """Return the node table of a population.

    Parameters
    ----------
    name
        Its name.
    tables
        For each model, the indices of the neurons that have it, shape (n,), and their parameters.
    positions : ndarray, shape (size, 3)
        Where all neurons lie, if known.

    Raises
    ------
    FormatError
        A parameter has a value that cannot be captured.
    """
    size = sum(len(rows) for rows, _ in tables)
    neurons: list[AnyNeuron] = []
    which = np.zeros(size, np.uint32)
    arrays: dict[str, NDArray[np.float64]] = {}
    for rows, table in tables:
        for members in _agreeing(table):
            try:
                neuron, own = _describe(table.part(members).that_count())
            except ModelError as error:
                raise FormatError(f"population {name}: {error}") from None
            which[rows[members]] = len(neurons)
            neurons.append(neuron)
            for key, values in own.items():
                arrays.setdefault(key, np.full(size, np.nan))[rows[members]] = values
    V_m = arrays.pop("V_m", None)
    neuron_or_mixed = neurons[0] if len(neurons) == 1 else MixedNeurons(tuple(neurons), which)
    return Nodes(name, size, neuron=neuron_or_mixed, V_m=V_m, varying=arrays, positions=positions)


def _agreeing(table: ParameterTable) -> Iterator[NDArray[np.int64]]:
    """Yield the rows that agree in all parameters that are not numbers."""
    differing = [codes for codes in table.codes.values() if np.any(codes != codes[0])]
    yield from alike(*(differing or [np.zeros(table.size, np.int64)]))


def _describe(table: ParameterTable) -> tuple[AnyNeuron, Mapping[str, NDArray[np.float64]]]:
    """Return the model with the parameters of the first neuron, and what differs between them, and V_m."""
    # infinite is a default that switches something off, and JSON has no word for it
    given = {k: v for k, v in table.first().items() if not (isinstance(v, float) and np.isinf(v))}
    neuron, V_m = neuron_from_nest(table.model, given)
    own = {key: column for key, column in table.numbers.items() if key != "V_m" and np.any(column != column[0])}
    for key, column in own.items():
        if not np.all(np.isfinite(column)):
            raise ModelError(f"{key} is infinite for some neurons and not for others")
    return neuron, own if V_m is None else {**own, "V_m": table.numbers["V_m"]}
