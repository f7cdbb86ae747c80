"""Random numbers that depend on nothing but the seed and a label.

Every chunk of every projection has its own stream, keyed by the names involved. So the result does not
depend on the order in which chunks are drawn, on how many are drawn at once, or on how they are joined
into blocks. The streams are numpy's PCG64DXSM behind a SeedSequence; the tests hold a golden digest
against the oldest and the newest numpy that is allowed.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mc_interchange.network import Constant, Distribution, Normal, TruncatedNormal, Uniform, Values
from mc_interchange.network.simulation import steps

__all__ = ["delay_steps", "distinct_partners", "initial_values", "stream", "weight_dtype", "weights"]


def stream(seed: int, *label: str | int) -> np.random.Generator:
    """Return the generator of this label.

    Parameters
    ----------
    seed
        Seed of the realisation.
    label
        What is drawn: texts and numbers.
    """
    words = hashlib.blake2b(repr(label).encode(), digest_size=16).digest()
    key = tuple(int.from_bytes(words[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=key)))


def weight_dtype(distribution: Distribution) -> np.dtype[np.float32] | np.dtype[np.float64]:
    """Return the narrowest type that holds every weight of a distribution exactly.

    Drawn weights are float32 by construction; given ones are never narrowed unless nothing is lost.
    """
    given = np.zeros(0)
    if isinstance(distribution, Constant):
        given = np.array([distribution.value])
    elif isinstance(distribution, Values):
        given = np.array(distribution.values)
    with np.errstate(over="ignore"):
        exact = bool(np.all(given.astype(np.float32) == given))
    return np.dtype(np.float32) if exact else np.dtype(np.float64)


def weights(rng: np.random.Generator, distribution: Distribution, n: int) -> NDArray[np.float32 | np.float64]:
    """Draw synaptic weights.

    Parameters
    ----------
    rng
        Stream of the chunk.
    distribution
        Not :class:`Values`.
    n
        Number of weights.

    Returns
    -------
    ndarray, shape (n,), pA
        Drawn weights have 20 significant bits: exact in float32 pA, and they come back exactly when a
        format holds them as float32 nA.
    """
    if isinstance(distribution, Constant):
        return np.full(n, distribution.value, weight_dtype(distribution))
    drawn = _draw(rng, distribution, n)
    bits = drawn.view(np.uint32)
    bits += np.uint32(8)
    bits &= np.uint32(0xFFFFFFF0)
    return drawn


def delay_steps(rng: np.random.Generator, distribution: Distribution, n: int, dt: float) -> NDArray[np.int32]:
    """Draw delays and round them to the grid as NEST does (halves up).

    Returns
    -------
    ndarray, shape (n,), int32, steps of ``dt``
    """
    if isinstance(distribution, Constant):
        return np.full(n, int(np.floor(steps(distribution.value, dt) + 0.5)), np.int32)
    drawn = _draw(rng, distribution, n, scale=steps(1.0, dt))
    drawn += np.float32(0.5)
    return drawn.astype(np.int32)  # truncation is floor: delays are positive


def round_delays(delays: NDArray[np.float64], dt: float) -> NDArray[np.int32]:
    """Round delays in ms to steps of ``dt`` as NEST does (halves up)."""
    return np.floor(delays * steps(1.0, dt) + 0.5).astype(np.int32)


def initial_values(rng: np.random.Generator, distribution: Distribution, n: int) -> NDArray[np.float64]:
    """Draw initial values, shape (n,), float64, in the unit of the distribution."""
    if isinstance(distribution, Constant):
        return np.full(n, distribution.value)
    if isinstance(distribution, Values):
        return np.array(distribution.values)
    return _draw(rng, distribution, n, dtype=np.float64).astype(np.float64, copy=False)


def _draw(
    rng: np.random.Generator,
    distribution: Distribution,
    n: int,
    *,
    scale: float = 1.0,
    dtype: type[np.float32] | type[np.float64] = np.float32,
) -> NDArray[np.float32 | np.float64]:
    """Draw ``scale`` times the distribution; truncated ones by drawing again what falls outside."""
    if isinstance(distribution, Uniform):
        drawn = rng.random(n, dtype=dtype)
        drawn *= dtype(scale * (distribution.high - distribution.low))
        drawn += dtype(scale * distribution.low)
        return drawn
    if not isinstance(distribution, Normal | TruncatedNormal):
        raise TypeError(f"cannot draw from {type(distribution).__name__}")
    normal = _normal(rng, distribution, n, scale, dtype)
    if isinstance(distribution, TruncatedNormal):
        lower, upper = (dtype(scale * bound) for bound in distribution.bounds)
        outside = np.flatnonzero((normal < lower) | (normal > upper))
        while len(outside):
            again = _normal(rng, distribution, len(outside), scale, dtype)
            normal[outside] = again
            outside = outside[(again < lower) | (again > upper)]
    return normal


def _normal(
    rng: np.random.Generator,
    distribution: Normal | TruncatedNormal,
    n: int,
    scale: float,
    dtype: type[np.float32] | type[np.float64],
) -> NDArray[np.float32 | np.float64]:
    drawn = rng.standard_normal(n, dtype=dtype)
    drawn *= dtype(scale * distribution.sd)
    drawn += dtype(scale * distribution.mean)
    return drawn


def distinct_partners(rng: np.random.Generator, degrees: NDArray[np.int64], n_partners: int) -> NDArray[np.uint32]:
    """Draw, for every row, a uniformly random subset of ``degrees[row]`` of ``n_partners``.

    Draws with repetition and keeps the first occurrence of each partner until every row has its number,
    which is sampling without replacement; rows that want more than half draw what they leave out.

    Parameters
    ----------
    degrees : ndarray, shape (n_rows,), int64
        At most ``n_partners`` each.

    Returns
    -------
    ndarray, shape (sum of degrees,), uint32
        Partners row by row, ascending in each row.
    """
    many = degrees > n_partners // 2
    wanted = np.where(many, n_partners - degrees, degrees)
    keys = np.empty(0, np.int64)  # row * n_partners + partner
    missing = wanted
    rows = np.arange(len(degrees))
    while missing.any():
        row = np.repeat(rows, missing)
        drawn = row * n_partners + rng.integers(0, n_partners, len(row))
        keys = np.union1d(keys, drawn)
        missing = wanted - np.bincount(keys // n_partners, minlength=len(degrees))
    if not many.any():
        return (keys % n_partners).astype(np.uint32)
    parts: list[NDArray[np.int64]] = []
    bounds = np.searchsorted(keys, np.arange(len(degrees) + 1) * n_partners)
    for index, (start, end) in enumerate(pairwise(bounds)):
        chosen = keys[start:end] - index * n_partners
        if many[index]:
            chosen = np.setdiff1d(np.arange(n_partners), chosen, assume_unique=True)
        parts.append(chosen)
    return np.concatenate(parts).astype(np.uint32)
