"""Node sets: names of populations, and conditions on the properties of their nodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError

from .node_table import NodeTable

__all__ = ["NodeSets"]

_MAX_NESTING = 20


class NodeSets:
    """The node sets of a circuit.

    Parameters
    ----------
    file
        For errors.
    sets
        As the configs hold them: by name, a condition or a list of other sets.
    tables
        Node tables by population, with the names of the files.
    """

    def __init__(self, file: Path, sets: Mapping[str, Any], tables: Mapping[str, NodeTable]) -> None:
        self._file = file
        self._sets = sets
        self._tables = tables
        self._known: dict[str, dict[str, NDArray[np.bool_]]] = {}

    def select(self, node_set: Any) -> dict[str, NDArray[np.bool_]]:
        """Return which nodes of which populations are meant.

        Parameters
        ----------
        node_set
            A name (of a set, of a population, or ``all``), a condition, or a list of node ids.

        Returns
        -------
        dict
            A mask over the nodes of each population that has some, by the name that the files give it.

        Raises
        ------
        FormatError
        """
        masks = self._masks(node_set, 0)
        return {name: mask for name, mask in masks.items() if mask.any()}

    def _masks(self, node_set: Any, depth: int) -> dict[str, NDArray[np.bool_]]:
        if isinstance(node_set, str):
            return self._named(node_set, depth)
        if isinstance(node_set, list):
            return self._where({"node_id": node_set})
        if isinstance(node_set, dict):
            return self._where(node_set)
        raise FormatError(f"{self._file}: a node set must be a name, an object or a list, got {node_set!r:.60}")

    def _named(self, name: str, depth: int) -> dict[str, NDArray[np.bool_]]:
        if name not in self._known:
            if depth >= _MAX_NESTING:
                raise FormatError(f"{self._file}: the node set {name!r} contains itself, or is nested too deep")
            self._known[name] = self._defined(name, depth)
        return self._known[name]

    def _defined(self, name: str, depth: int) -> dict[str, NDArray[np.bool_]]:
        if name not in self._sets:
            if name == "all":
                return self._where({})
            if name not in self._tables:
                raise FormatError(f"{self._file}: there is no node set or population {name!r}")
            return self._where({"population": name})
        definition = self._sets[name]
        if not isinstance(definition, list) or not all(isinstance(item, str) for item in definition):
            return self._masks(definition, depth + 1)
        union: dict[str, NDArray[np.bool_]] = {}
        for member in dict.fromkeys(definition):
            for population, mask in self._named(member, depth + 1).items():
                union[population] = union[population] | mask if population in union else mask
        return union

    def _where(self, conditions: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
        """Return the nodes that fulfil all conditions; each allows one value or one of several."""
        wanted = dict(conditions)
        populations = _as_list(wanted.pop("population", wanted.pop("populations", list(self._tables))))
        if not all(isinstance(name, str) for name in populations):
            raise FormatError(f"{self._file}: population of a node set must be names, got {populations!r:.60}")
        missing = [name for name in populations if name not in self._tables]
        if missing:
            raise FormatError(f"{self._file}: a node set names the population {missing[0]!r}, which does not exist")
        ids = _as_list(wanted.pop("node_id", wanted.pop("node_ids", [])))
        if not all(isinstance(i, int) and not isinstance(i, bool) for i in ids):
            raise FormatError(f"{self._file}: node_id of a node set must be whole numbers, got {ids!r:.60}")
        by_id = conditions.keys() & {"node_id", "node_ids"}
        masks: dict[str, NDArray[np.bool_]] = {}
        unknown = set(wanted)
        for name in populations:
            table = self._tables[name]
            mask = np.isin(np.arange(table.size), ids) if by_id else np.ones(table.size, bool)
            for key, value in wanted.items():
                matches = self._property(table, key, value)
                unknown -= {key} if matches is not None else set()
                mask &= False if matches is None else matches
            masks[name] = mask
        if unknown:
            raise FormatError(f"{self._file}: a node set asks for {sorted(unknown)[0]!r}, which no node has")
        return masks

    def _property(self, table: NodeTable, key: str, value: Any) -> NDArray[np.bool_] | None:
        if isinstance(value, dict):
            operators = ", ".join(value)
            raise FormatError(f"{self._file}: a node set compares {key!r} by {operators}; only equality is supported")
        if key in ("node_type_id", "node_group_id"):
            column = table.type_ids if key == "node_type_id" else table.group_ids
            return np.isin(column, _as_list(value))
        return table.matches(key, _as_list(value))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
