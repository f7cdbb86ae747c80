"""Runs the program that jNeuroML made for NEURON, in a process of its own: ``python -P neuron_driver.py TASK``.

Apart from what is said here, the program is jNeuroML's. It is advanced step by step, so that it can tell how far it
is; the spikes of spike arrays are sent by events; and parameters that it leaves at the defaults of their mechanisms,
which have six digits, are set.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Precedes the time in ms on a line that tells how far the simulation is.
REPORT = "simulated "
#: How often such a line is printed, in s.
EVERY = 0.2


def main(task_file: str) -> None:
    """Do what a task file says (see :class:`mc_interchange.runners.neuroml.neuron.Task`)."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    sys.path.insert(0, os.getcwd())
    # the compiled mechanisms in this directory are loaded with it
    from neuron import h

    program = importlib.import_module(task["program"])
    simulation = program.NeuronSimulation(tstop=task["duration"], dt=task["dt"], seed=task["seed"])
    for mechanism, parameters in task["parameters"].items():
        for instance in h.List(mechanism):
            for name, value in parameters.items():
                setattr(instance, name, value)
    h.stdinit()
    h.dt = task["dt"]
    sources = _send_spikes(h, task["trains"])
    _advance(h, task["n_steps"])
    # a threshold that is crossed in one step is noticed at the start of the next
    h.fadvance()
    h.v_time.resize(task["n_steps"] + 1)
    del sources
    with suppress(SystemExit):  # it quits when it has written everything
        simulation.save_results()


def _send_spikes(h: Any, trains: dict[str, list[float]]) -> list[Any]:
    """Put all spikes of spike arrays, in ms by the name of their mechanisms' variable, into the queue of events."""
    senders = []
    for variable, times in trains.items():
        for source in getattr(h, variable):
            senders.append(h.NetCon(None, source))
            for time_ms in times:
                senders[-1].event(time_ms)
    return senders


def _advance(h: Any, n_steps: int) -> None:
    told = time.monotonic()
    for _ in range(n_steps):
        h.fadvance()
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            print(f"{REPORT}{h.t}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
