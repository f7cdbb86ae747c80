"""Importing and preparing NEST."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import MissingDependencyError, SimulationError, UsageError
from mc_interchange.formats.nest import without_banner
from mc_interchange.network import Simulation

__all__ = ["import_nest", "own_nodes", "reset", "threads_for"]

#: Connections that NEST can hold per virtual process and synapse model (27 bits for their number).
MAX_CONNECTIONS = 134_217_726
#: What we fill it with at most: connections are spread over threads by target, not evenly.
_PLANNED = 100_000_000


@cache
def import_nest() -> Any:
    """Import NEST without its banner and with errors only.

    Raises
    ------
    MissingDependencyError
    """
    try:
        with without_banner():
            import nest
    except ImportError:
        raise MissingDependencyError("NEST", "nest") from None
    nest.verbosity = nest.VerbosityLevel.ERROR
    return nest


def threads_for(n_edges: int, wanted: int | None = None, processes: int = 1) -> int:
    """Choose the number of threads, of all processes together, from the size of the network alone.

    Not from the machine: the random numbers of a run depend on the number of threads. They do not depend on
    how these are spread over processes.

    Parameters
    ----------
    n_edges
        Number of synapses.
    wanted
        The user's choice, if any.
    processes
        Number of processes; each gets the same number of threads.

    Raises
    ------
    UsageError
        The wanted number cannot be shared out evenly.
    SimulationError
        NEST cannot hold so many synapses with the wanted number of threads. It would say so itself, but
        only after minutes.
    """
    needed = -(-n_edges // _PLANNED) or 1
    needed = -(-needed // processes) * processes
    if wanted is None:
        return needed
    if wanted % processes:
        raise UsageError(f"threads: {wanted} cannot be shared out evenly to {processes} processes")
    if n_edges > wanted * MAX_CONNECTIONS:
        raise SimulationError(
            f"NEST holds at most {MAX_CONNECTIONS:,} synapses per thread: {n_edges:,} need --threads {needed} or more, "
            f"got {wanted}"
        )
    return wanted


def reset(simulation: Simulation, threads: int) -> Any:
    """Empty the kernel, set resolution, seed and threads (of all processes), and return the module."""
    nest = import_nest()
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.local_num_threads = threads // nest.num_processes
    nest.resolution = simulation.dt
    nest.rng_seed = simulation.seed
    return nest


def own_nodes(nest: Any, population: Any) -> NDArray[np.bool_] | None:
    """Say of each neuron of a population whether this process has it; None: it has all.

    NEST deals out neurons to processes in turn, by their global id.
    """
    if nest.num_processes == 1:
        return None
    ids = int(population[0].global_id) + np.arange(len(population))
    own: NDArray[np.bool_] = ids % nest.num_processes == nest.Rank()
    return own
