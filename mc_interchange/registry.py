"""Finding formats, simulators and reference models through entry points.

A package adds an exporter by an entry point in the group ``mc_interchange.exporters`` that names a
subclass of :class:`mc_interchange.contracts.Exporter`; importers, runners and reference models likewise.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .errors import MissingDependencyError, UsageError

__all__ = ["GROUPS", "load", "names"]

GROUPS = {
    "exporter": "mc_interchange.exporters",
    "importer": "mc_interchange.importers",
    "runner": "mc_interchange.runners",
    "reference model": "mc_interchange.reference_models",
}


def names(kind: str) -> list[str]:
    """Return the names of all registered implementations of a kind (a key of :data:`GROUPS`)."""
    return sorted(_points(kind))


def load(kind: str, name: str) -> Any:
    """Return a new object of the implementation.

    Raises
    ------
    UsageError
        No such name; the message lists those there are.
    MissingDependencyError
        The implementation needs a package that is not installed.
    """
    points = _points(kind)
    if name not in points:
        raise UsageError(f"unknown {kind} '{name}'; known: {', '.join(sorted(points)) or 'none'}")
    try:
        return points[name].load()()
    except MissingDependencyError:
        raise
    except ImportError as error:
        raise UsageError(f"{kind} '{name}' cannot be loaded ({error})") from None


def _points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUPS[kind])}
