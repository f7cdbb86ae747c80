"""Configuration files and type tables, and the warning of this importer."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from mc_interchange.errors import FormatError

__all__ = ["NULL", "Config", "SonataWarning", "parse_json", "read_json", "read_types"]

#: As libsonata finds variables: the whole word after the dollar sign, so that $BASE is not part of $BASE_DIR.
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_MAX_PATH = 4096
#: What stands for "no value" in type tables; the first is the specification's, the others are bmtk's and pandas'.
NULL = frozenset({"NULL", "", "NONE", "None", "NaN", "nan", "null"})


class SonataWarning(UserWarning):
    """Something about a circuit that its user should know: what was chosen, rounded, or is not there."""


class Config:
    """A circuit or simulation config with its variables.

    Parameters
    ----------
    path
        The file.
    root
        Directory that no path may leave; None: that of the file.

    Raises
    ------
    FormatError
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self.file = path
        self.root = (root or path.parent).resolve()
        self.content = read_json(path)
        manifest = self.content.get("manifest", {})
        items = manifest.items() if isinstance(manifest, dict) else ()
        # the two that bmtk knows by itself; its tools are started in the directory of the config
        self._variables = {"configdir": ".", "workingdir": "."}
        self._variables |= {k.strip("${}"): v for k, v in items if isinstance(v, str)}

    def files(self, kind: str) -> list[dict[str, Any]]:
        """Return the enabled entries of ``networks``: ``nodes`` or ``edges``; without edges, there are none."""
        networks = self.content.get("networks")
        entries = networks.get(kind, [] if kind == "edges" else None) if isinstance(networks, dict) else None
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise FormatError(f"{self.file}: networks.{kind} must be a list of objects")
        return [entry for entry in entries if entry.get("enabled", True)]

    def path(self, entry: dict[str, Any], key: str) -> Path:
        """Return the path that an entry gives."""
        value = entry.get(key)
        if not isinstance(value, str):
            raise FormatError(f"{self.file}: an entry has no {key}")
        return self.resolve(value)

    def component(self, key: str) -> Path:
        """Return a directory of ``components``, by default that of the file; it may lie beside the circuit's."""
        folder = self.section("components").get(key, ".")
        if not isinstance(folder, str):
            raise FormatError(f"{self.file}: components.{key} must be a path")
        return self.resolve(folder, beside=True)

    def section(self, name: str) -> dict[str, Any]:
        """Return an object of the file, empty where there is none."""
        section = self.content.get(name, {})
        if not isinstance(section, dict):
            raise FormatError(f"{self.file}: {name} must be an object")
        return section

    def resolve(self, text: str, *, beside: bool = False) -> Path:
        """Put in the variables, and refuse what leaves the directory.

        Parameters
        ----------
        beside
            Allow a relative path into a directory beside the circuit's, where collections of circuits keep what
            they share.
        """
        given = text
        for _ in range(len(self._variables) + 1):
            if "$" not in text or len(text) > _MAX_PATH:
                break
            text = _VARIABLE.sub(lambda m: self._variables.get(m[1] or m[2], m[0]), text)
        if "$" in text or len(text) > _MAX_PATH:
            raise FormatError(f"{self.file}: {given!r} has a variable that the manifest does not define")
        if "\0" in text:
            raise FormatError(f"{self.file}: {given!r} is not a path")
        path = (self.file.parent.resolve() / text).resolve()
        collection = self.root.parent
        shared = beside and not Path(text).is_absolute() and collection != Path(collection.anchor)
        if not path.is_relative_to(collection if shared else self.root):
            raise FormatError(f"{self.file}: {given!r} leaves the directory of the circuit")
        return path


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    FormatError
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path}: not a JSON object")
    return content


def parse_json(text: str) -> Any:
    """Parse JSON; whole numbers beyond 64 bits become floating point numbers, which all checks can take."""
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 19 else float(digits))


def read_types(path: Path, kind: str) -> dict[int, dict[str, str]]:
    """Read a type table.

    Parameters
    ----------
    kind
        ``node`` or ``edge``.

    Returns
    -------
    dict
        The rows by type id, without the cells that hold no value (see :data:`NULL`).

    Raises
    ------
    FormatError
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=" "))
        ids = [int(row[f"{kind}_type_id"]) for row in rows]
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, ValueError, TypeError, csv.Error):
        ids = []
    if not ids:
        raise FormatError(f"{path}: not a type table (columns separated by spaces, with {kind}_type_id)")
    twice = [type_id for type_id, before in zip(sorted(ids)[1:], sorted(ids), strict=False) if type_id == before]
    if twice:
        raise FormatError(f"{path}: the {kind} type {twice[0]} is defined twice")
    # a row may end early (None) or late (a list under the key None)
    return {
        type_id: {key: value for key, value in row.items() if isinstance(value, str) and key and value not in NULL}
        for type_id, row in zip(ids, rows, strict=True)
    }
