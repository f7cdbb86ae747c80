"""A circuit: the files that its config names, and what they must have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import h5py

from ..config import NULL
from .configs import Setting
from .edges import EdgePopulation, check_edges
from .files import TypeTable, read_table
from .nodes import NodePopulation, check_nodes
from .populations import Population
from .report import Report
from .types import check_edge_types, check_node_types

__all__ = ["Circuit", "Files", "Member", "check_circuit", "loose_circuit"]

#: Files below a directory without a config that are looked at.
_MOST_FILES = 10_000
P = TypeVar("P", bound=Population)


@dataclass(frozen=True)
class Member(Generic[P]):
    """A population of a circuit with its type table and what the config lists of it."""

    population: P
    table: TypeTable | None
    place: str
    listed: Any

    @property
    def rows(self) -> dict[int, dict[str, str]]:
        """Rows of the table that are in use."""
        rows = self.table.rows if self.table else {}
        return {type_id: rows[type_id] for type_id in self.population.types if type_id in rows}

    @property
    def virtual(self) -> bool:
        """Whether all its types are virtual."""
        return {row.get("model_type") for row in self.rows.values()} == {"virtual"}

    def uses(self) -> Iterator[tuple[Path, str, dict[str, str]]]:
        """Yield file, place and content of the rows that are in use."""
        for type_id, row in self.rows.items():
            assert self.table is not None
            yield self.table.file, f"{self.table.kind}_type_id {type_id}", row

    def has(self, name: str) -> bool:
        """Say whether something is a property of some group, or a value of every type in use."""
        return name in self.population.all_properties or (
            bool(self.rows) and all(name in row for row in self.rows.values())
        )


@dataclass
class Circuit:
    """A circuit under check.

    Parameters
    ----------
    setting
        Its config; None where there is none.
    settings
        All configs that may say where the components are, its own first.
    """

    setting: Setting | None
    settings: Sequence[Setting] = ()
    nodes: dict[str, Member[NodePopulation]] = field(default_factory=dict)
    edges: dict[str, Member[EdgePopulation]] = field(default_factory=dict)

    @property
    def populations(self) -> dict[str, NodePopulation]:
        """Node populations by name."""
        return {name: member.population for name, member in self.nodes.items()}


@dataclass
class _Entry:
    """One pair of files."""

    place: str
    file: Path
    table: Path | None
    listed: Any = None


class Files:
    """What was read, so that circuits that share files have them read once."""

    def __init__(self, report: Report, dt: float | None) -> None:
        self.report = report
        self._dt = dt
        self._nodes: dict[Path, list[NodePopulation]] = {}
        self._edges: dict[Path, list[EdgePopulation]] = {}
        self._tables: dict[tuple[Path, str], TypeTable | None] = {}

    def nodes(self, file: Path) -> list[NodePopulation]:
        """Return the populations of a node file."""
        if file not in self._nodes:
            self._nodes[file] = check_nodes(self.report, file)
        return self._nodes[file]

    def edges(self, file: Path, nodes: Mapping[str, NodePopulation]) -> list[EdgePopulation]:
        """Return the populations of an edge file."""
        if file not in self._edges:
            self._edges[file] = check_edges(self.report, file, nodes, self._dt)
        return self._edges[file]

    def table(self, file: Path | None, kind: str) -> TypeTable | None:
        """Return a type table."""
        if file is None:
            return None
        if (file, kind) not in self._tables:
            self._tables[file, kind] = read_table(self.report, file, kind)
        return self._tables[file, kind]


def check_circuit(files: Files, settings: Sequence[Setting], dt: float | None) -> Circuit:
    """Check the circuit of the first of some configs; the others may give the directories of its components."""
    setting = settings[0]
    circuit = Circuit(setting, settings)
    networks = setting.section("networks")
    if "nodes" not in networks and "networks" in setting.content:
        setting.error("networks.nodes", "is missing")
    return _fill(files, circuit, _entries(setting, networks, "node"), _entries(setting, networks, "edge"), dt)


def loose_circuit(files: Files, directory: Path, dt: float | None) -> Circuit:
    """Check the node and edge files of a directory without a config, paired by their names."""
    found: dict[str, list[_Entry]] = {"nodes": [], "edges": []}
    for number, file in enumerate(sorted(directory.rglob("*.h5"))):
        if number == _MOST_FILES:
            break
        if not file.resolve().is_relative_to(files.report.root):
            files.report.error(file, "", "leaves the directory of the circuit")
            continue
        for root, entries in found.items():
            if _holds(file, root):
                stem = file.stem.removesuffix(f"_{root}")
                table = file.with_name(f"{stem}_{root.removesuffix('s')}_types.csv")
                entries.append(_Entry("", file, table if table.is_file() else None))
    if not found["nodes"]:
        files.report.error(directory, "", "there is no node file")
    return _fill(files, Circuit(None), found["nodes"], found["edges"], dt)


def _holds(file: Path, root: str) -> bool:
    """Say whether a file can be opened and has a group."""
    try:
        with h5py.File(file, "r") as hdf5:
            return root in hdf5
    except (OSError, RuntimeError):
        return file.stem.endswith(f"_{root}")


def _entries(setting: Setting, networks: dict[str, Any], kind: str) -> list[_Entry]:
    """Return the entries of ``networks.nodes`` or ``networks.edges`` whose files are there."""
    given = networks.get(f"{kind}s", [])
    if not isinstance(given, list):
        setting.error(f"networks.{kind}s", "is not a list")
        return []
    if kind == "node" and given == [] and "nodes" in networks:
        setting.error("networks.nodes", "is empty")
    found, files = [], set()
    for number, entry in enumerate(given):
        place = f"networks.{kind}s[{number}]"
        if not isinstance(entry, dict):
            setting.error(place, "is not a JSON object")
            continue
        if not entry.get("enabled", True):
            continue
        if f"{kind}s_file" not in entry:
            setting.error(f"{place}.{kind}s_file", "is missing")
            continue
        file = setting.path(f"{place}.{kind}s_file", entry[f"{kind}s_file"])
        types, table = entry.get(f"{kind}_types_file"), None
        if types is not None and not (isinstance(types, str) and types in NULL):
            table = setting.path(f"{place}.{kind}_types_file", types)
        if file in files:
            setting.error(f"{place}.{kind}s_file", "is in the list already")
        elif file is not None:
            files.add(file)
            found.append(_Entry(place, file, table, entry.get("populations")))
    return found


def _fill(
    files: Files, circuit: Circuit, node_entries: list[_Entry], edge_entries: list[_Entry], dt: float | None
) -> Circuit:
    report = files.report
    for entry in node_entries:
        found = files.nodes(entry.file)
        _check_listed(circuit, entry, found)
        for nodes in found:
            member = Member(nodes, files.table(entry.table, "node"), entry.place, entry.listed)
            if _is_new(report, circuit.nodes, nodes):
                circuit.nodes[nodes.name] = member
                check_node_types(report, circuit.settings, nodes, member.table)
    for entry in edge_entries:
        connections = files.edges(entry.file, circuit.populations)
        _check_listed(circuit, entry, connections)
        for edges in connections:
            connection = Member(edges, files.table(entry.table, "edge"), entry.place, entry.listed)
            if _is_new(report, circuit.edges, edges):
                circuit.edges[edges.name] = connection
                check_edge_types(report, circuit.settings, edges, connection.table, dt)
    return circuit


def _is_new(report: Report, known: Mapping[str, Member[Any]], population: NodePopulation | EdgePopulation) -> bool:
    """Report a population that another file has, too."""
    if population.name not in known:
        return True
    first = report.name(known[population.name].population.file)
    report.error(population.file, population.place, f"is a population of {first}, too")
    return False


def _check_listed(circuit: Circuit, entry: _Entry, found: list[NodePopulation] | list[EdgePopulation]) -> None:
    """Check that the populations that an entry lists are in its file."""
    if circuit.setting is None or entry.listed is None or not found:  # nothing found has its finding already
        return
    place = f"{entry.place}.populations"
    if not isinstance(entry.listed, dict):
        circuit.setting.error(place, "is not a JSON object")
        return
    names = [population.name for population in found]
    for name in entry.listed:
        if name not in names:
            file = circuit.setting.report.name(entry.file)
            circuit.setting.error(f"{place}.{name}", f"{file} has no such population; it has {', '.join(names)}")
