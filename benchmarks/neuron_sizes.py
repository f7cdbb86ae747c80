"""How large a PD14 the program for NEURON bears: making and simulating it, Poisson background, one thread.

    python benchmarks/neuron_sizes.py --scale 0.05 0.1 0.2

Times are processor times, so that other work on the machine counts little. Mechanisms are compiled before.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import measure

from mc_interchange import build, export, realize


def written(scale: float, duration: float, directory: Path) -> Path:
    """Export PD14 and return the directory."""
    instance = realize(build("pd14", scale=scale, duration=duration, discard=0.0))
    return export(instance, "neuron", directory / f"{scale:g}").path


def run(path: Path, *arguments: str | Path) -> tuple[str, float, float]:
    """Run the program, and return what it printed, its processor time in s and its peak memory in MB."""
    command = [sys.executable, str(path / "run.py"), *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as output, subprocess.Popen(command, stdout=output) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{path}: exit code {process.returncode}")
        output.seek(0)
        return output.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, nargs="+", default=[0.05, 0.1])
    parser.add_argument("--duration", type=float, default=1000.0, help="ms of model time")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp())
    print(f"PD14, {arguments.duration:g} ms, in NEURON; {measure.machine()}")
    print(" scale  neurons     synapses  make s us/synapse B/synapse   all s  peak MB")
    try:
        mechanisms = directory / "out" / "mechanisms"
        path = written(0.01, 1.0, directory)
        run(path, "--out", directory / "out")  # compiles
        _, _, base = run(path, "--out", directory / "out", "--mechanisms", mechanisms)
        for scale in arguments.scale:
            path = written(scale, arguments.duration, directory)
            printed, seconds, peak = run(path, "--out", directory / "out", "--mechanisms", mechanisms)
            shutil.rmtree(path)
            found = re.search(r"(\d+) neurons and (\d+) synapses made in (\S+) s", printed)
            assert found is not None
            neurons, synapses, took = int(found[1]), int(found[2]), float(found[3])
            print(
                f"{scale:>6g} {neurons:>8,} {synapses:>12,} {took:>7.1f} {took / synapses * 1e6:>10.2f} "
                f"{(peak - base) * 2**20 / synapses:>9.0f} {seconds:>7.1f} {peak:>8.0f}",
                flush=True,
            )
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
