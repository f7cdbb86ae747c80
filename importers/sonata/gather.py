"""Reading rows of a dataset in bounded memory, whatever size the dataset claims to have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError

__all__ = ["Rows", "gather"]

Rows = slice | NDArray[np.int64]

#: Rows that are read for each row that is wanted, at most; beyond, they are gathered part by part.
_MAX_SPAN = 4
_PART = 2**20
#: Values in a row, at most.
_MAX_WIDTH = 2**12


def gather(path: Path, dataset: h5py.Dataset, rows: Rows, index: str) -> NDArray[Any]:
    """Return some rows of a dataset.

    Parameters
    ----------
    path
        The file, for errors.
    rows
        A range, or numbers in any order.
    index
        The column that these come from, for errors.

    Raises
    ------
    FormatError
        The dataset does not have these rows, or rows of this length.
    """
    if not dataset.ndim or int(np.prod(dataset.shape[1:], dtype=float)) > _MAX_WIDTH:
        raise FormatError(f"{path}: {dataset.name} must be a list, its shape is {dataset.shape}")
    if isinstance(rows, slice):
        low, high = int(rows.start), int(rows.stop)
    else:
        low, high = (int(rows.min()), int(rows.max()) + 1) if len(rows) else (0, 0)
    if low < 0 or high > dataset.shape[0]:
        raise FormatError(f"{path}: {dataset.name} has {dataset.shape[0]} rows; {index} goes to {high - 1}")
    if isinstance(rows, slice):
        values: NDArray[Any] = dataset[rows]
        return values
    if high - low <= max(_PART, _MAX_SPAN * len(rows)):
        return np.asarray(dataset[low:high])[rows - low]
    taken = np.empty((len(rows), *dataset.shape[1:]), dataset.dtype)
    for start in (np.unique(rows // _PART) * _PART).tolist():
        here = np.flatnonzero((rows >= start) & (rows < start + _PART))
        taken[here] = dataset[start : min(start + _PART, high)][rows[here] - start]
    return taken
