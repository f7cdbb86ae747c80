"""What exporters of programs share: beside a program lies a SONATA circuit (:mod:`mc_interchange.formats.program`)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar

from mc_interchange.contracts import Exporter, OptionsT, Written
from mc_interchange.exporters.sonata import SonataExporter, SonataOptions, write_circuit
from mc_interchange.instance import NetworkInstance
from mc_interchange.progress import Progress

__all__ = ["ProgramExporter", "templates"]

_WITHOUT_INDEX = SonataOptions(index="none")


class ProgramExporter(Exporter[OptionsT]):
    """Writes a SONATA circuit and the program that builds and runs it in one simulator.

    The program says all that SONATA cannot: Poisson input, recordings, the discarded start. So the directory is
    whole without this package, and with it every reader of SONATA reads it too.
    """

    model_defaults: ClassVar[Mapping[str, float]] = {"scale": 0.02}

    @abstractmethod
    def files(self, instance: NetworkInstance, options: OptionsT) -> Mapping[str, str]:
        """Return the texts of the program's files by name (:data:`mc_interchange.formats.program.PROGRAM` among them).

        Beside them lies ``sonata_output.py``, which every program imports.

        Raises
        ------
        NotRepresentableError
        """

    def estimate(self, instance: NetworkInstance, options: OptionsT) -> int:  # noqa: ARG002
        """Return the size of the circuit."""
        return SonataExporter().estimate(instance, _WITHOUT_INDEX)

    def write(
        self, instance: NetworkInstance, directory: Path, options: OptionsT, *, workers: int, progress: Progress
    ) -> Written:
        """Write circuit and program; a few blocks of edges are in memory at once."""
        written = write_circuit(instance, directory, _WITHOUT_INDEX.index, workers=workers, progress=progress)
        for name, text in {**self.files(instance, options), **templates(__package__)}.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return written


def templates(package: str) -> dict[str, str]:
    """Return the files in the folder ``templates`` of a package by relative path, in alphabetical order."""
    return dict(_texts(files(package) / "templates"))


def _texts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _texts(item, f"{prefix}{item.name}/")
        else:
            yield prefix + item.name, item.read_text(encoding="utf-8")
