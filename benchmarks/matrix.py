"""Runs one network in every tool that can be driven, and writes the table of ``docs/tools.md``: ``make matrix``.

Structure: a reader gives back every neuron and synapse. Single neuron: membrane potentials of a probe (a neuron under
known input) against the closed form. Spikes: every spike of 155 neurons and 5,973 synapses with direct current, against
NEST. Statistics: the mean rates of the same network under frozen Poisson input, against NEST.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine

from mc_interchange import build, realize, registry
from mc_interchange.equivalence import compare_spikes, compare_structure
from mc_interchange.equivalence.probes import expected_course, probe
from mc_interchange.errors import InterchangeError, one_line
from mc_interchange.export import export
from mc_interchange.formats.sonata_output import read_spikes
from mc_interchange.instance import NetworkInstance, freeze_inputs
from mc_interchange.progress import Silent
from mc_interchange.reading import open_model
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run, Spikes

PAGE = Path(__file__).parents[1] / "docs" / "tools.md"
SMALL = {"n_scale": 0.002, "k_scale": 0.01, "bg_rate": 12.0, "duration": 300.0, "discard": 0.0}

INTRODUCTION = """# Tools

What each tool makes of one and the same network. This page is written by `make matrix` from real runs.

- **structure**: the tool's files, read back, hold every neuron and synapse.
- **single neuron**: largest deviation of the membrane potential of a neuron under known input from the closed form.
- **spikes**: 155 neurons, {n_synapses:,} synapses, direct current, {duration:g} ms: how many of NEST's {n_spikes:,}
  spikes are the same, in neuron and step.
- **rates**: the same network under frozen Poisson input: deviation of the number of spikes from NEST's {n_frozen:,}.

*Matched* exports have parameters with which the tool's step is NEST's ([neuroml-simulators.md](neuroml-simulators.md));
the others have the model's own. Where those deviate, it is by the integration: Euler steps are of first order in `dt`.

"""


@dataclass(frozen=True)
class Tool:
    """One row: how a tool runs an instance.

    ``run`` gives a Run; ``way`` tells by which files.
    """

    name: str
    package: str
    way: str
    run: Callable[[NetworkInstance, Path], Run]


def in_nest(instance: NetworkInstance, directory: Path) -> Run:
    return NestRunner().run(open_model(export(instance, "sonata", directory / "files").path))


def by_script(script: str) -> Callable[[NetworkInstance, Path], Run]:
    """Run the script that lies in every SONATA export."""

    def run(instance: NetworkInstance, directory: Path) -> Run:
        files = export(instance, "sonata", directory / "files").path
        done = subprocess.run(
            [sys.executable, str(files / script), str(directory / "out")], cwd=directory, capture_output=True, text=True
        )
        if done.returncode:
            raise InterchangeError(one_line(done.stderr.strip().splitlines()[-1], 120))
        dt = instance.simulation.dt
        found = {
            name: Spikes.sorted(np.rint(times / dt).astype(np.int64), ids.astype(np.int64))
            for name, (times, ids) in read_spikes(directory / "out" / "spikes.h5").items()
        }
        none = Spikes(np.empty(0, np.int64), np.empty(0, np.int64))
        sizes = {name: nodes.size for name, nodes in instance.populations.items() if not nodes.virtual}
        spikes = {name: found.get(name, none) for name in sizes}
        return Run(instance.name, script, dt, instance.simulation.duration, 0.0, 1, 1, sizes, spikes)

    return run


def by_files(simulator: str, **options: Any) -> Callable[[NetworkInstance, Path], Run]:
    """Run the NeuroML export in a simulator that reads it."""

    def run(instance: NetworkInstance, directory: Path) -> Run:
        runner = registry.load("runner", simulator)
        exporter = registry.load("exporter", runner.format)
        files = export(
            instance, exporter, directory / "files", exporter.Options(**{**runner.export_options, **options})
        ).path
        scratch = directory / "work"
        scratch.mkdir()
        found: Run = runner.run_files(files, scratch, threads=None, progress=Silent())
        return found

    return run


TOOLS = (
    Tool("NEST (mc-run)", "nest-simulator", "SONATA", in_nest),
    Tool("bmtk", "bmtk", "SONATA", by_script("load_with_bmtk.py")),
    Tool("PyNN on NEST", "PyNN", "SONATA", by_script("load_with_pynn.py")),
    Tool("jLEMS", "pyNeuroML", "NeuroML, matched", by_files("jlems", matched_to="jlems")),
    Tool("NEURON", "neuron", "NeuroML, matched", by_files("neuron", matched_to="neuron")),
    Tool("jLEMS", "pyNeuroML", "NeuroML", by_files("jlems")),
    Tool("NEURON", "neuron", "NeuroML", by_files("neuron")),
    Tool("EDEN", "eden-simulator", "NeuroML", by_files("eden")),
    Tool("NetPyNE", "netpyne", "NeuroML", by_files("netpyne")),
)


def attempt(tool: Tool, instance: NetworkInstance) -> Run | str:
    """Run, or say in one line why not."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            return tool.run(instance, Path(directory))
        except InterchangeError as error:
            # what, without where
            return one_line(error).partition(": ")[0]


