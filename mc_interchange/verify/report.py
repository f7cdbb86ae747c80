"""The report: one HTML page that needs no other file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from mc_interchange.errors import MissingDependencyError

from .certificate import Certificate
from .found import Verification
from .pictures import Picture, pictures_of

__all__ = ["write_report"]


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
    environment = Environment(loader=PackageLoader(__package__), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    text = environment.get_template("report.html").render(
        certificate=certificate,
        sides=[side for side in (certificate.reference, certificate.tested) if side],
        label=found.label,
        divergence=found.divergence,
        pictures=[_drawn(picture) for picture in pictures_of(found)],
        number=lambda value: f"{value:.6g}" if isinstance(value, float) else value,
    )
    path.write_text(text, encoding="utf-8")


def _drawn(picture: Picture) -> dict[str, str]:
    """Turn a picture into text, after which its figure is not held any more."""
    content = io.BytesIO()
    if picture.figure is not None:
        picture.figure.savefig(content, format="png", dpi=110, metadata={"Software": None})
    image = base64.b64encode(content.getvalue()).decode("ascii")
    return {"rung": picture.rung, "title": picture.title, "caption": picture.caption, "image": image}
