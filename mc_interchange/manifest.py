"""The manifest of an export: what was written, and checksums to find what changed since.

Small files have one checksum; large HDF5 files one per dataset, taken while the data was in memory. The
manifest holds no time, host or path: the same call writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import xxhash

from .contracts import Column
from .errors import FormatError
from .output import MANIFEST

__all__ = ["Finding", "check_manifest", "read_manifest", "write_manifest"]

_VERSION = 1
_CHUNK = 2**22


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Parameters
    ----------
    level
        ``error``: the export is not what was written; ``warning``: worth knowing.
    where
        File, and dataset in it.
    message
        What is wrong.
    """

    level: Literal["error", "warning"]
    where: str
    message: str


def write_manifest(directory: Path, facts: dict[str, Any], columns: Sequence[Column] = ()) -> None:
    """Write the manifest of a complete directory; the last file to be written.

    Parameters
    ----------
    facts
        Goes in front, as it is.
    columns
        Datasets that have their own checksum; their files are listed with their size only.
    """
    with_columns = {column.file for column in columns}
    files: dict[str, Any] = {}
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        name = path.relative_to(directory).as_posix()
        files[name] = {"bytes": path.stat().st_size}
        if name not in with_columns:
            files[name]["xxh3"] = _file_checksum(path)
    manifest = {
        "manifest_version": _VERSION,
        **facts,
        "files": files,
        "columns": [asdict(c) for c in sorted(columns, key=lambda c: (c.file, c.dataset))],
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def read_manifest(directory: str | Path) -> dict[str, Any]:
    """Return the manifest of an export.

    Raises
    ------
    FormatError
        There is none, or it is not one of ours.
    """
    path = Path(directory) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); is this an export?") from None
    except ValueError as error:
        raise FormatError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != _VERSION:
        raise FormatError(f"{path}: not a manifest of version {_VERSION}")
    if not isinstance(manifest.get("files"), dict) or not isinstance(manifest.get("columns"), list):
        raise FormatError(f"{path}: 'files' or 'columns' is missing")
    return manifest


def check_manifest(directory: str | Path) -> list[Finding]:
    """Compare a directory with its manifest and name every file and dataset that changed."""
    directory = Path(directory)
    manifest = read_manifest(directory)
    findings = []
    for name, entry in manifest["files"].items():
        path = directory / name
        if not path.is_file():
            findings.append(Finding("error", name, "is missing"))
        elif "xxh3" in entry and _file_checksum(path) != entry["xxh3"]:
            findings.append(Finding("error", name, "differs from what was written"))
        elif path.stat().st_size != entry["bytes"]:
            findings.append(Finding("error", name, f"has {path.stat().st_size} bytes, {entry['bytes']} were written"))
    present = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}
    extra = sorted(present - set(manifest["files"]) - {MANIFEST})
    findings += [Finding("warning", name, "is not part of the export") for name in extra]
    missing = {f.where for f in findings if f.message == "is missing"}
    findings += _check_columns(directory, [c for c in manifest["columns"] if c.get("file") not in missing])
    return findings


def _check_columns(directory: Path, columns: Iterable[dict[str, Any]]) -> list[Finding]:
    findings = []
    for column in columns:
        where = f"{column['file']}:{column['dataset']}"
        try:
            with h5py.File(directory / column["file"]) as file:
                dataset = file[column["dataset"]]
                if dataset.dtype.name != column["dtype"] or dataset.shape[0] != column["n"]:
                    message = f"holds {dataset.shape} {dataset.dtype}, {column['n']} {column['dtype']} were written"
                    findings.append(Finding("error", where, message))
                elif _dataset_checksum(dataset) != column["xxh3"]:
                    findings.append(Finding("error", where, "values differ from what was written"))
        except (OSError, KeyError, AttributeError) as error:
            findings.append(Finding("error", where, f"cannot be read ({' '.join(str(error).split())[:120]})"))
    return findings


def _dataset_checksum(dataset: h5py.Dataset) -> str:
    hasher = xxhash.xxh3_64()
    for start in range(0, dataset.shape[0], _CHUNK):
        hasher.update(dataset[start : start + _CHUNK].tobytes())
    return hasher.hexdigest()


def _file_checksum(path: Path) -> str:
    hasher = xxhash.xxh3_64()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            hasher.update(block)
    return hasher.hexdigest()
