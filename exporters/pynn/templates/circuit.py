"""What lies in the circuit: what differs between neurons, synapses, and spikes that are replayed."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from model import SEED, TIMESTEP
from pyNN.random import NumpyRNG, RandomDistribution

HERE = Path(__file__).resolve().parent
RANDOM = NumpyRNG(seed=SEED)


def read_node_values(population: str, ratio: list) -> np.ndarray:
    """Read a parameter in PyNN's unit: a ratio of two, each a number or the name of an array in the node file."""
    with h5py.File(HERE / f"network/{population}_nodes.h5") as file:
        arrays = file[f"nodes/{population}/0/dynamics_params"]
        above, below = (arrays[item][:] if isinstance(item, str) else item for item in ratio)
    return above / below


def read_synapses(projection: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read source, target, weight (NEST's unit and sign) and delay (ms) of each synapse."""
    with h5py.File(HERE / f"network/{projection}_edges.h5") as file:
        edges = file[f"edges/{projection}"]
        sources, targets = edges["source_node_id"][:].astype(int), edges["target_node_id"][:].astype(int)
        weights, delays = edges["0/syn_weight"][:].astype(float), edges["0/delay"][:].astype(float)
    return sources, targets, weights, np.rint(delays / TIMESTEP) * TIMESTEP


def initial_value(population: str, value):
    """Return a number, an array in the node file (a ratio), or a distribution (a dictionary)."""
    if isinstance(value, list):
        return read_node_values(population, value)
    return RandomDistribution(**value, rng=RANDOM) if isinstance(value, dict) else value


def read_spike_steps(population: str) -> tuple[np.ndarray, np.ndarray]:
    """Read source and step of each spike; a spike beside the grid is emitted at the end of the step it is in."""
    with h5py.File(HERE / f"inputs/{population}_spikes.h5") as file:
        spikes = file[f"spikes/{population}"]
        sources, times = spikes["node_ids"][:].astype(int), spikes["timestamps"][:]
    steps = np.maximum(np.ceil(times / TIMESTEP - 1e-6), 1).astype(int)
    order = np.lexsort((steps, sources))
    return sources[order], steps[order]
