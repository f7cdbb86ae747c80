"""Generators: currents and Poisson processes become inputs, spike generators become spike trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, Edges, Nodes, Synapse
from mc_interchange.network import Input, PoissonActivity, PoissonInput, StepCurrent
from mc_interchange.network.simulation import steps

from .grouping import alike, occurrence
from .kernel import base_model
from .names import Names

__all__ = ["CURRENTS", "POISSON", "TRAINS", "Arrivals", "current_inputs", "poisson_inputs", "spike_trains"]

CURRENTS = frozenset({"dc_generator", "step_current_generator"})
POISSON = frozenset({"poisson_generator"})
TRAINS = frozenset({"spike_generator", "spike_train_injector"})
#: End of a current that never ends (ms): later than any simulation.
_NEVER = 1e9
#: Pairs of weight and delay in one population, up to which a Poisson process is an input for each of them.
_MAX_INPUTS = 16


@dataclass(frozen=True)
class Arrivals:
    """Connections of generators onto one receptor of one population.

    Parameters
    ----------
    target
        The population.
    size
        Number of its neurons.
    synapse
        Through what they come.
    generator : ndarray, shape (n,), int64
        Id of each connection's generator.
    neuron : ndarray, shape (n,), int64
        Index in the population.
    weight : ndarray, shape (n,), float64
        In the unit of the target.
    delay : ndarray, shape (n,), int64, steps of the resolution
        Delay.
    """

    target: str
    size: int
    synapse: Synapse
    generator: NDArray[np.int64]
    neuron: NDArray[np.int64]
    weight: NDArray[np.float64]
    delay: NDArray[np.int64]

    def neurons(self, rows: NDArray[np.int64]) -> tuple[int, ...] | None:
        """Return the indices of some connections' neurons, each there once, as inputs have them."""
        return None if len(rows) == self.size else tuple(np.sort(self.neuron[rows]).tolist())

    def groups(self, *columns: NDArray[Any]) -> Iterator[tuple[tuple[Any, ...], NDArray[np.int64]]]:
        """Yield the connections that agree in these columns, as rows in which no neuron is twice."""
        for rows in alike(*columns, occurrence(*columns, self.neuron)):
            yield tuple(column[rows[0]].item() for column in columns), rows


