"""XML as a stream of elements: nothing is kept that is not asked for, and nothing outside the file is read.

A document type is refused, and with it all entities; depth and length of tags are bounded. Elements that come in
millions (connections, spikes) are leaves: their attributes are collected, and handed on as columns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.parsers import expat

from mc_interchange.errors import FormatError

from .leaves import TOGETHER, Leaves, Table

__all__ = ["Node", "Skip", "Text", "file_parts", "parse_xml", "required", "root_of"]

#: Bytes that are read at a time, and bytes of one tag or comment at most.
_PART, _MAX_TAG = 2**16, 2**20
_MAX_DEPTH = 100
_MAX_TEXT = 2**20
#: Bytes of leaves that wait at most; it takes uncommonly long ones to come so far.
_MAX_WAITING = 2**22
#: Between namespace and name, as expat joins them.
_SEPARATOR = " "
_NAMESPACES = "http://www.neuroml.org/"


class Node(ABC):
    """What reads one element."""

    #: Leaves below it that come in great numbers, by name; they are handed on when many wait, and at the end.
    leaves: Mapping[str, Callable[[Table], None]] = MappingProxyType({})

    @abstractmethod
    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        """Begin an element below, and return what reads it.

        Parameters
        ----------
        name
            Without its namespace.
        attributes
            Those without a namespace.
        place
            File and line.
        """

    def end(self) -> None:  # noqa: B027  # most have nothing left to do
        """Take the end."""


class Skip(Node):
    """Reads an element that holds nothing for us, and all that is in it."""

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:  # noqa: ARG002
        """Skip this too."""
        return self


class Text(Skip):
    """Reads an element for its text, without that of elements in it.

    Parameters
    ----------
    take
        Called with the text.
    place
        For messages.
    """

    def __init__(self, take: Callable[[str], None], place: str) -> None:
        self._take, self._place = take, place
        self._parts: list[str] = []
        self._length = 0

    def text(self, data: str) -> None:
        """Keep it."""
        self._length += len(data)
        if self._length > _MAX_TEXT:
            raise FormatError(f"{self._place}: a text of more than {_MAX_TEXT} characters")
        self._parts.append(data)

    def end(self) -> None:
        """Hand it on."""
        self._take("".join(self._parts))


def required(attributes: Mapping[str, str], name: str, element: str, place: str) -> str:
    """Return an attribute.

    Raises
    ------
    FormatError
        It is missing or empty.
    """
    value = attributes.get(name)
    if not value:
        raise FormatError(f"{place}: {element} has no attribute '{name}'")
    return value


def file_parts(path: Path) -> Iterator[bytes]:
    """Yield a file in parts.

    Raises
    ------
    FormatError
    """
    try:
        with path.open("rb") as file:
            while part := file.read(_PART):
                yield part
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None


def root_of(path: Path) -> str:
    """Return the name of a file's outermost element, without its namespace.

    Raises
    ------
    FormatError
        It is not XML, or has a document type.
    """

    class Found(Exception):
        pass

    class Root(Skip):
        def child(self, name: str, attributes: dict[str, str], place: str) -> Node:  # noqa: ARG002
            raise Found(name)

    try:
        parse_xml(str(path), file_parts(path), Root())
    except Found as found:
        return str(found.args[0])
    raise FormatError(f"{path}: not XML")  # unreachable: a document without an element is refused


def parse_xml(file: str, parts: Iterable[bytes], top: Node) -> None:
    """Parse a document.

    Parameters
    ----------
    file
        Name, for messages.
    parts
        Its bytes.
    top
        Gets the outermost element as its child.

    Raises
    ------
    FormatError
        With file and line.
    """
    reader = _Parser(file, top)
    parser = reader.parser
    fed = handed_on = 0
    try:
        for part in parts:
            parser.Parse(part, False)
            fed += len(part)
            if fed - handed_on > _MAX_WAITING:
                reader.hand_on()
                handed_on = fed
            if fed - parser.CurrentByteIndex > _MAX_TAG:
                raise FormatError(f"{file}:{parser.CurrentLineNumber}: a tag of more than {_MAX_TAG} bytes")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise FormatError(f"{file}:{error.lineno}: not well-formed XML ({expat.ErrorString(error.code)})") from None
    except (ValueError, LookupError):
        if reader.begun:
            raise
        # of a declared encoding that Python does not know, or that has more than one byte for a character
        raise FormatError(f"{file}:1: its encoding is not supported; use UTF-8") from None


class _Parser:
    """The callbacks of one parser, which see to it that each element reaches its reader."""

    def __init__(self, file: str, top: Node) -> None:
        self.parser = parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._file = file
        #: Whether there has been an element.
        self.begun = False
        self._names = _Names(self)
        self._depth = 0
        self._node = top
        self._stack: list[tuple[Node, int, dict[str, Leaves]]] = []
        self._node_depth = 0
        self._leaves: dict[str, Leaves] = {}

    def place(self) -> str:
        return f"{self._file}:{self.parser.CurrentLineNumber}"

    def hand_on(self) -> None:
        for leaves in self._leaves.values():
            leaves.hand_on()

    def _refuse_doctype(self, *_: Any) -> None:
        raise FormatError(f"{self.place()}: a document type (DOCTYPE) is refused; NeuroML has none")

    def _start(self, expanded: str, attributes: list[str]) -> None:
        self._depth = depth = self._depth + 1
        name = self._names[expanded]
        leaves = self._leaves.get(name)
        if leaves is not None and depth == self._node_depth + 1:
            leaves.rows.append(attributes)
            leaves.lines.append(self.parser.CurrentLineNumber)
            if len(leaves.rows) == TOGETHER:
                leaves.hand_on()
            return
        if depth > _MAX_DEPTH:
            raise FormatError(f"{self.place()}: elements in elements, more than {_MAX_DEPTH} deep")
        self.begun = True
        pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
        own = {key: value for key, value in pairs.items() if _SEPARATOR not in key}
        self._stack.append((self._node, self._node_depth, self._leaves))
        node = self._node.child(name, own, self.place())
        self._enter(node, depth, {name: Leaves(self._file, name, take) for name, take in node.leaves.items()})

    def _end(self, _: str) -> None:
        if self._depth == self._node_depth:
            self.hand_on()
            self._node.end()
            self._enter(*self._stack.pop())
        self._depth -= 1

    def _enter(self, node: Node, depth: int, leaves: dict[str, Leaves]) -> None:
        self._node, self._node_depth, self._leaves = node, depth, leaves
        # between leaves there is a text each, the end of the line: a call less for every one of them
        self.parser.CharacterDataHandler = node.text if isinstance(node, Text) else None

    def own_name(self, expanded: str) -> str:
        namespace, _, name = expanded.rpartition(_SEPARATOR)
        if namespace and not namespace.startswith(_NAMESPACES) and not isinstance(self._node, Skip):
            raise FormatError(f"{self.place()}: element {name} of the namespace {namespace!r:.80} is not NeuroML 2")
        return name


class _Names(dict[str, str]):
    """Names of elements without their namespace."""

    def __init__(self, parser: _Parser) -> None:
        self._parser = parser

    def __missing__(self, expanded: str) -> str:
        name = self._parser.own_name(expanded)
        if expanded.startswith(_NAMESPACES) or _SEPARATOR not in expanded:  # others may be elsewhere than here
            self[expanded] = name
        return name
