"""The structural rung for one export: every synapse against the reference, and against its rules.

    python benchmarks/verify_full_scale.py --scale 1

Exports PD14 (12 GB at scale 1) and climbs the rung in a process of its own: the reference is drawn, the export is read
once, for its digest and for all that is counted of it.
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


def climb(path: str) -> dict[str, Any]:
    from mc_interchange.verify import Settings, verify

    found = verify(Path(path), Settings(rungs=("structure",)))
    if not found.passed:
        failed = "; ".join(f"{f.name}: {f.detail}" for rung in found.rungs for f in rung.failures)
        raise SystemExit(f"the structure does not hold: {failed or found.rungs[0].why_not}")
    assert found.tested.instance is not None
    # of all threads: what does not depend on who else uses the machine
    return {"edges": found.tested.instance.n_edges, "digest": found.digests[1], "cpu": time.process_time()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"the structural rung for PD14 at scale {arguments.scale:g}; {measure.machine()}", flush=True)
    try:
        out = str(directory / "export")
        measure.in_process("sonata_export", "write", scale=arguments.scale, index="none", out=out, workers=2)
        rows = [measure.in_process("verify_full_scale", "climb", path=out) for _ in range(arguments.repeat)]
    finally:
        shutil.rmtree(directory)
    edges = rows[0]["edges"]
    for row in rows:
        speed = f"{edges / row['seconds'] / 1e6:>6.1f} M synapses/s"
        print(f"{row['seconds']:>7.1f} s {speed} {row['cpu']:>7.1f} s of CPU {row['peak_MB']:>6.0f} MB")
    seconds = statistics.median(row["seconds"] for row in rows)
    print(f"median of {len(rows)}: {edges:,} synapses in {seconds:.1f} s, {edges / seconds / 1e6:.1f} M synapses/s")


if __name__ == "__main__":
    main()