def _status(nest: Any, ids: NDArray[np.int64]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield id, model and settings of generators, and refuse those that do not act as they say."""
    for node in nest.NodeCollection(ids.tolist()):
        status = node.get()
        model = base_model(nest, status["model"])
        what = f"node {node.global_id} ({status['model']})"
        if status["frozen"]:
            raise FormatError(f"{what} is frozen and cannot be captured")
        if status.get("stimulus_source"):
            raise FormatError(f"{what} gets its stimulus from {status['stimulus_source']!r} and cannot be captured")
        yield node.global_id, model, status


def _window(status: dict[str, Any]) -> tuple[float, float]:
    """Return the first and last time (ms) of a generator, from 0 and at most ``_NEVER``."""
    return max(0.0, status["start"] + status["origin"]), min(_NEVER, status["stop"] + status["origin"])


def current_inputs(nest: Any, arrivals: list[Arrivals], names: Names) -> list[Input]:
    """Return the currents from direct and step current generators.

    Raises
    ------
    FormatError
        A current goes to a receptor.
    """
    ids = np.unique(np.concatenate([a.generator for a in arrivals])) if arrivals else np.zeros(0, np.int64)
    pieces = {node: _pieces(model, status) for node, model, status in _status(nest, ids)}
    shapes = list(dict.fromkeys(pieces.values()))
    number = {shape: n for n, shape in enumerate(shapes)}
    shape_of = np.array([number[pieces[node]] for node in ids.tolist()], np.int64)
    found: list[Input] = []
    for item in arrivals:
        if not item.synapse.plain:
            raise FormatError(
                f"current of node {item.generator[0]} to population {item.target}: synapse {item.synapse.model}, "
                f"receptor {item.synapse.receptor}; only static synapses to receptor 0 can be captured"
            )
        place = np.searchsorted(ids, item.generator)
        # with three currents or more, their order decides about the last bit of the sum
        few = int(np.bincount(item.neuron).max()) <= 2
        for (_, shape, weight, delay), rows in item.groups(
            np.zeros(len(place)) if few else place, shape_of[place], item.weight, item.delay
        ):
            for start, stop, amplitude in shapes[shape]:
                found.append(
                    StepCurrent(
                        name=names.numbered(f"{item.target}_current"),
                        target=item.target,
                        amplitude=amplitude * weight,
                        start=start,
                        stop=stop,
                        delay=delay / steps(1.0, nest.resolution),
                        neurons=item.neurons(rows),
                    )
                )
    return found


def _pieces(model: str, status: dict[str, Any]) -> tuple[tuple[float, float, float], ...]:
    """Return start, end (ms) and amplitude (pA) of each constant piece of a generator's current."""
    first, last = _window(status)
    if model == "dc_generator":
        changes = [(first, status["amplitude"])]
    else:
        changes = list(zip(status["amplitude_times"].tolist(), status["amplitude_values"].tolist(), strict=True))
    ends = [*(time for time, _ in changes[1:]), last][: len(changes)]
    cut = [(max(first, a), min(last, b), value) for (a, value), b in zip(changes, ends, strict=True)]
    return tuple((a, b, value) for a, b, value in cut if a < b and (value or model == "dc_generator"))


def poisson_inputs(
    nest: Any, arrivals: list[Arrivals], names: Names, edge_names: Names
) -> tuple[list[Input], list[tuple[Nodes, Edges]]]:
    """Return Poisson inputs, and populations with Poisson activity where weights or delays are many.

    Every connection of a Poisson generator in NEST has spikes of its own. So generators with the same rate
    and time are one, and a population has one source per connection.
    """
    ids = np.unique(np.concatenate([a.generator for a in arrivals])) if arrivals else np.zeros(0, np.int64)
    process = {node: (status["rate"], *_window(status)) for node, _, status in _status(nest, ids)}
    kinds = list(dict.fromkeys(process.values()))
    number = {kind: n for n, kind in enumerate(kinds)}
    kind_of = np.array([number[process[node]] for node in ids.tolist()], np.int64)
    inputs: list[Input] = []
    populations: list[tuple[Nodes, Edges]] = []
    for item in arrivals:
        own = kind_of[np.searchsorted(ids, item.generator)]
        for rows in alike(own):
            rate, start, last = kinds[own[rows[0]]]
            if last <= start:
                continue
            stop = None if last == _NEVER else last
            if item.synapse.plain and len(np.unique([item.weight[rows], item.delay[rows]], axis=1).T) <= _MAX_INPUTS:
                part = _take(item, rows)
                for (weight, delay), members in part.groups(part.weight, part.delay):
                    inputs.append(
                        PoissonInput(
                            name=names.numbered(f"{item.target}_poisson"),
                            target=item.target,
                            rate=rate,
                            weight=weight,
                            delay=delay / steps(1.0, nest.resolution),
                            start=start,
                            stop=stop,
                            neurons=part.neurons(members),
                        )
                    )
            else:
                name = names.numbered(f"{item.target}_poisson")
                nodes = Nodes(name, len(rows), activity=PoissonActivity(rate=rate, start=start, stop=stop))
                edges = edge_names.or_numbered(f"{name}_to_{item.target}", "projection")
                populations.append((nodes, _one_source_each(edges, name, _take(item, rows))))
    return inputs, populations


def _take(item: Arrivals, rows: NDArray[np.int64]) -> Arrivals:
    columns = (item.generator[rows], item.neuron[rows], item.weight[rows], item.delay[rows])
    return Arrivals(item.target, item.size, item.synapse, *columns)


def _one_source_each(name: str, source: str, item: Arrivals) -> Edges:
    block = EdgeBlock(
        np.arange(len(item.neuron), dtype=np.uint32),
        item.neuron.astype(np.uint32),
        item.weight,
        item.delay.astype(np.int32),
    )
    return ArrayEdges(name, source, item.target, block, item.synapse)


def spike_trains(nest: Any, ids: NDArray[np.int64]) -> ArrayTrains:
    """Return what spike generators emit.

    Raises
    ------
    FormatError
        Spikes have weights or lie between the steps of the resolution.
    """
    per_ms = steps(1.0, nest.resolution)
    sources, times = [], []
    for index, (node, model, status) in enumerate(_status(nest, ids)):
        if status["precise_times"]:
            raise FormatError(f"node {node} ({model}): precise spike times cannot be captured")
        if np.any(status.get("spike_weights", np.zeros(0)) != 1):
            raise FormatError(f"node {node} ({model}): spikes with weights cannot be captured")
        when = np.rint((np.asarray(status["spike_times"]) + status["origin"]) * per_ms)
        first, last = (np.rint(bound * per_ms) for bound in _window(status))
        counts = np.asarray(status["spike_multiplicities"], np.int64)
        counts = counts if len(counts) else np.ones(len(when), np.int64)
        inside = (when > first) & (when <= last)
        times.append(np.repeat(when[inside], counts[inside]) / per_ms)
        sources.append(np.full(len(times[-1]), index))
    return ArrayTrains(len(ids), np.concatenate(sources), np.concatenate(times))
