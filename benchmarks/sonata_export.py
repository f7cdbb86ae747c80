"""SONATA export: edges per second, peak memory, and the ratio to a plain ``dd`` of the same bytes.

    python benchmarks/sonata_export.py --scale 0.3

Every export runs in its own process, and ``dd`` after each, in the same directory. ``dd`` varies more than the
export does, since it only fills the page cache: look at several rows.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import measure


def write(scale: float, index: str, out: str, workers: int) -> dict[str, Any]:
    from mc_interchange import build, export, realize
    from mc_interchange.exporters.sonata import SonataOptions

    instance = realize(build("pd14", scale=scale))
    start = time.perf_counter()
    result = export(instance, "sonata", out, SonataOptions(index=index), workers=workers)
    seconds = time.perf_counter() - start
    size = sum(path.stat().st_size for path in result.path.rglob("*") if path.is_file())
    return {"edges": result.n_edges, "bytes": size, "seconds": seconds}


def _compare(scale: float, index: str, workers: int, directory: Path) -> str:
    out = directory / "export"
    row = measure.in_process("sonata_export", "write", scale=scale, index=index, out=str(out), workers=workers)
    shutil.rmtree(out)
    dd = measure.dd(directory, row["bytes"])
    return (
        f"{index:>8} {row['edges']:>12,} {row['bytes'] / 1e9:>6.2f} {row['seconds']:>7.2f} "
        f"{row['edges'] / row['seconds'] / 1e6:>10.1f} {row['peak_MB']:>8.0f} {dd:>6.2f} {row['seconds'] / dd:>12.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"SONATA export of PD14 at scale {arguments.scale:g}, {arguments.workers} workers; {measure.machine()}")
    heads = {"index": 8, "edges": 12, "GB": 6, "s": 7, "M edges/s": 10, "peak MB": 8, "dd s": 6, "ratio to dd": 12}
    print(" ".join(f"{head:>{width}}" for head, width in heads.items()))
    try:
        for index in ("none", "target", "both"):
            for _ in range(arguments.repeat):
                print(_compare(arguments.scale, index, arguments.workers, directory))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
