"""Finding formats, simulators and reference models through entry points.

A package adds an exporter by an entry point in the group ``mc_interchange.exporters`` that names a
subclass of :class:`mc_interchange.contracts.Exporter`; importers, runners and reference models likewise.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .contracts import Exporter, FileRunner, Importer, ReferenceModel, Runner
from .errors import UsageError

__all__ = ["GROUPS", "load", "names"]

GROUPS = {
    "exporter": "mc_interchange.exporters",
    "importer": "mc_interchange.importers",
    "runner": "mc_interchange.runners",
    "reference model": "mc_interchange.reference_models",
}


#: The base classes of each kind, and what their subclasses must set.
_CONTRACTS: dict[str, dict[type, tuple[str, ...]]] = {
    "exporter": {Exporter: ("format", "title")},
    "importer": {Importer: ("format", "title")},
    "runner": {Runner: ("name", "title"), FileRunner: ("name", "title", "format")},
    "reference model": {ReferenceModel: ("name", "title", "Arguments")},
}


def names(kind: str) -> list[str]:
    """Return the names of all registered implementations of a kind (a key of :data:`GROUPS`)."""
    return sorted(_points(kind))


def load(kind: str, name: str) -> Any:
    """Return a new object of the implementation.

    Raises
    ------
    UsageError
        No such name (the message lists those there are), or what is registered there cannot be used.
    MissingDependencyError
        The implementation needs a package that is not installed.
    """
    points = _points(kind)
    if name not in points:
        raise UsageError(f"unknown {kind} '{name}'; known: {', '.join(sorted(points)) or 'none'}")
    if len(points[name]) > 1:
        givers = " and ".join(sorted(f"{_package(p)} ({p.value})" for p in points[name]))
        raise UsageError(f"{kind} '{name}' is given by {givers}; uninstall one of them")
    try:
        implementation = points[name][0].load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UsageError(f"{kind} '{name}' of {_package(points[name][0])} cannot be loaded ({error})") from None
    contracts = _CONTRACTS[kind]
    whose = f"{kind} '{name}' of {_package(points[name][0])}"
    kept = isinstance(implementation, type) and next((c for c in contracts if issubclass(implementation, c)), None)
    if not kept:
        raise UsageError(f"{whose} is not a subclass of {' or '.join(c.__name__ for c in contracts)}")
    attributes = contracts[kept]
    unset = [attribute for attribute in attributes if not hasattr(implementation, attribute)]
    unset += sorted(getattr(implementation, "__abstractmethods__", ()))
    if unset:
        raise UsageError(f"{whose} does not define {', '.join(unset)}")
    return implementation()


def _points(kind: str) -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUPS[kind]):
        same_name = found.setdefault(point.name, [])
        if point.value not in [other.value for other in same_name]:
            same_name.append(point)
    return found


def _package(point: EntryPoint) -> str:
    return str(point.dist.name) if point.dist else "an unknown package"
