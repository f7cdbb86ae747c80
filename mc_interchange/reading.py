"""From a name or a path to a model: reference models, model files, and exports of any known format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import network, registry
from .contracts import Importer, ReferenceModel
from .errors import FormatError, MissingDependencyError, ModelError, UsageError
from .instance import NetworkInstance, realize
from .manifest import refuse_shard
from .network import Network, read_network

__all__ = ["build", "find_importer", "import_path", "open_model"]


def build(model: str, /, **arguments: Any) -> Network:
    """Build a reference model.

    Parameters
    ----------
    model
        Its name, such as ``pd14``.
    arguments
        Of the model's own ``Arguments``.

    Raises
    ------
    UsageError, ModelError
    """
    reference: ReferenceModel = registry.load("reference model", model)
    try:
        return reference.build(reference.Arguments(**arguments))
    except ModelError as error:
        part, colon, rest = str(error).partition(": ")
        if colon and (part == reference.Arguments.__name__ or part in network.__all__):  # a class: none of the user's
            raise ModelError(f"{model}: {rest}") from None
        raise ModelError(f"{model}: {error}") from None


def find_importer(path: str | Path) -> Importer:
    """Return the importer that recognises a path.

    Raises
    ------
    FormatError
        The path is missing, or no importer knows it.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError(f"{path}: no such file or directory")
    refuse_shard(path)
    asked, unusable = [], ""
    for name in registry.names("importer"):
        try:
            importer: Importer = registry.load("importer", name)
        except (UsageError, MissingDependencyError) as error:  # the file may be for one of the others
            unusable += f"; {error}"
            continue
        asked.append(name)
        if importer.recognises(path):
            return importer
    known = ", ".join(asked)
    raise FormatError(f"{path}: not a model file (.yaml) and not recognised by any importer ({known}){unusable}")


def import_path(path: str | Path) -> NetworkInstance:
    """Open an export of any registered format."""
    return find_importer(path).read(Path(path))


def open_model(path: str | Path, seed: int | None = None) -> NetworkInstance:
    """Open a model file (which is then realised) or an export of any known format.

    Parameters
    ----------
    path
        A ``.yaml`` or ``.yml`` file, or what an importer reads.
    seed
        For the realisation of a model file; None: its own.
    """
    path = Path(path)
    if path.suffix in (".yaml", ".yml"):
        return realize(read_network(path), seed)
    return import_path(path)
