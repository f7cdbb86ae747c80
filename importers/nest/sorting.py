"""Every connection to where it belongs: a projection, an input or a recording."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.instance import Edges, Spool, SpooledEdges, Synapse
from mc_interchange.instance.spool import RECORD
from mc_interchange.progress import Progress

from .connections import Connections, read_connections
from .grouping import alike
from .inputs import Arrivals
from .kernel import CaptureWarning
from .names import Names
from .nodes import Kernel
from .synapses import SynapseKind

__all__ = ["Sorter"]

#: Numbers of the target's and the source's part, synapse model, receptor, parameters: the order of projections.
_Key = tuple[int, int, str, int, tuple[tuple[str, float], ...]]


class Sorter:
    """Reads and divides connections.

    Parameters
    ----------
    nest
        The module.
    kernel
        All nodes.
    spool
        Takes the connections of projections; those of devices stay in memory.
    """

    def __init__(self, nest: Any, kernel: Kernel, spool: Spool) -> None:
        self._nest, self._kernel, self._spool = nest, kernel, spool
        self._synapses: dict[_Key, Synapse] = {}
        self._of_devices: dict[tuple[str, _Key], list[Connections]] = {}
        #: Whether a node has connections, by its id.
        self.connected = np.zeros(len(kernel.model), bool)

    def read(self, kind: SynapseKind, progress: Progress) -> None:
        """Read all connections of a synapse model.

        Raises
        ------
        FormatError
            One of them cannot be captured, or some are missing.
        """
        n = 0
        for block in read_connections(self._nest, kind, self._kernel.by_degree(), progress):
            self._divide(kind, block)
            n += len(block)
        if n != kind.n:
            raise FormatError(f"NEST counts {kind.n} connections of {kind.name}, and hands out {n}")
        recorder = self._nest.GetDefaults(kind.name).get("weight_recorder")
        if recorder is not None and len(recorder):
            text = f"the weight recorder of the synapse model {kind.name} is left out"
            warnings.warn(text, CaptureWarning, stacklevel=3)

    def _divide(self, kind: SynapseKind, block: Connections) -> None:
        self.connected[block.source] = self.connected[block.target] = True
        source, target = self._kernel.part_of[block.source], self._kernel.part_of[block.target]
        for ends, parts in ((block.source, source), (block.target, target)):
            if np.any(parts < 0):
                node = self._kernel.describe(int(ends[np.argmax(parts < 0)]))
                raise FormatError(f"{node} has connections, and devices of this model cannot be captured")
        for rows in alike(target, source, block.receptor, block.parameters):
            first = rows[0]
            synapse = kind.synapse(int(block.parameters[first]), int(block.receptor[first]))
            parameters = tuple(sorted(synapse.parameters.items()))
            key = (int(target[first]), int(source[first]), synapse.model, synapse.receptor, parameters)
            self._synapses[key] = synapse
            self._add(key, block.part(rows))

    def _add(self, key: _Key, some: Connections) -> None:
        kernel = self._kernel
        target, source = (kernel.parts[number] for number in key[:2])
        if source.name == "meter" and source.nodes is None:
            self._of_devices.setdefault(("meter", key), []).append(some)
        elif target.name == "spike_recorder" and target.nodes is None:
            self._of_devices.setdefault(("spike_recorder", key), []).append(some)
        elif target.nodes is None or target.nodes.virtual:
            ends = kernel.describe(int(some.source[0])), kernel.describe(int(some.target[0]))
            raise FormatError(f"the connection from {ends[0]} to {ends[1]} cannot be captured")
        elif source.nodes is None:
            self._of_devices.setdefault((source.name, key), []).append(some)
        else:
            records = np.empty(len(some), RECORD)
            records["source"], records["target"] = kernel.index_of[some.source], kernel.index_of[some.target]
            records["weight"], records["delay"] = some.weight, some.delay
            self._spool.add(key, records)

    def projections(self, names: Names) -> dict[str, Edges]:
        """Return the projections by name, after all connections have been read."""
        self._spool.flush()
        found: dict[str, Edges] = {}
        for key in sorted(self._spool.extents):
            target, source = (self._kernel.parts[number].name for number in key[:2])
            synapse = self._synapses[key]
            name = f"{source}_to_{target}"
            name += "" if synapse.model == "static_synapse" else f"_{synapse.model}"
            name += f"_receptor_{synapse.receptor}" if synapse.receptor else ""
            name = names.or_numbered(name, "projection")
            found[name] = SpooledEdges(self._spool, key, name, source, target, synapse)
        return found

    def arrivals(self, kind: str) -> list[Arrivals]:
        """Return the connections of one kind of generators, by what they arrive at."""
        found = []
        for (name, key), blocks in sorted(self._of_devices.items(), key=lambda item: item[0]):
            if name != kind:
                continue
            target = self._kernel.parts[key[0]]
            columns = (np.concatenate([getattr(b, n) for b in blocks]) for n in ("source", "target", "weight", "delay"))
            generator, neuron, weight, delay = columns
            synapse = self._synapses[key]
            index = self._kernel.index_of[neuron]
            found.append(Arrivals(target.name, len(target.ids), synapse, generator, index, weight, delay))
        return found

    def ends(self, kind: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the sources and targets of the connections of one kind of recorders."""
        blocks = [block for (name, _), parts in self._of_devices.items() if name == kind for block in parts]
        none = np.zeros(0, np.int64)
        return (
            np.concatenate([none, *(block.source for block in blocks)]),
            np.concatenate([none, *(block.target for block in blocks)]),
        )
