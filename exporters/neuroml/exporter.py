"""The exporter for NeuroML 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from mc_interchange.contracts import Exporter, ExportOptions, Loss, Written
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance
from mc_interchange.progress import Progress

from .cells import component_lines
from .losses import find_losses
from .network import write_network_file
from .plan import plan
from .simulation import simulation_lines

__all__ = ["NeuroMLExporter", "NeuroMLOptions"]


class NeuroMLOptions(ExportOptions):
    """Options of the NeuroML exporter."""

    initial_pulse: bool = Field(
        default=True,
        description="Set the initial membrane potential of each neuron by a current pulse in the first step; "
        "without it, all neurons of a population start at their mean.",
    )


class NeuroMLExporter(Exporter[NeuroMLOptions]):
    """Writes NeuroML 2 with the PyNN core types, and a LEMS file that runs it.

    The files are ``NAME.net.nml`` (populations, synapses, placed inputs), which includes
    ``NAME.cells.nml`` (cells, synapse types, input types), and ``LEMS_NAME.xml``. All parameters are
    physical: none is adapted to a simulator or its resolution, save where the list below says so.

    Not representable
    -----------------
    Reported by :meth:`losses`, and written otherwise:

    - initial membrane potentials that differ within a population: by a one-step pulse that is tied to
      ``dt``, or dropped without ``initial_pulse``;
    - Poisson inputs, and Poisson sources: at most one spike per source and step. Inputs are divided over
      sources so slow that this hardly matters; the report gives the variance that is left;
    - the delay of a Poisson input that runs all the time;
    - the end of a Poisson input, for the first spike of a source;
    - spikes at the same time in one spike train;
    - the discarded start of the simulation;
    - a sampling interval of membrane potentials other than ``dt``.

    Refused with NotRepresentableError:

    - neuron models without an equal among the core types (there is one for ``iaf_psc_exp``);
    - parameters that differ between the neurons of a population;
    - virtual populations without activity, or with a rate of one spike per step and more;
    - Poisson inputs so short or so slow that many sources would emit their first spike behind the end.
    """

    format: ClassVar[str] = "neuroml"
    title: ClassVar[str] = "NeuroML 2 and LEMS (XML), for jNeuroML, pyNeuroML, NEURON and viewers"
    Options: ClassVar[type[ExportOptions]] = NeuroMLOptions
    model_defaults: ClassVar[Mapping[str, Any]] = {"scale": 0.02}

    def losses(self, instance: NetworkInstance, options: NeuroMLOptions) -> list[Loss]:
        """Name what is approximated or left out (see "Not representable").

        Raises
        ------
        NotRepresentableError
            With the part that cannot be written at all.
        """
        return find_losses(instance, plan(instance, initial_pulse=options.initial_pulse))

    def estimate(self, instance: NetworkInstance, options: NeuroMLOptions) -> int:
        """Return about how many bytes will be written."""
        planned = plan(instance, initial_pulse=options.initial_pulse)
        total = 10_000
        for edges in instance.projections.values():
            ends = (planned.populations[edges.source], planned.populations[edges.target])
            paths = sum(len(end.path(end.nodes.size - 1)) for end in ends)
            total += edges.n_edges * (95 + paths)
        for population in planned.populations.values():
            total += population.nodes.size * 240
        for item in planned.inputs:
            total += planned.populations[item.input.target].nodes.size * item.n_sources * 90
        return total

    def write(
        self, instance: NetworkInstance, directory: Path, options: NeuroMLOptions, *, workers: int, progress: Progress
    ) -> Written:
        """Write the three files, streaming; the bytes do not depend on ``workers``."""
        planned = plan(instance, initial_pulse=options.initial_pulse)
        cells, network = f"{instance.name}.cells.nml", f"{instance.name}.net.nml"
        with (directory / cells).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(component_lines(instance, planned))
        with (directory / network).open("wb", buffering=2**20) as binary:
            digests = write_network_file(binary, instance, planned, cells, workers=workers, progress=progress)
        lems = directory / f"{fmt.LEMS_PREFIX}{instance.name}.xml"
        with lems.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(simulation_lines(instance, planned, network))
        return Written(digests)
