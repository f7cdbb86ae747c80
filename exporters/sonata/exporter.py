"""The SONATA exporter."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from mc_interchange.contracts import Column, Exporter, ExportOptions, Loss, Written
from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import sonata
from mc_interchange.instance import EdgeDigest, Edges, NetworkInstance, Nodes, PoissonTrains, Trains
from mc_interchange.instance.instance import pair
from mc_interchange.network import Dynamics, PoissonActivity, PoissonInput
from mc_interchange.output import EXPERIMENT_FILE, MODEL_FILE
from mc_interchange.progress import Progress

from .configs import BMTK_SKIPS, write_configs
from .edges import write_edges
from .loaders import write_loaders
from .nodes import write_nodes, write_parameters, write_table
from .spikes import write_spike_input

__all__ = ["SonataExporter", "SonataOptions", "write_circuit"]

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
        SONATA has no Poisson generator. A file beside the circuit (the rules, or for a network without rules
        the experiment) holds the input, and this package's NEST runner uses it; other readers see none.
    Poisson activity of virtual populations
        Likewise: the sources are in the circuit, their rate is in that file.
    Step currents that begin in the first two steps
        They are in the circuit, but bmtk skips them.
    The discarded part at the start, and which neurons record their potential
        Likewise. They have no influence on the dynamics.
    Which populations record spikes, and the number of threads
        Likewise, and not reported.
    """

    format = "sonata"
    title = "SONATA circuit (HDF5, CSV, JSON) for NEST, bmtk, PyNN, libsonata and bluepysnap"
    Options = SonataOptions
    model_defaults = {"scale": 0.1}

    def losses(self, instance: NetworkInstance, options: SonataOptions) -> list[Loss]:  # noqa: ARG002
        """Name what is only in the file beside the circuit, and what is in none."""
        for nodes in instance.populations.values():
            if equations := [neuron.label for neuron in nodes.models if isinstance(neuron, Dynamics)]:
                raise NotRepresentableError(
                    f"population {nodes.name}: a node of SONATA names a model and cannot hold the equations of "
                    f"{equations[0]}; export to NeuroML, whose LEMS types hold equations"
                )
        found = []
        for item in instance.inputs:
            if isinstance(item, PoissonInput):
                found.append((f"Poisson input {item.name} onto {item.target}", "SONATA has no Poisson input"))
            elif sonata.clamp_steps(item, instance.simulation.dt)[0] <= BMTK_SKIPS:
                why = f"bmtk skips currents that begin within {BMTK_SKIPS} steps, though the file has them"
                found.append((f"step current {item.name} onto {item.target}", why))
        for nodes in instance.populations.values():
            if isinstance(nodes.activity, PoissonActivity):
                found.append((f"Poisson activity of {nodes.name}", "SONATA has no Poisson generator"))
        if instance.simulation.discard:
            found.append(("the discarded part at the start", "SONATA has no field for it"))
        if instance.simulation.record_V_m:
            found.append(("which neurons record V_m", "SONATA reports name populations or node sets"))
        beside = EXPERIMENT_FILE if instance.network is None else MODEL_FILE
        losses = [Loss(what, "beside", f"{why}; it is in {beside}, which mc-run reads") for what, why in found]
        painted = [nodes.name for nodes in instance.populations.values() if nodes.color]
        if painted and instance.network is None:
            losses.append(
                Loss(f"colours of {', '.join(painted)}", "dropped", "neither SONATA nor a file beside has them")
            )
        return losses

    def estimate(self, instance: NetworkInstance, options: SonataOptions) -> int:
        """Return the size: 16 bytes per edge and 4 for its number, 16 for a range per edge in an index."""
        edges = sum(
            e.n_edges * (16 + e.weight_dtype.itemsize + 16 * len(set(_INDICES[options.index]) - {_cheap(e.order)}))
            for e in instance.projections.values()
        )
        nodes = 60 * sum(p.size for p in instance.populations.values())
        return edges + nodes + sum(map(_spike_bytes, instance.populations.values())) + 2**20

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
        written = write_circuit(instance, directory, options.index, workers=workers, progress=progress)
        write_loaders(directory)
        return written


def write_circuit(
    instance: NetworkInstance,
    directory: Path,
    index: Literal["both", "target", "none"],
    *,
    workers: int,
    progress: Progress,
) -> Written:
    """Write nodes, edges and configurations; what has a program of its own beside them needs no more."""
    for folder in (sonata.NETWORK, f"{sonata.NETWORK}/pynn", sonata.NEURON_MODELS, sonata.SYNAPSE_MODELS):
        (directory / folder).mkdir(parents=True)
    (directory / sonata.SYNAPSE_MODELS / f"{sonata.STATIC_SYNAPSE}.json").write_text("{}\n")
    node_type_id = 100
    columns: list[Column] = []
    dt = instance.simulation.dt
    for nodes in instance.populations.values():
        node_type_id = write_nodes(nodes, directory, node_type_id)
        if isinstance(nodes.activity, Trains):
            (directory / "inputs").mkdir(exist_ok=True)
            columns += write_spike_input(nodes.name, nodes.activity, directory, dt=dt, progress=progress)
    projections = sorted(instance.projections.values(), key=lambda e: (-e.n_edges, e.name))
    progress.task("writing SONATA", instance.n_edges, "edges")
    digests: dict[str, EdgeDigest] = {}
    for number, edges in enumerate(projections):
        edge_type_id = 10_000 + number
        _write_edge_types(directory, edges, edge_type_id)
        digest, written = write_edges(
            edges,
            directory,
            edge_type_id=edge_type_id,
            sizes=(instance.populations[edges.source].size, instance.populations[edges.target].size),
            dt=instance.simulation.dt,
            index=_INDICES[index],
            workers=workers,
            progress=progress,
        )
        digests[pair(edges)] = digests.get(pair(edges), EdgeDigest()) + digest
        columns += written
    write_configs(instance, directory, projections)
    return Written(digests, columns)


def _cheap(order: str) -> str:
    return {"target": "target_to_source", "source": "source_to_target"}.get(order, "")


def _spike_bytes(nodes: Nodes) -> int:
    """Return the size of replayed spikes: a time and an id each."""
    trains = nodes.activity
    if isinstance(trains, PoissonTrains):
        return int(16 * trains.expected)
    return 16 * trains.n_spikes if isinstance(trains, Trains) else 0


def _write_edge_types(directory: Path, edges: Edges, edge_type_id: int) -> None:
    """Write the type table twice: PyNN wants a prefix in the template that NEST refuses."""
    synapse, name = edges.synapse, edges.name
    file = f"{sonata.STATIC_SYNAPSE}.json"
    if not synapse.plain:
        file = f"{name}.synapse.json"
        receptor = {"receptor_type": synapse.receptor} if synapse.receptor else {}
        path = directory / sonata.SYNAPSE_MODELS / file
        write_parameters(path, {**receptor, **synapse.parameters}, f"projection {name}")
    for consumer, prefix in ((None, ""), ("pynn", "nest:")):
        write_table(
            directory / sonata.edge_types_file(name, consumer),
            [
                {
                    "edge_type_id": str(edge_type_id),
                    "population": name,
                    "model_template": prefix + synapse.model,
                    "dynamics_params": file,
                }
            ],
        )
