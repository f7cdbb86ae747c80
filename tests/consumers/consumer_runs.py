"""What tests of simulators share: running a script on an export, and comparing its spikes with native NEST's."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from mc_interchange import NetworkInstance

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Exported:
    """An instance, its export, and the spikes of native NEST.

    ``spikes`` are sorted pairs (neuron, step) by population.
    """

    instance: NetworkInstance
    directory: Path
    spikes: dict[str, np.ndarray]

    def same(self, path: Path) -> bool:
        """Whether a spike file of a consumer holds exactly these spikes."""
        found = read_spikes(path)
        assert found.keys() <= self.spikes.keys()
        # some consumers leave out silent populations
        return all(np.array_equal(found.get(name, pairs[:0]), pairs) for name, pairs in self.spikes.items())


def read_spikes(path: Path) -> dict[str, np.ndarray]:
    """Return sorted pairs (neuron, step) of every population; times must be on the grid of 0.1 ms."""
    spikes = {}
    with h5py.File(path) as file:
        for name, group in file["spikes"].items():
            steps = np.rint(group["timestamps"][:] * 10)
            # a nanosecond: PyNN's and bmtk's decimals
            assert np.abs(steps / 10 - group["timestamps"][:]).max(initial=0) < 1e-6
            pairs = np.stack([group["node_ids"][:].astype(int), steps.astype(int)], axis=1)
            spikes[name] = pairs[np.lexsort(pairs.T[::-1])]
    return spikes


def run_script(script: Path, *arguments: str, python: str = sys.executable, cwd: Path | None = None) -> str:
    """Run a script in its own process, since simulators do not share one, and return what it printed."""
    command = [python, str(script), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr
