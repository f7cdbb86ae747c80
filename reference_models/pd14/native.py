"""PD14 as the PyPI package ``microcircuit`` builds it: the reference that others are held against.

Only used, never copied: ``microcircuit`` is under the GPL.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mc_interchange.errors import MissingDependencyError
from mc_interchange.formats.nest import without_banner
from mc_interchange.network.simulation import steps
from mc_interchange.runs import Run, Spikes

__all__ = ["NativeMicrocircuit"]


class NativeMicrocircuit:
    """A network that ``microcircuit`` has built in NEST's kernel, not simulated yet.

    Parameters
    ----------
    directory
        Where ``microcircuit`` writes its own output files.
    n_scale, k_scale
        Scaling of neuron numbers and of in-degrees.
    background
        Kind of background input.
    seed, threads, dt
        Of the kernel; dt in ms.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        n_scale: float,
        k_scale: float,
        background: Literal["poisson", "dc"] = "dc",
        seed: int = 55,
        threads: int = 1,
        dt: float = 0.1,
    ) -> None:
        with _quiet():
            try:
                import nest
                from microcircuit.network import Network
                from microcircuit.network_params import default_net_dict
                from microcircuit.sim_params import default_sim_dict
                from microcircuit.stimulus_params import default_stim_dict
            except ImportError:
                raise MissingDependencyError("microcircuit", "test") from None
            nest.verbosity = nest.VerbosityLevel.ERROR
            directory = Path(directory)
            directory.mkdir(parents=True, exist_ok=True)
            simulation = {
                "data_path": f"{directory}/",
                "rng_seed": seed,
                "local_num_threads": threads,
                "sim_resolution": dt,
                "rec_dev": ["spike_recorder"],
                "print_time": False,
                "store_metadata": False,
            }
            network = {"N_scaling": n_scale, "K_scaling": k_scale, "bg_input_type": background}
            self._network = Network(
                {**default_sim_dict, **simulation}, {**default_net_dict, **network}, dict(default_stim_dict)
            )
            self._network.create()
            self._network.connect()
        self._nest = nest
        self._directory = directory
        self._seed, self._threads, self._dt = seed, threads, dt
        #: NEST's nodes by population name.
        self.populations: dict[str, Any] = dict(zip(default_net_dict["populations"], self._network.pops, strict=True))

    def run(self, duration: float) -> Run:
        """Simulate for ``duration`` ms, and return the spikes from the files that ``microcircuit`` recorded."""
        with _quiet():
            self._network.simulate(duration)
        return Run(
            model="pd14",
            simulator="nest (microcircuit)",
            dt=self._dt,
            duration=duration,
            discard=0.0,
            seed=self._seed,
            threads=self._threads,
            sizes={name: len(nodes) for name, nodes in self.populations.items()},
            spikes=self._read_spikes(),
            versions={"nest": self._nest.__version__},
        )

    def _read_spikes(self) -> dict[str, Spikes]:
        rows = [
            np.loadtxt(path, skiprows=3, ndmin=2).reshape(-1, 2)
            for path in sorted(self._directory.glob("spike_recorder-*.dat"))
        ]
        events = np.concatenate(rows)
        found = {}
        for name, nodes in self.populations.items():
            index = events[:, 0].astype(np.int64) - int(nodes[0].global_id)
            mine = (index >= 0) & (index < len(nodes))
            found[name] = Spikes.sorted(np.rint(events[mine, 1] * steps(1.0, self._dt)).astype(np.int64), index[mine])
        return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the banner and the messages of NEST and of ``microcircuit``."""
    with without_banner(), contextlib.redirect_stdout(io.StringIO()):
        yield
