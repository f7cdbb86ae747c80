"""Configuration files and type tables, and the warning of this importer."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from mc_interchange.errors import FormatError

__all__ = ["Config", "SonataWarning", "read_types"]

#: As libsonata finds variables: the whole word after the dollar sign, so that $BASE is not part of $BASE_DIR.
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MAX_PATH = 4096


class SonataWarning(UserWarning):
    """Something about a circuit that its user should know: what was chosen, rounded, or is not there."""


class Config:
    """A circuit or simulation config with its variables.

    Raises
    ------
    FormatError
    """

    def __init__(self, path: Path) -> None:
        self.file = path
        self.content = _read_json(path)
        manifest = self.content.get("manifest", {})
        items = manifest.items() if isinstance(manifest, dict) else ()
        self._variables = {k.strip("${}"): v for k, v in items if isinstance(v, str)}

    def files(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of ``networks``: ``nodes`` or ``edges``."""
        networks = self.content.get("networks")
        entries = networks.get(kind) if isinstance(networks, dict) else None
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise FormatError(f"{self.file}: networks.{kind} must be a list of objects")
        return entries

    def path(self, entry: dict[str, Any], key: str) -> Path:
        """Return the path that an entry gives."""
        value = entry.get(key)
        if not isinstance(value, str):
            raise FormatError(f"{self.file}: an entry has no {key}")
        return self.resolve(value)

    def models(self) -> Path:
        """Return the directory of the neuron parameters."""
        components = self.content.get("components", {})
        folder = components.get("point_neuron_models_dir", ".") if isinstance(components, dict) else None
        if not isinstance(folder, str):
            raise FormatError(f"{self.file}: components.point_neuron_models_dir must be a path")
        return self.resolve(folder)

    def section(self, name: str) -> dict[str, Any]:
        """Return an object of the file, empty where there is none."""
        section = self.content.get(name, {})
        if not isinstance(section, dict):
            raise FormatError(f"{self.file}: {name} must be an object")
        return section

    def resolve(self, text: str) -> Path:
        """Put in the variables, and refuse what leaves the directory."""
        given = text
        for _ in range(len(self._variables) + 1):
            if "$" not in text or len(text) > _MAX_PATH:
                break
            text = _VARIABLE.sub(lambda m: self._variables.get(m[1] or m[2], m[0]), text)
        if "$" in text or len(text) > _MAX_PATH:
            raise FormatError(f"{self.file}: {given!r} has a variable that the manifest does not define")
        root = self.file.parent.resolve()
        path = (root / text).resolve()
        if not path.is_relative_to(root):
            raise FormatError(f"{self.file}: {given!r} leaves the directory of the circuit")
        return path


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path}: not a JSON object")
    return content


def read_types(path: Path, kind: str) -> dict[int, dict[str, str]]:
    """Read a type table.

    Parameters
    ----------
    kind
        ``node`` or ``edge``.

    Returns
    -------
    dict
        The rows by type id.

    Raises
    ------
    FormatError
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=" "))
        types = {int(row[f"{kind}_type_id"]): row for row in rows}
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, ValueError, TypeError, csv.Error):
        types = {}
    if not types:
        raise FormatError(f"{path}: not a type table (columns separated by spaces, with {kind}_type_id)")
    return types
