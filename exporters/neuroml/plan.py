"""What becomes of each part of an instance: identifiers, components and refusals, before a byte is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import Edges, NetworkInstance, Nodes, Trains
from mc_interchange.network import PoissonInput, StepCurrent

from .dynamics import EquationInput, PlannedEquations, plan_equations, receptor_of
from .matched import Matching
from .populations import PlannedPopulation, cell_type, has_core_cells, neuron_of, plan_populations

__all__ = [
    "ConstantCurrent",
    "Plan",
    "PlannedInput",
    "PlannedPopulation",
    "PlannedProjection",
    "SynapseKey",
    "plan",
]

#: Largest probability that we bear of a source's first spike falling behind the end of its input.
MAX_LATE = 0.01


class SynapseKey(NamedTuple):
    """What makes two synapses the same component.

    Parameters
    ----------
    receptor
        Its kind.
    tau_syn
        In ms.
    E_rev
        Reversal potential in mV; None for currents.
    """

    receptor: fmt.Receptor
    tau_syn: float
    E_rev: float | None


@dataclass(frozen=True)
class ConstantCurrent:
    """The current ``I_e`` (mV/ms) of a population whose cells have no place for it."""

    target: str
    amplitude: float
    neurons: None = None


@dataclass(frozen=True)
class PlannedInput:
    """One input of the instance in NeuroML.

    Parameters
    ----------
    input
        The input.
    component, list_id
        Identifiers of the component and of the list that places it.
    dimensionless
        Whether a current is a number without unit (mV/ms).
    synapse
        Identifier of the synapse of a Poisson input.
    weight
        Of a Poisson input, in pA or nS, as it is written; None: the component holds the amplitude.
    n_sources
        Number of components on each cell.
    per_step
        Mean number of spikes of each per step.
    late
        Probability that the first spike of a source falls behind the end of the input.
    equations
        What it is onto neurons that are given by equations.
    """

    input: PoissonInput | StepCurrent | ConstantCurrent
    component: str
    list_id: str
    dimensionless: bool = False
    synapse: str = ""
    weight: float | None = None
    n_sources: int = 1
    per_step: float = 0.0
    late: float = 0.0
    equations: EquationInput | None = None


@dataclass(frozen=True)
class PlannedProjection:
    """A NeuroML projection, which has one synapse component: all synapses of one of ours, or those of one sign.

    Parameters
    ----------
    identifier, synapse
        Identifiers.
    sign
        1: the weights from 0 up, -1: the negative ones, 0: all.
    factor
        Of the weights as they are written (-1 where they are conductances of an inhibitory synapse).
    parts
        Identifiers of what it is divided into, one for each member of a divided source; else itself.
    """

    identifier: str
    synapse: str
    sign: int
    factor: float = 1.0
    parts: tuple[str, ...] = ()


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
        Identifier of each component.
    inputs
        Those that have an effect, in order.
    projections
        What each projection is divided into, by name.
    pulse
        Identifier of the component that sets initial potentials; None where none is written.
    pulse_lists
        Identifier of the list that places it, by population.
    equations
        The populations whose neurons are given by equations, by name.
    matching
        What parameters are matched to; None: they are physical.
    """

    network_id: str
    simulation_id: str
    populations: dict[str, PlannedPopulation]
    synapses: dict[SynapseKey, str]
    inputs: tuple[PlannedInput, ...]
    projections: dict[str, tuple[PlannedProjection, ...]]
    pulse: str | None
    pulse_lists: dict[str, str]
    equations: dict[str, PlannedEquations]
    matching: Matching | None = None

    def pulse_per_mV(self, population: str, dt: float) -> float:
        """Return the current in the first step (pA) per difference of the initial potential (mV)."""
        if self.matching:
            return self.matching.neurons[population].pulse
        return fmt.pulse_per_mV(neuron_of(self.populations[population].nodes).parameters, dt)


