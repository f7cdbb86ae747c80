"""Configuration files: which there are, and what holds for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata

from ..config import Config
from .files import LARGEST_TEXT, read_object
from .report import Report

__all__ = ["Setting", "find_settings"]

#: Files that are opened to see whether they are configs.
_MOST_FILES = 200
_SIMULATION_KEYS = {"run", "inputs", "output", "network", "simulation"}


@dataclass(frozen=True)
class Setting:
    """A circuit or simulation config under check."""

    report: Report
    config: Config

    @property
    def file(self) -> Path:
        """Where it is."""
        return self.config.file

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object."""
        return self.config.content

    @property
    def consumer(self) -> str | None:
        """The dialect that its name tells, such as ``pynn`` in ``circuit_config.pynn.json``."""
        parts = self.file.name.split(".")
        return parts[1] if len(parts) == 3 and parts[1] in sonata.DIALECTS else None

    def error(self, place: str, message: str) -> None:
        """Report an error."""
        self.report.error(self.file, place, message)

    def section(self, name: str) -> dict[str, Any]:
        """Return an object of the file, empty where there is none or something else."""
        section = self.content.get(name, {})
        if isinstance(section, dict):
            return section
        self.error(name, "is not a JSON object")
        return {}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield all texts with their places."""
        waiting: list[tuple[str, Any]] = [("", self.content)]
        while waiting:
            place, item = waiting.pop()
            if isinstance(item, str):
                yield place, item
            elif isinstance(item, dict):
                waiting += [(f"{place}.{key}".lstrip("."), value) for key, value in reversed(item.items())]
            elif isinstance(item, list):
                waiting += [(f"{place}[{number}]", value) for number, value in reversed(list(enumerate(item)))]

    def path(self, place: str, text: Any, *, beside: bool = False) -> Path | None:
        """Return the file or directory that a text names; what is wrong with it is reported.

        Parameters
        ----------
        beside
            Allow what lies in a directory beside that of the circuit.
        """
        if not isinstance(text, str):
            self.error(place, f"is {text!r:.60}, not a path")
            return None
        try:
            path = self.config.resolve(text, beside=beside)
            there = path.exists()
        except FormatError as error:
            self.error(place, str(error).removeprefix(f"{self.file}: "))
            return None
        except (OSError, ValueError) as error:  # a name that is too long, or holds a NUL
            self.error(place, f"{text!r:.60} is not a path ({error})")
            return None
        if not there:
            self.error(place, f"{self.report.name(path)}: no such file or directory")
        return path if there else None


def find_settings(report: Report, path: Path) -> list[Setting]:
    """Return the configs in a directory, or the one that a path names and those that it names."""
    waiting = sorted(path.glob("*.json"))[:_MOST_FILES] if path.is_dir() else [path]
    found: dict[Path, Setting] = {}
    named = set() if path.is_dir() else {path}
    while waiting:
        file = waiting.pop(0)
        setting = None if file.resolve() in found else _open(report, file, must=file in named)
        if setting is None:
            continue
        found[file.resolve()] = setting
        for key in ("network", "simulation"):  # a file may only name the others
            other = setting.path(key, setting.content[key]) if key in setting.content else None
            if other is not None:
                named.add(other)
                waiting.append(other)
    return sorted(found.values(), key=lambda setting: setting.file.name)


def _open(report: Report, file: Path, *, must: bool) -> Setting | None:
    """Open a config; None: it is something else, or broken (which is reported if its name says that it is one)."""
    named = must or "config" in file.name
    if not named and (not file.is_file() or file.stat().st_size > LARGEST_TEXT):
        return None
    scratch = Report(report.root, report.progress)
    content = read_object(report if named else scratch, file)
    if content is None or not (named or "networks" in content or _SIMULATION_KEYS & content.keys()):
        return None
    setting = Setting(report, Config(file, report.root))
    if "networks" not in content and (file.name.startswith("circuit") or not _SIMULATION_KEYS & content.keys()):
        setting.error("networks", "is missing")
    if not isinstance(content.get("manifest", {}), dict):
        setting.error("manifest", "is not a JSON object")
    _check_variables(setting)
    return setting


def _check_variables(setting: Setting) -> None:
    """Report every text with a variable that the manifest does not define."""
    known = {name.strip("${}") for name in setting.section("manifest")} | {"configdir", "workingdir"}
    for place, text in setting.texts():
        unknown = [a or b for a, b in re.findall(r"\$(?:\{(\w+)\}|(\w+))", text) if (a or b) not in known]
        if unknown:
            setting.error(place, f"{text!r:.100} has a variable that the manifest does not define")
