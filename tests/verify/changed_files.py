"""Runs that are drawn instead of simulated, and damage to exports."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from mc_interchange.runs import Run, Spikes, write_run


def drawn_run(seed: int, *, rate: float = 20.0, **changes: object) -> Run:
    """Return a run whose neurons fire at random, each at its own rate around ``rate`` (spikes/s)."""
    rng = np.random.default_rng(seed)
    sizes, spikes = {"A": 60, "B": 40}, {}
    for name, size in sizes.items():
        counts = rng.poisson(2.0 * rate * rng.gamma(9.0, 1 / 9.0, size))
        neurons = np.repeat(np.arange(size), counts)
        spikes[name] = Spikes.sorted(rng.integers(1, 20_001, len(neurons)), neurons)
    values = {"source_digest": f"network {seed}", "rules": "those", **changes}
    return Run("drawn", "dice", 0.1, 2000.0, 0.0, seed, 1, sizes, spikes, {}, **values)


def keep(run: Run, directory: Path) -> Path:
    directory.mkdir(parents=True)
    write_run(run, directory)
    return directory


def change_a_weight(directory: Path) -> None:
    file = sorted(directory.rglob("*A_to_B*edges.h5"))[0]
    with h5py.File(file, "r+") as content:
        next(iter(content["edges"].values()))["0/syn_weight"][7] *= 1.02
