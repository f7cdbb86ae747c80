"""Capturing the network that is in NEST's kernel.

Nodes are read population by population, synapses are counted and read by blocks of source neurons: NEST
hands out connections as one Python object each, so asking for all at once would take gigabytes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError, MissingDependencyError, ModelError
from mc_interchange.instance import BLOCK_EDGES, EdgeBlock, Edges, NetworkInstance, Nodes, Piece, check_name
from mc_interchange.instance.sampling import round_delays
from mc_interchange.network import CATALOGUE, Neuron, Simulation

__all__ = ["capture"]

_MODELS = {entry.elsewhere["nest"]: name for name, entry in CATALOGUE.items()}
#: Devices that only observe.
_RECORDERS = frozenset({"spike_recorder", "voltmeter", "multimeter"})
_SYNAPSES = frozenset({"static_synapse", "static_synapse_hpc"})
#: What must have this value, also where someone has changed NEST's defaults.
_NEUTRAL = {"delta": 0.0, "rho": 0.01, "frozen": False, "ignore_and_spike": False}
#: What NEST reports of a neuron without effect on one that has static synapses only.
_INERT = {
    *("Ca", "beta_Ca", "tau_Ca", "synaptic_elements"),
    *("archiver_length", "post_trace", "t_spike", "tau_minus", "tau_minus_triplet"),
    *("ignore_and_spike_interval", "ignore_and_spike_offset", "node_uses_wfr"),
    *("element_type", "global_id", "local", "model", "model_id", "recordables"),
    *("thread", "thread_local_id", "vp"),
}
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
        NEST's NodeCollections by the names they shall have (letters, digits, underscores). None: every run
        of consecutive neurons that were created with the same model and parameters, named after the model.
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
    _check_names(name, collections)
    _refuse_other_nodes(nest, collections)
    _refuse_other_synapses(nest)
    simulation = Simulation(dt=nest.resolution, duration=duration, discard=discard, seed=nest.rng_seed)
    nodes = {key: _capture_nodes(nest, key, collection) for key, collection in collections.items()}
    projections: dict[str, Edges] = {}
    for target in collections:
        for source in collections:
            edges_name = _projection_name(source, target, projections)
            edges = NestEdges(nest, edges_name, source, target, collections, simulation.dt)
            if edges.n_edges:
                projections[edges_name] = edges
    return NetworkInstance(name=name, populations=nodes, projections=projections, inputs=(), simulation=simulation)


def _check_names(name: str, collections: Mapping[str, Any]) -> None:
    try:
        check_name("model", name)
        for key in collections:
            check_name("population", key)
    except ModelError as error:
        raise FormatError(str(error)) from None


def _projection_name(source: str, target: str, taken: Mapping[str, Any]) -> str:
    """Name a projection after its ends, or by a number where that is too long or taken."""
    name = f"{source}_to_{target}"
    if len(name) <= 64 and name not in taken:
        return name
    return next(name for number in count(1) if (name := f"projection_{number}") not in taken)


def _standard_model(nest: Any, model: str) -> str | None:
    """Return our name of a model of NEST's or of a copy of one; None: not in the catalogue."""
    return _MODELS.get(nest.GetDefaults(model).get("type_id", model))


def _find_populations(nest: Any) -> dict[str, Any]:
    """Split all neurons where the model or a parameter other than V_m changes."""
    found: dict[str, Any] = {}
    every = nest.GetNodes()
    for model in dict.fromkeys(np.atleast_1d(every.get("model")).tolist() if len(every) else []):
        key = _standard_model(nest, model)
        if key is None:
            continue
        nodes = nest.GetNodes({"model": model})
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
        if len(models) != 1 or not all(_standard_model(nest, model) for model in models):
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
                f"synapses of the model {model} cannot be captured; known: {', '.join(sorted(_SYNAPSES))} (but not "
                "copies of them: NEST does not tell what they are copies of)"
            )


def _capture_nodes(nest: Any, name: str, nodes: Any) -> Nodes:
    model = str(nodes[0].get("model"))
    key = _standard_model(nest, model)
    assert key is not None
    known = [parameter.name for parameter in CATALOGUE[key].parameters]
    _refuse_other_settings(nest, name, nodes, CATALOGUE[key].elsewhere["nest"], {*known, "V_m"})
    table = nodes.get([*known, "V_m"])
    columns = {parameter: np.atleast_1d(np.asarray(values, np.float64)) for parameter, values in table.items()}
    common = {parameter: float(columns[parameter][0]) for parameter in known}
    varying = {parameter: columns[parameter] for parameter in known if np.ptp(columns[parameter]) != 0}
    return Nodes(name, len(nodes), neuron=Neuron(model=key, parameters=common), V_m=columns["V_m"], varying=varying)


def _refuse_other_settings(nest: Any, name: str, nodes: Any, model: str, known: set[str]) -> None:
    """Refuse neurons with settings that the catalogue does not hold and that change what they do."""
    defaults = {**nest.GetDefaults(model), **_NEUTRAL}
    keys = [key for key in nodes[0].get() if key not in known | _INERT and key in defaults]
    table = nodes.get(keys) if keys else {}
    for key in keys:
        for value in np.atleast_1d(table[key]).tolist():
            if value != defaults[key]:
                raise FormatError(
                    f"population {name}: {key} is {value!r} and cannot be captured; only {defaults[key]!r} can"
                )


class NestEdges(Edges):
    """The connections between two populations in NEST's kernel, fetched by blocks of sources.

    The blocks hold about ``_FETCH`` connections; they are found once, when the connections are counted.
    """

    volatile = True

    def __init__(
        self, nest: Any, name: str, source: str, target: str, collections: Mapping[str, Any], dt: float
    ) -> None:
        self._nest = nest
        self._sources, self._targets = collections[source], collections[target]
        self._dt = dt
        counted = list(self._count())
        self._blocks = [sources for sources, n in counted if n]
        super().__init__(name, source, target, sum(n for _, n in counted), "none", np.dtype(np.float64))

    def _count(self) -> Iterator[tuple[slice, int]]:
        """Yield blocks of sources and their numbers of connections.

        The first block is safe for one connection per pair of neurons; the next follow from what was found,
        each at most eight times as large as the one before.
        """
        first, size = 0, max(1, _FETCH // len(self._targets))
        while first < len(self._sources):
            sources = slice(first, min(first + size, len(self._sources)))
            n = len(self._nest.GetConnections(self._sources[sources], self._targets))
            yield sources, n
            first = sources.stop
            size = max(1, min(8 * size, size * _FETCH // max(1, n)))

    def pieces(self, max_edges: int = BLOCK_EDGES) -> Iterator[Piece]:
        """Yield parts of what is fetched here, in the calling thread: NEST must be called from one."""
        for sources in self._blocks:
            block = self._fetch(sources)
            for start in range(0, len(block), max_edges):
                yield partial(block.__getitem__, slice(start, start + max_edges))

    def _fetch(self, sources: slice) -> EdgeBlock:
        connections = self._nest.GetConnections(self._sources[sources], self._targets)
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
