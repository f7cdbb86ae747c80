"""Edge populations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import sonata

from .columns import INTEGERS, Column, Group, Rule, Values, scan
from .files import opened
from .indices import PairSum, check_index
from .nodes import NodePopulation
from .populations import Population, check_groups, check_type_ids
from .report import Report

__all__ = ["EdgePopulation", "check_edges"]

#: Part of a step by which a delay may miss the grid: what float32 makes of short and of long delays.
_OFF_GRID = 1e-3
_FLOAT32 = 2.0**-23


@dataclass
class EdgePopulation(Population):
    """What was seen of an edge population.

    Parameters
    ----------
    ends
        Node populations by ``source`` and ``target``, as far as they are known.
    indices
        Names of the datasets of each index.
    shortest
        Least delay in its HDF5 file, in ms.
    most_synapses
        Greatest ``nsyns``.
    """

    ends: dict[str, str] = field(default_factory=dict)
    indices: dict[str, frozenset[str]] = field(default_factory=dict)
    shortest: float = np.inf
    most_synapses: float = 1.0


def check_edges(
    report: Report, file: Path, nodes: Mapping[str, NodePopulation], dt: float | None
) -> list[EdgePopulation]:
    """Check every population of an edge file.

    Parameters
    ----------
    nodes
        Node populations by name.
    dt
        Resolution in ms, where it is known.
    """
    found: list[EdgePopulation] = []
    with opened(report, file, sonata.EDGES) as top:
        for name, group in top.groups() if top else ():
            found.append(EdgePopulation(name, file, group.place, datasets=frozenset(group.names())))
            with report.guard(file, group.place):
                _check(found[-1], group, nodes, dt)
    return found


def _check(population: EdgePopulation, group: Group, nodes: Mapping[str, NodePopulation], dt: float | None) -> None:
    columns = {end: group.column(f"{end}_node_id", INTEGERS) for end in ("source", "target")}
    for end, column in columns.items():
        if column is None and f"{end}_node_id" not in population.datasets:
            group.missing(f"{end}_node_id")
    lengths = [column.rows for column in columns.values() if column is not None]
    population.rows = lengths[0] if lengths else 0
    if not lengths:
        return
    if not population.rows:
        group.report.warning(group.file, group.place, "has no edges")
    check_type_ids(population, group, "edge_type_id", population.rows)
    sums = {}
    for end, column in columns.items():
        if column is not None:
            sums[end] = _check_end(population, column, end, nodes)
    check_groups(population, group, "edge", _rules(population, dt))
    _check_indices(population, group, sums)


def _check_end(
    population: EdgePopulation, column: Column, end: str, nodes: Mapping[str, NodePopulation]
) -> PairSum | None:
    """Check the ids of sources or targets; return what an index of them must add up to."""
    population.saw(column)
    if column.rows != population.rows:
        column.error(f"has {column.rows} rows where {population.rows} belong")
    name = column.dataset.attrs.get(sonata.NODE_POPULATION)
    name = name.decode(errors="replace") if isinstance(name, bytes) else name
    rules = []
    if not isinstance(name, str):
        column.error(f"has no attribute {sonata.NODE_POPULATION}")
    else:
        population.ends[end] = name
        if name not in nodes:
            if nodes:  # else that there are none has its finding already
                known = ", ".join(nodes)
                column.error(f"attribute {sonata.NODE_POPULATION} is {name!r}; known populations: {known}")
        else:
            size = f"{nodes[name].rows} nodes of {name}"
            rules.append(Rule(nodes[name].outside, f"not one of the {size}"))
    if not column.rows:
        return None
    if column.constant is not None and column.rows > 1:
        column.warning(f"was never written: all {column.rows} rows are {column.constant[0]}")
    if column.constant is not None or end not in _indexed(column.owner):
        scan(column, rules)
        return None
    total = PairSum()

    def see(start: int, block: Values) -> None:
        total.add(block, np.arange(start, start + len(block)))

    scan(column, rules, see)
    return total


def _indexed(group: Group) -> list[str]:
    """Return the ends of which there is an index."""
    indices = group.group("indices") if group.is_group("indices") else None
    there = indices.names() if indices else []
    return [kind.partition("_")[0] for kind in sonata.INDICES if kind in there]


def _check_indices(population: EdgePopulation, group: Group, sums: dict[str, PairSum | None]) -> None:
    indices = group.group("indices")
    for kind, index in indices.groups() if indices else ():
        if kind not in sonata.INDICES:
            continue
        population.indices[kind] = frozenset(index.names())
        end = kind.partition("_")[0]
        total = sums.get(end)
        if total is not None:
            check_index(index, population.rows, total, f"{end}_node_id")


def _rules(population: EdgePopulation, dt: float | None) -> dict[str, list[Rule]]:
    """Return what weights, delays and numbers of synapses must fulfil."""

    def shortest(block: Values) -> NDArray[np.bool_] | None:
        population.shortest = min(population.shortest, float(np.fmin.reduce(block)))
        low = dt / 2 if dt else 0.0
        return None if population.shortest >= low and population.shortest > 0 else (block < low) | (block <= 0)

    def off_grid(block: Values) -> NDArray[np.bool_] | None:
        if not dt:
            return None
        steps = block.astype(np.float64)
        steps /= dt
        missed = np.rint(steps)
        missed -= steps
        np.abs(missed, out=missed)
        if float(missed.max()) <= _OFF_GRID:
            return None
        mask: NDArray[np.bool_] = missed > np.maximum(_OFF_GRID, np.abs(steps) * _FLOAT32)
        return mask

    def synapses(block: Values) -> NDArray[np.bool_]:
        population.most_synapses = max(population.most_synapses, float(np.max(block)))
        mask: NDArray[np.bool_] = (block < 0) | (np.rint(block) != block)
        return mask

    below = f"below the resolution of {dt:g} ms" if dt else "not above 0 ms"
    delays = [Rule(shortest, below)]
    if dt:
        delays.append(Rule(off_grid, f"not a multiple of the resolution of {dt:g} ms, to which it is rounded", True))
    no_effect = Rule(lambda block: None if np.all(block) else block == 0, "0, so that the edge has no effect", True)
    return {
        "syn_weight": [no_effect],
        "delay": delays,
        "dynamics_params/delay": delays,
        "nsyns": [Rule(synapses, "not a whole number from 0")],
    }
