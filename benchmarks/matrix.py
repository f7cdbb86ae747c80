"""Runs one network in every tool that can be driven, and writes the table of tools: ``make matrix``.

The table goes to ``docs/tools.md`` and, between its marks, to ``README.md``. Tools that need an environment of their
own run there (``--brian2 PYTHON``).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine

from mc_interchange import build, realize, registry
from mc_interchange.equivalence import compare_spikes, compare_structure, observe
from mc_interchange.equivalence.null import stored_null
from mc_interchange.equivalence.probes import expected_course, probe
from mc_interchange.equivalence.rules import check_rules
from mc_interchange.equivalence.statistical import compare_statistics
from mc_interchange.errors import ArtefactError, InterchangeError, one_line
from mc_interchange.export import export
from mc_interchange.formats.sonata_output import read_spikes
from mc_interchange.importers.nest import capture
from mc_interchange.instance import NetworkInstance, freeze_inputs
from mc_interchange.progress import Silent
from mc_interchange.reading import open_model
from mc_interchange.reference_models.pd14.native import NativeMicrocircuit
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run, Spikes, read_run

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tools.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- tools: written by make matrix -->", "<!-- end of tools -->"

SMALL = {"n_scale": 0.002, "k_scale": 0.01, "bg_rate": 12.0, "duration": 300.0, "discard": 0.0}
#: Largest deviation of a potential, mV (some tools record float32, whose numbers are 7.6e-6 mV apart there); of a mean
#: rate, relative.
V_LIMIT, RATE_LIMIT = 1e-5, 0.1
#: One-sided quantile of the normal distribution at 5 %.
Z = 1.645

INTRODUCTION = """# Tools

What each tool makes of one and the same network. This page and the table in the README are written by `make matrix`
from real runs.

- **structure**: the tool's files, read back, hold every neuron and synapse.
- **single neuron**: largest deviation of the membrane potential of a neuron under known input from the closed form;
  within limits up to {v_limit:g} mV, since some tools record single precision.
- **spikes**: 155 neurons, {n_synapses:,} synapses, direct current, {duration:g} ms: how many of NEST's {n_spikes:,}
  spikes are the same, in neuron and step.
- **statistics**: the same network under frozen Poisson input, where NEST has {n_frozen:,} spikes: deviation of the mean
  rate, within limits if it is shown to be below {rate_limit:.0%} (two one-sided tests at 5 %, neurons paired).

*Matched* exports have parameters with which the tool's step is NEST's ([neuroml-simulators.md](neuroml-simulators.md));
the others have the model's own. Where those deviate, it is by the integration: Euler steps are of first order in `dt`.

The first row is another comparison: with the network that `microcircuit` builds by its own code. Its structure is held
against our rules (N = 0.02, K = 0.5), its spikes against those of its captured and exported network, and three of our
networks with Poisson input (scale 0.05) against the distributions of its runs ([equivalence.md](equivalence.md)).

