"""What the checks of all consumers work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .circuits import Circuit, Member
from .populations import Population
from .report import Report
from .simulations import Simulation

__all__ = ["Subject", "need_columns", "need_datasets", "need_ids_in_order", "plain_groups"]


@dataclass(frozen=True)
class Subject:
    """What one consumer reads of a directory.

    Parameters
    ----------
    report
        Where findings go.
    circuits, simulations
        Those in its dialect where there are any, else those without a dialect.
    node_sets
        Their content by file.
    """

    report: Report
    circuits: Sequence[Circuit]
    simulations: Sequence[Simulation]
    node_sets: Mapping[Path, dict[str, Any]]

    @classmethod
    def of(
        cls,
        dialect: str | None,
        report: Report,
        circuits: Sequence[Circuit],
        simulations: Sequence[Simulation],
        node_sets: Mapping[Path, dict[str, Any]],
    ) -> Subject:
        """Choose what a consumer reads."""
        ours = [c for c in circuits if c.setting and c.setting.consumer == dialect]
        common = [c for c in circuits if not c.setting or c.setting.consumer is None]
        runs = [s for s in simulations if s.setting.consumer == dialect]
        plain = [s for s in simulations if s.setting.consumer is None]
        return cls(report, ours or common, runs or plain, node_sets)

    def members(self) -> Iterator[Member[Any]]:
        """Yield all node and edge populations."""
        for circuit in self.circuits:
            yield from circuit.nodes.values()
            yield from circuit.edges.values()


def need_datasets(report: Report, who: str, population: Population, names: Sequence[str]) -> None:
    """Report datasets that the specification lets a file leave out, but a consumer does not."""
    for name in names:
        if name not in population.datasets:
            report.error(population.file, f"{population.place}/{name}", f"{who} needs it: write it")


def need_columns(report: Report, who: str, member: Member[Any], names: Sequence[str]) -> None:
    """Report columns that a type table must have, with a value for each type in use."""
    if member.table is None:
        report.error(member.population.file, member.population.place, f"{who} needs a type table: add its file")
        return
    for name in names:
        if name not in member.table.columns:
            report.error(member.table.file, "row 1", f"{who} needs a column {name}: add it")
            continue
        for file, place, row in member.uses():
            if name not in row:
                report.error(file, place, f"{who} fails where {name} is NULL: give it a value")


def need_ids_in_order(report: Report, who: str, member: Member[Any]) -> None:
    """Report ids that a consumer would take for the numbers of the rows."""
    population = member.population
    if population.ids is not None:
        message = f"{who} takes the number of the row as id: sort the rows by node_id and number them from 0"
        report.error(population.file, f"{population.place}/node_id", message)


def plain_groups(report: Report, who: str, population: Population) -> None:
    """Report groups that a consumer would ignore: it takes row 0 of group 0 for node or edge 0, and so on."""
    if len(population.properties) > 1:
        message = f"{who} reads one group only: write populations with one group each"
        report.error(population.file, population.place, message)
    elif not population.rows_are_index:
        kind = "edge" if "source_node_id" in population.datasets else "node"
        message = f"{who} ignores it and takes the rows as they come: write 0, 1, 2, ..."
        report.error(population.file, f"{population.place}/{kind}_group_index", message)
