"""Running the programs of PyNN exports, with one simulator each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from mc_interchange.errors import MissingDependencyError
from mc_interchange.runners.programs import ProgramRunner

__all__ = ["PyNNArborRunner", "PyNNBrian2Runner", "PyNNNestRunner", "PyNNNeuronRunner"]


class _PyNNRunner(ProgramRunner):
    """PyNN with one simulator."""

    format = "pynn"
    #: As the program calls it.
    simulator: ClassVar[str]
    #: Its package.
    package: ClassVar[str]

    def arguments(self) -> Sequence[str]:
        """Return the simulator."""
        return ("--simulator", self.simulator)

    def versions(self) -> Mapping[str, str]:
        """Return the versions of PyNN and of the simulator."""
        found = {}
        for package in ("PyNN", self.package):
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                raise MissingDependencyError(
                    f"--simulator {self.name}: {package} is not installed; pip install 'mc-interchange[pynn]' {package}"
                ) from None
        return found


class PyNNNestRunner(_PyNNRunner):
    """PyNN with NEST."""

    name, title = "pynn-nest", "PyNN with NEST"
    simulator, package = "nest", "nest-simulator"


class PyNNNeuronRunner(_PyNNRunner):
    """PyNN with NEURON, for which it compiles mechanisms."""

    name, title = "pynn-neuron", "PyNN with NEURON"
    simulator, package = "neuron", "neuron"


class PyNNBrian2Runner(_PyNNRunner):
    """PyNN with Brian2, which needs numpy before 2.4."""

    name, title = "pynn-brian2", "PyNN with Brian2"
    simulator, package = "brian2", "Brian2"


class PyNNArborRunner(_PyNNRunner):
    """PyNN with Arbor, which the program refuses as long as PyNN has no point neurons for it."""

    name, title = "pynn-arbor", "PyNN with Arbor"
    simulator, package = "arbor", "arbor"
