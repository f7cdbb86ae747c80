"""Names that every format can hold, made of those that others gave."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from mc_interchange.network.base import MAX_NAME

__all__ = ["our_names", "unique_names", "valid_name"]


def valid_name(name: str) -> str:
    """Return a name with an underscore for each character that is not a letter, a digit or an underscore."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII)[:MAX_NAME]
    return f"_{name}"[:MAX_NAME] if not name or name[0].isdigit() else name


def our_names(file: Path, what: str, names: Sequence[str], category: type[Warning]) -> list[str]:
    """Return names that are valid and differ from each other; a warning lists those that had to be changed.

    Parameters
    ----------
    file, what, category
        For the warning.
    names
        As the files have them. Names that are good stay.
    """
    ours = unique_names(names)
    changed = [f"{name!r} is {new}" for name, new in zip(names, ours, strict=True) if name != new]
    if changed:
        message = f"{file}: {what} names are made unique, of letters, digits and underscores: {', '.join(changed)}"
        warnings.warn(message, category, stacklevel=2)
    return ours


def unique_names(names: Sequence[str]) -> list[str]:
    """Return names that are valid and differ from each other; the first of those that are good stays."""
    taken = {name for name in names if valid_name(name) == name}
    kept: set[str] = set()
    ours = []
    for name in names:
        if name in taken and name not in kept:
            kept.add(name)
            ours.append(name)
            continue
        ours.append(_free(valid_name(name), taken))
        taken.add(ours[-1])
    return ours


def _free(name: str, taken: set[str]) -> str:
    tries = (f"{name[: MAX_NAME - 6]}_{number}" for number in count(2))
    return name if name not in taken else next(other for other in tries if other not in taken)
