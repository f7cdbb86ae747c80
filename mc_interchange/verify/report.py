"""The report: one HTML page that needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mc_interchange.analysis import plots
from mc_interchange.errors import MissingDependencyError
from mc_interchange.export import default_workers
from mc_interchange.reading import build
from mc_interchange.registry import names

from .certificate import Certificate
from .ladder import Verification

__all__ = ["write_report"]

#: Of larger networks, weights and delays are not drawn: that would read all synapses three times more.
MAX_DRAWN = 30_000_000


def write_report(found: Verification, certificate: Certificate, path: Path) -> None:
    """Write the report of a verification.

    Raises
    ------
    MissingDependencyError
        Jinja2 or matplotlib is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader
    except ImportError:
        raise MissingDependencyError("Jinja2", "analysis") from None
    environment = Environment(loader=PackageLoader(__package__), autoescape=True)
    text = environment.get_template("report.html").render(
        certificate=certificate,
        divergence=found.divergence,
        pictures=list(_pictures(found)),
        number=lambda value: f"{value:.6g}" if isinstance(value, float) else value,
    )
    path.write_text(text, encoding="utf-8")


def _pictures(found: Verification) -> Iterator[tuple[str, str]]:
    """Yield captions and pictures: what ran beside what, and the network."""
    model = found.instance.name
    colors = plots.colors_of(build(model)) if model in names("reference model") else plots.colors_of(found.instance)
    pairs = {label: run for label, run in found.runs.items() if label in ("reference", "export")}
    if pairs:
        yield "Spikes of the reference and of the export", _picture(plots.run_figure(pairs, colors=colors))
    longer = {label: run for label, run in found.runs.items() if label not in pairs}
    if longer:
        yield "The run whose statistics were compared", _picture(plots.run_figure(longer, colors=colors))
    if found.instance.n_edges <= MAX_DRAWN:
        figure = plots.network_figure(found.instance, colors=colors, workers=default_workers())
        yield "In-degrees, weights and delays", _picture(figure)


def _picture(figure: Any) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110, metadata={"Software": None})
    return base64.b64encode(content.getvalue()).decode("ascii")
