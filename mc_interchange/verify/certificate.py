"""A certificate: what was found of an export, so that others can hold it against the files later."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.manifest import created_by, read_manifest
from mc_interchange.network.base import Count, Part
from mc_interchange.output import MANIFEST

from .ladder import Verification

__all__ = ["CERTIFICATE", "Certificate", "check_certificate", "read_certificate", "write_certificate"]

CERTIFICATE = "certificate.json"


class CertifiedFigure(Part):
    """One number with its limit (:class:`mc_interchange.equivalence.rungs.Figure`).

    ``value`` is a text where it is not finite.
    """

    name: str
    value: float | str
    limit: float | None
    passed: bool
    detail: str


class CertifiedRung(Part):
    """One rung with its figures, or why there are none."""

    name: str
    passed: bool | None
    why_not: str
    figures: tuple[CertifiedFigure, ...]


class Certificate(Part):
    """What was found.

    Parameters
    ----------
    model
        Name of the model.
    digest
        Of all that was read; None where no rung needed it.
    n_neurons, n_synapses
        Numbers of neurons and synapses.
    versions
        Of what decided.
    settings
        Rungs, seeds, durations.
    rungs
        Results.
    passed
        The verdict.
    """

    certificate_version: Literal[1] = 1
    model: str
    digest: str | None
    n_neurons: Count
    n_synapses: Count
    versions: dict[str, str]
    settings: dict[str, Any]
    rungs: tuple[CertifiedRung, ...]
    passed: bool

    @classmethod
    def of(cls, found: Verification) -> Certificate:
        """Make one of what was found."""
        versions = {**created_by()}
        for run in found.runs.values():
            versions |= run.versions
        return cls(
            model=found.instance.name,
            digest=found.digest,
            n_neurons=found.instance.n_neurons,
            n_synapses=found.instance.n_edges,
            versions=versions,
            settings={
                "rungs": list(found.settings.rungs),
                "spikes_duration": found.settings.spikes_duration,
                "min_spikes": found.settings.min_spikes,
                "seeds": list(found.settings.seeds),
            },
            rungs=tuple(
                CertifiedRung(
                    name=rung.name,
                    passed=rung.passed,
                    why_not=rung.why_not,
                    figures=tuple(
                        CertifiedFigure(
                            name=f.name,
                            value=float(f.value) if math.isfinite(f.value) else str(f.value),
                            limit=f.limit,
                            passed=f.passed,
                            detail=f.detail,
                        )
                        for f in rung.figures
                    ),
                )
                for rung in found.rungs
            ),
            passed=found.passed,
        )


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write a certificate as JSON."""
    path.write_text(json.dumps(certificate.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")


def read_certificate(path: Path) -> Certificate:
    """Read a certificate.

    Raises
    ------
    FormatError
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise FormatError(f"{path}: not a certificate (not a JSON object)")
        return Certificate(**content)
    except (OSError, ValueError, ModelError) as error:
        raise FormatError(f"{path}: not a certificate ({error})") from None


def check_certificate(certificate: Certificate, export: Path) -> list[str]:
    """Say what a certificate states that is not true of an export.

    Parameters
    ----------
    export
        A directory with a manifest. That its files are those of the manifest is checked elsewhere.
    """
    manifest = read_manifest(export)
    stated = manifest.get("digest")
    found = {
        "model": manifest.get("model"),
        "n_neurons": manifest.get("n_neurons"),
        "n_synapses": manifest.get("n_synapses"),
        "digest": stated.get("all") if isinstance(stated, dict) else None,
    }
    claims = certificate.model_dump(include=set(found))
    return [
        f"{key}: the certificate is of {claims[key]}, {MANIFEST} states {value}"
        for key, value in found.items()
        if claims[key] is not None and claims[key] != value
    ]
