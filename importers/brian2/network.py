"""Reading a live network of Brian2.

Every object is classified first, and what has no equal is refused by name. Then all increments by spikes are collected,
for they say which variables of a group are receptors, and then groups become populations.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mc_interchange.errors import FormatError, MissingDependencyError, ModelError
from mc_interchange.instance import ArrayEdges, Edges, NetworkInstance, Nodes, Synapse
from mc_interchange.network import Input, Simulation

from .monitors import Brian2Warning, record_spikes, record_V_m, warn_of_rates
from .neurons import neuron_nodes
from .sources import poisson_edges, poisson_input, poisson_sources, replayed
from .synapses import Arrival, arrivals, members

__all__ = ["Brian2Warning", "read_network"]

#: What has no equal, by class, and what to do.
_REFUSED = {
    "SpatialNeuron": "neurons have no compartments here: use a NeuronGroup",
    "NetworkOperation": "Python code that runs in every step cannot be read: write it as equations, or leave it out",
    "CodeRunner": "run_regularly and the like cannot be read: write them as equations, or leave them out",
    "SummedVariableUpdater": "summed variables have no equal: let on_pre raise a variable of the target",
}
#: What belongs to a group or to Synapses, and is read with it.
_PARTS = ("Thresholder", "Resetter", "StateUpdater", "SynapticPathway", "SubexpressionUpdater")
_KINDS = (
    *("NeuronGroup", "PoissonGroup", "SpikeGeneratorGroup", "Synapses", "PoissonInput"),
    *("SpikeMonitor", "EventMonitor", "StateMonitor", "PopulationRateMonitor"),
)


def read_network(
    net: Any,
    namespace: Mapping[str, Any] | None = None,
    *,
    duration: Any = 1000.0,
    discard: float = 0.0,
    seed: int = 1,
    name: str = "brian2",
    potential: str | Mapping[str, str] | None = None,
) -> NetworkInstance:
    """Turn a Brian2 network, as it is before ``run``, into a NetworkInstance.

    Variables are read as they are now, and are those at t = 0; synapses with their weights and delays. Nothing in the
    network is changed, so that it can be run afterwards.

    Parameters
    ----------
    net
        A ``brian2.Network``; where a script has none, ``Network(collect())``.
    namespace
        Value by name of what equations and code refer to, as for ``run``; None: what the caller's names stand for.
    duration, discard
        Simulated time, and the part of it at the start that is left out of statistics: ms, or a time of Brian2.
    seed
        For Poisson sources in a simulator.
    name
        Name of the model.
    potential
        State variable that is the membrane potential, for all groups or by group; None: found by its name and unit.

    Returns
    -------
    NetworkInstance
        Populations and projections are named like Brian2's objects. NeuronGroups have
        :class:`~mc_interchange.network.Dynamics`.

    Raises
    ------
    FormatError
        Something has no equal; it is named, with what to do.

    Warns
    -----
    Brian2Warning
        Of recordings that are left out or read otherwise.
    """
    if namespace is None:
        frame = inspect.currentframe()
        caller = frame.f_back if frame else None
        namespace = {**caller.f_globals, **caller.f_locals} if caller else {}
    try:
        import brian2
    except ImportError:
        raise MissingDependencyError("Brian2", "brian2") from None
    if not isinstance(net, brian2.Network) or isinstance(net, brian2.core.magic.MagicNetwork):
        raise FormatError(f"a brian2.Network is read, got {type(net).__name__}: make one, Network(collect())")
    if type(brian2.get_device()).__name__ != "RuntimeDevice":
        raise FormatError("Brian2's standalone devices hold no values before they run: set_device('runtime')")
    if float(net.t) > 0:
        raise FormatError(f"the network has been run already, until {net.t}: read it before its first (and only) run")
    objects = _Objects(net)
    dt = objects.dt
    settings = {"duration": _in_ms(duration), "discard": _in_ms(discard), "seed": seed, "dt": dt}
    try:
        simulation = Simulation(**settings)
        return _read(objects, namespace, simulation, name, potential)
    except ModelError as error:
        raise FormatError(str(error)) from None


def _in_ms(time: Any) -> float:
    """Return a time: plain numbers are in ms, quantities in their own unit."""
    if hasattr(time, "dim"):
        return float(f"{float(time) * 1000:.12g}")
    return float(time)


def _read(
    objects: _Objects,
    namespace: Mapping[str, Any],
    simulation: Simulation,
    name: str,
    potential: str | Mapping[str, str] | None,
) -> NetworkInstance:
    dt = simulation.dt
    groups = {group.name: group for group in objects.of("NeuronGroup")}
    arriving = [a for synapses in objects.of("Synapses") for a in arrivals(synapses, namespace, dt / 1000)]
    receptors = _receptors(objects, groups, arriving)
    populations: dict[str, Nodes] = {}
    for group in groups.values():
        chosen = potential.get(group.name) if isinstance(potential, Mapping) else potential
        populations[group.name] = neuron_nodes(group, namespace, receptors[group.name], chosen)
    for group in objects.of("PoissonGroup"):
        populations[group.name] = poisson_sources(group)
    for group in objects.of("SpikeGeneratorGroup"):
        populations[group.name] = replayed(group, dt, simulation.duration)
    projections: dict[str, Edges] = {}
    for item in arriving:
        if item.source not in populations or item.target not in populations:
            missing = item.source if item.source not in populations else item.target
            raise FormatError(f"projection {item.name}: {missing} is not in the network; add it")
        synapse = Synapse(receptor=receptors[item.target].index(item.variable))
        edges: Edges = ArrayEdges(_new(item.name, projections), item.source, item.target, item.edges, synapse)
        projections[edges.name] = edges
    inputs: list[Input] = []
    for source in objects.of("PoissonInput"):
        target = members(source._group)[0]
        receptor = receptors[target.name].index(source.target_var)
        poisson = poisson_input(source, target, namespace, dt)
        if receptor == 0:
            inputs.append(poisson)
        else:
            edge_name = _new(f"{poisson.name}_to_{poisson.target}", projections)
            populations[poisson.name], edges = poisson_edges(poisson, edge_name, int(target.N), receptor, dt)
            projections[edge_name] = edges
    warn_of_rates(objects.of("PopulationRateMonitor"))
    recordings = {
        "record_spikes": record_spikes(
            [*objects.of("SpikeMonitor"), *objects.of("EventMonitor")], {p.name: p.size for p in populations.values()}
        ),
        "record_V_m": record_V_m(objects.of("StateMonitor"), populations, dt),
    }
    simulation = Simulation(**{**simulation.model_dump(), **recordings})
    return NetworkInstance(name, populations, projections, tuple(inputs), simulation)


def _new(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name, with underscores behind it where it is taken: names of statements can meet those of objects."""
    while name in taken:
        name += "_"
    return name


