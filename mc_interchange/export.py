"""Exporting: everything that is the same for all formats.

Staging, the loss report, the model file beside the export, and the manifest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import registry
from .contracts import Exporter, ExportOptions, Loss
from .errors import NotRepresentableError, UsageError
from .instance import InstanceDigest, NetworkInstance, PoissonTrains
from .manifest import created_by, write_manifest
from .network import Experiment, PoissonActivity, write_experiment, write_network
from .output import EXPERIMENT_FILE, MANIFEST, MODEL_FILE, SHARD, reserve, staged_directory
from .progress import Progress, Silent
from .shards import Shard, ShardExporter, share_of

__all__ = ["MODEL_FILE", "REPORT_FILE", "ExportResult", "export"]

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
    shard: Shard | None = None,
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
    shard
        Write this share of the synapses only, for :func:`mc_interchange.join.join_shards`.
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
    if strict:
        _refuse_losses(exporter, losses)
    writer: Exporter[Any] = exporter
    marker, facts = MANIFEST, {}
    if shard is not None:
        instance, writer = share_of(instance, shard), ShardExporter()
        marker, facts = SHARD, {"shard": str(shard)}
    with staged_directory(out, force=force, marker=marker) as directory:
        reserve(directory, writer.estimate(instance, options))
        written = writer.write(instance, directory, options, workers=workers or default_workers(), progress=progress)
        if strict:
            _refuse_losses(exporter, written.losses)
        losses = [*losses, *written.losses]
        n_written = sum(edges.count for edges in written.edges.values())
        if n_written != instance.n_edges:
            raise RuntimeError(f"the exporter {writer.format} wrote {n_written} of {instance.n_edges} synapses")
        digest = instance.digest_with(written.edges)
        if instance.network is not None:
            write_network(instance.network, directory / MODEL_FILE)
        else:
            write_experiment(_experiment(instance), directory / EXPERIMENT_FILE)
        _write_report(directory / REPORT_FILE, exporter, losses, instance)
        write_manifest(
            directory,
            {
                "created_by": created_by(),
                **facts,
                "format": exporter.format,
                "options": options.model_dump(mode="json"),
                "model": instance.name,
                "seed": instance.seed,
                "n_neurons": instance.n_neurons,
                "n_synapses": instance.n_edges,
                "digest": digest.to_json(),
            },
            written.columns,
            name=marker,
        )
    return ExportResult(Path(out), tuple(losses), digest, instance.n_neurons, instance.n_edges)


def _refuse_losses(exporter: Exporter[Any], losses: Sequence[Loss]) -> None:
    if losses:
        first = losses[0]
        more = f" (and {len(losses) - 1} more)" if len(losses) > 1 else ""
        raise NotRepresentableError(f"{exporter.format} cannot hold {first.what}: {first.how}, {first.detail}{more}")


def _experiment(instance: NetworkInstance) -> Experiment:
    """Return what an instance says beside its neurons and synapses."""
    activity = {n.name: n.activity for n in instance.populations.values() if isinstance(n.activity, PoissonActivity)}
    return Experiment(inputs=instance.inputs, activity=activity, simulation=instance.simulation)


def default_workers() -> int:
    """Return the number of threads that exports use unless told otherwise."""
    return max(1, min(8, available_cores()))


def available_cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _kind(value: object) -> str:
    return type(value).__name__


def _write_report(path: Path, exporter: Exporter[Any], losses: list[Loss], instance: NetworkInstance) -> None:
    report: dict[str, Any] = {"format": exporter.format, "exact": not losses, "losses": [asdict(x) for x in losses]}
    frozen = {n.name: n.activity for n in instance.populations.values() if isinstance(n.activity, PoissonTrains)}
    if frozen:
        until, seed = instance.simulation.duration, instance.simulation.seed
        report["frozen"] = {
            name: {"n_spikes": trains.n_spikes, "until_ms": until, "seed": seed} for name, trains in frozen.items()
        }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
