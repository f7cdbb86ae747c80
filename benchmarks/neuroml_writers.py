"""Writing PD14 as NeuroML: this package against libNeuroML, as XML and as HDF5, and at full scale against ``dd``.

    python benchmarks/neuroml_writers.py                # small and large, both encodings
    python benchmarks/neuroml_writers.py --full 1       # HDF5 at full scale, 5 GB twice

Both write the same synapses with weight and delay, from the same instance: libNeuroML one ``ConnectionWD`` per synapse
and then its ``NeuroMLWriter`` or ``NeuroMLHdf5Writer``; this package the files of NeuroML without what surrounds them,
but at full scale the whole export with its checksums. Every run is a process of its own, the writers take turns.
Memory is what the work adds to that of the imports.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measure

WRITERS = (("ours", "xml"), ("libneuroml", "xml"), ("ours", "hdf5"), ("libneuroml", "hdf5"))


def ours(scale: float, out: str, encoding: str) -> dict[str, Any]:
    from mc_interchange import build, realize
    from mc_interchange.exporters.neuroml.exporter import NeuroMLExporter, NeuroMLOptions
    from mc_interchange.progress import Silent

    options = NeuroMLOptions(encoding=encoding)
    before, start = measure.peak(), time.perf_counter()
    instance = realize(build("pd14", scale=scale))
    Path(out).mkdir()
    NeuroMLExporter().write(instance, Path(out), options, workers=2, progress=Silent())
    seconds = time.perf_counter() - start
    return {"edges": instance.n_edges, "seconds": seconds, "before_MB": before, "bytes": _bytes(Path(out))}


def whole_export(scale: float, out: str) -> dict[str, Any]:
    from mc_interchange import build, export, realize
    from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions

    start = time.perf_counter()
    result = export(realize(build("pd14", scale=scale)), "neuroml", out, NeuroMLOptions(encoding="hdf5"), workers=2)
    return {"edges": result.n_edges, "seconds": time.perf_counter() - start, "bytes": _bytes(Path(out))}


def libneuroml(scale: float, out: str, encoding: str) -> dict[str, Any]:
    import neuroml.utils  # which NeuroMLHdf5Writer uses, but does not load
    import tables  # noqa: F401  # it would be loaded in the time of the work
    from neuroml.writers import NeuroMLHdf5Writer, NeuroMLWriter

    from mc_interchange import build, realize

    before, start = measure.peak(), time.perf_counter()
    instance = realize(build("pd14", scale=scale))
    document = neuroml.NeuroMLDocument(id="pd14")
    network = neuroml.Network(id="pd14")
    document.networks.append(network)
    for name, nodes in instance.populations.items():
        population = neuroml.Population(id=name, component=f"{name}_cell", size=nodes.size, type="populationList")
        network.populations.append(population)
        for index, (x, y, z) in enumerate(nodes.positions.tolist()):
            place = neuroml.Location(x=x, y=y, z=z)
            population.instances.append(neuroml.Instance(id=index, location=place))
    for edges in instance.projections.values():
        projection = neuroml.Projection(
            id=edges.name,
            presynaptic_population=edges.source,
            postsynaptic_population=edges.target,
            synapse="psc_0_5",
        )
        network.projections.append(projection)
        projection.connection_wds.extend(_connections(edges, instance.simulation.dt))
    Path(out).mkdir()
    if encoding == "xml":
        NeuroMLWriter.write(document, f"{out}/pd14.net.nml")
    else:
        NeuroMLHdf5Writer.write(document, f"{out}/pd14.net.nml.h5")
    seconds = time.perf_counter() - start
    return {"edges": instance.n_edges, "seconds": seconds, "before_MB": before, "bytes": _bytes(Path(out))}


def _connections(edges: Any, dt: float) -> Iterator[Any]:
    import neuroml

    number = 0
    for block in edges.blocks():
        columns = (block.source, block.target, block.weight.astype(float) / 1000, (block.delay * dt).round(9))
        for source, target, weight, delay in zip(*(column.tolist() for column in columns), strict=True):
            yield neuroml.ConnectionWD(
                id=number,
                pre_cell_id=f"../{edges.source}/{source}/{edges.source}_cell",
                post_cell_id=f"../{edges.target}/{target}/{edges.target}_cell",
                weight=weight,
                delay=f"{delay}ms",
            )
            number += 1


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def compare(arguments: argparse.Namespace, directory: Path) -> None:
    """Let the writers take turns at two sizes, and print the ratios."""
    rows: dict[tuple[str, str, float], list[dict[str, Any]]] = {}
    for _ in range(arguments.repeat):
        for scale in arguments.scales:
            for writer, encoding in WRITERS:
                out = directory / "out"
                row = measure.in_process("neuroml_writers", writer, scale=scale, out=str(out), encoding=encoding)
                shutil.rmtree(out)
                rows.setdefault((writer, encoding, scale), []).append(row)
    print(
        f"{'writer':>10} {'encoding':>8} {'synapses':>10} {'s':>7} {'us each':>8} {'bytes each':>10} {'memory, MB':>10}"
    )
    for (writer, encoding, _), found in rows.items():
        seconds = statistics.median(row["seconds"] for row in found)
        memory = statistics.median(row["peak_MB"] - row["before_MB"] for row in found)
        edges = found[0]["edges"]
        print(
            f"{writer:>10} {encoding:>8} {edges:>10,} {seconds:>7.2f} {seconds / edges * 1e6:>8.2f} "
            f"{found[0]['bytes'] / edges:>10.1f} {memory:>10.0f}"
        )
    for encoding in ("xml", "hdf5"):
        for scale in arguments.scales:
            pairs = zip(rows["libneuroml", encoding, scale], rows["ours", encoding, scale], strict=True)
            ratios = sorted(theirs["seconds"] / mine["seconds"] for theirs, mine in pairs)
            edges = rows["ours", encoding, scale][0]["edges"]
            spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
            print(f"{encoding}, {edges:,} synapses: {statistics.median(ratios):.1f} times as fast ({spread})")


def full(arguments: argparse.Namespace, directory: Path) -> None:
    """Export as HDF5 and write the same bytes by ``dd``, in turn."""
    ratios = []
    for _ in range(arguments.repeat):
        out = directory / "out"
        row = measure.in_process("neuroml_writers", "whole_export", scale=arguments.full, out=str(out))
        shutil.rmtree(out)
        dd = measure.dd(directory, row["bytes"])
        ratios.append(row["seconds"] / dd)
        print(
            f"{row['edges']:,} synapses, {row['bytes'] / 1e9:.2f} GB: {row['seconds']:.1f} s, {row['peak_MB']:.0f} MB "
            f"of memory; dd {dd:.1f} s, ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(f"ratio to dd: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scales", type=float, nargs="+", default=[0.02, 0.058], help="of PD14 (1e5 and 1e6 synapses)")
    parser.add_argument("--full", type=float, help="compare the HDF5 export of this scale with dd instead")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"PD14 as NeuroML; {measure.machine()}", flush=True)
    try:
        (full if arguments.full else compare)(arguments, directory)
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
