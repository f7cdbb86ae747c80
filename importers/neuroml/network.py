"""Readers of the elements of a network in XML: populations, projections and inputs."""

from __future__ import annotations

from array import array
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError

from .collected import Collected
from .columns import number, split_path, thousandfold
from .document import InputListElement, PopulationElement
from .leaves import Table
from .xml import Node, Skip, Text, required

__all__ = ["NetworkReader"]

#: Attributes that mean nothing where cells are points.
_NO_MATTER = frozenset({"id", "neuroLexId", "metaid", "fractionAlong", "preFractionAlong", "postFractionAlong"})
#: Attributes that have one value where cells are points: there is one segment, and one place for synapses.
_CONSTANT = {
    "destination": frozenset({"synapses"}),
    **{name: frozenset({"0"}) for name in ("segmentId", "preSegmentId", "postSegmentId")},
}
_UNWEIGHTED = 1000.0


class _Reader(Node):
    """Reads an element that may have remarks and properties."""

    def __init__(self, name: str, attributes: dict[str, str], place: str, collected: Collected) -> None:
        self.name, self.attributes, self.place, self.collected = name, attributes, place, collected
        self.properties: dict[str, str] = {}

    def required(self, attribute: str) -> str:
        return required(self.attributes, attribute, self.name, self.place)

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        if name == "property":
            self.properties[required(attributes, "tag", name, place)] = attributes.get("value", "")
        elif name not in ("annotation", "notes"):
            self.collected.add_unknown(name, attributes.get("id", ""), place)
        return Skip()


class NetworkReader(_Reader):
    """Reads a network.

    Parameters
    ----------
    name, attributes, place
        Of its element.
    collected
        Takes what is found.
    """

    def __init__(self, name: str, attributes: dict[str, str], place: str, collected: Collected) -> None:
        super().__init__(name, attributes, place, collected)
        self.properties = collected.properties
        self.leaves = {
            "explicitInput": self._inputs,
            "synapticConnection": partial(self._connections, weighted=False),
            "synapticConnectionWD": partial(self._connections, weighted=True),
        }
        #: Place of the first one, and all targets, by component and population.
        self._explicit: dict[tuple[str, str], tuple[str, list[int]]] = {}

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        """Begin one of its parts."""
        if name in ("population", "populationList"):
            return _PopulationReader(name, attributes, place, self.collected)
        if name == "projection":
            return _ProjectionReader(name, attributes, place, self.collected)
        if name == "inputList":
            return _InputListReader(name, attributes, place, self.collected)
        if name == "notes":
            return Text(self._notes, place)
        return super().child(name, attributes, place)

    def end(self) -> None:
        """Make lists of the inputs that came one by one."""
        for (component, population), (place, targets) in self._explicit.items():
            name = f"{component}_{population}"
            cells = np.array(targets, np.uint32)
            self.collected.add_inputs(InputListElement(name, population, component, cells, None, place))

    def _notes(self, text: str) -> None:
        self.collected.notes = text.strip()

    def _inputs(self, table: Table) -> None:
        table.known(_NO_MATTER | {"target", "input"}, _CONSTANT)
        targets = self._ends(table, "target")
        for component, (population, cell), line in zip(table.texts("input"), targets, table.lines, strict=True):
            place = f"{table.file}:{line}"
            self._explicit.setdefault((component, population), (place, []))[1].append(cell)

    def _connections(self, table: Table, *, weighted: bool) -> None:
        table.known(_NO_MATTER | {"from", "to", "synapse"} | ({"weight", "delay"} if weighted else set()), _CONSTANT)
        sources, targets = self._ends(table, "from"), self._ends(table, "to")
        weights, delays = _weights_and_delays(table, self.collected, weighted=weighted)
        rows: dict[tuple[str, str, str], list[int]] = {}
        for row, synapse in enumerate(table.texts("synapse")):
            rows.setdefault((sources[row][0], targets[row][0], synapse), []).append(row)
        for (source, target, synapse), chosen in rows.items():
            name = f"{source}_{target}_{synapse}"
            if name not in self.collected.projections:
                place = f"{table.file}:{table.lines[chosen[0]]}"
                self.collected.add_projection(name, source, target, synapse, place)
            cells = np.array([(sources[row][1], targets[row][1]) for row in chosen], np.uint32)
            self.collected.keep(name, cells[:, 0], cells[:, 1], weights[chosen], delays[chosen])

    def _ends(self, table: Table, name: str) -> list[tuple[str, int]]:
        """Return population and index of each cell."""

        def split(paths: list[str]) -> list[tuple[str, int]]:
            populations = [split_path(path)[0] for path in paths]
            return [(p, self.collected.cells(p)[path]) for p, path in zip(populations, paths, strict=True)]

        ends: list[tuple[str, int]] = table.convert(name, split)
        return ends


