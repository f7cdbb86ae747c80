"""``mc-validate``: whether an export is still what was written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mc_interchange import registry
from mc_interchange.contracts import Importer
from mc_interchange.errors import FormatError, InterchangeError
from mc_interchange.manifest import Finding, check_manifest, read_manifest
from mc_interchange.output import MANIFEST
from mc_interchange.runs import RUN_FILE

from . import options
from .common import NO, Terminal, Tool, one_line

__all__ = ["check", "command", "main"]


@click.command("mc-validate", cls=Tool, examples=("mc-validate pd14-sonata", "mc-validate pd14-sonata --json"))
@click.argument("path", type=click.Path(path_type=Path))
@options.quiet
@options.json_result
def command(path: Path, quiet: bool, as_json: bool) -> int:
    """Check an export: every file and dataset against its manifest, and that it can be opened.

    Exit code 0: as it was written; 1: it is not, with what changed; 2: not an export.
    """
    if not path.exists():
        raise FormatError(f"{path}: no such file or directory")
    if not (path / MANIFEST).is_file():
        kind = "a run, not an export" if (path / RUN_FILE).is_file() else f"not an export (no {MANIFEST})"
        raise FormatError(f"{path}: {kind}")
    findings = check(path)
    errors = sum(finding.level == "error" for finding in findings)
    lines = [f"{finding.level}: {finding.where}: {finding.message}" for finding in findings]
    lines.append(f"valid: {'no' if errors else 'yes'}")
    document = {"path": str(path), "valid": not errors, "findings": [asdict(finding) for finding in findings]}
    Terminal(quiet, as_json).result("\n".join(lines), document)
    return NO if errors else 0


def check(path: Path) -> list[Finding]:
    """Return all findings about an export; damage of any kind is a finding."""
    try:
        manifest = read_manifest(path)
        findings = check_manifest(path)
    except InterchangeError as error:
        return [Finding("error", MANIFEST, one_line(error).removeprefix(f"{path / MANIFEST}: "))]
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        return [Finding("error", MANIFEST, f"is damaged ({type(error).__name__}: {one_line(error)})")]
    return findings + _check_opens(path, manifest.get("format"))


def _check_opens(path: Path, format: object) -> list[Finding]:
    """Open an export with the importer of its format, where there is one."""
    if format not in registry.names("importer"):
        return []
    try:
        importer: Importer = registry.load("importer", str(format))
        importer.read(path)
    except InterchangeError as error:
        return [Finding("error", str(format), f"cannot be opened: {one_line(error)}")]
    except Exception as error:  # whatever a damaged file makes a library raise, the answer is the same
        return [Finding("error", str(format), f"cannot be opened: {type(error).__name__}: {one_line(error)}")]
    return []


def main() -> None:
    """Run the tool."""
    command.main()
