"""Scripts that come with every export and run it in other tools.

Each sets what its tool does not read by itself: first of all the initial potentials. They are the files in
``templates``, copied as they are: they find the circuit beside them and need nothing of this package.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["write_loaders"]


def write_loaders(directory: Path) -> None:
    """Write one script per tool."""
    for template in files(__package__).joinpath("templates").iterdir():
        if template.name.endswith(".py"):
            (directory / template.name).write_bytes(template.read_bytes())
