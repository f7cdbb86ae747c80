"""Files of spikes that are given to the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import sonata
from mc_interchange.formats.sonata_output import BY_ID, BY_TIME

from ..spikes import off_grid
from .columns import INTEGERS, NUMBERS, Column, Group, Rule, Values, scan
from .files import opened
from .nodes import NodePopulation
from .populations import not_finite
from .report import Report

__all__ = ["SpikeFile", "check_spikes"]


@dataclass
class SpikeFile:
    """What was seen of a spike file.

    Parameters
    ----------
    file
        The file.
    flat
        Whether all spikes are in ``/spikes`` itself, without populations.
    n_sources
        By population (of a flat file: empty), how many sources have a spike.
    first
        Time of the first spike, in ms.
    compressed
        Path of the first dataset that is compressed, and how; empty where none is.
    """

    file: Path
    flat: bool = False
    n_sources: dict[str, int] = field(default_factory=dict)
    first: float = np.inf
    compressed: tuple[str, str] = ("", "")


def check_spikes(
    report: Report, file: Path, given_to: str, nodes: Mapping[str, NodePopulation], dt: float | None
) -> SpikeFile:
    """Check a spike file.

    Parameters
    ----------
    given_to
        Node set of the input; if it is a population, it is that of a flat file.
    nodes
        Node populations by name.
    dt
        Resolution in ms, where it is known.
    """
    found = SpikeFile(file)
    with opened(report, file, sonata.SPIKES) as top:
        if top is None:
            return found
        found.flat = "timestamps" in top.names()
        if found.flat:
            _check(found, top, "", nodes.get(given_to), dt)
            return found
        for name, group in top.groups():
            if nodes and name not in nodes:
                report.warning(file, group.place, f"is none of the populations {', '.join(nodes)}")
            with report.guard(file, group.place):
                _check(found, group, name, nodes.get(name), dt)
    return found


def _check(found: SpikeFile, group: Group, name: str, nodes: NodePopulation | None, dt: float | None) -> None:
    times = group.column("timestamps", NUMBERS)
    if times is None:
        if "timestamps" not in group.names():
            group.missing("timestamps")
        return
    ids_name = next((n for n in ("node_ids", "gids") if n in group.names()), None)
    if ids_name is None:
        group.missing("node_ids")
    ids = group.column(ids_name, INTEGERS, times.rows) if ids_name else None
    for column in (times, ids):
        if column is not None and column.compression and not found.compressed[0]:
            found.compressed = (column.place, column.compression)
    sorting = _sorting(group)
    _check_times(found, times, sorting, dt)
    if ids is not None:
        found.n_sources[name] = _check_ids(ids, sorting, nodes)


def _sorting(group: Group) -> int | None:
    """Return how the file says that it is sorted."""
    value = group.hdf5.attrs.get("sorting")
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    if isinstance(value, str):
        return {"by_id": BY_ID, "by_time": BY_TIME}.get(value)
    return int(value) if isinstance(value, np.integer | int) else None


def _check_times(found: SpikeFile, times: Column, sorting: int | None, dt: float | None) -> None:
    def see(start: int, block: Values) -> None:  # noqa: ARG001
        found.first = min(found.first, float(np.fmin.reduce(block)))

    rules = [Rule(not_finite, "not a finite number"), Rule(lambda block: block < 0, "negative")]
    if sorting == BY_TIME:
        rules.append(_descending("not sorted, but the attribute sorting says by_time"))
    if dt:
        message = f"not a multiple of the resolution of {dt:g} ms, to which it is rounded"
        rules.append(Rule(lambda block: off_grid(block.astype(np.float64), dt), message, warning=True))
    scan(times, rules, see)


def _check_ids(ids: Column, sorting: int | None, nodes: NodePopulation | None) -> int:
    """Check the ids; return how many different ones there are."""
    different = np.empty(0, np.int64)

    def see(start: int, block: Values) -> None:  # noqa: ARG001
        nonlocal different
        different = np.union1d(different, block)

    rules = [Rule(lambda block: block < 0, "negative")]
    if nodes is not None:
        rules = [Rule(nodes.outside, f"not one of the {nodes.rows} nodes of {nodes.name}")]
    if sorting == BY_ID:
        rules.append(_descending("not sorted, but the attribute sorting says by_id"))
    scan(ids, rules, see)
    return len(different)


def _descending(message: str) -> Rule:
    """Make a rule that no value is less than the one before it."""
    last = -np.inf

    def broken(block: Values) -> NDArray[np.bool_]:
        nonlocal last
        mask = np.empty(len(block), bool)
        mask[0] = block[0] < last
        np.less(block[1:], block[:-1], out=mask[1:])
        last = block[-1]
        return mask

    return Rule(broken, message)
