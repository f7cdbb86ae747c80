"""Where the linter's checks put what they find: each thing once, in the order in which it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mc_interchange.contracts import Finding
from mc_interchange.errors import FormatError, one_line
from mc_interchange.progress import Progress

__all__ = ["Report"]

#: Findings with the same message that are listed one by one.
_MOST_ALIKE = 10
#: Findings that are kept.
_MOST = 10_000
#: What h5py, numpy and the operating system raise for damaged and hostile files.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Report:
    """The findings about one directory.

    Parameters
    ----------
    root
        The directory; findings name files relative to it.
    progress
        Told of the bytes that are read.
    """

    def __init__(self, root: Path, progress: Progress) -> None:
        self.root = root.resolve()
        self.progress = progress
        self._found: dict[Finding, None] = {}
        self._n_left_out = 0
        self._names: dict[Path, str] = {}

    @property
    def findings(self) -> list[Finding]:
        """All findings so far; of many with the same message the first, which says how many there are."""
        alike: dict[tuple[str, str], list[Finding]] = {}
        for finding in self._found:
            alike.setdefault((finding.level, finding.message), []).append(finding)
        shown: list[Finding] = []
        for same in alike.values():
            if len(same) > _MOST_ALIKE:
                message = f"{same[0].message} (the same in {len(same) - 1} other places)"
                same = [replace(same[0], message=message)]
            shown += same
        if self._n_left_out:
            shown.append(Finding("error", ".", "", f"{self._n_left_out} further findings are left out"))
        return shown

    def error(self, file: Path, place: str, message: str) -> None:
        """Add an error."""
        self._add("error", file, place, message)

    def warning(self, file: Path, place: str, message: str) -> None:
        """Add a warning."""
        self._add("warning", file, place, message)

    def name(self, file: Path) -> str:
        """Return a file's name in findings."""
        if file not in self._names:
            inside = [p for p in (file, file.resolve()) if p.is_relative_to(self.root)]
            self._names[file] = inside[0].relative_to(self.root).as_posix() if inside else str(file)
        return self._names[file]

    @contextmanager
    def guard(self, file: Path, place: str = "") -> Iterator[None]:
        """Make a finding of whatever goes wrong in the context; it then ends there."""
        try:
            yield
        except FormatError as error:
            self.error(file, place, one_line(error).removeprefix(f"{file}: "))
        except _DAMAGE as error:
            self.error(file, place, f"cannot be read ({type(error).__name__}: {one_line(error, 160)})")

    def _add(self, level: Literal["error", "warning"], file: Path, place: str, message: str) -> None:
        finding = Finding(level, self.name(file), place, message)
        if len(self._found) < _MOST:
            self._found[finding] = None
        elif finding not in self._found:
            self._n_left_out += 1
