"""Exporting: everything that is the same for all formats.

Staging, the loss report, the model file beside the export, and the manifest.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import registry
from ._version import __version__
from .contracts import Exporter, ExportOptions, Loss
from .errors import NotRepresentableError, UsageError
from .instance import InstanceDigest, NetworkInstance
from .manifest import write_manifest
from .network import write_network
from .output import reserve, staged_directory
from .progress import Progress, Silent

__all__ = ["MODEL_FILE", "REPORT_FILE", "ExportResult", "export"]

#: The rules, beside every export that was made from rules.
MODEL_FILE = "model.yaml"
REPORT_FILE = "export_report.json"


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    Parameters
    ----------
    path
        The directory.
    losses
        What the format does not hold as it is.
    digest
        Of what was written.
    n_neurons, n_edges
        Numbers of neurons and synapses.
    """

    path: Path
    losses: tuple[Loss, ...]
    digest: InstanceDigest
    n_neurons: int
    n_edges: int


def export(
    instance: NetworkInstance,
    format: str | Exporter[Any],
    out: str | Path,
    options: ExportOptions | None = None,
    *,
    strict: bool = False,
    force: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ExportResult:
    """Write an instance in one format, completely or not at all.

    Parameters
    ----------
    instance
        What to write.
    format
        Name of a registered exporter, or one.
    out
        The directory to make.
    options
        Of this exporter; None: its defaults.
    strict
        Refuse, before anything is written, when the format cannot hold something exactly.
    force
        Replace an earlier export at ``out``.
    workers
        Threads that draw and encode; has no influence on the result. None: one per core, at most 8.

    Raises
    ------
    UsageError, NotRepresentableError, OutputError
    """
    exporter: Exporter[Any] = registry.load("exporter", format) if isinstance(format, str) else format
    options = exporter.Options() if options is None else options
    if not isinstance(instance, NetworkInstance):
        raise UsageError(f"only an instance can be exported, got {_kind(instance)}: realize() it first")
    if not isinstance(options, exporter.Options):
        raise UsageError(f"options: {exporter.format} takes {exporter.Options.__name__}, got {_kind(options)}")
    progress = progress or Silent()
    losses = exporter.losses(instance, options)
    if strict and losses:
        first = losses[0]
        more = f" (and {len(losses) - 1} more)" if len(losses) > 1 else ""
        raise NotRepresentableError(f"{exporter.format} cannot hold {first.what}: {first.how}, {first.detail}{more}")
    with staged_directory(out, force=force) as directory:
        reserve(directory, exporter.estimate(instance, options))
        written = exporter.write(instance, directory, options, workers=workers or default_workers(), progress=progress)
        n_written = sum(edges.count for edges in written.edges.values())
        if n_written != instance.n_edges:
            raise RuntimeError(f"the exporter {exporter.format} wrote {n_written} of {instance.n_edges} synapses")
        digest = instance.digest_with(written.edges)
        if instance.network is not None:
            write_network(instance.network, directory / MODEL_FILE)
        _write_report(directory / REPORT_FILE, exporter, losses)
        write_manifest(
            directory,
            {
                "created_by": {"mc-interchange": __version__, "numpy": np.__version__},
                "format": exporter.format,
                "options": options.model_dump(mode="json"),
                "model": instance.name,
                "seed": instance.seed,
                "n_neurons": instance.n_neurons,
                "n_synapses": instance.n_edges,
                "digest": digest.to_json(),
            },
            written.columns,
        )
    return ExportResult(Path(out), tuple(losses), digest, instance.n_neurons, instance.n_edges)


def default_workers() -> int:
    """Return the number of threads that exports use unless told otherwise."""
    return max(1, min(8, available_cores()))


def available_cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _kind(value: object) -> str:
    return type(value).__name__


def _write_report(path: Path, exporter: Exporter[Any], losses: list[Loss]) -> None:
    report: dict[str, Any] = {"format": exporter.format, "exact": not losses, "losses": [asdict(x) for x in losses]}
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
