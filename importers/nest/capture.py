"""Capturing the network that is in NEST's kernel.

Nodes are read population by population, synapses by blocks of source neurons: NEST hands out connections
as one Python object each, so asking for all at once would take gigabytes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError, MissingDependencyError
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, Edges, NetworkInstance, Nodes
from mc_interchange.instance.edges import Piece
from mc_interchange.instance.sampling import round_delays
from mc_interchange.network import CATALOGUE, Neuron, Simulation

__all__ = ["capture"]

_MODELS = {entry.elsewhere["nest"]: name for name, entry in CATALOGUE.items()}
#: Devices that only observe.
_RECORDERS = frozenset({"spike_recorder", "voltmeter", "multimeter"})
_SYNAPSES = frozenset({"static_synapse", "static_synapse_hpc"})
#: Connections fetched at once; each costs about a kilobyte of Python objects for a moment.
_FETCH = 200_000


def capture(
    populations: Mapping[str, Any] | None = None,
    *,
    name: str = "captured",
    duration: float = 1000.0,
    discard: float = 0.0,
) -> NetworkInstance:
    """Turn what is in the NEST kernel into a NetworkInstance.

    Call it before simulating: the membrane potentials are captured as they are now.

    Parameters
    ----------
    populations
        NEST's NodeCollections by the names they shall have. None: every run of consecutive neurons that
        were created with the same model and parameters, named after the model.
    name
        Name of the model.
    duration, discard
        Simulation parameters of the instance, ms; resolution and seed are the kernel's.

    Returns
    -------
    NetworkInstance
        Its edges are fetched from the kernel when they are read, so it is valid until the kernel is reset.

    Raises
    ------
    FormatError
        The kernel holds nodes, synapses or states that cannot be captured; they are named.
    """
    try:
        import nest
    except ImportError:
        raise MissingDependencyError("NEST", "nest") from None
    if nest.biological_time > 0:
        raise FormatError(
            f"the network has been simulated for {nest.biological_time:g} ms: synaptic currents and spikes under way "
            "cannot be captured; capture before simulating"
        )
    collections = dict(_find_populations(nest) if populations is None else populations)
    _refuse_other_nodes(nest, collections)
    _refuse_other_synapses(nest)
    simulation = Simulation(dt=nest.resolution, duration=duration, discard=discard, seed=nest.rng_seed)
    edges = [
        NestEdges(nest, f"{source}_to_{target}", source, target, collections, simulation.dt)
        for target in collections
        for source in collections
    ]
    return NetworkInstance(
        name=name,
        populations={key: _capture_nodes(key, nodes) for key, nodes in collections.items()},
        projections={e.name: e for e in edges if e.n_edges},
        inputs=(),
        simulation=simulation,
    )


def _find_populations(nest: Any) -> dict[str, Any]:
    """Split all neurons where the model or a parameter other than V_m changes."""
    found: dict[str, Any] = {}
    for model, key in _MODELS.items():
        nodes = nest.GetNodes({"model": model})
        if not len(nodes):
            continue
        parameters = [p.name for p in CATALOGUE[key].parameters]
        table = np.array([np.atleast_1d(nodes.get(p)) for p in parameters])
        ids = np.array(nodes.tolist())
        breaks = np.flatnonzero(np.any(table[:, 1:] != table[:, :-1], axis=0) | (np.diff(ids) != 1)) + 1
        for part in np.split(np.arange(len(ids)), breaks):
            found[f"{key}_{len(found)}"] = nodes[int(part[0]) : int(part[-1]) + 1]
    return found


def _refuse_other_nodes(nest: Any, collections: Mapping[str, Any]) -> None:
    if not collections:
        raise FormatError(f"NEST's kernel holds no neurons of a known model ({', '.join(_MODELS)})")
    taken: set[int] = set()
    for name, nodes in collections.items():
        models = set(np.atleast_1d(nodes.get("model")).tolist())
        if len(models) != 1 or not models <= set(_MODELS):
            raise FormatError(f"population {name}: model {', '.join(sorted(models))} cannot be captured")
        ids = nodes.tolist()
        if ids != list(range(ids[0], ids[0] + len(ids))):
            raise FormatError(f"population {name}: its nodes must have consecutive ids")
        if taken.intersection(ids):
            raise FormatError(f"population {name}: some of its nodes belong to another population too")
        taken.update(ids)
    every = nest.GetNodes()
    for node, model in zip(every.tolist(), np.atleast_1d(every.get("model")).tolist(), strict=True):
        if node not in taken and model not in _RECORDERS:
            raise FormatError(f"node {node} ({model}) is in none of the populations and cannot be captured")


def _refuse_other_synapses(nest: Any) -> None:
    for model in nest.synapse_models:
        if model not in _SYNAPSES and nest.GetDefaults(model).get("num_connections", 0):
            raise FormatError(
                f"synapses of the model {model} cannot be captured; known: {', '.join(sorted(_SYNAPSES))}"
            )


def _capture_nodes(name: str, nodes: Any) -> Nodes:
    key = _MODELS[np.atleast_1d(nodes.get("model"))[0]]
    common, varying = {}, {}
    for parameter in CATALOGUE[key].parameters:
        values = np.atleast_1d(np.asarray(nodes.get(parameter.name), np.float64))
        common[parameter.name] = float(values[0])
        if np.any(values != values[0]):
            varying[parameter.name] = values
    V_m = np.atleast_1d(np.asarray(nodes.get("V_m"), np.float64))
    return Nodes(name, len(nodes), neuron=Neuron(model=key, parameters=common), V_m=V_m, varying=varying)


class NestEdges(Edges):
    """The connections between two populations in NEST's kernel, fetched by blocks of sources."""

    concurrent = False  # NEST must be called from one thread

    def __init__(
        self, nest: Any, name: str, source: str, target: str, collections: Mapping[str, Any], dt: float
    ) -> None:
        self._nest = nest
        self._sources, self._targets = collections[source], collections[target]
        self._dt = dt
        n_edges = len(nest.GetConnections(self._sources, self._targets))
        super().__init__(name, source, target, n_edges, "none", np.dtype(np.float64))

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield functions that fetch the connections of some sources; a source's are split where needed."""
        n_sources = len(self._sources)
        per_block = max(1, int(n_sources * min(max_edges, _FETCH) / max(1, self.n_edges) * 0.8))
        for first in range(0, n_sources, per_block):
            block = self._fetch(slice(first, min(first + per_block, n_sources)))
            for start in range(0, len(block), max_edges):
                yield partial(block.__getitem__, slice(start, start + max_edges))

    def _fetch(self, sources: slice) -> EdgeBlock:
        connections = self._nest.GetConnections(self._sources[sources], self._targets)
        if not len(connections):
            none = np.empty(0, np.uint32)
            return EdgeBlock(none, none, np.empty(0), np.empty(0, np.int32))
        with _garbage_collection_paused():
            columns = connections.get(["source", "target", "weight", "delay"])
        source, target, weight, delay = (np.atleast_1d(columns[k]) for k in ("source", "target", "weight", "delay"))
        return EdgeBlock(
            (source - self._sources[0].global_id).astype(np.uint32),
            (target - self._targets[0].global_id).astype(np.uint32),
            weight.astype(np.float64),
            round_delays(delay.astype(np.float64), self._dt),
        )


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause it while millions of small objects come and go: it would look at all of them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
