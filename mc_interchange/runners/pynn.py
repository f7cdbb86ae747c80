"""Running the programs of PyNN exports, with one simulator each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

from mc_interchange.errors import MissingDependencyError
from mc_interchange.formats.pynn import DRAWS_ITSELF, PROJECTIONS
from mc_interchange.runners.programs import ProgramRunner

__all__ = ["PyNNArborRunner", "PyNNBrian2Runner", "PyNNNestRunner", "PyNNNeuronRunner"]


class _PyNNRunner(ProgramRunner):
    """PyNN with one simulator."""

    format = "pynn"
    #: As the program calls it.
    simulator: ClassVar[str]
    #: Packages, and the extra of this one that brings each.
    packages: ClassVar[Mapping[str, str]]

    def arguments(self) -> Sequence[str]:
        """Return the simulator."""
        return ("--simulator", self.simulator)

    def draws(self, path: Path) -> bool:
        """Say whether PyNN draws the synapses."""
        file = (path if path.is_dir() else path.parent) / PROJECTIONS
        return file.is_file() and file.read_text(encoding="utf-8").startswith(DRAWS_ITSELF)

    def versions(self) -> Mapping[str, str]:
        """Return the versions of PyNN and of the simulator."""
        found = {}
        for package, extra in {"PyNN": "pynn", **self.packages}.items():
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                raise MissingDependencyError(package, extra) from None
        return found


class PyNNNestRunner(_PyNNRunner):
    """PyNN with NEST."""

    name, title = "pynn-nest", "PyNN with NEST"
    simulator, packages = "nest", {"nest-simulator": "nest"}


class PyNNNeuronRunner(_PyNNRunner):
    """PyNN with NEURON, for which the program compiles PyNN's mechanisms."""

    name, title = "pynn-neuron", "PyNN with NEURON"
    simulator, packages = "neuron", {"neuron": "neuron"}
    #: Directory that keeps the compiled mechanisms for the next run; None: they are compiled each time.
    mechanisms: ClassVar[Path | None] = None

    def arguments(self) -> Sequence[str]:
        """Return the simulator, and where the mechanisms are."""
        kept = () if self.mechanisms is None else ("--mechanisms", str(self.mechanisms))
        return (*super().arguments(), *kept)


class PyNNBrian2Runner(_PyNNRunner):
    """PyNN with Brian2, which needs numpy before 2.4."""

    name, title = "pynn-brian2", "PyNN with Brian2"
    simulator, packages = "brian2", {"Brian2": "brian2"}


class PyNNArborRunner(_PyNNRunner):
    """PyNN with Arbor: the program says that PyNN has no point neurons for it, as long as that is so."""

    name, title = "pynn-arbor", "PyNN with Arbor"
    simulator, packages = "arbor", {}
