"""Reading PD14 from NeuroML: this package against libNeuroML's loaders, as XML and as HDF5.

    python benchmarks/neuroml_reading.py

All read the same export. Ours hands out every synapse with its weight and delay, and their digest must be the one
that the export states; libNeuroML's loaders make an object of each, and the sums of their weights and delays are
compared with ours afterwards. With ``optimized=True`` its HDF5 loader makes none, and leaves weights and delays out.
Every run is a process of its own, the readers take turns.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import measure

READERS = (("ours", "xml"), ("libneuroml", "xml"), ("ours", "hdf5"), ("libneuroml", "hdf5"), ("optimized", "hdf5"))
NETWORKS = {"xml": "pd14.net.nml", "hdf5": "pd14.net.nml.h5"}


def write(scale: float, out: str, encoding: str) -> dict[str, Any]:
    from mc_interchange import build, export, realize
    from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions

    instance = realize(build("pd14", scale=scale, background="dc"))
    return {"edges": export(instance, "neuroml", out, NeuroMLOptions(encoding=encoding), workers=2).n_edges}


def ours(path: str, encoding: str) -> dict[str, Any]:
    from mc_interchange.importers.neuroml.reading import read_document
    from mc_interchange.instance import EdgeDigest, digest_block

    before, start = measure.peak(), time.perf_counter()
    document = read_document(Path(path) / NETWORKS[encoding])
    digests: dict[str, EdgeDigest] = {}
    weights = delays = 0.0
    for projection in document.projections:
        key = f"{projection.source} -> {projection.target}"
        for block in projection.edges.blocks(2**18):
            digests[key] = digests.get(key, EdgeDigest()) + digest_block(block)
            weights += float(block.weight.sum(dtype=float)) / 1000
            delays += int(block.delay.sum()) * document.dt
    seconds = time.perf_counter() - start
    stated = json.loads((Path(path) / "manifest.json").read_text())["digest"]["edges"]
    if {key: str(digest) for key, digest in digests.items()} != stated:
        raise SystemExit(f"{path}: these are not the synapses that were written")
    edges = sum(digest.count for digest in digests.values())
    return {"edges": edges, "seconds": seconds, "before_MB": before, "weights": weights, "delays": delays}


def libneuroml(path: str, encoding: str) -> dict[str, Any]:
    import tables  # noqa: F401  # it would be loaded in the time of the work
    from neuroml.loaders import NeuroMLHdf5Loader, NeuroMLLoader

    loader = NeuroMLLoader if encoding == "xml" else NeuroMLHdf5Loader
    before, start = measure.peak(), time.perf_counter()
    document = loader.load(str(Path(path) / NETWORKS[encoding]))
    seconds = time.perf_counter() - start
    found = [c for projection in document.networks[0].projections for c in projection.connection_wds]
    sums = {"weights": sum(float(c.weight) for c in found), "delays": sum(c.get_delay_in_ms() for c in found)}
    return {"edges": len(found), "seconds": seconds, "before_MB": before, **sums}


def optimized(path: str, encoding: str) -> dict[str, Any]:
    import tables  # noqa: F401  # as above
    from neuroml.loaders import NeuroMLHdf5Loader

    before, start = measure.peak(), time.perf_counter()
    document = NeuroMLHdf5Loader.load(str(Path(path) / NETWORKS[encoding]), optimized=True)
    seconds = time.perf_counter() - start
    projections = document.networks[0].projections
    one = type(projections[0].connections[0]).__name__
    edges = sum(len(projection.connections) for projection in projections)
    return {"edges": edges, "seconds": seconds, "before_MB": before, "element": one}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.058, help="of PD14 (a million synapses)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    try:
        for encoding in NETWORKS:
            out = str(directory / encoding)
            measure.in_process("neuroml_reading", "write", scale=arguments.scale, out=out, encoding=encoding)
        for _ in range(arguments.repeat):
            for reader, encoding in READERS:
                where = {"path": str(directory / encoding), "encoding": encoding}
                row = measure.in_process("neuroml_reading", reader, **where)
                rows.setdefault((reader, encoding), []).append(row)
    finally:
        shutil.rmtree(directory)
    print(f"PD14 from NeuroML, {rows['ours', 'xml'][0]['edges']:,} synapses; {measure.machine()}")
    print(f"{'reader':>10} {'encoding':>8} {'s':>7} {'us each':>8} {'MB, peak':>9} {'MB added':>9}")
    for (reader, encoding), found in rows.items():
        seconds, peak, added = _medians(found)
        each = seconds / found[0]["edges"] * 1e6
        print(f"{reader:>10} {encoding:>8} {seconds:>7.2f} {each:>8.2f} {peak:>9.0f} {added:>9.0f}")
    for encoding in NETWORKS:
        mine, theirs = rows["ours", encoding], rows["libneuroml", encoding]
        for key in ("weights", "delays"):
            if abs(mine[0][key] - theirs[0][key]) > 1e-5 * abs(mine[0][key]):
                raise SystemExit(f"{encoding}: the sums of {key} differ: {mine[0][key]} and {theirs[0][key]}")
        ratios = sorted(t["seconds"] / m["seconds"] for m, t in zip(mine, theirs, strict=True))
        memory = _medians(theirs)[1] / _medians(mine)[1]
        print(
            f"{encoding}: {statistics.median(ratios):.1f} times as fast as libNeuroML ({ratios[0]:.1f} to "
            f"{ratios[-1]:.1f}), {memory:.1f} times less memory; same sums of weights and delays"
        )
    print(f"optimized=True returns {rows['optimized', 'hdf5'][0]['element']} elements")


def _medians(rows: list[dict[str, Any]]) -> tuple[float, float, float]:
    seconds, peak = (statistics.median(row[key] for row in rows) for key in ("seconds", "peak_MB"))
    return seconds, peak, statistics.median(row["peak_MB"] - row["before_MB"] for row in rows)


if __name__ == "__main__":
    main()