def structure(instance: NetworkInstance) -> Iterator[str]:
    """Yield rows of the formats: written, read back, compared."""
    yield "| files | every neuron and synapse |"
    yield "|---|---|"
    for name, format, options in (
        ("SONATA", "sonata", {}),
        ("NeuroML, XML", "neuroml", {"encoding": "xml"}),
        ("NeuroML, HDF5", "neuroml", {"encoding": "hdf5"}),
    ):
        with tempfile.TemporaryDirectory() as directory:
            exporter = registry.load("exporter", format)
            path = export(instance, exporter, Path(directory) / "files", exporter.Options(**options)).path
            found = compare_structure(instance, open_model(path))
        yield f"| {name} | {'identical' if found.identical else '; '.join(found.differences)} |"


def single_neuron(tool: Tool) -> str:
    neuron = build("pd14", **SMALL, background="dc").populations[0].neuron
    run = attempt(tool, probe(neuron, 0.1))
    if isinstance(run, str):
        return run
    if not run.voltages:
        return "not recorded"
    report, wanted = run.voltages["neurons"], expected_course(neuron, neuron, 0.1)
    rows = np.rint(report.times / 0.1).astype(int)
    within = (rows >= 1) & (rows <= len(wanted.V_m))
    # until shortly before the first spike: one in another step is a difference of the whole way to the reset
    first = min(steps[0] for steps in wanted.spikes if steps) - 10
    within &= rows <= first
    apart = float(np.abs(report.values[within] - wanted.V_m[rows[within] - 1]).max())
    return f"{apart:.1g} mV"


def main() -> None:
    current = realize(build("pd14", **SMALL, background="dc"))
    network = build("pd14", **{**SMALL, "bg_rate": 30.0}, background="poisson")
    frozen = freeze_inputs(realize(network))
    references = NestRunner().run(current), NestRunner().run(frozen)
    rows = []
    for tool in TOOLS:
        cells = [tool.name, version(tool.package), tool.way, single_neuron(tool)]
        spikes = attempt(tool, current)
        if isinstance(spikes, str):
            cells.append(spikes)
        else:
            found = compare_spikes(references[0], replace(spikes, discard=0.0))
            cells.append("identical" if found.identical else f"{found.n_common} of {found.n_spikes[0]}")
        rates = attempt(tool, frozen)
        if isinstance(rates, str):
            cells.append(rates)
        else:
            wanted = sum(len(references[1].spikes[name]) for name in current.populations)
            number = sum(len(rates.spikes[name]) for name in current.populations)
            cells.append("identical" if number == wanted else f"{100 * (number / wanted - 1):+.1f} %")
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    n_frozen = sum(len(references[1].spikes[name]) for name in current.populations)
    head = INTRODUCTION.format(
        n_synapses=current.n_edges,
        duration=SMALL["duration"],
        n_spikes=references[0].n_spikes,
        n_frozen=n_frozen,
    )
    table = ["| tool | version | by | single neuron | spikes | rates |", "|---|---|---|---|---|---|", *rows]
    PAGE.write_text(head + "\n".join([*table, "", *structure(current)]) + "\n", encoding="utf-8")
    print(f"{PAGE.name} written ({machine()})")


if __name__ == "__main__":
    main()
