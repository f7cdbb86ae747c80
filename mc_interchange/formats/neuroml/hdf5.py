"""The HDF5 form of a network: groups, attributes and columns, and what float32 leaves of a number.

The layout is the one that libNeuroML and jNeuroML read::

    /neuroml                          id, notes; neuroml_top_level: the document around the network, as XML
    /neuroml/network                  id, notes, property:TAG
      population_ID                   id, component, size, type, property:TAG
        ID            (size, 3)       x, y, z
      projection_ID                   id, type, presynapticPopulation, postsynapticPopulation, synapse
        ID            (n, 4)          pre_cell_id, post_cell_id, weight, delay (ms)
      inputList_ID                    id, component, population
        ID            (n, 4 or 5)     id, target_cell_id, segment_id, fraction_along, weight

Attributes are texts, but ``size``. Every dataset is float32, and its attribute ``column_0`` names its first column. A
dataset without rows is not there. Whatever is not float32, jNeuroML takes for zeros. Attributes that are not in the
list, both readers pass over.

Both readers also know populations without a dataset, which have a size only; but jNeuroML gives the cells of all
populations the paths of those that are listed, and then does not find them. So every population lists its cells, and
where they have no locations it says so (:data:`~mc_interchange.formats.neuroml.NO_POSITIONS`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COLUMN",
    "CONNECTIONS",
    "CONSTANT_WEIGHT",
    "INPUTS",
    "INPUT_LIST",
    "LOCATIONS",
    "MAX_ID",
    "NETWORK",
    "NO_POSITIONS",
    "POPULATION",
    "PROJECTION",
    "PROPERTY",
    "ROOT",
    "SUFFIX",
    "TOP_LEVEL",
    "VALUES",
    "WEIGHTED_INPUTS",
    "from_single",
    "shortest",
    "to_single",
]

SUFFIX = ".net.nml.h5"
ROOT = "neuroml"
NETWORK = "network"
#: Attribute of the root: the document without its network, which holds the included files.
TOP_LEVEL = "neuroml_top_level"
#: Beginnings of the names of groups, before an identifier.
POPULATION, PROJECTION, INPUT_LIST = "population_", "projection_", "inputList_"
#: Beginning of the name of an attribute that is a property, before its tag.
PROPERTY = "property:"
#: Beginning of the name of an attribute that names a column, before its number.
COLUMN = "column_"
#: Attribute of a dataset all of whose weights are the same, where float32 does not hold it: the decimal, as in XML.
CONSTANT_WEIGHT = "constant_weight"
#: Type of all datasets.
VALUES = np.dtype(np.float32)

LOCATIONS = ("x", "y", "z")
CONNECTIONS = ("pre_cell_id", "post_cell_id", "weight", "delay")
INPUTS = ("id", "target_cell_id", "segment_id", "fraction_along")
WEIGHTED_INPUTS = (*INPUTS, "weight")

#: Tag and value of a population whose locations mean nothing.
NO_POSITIONS = ("positions", "none")
#: Largest whole number up to which float32 holds all of them.
MAX_ID = 2**24

#: Bits of a float64 behind the 20 significant ones that drawn weights have.
_BEHIND = 52 - 19
#: Powers of ten that float64 holds exactly.
_TENS = np.array([float(f"1e{power}") for power in range(23)])


def to_single(weight: NDArray[Any]) -> NDArray[np.float32]:
    """Return weights in pA (or nS) as float32 nA (or uS).

    Parameters
    ----------
    weight : ndarray, shape (n,), float32 or float64

    Returns
    -------
    ndarray, shape (n,), float32
        Infinity where it is too large.
    """
    with np.errstate(over="ignore"):  # infinity says it
        return (weight.astype(np.float64) / 1000).astype(VALUES)


def from_single(stored: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the weights in pA (or nS) that float32 nA (or uS) stand for.

    A float32 stands for many numbers. First choice is the one with 20 significant bits, if there is one: drawn weights
    have no more, and so come back exactly. Otherwise it is the shortest decimal, as weights that were given have
    few digits: 87.8 pA is stored as 0.08780000358819962, and comes back as 87.8.

    Parameters
    ----------
    stored : ndarray, shape (n,), float32

    Returns
    -------
    ndarray, shape (n,), float64
    """
    bits = (stored.astype(np.float64) * 1000).view(np.int64)
    bits += 1 << (_BEHIND - 1)
    bits &= -(1 << _BEHIND)
    found = bits.view(np.float64)
    rest = np.flatnonzero(to_single(found) != stored)
    if len(rest):
        found[rest] = shortest(stored[rest], 3)
    return found


def shortest(stored: NDArray[np.float32], exponent: int = 0) -> NDArray[np.float64]:
    """Return float32 values as their shortest decimals times a power of ten.

    Parameters
    ----------
    stored : ndarray, shape (n,), float32
    exponent
        Of the power of ten.

    Returns
    -------
    ndarray, shape (n,), float64
        Each correctly rounded: 0.1 for the float32 next to 0.1. Values whose size is far from one (below 1e-13 or
        above 1e15, about) as they are.
    """
    exact = stored.astype(np.float64)
    found = exact * 10.0**exponent
    with np.errstate(divide="ignore"):
        lead = np.floor(np.log10(np.abs(exact)))
    todo = np.flatnonzero(np.isfinite(lead) & (lead > -14) & (lead < 15))
    for digits in (6, 7, 8, 9):  # nine always suffice
        shift = (digits - 1 - lead[todo]).astype(np.int64)
        whole = np.rint(_scaled(exact[todo], shift))
        same = _scaled(whole, -shift).astype(VALUES) == stored[todo]
        found[todo[same]] = _scaled(whole[same], exponent - shift[same])
        todo = todo[~same]
    return found


def _scaled(values: NDArray[np.float64], power: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return ``values * 10**power``, rounded once."""
    tens = _TENS[np.abs(power)]
    scaled: NDArray[np.float64] = np.where(power < 0, values / tens, values * tens)
    return scaled