def plan(
    instance: NetworkInstance,
    *,
    initial_pulse: bool,
    matching: Matching | None = None,
    list_all: bool = False,
    spread_spikes: bool = False,
) -> Plan:
    """Decide on every identifier and component.

    Parameters
    ----------
    initial_pulse
        Whether different initial potentials are set by a pulse.
    matching
        What the parameters of the instance are matched to.
    list_all
        Whether populations without locations list their cells, too.
    spread_spikes
        Whether each component of a source fires again only when its last spike has arrived everywhere.

    Raises
    ------
    NotRepresentableError
        With the part that NeuroML's core types cannot hold.
    """
    ids = fmt.Identifiers()
    apart = _longest_delays(instance) if spread_spikes else {}
    # names of populations come first: scripts rely on them
    populations = {p.nodes.name: p for p in plan_populations(ids, instance, list_all=list_all, apart=apart)}
    network_id = ids.claim(instance.name)
    simulation_id = ids.claim(f"sim_{instance.name}")
    components = {name: p.components[0] for name, p in populations.items() if not p.nodes.virtual}
    equations = plan_equations(ids, instance, components)
    synapses = _Synapses(ids, instance, equations)
    projections = {
        e.name: tuple(_divided(ids, p, populations[e.source]) for p in _projection(ids, e, synapses, matching))
        for e in instance.projections.values()
    }
    inputs = [_constant_current(ids, nodes) for nodes in instance.populations.values()]
    inputs += [_input(ids, item, synapses) for item in instance.inputs]
    uneven = [name for name, p in populations.items() if _has_pulses(p.nodes)] if initial_pulse else []
    return Plan(
        network_id,
        simulation_id,
        populations,
        synapses.identifiers,
        tuple(item for item in inputs if item),
        projections,
        ids.claim("initial_pulse") if uneven else None,
        {name: ids.claim(f"initial_V_m_{name}") for name in uneven},
        equations,
        matching,
    )


class _Synapses:
    """The synapses on each population: one for weights from 0 up, one for negative weights."""

    def __init__(
        self, ids: fmt.Identifiers, instance: NetworkInstance, equations: Mapping[str, PlannedEquations]
    ) -> None:
        self.instance, self.equations = instance, equations
        keys = {key for nodes in instance.populations.values() for key in _synapses(nodes)}
        ordered = sorted(keys, key=lambda key: (key.receptor, key.tau_syn, key.E_rev or 0.0))
        self.identifiers = {key: ids.claim(fmt.synapse_name(key.tau_syn, key.receptor)) for key in ordered}

    def onto(self, population: str, what: str) -> tuple[SynapseKey, SynapseKey]:
        """Return the excitatory and the inhibitory one.

        Parameters
        ----------
        what
            Who asks, for the message.
        """
        nodes = self.instance.populations[population]
        keys = tuple(_synapses(nodes))
        if not keys:
            raise NotRepresentableError(
                f"{what}: NeuroML has no synapse by which the potential jumps, as that of the neuron model "
                f"{neuron_of(nodes).model} does ({population})"
            )
        return keys[0], keys[1]


def _longest_delays(instance: NetworkInstance) -> dict[str, int]:
    """Return the longest delay in steps of all synapses from each population of spike trains that has some."""
    found: dict[str, int] = {}
    for edges in instance.projections.values():
        if isinstance(instance.populations[edges.source].activity, Trains):
            longest = max((int(block.delay.max()) for block in edges.blocks() if len(block)), default=1)
            found[edges.source] = max(found.get(edges.source, 1), longest)
    return found


def _synapses(nodes: Nodes) -> Iterator[SynapseKey]:
    """Yield the excitatory and the inhibitory synapse of a population; nothing where it has none."""
    if not has_core_cells(nodes) or (receptor := cell_type(nodes).receptor) is None:
        return
    neuron = neuron_of(nodes)
    for end, reversal in (("ex", "E_ex"), ("in", "E_in")):
        yield SynapseKey(receptor, neuron[f"tau_syn_{end}"], neuron.parameters.get(reversal))


