"""The exporter for NeuroML 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from mc_interchange.contracts import Exporter, ExportOptions, Loss, Written
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance
from mc_interchange.progress import Progress

from .cells import component_lines
from .dynamics_types import write_dynamics
from .equations import check_equations, write_equations
from .hdf5_writer import Hdf5Writer
from .losses import find_losses
from .matched import match
from .network import estimate_network, write_network
from .plan import Plan, plan
from .simulation import simulation_lines
from .writer import NetworkWriter
from .xml_writer import XmlWriter

__all__ = ["NeuroMLExporter", "NeuroMLOptions"]

#: Synapses up to which the network is written as XML unless told otherwise: 1.4 GB, and tools that read text still do.
MOST_AS_XML = 10**7


class NeuroMLOptions(ExportOptions):
    """Options of the NeuroML exporter."""

    initial_pulse: bool = Field(
        default=True,
        description="Set the initial membrane potential of each neuron by a current pulse in the first step; "
        "without it, all neurons of a population start at their mean.",
    )
    encoding: Literal["xml", "hdf5", "auto"] = Field(
        default="auto",
        description=f"Form of the network file: text that every tool reads, or HDF5, a ninth of the size; auto: XML "
        f"up to {MOST_AS_XML:,} synapses.",
    )
    matched_to: Literal["none", "jlems", "neuron"] = Field(
        default="none",
        description="Write a verification artefact: parameters with which this simulator steps as NEST does, for a "
        "comparison of spikes.",
    )
    spread_spikes: bool = Field(
        default=False,
        description="Spread the spikes of each replayed source over several, so that no two of one are underway at "
        "once: EDEN loses the second.",
    )
    equations: bool = Field(
        default=False,
        description="Write NAME.equations.xml too: the equations of iaf_psc_exp as LEMS types in its own units.",
    )


class NeuroMLExporter(Exporter[NeuroMLOptions]):
    """Writes NeuroML 2 with the PyNN core types, and a LEMS file that runs it.

    The files are ``NAME.net.nml`` or ``NAME.net.nml.h5`` (populations, synapses, placed inputs), which includes
    ``NAME.cells.nml`` (cells, synapse types, input types), and ``LEMS_NAME.xml``. All parameters are
    physical: none is adapted to a simulator or its resolution, save where the list below says so. Neurons that are
    given by equations get component types of their own, in ``NAME.equations_of_neurons.xml``, which jLEMS runs.

    Not representable
    -----------------
    Reported by :meth:`losses`, and written otherwise:

    - initial membrane potentials that differ within a population: by a one-step pulse that is tied to
      ``dt``, or dropped without ``initial_pulse``;
    - Poisson inputs, and Poisson sources: at most one spike per source and step. Inputs are divided over
      sources so slow that this hardly matters; the report gives the variance that is left;
    - the delay of a Poisson input that runs all the time;
    - the end of a Poisson input, for the first spike of a source;
    - refractory times below one step; an adaptation current at the start, and overshoots of the exponential, of
      ``aeif_*``; a recovery variable and an integration of ``izhikevich`` that are not NeuroML's;
    - synapses without delay (onto neurons that are given by equations), in jLEMS;
    - in HDF5, weights and positions with more digits than its float32 has, and the pulses of initial potentials;
    - the discarded start of the simulation;
    - a sampling interval of membrane potentials other than ``dt``.

    With ``matched_to``, the physical parameters themselves: see :mod:`mc_interchange.formats.neuroml.matched`.

    Refused with NotRepresentableError:

    - neuron models without an equal among the core types (the catalogue names those that have one), and spikes
      onto ``izhikevich``, whose potential would jump;
    - parameters that differ between the neurons of a population, save those of equations;
    - equations with broken powers of units, or with a current in threshold or reset; currents onto equations
      without a place for them; plastic synapses onto equations;
    - virtual populations without activity, or with a rate of one spike per step and more;
    - Poisson inputs so short or so slow that many sources would emit their first spike behind the end;
    - in HDF5: populations and lists of inputs with more members than float32 tells apart (16,777,216);
    - with ``matched_to``: Poisson sources, neuron models other than ``iaf_psc_exp``, refractory times beside the
      grid, HDF5.
    """

    format: ClassVar[str] = "neuroml"
    title: ClassVar[str] = "NeuroML 2 and LEMS (XML or HDF5), for jNeuroML, pyNeuroML, NEURON and viewers"
    Options: ClassVar[type[ExportOptions]] = NeuroMLOptions
    model_defaults: ClassVar[Mapping[str, Any]] = {"scale": 0.02}

    def losses(self, instance: NetworkInstance, options: NeuroMLOptions) -> list[Loss]:
        """Name what is approximated or left out (see "Not representable").

        Raises
        ------
        NotRepresentableError
            With the part that cannot be written at all.
        """
        if options.equations:
            check_equations(instance, matched=options.matched_to != "none")
        return find_losses(*_planned(instance, options))

    def estimate(self, instance: NetworkInstance, options: NeuroMLOptions) -> int:
        """Return about how many bytes will be written."""
        instance, planned = _planned(instance, options)
        return 10_000 + estimate_network(_encoding(instance, options), instance, planned)

    def write(
        self, instance: NetworkInstance, directory: Path, options: NeuroMLOptions, *, workers: int, progress: Progress
    ) -> Written:
        """Write the files, streaming; the bytes do not depend on ``workers``."""
        instance, planned = _planned(instance, options)
        cells = f"{instance.name}.cells.nml"
        encoding = _encoding(instance, options)
        network = instance.name + encoding.suffix
        with (directory / cells).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(component_lines(instance, planned))
        with encoding.new(directory / network, instance.simulation.dt, planned) as writer:
            digests = write_network(writer, instance, planned, cells, directory, workers=workers, progress=progress)
        lems = directory / f"{fmt.LEMS_PREFIX}{instance.name}.xml"
        files = [network]
        if planned.equations:
            files.insert(0, f"{instance.name}.equations_of_neurons.xml")
            inputs = {item.component: item.equations for item in planned.inputs if item.equations}
            write_dynamics(directory / files[0], planned.equations, inputs)
        with lems.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(simulation_lines(instance, planned, *files))
        if options.equations:
            write_equations(directory / f"{instance.name}.equations.xml", instance, planned)
        return Written(digests, writer.columns, writer.losses())


def _encoding(instance: NetworkInstance, options: NeuroMLOptions) -> type[NetworkWriter]:
    if options.encoding == "xml" or (options.encoding == "auto" and instance.n_edges <= MOST_AS_XML):
        return XmlWriter
    return Hdf5Writer


def _planned(instance: NetworkInstance, options: NeuroMLOptions) -> tuple[NetworkInstance, Plan]:
    """Return what is written, and how: the instance itself, or one that is matched to a solver."""
    matching = None
    if options.matched_to != "none":
        instance, matching = match(instance, options.matched_to)
    encoding = _encoding(instance, options)
    planned = plan(
        instance,
        initial_pulse=options.initial_pulse,
        matching=matching,
        list_all=encoding.lists_all,
        spread_spikes=options.spread_spikes,
    )
    encoding.check(planned)
    return instance, planned
