"""The SONATA exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from mc_interchange.contracts import Exporter, ExportOptions, Loss, Written
from mc_interchange.formats import sonata
from mc_interchange.instance import EdgeDigest, NetworkInstance
from mc_interchange.instance.instance import pair
from mc_interchange.network import PoissonActivity, PoissonInput, SpikeTrains
from mc_interchange.progress import Progress

from .configs import write_configs
from .edges import write_edges
from .nodes import write_nodes, write_spike_input, write_table

__all__ = ["SonataExporter", "SonataOptions"]

_INDICES = {
    "both": ("target_to_source", "source_to_target"),
    "target": ("target_to_source",),
    "none": (),
}


class SonataOptions(ExportOptions):
    """Options of the SONATA exporter."""

    index: Literal["both", "target", "none"] = Field(
        "both", description="indices from nodes to edges: both ends, only the target's (small), or none"
    )


class SonataExporter(Exporter[SonataOptions]):
    """Writes a SONATA circuit: every neuron and synapse with weight, delay and initial potential.

    Not representable
    -----------------
    Poisson inputs
        SONATA has no Poisson generator. The model file beside the circuit holds the input, and this
        package's NEST runner uses it; other readers see none.
    Poisson activity of virtual populations
        Likewise: the sources are in the circuit, their rate is in the model file.
    Step currents
        Likewise.
    The discarded part at the start, and which neurons record their potential
        Likewise. They have no influence on the dynamics.
    Which populations record spikes, and the number of threads
        In the model file; reported only where there is none.
    """

    format = "sonata"
    title = "SONATA circuit (HDF5, CSV, JSON) for NEST, bmtk, PyNN, libsonata and bluepysnap"
    Options = SonataOptions
    model_defaults = {"scale": 0.1}

    def losses(self, instance: NetworkInstance, options: SonataOptions) -> list[Loss]:  # noqa: ARG002
        """Name what is in the model file only, or nowhere when there is none."""
        found = []
        for item in instance.inputs:
            kind = "Poisson input" if isinstance(item, PoissonInput) else "step current"
            found.append((f"{kind} {item.name} onto {item.target}", f"SONATA has no {kind}"))
        for nodes in instance.populations.values():
            if isinstance(nodes.activity, PoissonActivity):
                found.append((f"Poisson activity of {nodes.name}", "SONATA has no Poisson generator"))
        if instance.simulation.discard:
            found.append(("the discarded part at the start", "SONATA has no field for it"))
        if instance.simulation.record_V_m:
            found.append(("which neurons record V_m", "SONATA reports name populations or node sets"))
        if instance.network is None:
            if instance.simulation.record_spikes is not None:
                found.append(("which populations record spikes", "SONATA records all of them"))
            if instance.simulation.threads is not None:
                found.append(("the number of threads", "SONATA has no field for it"))
            return [Loss(what, "dropped", why) for what, why in found]
        return [Loss(what, "beside", f"{why}; it is in the model file, which mc-run reads") for what, why in found]

    def estimate(self, instance: NetworkInstance, options: SonataOptions) -> int:
        """Return the size: 16 bytes per edge and 4 for its number, 16 for a range per edge in an index."""
        edges = sum(
            e.n_edges * (16 + e.weight_dtype.itemsize + 16 * len(set(_INDICES[options.index]) - {_cheap(e.order)}))
            for e in instance.projections.values()
        )
        return edges + 60 * sum(p.size for p in instance.populations.values()) + 2**20

    def write(
        self,
        instance: NetworkInstance,
        directory: Path,
        options: SonataOptions,
        *,
        workers: int,
        progress: Progress,
    ) -> Written:
        """Write all files; a few blocks of edges are in memory at once."""
        for folder in (sonata.NETWORK, f"{sonata.NETWORK}/pynn", sonata.NEURON_MODELS, sonata.SYNAPSE_MODELS):
            (directory / folder).mkdir(parents=True)
        (directory / sonata.SYNAPSE_MODELS / f"{sonata.STATIC_SYNAPSE}.json").write_text("{}\n")
        for number, nodes in enumerate(instance.populations.values()):
            write_nodes(nodes, directory, node_type_id=100 + number)
            if isinstance(nodes.activity, SpikeTrains):
                (directory / "inputs").mkdir(exist_ok=True)
                write_spike_input(nodes.name, nodes.activity, directory)
        projections = sorted(instance.projections.values(), key=lambda e: (-e.n_edges, e.name))
        progress.task("writing SONATA", instance.n_edges, "edges")
        digests: dict[str, EdgeDigest] = {}
        columns = []
        for number, edges in enumerate(projections):
            edge_type_id = 10_000 + number
            _write_edge_types(directory, edges.name, edge_type_id)
            digest, written = write_edges(
                edges,
                directory,
                edge_type_id=edge_type_id,
                sizes=(instance.populations[edges.source].size, instance.populations[edges.target].size),
                dt=instance.simulation.dt,
                index=_INDICES[options.index],
                workers=workers,
                progress=progress,
            )
            digests[pair(edges)] = digests.get(pair(edges), EdgeDigest()) + digest
            columns += written
        write_configs(instance, directory, projections)
        return Written(digests, columns)


def _cheap(order: str) -> str:
    return {"target": "target_to_source", "source": "source_to_target"}.get(order, "")


def _write_edge_types(directory: Path, name: str, edge_type_id: int) -> None:
    """Write the type table twice: PyNN wants a prefix in the template that NEST refuses."""
    for consumer, prefix in ((None, ""), ("pynn", "nest:")):
        write_table(
            directory / sonata.edge_types_file(name, consumer),
            {
                "edge_type_id": str(edge_type_id),
                "population": name,
                "model_template": prefix + sonata.STATIC_SYNAPSE,
                "dynamics_params": f"{sonata.STATIC_SYNAPSE}.json",
            },
        )
