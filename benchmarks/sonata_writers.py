"""Writing PD14 as SONATA: this package, bmtk's NetworkBuilder, and PyNN's export, at the largest size in a minute.

    python benchmarks/sonata_writers.py

Each makes the same populations and numbers of synapses with a weight and a delay for every synapse, and writes
them. bmtk joins the synapses of one pair of neurons, so it has fewer edges; its edges are counted. PyNN gets the
synapses as arrays, since its own connectors are slower. The size grows until a run takes most of the minute. Memory
is what the work adds to that of the imports.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
import measure
import numpy as np


def ours(scale: float, out: str) -> dict[str, Any]:
    from mc_interchange import build, export, realize

    before, start = measure.peak(), time.perf_counter()
    result = export(realize(build("pd14", scale=scale)), "sonata", out, workers=2)
    return {"edges": result.n_edges, "seconds": time.perf_counter() - start, "before_MB": before}


def bmtk(scale: float, out: str) -> dict[str, Any]:
    from bmtk.builder import NetworkBuilder

    from mc_interchange import build

    network = build("pd14", scale=scale)
    generator = np.random.default_rng(1)
    before, start = measure.peak(), time.perf_counter()
    builders = {population.name: NetworkBuilder(population.name) for population in network.populations}
    sizes = {population.name: population.size for population in network.populations}
    for name, builder in builders.items():
        builder.add_nodes(
            N=sizes[name], model_type="point_neuron", model_template="nest:iaf_psc_exp", dynamics_params="neuron.json"
        )
    for projection in network.projections:
        mean = projection.rule.number / sizes[projection.source] / sizes[projection.target]
        edges = builders[projection.target].add_edges(
            source=builders[projection.source].nodes(),
            target=builders[projection.target].nodes(),
            iterator="one_to_all",
            connection_rule=lambda _source, targets, mean=mean: generator.poisson(mean, len(targets)),
            model_template="static_synapse",
            dynamics_params="synapse.json",
        )
        edges.add_properties("syn_weight", rule=lambda _source, _target: generator.normal(87.8, 8.78), dtypes=float)
        edges.add_properties("delay", rule=lambda _source, _target: 1.5, dtypes=float)
    for builder in builders.values():
        builder.build()
        builder.save(output_dir=out)
    return {"edges": _written(out), "seconds": time.perf_counter() - start, "before_MB": before}


def pynn(scale: float, out: str) -> dict[str, Any]:
    import pyNN.nest as sim
    from pyNN.network import Network
    from pyNN.serialization import export_to_sonata

    from mc_interchange import build, realize

    instance = realize(build("pd14", scale=scale))
    sim.setup(timestep=0.1)
    before, start = measure.peak(), time.perf_counter()
    populations = {
        name: sim.Population(nodes.size, sim.IF_curr_exp(), label=name) for name, nodes in instance.populations.items()
    }
    projections = []
    for name, edges in instance.projections.items():
        blocks = [
            np.stack([b.source, b.target, abs(b.weight) / 1000, b.delay * instance.simulation.dt], axis=1)
            for b in edges.blocks()
        ]
        connector = sim.FromListConnector(np.concatenate(blocks), column_names=["weight", "delay"])
        source, target = populations[edges.source], populations[edges.target]
        projections.append(sim.Projection(source, target, connector, sim.StaticSynapse(), label=name))
    export_to_sonata(Network(*populations.values(), *projections), out, overwrite=True)
    return {"edges": _written(out), "seconds": time.perf_counter() - start, "before_MB": before}


def _written(out: str) -> int:
    edges = 0
    for path in Path(out).rglob("*.h5"):
        with h5py.File(path) as file:
            edges += sum(group["source_node_id"].shape[0] for group in file.get("edges", {}).values())
    return edges


def _largest(writer: str, limit: float, top: float, directory: Path) -> tuple[float, dict[str, Any]]:
    """Return the largest scale that was done in time, and its figures; edges grow with the square of the scale."""
    scale, best, failed = 0.01, (0.0, {}), math.inf
    while True:
        out = directory / writer
        row = measure.in_process("sonata_writers", writer, scale=scale, out=str(out))
        shutil.rmtree(out)
        if row["seconds"] <= limit:
            best = (scale, row)
        else:
            failed = scale
        if limit >= row["seconds"] > 0.75 * limit or best[0] >= min(top, failed / 1.1):
            return best
        wanted = scale * math.sqrt(0.9 * limit / row["seconds"])
        scale = min(top, 2 * scale, wanted) if failed == math.inf else math.sqrt(best[0] * failed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="the limit")
    parser.add_argument("--top", type=float, default=0.5, help="the largest scale that is tried")
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"PD14 as SONATA, at the largest scale in {arguments.seconds:g} s; {measure.machine()}")
    print(f"{'writer':>8} {'scale':>6} {'edges':>12} {'s':>6} {'k edges/s':>10} {'bytes of memory per edge':>25}")
    try:
        for writer in ("ours", "bmtk", "pynn"):
            scale, row = _largest(writer, arguments.seconds, arguments.top, directory)
            memory = (row["peak_MB"] - row["before_MB"]) * 2**20 / row["edges"]
            print(
                f"{writer:>8} {scale:>6.3f} {row['edges']:>12,} {row['seconds']:>6.1f} "
                f"{row['edges'] / row['seconds'] / 1e3:>10.0f} {memory:>25.1f}"
            )
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
