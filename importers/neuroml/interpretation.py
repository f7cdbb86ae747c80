"""From a document to the parts of an instance: what each element means in terms of the catalogue."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import ArtefactError, FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.beside import Beside
from mc_interchange.importers.names import our_names, unique_names, valid_name
from mc_interchange.instance import ArrayEdges, EdgeBlock, Edges, Nodes
from mc_interchange.network import Input, Simulation

from .cells import find_cells
from .components import Components, refuse, refused
from .document import Component, Document, InputListElement, NeuroMLWarning
from .inputs import (
    PULSES,
    SPIKING,
    InitialPulses,
    Pulse,
    poisson_inputs,
    step_currents,
    synapse_of,
    weights_of,
)
from .neurons import Cell, neurons
from .projections import INHIBITORY, JoinedEdges, Part, check_layers, stem
from .sources import SOURCES, replayed, sources
from .synapses import Attached, find_receptors, signs_of_edges, signs_of_weights

__all__ = ["Interpretation"]

#: Elements of a network that mean nothing for point neurons.
_NO_MATTER = ("space", "region", "extracellularProperties")


class Interpretation:
    """The parts of an instance that a document stands for.

    Parameters
    ----------
    document
        What was read.
    simulation
        Its resolution and duration count.
    beside
        The file beside the network. NeuroML's identifiers are unique among all elements, so exports of this package
        may have underscores behind the names that stand there.

    Raises
    ------
    FormatError
        Something has no equal here.
    """

    def __init__(self, document: Document, simulation: Simulation, beside: Beside) -> None:
        _refuse_unknown(document)
        self._document, self._simulation = document, simulation
        self.single = document.path.suffix == ".h5"
        self._known = {item.name for item in beside.inputs}
        self._known |= {item.name for item in beside.network.projections} if beside.network else set()
        self._components = Components(document)
        self.cells = find_cells(document)
        self._sizes = {name: sum(e.size for e in several) for name, several in self.cells.members.items()}
        self.neurons = dict(self._find_neurons())
        self._elements = check_layers([p for p in document.projections if p.edges.n_edges], self.cells)
        self._attached: dict[str, dict[str, Attached]] = {name: {} for name in self.neurons}
        self._currents: list[tuple[InputListElement, Pulse]] = []
        self._constant: dict[str, float] = {}
        self._spiking: list[tuple[InputListElement, Component, Attached]] = []
        for projection in self._elements:
            synapse = self._attach(projection.target, projection.synapse, projection.place)
            synapse.used(partial(signs_of_edges, projection.edges))
        for item in document.inputs:
            if len(item.targets):
                self._sort(item)
        self._receptors = {
            name: find_receptors(f"{document.path}: population {name}", list(synapses.values()), cell.parameters)
            for name, cell in self.neurons.items()
            for synapses in (self._attached[name],)
        }
        self.pulses: dict[str, InitialPulses] = {}
        self.populations = {name: self._nodes(name) for name in self.cells.members}
        self.projections: dict[str, Edges] = {edges.name: edges for edges in self._projections()}
        self.inputs = tuple(self._inputs())
        self._add_replayed()

    def _find_neurons(self) -> Iterator[tuple[str, Cell]]:
        for name, several in self.cells.members.items():
            component = self._components.get(several[0].component, several[0].place)
            if component.type in fmt.CELLS:
                yield name, Cell(component)
            elif component.type not in SOURCES:
                raise FormatError(
                    f"{several[0].place}: population {several[0].id}: cells of the type {component.type} are not "
                    f"supported, only {', '.join((*fmt.CELLS, *SOURCES))}"
                )

    def _target(self, population: str, place: str) -> str:
        """Return our name of a population that gets something."""
        name = self.cells.places[population].population
        if name not in self.neurons:
            raise FormatError(f"{place}: the target {population!r:.80} is a source of spikes and takes no input")
        if self.neurons[name].type.isolated:
            raise FormatError(f"{place}: cells of the type {self.neurons[name].type.name} ({population}) take no input")
        return name

    def _attach(self, population: str, synapse: str, place: str) -> Attached:
        attached = self._attached[self._target(population, place)]
        if synapse not in attached:
            attached[synapse] = Attached(self._components.get(synapse, place))
        return attached[synapse]

    def _sort(self, item: InputListElement) -> None:
        """Find out what kind of input a list holds."""
        target = self._target(item.population, item.place)
        component = self._components.get(item.component, item.place)
        if component.type in SPIKING:
            synapse = synapse_of(component, self._components)
            attached = self._attach(item.population, synapse.id, item.place)
            attached.used(partial(signs_of_weights, weights_of(item)))
            self._spiking.append((item, component, attached))
            return
        if component.type not in PULSES:
            raise refuse(component, f"is not supported as an input, only {', '.join((*PULSES, *SPIKING))}")
        pulse = Pulse.of(component)
        cell = self.neurons[target].type
        if pulse.dimensionless != cell.dimensionless:
            raise refuse(component, f"is no input of cells of the type {cell.name} (population {item.population})")
        constant = pulse.constant(item, self._sizes[target])
        if constant is None:
            self._currents.append((item, pulse))
        else:
            self._constant[target] = self._constant.get(target, 0.0) + constant

    def _nodes(self, name: str) -> Nodes:
        several = self.cells.members[name]
        if name not in self.neurons:
            merged = self.cells.places[several[0].id].source is not None
            return sources(name, several, self._components, self._simulation, merged=merged)
        cell = self.neurons[name]
        nodes = neurons(name, several[0], cell, self._receptors[name], self._constant.get(name, 0.0))
        for item, pulse in self._currents:
            if item.population == several[0].id and self._sets_potentials(item, pulse):
                per_mV = fmt.pulse_per_mV(nodes.models[0].parameters, self._simulation.dt)
                self.pulses.setdefault(name, InitialPulses(np.zeros(nodes.size), cell.parameters["V_m"], per_mV))
                self.pulses[name].add(item)
        return replace(nodes, V_m=self.pulses[name].potentials()) if name in self.pulses else nodes

    def _sets_potentials(self, item: InputListElement, pulse: Pulse) -> bool:
        return item.weights is not None and pulse.sets_potentials(self._simulation.dt)

    def _projections(self) -> Iterator[Edges]:
        groups: dict[tuple[str, str, str], list[Part]] = {}
        ours = fmt.MODEL in self._document.properties
        for element in self._elements:
            place, target = self.cells.places[element.source], self.cells.places[element.target].population
            receptors = self._receptors[target]
            inhibitory = receptors.inhibitory.get(element.synapse, False)
            if inhibitory is None:
                inhibitory = element.id.endswith(INHIBITORY)
            name = self._restored(
                stem(element, one_source=place.source is not None, by_sign=ours and receptors.by_sign)
            )
            synapse = self._attached[target][element.synapse]
            part = Part(element, synapse, place.source, inhibitory)
            groups.setdefault((name, place.population, target), []).append(part)
        names = our_names(self._document.path, "projection", [name for name, _, _ in groups], NeuroMLWarning)
        for name, ((_, source, target), parts) in zip(names, groups.items(), strict=True):
            yield JoinedEdges(name, source, target, parts)

    def _inputs(self) -> Iterator[Input]:
        found = list(self._found_inputs())
        names = unique_names([self._restored(item.name) for item in found])
        for item, name in zip(found, names, strict=True):
            yield item if item.name == name else item.model_copy(update={"name": name})

    def _found_inputs(self) -> Iterator[Input]:
        dt = self._simulation.dt
        for item, pulse in self._currents:
            if not self._sets_potentials(item, pulse):
                with refused(pulse.component):
                    yield from step_currents(self._name(item), pulse, item, *self._onto(item), dt)
        for item, component, attached in self._spiking:
            if component.type == "timedSynapticInput":
                continue
            with refused(component):
                for poisson in poisson_inputs(self._name(item), component, item, *self._onto(item), dt):
                    weight = self._weights(item, attached, np.array([poisson.weight]))
                    yield poisson.model_copy(update={"weight": float(weight[0])})

    def _add_replayed(self) -> None:
        """Make virtual populations and projections of inputs that hold their spikes."""
        taken = [*self.populations]
        for item, component, attached in self._spiking:
            if component.type != "timedSynapticInput":
                continue
            name = unique_names([*taken, self._name(item)])[-1]
            taken.append(name)
            self.populations[name] = Nodes(name, 1, activity=replayed(component, self._simulation))
            n = len(item.targets)
            weight = self._weights(item, attached, weights_of(item))
            block = EdgeBlock(np.zeros(n, np.uint32), item.targets, weight, np.ones(n, np.int32))
            target, _ = self._onto(item)
            edges = unique_names([*self.projections, f"{name}_to_{target}"])[-1]
            self.projections[edges] = ArrayEdges(edges, name, target, block)

    def _onto(self, item: InputListElement) -> tuple[str, int]:
        """Return our population that a list is for, and its size."""
        target = self.cells.places[item.population].population
        return target, self._sizes[target]

    def _name(self, item: InputListElement) -> str:
        """Return a name for what a list places: that of the component, where there is no other list of it."""
        alone = sum(other.component == item.component for other in self._document.inputs) == 1
        return valid_name(item.component if alone else item.id)

    def _weights(self, item: InputListElement, attached: Attached, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return weights as they act through a synapse, from 1000 times those of the file."""
        target, _ = self._onto(item)
        found: NDArray[np.float64] = attached.scaled(weights)
        if attached.E_rev is not None and np.any(found < 0):
            raise FormatError(f"{item.place}: inputList {item.id} has a conductance below 0")
        return -found if self._receptors[target].inhibitory.get(attached.component.id) else found

    def _restored(self, name: str) -> str:
        """Return a name without the underscores that made it unique, where that is a known one."""
        bare = name
        while bare not in self._known and bare.endswith("_"):
            bare = bare[:-1]
        return bare if bare in self._known else name


def _refuse_unknown(document: Document) -> None:
    """Refuse elements that would be lost, and what is no model but a tool of verification.

    Raises
    ------
    FormatError
    """
    matched = document.properties.get(fmt.MATCHED_TO)
    if matched is not None:
        raise ArtefactError(
            f"{document.path}: a verification artefact whose parameters are matched to {matched:.40}; import the "
            "export that was made without --matched-to"
        )
    for name, place in document.unknown:
        if name.partition(" ")[0] not in _NO_MATTER:
            raise FormatError(
                f"{place}: {name} is not supported, only populations, projections and inputs of point neurons"
            )
        warnings.warn(f"{place}: {name} is not read", NeuroMLWarning, stacklevel=3)
