"""How large a PD14 each simulator does within a time: ``python benchmarks/simulator_sizes.py [--limit 300]``.

One second of model time under the Poisson background, drawn beforehand for tools without Poisson sources. What counts
is ``mc-run`` from start to end: reading, building, compiling, simulating, writing. Every run is a process of its own;
its memory is the peak of the largest process in it. This script imports little, since a process begins with the peak
memory of the one that starts it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import machine

#: Scales that are tried: 0.005, 0.00625, ... 1.
FIRST, RATIO = 0.005, 1.25
RUNGS = [float(f"{FIRST * RATIO**i:.2g}") for i in range(24)] + [1.0]
#: By how much the scale grows at most from one run to the next, and the part of the limit that is aimed at.
GROWTH, AIM = 4.0, 0.9
#: How long a process that is to end has for that, in s.
GRACE = 10.0


@dataclass(frozen=True)
class Simulator:
    """A simulator of ``mc-run``, the arguments with which its files are written, and the threads it can use."""

    name: str
    export: tuple[str, ...]
    brian2: bool = False
    threads: int = 1


FROZEN = "--freeze-input"
SIMULATORS = (
    Simulator("nest", ("--format", "sonata", "--index", "none"), threads=4),
    Simulator("pynn-nest", ("--format", "pynn")),
    Simulator("pynn-neuron", ("--format", "pynn")),
    Simulator("pynn-brian2", ("--format", "pynn"), brian2=True),
    Simulator("brian2", ("--format", "brian2"), brian2=True),
    Simulator("neuron-exact", ("--format", "neuron")),
    Simulator("jlems", ("--format", "neuroml")),
    Simulator("neuron", ("--format", "neuroml")),
    Simulator("eden", ("--format", "neuroml", "--encoding", "xml", "--spread-spikes", FROZEN)),
    Simulator("netpyne", ("--format", "neuroml", FROZEN)),
)


@dataclass(frozen=True)
class Done:
    """A run that ended in time."""

    scale: float
    neurons: int
    synapses: int
    seconds: float
    peak: float


def tool(python: str, name: str) -> list[str]:
    """Return the beginning of a command."""
    return [python, "-c", f"from mc_interchange.cli.{name} import main; main()"]


def attempt(simulator: Simulator, scale: float, python: str, duration: float, limit: float) -> Done | str:
    """Write the network and run it, or say why that did not work."""
    with tempfile.TemporaryDirectory() as temporary:
        files, out = str(Path(temporary) / "files"), str(Path(temporary) / "out")
        model = ["pd14", "--scale", f"{scale}", "--background", "poisson", "--duration", f"{duration}"]
        command = [*tool(sys.executable, "export"), *model, "-p", "discard=0.0", *simulator.export]
        written = subprocess.run([*command, "--out", files, "--json", "-q"], capture_output=True, text=True)
        if written.returncode:
            return last_line(written.stderr)
        size = json.loads(written.stdout)
        command = [*tool(python, "run"), files, "--simulator", simulator.name, "--threads", f"{simulator.threads}"]
        ended = timed([*command, "--out", out, "-q"], limit)
        if isinstance(ended, str):
            return ended
        return Done(scale, size["n_neurons"], size["n_synapses"], *ended)


def timed(command: Sequence[str], limit: float) -> tuple[float, float] | str:
    """Run a command; return the seconds it took and its peak memory in MB, or why not."""
    with tempfile.TemporaryFile("w+") as said:
        before = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said)
        end, signals = before + limit, [signal.SIGTERM, signal.SIGKILL]
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            seconds = time.perf_counter() - before
            if pid:
                break
            if before + seconds > end and signals:
                # mc-run then ends what it has started
                process.send_signal(signals.pop(0))
                end += GRACE
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        if len(signals) < 2:
            return f"not within {limit:g} s"
        said.seek(0)
        return last_line(said.read()) if process.returncode else (seconds, usage.ru_maxrss / 1024)


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def largest(simulator: Simulator, arguments: argparse.Namespace) -> tuple[Done | None, str]:
    """Climb: each next scale is the largest that should end in time by the run before.

    The time is taken for that of the smallest network, and beyond it for proportional to the synapses, so to the
    square of the scale. Returns the largest that was done, and what was seen beyond it.
    """
    python = arguments.brian2 if simulator.brian2 else sys.executable
    best: Done | None = None
    base, beyond, rung, above = 0.0, "", 0, len(RUNGS)
    while True:
        found = attempt(simulator, RUNGS[rung], python, arguments.duration, arguments.limit)
        print(f"  {simulator.name} {RUNGS[rung]:g}: {found}", file=sys.stderr, flush=True)
        if isinstance(found, Done):
            if best is None:
                base = found.seconds
            best, low = found, rung
        else:
            beyond, above = f"{RUNGS[rung]:g}: {found}", rung
            if best is None:
                return None, beyond
        spare = max(AIM * arguments.limit - base, 0.0)
        reach = best.scale * min(math.sqrt(spare / max(best.seconds - base, 1e-3)), GROWTH)
        candidates = [i for i in range(low + 1, above) if RUNGS[i] <= reach]
        if not candidates:
            return best, beyond
        # below a scale that took too long, half of the way
        rung = candidates[-1] if above == len(RUNGS) else candidates[len(candidates) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulators", nargs="*", metavar="NAME", help="of mc-run; all if none is given")
    parser.add_argument("--brian2", default=sys.executable, metavar="PYTHON", help="of an environment with Brian2")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds")
    parser.add_argument("--duration", type=float, default=1000.0, help="model time in ms")
    arguments = parser.parse_args()
    if unknown := set(arguments.simulators) - {simulator.name for simulator in SIMULATORS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(f"{arguments.duration:g} ms of PD14 within {arguments.limit:g} s; {machine()}\n")
    print(
        "| simulator | largest scale done | neurons | synapses | time (s) | memory (GB) |", f"|{'---|' * 6}", sep="\n"
    )
    for simulator in SIMULATORS:
        if arguments.simulators and simulator.name not in arguments.simulators:
            continue
        done, beyond = largest(simulator, arguments)
        name = f"{simulator.name}, frozen" if FROZEN in simulator.export else simulator.name
        name += f", {simulator.threads} threads" if simulator.threads > 1 else ""
        cells = [name, f"none ({beyond})", *[""] * 4]
        if done:
            cells = [name, f"{done.scale:g}", f"{done.neurons:,}", f"{done.synapses:,}"]
            cells += [f"{done.seconds:.0f}", f"{done.peak / 1024:.1f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
