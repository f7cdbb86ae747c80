"""What becomes of each part of an instance: identifiers, components and refusals, before a byte is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance, Nodes, Trains
from mc_interchange.network import Neuron, PoissonActivity, PoissonInput, StepCurrent

__all__ = ["Plan", "PlannedInput", "PlannedPopulation", "plan"]

#: Largest probability that we bear of a source's first spike falling behind the end of its input.
MAX_LATE = 0.01


@dataclass(frozen=True)
class PlannedPopulation:
    """One population of the instance in NeuroML.

    Parameters
    ----------
    nodes
        Its node table.
    members
        Identifiers of the NeuroML populations that make it up: itself, or one for every spike train,
        because all cells of a NeuroML population share one component.
    components
        Identifier of the component of each of them.
    v_init
        Initial potential of the component in mV; None for sources.
    """

    nodes: Nodes
    members: tuple[str, ...]
    components: tuple[str, ...]
    v_init: float | None = None

    @property
    def divided(self) -> bool:
        """Whether every cell is a population of its own."""
        return isinstance(self.nodes.activity, Trains)

    @property
    def listed(self) -> bool:
        """Whether the cells are listed with their locations."""
        return self.nodes.positions is not None

    def path(self, index: int) -> str:
        """Return the path of one cell below the network."""
        if self.divided:
            return fmt.member_path(self.members[index], 0, self.components[index], self.listed)
        return fmt.member_path(self.members[0], index, self.components[0], self.listed)


@dataclass(frozen=True)
class PlannedInput:
    """One input of the instance in NeuroML.

    Parameters
    ----------
    input
        The input.
    component, list_id
        Identifiers of the component and of the list that places it.
    n_sources
        Number of components on each cell.
    per_step
        Mean number of spikes of each per step.
    late
        Probability that the first spike of a source falls behind the end of the input.
    """

    input: PoissonInput | StepCurrent
    component: str
    list_id: str
    n_sources: int = 1
    per_step: float = 0.0
    late: float = 0.0


@dataclass(frozen=True)
class Plan:
    """Everything that has a name in the files.

    Parameters
    ----------
    network_id, simulation_id
        Identifiers.
    populations
        By name.
    synapses
        Identifier by time constant in ms.
    inputs
        Those that have an effect, in order.
    projection_ids
        By name, for excitatory and inhibitory synapses (the same where one synapse serves both).
    pulse
        Identifier of the component that sets initial potentials; None where none is written.
    pulse_lists
        Identifier of the list that places it, by population.
    """

    network_id: str
    simulation_id: str
    populations: dict[str, PlannedPopulation]
    synapses: dict[float, str]
    inputs: tuple[PlannedInput, ...]
    projection_ids: dict[str, tuple[str, str]]
    pulse: str | None
    pulse_lists: dict[str, str]

    def tau_syn(self, population: str, *, excitatory: bool) -> float:
        """Return the time constant of synapses onto a population, in ms."""
        return neuron_of(self.populations[population].nodes)["tau_syn_ex" if excitatory else "tau_syn_in"]


def neuron_of(nodes: Nodes) -> Neuron:
    """Return the neuron model of a population that has dynamics."""
    if nodes.neuron is None:
        raise NotRepresentableError(f"population {nodes.name}: virtual sources receive no input")
    if not isinstance(nodes.neuron, Neuron):
        names = sorted({n.model if isinstance(n, Neuron) else f"{n.format}:{n.name}" for n in nodes.models})
        raise NotRepresentableError(
            f"population {nodes.name}: NeuroML's core types have no equal of the neuron model {', '.join(names)}"
        )
    return nodes.neuron


def plan(instance: NetworkInstance, *, initial_pulse: bool) -> Plan:
    """Decide on every identifier and component.

    Parameters
    ----------
    initial_pulse
        Whether different initial potentials are set by a pulse.

    Raises
    ------
    NotRepresentableError
        With the part that NeuroML's core types cannot hold.
    """
    ids = fmt.Identifiers()
    # names of populations come first: scripts rely on them
    members = {name: _members(ids, nodes) for name, nodes in instance.populations.items()}
    network_id = ids.claim(instance.name)
    simulation_id = ids.claim(f"sim_{instance.name}")
    populations = {n: _population(ids, nodes, members[n], instance) for n, nodes in instance.populations.items()}
    taus = sorted({tau for nodes in instance.populations.values() for tau in _taus(nodes)})
    synapses = {tau: ids.claim(fmt.synapse_name(tau)) for tau in taus}
    projection_ids = {}
    for name, edges in instance.projections.items():
        if not edges.synapse.plain:
            raise NotRepresentableError(
                f"projection {name}: NeuroML's core types have no equal of the synapse model {edges.synapse.model} "
                f"with receptor {edges.synapse.receptor} and parameters {dict(edges.synapse.parameters)}"
            )
        first = ids.claim(name)
        one = len(set(_taus(instance.populations[edges.target]))) == 1
        projection_ids[name] = (first, first if one else ids.claim(f"{name}_inhibitory"))
    inputs = tuple(p for i in instance.inputs if (p := _input(ids, i, instance.simulation.dt)))
    uneven = [p.nodes for p in populations.values() if _differs(p.nodes)] if initial_pulse else []
    return Plan(
        network_id,
        simulation_id,
        populations,
        synapses,
        inputs,
        projection_ids,
        ids.claim("initial_pulse") if uneven else None,
        {nodes.name: ids.claim(f"initial_V_m_{nodes.name}") for nodes in uneven},
    )


def _members(ids: fmt.Identifiers, nodes: Nodes) -> tuple[str, ...]:
    if isinstance(nodes.activity, Trains):
        return tuple(ids.claim(f"{nodes.name}_{index}") for index in range(nodes.size))
    return (ids.claim(nodes.name),)


def _population(
    ids: fmt.Identifiers, nodes: Nodes, members: tuple[str, ...], instance: NetworkInstance
) -> PlannedPopulation:
    if nodes.neuron is None:
        _check_activity(nodes, instance.simulation.dt)
        return PlannedPopulation(nodes, members, tuple(ids.claim(f"{m}_source") for m in members))
    neuron = neuron_of(nodes)
    model = neuron.entry.elsewhere.get("neuroml")
    if model not in fmt.PARAMETERS:
        raise NotRepresentableError(
            f"population {nodes.name}: NeuroML's core types have no equal of the neuron model {neuron.model}"
        )
    if nodes.varying:
        raise NotRepresentableError(
            f"population {nodes.name}: {', '.join(sorted(nodes.varying))} differs between neurons; a NeuroML "
            "population has one value for all (use one population per value)"
        )
    if nodes.V_m is None or not np.all(np.isfinite(nodes.V_m)):
        raise NotRepresentableError(f"population {nodes.name}: initial membrane potentials are missing")
    # a mean with few digits: the pulses are relative to what is written
    v_init = round(float(nodes.V_m.mean()), 3) if _differs(nodes) else float(nodes.V_m[0])
    return PlannedPopulation(nodes, members, (ids.claim(f"{nodes.name}_cell"),), v_init)


def _check_activity(nodes: Nodes, dt: float) -> None:
    if nodes.activity is None:
        raise NotRepresentableError(f"population {nodes.name}: virtual sources without activity have no equal")
    if isinstance(nodes.activity, PoissonActivity) and nodes.activity.rate * dt / 1000 >= 1:
        raise NotRepresentableError(
            f"population {nodes.name}: {nodes.activity.rate:g} spikes/s is more than one spike per step of {dt:g} ms, "
            "the most that a NeuroML source emits"
        )


def _taus(nodes: Nodes) -> Iterator[float]:
    if nodes.neuron is not None:
        yield neuron_of(nodes)["tau_syn_ex"]
        yield neuron_of(nodes)["tau_syn_in"]


def _differs(nodes: Nodes) -> bool:
    return nodes.V_m is not None and bool(np.any(nodes.V_m != nodes.V_m[0]))


def _input(ids: fmt.Identifiers, item: PoissonInput | StepCurrent, dt: float) -> PlannedInput | None:
    if isinstance(item, StepCurrent):
        return PlannedInput(item, ids.claim(item.name), ids.claim(f"{item.name}_list"))
    if item.rate == 0:
        return None
    number, per_step = fmt.poisson_sources(item.rate, dt)
    late = math.exp(-item.rate / number * (item.stop - item.start) / 1000) if item.stop is not None else 0.0
    if late > MAX_LATE:
        raise NotRepresentableError(
            f"input {item.name}: NeuroML's transientPoissonFiringSynapse checks the end only behind its first spike, "
            f"which would be late with a probability of {late:.2g}; use a longer input or a virtual population"
        )
    return PlannedInput(item, ids.claim(item.name), ids.claim(f"{item.name}_list"), number, per_step, late)
