"""How large a PD14 Brian2 runs in five minutes: python benchmarks/brian2_sizes.py [--scale 0.05 0.1 0.2].

For each scale one second of model time under Poisson input, by the exported program in a process of its own: seconds
of wall time and of processor time until it ends, with building and writing; peak memory; mean rates in spikes/s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure

from mc_interchange import build, export, realize
from mc_interchange.formats.program import PROGRAM
from mc_interchange.formats.sonata_output import read_spikes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--codegen", choices=["numpy", "cython"], default="numpy")
    parser.add_argument("--duration", type=float, default=1000.0, help="model time in ms")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a run is ended")
    arguments = parser.parse_args()
    print(f"Brian2 with {arguments.codegen}, {arguments.duration:g} ms of PD14; {measure.machine()}", flush=True)
    for scale in arguments.scale:
        with tempfile.TemporaryDirectory() as directory:
            network = build("pd14", scale=scale, background="poisson", duration=arguments.duration, discard=0.0)
            instance = realize(network)
            path = export(instance, "brian2", Path(directory) / "export").path
            size = f"scale {scale:g}: {instance.n_neurons} neurons, {instance.n_edges} synapses"
            print(f"{size}: {run(path, Path(directory), arguments)}", flush=True)


def run(path: Path, directory: Path, arguments: argparse.Namespace) -> str:
    """Run an export, and say how that went."""
    out = directory / "out"
    command = [sys.executable, str(path / PROGRAM), "--out", str(out), "--codegen", arguments.codegen]
    before = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - before
        if pid:
            break
        if seconds > arguments.limit:
            process.kill()
            process.wait()
            return f"not within {arguments.limit:g} s"
        time.sleep(0.2)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return f"failed with exit code {process.returncode}"
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    spikes = read_spikes(out / "spikes.h5")
    n_spikes = sum(len(ids) for _, ids in spikes.values())
    return f"{seconds:.0f} s (processor {cpu:.0f} s), {peak:.0f} MB, {n_spikes} spikes"


if __name__ == "__main__":
    main()
