"""``mc-describe``: the tables of a model."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import click

from mc_interchange.describe import describe
from mc_interchange.errors import OutputError

from . import options
from .common import Tool
from .models import given_arguments, load_rules, model_arguments

__all__ = ["command", "main"]


@click.command(
    "mc-describe",
    cls=Tool,
    examples=(
        "mc-describe pd14 --scale 0.1",
        "mc-describe my_network.yaml --format markdown",
        "mc-describe pd14-sonata --format html --out model.html",
    ),
)
@click.argument("model")
@click.option(
    "--format",
    "-f",
    type=click.Choice(["text", "markdown", "latex", "html"]),
    default="text",
    show_default=True,
    help="Form of the tables.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="File to write.  [default: standard output]")
@options.force("a file")
@model_arguments
@options.quiet
def command(
    model: str, format: Literal["text", "markdown", "latex", "html"], out: Path | None, force: bool, **others: Any
) -> None:
    """Print the tables of a model: populations, connectivity, neurons, inputs, recordings.

    MODEL is the name of a reference model, a model file (.yaml), or an export with its model.yaml. The
    layout follows Nordlie et al. 2009. The scale, --background and --param are for reference models.
    """
    del others["quiet"]  # of use to Tool alone: there are no remarks but warnings
    text = describe(load_rules(model, given_arguments(others)), format).rstrip("\n")
    if out is None:
        click.echo(text)
    else:
        _write(out, text + "\n", force)


def _write(out: Path, text: str, force: bool) -> None:
    """Write a file completely or not at all."""
    if out.is_dir() or (os.path.lexists(out) and not force):
        hint = "choose another --out" if out.is_dir() else "choose another --out, or --force to replace it"
        raise OutputError(f"{out}: exists already; {hint}")
    partial = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror})") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def main() -> None:
    """Run the tool."""
    command.main()
