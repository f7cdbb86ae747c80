"""The directory into which ``microcircuit`` wrote its dictionaries, as a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from mc_interchange.contracts import Importer
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.instance import NetworkInstance, realize
from mc_interchange.network import Network

from .dictionaries import network_of
from .keys import DICTIONARIES

__all__ = ["MicrocircuitImporter", "read_dictionaries"]

#: More than any set of parameters has, in bytes.
_LARGEST = 2**20


class MicrocircuitImporter(Importer):
    """Reads ``net_dict.json``, ``sim_dict.json`` and ``stim_dict.json``, as ``Network.store_metadata`` writes them.

    The network is drawn anew from its rules with the seed in ``sim_dict``: that is another realisation than the
    one that ``microcircuit`` simulated (``mc_interchange.importers.nest.capture`` takes that one out of NEST).
    """

    format: ClassVar[str] = "microcircuit"
    title: ClassVar[str] = "parameter dictionaries of PyPI's microcircuit (a directory with net_dict.json)"

    def recognises(self, path: Path) -> bool:
        """Say whether one of the three files is there; reading names those that are missing."""
        return any((_directory(path) / f"{name}.json").is_file() for name in DICTIONARIES)

    def read(self, path: Path) -> NetworkInstance:
        """Realise the network of the dictionaries."""
        return realize(read_dictionaries(_directory(path)))


def _directory(path: Path) -> Path:
    return path.parent if path.name in {f"{name}.json" for name in DICTIONARIES} else path


def read_dictionaries(directory: str | Path) -> Network:
    """Return the network of the three JSON files in a directory.

    Raises
    ------
    FormatError
        A file cannot be read or is not JSON; or what :func:`network_of` refuses.
    """
    directory = Path(directory)
    dictionaries = {name: _read(directory / f"{name}.json") for name in DICTIONARIES}
    try:
        return network_of(**dictionaries)
    except ModelError as error:
        raise FormatError(f"{directory}: {error}") from None


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST:
            raise FormatError(f"{path}: larger than {_LARGEST // 2**20} MiB, too large for a set of parameters")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON ({error})") from None
