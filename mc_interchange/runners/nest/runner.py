"""The NEST runner."""

from __future__ import annotations

import time
from typing import Any

from mc_interchange._version import __version__
from mc_interchange.contracts import Runner
from mc_interchange.errors import SimulationError, UsageError, one_line
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Simulation
from mc_interchange.network.simulation import steps
from mc_interchange.processes import ALONE, Processes
from mc_interchange.progress import Progress, Silent
from mc_interchange.runs import Run

from .devices import Recorders, connect_inputs
from .kernel import import_nest, reset, threads_for
from .native import connect_natively, create_natively
from .network import connect_edges, create_nodes

__all__ = ["NestRunner"]

#: Aim for the duration of a slice in seconds of wall time: Ctrl-C is answered between slices.
SLICE_SECONDS = 0.5


class NestRunner(Runner):
    """Simulates with NEST 3.

    Explicit networks are connected through arrays, block by block, which needs no HDF5 in NEST. With
    ``native``, NEST draws the network by its own rules from the same description: equal in distribution,
    not in every synapse.
    """

    name = "nest"
    title = "NEST 3.10"
    parallel = True

    def run(
        self,
        instance: NetworkInstance,
        *,
        native: bool = False,
        threads: int | None = None,
        source_digest: str | None = None,
        progress: Progress | None = None,
        processes: Processes = ALONE,
    ) -> Run:
        """Simulate (see :class:`mc_interchange.contracts.Runner`)."""
        progress = progress or Silent()
        simulation = instance.simulation
        if threads is not None and threads < 1:
            raise UsageError(f"threads: must be at least 1, got {threads}")
        nest = import_nest()
        if nest.num_processes != processes.size:
            raise SimulationError(
                f"{processes.size} processes were started, but NEST counts {nest.num_processes}: it was not built with "
                "MPI, or with another one"
            )
        wanted = simulation.threads if threads is None else threads
        threads = threads_for(instance.n_edges, wanted, processes.size)
        reset(simulation, threads)
        populations = self._build(nest, instance, native, progress, processes)
        connect_inputs(nest, instance.inputs, populations)
        recorders = Recorders(nest, populations, simulation)
        _simulate(nest, simulation, progress, processes)
        spikes = recorders.spikes()
        return Run(
            model=instance.name,
            simulator="nest (native)" if native else "nest",
            dt=simulation.dt,
            duration=simulation.duration,
            discard=simulation.discard,
            seed=simulation.seed,
            threads=threads,
            sizes={name: instance.populations[name].size for name in spikes},
            spikes=spikes,
            voltages=recorders.voltages(),
            source_digest=None if native else source_digest,
            versions={"nest": nest.__version__, "mc-interchange": __version__},
        )

    def _build(
        self, nest: Any, instance: NetworkInstance, native: bool, progress: Progress, processes: Processes
    ) -> dict[str, Any]:
        if not native:
            populations = create_nodes(nest, instance)
            n_connected = processes.total(connect_edges(nest, instance, populations, progress))
            if n_connected != instance.n_edges:
                raise SimulationError(
                    f"{instance.name}: {n_connected} of {instance.n_edges} synapses were found through the indices of "
                    "its edges, which must be wrong: mc-validate says where"
                )
            return populations
        if instance.network is None:
            raise UsageError(f"{instance.name}: a native build needs the model's rules, and there is no model file")
        populations = create_natively(nest, instance.network)
        connect_natively(nest, instance.network, populations, progress)
        return populations


def _simulate(nest: Any, simulation: Simulation, progress: Progress, processes: Processes) -> None:
    """Simulate in slices, for the sake of the progress bar and of Ctrl-C.

    A slice is a whole number of NEST's own slices (the smallest delay), within which each device draws its
    random numbers for all steps at once; so the result does not depend on how time is cut. All processes must cut it
    alike, since NEST lets them wait for each other.
    """
    progress.task("simulating", simulation.duration, "ms")
    per_ms = steps(1.0, simulation.dt)
    try:
        with nest.RunManager():
            unit = max(1, round(nest.min_delay * per_ms))
            done, units = 0, 1
            while done < simulation.n_steps:
                count = min(units * unit, simulation.n_steps - done)
                before = time.perf_counter()
                nest.Run(count / per_ms)
                units = processes.agree(_next_units(units, time.perf_counter() - before))
                done += count
                progress.advance(count / per_ms)
    except nest.NESTError as error:
        raise SimulationError(f"NEST stopped: {one_line(error)}") from None


def _next_units(units: int, seconds: float) -> int:
    """Approach slices of ``SLICE_SECONDS``, growing at most fourfold at a time."""
    fitting = int(units * SLICE_SECONDS / max(seconds, 1e-9))
    return max(1, min(fitting, 4 * units))
