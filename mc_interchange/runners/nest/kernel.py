"""Importing and preparing NEST."""

from __future__ import annotations

from functools import cache
from typing import Any

from mc_interchange.errors import MissingDependencyError, SimulationError
from mc_interchange.formats.nest import without_banner
from mc_interchange.network import Simulation

__all__ = ["import_nest", "reset", "threads_for"]

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


def threads_for(n_edges: int, wanted: int | None = None) -> int:
    """Choose the number of threads from the size of the network alone.

    Not from the machine: the random numbers of a run depend on the number of threads.

    Parameters
    ----------
    n_edges
        Number of synapses.
    wanted
        The user's choice, if any.

    Raises
    ------
    SimulationError
        NEST cannot hold so many synapses with the wanted number of threads. It would say so itself, but
        only after minutes.
    """
    needed = -(-n_edges // _PLANNED) or 1
    if wanted is None:
        return needed
    if n_edges > wanted * MAX_CONNECTIONS:
        raise SimulationError(
            f"NEST holds at most {MAX_CONNECTIONS:,} synapses per thread: {n_edges:,} need --threads {needed} or more, "
            f"got {wanted}"
        )
    return wanted


def reset(simulation: Simulation, threads: int) -> Any:
    """Empty the kernel, set resolution, seed and threads, and return the module."""
    nest = import_nest()
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.local_num_threads = threads
    nest.resolution = simulation.dt
    nest.rng_seed = simulation.seed
    return nest
