"""``mc-validate``: whether an export is still what was written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mc_interchange import registry
from mc_interchange.contracts import Importer
from mc_interchange.errors import FormatError, InterchangeError, one_line
from mc_interchange.export import default_workers
from mc_interchange.instance import NetworkInstance
from mc_interchange.manifest import Finding, check_manifest, read_manifest
from mc_interchange.output import MANIFEST
from mc_interchange.progress import Progress, Silent, shown_progress
from mc_interchange.runs import RUN_FILE

from . import options
from .common import NO, Terminal, Tool

__all__ = ["check", "command", "main"]


@click.command("mc-validate", cls=Tool, examples=("mc-validate pd14-sonata", "mc-validate pd14-sonata --json"))
@click.argument("path", type=click.Path(path_type=Path))
@options.quiet
@options.json_result
def command(path: Path, quiet: bool, as_json: bool) -> int:
    """Check an export: every file and dataset against its manifest, and that it holds what that says.

    Exit code 0: as it was written; 1: it is not, with what changed; 2: not an export.
    """
    if not path.exists():
        raise FormatError(f"{path}: no such file or directory")
    if not (path / MANIFEST).is_file():
        kind = "a run, not an export" if (path / RUN_FILE).is_file() else f"not an export (no {MANIFEST})"
        raise FormatError(f"{path}: {kind}")
    with shown_progress(quiet) as progress:
        findings = check(path, progress)
    errors = sum(finding.level == "error" for finding in findings)
    lines = [f"{finding.level}: {finding.where}: {finding.message}" for finding in findings]
    lines.append(f"valid: {'no' if errors else 'yes'}")
    document = {"path": str(path), "valid": not errors, "findings": [asdict(finding) for finding in findings]}
    Terminal(quiet, as_json).result("\n".join(lines), document)
    return NO if errors else 0


def check(path: Path, progress: Progress | None = None) -> list[Finding]:
    """Return all findings about an export; damage of any kind is a finding."""
    progress = progress or Silent()
    try:
        manifest = read_manifest(path)
        findings = check_manifest(path)
    except InterchangeError as error:
        return [Finding("error", MANIFEST, one_line(error).removeprefix(f"{path / MANIFEST}: "))]
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        return [Finding("error", MANIFEST, f"is damaged ({type(error).__name__}: {one_line(error)})")]
    whole = not any(finding.level == "error" for finding in findings)
    return findings + _check_content(path, manifest, progress, whole=whole)


def _check_content(path: Path, manifest: dict[str, Any], progress: Progress, *, whole: bool) -> list[Finding]:
    """Open an export with the importer of its format, where there is one; if it is whole, compare the facts."""
    format = manifest.get("format")
    if format not in registry.names("importer"):
        return []
    try:
        importer: Importer = registry.load("importer", str(format))
        instance = importer.read(path)
        return _check_facts(instance, manifest, progress) if whole else []
    except InterchangeError as error:
        return [Finding("error", str(format), f"cannot be opened: {one_line(error)}")]
    except Exception as error:  # whatever a damaged file makes a library raise, the answer is the same
        return [Finding("error", str(format), f"cannot be opened: {type(error).__name__}: {one_line(error)}")]


def _check_facts(instance: NetworkInstance, manifest: dict[str, Any], progress: Progress) -> list[Finding]:
    """Compare what the manifest states of a network with what was read."""
    found = {"n_neurons": instance.n_neurons, "n_synapses": instance.n_edges}
    if instance.seed is not None:
        found["seed"] = instance.seed
    different = [name for name, value in found.items() if manifest.get(name) != value]
    findings = [
        Finding("error", MANIFEST, f"{name}: states {manifest.get(name)!r}, there is {found[name]!r}")
        for name in different
    ]
    stated = manifest.get("digest")
    progress.task("reading", instance.n_edges, "edges")
    read = instance.digest(workers=default_workers(), progress=progress.advance).to_json()
    if stated != read:
        keys = [key for key in read if not isinstance(stated, dict) or stated.get(key) != read[key]]
        findings.append(Finding("error", MANIFEST, f"digest: is not that of what was read ({', '.join(keys)} differ)"))
    return findings


def main() -> None:
    """Run the tool."""
    command.main()