How large a network each simulator does in five minutes: [performance.md](performance.md#sizes).

"""


@dataclass(frozen=True)
class Tool:
    """One row: a tool, the files it reads, and how it runs them.

    Parameters
    ----------
    name, package
        What it is called, here and where it is installed from.
    way
        By which files, in words.
    run
        Simulates the instance from its files in a directory; the last argument is an empty one to work in.
    format, options
        Of the files.
    """

    name: str
    package: str
    way: str
    run: Callable[[NetworkInstance, Path, Path], Run]
    format: str = "sonata"
    options: Mapping[str, Any] = field(default_factory=dict)

    def export(self, instance: NetworkInstance, directory: Path) -> Path:
        """Write the files."""
        exporter = registry.load("exporter", self.format)
        return export(instance, exporter, directory / "files", exporter.Options(**self.options)).path


def in_nest(instance: NetworkInstance, files: Path, scratch: Path) -> Run:  # noqa: ARG001
    return NestRunner().run(open_model(files))


def by_script(script: str) -> Callable[[NetworkInstance, Path, Path], Run]:
    """Run a script that lies in every SONATA export."""

    def run(instance: NetworkInstance, files: Path, scratch: Path) -> Run:
        call([sys.executable, str(files / script), str(scratch / "out")], scratch)
        dt = instance.simulation.dt
        found = {
            name: Spikes.sorted(np.rint(times / dt).astype(np.int64), ids.astype(np.int64))
            for name, (times, ids) in read_spikes(scratch / "out" / "spikes.h5").items()
        }
        none = Spikes(np.empty(0, np.int64), np.empty(0, np.int64))
        sizes = {name: nodes.size for name, nodes in instance.populations.items() if not nodes.virtual}
        spikes = {name: found.get(name, none) for name in sizes}
        return Run(instance.name, script, dt, instance.simulation.duration, 0.0, 1, 1, sizes, spikes)

    return run


def by_runner(simulator: str) -> Callable[[NetworkInstance, Path, Path], Run]:
    """Let the runner of a simulator run its files."""

    def run(instance: NetworkInstance, files: Path, scratch: Path) -> Run:  # noqa: ARG001
        found: Run = registry.load("runner", simulator).run_files(files, scratch, threads=None, progress=Silent())
        return found

    return run


def elsewhere(python: str, simulator: str) -> Callable[[NetworkInstance, Path, Path], Run]:
    """Let the runner of a simulator run its files in another environment."""

    def run(instance: NetworkInstance, files: Path, scratch: Path) -> Run:  # noqa: ARG001
        code = "from mc_interchange.cli.run import main; main()"
        out = scratch / "out"
        call([python, "-c", code, str(files), "--simulator", simulator, "--out", str(out), "--quiet"], scratch)
        return read_run(out)

    return run


def call(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise InterchangeError(one_line(done.stderr.strip().splitlines()[-1], 120))


def tools(brian2: str) -> tuple[Tool, ...]:
    """Return all rows; ``brian2`` is the Python of an environment with Brian2."""

    def neuroml(name: str, package: str, simulator: str, matched: bool = False) -> Tool:
        options = {**registry.load("runner", simulator).export_options}
        options |= {"matched_to": simulator} if matched else {}
        way = "NeuroML, matched" if matched else "NeuroML"
        return Tool(name, package, way, by_runner(simulator), "neuroml", options)

    return (
        Tool("NEST (mc-run)", "nest-simulator", "SONATA", in_nest),
        Tool("bmtk", "bmtk", "SONATA", by_script("load_with_bmtk.py")),
        Tool("PyNN on NEST", "PyNN", "SONATA", by_script("load_with_pynn.py")),
        Tool("PyNN on NEST", "PyNN", "PyNN", by_runner("pynn-nest"), "pynn"),
        Tool("PyNN on NEURON", "PyNN", "PyNN", by_runner("pynn-neuron"), "pynn"),
        Tool("PyNN on Brian2", "PyNN", "PyNN", elsewhere(brian2, "pynn-brian2"), "pynn"),
        Tool("Brian2", "brian2", "Brian2", elsewhere(brian2, "brian2"), "brian2"),
        Tool("NEURON", "neuron", "NEURON (exact)", by_runner("neuron-exact"), "neuron"),
        neuroml("jLEMS", "pyNeuroML", "jlems", matched=True),
        neuroml("NEURON", "neuron", "neuron", matched=True),
        neuroml("jLEMS", "pyNeuroML", "jlems"),
        neuroml("NEURON", "neuron", "neuron"),
        neuroml("EDEN", "eden-simulator", "eden"),
        neuroml("NetPyNE", "netpyne", "netpyne"),
    )


def attempt(tool: Tool, instance: NetworkInstance) -> Run | str:
    """Run, or say in one line why not."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "work").mkdir()
        try:
            return tool.run(instance, tool.export(instance, directory), directory / "work")
        except InterchangeError as error:
            # what, without where
            return f"refused: {one_line(error).removeprefix('Error: ').partition(': ')[0]}"


def structure(tool: Tool, instance: NetworkInstance) -> str:
    with tempfile.TemporaryDirectory() as directory:
        try:
            found = compare_structure(instance, open_model(tool.export(instance, Path(directory))))
        except ArtefactError:
            return "an artefact: not read back"
    return "identical" if found.identical else f"differs: {'; '.join(found.differences)}"


def single_neuron(run: Run | str, neuron: Any) -> str:
    """Judge the potentials of a probe."""
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
    return f"within limits ({apart:.1g} mV)" if apart <= V_LIMIT else f"differs ({apart:.1g} mV)"


def spikes(run: Run | str, reference: Run) -> str:
    if isinstance(run, str):
        return run
    found = compare_spikes(reference, replace(run, discard=0.0))
    return "identical" if found.identical else f"differs ({found.n_common} of {found.n_spikes[0]} are the same)"


def statistics(run: Run | str, reference: Run, names: list[str]) -> str:
    """Judge the mean rate, neuron by neuron against the reference: both have the same synapses and input."""
    if isinstance(run, str):
        return run

    def counts(of: Run) -> Any:
        return np.concatenate([np.bincount(of.spikes[n].neurons, minlength=of.sizes[n]) for n in names])

    wanted = counts(reference)
    apart = counts(run) - wanted
    if all(
        np.array_equal(run.spikes[n].steps, reference.spikes[n].steps)
        and np.array_equal(run.spikes[n].neurons, reference.spikes[n].neurons)
        for n in names
    ):
        return "identical"
    deviation, error = apart.mean() / wanted.mean(), apart.std(ddof=1) / np.sqrt(len(apart)) / wanted.mean()
    shown = abs(deviation) + Z * error < RATE_LIMIT
    return f"{'within limits' if shown else 'differs'} ({deviation:+.1%})"


def native_row() -> list[str]:
    """Compare the network that ``microcircuit`` builds, by all rungs that apply to it."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        native = NativeMicrocircuit(directory / "data", n_scale=0.02, k_scale=0.5)
        path = export(capture(native.populations, name="pd14", duration=500.0), "sonata", directory / "files").path
        run = native.run(500.0)
        found = compare_spikes(run, NestRunner().run(open_model(path)))
        figures = check_rules(open_model(path), build("pd14", n_scale=0.02, k_scale=0.5, background="dc"))
    wrong = [figure.name for figure in figures if not figure.passed]
    least = min(figure.value for figure in figures if figure.kind == "at least")
    network = build("pd14", scale=0.05)
    null = stored_null(network)
    assert null is not None
    length = {"duration": null.discard + null.duration, "discard": null.discard}
    runs = []
    for seed in (1, 2, 3):
        instance = realize(network, seed)
        runs.append(NestRunner().run(replace(instance, simulation=instance.simulation.model_copy(update=length))))
    rung = compare_statistics(observe(runs), null)
    failed = "; ".join(figure.name for figure in rung.failures)
    worst = max(f.value / f.limit for f in rung.figures if f.limit and f.kind == "at most")
    return [
        "NEST (microcircuit)",
        version("microcircuit"),
        "its own code",
        f"differs: {', '.join(wrong[:3])}" if wrong else f"within limits (smallest p {least:.1g} of {len(figures)})",
        "the same NEST",
        f"identical ({found.n_spikes[0]:,} spikes)" if found.identical else f"differs: {found.divergence}",
        f"differs: {failed}" if failed else f"within limits (largest figure {worst:.2f} of its limit)",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brian2", default=sys.executable, metavar="PYTHON", help="of an environment with Brian2")
    arguments = parser.parse_args()
    current = realize(build("pd14", **SMALL, background="dc"))
    frozen = freeze_inputs(realize(build("pd14", **{**SMALL, "bg_rate": 30.0}, background="poisson")))
    references = NestRunner().run(current), NestRunner().run(frozen)
    names = list(current.populations)
    neuron = build("pd14", **SMALL, background="dc").populations[0].neuron
    rows = [f"| {' | '.join(native_row())} |"]
    print(rows[0], flush=True)
    for tool in tools(arguments.brian2):
        probed, driven, replayed = (attempt(tool, x) for x in (probe(neuron, 0.1), current, frozen))
        stated = next((r.versions for r in (probed, driven) if isinstance(r, Run) and tool.package in r.versions), {})
        cells = [
            tool.name,
            stated.get(tool.package) or version(tool.package),
            tool.way,
            structure(tool, current),
            single_neuron(probed, neuron),
            spikes(driven, references[0]),
            statistics(replayed, references[1], names),
        ]
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    table = ["| tool | version | by | structure | single neuron | spikes | statistics |", f"|{'---|' * 7}", *rows]
    head = INTRODUCTION.format(
        v_limit=V_LIMIT,
        rate_limit=RATE_LIMIT,
        n_synapses=current.n_edges,
        duration=SMALL["duration"],
        n_spikes=references[0].n_spikes,
        n_frozen=sum(len(references[1].spikes[name]) for name in names),
    )
    PAGE.write_text(head + "\n".join(table) + "\n", encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    block = "\n".join([BEGIN, *table, END])
    README.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, text, flags=re.DOTALL), encoding="utf-8")
    print(f"{PAGE.name} and {README.name} written ({machine()})")


if __name__ == "__main__":
    main()
