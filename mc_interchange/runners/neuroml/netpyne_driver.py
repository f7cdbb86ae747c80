"""Lets NetPyNE import and simulate a network, in a process of its own: ``python -P netpyne_driver.py TASK``.

What is done differently from ``sim.importNeuroML2SimulateAnalyze``:

- connections of a cell with itself are kept (NetPyNE leaves them out unless it is told), and all are counted;
- mechanisms have the names under which they are compiled, and get their parameters with all digits;
- spike arrays are replayed: NetPyNE takes every source of spikes for a random one, and stops at those that are not.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Precedes the time in ms on a line that tells how far the simulation is.
REPORT = "simulated "
#: How often such a line is printed, in s.
EVERY = 0.2
#: Number of times at which it is considered whether to print one.
LOOKS = 1000


def main(task_file: str) -> None:
    """Do what a task file says (see :class:`mc_interchange.runners.neuroml.netpyne.Task`)."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    from netpyne import sim, specs
    from netpyne.cell import NML2SpikeSource
    from netpyne.conversion import neuromlFormat

    class Source(NML2SpikeSource):  # type: ignore[misc]
        """A source of spikes that has nothing random."""

        def initRandom(self) -> None:
            """Do nothing."""

    builders = []

    class Builder(neuromlFormat.NetPyNEBuilder):  # type: ignore[misc]
        """NetPyNE's own, with other names of mechanisms."""

        def finalise(self) -> None:
            """Hand over what was read."""
            super().finalise()
            builders.append(self)
            _name_mechanisms(self.netParams, task["mechanisms"])

    sim.NML2SpikeSource = Source
    neuromlFormat.NetPyNEBuilder = Builder
    config = _config(specs, task)
    gids = neuromlFormat.importNeuroML2(task["network"], config, simulate=False, analyze=False)
    expected = sum(map(len, builders[0].connections.values()))
    found = sum(len(cell.conns) for cell in sim.net.cells)
    if found != expected:
        sys.exit(f"NetPyNE made {found} connections out of {expected}")
    handlers = _handlers(sim, gids, task)
    sim.runSim()
    del handlers
    sim.gatherData()
    _write_spikes(sim.allSimData, gids, task)
    _write_states(sim.allSimData, gids, task)


def _config(specs: Any, task: Mapping[str, Any]) -> Any:
    config = specs.SimConfig()
    # NEURON hands over the spikes of a step in the next one
    config.duration = task["duration"] + task["dt"]
    config.dt = config.recordStep = task["dt"]
    config.seeds = {"conn": task["seed"], "stim": task["seed"], "loc": task["seed"]}
    config.allowSelfConns = True
    config.saveCellSecs = config.saveCellConns = False
    config.gatherOnlySimData = True
    if task["states"]:
        config.recordTraces = {"v": {"sec": "soma", "loc": 0.5, "var": "v"}}
        config.recordCells = [(population, index) for state in task["states"] for population, index in state["cells"]]
    return config


def _name_mechanisms(params: Any, mechanisms: Mapping[str, Mapping[str, Any]]) -> None:
    for rule in params.cellParams.values():
        for section in rule["secs"].values():
            for process in section.get("pointps", {}).values():
                process.update(mechanisms.get(process["mod"], {}))
    for synapse in params.synMechParams.values():
        synapse.update(mechanisms.get(synapse["mod"], {}))
    for stimulus in params.stimSourceParams.values():
        found = dict(mechanisms.get(stimulus["type"], {}))
        # names decide otherwise what NetPyNE takes for random
        stimulus.update({"originalFormat": "NeuroML2", "type": found.pop("mod", stimulus["type"]), **found})


def _handlers(sim: Any, gids: Mapping[str, list[int]], task: Mapping[str, Any]) -> list[Any]:
    """Prepare what happens when NEURON is initialised: spikes of arrays get into its queue, and progress is told."""
    h = sim.h
    senders = []
    for population, times in task["trains"].items():
        for gid in gids[population]:
            (process,) = sim.net.cells[sim.net.gid2lid[gid]].secs["soma"]["pointps"].values()
            senders.append((h.NetCon(None, process["hObj"]), times))

    def send() -> None:
        for connection, times in senders:
            for time_ms in times:
                connection.event(time_ms)

    return [senders, h.FInitializeHandler(2, send), h.FInitializeHandler(2, _teller(sim, task["duration"]))]


def _teller(sim: Any, duration: float) -> Callable[[], None]:
    told = time.monotonic()

    def tell() -> None:
        nonlocal told
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            print(f"{REPORT}{sim.h.t}", flush=True)
        sim.cvode.event(sim.h.t + duration / LOOKS, tell)

    return tell


def _write_spikes(data: Mapping[str, Any], gids: Mapping[str, list[int]], task: Mapping[str, Any]) -> None:
    end = task["duration"] + task["dt"] / 2
    for item in task["events"]:
        names = {gids[population][index]: name for name, (population, index) in item["cells"].items()}
        with Path(item["file"]).open("w", encoding="utf-8") as file:
            for time_ms, gid in zip(data["spkt"], data["spkid"], strict=True):
                if int(gid) in names and time_ms < end:
                    file.write(f"{names[int(gid)]} {time_ms / 1000!r}\n")


def _write_states(data: Mapping[str, Any], gids: Mapping[str, list[int]], task: Mapping[str, Any]) -> None:
    dt = task["dt"]
    steps = range(round(task["duration"] / dt) + 1)
    for item in task["states"]:
        columns = [data["v"][f"cell_{gids[population][index]}"] for population, index in item["cells"]]
        with Path(item["file"]).open("w", encoding="utf-8") as file:
            for step, *row in zip(steps, *columns, strict=False):
                file.write(" ".join(repr(float(value) / 1000) for value in (step * dt, *row)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