class _PopulationReader(_Reader):
    """Reads a population."""

    def __init__(self, name: str, attributes: dict[str, str], place: str, collected: Collected) -> None:
        super().__init__(name, attributes, place, collected)
        self.ids, self.xyz = array("Q"), array("d")

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        if name == "instance":
            # it is optional, and then they are counted
            self.ids.append(_whole(attributes.get("id", str(len(self.ids))), "id of an instance", place))
            return _InstanceReader(self)
        return super().child(name, attributes, place)

    def end(self) -> None:
        n = len(self.ids)
        given = self.attributes.get("size")
        if given is None and not n:
            raise FormatError(f"{self.place}: population {self.required('id')} has neither a size nor instances")
        size = n if given is None else _whole(given, "size", self.place)
        if n not in (0, size):
            raise FormatError(f"{self.place}: population {self.required('id')} has the size {size}, and {n} instances")
        positions = self._positions() if n else None
        self.collected.add_population(
            PopulationElement(
                self.required("id"), self.required("component"), size, positions, self.properties, self.place
            )
        )

    def _positions(self) -> NDArray[np.float64] | None:
        ids = np.array(self.ids, np.uint64)
        if not np.array_equal(np.sort(ids), np.arange(len(ids), dtype=np.uint64)):
            raise FormatError(
                f"{self.place}: the ids of the instances of population {self.required('id')} must be 0 to "
                f"{len(ids) - 1}, each once"
            )
        if not self.xyz:
            return None
        if len(self.xyz) != 3 * len(ids):
            raise FormatError(
                f"{self.place}: an instance of population {self.required('id')} has no location, or several"
            )
        positions = np.empty((len(ids), 3))
        positions[ids] = np.array(self.xyz).reshape(-1, 3)
        return positions


class _InstanceReader(Node):
    """Reads one cell of a population."""

    def __init__(self, population: _PopulationReader) -> None:
        self._population = population

    def child(self, name: str, attributes: dict[str, str], place: str) -> Node:
        if name == "location":
            self._population.xyz.extend(_number(required(attributes, axis, name, place), axis, place) for axis in "xyz")
        return Skip()


class _ProjectionReader(_Reader):
    """Reads a projection."""

    def __init__(self, name: str, attributes: dict[str, str], place: str, collected: Collected) -> None:
        super().__init__(name, attributes, place, collected)
        source, target = (self.required(f"{end}synapticPopulation") for end in ("pre", "post"))
        self._id = self.required("id")
        self._ends = collected.cells(source), collected.cells(target)
        collected.add_projection(self._id, source, target, self.required("synapse"), place)
        self.leaves = {
            "connection": partial(self._connections, weighted=False),
            "connectionWD": partial(self._connections, weighted=True),
        }

    def _connections(self, table: Table, *, weighted: bool) -> None:
        names = {"preCellId", "postCellId"} | ({"weight", "delay"} if weighted else set())
        table.known(_NO_MATTER | names, _CONSTANT)
        source, target = (
            table.convert(name, cells.of) for name, cells in zip(("preCellId", "postCellId"), self._ends, strict=True)
        )
        self.collected.keep(self._id, source, target, *_weights_and_delays(table, self.collected, weighted=weighted))


class _InputListReader(_Reader):
    """Reads a list of inputs."""

    def __init__(self, name: str, attributes: dict[str, str], place: str, collected: Collected) -> None:
        super().__init__(name, attributes, place, collected)
        self._cells = collected.cells(self.required("population"))
        self._targets: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
        self._weights: list[NDArray[np.float64]] = [np.empty(0)]
        self._weighted = False
        self.leaves = {
            "input": partial(self._inputs, weighted=False),
            "inputW": partial(self._inputs, weighted=True),
        }

    def _inputs(self, table: Table, *, weighted: bool) -> None:
        table.known(_NO_MATTER | {"target"} | ({"weight"} if weighted else set()), _CONSTANT)
        self._targets.append(table.convert("target", self._cells.of))
        self._weights.append(table.convert("weight", thousandfold) if weighted else np.full(len(table), _UNWEIGHTED))
        self._weighted |= weighted

    def end(self) -> None:
        self.collected.add_inputs(
            InputListElement(
                self.required("id"),
                self._cells.population,
                self.required("component"),
                np.concatenate(self._targets),
                np.concatenate(self._weights) if self._weighted else None,
                self.place,
            )
        )


def _weights_and_delays(
    table: Table, collected: Collected, *, weighted: bool
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    delays = collected.delays
    if not weighted:
        return np.full(len(table), _UNWEIGHTED), delays.steps(np.zeros(len(table)))
    return table.convert("weight", thousandfold), table.convert("delay", delays.of)


def _whole(text: str, name: str, place: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise FormatError(f"{place}: {name} must be a whole number, got {text!r:.60}")
    return int(text)


def _number(text: str, name: str, place: str) -> float:
    try:
        return number(text)
    except ValueError as error:
        raise FormatError(f"{place}: {name} {error}") from None
