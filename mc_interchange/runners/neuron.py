"""The runner for the program that builds a SONATA circuit in NEURON, with exact mechanisms."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import ClassVar

from mc_interchange.runners.neuroml.neuron import nrnivmodl
from mc_interchange.runners.programs import ProgramRunner

__all__ = ["NeuronProgramRunner"]


class NeuronProgramRunner(ProgramRunner):
    """Simulates with NEURON and neurons that step exactly on the grid, which nrnivmodl compiles first."""

    name: ClassVar[str] = "neuron-exact"
    title: ClassVar[str] = "NEURON 9, with mechanisms of our own that step exactly as NEST does"
    format: ClassVar[str] = "neuron"

    def versions(self) -> Mapping[str, str]:
        """Return the version of NEURON, and make sure that there is a compiler."""
        nrnivmodl()
        return {"neuron": version("neuron")}
