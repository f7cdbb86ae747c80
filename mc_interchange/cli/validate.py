"""``mc-validate``: whether an export is still what was written, and whether files are sound for who reads them."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mc_interchange import registry
from mc_interchange.contracts import Finding, Importer
from mc_interchange.equivalence import first_difference
from mc_interchange.errors import (
    ArtefactError,
    FormatError,
    InterchangeError,
    MissingDependencyError,
    UsageError,
    one_line,
)
from mc_interchange.export import REPORT_FILE, default_workers
from mc_interchange.instance import EdgeDigest, Edges, NetworkInstance, digest_block, map_blocks, realize
from mc_interchange.manifest import check_manifest, read_manifest, refuse_shard
from mc_interchange.output import MANIFEST, MODEL_FILE
from mc_interchange.progress import Progress, Silent, shown_progress
from mc_interchange.reading import find_importer
from mc_interchange.runs import RUN_FILE

from . import options
from .common import NO, Terminal, Tool

__all__ = ["check", "command", "main"]


class _Consumer(click.ParamType[str, str]):
    """A tool whose needs the importer of some format knows."""

    name = "consumer"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """List them."""
        return f"[{'|'.join(_consumers())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is none."""
        if value not in _consumers():
            self.fail(f"unknown consumer '{value}'; known: {', '.join(_consumers()) or 'none'}", param, ctx)
        return value


def _consumers() -> list[str]:
    found: set[str] = set()
    for name in registry.names("importer"):
        try:
            found |= set(registry.load("importer", name).consumers)
        except (UsageError, MissingDependencyError):  # it cannot be asked
            continue
    return sorted(found)


@click.command(
    "mc-validate",
    cls=Tool,
    examples=(
        "mc-validate pd14-sonata                               # as it was written?",
        "mc-validate pd14-sonata --for bmtk --for libsonata    # and what these tools need",
        "mc-validate their_network --json                      # a SONATA directory of anyone",
    ),
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--for", "consumers", multiple=True, type=_Consumer(), help="Check what this reader needs, too (repeatable)."
)
@click.option(
    "--certificate", type=click.Path(path_type=Path), help="Hold this certificate of mc-verify against the export."
)
@options.quiet
@options.json_result
def command(path: Path, consumers: tuple[str, ...], certificate: Path | None, quiet: bool, as_json: bool) -> int:
    """Check files: of an export, each against its manifest; of a format that can be read, all that they hold.

    Exit code 0: no errors (there may be warnings); 1: there are errors; 2: nothing that can be checked.
    """
    if not path.exists():
        raise FormatError(f"{path}: no such file or directory")
    consumers = tuple(dict.fromkeys(consumers))
    with shown_progress(quiet) as progress:
        findings = check(path, progress, consumers)
    if certificate is not None:
        findings += _check_certificate(certificate, path)
    count = Counter(finding.level for finding in findings)
    lines = [f"{finding.level}: {finding.where}: {finding.message}" for finding in findings]
    lines.append(f"valid: {'no' if count['error'] else 'yes'}")
    document: dict[str, Any] = {"path": str(path), "for": list(consumers), "valid": not count["error"]}
    document["findings"] = [asdict(finding) for finding in findings]
    Terminal(quiet, as_json).result("\n".join(lines), document)
    return NO if count["error"] else 0


def check(path: Path, progress: Progress | None = None, consumers: Collection[str] = ()) -> list[Finding]:
    """Return all findings about an export, or about a path that an importer recognises; damage is a finding.

    Parameters
    ----------
    consumers
        Tools whose needs are checked, too.

    Raises
    ------
    FormatError
        It is neither an export nor recognised.
    UsageError
        Its format has no such consumer.
    """
    progress = progress or Silent()
    if (path / MANIFEST).is_file():
        return _check_export(path, progress, consumers)
    if (path / RUN_FILE).is_file():
        raise FormatError(f"{path}: a run, not an export")
    refuse_shard(path)
    try:
        importer = find_importer(path)
    except FormatError as error:
        reason = one_line(error).removeprefix(f"{path}: not a model file (.yaml) and ")
        raise FormatError(f"{path}: not an export (no {MANIFEST}), and {reason}") from None
    return _check_format(importer, path, progress, consumers)


def _check_certificate(certificate: Path, path: Path) -> list[Finding]:
    """Say what a certificate states that is not true of an export."""
    from mc_interchange.verify.certificate import check_certificate, read_certificate

    stated = read_certificate(certificate)
    wrong = [] if stated.passed else ["states that the verification failed"]
    return [Finding("error", certificate.name, "", text) for text in (*wrong, *check_certificate(stated, path))]


