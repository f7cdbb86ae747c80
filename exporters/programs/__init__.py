"""What exporters of programs share: beside a program lies a SONATA circuit (:mod:`mc_interchange.formats.program`)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar

from mc_interchange.contracts import Exporter, OptionsT, Written
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.sonata import SonataExporter, SonataOptions, write_circuit
from mc_interchange.instance import Edges, NetworkInstance
from mc_interchange.network import SYNAPSE_CATALOGUE
from mc_interchange.progress import Progress

__all__ = ["ProgramExporter", "synapse_values", "templates"]

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


def synapse_values(edges: Edges) -> dict[str, float]:
    """Return the parameters of a synapse model of the catalogue; what is not said has its default, as in NEST.

    Raises
    ------
    NotRepresentableError
        The catalogue's model does not have one of them.
    """
    synapse = edges.synapse
    known = {parameter.name: parameter.nest for parameter in SYNAPSE_CATALOGUE[synapse.model].parameters}
    for name in synapse.parameters:
        if name not in known:
            raise NotRepresentableError(
                f"projection {edges.name}: {synapse.model} has no parameter {name} here; leave it out"
            )
    defaults = {name: value for name, value in known.items() if isinstance(value, float)}
    return {name: float(value) for name, value in {**defaults, **synapse.parameters}.items()}


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
