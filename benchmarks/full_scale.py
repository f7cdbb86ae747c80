"""PD14 at full scale: export, ``dd`` of the same bytes, loading into NEST, and the native build.

    python benchmarks/full_scale.py --scale 1 --threads 4

Needs about 16 GB of memory and 12 GB of disk at scale 1. The four take turns, each in a process of its own, so that a
slow phase of the machine meets all of them; loading and building last until NEST is prepared to simulate.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"PD14 at scale {arguments.scale:g}, {arguments.threads} threads in NEST; {measure.machine()}", flush=True)
    rows: dict[str, list[dict[str, Any]]] = {"export": [], "dd": [], "load": [], "microcircuit": []}
    try:
        for _ in range(arguments.repeat):
            for name, row in _round(arguments, directory):
                rows[name].append(row)
                print(f"{name:>12} {row['seconds']:>7.1f} s {row.get('peak_MB', 0):>8.0f} MB", flush=True)
    finally:
        shutil.rmtree(directory)
    _tell(rows)


def _round(arguments: argparse.Namespace, directory: Path) -> Any:
    out = str(directory / "export")
    made = {"scale": arguments.scale, "index": "none", "out": out, "workers": arguments.workers}
    export = measure.in_process("sonata_export", "write", **made)
    yield "export", export
    yield "dd", {"seconds": measure.dd(directory, export["bytes"]), "bytes": export["bytes"]}
    yield "load", measure.in_process("nest_loading", "load", path=out, threads=arguments.threads)
    shutil.rmtree(out)
    native = {"scale": arguments.scale, "threads": arguments.threads, "data": str(directory / "data")}
    yield "microcircuit", measure.in_process("nest_loading", "build_natively", **native)


def _tell(rows: dict[str, list[dict[str, Any]]]) -> None:
    edges, n_bytes = rows["export"][0]["edges"], rows["export"][0]["bytes"]
    print(f"{edges:,} synapses, {n_bytes / 1e9:.2f} GB; medians of {len(rows['export'])}:")
    for name, found in rows.items():
        seconds = statistics.median(row["seconds"] for row in found)
        memory = statistics.median(row.get("peak_MB", 0) for row in found)
        print(f"{name:>12} {seconds:>7.1f} s {memory:>8.0f} MB {edges / seconds / 1e6:>6.1f} M synapses/s")
    for label, a, b in (("export / dd", "export", "dd"), ("load / microcircuit", "load", "microcircuit")):
        for key in ("seconds", "peak_MB"):
            if key in rows[b][0]:
                ratios = [x[key] / y[key] for x, y in zip(rows[a], rows[b], strict=True)]
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                print(f"ratio of {label}, {key}: median {statistics.median(ratios):.2f} ({spread})")


if __name__ == "__main__":
    main()
