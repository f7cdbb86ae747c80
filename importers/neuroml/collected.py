"""What the files of a network have given so far, and the document that becomes of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import ArrayEdges, EdgeBlock, Edges, Spool, SpooledEdges, Synapse
from mc_interchange.instance.spool import RECORD

from .columns import CellPaths, Delays
from .document import (
    Component,
    Document,
    InputListElement,
    NeuroMLWarning,
    PopulationElement,
    ProjectionElement,
)

__all__ = ["Collected", "check_size"]

#: Components and their parts, populations, projections and lists, all together; far more than networks of points have.
_MAX_ELEMENTS = 2_000_000
#: Cells of one population, or inputs of one list.
_MAX_SIZE = 100_000_000
_NONE = EdgeBlock(np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.float32), np.empty(0, np.int32))


def check_size(n: int, place: str) -> None:
    """Refuse more cells, or inputs in one list, than are read; a number in a file costs its writer nothing.

    Raises
    ------
    FormatError
    """
    if n > _MAX_SIZE:
        raise FormatError(f"{place}: {n} cells or inputs are more than the {_MAX_SIZE} that are read")


@dataclass
class Collected:
    """Everything from all files, in the order in which it came.

    Parameters
    ----------
    start
        File that reading began with.
    dt
        Resolution in ms.
    simulation
        The LEMS file, where there is one; its target is the network to be read.
    """

    start: Path
    dt: float
    simulation: fmt.LemsFile | None
    name: str | None = None
    path: Path | None = None
    notes: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    own_types: dict[str, str] = field(default_factory=dict)
    populations: dict[str, PopulationElement] = field(default_factory=dict)
    projections: dict[str, ProjectionElement] = field(default_factory=dict)
    inputs: dict[str, InputListElement] = field(default_factory=dict)
    unknown: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.delays = Delays(self.dt, str(self.start), self.properties)
        self._spool: Spool | None = None
        self._cells: dict[str, CellPaths] = {}
        self._n_elements = 0

    def begins(self, name: str, path: Path, place: str) -> bool:
        """Say whether a network that begins here is the one to be read.

        That is the target of the simulation; where there is none, the first.

        Raises
        ------
        FormatError
            It is not clear which.
        """
        wanted = self.name if self.simulation is None else self.simulation.target
        if self.path == path and self.simulation is None:
            raise FormatError(
                f"{place}: there is a network already ({self.name!r:.80}); name a LEMS file that tells which"
            )
        if wanted not in (None, name) or (self.simulation is None and self.path is not None):
            warnings.warn(
                f"{place}: network {name!r:.80} is not read, but {wanted!r:.80}", NeuroMLWarning, stacklevel=2
            )
            return False
        if self.path is not None:
            raise FormatError(f"{place}: network {name!r:.80} is there already, in {self.path}")
        self.name, self.path = name, path
        return True

    def count(self, place: str) -> None:
        """Count one more element that is kept."""
        self._n_elements += 1
        if self._n_elements > _MAX_ELEMENTS:
            raise FormatError(f"{place}: more than {_MAX_ELEMENTS} elements; this is no network of point neurons")

    def add_component(self, component: Component) -> None:
        """Add a component."""
        before = self.components.setdefault(component.id, component)
        if before is not component:
            raise FormatError(f"{component.place}: component {component.id!r:.80} is there already ({before.place})")

    def add_population(self, population: PopulationElement) -> None:
        """Add a population."""
        self.count(population.place)
        if population.id in self.populations:
            raise FormatError(f"{population.place}: population {population.id!r:.80} is there already")
        check_size(population.size, population.place)
        tag, none = fmt.NO_POSITIONS
        if population.properties.get(tag) == none:
            properties = {key: value for key, value in population.properties.items() if key != tag}
            population = replace(population, positions=None, properties=properties)
        self.populations[population.id] = population
        cells = self.cells(population.id)
        cells.size = population.size

    def add_projection(
        self, name: str, source: str, target: str, synapse: str, place: str, edges: Edges | None = None
    ) -> None:
        """Add a projection.

        Parameters
        ----------
        name, source, target, synapse
            Identifiers.
        edges
            Its connections; None: they are those that :meth:`keep` gets.
        """
        self.count(place)
        if name in self.projections:
            raise FormatError(f"{place}: projection {name!r:.80} is there already ({self.projections[name].place})")
        # what has been kept is known at the end only
        later = ArrayEdges(name, source, target, _NONE) if edges is None else edges
        self.projections[name] = ProjectionElement(name, source, target, synapse, later, place)
        for population in (source, target):
            self.cells(population)

    def add_inputs(self, inputs: InputListElement) -> None:
        """Add a list of inputs."""
        self.count(inputs.place)
        if inputs.id in self.inputs:
            raise FormatError(f"{inputs.place}: inputList {inputs.id!r:.80} is there already")
        self.inputs[inputs.id] = inputs

    def add_unknown(self, name: str, identifier: str, place: str) -> None:
        """Remember an element that is not read."""
        self.count(place)
        self.unknown.append((f"{name} {identifier}".strip(), place))

    def cells(self, population: str) -> CellPaths:
        """Return the paths of a population's cells."""
        if population not in self._cells:
            self._cells[population] = CellPaths(population)
        return self._cells[population]

    def keep(
        self,
        projection: str,
        source: NDArray[np.uint32],
        target: NDArray[np.uint32],
        weight: NDArray[np.float64],
        delay: NDArray[np.int32],
    ) -> None:
        """Put connections of a projection aside (see :class:`mc_interchange.instance.EdgeBlock`)."""
        if self._spool is None:
            self._spool = Spool()
        records = np.empty(len(source), RECORD)
        records["source"], records["target"], records["weight"], records["delay"] = source, target, weight, delay
        self._spool.add(projection, records)

    def _complete(self, projection: ProjectionElement) -> ProjectionElement:
        if self._spool is None or projection.id not in self._spool.extents:
            return projection
        ends = (projection.source, projection.target)
        edges = SpooledEdges(self._spool, projection.id, projection.id, *ends, Synapse())
        return replace(projection, edges=edges)

    def document(self) -> Document:
        """Check what could not be checked before, and return the document.

        Raises
        ------
        FormatError
        """
        if self.name is None or self.path is None:
            wanted = f"the network {self.simulation.target!r:.80}" if self.simulation else "a network"
            raise FormatError(f"{self.start}: neither this file nor those that it includes hold {wanted}")
        if self._spool is not None:
            self._spool.flush()
        for item in self.projections.values():
            for population in (item.source, item.target):
                self._check_population(population, item.place)
        for inputs in self.inputs.values():
            self._check_population(inputs.population, inputs.place)
        return Document(
            path=self.path,
            name=self.name,
            dt=self.dt,
            notes=self.notes,
            properties=self.properties,
            components=self.components,
            populations=tuple(self.populations.values()),
            projections=tuple(map(self._complete, self.projections.values())),
            inputs=tuple(self.inputs.values()),
            simulation=self.simulation,
            unknown=tuple(self.unknown),
            own_types=self.own_types,
        )

    def _check_population(self, name: str, place: str) -> None:
        if name not in self.populations:
            raise FormatError(f"{place}: there is no population {name!r:.80}")
        population, cells = self.populations[name], self.cells(name)
        if cells.highest >= population.size:
            raise FormatError(
                f"{place}: there is a path of cell {cells.highest}, but {name!r:.80} has {population.size} cells"
            )
        for component in sorted(cells.components - {population.component}):
            message = (
                f"{population.place}: there are paths of cells of {name!r:.80} with the component {component!r:.80}; "
                f"it is {population.component!r:.80}"
            )
            warnings.warn(message, NeuroMLWarning, stacklevel=3)
