"""Running exports for Brian2."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from mc_interchange.errors import MissingDependencyError

from .programs import ProgramRunner

__all__ = ["Brian2Runner"]


class Brian2Runner(ProgramRunner):
    """Runs the program of an export as Brian2, with the code that needs no compiler."""

    name = "brian2"
    title = "Brian2 2.9 (program)"
    format = "brian2"

    def versions(self) -> Mapping[str, str]:
        """Return the versions of Brian2 and numpy."""
        try:
            return {name: version(name) for name in ("brian2", "numpy")}
        except PackageNotFoundError:
            raise MissingDependencyError("Brian2", "brian2") from None
