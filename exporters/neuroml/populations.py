"""What becomes of a population: NeuroML populations, their components, and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import MixedNeurons, NetworkInstance, Nodes, Trains
from mc_interchange.network import Dynamics, Neuron, PoissonActivity
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

__all__ = ["PlannedPopulation", "cell_type", "has_core_cells", "neuron_of", "plan_populations", "train_layers"]

#: Radius of the spheres that viewers draw, um.
RADIUS = "5"
#: Below this, the core types mistake the threshold of a neuron whose Delta_T is not 0.
MIN_DELTA_T = 1e-6


@dataclass(frozen=True)
class PlannedPopulation:
    """One population of the instance in NeuroML.

    Parameters
    ----------
    nodes
        Its node table.
    members
        Identifiers of the NeuroML populations that make it up: itself, or one for every spike train,
        because all cells of a NeuroML population share one component; behind these the layers.
    components
        Identifier of the component of each of them.
    layers
        Source and layer of each member behind the first ``nodes.size``. Where several spikes of a source fall into
        one step, the second ones are in its layer 1, and so on: readers lose spikes at equal times in one component.
    apart
        Steps that lie at least between two spikes of a member.
    v_init
        Initial potential of the component in mV; None for sources and for equations, which have their own way.
    listed
        Whether the cells are listed with their locations; else there is a size only.
    """

    nodes: Nodes
    members: tuple[str, ...]
    components: tuple[str, ...]
    layers: tuple[tuple[int, int], ...] = ()
    apart: int = 1
    v_init: float | None = None
    listed: bool = False

    @property
    def divided(self) -> bool:
        """Whether every cell is a population of its own."""
        return isinstance(self.nodes.activity, Trains)

    @property
    def n_cells(self) -> int:
        """Number of cells that have a path: neurons or sources, and layers of sources."""
        return self.nodes.size + len(self.layers)

    def path(self, index: int) -> str:
        """Return the path of one cell below the network; layers come behind the sources."""
        if self.divided:
            return fmt.member_path(self.members[index], 0, self.components[index], self.listed)
        return fmt.member_path(self.members[0], index, self.components[0], self.listed)

    def origin(self, member: int) -> tuple[int, int]:
        """Return source and layer of a member of a population that is divided."""
        size = self.nodes.size
        return (member, 0) if member < size else self.layers[member - size]

    def copies(self, source: int) -> list[int]:
        """Return the members that emit the spikes of a source: itself and its layers."""
        return [source, *self._further.get(source, [])]

    @cached_property
    def _further(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for member, (source, _) in enumerate(self.layers, self.nodes.size):
            found.setdefault(source, []).append(member)
        return found

    def properties(self, member: int) -> Iterator[tuple[str, str]]:
        """Yield tag and value of the properties of a member."""
        if self.divided:
            source, layer = self.origin(member)
            yield fmt.SOURCE, f"{self.nodes.name}/{source}"
            if layer:
                yield fmt.LAYER, str(layer)
        if self.nodes.color is not None:
            yield "color", fmt.colour(self.nodes.color)
        if self.nodes.positions is not None:
            yield "radius", RADIUS
        elif self.listed:
            yield fmt.NO_POSITIONS


def has_core_cells(nodes: Nodes) -> bool:
    """Whether a population has neurons that are among the core types: neither sources nor equations."""
    return nodes.neuron is not None and not isinstance(nodes.neuron, Dynamics)


def neuron_of(nodes: Nodes) -> Neuron:
    """Return the neuron model of a population that has dynamics."""
    if nodes.neuron is None:
        raise NotRepresentableError(f"population {nodes.name}: virtual sources receive no input")
    if not isinstance(nodes.neuron, Neuron):
        names = sorted({neuron.label for neuron in nodes.models})
        if isinstance(nodes.neuron, MixedNeurons):
            raise NotRepresentableError(
                f"population {nodes.name}: it has several kinds of neurons ({', '.join(names)}); a NeuroML population "
                "has one for all (use one population per kind)"
            )
        raise NotRepresentableError(
            f"population {nodes.name}: NeuroML's core types have no equal of the neuron model {', '.join(names)}"
        )
    return nodes.neuron


def cell_type(nodes: Nodes) -> fmt.CellType:
    """Return the type of a population's cells.

    Raises
    ------
    NotRepresentableError
        There is none.
    """
    neuron = neuron_of(nodes)
    name = neuron.entry.elsewhere.get("neuroml")
    if name is None:
        close = "; iaf_psc_exp with a short tau_syn and weights C_m / tau_syn times these comes close"
        raise NotRepresentableError(
            f"population {nodes.name}: NeuroML's core types have no equal of the neuron model {neuron.model}"
            + (close if neuron.model == "iaf_psc_delta" else "")
        )
    return fmt.CELLS[name]


def plan_populations(
    ids: fmt.Identifiers, instance: NetworkInstance, *, list_all: bool, apart: Mapping[str, int] = MappingProxyType({})
) -> Iterator[PlannedPopulation]:
    """Decide on the identifiers of populations and their components, all names of populations first.

    Parameters
    ----------
    list_all
        Whether populations without locations list their cells, too.
    apart
        Steps between two spikes of a member, by population of spike trains; 1 for the others.

    Raises
    ------
    NotRepresentableError
    """
    dt = instance.simulation.dt
    # first of all those that stand for themselves, by whose identifiers they are known again; sources have a property
    whole = {n.name: ids.claim(n.name) for n in instance.populations.values() if not isinstance(n.activity, Trains)}
    named = []
    for nodes in instance.populations.values():
        if isinstance(nodes.activity, Trains):
            names = [ids.claim(f"{nodes.name}_{index}") for index in range(nodes.size)]
            layers = tuple(_layers(nodes.activity, dt, apart.get(nodes.name, 1)))
            names += [ids.claim(f"{names[source]}_layer_{layer}") for source, layer in layers]
        else:
            names, layers = [whole[nodes.name]], ()
        named.append((nodes, tuple(names), layers))
    for nodes, members, layers in named:
        # jLEMS does not find the cells of a population that has properties and no list
        has_properties = isinstance(nodes.activity, Trains) or nodes.color is not None
        listed = list_all or has_properties or nodes.positions is not None
        if nodes.neuron is None:
            _check_activity(nodes, dt)
            components = tuple(ids.claim(f"{member}_source") for member in members)
            steps_apart = apart.get(nodes.name, 1)
            yield PlannedPopulation(nodes, members, components, layers, steps_apart, listed=listed)
        else:
            v_init = _initial_potential(nodes) if has_core_cells(nodes) else None
            yield PlannedPopulation(nodes, members, (ids.claim(f"{nodes.name}_cell"),), v_init=v_init, listed=listed)


def train_layers(train: NDArray[np.float64], dt: float, apart: int = 1) -> NDArray[np.int64]:
    """Return the layer of each spike of one source: how many of its spikes come before it in the same step.

    Parameters
    ----------
    train : ndarray, shape (n_spikes,), float64, ms
        Ascending.
    apart
        Where more than one step shall lie between the spikes of a layer, layers take turns: as many as there are
        spikes in any so many steps.
    """
    ends = np.ceil(train * steps(1.0, dt) - TOLERANCE)
    order = np.arange(len(ends))
    if apart == 1:
        return order - np.searchsorted(ends, ends)
    together: np.int64 = (np.searchsorted(ends, ends + apart) - order).max(initial=1)
    return order % together


def _layers(trains: Trains, dt: float, apart: int) -> Iterator[tuple[int, int]]:
    for block in trains.blocks():
        for source, train in enumerate(block.trains(), block.first):
            last = int(train_layers(train, dt, apart).max(initial=0))
            yield from ((source, layer) for layer in range(1, last + 1))


def _initial_potential(nodes: Nodes) -> float:
    neuron = neuron_of(nodes)
    cell_type(nodes)
    if 0 < neuron.parameters.get("Delta_T", 0.0) < MIN_DELTA_T:
        raise NotRepresentableError(
            f"population {nodes.name}: Delta_T must be 0 or at least {MIN_DELTA_T:g} mV in NeuroML, it is "
            f"{neuron['Delta_T']:g}"
        )
    if nodes.varying:
        raise NotRepresentableError(
            f"population {nodes.name}: {', '.join(sorted(nodes.varying))} differs between neurons; a NeuroML "
            "population has one value for all (use one population per value)"
        )
    if nodes.V_m is None or not np.all(np.isfinite(nodes.V_m)):
        raise NotRepresentableError(f"population {nodes.name}: initial membrane potentials are missing")
    # a mean with few digits: the pulses are relative to what is written
    return round(float(nodes.V_m.mean()), 3) if np.any(nodes.V_m != nodes.V_m[0]) else float(nodes.V_m[0])


def _check_activity(nodes: Nodes, dt: float) -> None:
    if nodes.activity is None:
        raise NotRepresentableError(f"population {nodes.name}: virtual sources without activity have no equal")
    if isinstance(nodes.activity, PoissonActivity) and nodes.activity.rate * dt / 1000 >= 1:
        raise NotRepresentableError(
            f"population {nodes.name}: {nodes.activity.rate:g} spikes/s is more than one spike per step of {dt:g} ms, "
            "the most that a NeuroML source emits"
        )
