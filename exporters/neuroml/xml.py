"""XML as text: escaping, and elements on one line.

Text, not a tree: the files are larger than memory, and writers of trees put prefixes before the names of
elements, which jLEMS does not understand.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

__all__ = ["DECLARATION", "element", "printable", "start", "text_element"]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0 has no way to write these, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def start(name: str, /, **attributes: str) -> str:
    """Return a start tag; attributes in the order given (two underscores stand for a colon)."""
    parts = [f"{key.replace('__', ':')}={_quote(value)}" for key, value in attributes.items()]
    return f"<{' '.join([name, *parts])}>"


def element(name: str, /, **attributes: str) -> str:
    """Return an element without content (see :func:`start`)."""
    return start(name, **attributes)[:-1] + "/>"


def text_element(name: str, text: str) -> str:
    """Return an element that holds text; what XML cannot hold is replaced by U+FFFD."""
    return f"<{name}>{escape(printable(text))}</{name}>"


def _quote(value: str) -> str:
    return quoteattr(printable(value))


def printable(text: str) -> str:
    """Return a text that XML can hold: other characters are replaced by U+FFFD."""
    return _FORBIDDEN.sub(chr(0xFFFD), text)
