"""Components by what they are: their values, and refusals that say where they stand."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from mc_interchange.errors import ArtefactError, FormatError, ModelError
from mc_interchange.formats import neuroml as fmt

from .document import Component, Document, NeuroMLWarning

__all__ = ["Components", "refuse", "refused", "report_unread", "value"]

#: Attributes that say nothing about the model.
_REMARKS = frozenset({"neuroLexId", "metaid"})


class Components:
    """The components of a document, by identifier.

    Parameters
    ----------
    document
        Whose.
    """

    def __init__(self, document: Document) -> None:
        self._components = document.components
        self._own_types = document.own_types

    def get(self, identifier: str, place: str) -> Component:
        """Return a component.

        Raises
        ------
        FormatError
            It is not there, or of a type that the files define for themselves.
        ArtefactError
            That type is one of ours.
        """
        component = self._components.get(identifier)
        if component is None:
            raise FormatError(
                f"{place}: there is no component {identifier!r:.80} in this file or those that it includes"
            )
        if component.type in self._own_types and fmt.is_equation_type(component.type):
            raise ArtefactError(
                f"{component.place}: component {identifier!r:.80} is given by equations, which run in jLEMS (mc-run "
                "--simulator jlems) and are not read back; read the network again where it came from"
            )
        if component.type in self._own_types:
            raise FormatError(
                f"{component.place}: component {identifier!r:.80} is of the type {component.type!r:.80}, which the "
                f"files define themselves ({self._own_types[component.type]}); only NeuroML's own types are supported"
            )
        return component


def refuse(component: Component, why: str) -> FormatError:
    """Return an error about a component."""
    return FormatError(f"{component.place}: {component.type} {component.id!r:.80} {why}")


@contextmanager
def refused(component: Component) -> Iterator[None]:
    """Turn the refusal of a value by our models into one that says where it stands."""
    try:
        yield
    except ModelError as error:
        raise refuse(component, str(error).partition(": ")[2]) from None


def value(component: Component, name: str, unit: str) -> float:
    """Return an attribute of a component in our unit, correctly rounded.

    Raises
    ------
    FormatError
    """
    if name not in component.attributes:
        raise refuse(component, f"has no attribute '{name}'")
    try:
        return float(fmt.exact(component.attributes[name], unit))
    except ValueError as error:
        raise refuse(component, f"{name} {error}") from None


def report_unread(component: Component, read: Collection[str]) -> None:
    """Tell of attributes and parts that are not among those that were read."""
    others = [name for name in component.attributes if name not in read and name not in _REMARKS]
    others += [part.type for part in component.children if part.type not in read]
    if others:
        message = f"{component.place}: {component.type} {component.id!r:.80}: not read: {', '.join(others)[:200]}"
        warnings.warn(message, NeuroMLWarning, stacklevel=3)