def _projection(
    ids: fmt.Identifiers, edges: Edges, synapses: _Synapses, matching: Matching | None
) -> Iterator[PlannedProjection]:
    name, synapse = edges.name, edges.synapse
    if (equations := synapses.equations.get(edges.target)) is not None:
        if synapse.model != "static_synapse" or synapse.parameters:
            raise NotRepresentableError(f"projection {name}: onto equations there are static synapses only")
        receptor = receptor_of(equations.types.dynamics, synapse.receptor, f"projection {name}")
        yield PlannedProjection(ids.claim(name), equations.synapses[receptor], 0)
        return
    if not synapse.plain:
        raise NotRepresentableError(
            f"projection {name}: NeuroML's core types have no equal of the synapse model {synapse.model} "
            f"with receptor {synapse.receptor} and parameters {dict(synapse.parameters)}"
        )
    excitatory, inhibitory = synapses.onto(edges.target, f"projection {name}")
    identifiers = synapses.identifiers
    conductances = fmt.conductances(excitatory.receptor)
    if excitatory == inhibitory and not conductances:
        yield PlannedProjection(ids.claim(name), identifiers[excitatory], 0)
        return
    factor = matching.neurons[edges.target].inhibition if matching else -1.0 if conductances else 1.0
    yield PlannedProjection(ids.claim(name), identifiers[excitatory], 1)
    yield PlannedProjection(ids.claim(f"{name}_inhibitory"), identifiers[inhibitory], -1, factor)


def _divided(ids: fmt.Identifiers, projection: PlannedProjection, source: PlannedPopulation) -> PlannedProjection:
    """Name the parts of a projection."""
    name = projection.identifier
    if not source.divided:
        return replace(projection, parts=(name,))
    return replace(projection, parts=tuple(ids.claim(f"{name}_from_{k}") for k in range(len(source.members))))


def _has_pulses(nodes: Nodes) -> bool:
    if not has_core_cells(nodes) or nodes.V_m is None or cell_type(nodes).dimensionless:
        return False
    return bool(np.any(nodes.V_m != nodes.V_m[0]))


def _constant_current(ids: fmt.Identifiers, nodes: Nodes) -> PlannedInput | None:
    """Place the current of a population whose cells have no place for it."""
    if not has_core_cells(nodes) or not cell_type(nodes).dimensionless or not (current := neuron_of(nodes)["I_e"]):
        return None
    name = f"I_e_{nodes.name}"
    return PlannedInput(ConstantCurrent(nodes.name, current), ids.claim(name), ids.claim(f"{name}_list"), True)


def _input(ids: fmt.Identifiers, item: PoissonInput | StepCurrent, synapses: _Synapses) -> PlannedInput | None:
    if (equations := synapses.equations.get(item.target)) is not None:
        return _equation_input(ids, item, equations, synapses.instance.simulation.dt)
    if isinstance(item, StepCurrent):
        dimensionless = cell_type(synapses.instance.populations[item.target]).dimensionless
        return PlannedInput(item, ids.claim(item.name), ids.claim(f"{item.name}_list"), dimensionless)
    if item.rate == 0:
        return None
    number, per_step = fmt.poisson_sources(item.rate, synapses.instance.simulation.dt)
    late = math.exp(-item.rate / number * (item.stop - item.start) / 1000) if item.stop is not None else 0.0
    if late > MAX_LATE:
        raise NotRepresentableError(
            f"input {item.name}: NeuroML's transientPoissonFiringSynapse checks the end only behind its first spike, "
            f"which would be late with a probability of {late:.2g}; use a longer input or a virtual population"
        )
    synapse = synapses.onto(item.target, f"input {item.name}")[item.weight < 0]
    return PlannedInput(
        item,
        ids.claim(item.name),
        ids.claim(f"{item.name}_list"),
        synapse=synapses.identifiers[synapse],
        weight=abs(item.weight) if fmt.conductances(synapse.receptor) else item.weight,
        n_sources=number,
        per_step=per_step,
        late=late,
    )


def _equation_input(
    ids: fmt.Identifiers, item: PoissonInput | StepCurrent, equations: PlannedEquations, dt: float
) -> PlannedInput | None:
    """Name an input onto neurons that are given by equations."""
    types = equations.types
    name, names = item.name, (ids.claim(item.name), ids.claim(f"{item.name}_list"))
    if isinstance(item, StepCurrent):
        if types.dynamics.current is None:
            raise NotRepresentableError(
                f"input {name}: the equations {types.dynamics.label} of {item.target} have no place for a current"
            )
        return PlannedInput(item, *names, equations=EquationInput(types.current, item))
    if item.rate == 0:
        return None
    receptor = receptor_of(types.dynamics, 0, f"input {name}")
    number, per_step = fmt.poisson_sources(item.rate, dt)
    return PlannedInput(
        item,
        *names,
        weight=item.weight,
        n_sources=number,
        per_step=per_step,
        equations=EquationInput(types.poisson[receptor], item, number),
    )
