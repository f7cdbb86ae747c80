"""The NetworkInstance: every neuron and synapse, explicit (level two of two)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from mc_interchange.errors import ModelError
from mc_interchange.network import AnyNeuron, Input, Network, PoissonActivity, Simulation
from mc_interchange.network.base import Name

from .digest import EdgeDigest, InstanceDigest, digest_arrays, digest_block, digest_json
from .edges import BLOCK_EDGES, Edges, map_all_blocks
from .trains import Trains

__all__ = ["MixedNeurons", "NetworkInstance", "Nodes", "check_name", "pair"]

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def check_name(kind: str, name: str) -> None:
    """Refuse a name that not every format can hold.

    Parameters
    ----------
    kind
        What is called so: ``population``, ``projection``, ``model``.
    name
        The name.

    Raises
    ------
    ModelError
    """
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise ModelError(
            f"{kind} {name!r}: a name must have 1 to 64 letters (A-Z, a-z), digits and underscores, and not begin "
            "with a digit"
        ) from None


@dataclass(frozen=True)
class MixedNeurons:
    """Neurons of one population with several models, or with parameters that are not numbers and differ.

    Parameters
    ----------
    models
        The models with their common parameters.
    which : ndarray, shape (size,), uint32
        Index in ``models`` of each neuron.
    """

    models: tuple[AnyNeuron, ...]
    which: NDArray[np.uint32]


@dataclass(frozen=True)
class Nodes:
    """The node table of one population.

    Parameters
    ----------
    name
        Name of the population.
    size
        Number of neurons or sources.
    neuron
        Model and common parameters; None for virtual sources.
    V_m : ndarray, shape (size,), float64, mV
        Membrane potential at t = 0; None for virtual sources, and where the model has none or the
        simulator's default counts. With several models, NaN likewise for single neurons.
    varying
        Parameters that differ between neurons, by name: ndarray, shape (size,), float64, in the
        unit of the catalogue or of the equations. They replace the common value. With several models, NaN: the
        common value counts.
    activity
        What virtual sources emit; None for neurons, and where it is not known.
    positions : ndarray, shape (size, 3), float64, um
        x, y (depth, negative), z; None where unknown. For viewers only.
    color
        ``#rrggbb``, for viewers only.
    """

    name: str
    size: int
    neuron: AnyNeuron | MixedNeurons | None = None
    V_m: NDArray[np.float64] | None = None
    varying: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    activity: PoissonActivity | Trains | None = None
    positions: NDArray[np.float64] | None = None
    color: str | None = None

    def __post_init__(self) -> None:
        check_name("population", self.name)
        arrays = {**self.varying, "V_m": self.V_m, "positions": self.positions}
        for key, values in arrays.items():
            if values is None:
                continue
            shape = (self.size, 3) if key == "positions" else (self.size,)
            if np.shape(values) != shape:
                raise ModelError(f"population {self.name}: {key} must have the shape {shape}, got {np.shape(values)}")
            missing = np.isnan(values) if self.mixed and key != "positions" else False
            if not np.all(np.isfinite(values) | missing):
                raise ModelError(f"population {self.name}: {key} must be finite, some of its values are not")
        if isinstance(self.neuron, MixedNeurons):
            which = self.neuron.which
            if which.shape != (self.size,) or (which >= len(self.neuron.models)).any():
                raise ModelError(
                    f"population {self.name}: which must give one of {len(self.neuron.models)} models for each of "
                    f"{self.size} neurons"
                )
        if isinstance(self.activity, Trains) and self.activity.size != self.size:
            raise ModelError(
                f"population {self.name}: there must be {self.size} spike trains, got {self.activity.size}"
            )

    @property
    def virtual(self) -> bool:
        """Whether these are sources without dynamics."""
        return self.neuron is None

    @property
    def mixed(self) -> bool:
        """Whether its neurons have several models."""
        return isinstance(self.neuron, MixedNeurons)

    @property
    def models(self) -> tuple[AnyNeuron, ...]:
        """The models of its neurons; none for virtual sources."""
        if self.neuron is None:
            return ()
        return self.neuron.models if isinstance(self.neuron, MixedNeurons) else (self.neuron,)

    def members(self, model: int) -> NDArray[np.int64]:
        """Return the indices of the neurons with ``models[model]``, ascending."""
        if isinstance(self.neuron, MixedNeurons):
            return np.flatnonzero(self.neuron.which == model)
        return np.arange(self.size)


@dataclass(frozen=True)
class NetworkInstance:
    """A network, neuron by neuron and synapse by synapse.

    Parameters
    ----------
    name
        Name of the model.
    populations
        Node tables by population name, in order.
    projections
        Streams of synapses by projection name, in order. None of them is empty.
    inputs
        Inputs by rule (Poisson sources are independent per neuron), as in the Network.
    simulation
        Resolution, duration, seed, recordings.
    network
        The rules it was made from, where known.
    seed
        The seed it was made with, where known.
    """

    name: str
    populations: Mapping[str, Nodes]
    projections: Mapping[str, Edges]
    inputs: tuple[Input, ...]
    simulation: Simulation
    network: Network | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        check_name("model", self.name)
        for projection in self.projections.values():
            check_name("projection", projection.name)
            for end in (projection.source, projection.target):
                if end not in self.populations:
                    raise ModelError(f"projection {projection.name}: there is no population {end}")
            if self.populations[projection.target].virtual:
                raise ModelError(
                    f"projection {projection.name}: its target {projection.target} is virtual and takes no input"
                )
        for item in self.inputs:
            self._check_neurons(f"input {item.name}", item.target, item.neurons or ())
        for recording in self.simulation.record_V_m:
            self._check_neurons("recording of V_m", recording.population, recording.neurons)
        for name in self.simulation.record_spikes or ():
            if name not in self.populations:
                raise ModelError(f"recording of spikes: there is no population {name}")

    def _check_neurons(self, what: str, population: str, neurons: tuple[int, ...]) -> None:
        nodes = self.populations.get(population)
        if nodes is None or nodes.virtual:
            raise ModelError(f"{what}: there is no population {population} of neurons")
        if neurons and max(neurons) >= nodes.size:
            raise ModelError(f"{what}: neurons of {population} must be below {nodes.size}, got {max(neurons)}")

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.name}: {len(self.populations)} populations, {self.n_neurons} neurons, "
            f"{self.n_edges} synapses, {len(self.inputs)} inputs>"
        )

    @property
    def n_neurons(self) -> int:
        """Number of neurons (without virtual sources)."""
        return sum(p.size for p in self.populations.values() if not p.virtual)

    @property
    def n_edges(self) -> int:
        """Number of synapses."""
        return sum(e.n_edges for e in self.projections.values())

    def digest(
        self, *, workers: int = 1, block_edges: int = BLOCK_EDGES, progress: Callable[[int], None] | None = None
    ) -> InstanceDigest:
        """Stream all synapses once and return the digest of every part.

        Parameters
        ----------
        workers
            Number of threads; has no influence on the result.
        progress
            Called with the number of synapses after each block.
        """
        found: dict[str, EdgeDigest] = {}
        for edges, part in map_all_blocks(
            self.projections.values(), lambda _, block: digest_block(block), max_edges=block_edges, workers=workers
        ):
            found[pair(edges)] = found.get(pair(edges), EdgeDigest()) + part
            if progress:
                progress(part.count)
        return self.digest_with(found)

    def digest_with(self, edges: Mapping[str, EdgeDigest]) -> InstanceDigest:
        """Return the digest, given that of the edges (from a writer that has just streamed them)."""
        populations = self.populations.values()
        return InstanceDigest(
            edges=edges,
            nodes={p.name: _digest_nodes(p) for p in populations},
            parameters={p.name: _digest_parameters(p) for p in populations},
            inputs=digest_json(sorted((_input(i) for i in self.inputs), key=str)),
            dt=self.simulation.dt,
        )


def pair(edges: Edges) -> str:
    """Return the key of a projection's populations (and of its synapses, if special) in digests."""
    ends = f"{edges.source} -> {edges.target}"
    synapse = edges.synapse
    if synapse.plain:
        return ends
    parameters = "".join(f", {name} {value!r}" for name, value in sorted(synapse.parameters.items()))
    return f"{ends} ({synapse.model}, receptor {synapse.receptor}{parameters})"


