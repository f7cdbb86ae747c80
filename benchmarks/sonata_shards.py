"""Sharing a SONATA export out: time and memory of one export, of its shards, and of joining them.

    python benchmarks/sonata_shards.py --scale 0.3 --shards 3
    python benchmarks/sonata_shards.py --n-scale 10 --k-scale 1 --shards 200 --only 137

Every step runs in its own process, one after the other. With ``--only`` a single shard is written, of a network
that may be far too large for this machine.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import measure


def whole(model: dict[str, float], index: str, out: str, workers: int) -> dict[str, Any]:
    from mc_interchange import build, export, realize
    from mc_interchange.exporters.sonata import SonataOptions

    network = build("pd14", **model)
    start = time.perf_counter()
    return _row(export(realize(network), "sonata", out, SonataOptions(index=index), workers=workers), start)


def shard(model: dict[str, float], index: str, out: str, workers: int, number: int, of: int) -> dict[str, Any]:
    from mc_interchange import build, export, realize
    from mc_interchange.exporters.sonata import SonataExporter, SonataOptions
    from mc_interchange.shards import Shard

    network, options = build("pd14", **model), SonataOptions(index=index)
    start = time.perf_counter()
    instance = realize(network)
    result = export(instance, "sonata", out, options, shard=Shard(number, of), workers=workers)
    estimated = SonataExporter().estimate(instance, options)
    return _row(result, start) | {"all_edges": instance.n_edges, "all_bytes": estimated}


def join(shards: str, out: str, workers: int) -> dict[str, Any]:
    from mc_interchange import export
    from mc_interchange.join import join_shards

    start = time.perf_counter()
    job = join_shards(Path(shards).iterdir())
    return _row(export(job.instance, job.format, out, job.options, workers=workers), start)


def _row(result: Any, start: float) -> dict[str, Any]:
    seconds = time.perf_counter() - start
    size = sum(path.stat().st_size for path in result.path.rglob("*") if path.is_file())
    return {"edges": result.n_edges, "bytes": size, "seconds": seconds}


def _print(what: str, row: dict[str, Any]) -> None:
    print(
        f"{what:>14} {row['edges']:>13,} {row['bytes'] / 1e9:>6.2f} {row['seconds']:>7.2f} "
        f"{row['edges'] / row['seconds'] / 1e6:>10.1f} {row['peak_MB']:>8.0f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.3)
    parser.add_argument("--n-scale", type=float)
    parser.add_argument("--k-scale", type=float)
    parser.add_argument("--index", choices=("both", "target", "none"), default="both")
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--only", type=int, help="write this shard alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    given = parser.parse_args()
    scales = {name: value for name in ("n_scale", "k_scale") if (value := getattr(given, name)) is not None}
    arguments = {"model": scales or {"scale": given.scale}, "index": given.index, "workers": given.workers}
    directory = Path(tempfile.mkdtemp(dir=given.directory))
    print(f"SONATA export of PD14 with {arguments['model']}, index {given.index}; {measure.machine()}")
    heads = {"": 14, "edges": 13, "GB": 6, "s": 7, "M edges/s": 10, "peak MB": 8}
    print(" ".join(f"{head:>{width}}" for head, width in heads.items()))
    try:
        if given.only is None:
            _print("whole", measure.in_process("sonata_shards", "whole", out=str(directory / "whole"), **arguments))
            shutil.rmtree(directory / "whole")
        for number in range(1, given.shards + 1) if given.only is None else (given.only,):
            out = str(directory / "shards" / str(number))
            row = measure.in_process("sonata_shards", "shard", out=out, number=number, of=given.shards, **arguments)
            _print(f"shard {number}/{given.shards}", row)
        if given.only is None:
            arguments = {"shards": str(directory / "shards"), "workers": given.workers}
            _print("join", measure.in_process("sonata_shards", "join", out=str(directory / "joined"), **arguments))
        else:
            print(f"the whole: {row['all_edges']:,} edges, {row['all_bytes'] / 1e9:.1f} GB estimated")
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
