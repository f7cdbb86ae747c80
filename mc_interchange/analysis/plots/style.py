"""What all plots share: matplotlib without a screen, colours, and how a figure becomes a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mc_interchange.errors import MissingDependencyError, OutputError, UsageError
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Network

__all__ = ["ENDINGS", "colors_of", "new_axes", "new_figure", "plain", "save", "with_colors"]

#: Types of files that are written.
ENDINGS = (".png", ".svg", ".pdf")
#: Okabe & Ito 2008, https://jfly.uni-koeln.de/color: told apart with any kind of colour vision.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c8c8c")


def colors_of(model: Network | NetworkInstance) -> dict[str, str]:
    """Return the colours (``#rrggbb``) that a model gives to its populations."""
    populations = model.populations if isinstance(model, Network) else model.populations.values()
    return {p.name: p.color for p in populations if p.color}


def with_colors(names: Iterable[str], colors: Mapping[str, str] | None) -> dict[str, str]:
    """Return a colour for each population: its own, else one of the palette."""
    colors = colors or {}
    return {name: colors.get(name, PALETTE[i % len(PALETTE)]) for i, name in enumerate(names)}


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of some inches, not tied to any screen."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "analysis") from None
    return Figure(figsize=(width, height), layout="constrained", dpi=150)


def new_axes(axes: Any, width: float = 5.0, height: float = 4.0) -> Any:
    """Return the axes that were given, or those of a new figure."""
    return new_figure(width, height).subplots() if axes is None else axes


def plain(axes: Any) -> None:
    """Take away the lines that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Any, path: str | Path) -> None:
    """Write a figure, or the figure that holds some axes, completely or not at all.

    The same figure gives the same bytes.

    Parameters
    ----------
    figure
        Figure or axes.
    path
        The ending chooses the type: png, svg or pdf.

    Raises
    ------
    UsageError, OutputError
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path}: the ending must be one of {', '.join(ENDINGS)}")
    from matplotlib import rc_context

    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    # no time and no random identifiers in the file
    metadata = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with rc_context({"svg.hashsalt": "mc-interchange"}):
            getattr(figure, "figure", figure).savefig(partial, metadata=metadata[path.suffix.lower()])
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            partial.unlink()