def _check_export(path: Path, progress: Progress, consumers: Collection[str]) -> list[Finding]:
    """Check an export against its manifest, as its format, and whether it holds what the manifest says."""
    findings: list[Finding] = []
    manifest: dict[str, Any] = {}
    try:
        manifest = read_manifest(path)
        findings = check_manifest(path)
    except InterchangeError as error:
        findings = [Finding("error", MANIFEST, "", one_line(error).removeprefix(f"{path / MANIFEST}: "))]
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        findings = [Finding("error", MANIFEST, "", f"is damaged ({type(error).__name__}: {one_line(error)})")]
    importer = _importer_of(path, manifest)
    if importer is None:
        if consumers:
            raise UsageError(f"--for {next(iter(consumers))}: nothing reads the format of {path}")
        return findings
    findings += _check_format(importer, path, progress, consumers)
    if manifest:
        whole = not any(finding.level == "error" for finding in findings)
        findings += _check_content(importer, path, manifest, progress) if whole else _changed_edges(importer, path)
    return findings


def _importer_of(path: Path, manifest: dict[str, Any]) -> Importer | None:
    """Return the importer of the format that the manifest names, else one that recognises the path."""
    format = manifest.get("format")
    if isinstance(format, str) and format in registry.names("importer"):
        importer: Importer = registry.load("importer", format)
        return importer
    try:
        return None if isinstance(format, str) else find_importer(path)
    except FormatError:
        return None


def _check_format(importer: Importer, path: Path, progress: Progress, consumers: Collection[str]) -> list[Finding]:
    unknown = [name for name in consumers if name not in importer.consumers]
    if unknown:
        known = ", ".join(importer.consumers) or "none"
        raise UsageError(f"--for {unknown[0]}: {path} is {importer.format}; the consumers known of it: {known}")
    return importer.check(path, consumers, progress=progress)


def _check_content(importer: Importer, path: Path, manifest: dict[str, Any], progress: Progress) -> list[Finding]:
    """Open an export whose files are sound, and compare the facts."""
    try:
        return _check_facts(importer.read(path), manifest, progress, excused=_excused(path))
    except ArtefactError:  # as the check of its format has told
        return []
    except Exception as error:  # whatever a damaged file makes a library raise, the answer is the same
        return [Finding.of(error, path)]


def _changed_edges(importer: Importer, path: Path) -> list[Finding]:
    """Name the first changed synapse of each projection, where the rules can be drawn again."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a damaged export makes of its rules is known by now
            instance = importer.read(path)
            if instance.network is None:
                return []
            drawn = realize(instance.network, instance.seed).projections
            found = {
                name: first_difference(edges, drawn[name])
                for name, edges in instance.projections.items()
                if name in drawn and edges.n_edges == drawn[name].n_edges and _digest(edges) != _digest(drawn[name])
            }
    except Exception:  # the export cannot be read, as other findings say
        return []
    return [
        Finding(
            "error",
            MODEL_FILE,
            name,
            f"row {where.row}: its rules draw {where.words[1]}, the files hold {where.words[0]}",
        )
        for name, where in found.items()
        if where
    ]


def _digest(edges: Edges) -> EdgeDigest:
    """Return the digest of a projection, which does not depend on the order of its synapses, as their rows do."""
    return sum(map_blocks(edges, digest_block, workers=default_workers()), EdgeDigest())


def _check_facts(
    instance: NetworkInstance, manifest: dict[str, Any], progress: Progress, *, excused: Collection[str]
) -> list[Finding]:
    """Compare what the manifest states of a network with what was read.

    Parameters
    ----------
    excused
        Parts of the digest that may differ, since the format does not hold them as they were.
    """
    found = {"n_neurons": instance.n_neurons, "n_synapses": instance.n_edges}
    if instance.seed is not None:
        found["seed"] = instance.seed
    different = [name for name, value in found.items() if manifest.get(name) != value]
    findings = [
        Finding("error", MANIFEST, "", f"{name}: states {manifest.get(name)!r}, there is {found[name]!r}")
        for name in different
    ]
    stated = manifest.get("digest")
    progress.task("reading", instance.n_edges, "edges")
    read = instance.digest(workers=default_workers(), progress=progress.advance).to_json()
    if stated != read:
        keys = [key for key in read if not isinstance(stated, dict) or stated.get(key) != read[key]]
        message = f"digest: is not that of what was read ({', '.join(keys)} differ)"
        # what a format cannot hold comes back changed, and that is no damage
        told = isinstance(stated, dict) and stated.keys() == read.keys() and set(keys) <= set(excused)
        if told:
            message += f"; {REPORT_FILE} says what was approximated or dropped"
        findings.append(Finding("warning" if told else "error", MANIFEST, "", message))
    return findings


def _excused(path: Path) -> tuple[str, ...]:
    """Return the parts of the digest that the export report says are not in the files as they were."""
    try:
        losses = json.loads((path / REPORT_FILE).read_text(encoding="utf-8"))["losses"]
        lost = [loss["what"] for loss in losses if loss["how"] != "beside"]
        weights = any(what.startswith("weights of ") for what in lost)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ()
    if not lost:
        return ()
    return ("all", "nodes", "parameters", "inputs", *(["edges"] if weights else []))


def main() -> None:
    """Run the tool."""
    command.main()
