"""Every node in the kernel: in which population it is, or which kind of device."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.instance import Nodes

from .inputs import CURRENTS, POISSON, TRAINS, spike_trains
from .kernel import CaptureWarning, base_model
from .names import Names
from .neurons import neuron_nodes, split
from .parameters import Settable, read_table

__all__ = ["Kernel", "Part"]

#: Models whose nodes send something else than spikes, are taught, or are put together from compartments.
_NOT_CAPTURED = re.compile(r"(^|_)(rate|siegert|astrocyte|eprop)(_|$)|^cm_default$")
#: Devices by what they do; those not here have no place in a captured network.
_DEVICES = {
    **dict.fromkeys(CURRENTS, "current"),
    **dict.fromkeys(POISSON, "poisson"),
    "spike_recorder": "spike_recorder",
    **dict.fromkeys(("voltmeter", "multimeter"), "meter"),
}


@dataclass(frozen=True)
class Part:
    """Nodes of one population, or all devices of one kind.

    Parameters
    ----------
    name
        Of the population, or the kind of device.
    ids : ndarray, shape (n,), int64
        Their ids, ascending.
    nodes
        Node table of the population; None for devices.
    """

    name: str
    ids: NDArray[np.int64]
    nodes: Nodes | None = None


class Kernel:
    """All nodes, divided into parts.

    Parameters
    ----------
    nest
        The module.
    named
        NodeCollections by the names of their populations; the others are found.
    names
        Gives names to what is found.
    settable
        Which parameters count.

    Raises
    ------
    FormatError
        A population cannot be captured as it was named.
    """

    def __init__(self, nest: Any, named: Mapping[str, Any], names: Names, settable: Settable) -> None:
        self._nest, self._settable = nest, settable
        every = nest.GetNodes()
        #: NEST's model of each node by its id, not the name of a copy.
        self.model = np.empty(len(every) + 1, object)
        self.model[0] = ""
        self._own_model = self.model.copy()
        if len(every):
            self._own_model[1:] = np.atleast_1d(every.get("model"))
        bases = {own: base_model(nest, own) for own in dict.fromkeys(self._own_model[1:].tolist())}
        self.model[1:] = [bases[own] for own in self._own_model[1:].tolist()]
        kinds = {model: nest.GetDefaults(model)["element_type"] for model in dict.fromkeys(bases.values())}
        kind_of = np.array([kinds.get(model) for model in self.model.tolist()], object)
        self.is_neuron = (kind_of == "neuron") & ~np.isin(self.model.tolist(), list(TRAINS))
        self._observes = kind_of == "recorder"
        #: The parts, populations first.
        self.parts: list[Part] = []
        #: Number of the part of each node by its id, and its index there.
        self.part_of = np.full(len(every) + 1, -1, np.int64)
        self.index_of = np.zeros(len(every) + 1, np.int64)
        for name, collection in named.items():
            self._add_named(name, collection)
        self._find_populations(names)
        self.n_populations = len(self.parts)
        for kind in dict.fromkeys(_DEVICES.values()):
            self._add(Part(kind, np.flatnonzero([_DEVICES.get(model) == kind for model in self.model])))

    def _add(self, part: Part) -> None:
        self.part_of[part.ids] = len(self.parts)
        self.index_of[part.ids] = np.arange(len(part.ids))
        self.parts.append(part)

    def _add_named(self, name: str, collection: Any) -> None:
        ids = np.array(collection.tolist(), np.int64)
        if not len(ids):
            raise FormatError(f"population {name}: it has no nodes")
        if np.any(self.part_of[ids] >= 0):
            raise FormatError(f"population {name}: some of its nodes belong to another population too")
        models = self.model[ids]
        trains = np.isin(models.tolist(), list(TRAINS))
        if not np.all(trains) and not np.all(self.is_neuron[ids]):
            others = sorted(set(models[~self.is_neuron[ids]].tolist()))
            raise FormatError(f"population {name}: model {', '.join(others)} is a device, not a neuron")
        if np.all(trains):
            self._add(Part(name, ids, Nodes(name, len(ids), activity=spike_trains(self._nest, ids))))
            return
        tables = []
        for model in dict.fromkeys(models.tolist()):
            rows = np.flatnonzero(models == model)
            tables.append((rows, read_table(self._nest, self._known(model), ids[rows], self._settable)))
        self._add(Part(name, ids, neuron_nodes(name, tables, _positions(self._nest, collection))))

    def _find_populations(self, names: Names) -> None:
        """Divide the other neurons and spike generators where ids, models or parameters change."""
        candidates = self.is_neuron | np.isin(self.model.tolist(), list(TRAINS))
        ids = np.flatnonzero(candidates & (self.part_of < 0))
        own = self._own_model[ids]
        for run in np.split(ids, np.flatnonzero((np.diff(ids) != 1) | (own[1:] != own[:-1])) + 1 if len(ids) else []):
            if not len(run):
                continue
            model = self.model[run[0]]
            if model in TRAINS:
                name = names.numbered(self._own_model[run[0]])
                self._add(Part(name, run, Nodes(name, len(run), activity=spike_trains(self._nest, run))))
                continue
            table = read_table(self._nest, self._known(model), run, self._settable)
            for piece in split(table):
                part = table.part(piece)
                name = names.numbered(self._own_model[run[0]])
                self._add(Part(name, run[piece], neuron_nodes(name, [(np.arange(part.size), part)])))

    def _known(self, model: str) -> str:
        if _NOT_CAPTURED.search(model):
            raise FormatError(
                f"neurons of the model {model} cannot be captured: they do more than send spikes by their parameters"
            )
        return model

    def by_degree(self) -> list[tuple[int, int]]:
        """Return bounds within all nodes, between which each has about as many connections as the others."""
        borders = np.flatnonzero(self.is_neuron[2:] != self.is_neuron[1:-1]) + 1
        return list(pairwise([0, *borders.tolist(), len(self.model) - 1]))

    def describe(self, node: int) -> str:
        """Return id and model of a node, for messages."""
        return f"node {node} ({self._own_model[node]})"

    def warn_of_idle(self, connected: NDArray[np.bool_]) -> None:
        """Name the generators and other devices that are connected to nothing, and so left out.

        Parameters
        ----------
        connected : ndarray, shape (number of nodes + 1,), bool
            By id.
        """
        devices = [p.ids for p in self.parts[self.n_populations :] if p.name in {"current", "poisson"}]
        idle = np.concatenate([*devices, np.flatnonzero(self.part_of[1:] < 0) + 1])
        idle = idle[~connected[idle] & ~self._observes[idle]]
        for model in dict.fromkeys(self._own_model[idle].tolist()):
            ids = idle[self._own_model[idle] == model].tolist()
            shown = ", ".join(map(str, ids[:3])) + (", ..." if len(ids) > 3 else "")
            text = f"{len(ids)} nodes of the model {model} ({shown}) are connected to nothing and are left out"
            warnings.warn(text, CaptureWarning, stacklevel=3)


def _positions(nest: Any, collection: Any) -> NDArray[np.float64] | None:
    """Return x, y, z of nodes that NEST has placed (z is 0 in two dimensions)."""
    if collection.spatial is None:
        return None
    given = np.array(nest.GetPosition(collection), np.float64).reshape(len(collection), -1)
    return np.pad(given, ((0, 0), (0, 3 - given.shape[1])))
