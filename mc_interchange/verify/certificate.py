"""A certificate: what was found of two sides, so that others can hold it against the files later."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from mc_interchange.equivalence.rungs import Figure, Rung, keeps
from mc_interchange.equivalence.rungs import Kind as FigureKind
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.export import default_workers
from mc_interchange.instance.digest import digest_arrays
from mc_interchange.manifest import created_by, read_manifest
from mc_interchange.network.base import Count, Part, refusal
from mc_interchange.output import MANIFEST
from mc_interchange.reading import import_path
from mc_interchange.runs import Run

from .found import Verification
from .sides import Kind, Side

__all__ = ["CERTIFICATE", "Certificate", "check_certificate", "read_certificate", "write_certificate"]

CERTIFICATE = "certificate.json"


class CertifiedFigure(Part):
    """One number with its limit (:class:`mc_interchange.equivalence.rungs.Figure`).

    ``value`` is a text where it is not finite.
    """

    name: str
    value: float | str
    kind: FigureKind
    limit: float | None
    passed: bool
    detail: str

    @classmethod
    def of(cls, figure: Figure) -> CertifiedFigure:
        """Make one of a figure."""
        value = float(figure.value) if math.isfinite(figure.value) else str(figure.value)
        return cls(
            name=figure.name,
            value=value,
            kind=figure.kind,
            limit=figure.limit,
            passed=figure.passed,
            detail=figure.detail,
        )

    @model_validator(mode="after")
    def _consistent(self) -> CertifiedFigure:
        try:
            value = float(self.value)
        except ValueError:
            raise refusal(self.name, f"its value is {self.value!r}, which is no number") from None
        if self.passed != keeps(value, self.kind, self.limit):
            verdict = "passed" if self.passed else "failed"
            raise refusal(self.name, f"is said to have {verdict}, with {self.value} ({self.kind} {self.limit})")
        return self


class CertifiedRung(Part):
    """One rung with its figures, or why there are none."""

    name: str
    passed: bool | None
    why_not: str
    figures: tuple[CertifiedFigure, ...]

    @classmethod
    def of(cls, rung: Rung) -> CertifiedRung:
        """Make one of a rung."""
        figures = tuple(CertifiedFigure.of(figure) for figure in rung.figures)
        return cls(name=rung.name, passed=rung.passed, why_not=rung.why_not, figures=figures)

    @model_validator(mode="after")
    def _consistent(self) -> CertifiedRung:
        found = all(figure.passed for figure in self.figures) if self.figures else None
        if self.passed != found:
            raise refusal(self.name, f"its verdict is {self.passed}, that of its figures {found}")
        return self


class CertifiedSide(Part):
    """One of the two that were compared.

    Parameters
    ----------
    kind
        ``export``, ``rules`` (drawn from a description) or ``runs``.
    model
        Name of the model.
    digest
        Of the network; of runs, of all their spikes. None where no rung needed it.
    networks
        Of runs: the digests of the networks that were simulated, where known.
    seeds
        Of the network, or of the runs.
    n_neurons, n_synapses
        Their numbers; of runs, no number of synapses.
    simulators
        Of runs.
    """

    kind: Kind
    model: str
    digest: str | None
    networks: tuple[str | None, ...] = ()
    seeds: tuple[int, ...]
    n_neurons: Count
    n_synapses: Count | None
    simulators: tuple[str, ...] = ()

    @classmethod
    def of(cls, side: Side, digest: str | None) -> CertifiedSide:
        """Make one of a side; ``digest`` is that of a network."""
        return cls(
            kind=side.kind,
            model=side.model,
            digest=digest if side.instance else _digest_of_spikes(side.runs),
            networks=tuple(run.source_digest for run in side.runs),
            seeds=side.seeds,
            n_neurons=sum(side.sizes.values()),
            n_synapses=side.instance.n_edges if side.instance else None,
            simulators=tuple(sorted({run.simulator for run in side.runs})),
        )


class Certificate(Part):
    """What was found.

    Parameters
    ----------
    tested, reference
        The two sides; None: there was nothing to hold it against.
    versions
        Of what decided.
    settings
        Rungs, seeds of the runs, durations.
    rungs
        Results.
    passed
        The verdict.
    """

    certificate_version: Literal[2] = 2
    tested: CertifiedSide
    reference: CertifiedSide | None
    versions: dict[str, str]
    settings: dict[str, Any]
    rungs: tuple[CertifiedRung, ...]
    passed: bool

    @model_validator(mode="after")
    def _consistent(self) -> Certificate:
        verdicts = [rung.passed for rung in self.rungs]
        if self.passed != (False not in verdicts and True in verdicts):
            raise refusal("passed", f"is {str(self.passed).lower()}, which is not what the rungs come to")
        return self

    @classmethod
    def of(cls, found: Verification) -> Certificate:
        """Make one of what was found."""
        versions = {**created_by()}
        probes = [probe.run for probe in found.probes]
        for run in (*probes, *found.runs.values(), *found.longer.values()):
            versions |= run.versions
        return cls(
            tested=CertifiedSide.of(found.tested, found.digests[1]),
            reference=CertifiedSide.of(found.reference, found.digests[0]) if found.reference else None,
            versions=versions,
            settings={
                "rungs": list(found.settings.rungs),
                "spikes_duration": found.settings.spikes_duration,
                "min_spikes": found.settings.min_spikes,
                "seeds": list(found.settings.seeds),
            },
            rungs=tuple(CertifiedRung.of(rung) for rung in found.rungs),
            passed=found.passed,
        )


def _digest_of_spikes(runs: tuple[Run, ...]) -> str:
    arrays: dict[str, Any] = {}
    for number, run in enumerate(runs):
        for name, spikes in run.spikes.items():
            arrays |= {f"{number} {name} steps": spikes.steps, f"{number} {name} neurons": spikes.neurons}
    return digest_arrays(arrays)


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write a certificate as JSON."""
    path.write_text(json.dumps(certificate.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")


def read_certificate(path: Path) -> Certificate:
    """Read a certificate.

    Raises
    ------
    FormatError
        It is none, or its verdicts are not those of its own figures.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise FormatError(f"{path}: not a certificate (not a JSON object)")
        return Certificate(**content)
    except (OSError, ValueError, ModelError) as error:
        raise FormatError(f"{path}: not a certificate, or inconsistent ({error})") from None


def check_certificate(certificate: Certificate, export: Path) -> list[str]:
    """Say what a certificate states that is not true of an export, which may be either of the two sides.

    Parameters
    ----------
    export
        A directory. Where it has a manifest, that its files are those of the manifest is checked elsewhere.
    """
    sides = [side for side in (certificate.tested, certificate.reference) if side and side.kind == "export"]
    if not sides:
        return [f"is of {certificate.tested.kind}, not of an export"]
    stated = _stated(export)
    # a manifest states the digest of what was written; what a format cannot hold is read back otherwise
    if stated is None or stated["digest"] not in {side.digest for side in sides}:
        instance = import_path(export)
        stated = {
            "model": instance.name,
            "digest": instance.digest(workers=default_workers()).all,
            "n_neurons": instance.n_neurons,
            "n_synapses": instance.n_edges,
        }
    wrong = []
    for side in sides:
        claims = side.model_dump(include=set(stated))
        differing = [key for key in stated if claims[key] is not None and claims[key] != stated[key]]
        if not differing and side.digest is not None:
            return []
        wrong.append([f"{key}: the certificate is of {claims[key]}, there is {stated[key]}" for key in differing])
    return min(wrong, key=len) or ["states no digest: nothing binds it to these files"]


def _stated(export: Path) -> dict[str, Any] | None:
    """Return what a manifest states; None where there is none."""
    if not (export / MANIFEST).is_file():
        return None
    manifest = read_manifest(export)
    digest = manifest.get("digest")
    facts = {key: manifest.get(key) for key in ("model", "n_neurons", "n_synapses")}
    return {**facts, "digest": digest.get("all") if isinstance(digest, dict) else None}