def _digest_nodes(nodes: Nodes) -> str:
    arrays: dict[str, NDArray[Any]] = {"size": np.array([nodes.size], np.int64)}
    values = nodes.varying if nodes.V_m is None else {**nodes.varying, "V_m": nodes.V_m}
    arrays.update({key: array + 0.0 for key, array in values.items()})  # -0.0 and 0.0 are the same
    return digest_arrays(arrays)


def _digest_parameters(nodes: Nodes) -> str:
    if nodes.neuron is None:
        if isinstance(nodes.activity, Trains):
            return nodes.activity.digest()
        return digest_json(nodes.activity.model_dump(mode="json") if nodes.activity else None)
    models = [_model(neuron, nodes.varying) for neuron in nodes.models]
    if isinstance(nodes.neuron, MixedNeurons):
        return digest_json([models, digest_arrays({"which": nodes.neuron.which.astype(np.uint32)})])
    return digest_json(models[0])


def _model(neuron: AnyNeuron, varying: Mapping[str, Any]) -> list[Any]:
    return [neuron.definition, {k: _unsigned_zero(v) for k, v in neuron.parameters.items() if k not in varying}]


def _unsigned_zero(value: Any) -> Any:
    """-0.0 and 0.0 are the same value."""
    return value + 0.0 if isinstance(value, float) else value


def _input(item: Input) -> dict[str, Any]:
    left_out = {"name", "meaning", "source", *(() if item.neurons else ("neurons",))}
    return item.model_dump(mode="json", exclude=left_out)
