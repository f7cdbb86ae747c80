"""Names for what has none in NEST."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from mc_interchange.network.base import MAX_NAME

__all__ = ["Names"]


class Names:
    """Names that no two things share.

    Parameters
    ----------
    taken
        What is taken already.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def numbered(self, beginning: str) -> str:
        """Return the beginning with a number, shortened and with underscores where a name must not have it."""
        stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in beginning)[: MAX_NAME - 10]
        stem = stem if stem[:1].isalpha() or stem.startswith("_") else f"_{stem}"
        name = next(name for n in count(self._next.get(stem, 0)) if (name := f"{stem}_{n}") not in self._taken)
        self._next[stem] = int(name.rpartition("_")[2]) + 1
        self._taken.add(name)
        return name

    def or_numbered(self, name: str, beginning: str) -> str:
        """Return the name, or a numbered one where it is too long or taken."""
        if len(name) > MAX_NAME or name in self._taken:
            return self.numbered(beginning)
        self._taken.add(name)
        return name
