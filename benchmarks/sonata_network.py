"""Loading an export into NEST: this package's runner against NEST's own reader, nest.SonataNetwork.

    .venv-nest-full/bin/python benchmarks/sonata_network.py --scale 0.1 0.2

Needs the NEST of ``make nest-full``, which is used for both. Every loading runs in its own process, in turn, with one
thread, until NEST is prepared to simulate.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import measure


def read_with_nest(path: str) -> dict[str, Any]:
    import h5py  # noqa: F401  # before NEST, which brings an HDF5 library, too
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    start = time.perf_counter()
    nest.SonataNetwork(f"{path}/circuit_config.json", f"{path}/simulation_config.nest.json").BuildNetwork()
    nest.Prepare()
    return {"seconds": time.perf_counter() - start, "edges": nest.num_connections}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, nargs="+", default=[0.1, 0.2])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"PD14 from SONATA into NEST, 1 thread; {measure.machine()}")
    print(f"{'scale':>5} {'reader':>18} {'edges':>12} {'M edges/s':>9} {'peak MB':>8}  s")
    try:
        for scale in arguments.scale:
            out = directory / f"{scale:g}"
            measure.in_process("sonata_export", "write", scale=scale, index="both", out=str(out), workers=2)
            rows: dict[str, list[dict[str, Any]]] = {"mc-run": [], "nest.SonataNetwork": []}
            for _ in range(arguments.repeat):
                rows["mc-run"].append(measure.in_process("nest_loading", "load", path=str(out), threads=1))
                rows["nest.SonataNetwork"].append(measure.in_process("sonata_network", "read_with_nest", path=str(out)))
            for name, found in rows.items():
                seconds = [row["seconds"] for row in found]
                speed = found[0]["edges"] / statistics.median(seconds) / 1e6
                times = " ".join(f"{value:.2f}" for value in seconds)
                memory = found[0]["peak_MB"]
                print(f"{scale:>5g} {name:>18} {found[0]['edges']:>12,} {speed:>9.2f} {memory:>8.0f}  {times}")
            pairs = zip(rows["mc-run"], rows["nest.SonataNetwork"], strict=True)
            ratios = [a["seconds"] / b["seconds"] for a, b in pairs]
            print(f"ratio of time: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
            shutil.rmtree(out)
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
