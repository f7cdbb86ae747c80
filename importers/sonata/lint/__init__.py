"""A linter for SONATA directories, whoever wrote them.

It reads every file to its end, in blocks, and reports what breaks the format; and for each consumer that is asked for,
what that one fails on or takes for something else. It never raises because of what is in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from mc_interchange.contracts import Finding
from mc_interchange.progress import Progress

from . import for_bmtk, for_libsonata, for_nest, for_pynn
from .circuits import Circuit, Files, check_circuit, loose_circuit
from .configs import find_settings
from .needs import Subject
from .report import Report
from .simulations import check_node_sets, check_simulation, resolution

__all__ = ["CONSUMERS", "check_directory"]

_CHECKS: dict[str, tuple[str | None, Callable[[Subject], None]]] = {
    "bmtk": (None, for_bmtk.check),
    "libsonata": ("snap", for_libsonata.check),
    "nest": ("nest", for_nest.check),
    "pynn": ("pynn", for_pynn.check),
}
#: Tools whose needs are known.
CONSUMERS = tuple(_CHECKS)


def check_directory(path: Path, consumers: Collection[str], progress: Progress) -> list[Finding]:
    """Check a directory, or the circuit of one config.

    Parameters
    ----------
    path
        A directory or a circuit config.
    consumers
        Some of :data:`CONSUMERS`.
    progress
        Told of the bytes that are read.
    """
    root = path if path.is_dir() else path.parent
    report = Report(root, progress)
    progress.task("checking SONATA", sum(f.stat().st_size for f in root.rglob("*.h5") if f.is_file()), "B")
    with report.guard(root):
        _check(report, path, consumers)
    return report.findings


def _check(report: Report, path: Path, consumers: Collection[str]) -> None:
    settings = find_settings(report, path)
    dt = resolution(settings)
    files = Files(report, dt)
    circuits: list[Circuit] = []
    for setting in settings:
        if "networks" in setting.content:
            with report.guard(setting.file):
                circuits.append(check_circuit(files, [setting, *settings], dt))
    if not circuits and path.is_dir():
        report.warning(report.root, "", "there is no circuit config; node and edge files were paired by their names")
        circuits.append(loose_circuit(files, path, dt))
    nodes = {name: member.population for circuit in reversed(circuits) for name, member in circuit.nodes.items()}
    node_sets: dict[Path, dict[str, Any]] = {}
    for setting in settings:
        with report.guard(setting.file):
            node_sets.update([found] if (found := check_node_sets(setting, nodes, node_sets)) else [])
    names = {name for content in node_sets.values() for name in content}
    simulations = []
    for setting in settings:
        if "networks" not in setting.content or "run" in setting.content:
            with report.guard(setting.file):
                simulations.append(check_simulation(setting, nodes, names, dt))
    for consumer in consumers:
        dialect, check = _CHECKS[consumer]
        with report.guard(report.root):
            check(Subject.of(dialect, report, circuits, simulations, node_sets))