def _receptors(objects: _Objects, groups: Mapping[str, Any], arriving: list[Arrival]) -> dict[str, list[str]]:
    """Return the variables that spikes raise, by group: those of inputs come first."""
    found: dict[str, dict[str, None]] = {name: {} for name in groups}
    for source in objects.of("PoissonInput"):
        name = members(source._group)[0].name
        if name not in found:
            raise FormatError(f"PoissonInput {source.name}: its target {name} is not in the network; add it")
        found[name][source.target_var] = None
    for item in arriving:
        found.setdefault(item.target, {})[item.variable] = None
    return {name: list(variables) for name, variables in found.items()}


class _Objects:
    """The objects of a network, by what they are.

    Raises
    ------
    FormatError
        One has no equal.
    """

    def __init__(self, net: Any) -> None:
        self._by_kind: dict[str, list[Any]] = {}
        steps = {}
        for item in sorted(_all(net.objects), key=lambda item: str(item.name)):
            kind = type(item).__name__
            if not item.active:
                raise FormatError(f"{kind} {item.name} is not active: leave it out of the network")
            kind = next((c.__name__ for c in type(item).__mro__ if c.__name__ in {*_REFUSED, *_KINDS, *_PARTS}), kind)
            if kind in _REFUSED and not isinstance(item, _parts_and_inputs()):
                raise FormatError(f"{type(item).__name__} {item.name}: {_REFUSED[kind]}")
            if kind in _PARTS:
                continue
            if kind not in _KINDS:
                raise FormatError(f"{kind} {item.name}: objects of this class cannot be read: leave it out")
            self._by_kind.setdefault(kind, []).append(item)
            if not kind.endswith("Monitor"):
                steps[item.name] = float(item.clock.dt_)
        if not self.of("NeuronGroup"):
            raise FormatError("the network holds no NeuronGroup")
        if len({*steps.values()}) > 1:
            shown = ", ".join(f"{name}: {step * 1000:g} ms" for name, step in steps.items())
            raise FormatError(f"there must be one step for all objects, got several ({shown[:200]})")
        self.dt = float(f"{next(iter(steps.values())) * 1000:.12g}")

    def of(self, kind: str) -> list[Any]:
        """Return the objects of a class."""
        return self._by_kind.get(kind, [])


def _parts_and_inputs() -> tuple[type, ...]:
    """Return the classes that Brian2 derives from CodeRunner, and that are read."""
    from brian2 import PoissonInput
    from brian2.groups.neurongroup import Resetter, StateUpdater, SubexpressionUpdater, Thresholder
    from brian2.synapses.synapses import SynapticPathway

    return PoissonInput, Resetter, StateUpdater, SubexpressionUpdater, Thresholder, SynapticPathway


def _all(objects: Any) -> Iterator[Any]:
    for item in objects:
        yield item
        yield from _all(item.contained_objects)
