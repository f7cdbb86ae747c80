"""The NEST runner."""

from __future__ import annotations

from typing import Any

from mc_interchange._version import __version__
from mc_interchange.contracts import Runner
from mc_interchange.errors import SimulationError, UsageError
from mc_interchange.instance import NetworkInstance
from mc_interchange.progress import Progress, Silent
from mc_interchange.runs import Run

from .devices import Recorders, connect_inputs
from .kernel import reset, threads_for
from .native import connect_natively, create_natively
from .network import connect_edges, create_nodes

__all__ = ["NestRunner"]


class NestRunner(Runner):
    """Simulates with NEST 3.

    Explicit networks are connected through arrays, block by block, which needs no HDF5 in NEST. With
    ``native``, NEST draws the network by its own rules from the same description: equal in distribution,
    not in every synapse.
    """

    name = "nest"
    title = "NEST 3.10"

    def run(
        self,
        instance: NetworkInstance,
        *,
        native: bool = False,
        threads: int | None = None,
        source_digest: str | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """Simulate (see :class:`mc_interchange.contracts.Runner`)."""
        progress = progress or Silent()
        simulation = instance.simulation
        n_edges = instance.n_edges
        threads = threads_for(n_edges, threads or simulation.threads)
        nest = reset(simulation, threads)
        populations = self._build(nest, instance, native, progress)
        connect_inputs(nest, instance.inputs, populations)
        recorders = Recorders(nest, populations, simulation)
        _simulate(nest, simulation.duration, progress)
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

    def _build(self, nest: Any, instance: NetworkInstance, native: bool, progress: Progress) -> dict[str, Any]:
        if not native:
            populations = create_nodes(nest, instance)
            connect_edges(nest, instance, populations, progress)
            return populations
        if instance.network is None:
            raise UsageError(f"{instance.name}: a native build needs the model's rules, and there is no model file")
        populations = create_natively(nest, instance.network)
        connect_natively(nest, instance.network, populations, progress)
        return populations


def _simulate(nest: Any, duration: float, progress: Progress) -> None:
    """Simulate in slices, for the sake of the progress bar."""
    progress.task("simulating", duration, "ms")
    n_steps = round(duration / nest.resolution)
    per_slice = max(1, n_steps // 50)
    try:
        with nest.RunManager():
            done = 0
            while done < n_steps:
                count = min(per_slice, n_steps - done)
                nest.Run(count * nest.resolution)
                done += count
                progress.advance(count * nest.resolution)
    except nest.NESTError as error:
        raise SimulationError(f"NEST stopped: {error}") from None
