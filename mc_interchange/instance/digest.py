"""Digests: whether two networks are the same, without holding either.

The digest of edges is a *multiset* digest: the sum, modulo 2**64, of a 64-bit hash of every synapse
(source, target, weight as float64, delay in steps). It does not depend on the order of the synapses, on
blocks, or on how projections between the same populations are divided, and it adds up. The hash is a
bijection of each field when the others are given, so a change of one field of one synapse always shows;
any other change goes unnoticed with a probability of about 2**-64.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edges import EdgeBlock

__all__ = ["EdgeDigest", "InstanceDigest", "digest_arrays", "digest_block", "digest_json"]

# Odd constants with well spread bits (from the golden ratio, and the finalisers of the splitmix64
# generator, Steele et al. 2014, doi:10.1145/2660193.2660195).
_IDS = np.uint64(0x9E3779B97F4A7C15)
_WEIGHT = np.uint64(0xBF58476D1CE4E5B9)
_DELAY = np.uint64(0x94D049BB133111EB)
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_SLICE = 2**15  # the temporaries of one slice stay in the processor's cache


@dataclass(frozen=True)
class EdgeDigest:
    """Number and digest of synapses; digests of disjoint parts add up.

    Parameters
    ----------
    count
        Number of synapses.
    value
        Sum of their hashes modulo 2**64.
    """

    count: int = 0
    value: int = 0

    def __add__(self, other: EdgeDigest) -> EdgeDigest:
        return EdgeDigest(self.count + other.count, (self.value + other.value) % 2**64)

    def __str__(self) -> str:
        return f"{self.count}:{self.value:016x}"


def digest_block(block: EdgeBlock) -> EdgeDigest:
    """Return the digest of one block."""
    total = np.uint64(0)
    with np.errstate(over="ignore"):
        for start in range(0, len(block), _SLICE):
            total += _hashes(block[start : start + _SLICE]).sum(dtype=np.uint64)
    return EdgeDigest(len(block), int(total))


def _hashes(block: EdgeBlock) -> NDArray[np.uint64]:
    hashes = block.target.astype(np.uint64)
    hashes <<= np.uint64(32)
    hashes |= block.source
    _mix(hashes, _IDS)
    weight = block.weight.astype(np.float64)
    weight += 0.0  # -0.0 and 0.0 are the same weight
    hashes ^= weight.view(np.uint64)
    delay = block.delay.astype(np.uint64)
    delay *= _SPREAD
    hashes ^= delay
    # twice: with less after the last field, the sum would hardly notice two synapses that swap their delays
    _mix(hashes, _WEIGHT)
    _mix(hashes, _DELAY)
    return hashes


def _mix(hashes: NDArray[np.uint64], factor: np.uint64) -> None:
    """Spread the bits of each value over all 64, in place (a bijection)."""
    hashes ^= hashes >> np.uint64(30)
    hashes *= factor
    hashes ^= hashes >> np.uint64(31)


def digest_arrays(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the digest of named arrays (order of names does not matter)."""
    hasher = hashlib.blake2b(digest_size=8)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        hasher.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        hasher.update(array.tobytes())
    return hasher.hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of numbers and texts; floats count with all their digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class InstanceDigest:
    """What identifies an instance, part by part.

    Parameters
    ----------
    edges
        By ``"source -> target"`` population.
    nodes
        Size, initial values and per-neuron parameters, by population.
    parameters
        Neuron model and common parameters (or the activity of virtual sources), by population.
    inputs
        All inputs.
    dt
        Resolution in ms; delays count in its steps.
    """

    edges: Mapping[str, EdgeDigest]
    nodes: Mapping[str, str]
    parameters: Mapping[str, str]
    inputs: str
    dt: float
    all: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all", digest_json({k: v for k, v in self.to_json().items() if k != "all"}))

    def to_json(self) -> dict[str, Any]:
        """Return the digests as plain values."""
        return {
            "all": getattr(self, "all", ""),
            "dt": self.dt,
            "edges": {name: str(value) for name, value in sorted(self.edges.items()) if value.count},
            "nodes": dict(sorted(self.nodes.items())),
            "parameters": dict(sorted(self.parameters.items())),
            "inputs": self.inputs,
        }

    def differences(self, other: InstanceDigest) -> list[str]:
        """Name every part that differs, in words (an empty list: the same model)."""
        mine, theirs = self.to_json(), other.to_json()
        found = []
        for part in ("edges", "nodes", "parameters"):
            for name in sorted(mine[part].keys() | theirs[part].keys()):
                a, b = mine[part].get(name), theirs[part].get(name)
                if a != b:
                    found.append(f"{part} of {name}: {a or 'missing'} against {b or 'missing'}")
        found += [
            f"{part}: {mine[part]} against {theirs[part]}" for part in ("inputs", "dt") if mine[part] != theirs[part]
        ]
        return found
