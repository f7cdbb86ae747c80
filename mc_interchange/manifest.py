"""The manifest of an export: what was written, and checksums to find what changed since.

Small files have one checksum; large HDF5 files one per dataset, taken while the data was in memory. The
manifest holds no time, host or path: the same call writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xxhash
from numpy.typing import NDArray

from ._version import __version__
from .contracts import Column, Finding
from .errors import FormatError, one_line
from .output import MANIFEST, OURS, SHARD

__all__ = ["check_files", "check_manifest", "created_by", "read_manifest", "refuse_shard", "write_manifest"]

_VERSION = 1
_CHUNK = 2**22
#: Larger datasets (bytes) are covered only where the exporter lists them: reading back takes too long.
_SMALL = 2**26
#: What h5py raises for files that are damaged or built otherwise.
_UNREADABLE = (OSError, KeyError, AttributeError, IndexError, TypeError, ValueError, RuntimeError)


def created_by() -> dict[str, str]:
    """Return the versions that decide what is drawn and written."""
    return {"mc-interchange": __version__, "numpy": np.__version__}


def write_manifest(
    directory: Path, facts: dict[str, Any], columns: Sequence[Column] = (), *, name: str = MANIFEST
) -> None:
    """Write the manifest of a complete directory; the last file to be written.

    Parameters
    ----------
    facts
        Goes in front, as it is.
    columns
        Datasets that have their own checksum; their files get one of the rest: groups, attributes, and
        small datasets.
    name
        ``manifest.json``, or ``shard.json`` for a part of an export.
    """
    with_columns = {column.file for column in columns}
    files: dict[str, Any] = {}
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        file = path.relative_to(directory).as_posix()
        files[file] = {"bytes": path.stat().st_size}
        if file in with_columns:
            files[file]["rest_xxh3"] = _rest_checksum(path, {c.dataset for c in columns if c.file == file})
        else:
            files[file]["xxh3"] = _file_checksum(path)
    manifest = {
        "manifest_version": _VERSION,
        **facts,
        "files": files,
        "columns": [asdict(c) for c in sorted(columns, key=lambda c: (c.file, c.dataset))],
    }
    (directory / name).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def refuse_shard(path: Path) -> None:
    """Refuse a part of an export where an export is needed.

    Raises
    ------
    FormatError
    """
    if (path / SHARD).is_file():
        raise FormatError(f"{path}: one shard of an export; join all of them first (mc-export --join)")


def read_manifest(directory: str | Path, name: str = MANIFEST) -> dict[str, Any]:
    """Return the manifest of an export, or with ``shard.json`` that of a part of one.

    Raises
    ------
    FormatError
        There is none, or it is not one of ours.
    """
    path = Path(directory) / name
    if name != SHARD:
        refuse_shard(path.parent)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); is this {OURS[name]}?") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("manifest_version") != _VERSION:
        raise FormatError(f"{path}: not a manifest of version {_VERSION}")
    if not isinstance(manifest.get("files"), dict) or not isinstance(manifest.get("columns"), list):
        raise FormatError(f"{path}: 'files' or 'columns' is missing")
    for name, entry in manifest["files"].items():
        if not isinstance(entry, dict) or not isinstance(entry.get("bytes"), int) or _leaves(name):
            raise FormatError(f"{path}: files: the entry {name!r} is not valid")
    for index, column in enumerate(manifest["columns"]):
        try:
            described = Column(**column)
            valid = not _leaves(described.file) and type(described.n) is int and described.n >= 0
        except TypeError:
            valid = False
        if not valid:
            raise FormatError(f"{path}: columns[{index}] is not valid")
    return manifest


def _leaves(name: Any) -> bool:
    """Whether a path of a manifest is not one below its directory (a device, say, would be read for ever)."""
    return not isinstance(name, str) or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name


def check_manifest(directory: str | Path) -> list[Finding]:
    """Compare a directory with its manifest and name every file and dataset that changed."""
    directory = Path(directory)
    manifest = read_manifest(directory)
    findings = check_files(directory, manifest)
    present = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}
    extra = sorted(present - set(manifest["files"]) - {MANIFEST})
    findings += [Finding("warning", name, "", "is not part of the export") for name in extra]
    missing = {f.file for f in findings if f.message == "is missing"}
    findings += _check_columns(directory, [c for c in manifest["columns"] if c.get("file") not in missing])
    return findings


def check_files(directory: Path, manifest: dict[str, Any]) -> list[Finding]:
    """Compare the files of a directory with its manifest, but not their large datasets, which takes time."""
    findings = []
    for name, entry in manifest["files"].items():
        path = directory / name
        if not path.is_file():
            findings.append(Finding("error", name, "", "is missing"))
        elif "xxh3" in entry and _file_checksum(path) != entry["xxh3"]:
            findings.append(Finding("error", name, "", "differs from what was written"))
        elif path.stat().st_size != entry["bytes"]:
            message = f"has {path.stat().st_size} bytes, {entry['bytes']} were written"
            findings.append(Finding("error", name, "", message))
        elif "rest_xxh3" in entry:
            listed = {c["dataset"] for c in manifest["columns"] if c["file"] == name}
            findings += _check_rest(path, name, listed, entry["rest_xxh3"])
    return findings


def _check_rest(path: Path, name: str, listed: set[str], expected: str) -> list[Finding]:
    try:
        same = _rest_checksum(path, listed) == expected
    except _UNREADABLE:
        return []  # its columns will say so
    message = "groups, attributes or small datasets differ from what was written"
    return [] if same else [Finding("error", name, "", message)]


def _rest_checksum(path: Path, listed: set[str]) -> str:
    """Return the checksum of groups, attributes, and small datasets that are not listed."""
    hasher = xxhash.xxh3_64()
    listed = {dataset.strip("/") for dataset in listed}  # h5py's own names are absolute

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        hasher.update(f"\n{name} {type(item).__name__}".encode())
        for key in sorted(item.attrs):
            hasher.update(f"\n@{key} ".encode())
            _add_values(hasher, np.asarray(item.attrs[key]))
        if isinstance(item, h5py.Dataset) and name not in listed:
            hasher.update(f" {item.dtype} {item.shape} ".encode())
            if not item.id.get_storage_size():  # never written: holds its fill value only, whatever its size
                _add_values(hasher, np.asarray(item.fillvalue))
            elif item.nbytes <= _SMALL:
                _add_values(hasher, np.asarray(item[()]))

    with h5py.File(path) as file:
        add("/", file)
        file.visititems(add)
    return hasher.hexdigest()


def _add_values(hasher: xxhash.xxh3_64, values: NDArray[Any]) -> None:
    """Take up an array; texts by their characters, as arrays of objects hold addresses."""
    hasher.update(repr(values.tolist()).encode() if values.dtype.hasobject else values.tobytes())


def _check_columns(directory: Path, columns: Iterable[dict[str, Any]]) -> list[Finding]:
    findings = []
    for column in columns:
        where = (column["file"], column["dataset"])
        try:
            with h5py.File(directory / column["file"]) as file:
                dataset = file[column["dataset"]]
                if dataset.dtype.name != column["dtype"] or dataset.shape[0] != column["n"]:
                    message = f"holds {dataset.shape} {dataset.dtype}, {column['n']} {column['dtype']} were written"
                    findings.append(Finding("error", *where, message))
                elif _dataset_checksum(dataset) != column["xxh3"]:
                    findings.append(Finding("error", *where, "values differ from what was written"))
        except _UNREADABLE as error:
            findings.append(Finding("error", *where, f"cannot be read ({one_line(error, 120)})"))
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
