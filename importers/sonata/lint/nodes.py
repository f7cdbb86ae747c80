"""Node populations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import sonata

from .columns import INTEGERS, Column, Group, Rule, Values, scan
from .files import opened
from .populations import Population, check_groups, check_type_ids
from .report import Report

__all__ = ["NodePopulation", "check_nodes"]

#: Largest population whose ids are sorted in memory, where they are not 0, 1, 2, ...
_MOST_SORTED = 2**27


@dataclass
class NodePopulation(Population):
    """What was seen of a node population.

    Parameters
    ----------
    ids : ndarray, shape (rows,)
        All ids, sorted, where they are not 0, 1, 2, ... in order; else None.
    """

    ids: NDArray[Any] | None = None

    def outside(self, block: Values) -> NDArray[np.bool_] | None:
        """Return a mask of the ids that are none of this population's."""
        if self.ids is None:
            low, high = int(block.min()), int(block.max())
            return None if low >= 0 and high < self.rows else (block < 0) | (block >= self.rows)
        places = np.minimum(np.searchsorted(self.ids, block), len(self.ids) - 1)
        mask: NDArray[np.bool_] = self.ids[places] != block
        return mask


def check_nodes(report: Report, file: Path) -> list[NodePopulation]:
    """Check every population of a node file."""
    found: list[NodePopulation] = []
    with opened(report, file, sonata.NODES) as top:
        for name, group in top.groups() if top else ():
            found.append(NodePopulation(name, file, group.place, datasets=frozenset(group.names())))
            with report.guard(file, group.place):
                _check(found[-1], group)
    return found


def _check(population: NodePopulation, group: Group) -> None:
    ids = group.column("node_id", INTEGERS)
    types = group.column("node_type_id", INTEGERS)
    lengths = [column.rows for column in (types, ids) if column is not None]
    population.rows = lengths[0] if lengths else 0
    if not lengths:
        group.missing("node_type_id")
        return
    check_type_ids(population, group, "node_type_id", population.rows)
    if ids is not None and ids.rows:
        population.saw(ids)
        _check_ids(population, ids)
    check_groups(population, group, "node", {})


def _check_ids(population: NodePopulation, ids: Column) -> None:
    """Check that ids are unique; note whether they are the numbers of the rows."""
    in_order = ids.constant is None or ids.rows == 1

    def see(start: int, block: Values) -> None:
        nonlocal in_order
        in_order = in_order and bool(
            block[0] == start and block[-1] == start + len(block) - 1 and (block[1:] > block[:-1]).all()
        )

    negative = Rule(lambda block: block < 0 if block.dtype.kind == "i" else None, "negative")
    scan(ids, [negative], see)
    if in_order:
        return
    if ids.constant is not None:
        ids.error(f"is {ids.constant[0]} throughout; ids must differ")
        return
    if ids.rows > _MOST_SORTED:
        ids.warning("is not 0, 1, 2, ... in order, and too long to be searched for ids that occur twice")
        return
    population.ids = np.sort(ids.dataset[:])
    twice = np.flatnonzero(population.ids[1:] == population.ids[:-1])
    if len(twice):
        ids.error(f"holds an id twice: {len(twice)} of {ids.rows} rows (first: id {population.ids[twice[0]]})")
