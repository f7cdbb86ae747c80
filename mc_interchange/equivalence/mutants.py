"""Defects that ports of PD14 have had: what each does to the network, and which rung must see it.

A mutant is made of the right network (its rules, and a seed) and claims to follow these rules. Half of them draw a
wrong description, the others change what was drawn. ``rungs`` are those that must reject it:

``digest``
    every neuron and synapse compared with the reference, drawn from the same seed;
``rules``
    statistics of neurons and synapses against the rules: for a port that draws its own synapses;
``single neuron``
    one neuron against its closed form;
``spikes``
    every spike of a run with direct current, for the same synapses;
``statistics``
    activity of one network over 4 s against native runs with other seeds (what is not said to be rejected may be).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import ArrayEdges, EdgeBlock, Edges, NetworkInstance, realize
from mc_interchange.network import FixedIndegree, FixedTotalNumber, Network, Neuron, Population, Projection

__all__ = ["MUTANTS", "Mutant"]

DIGEST, RULES, NEURON, SPIKES, STATISTICS = "digest", "rules", "single neuron", "spikes", "statistics"

Make = Callable[[Network, int], NetworkInstance]
#: From a projection to a wrong one; None: it is left out.
ChangeProjection = Callable[[Projection, Network], Projection | None]
#: From the synapses of a projection to wrong ones.
ChangeEdges = Callable[[EdgeBlock, NetworkInstance, Edges], EdgeBlock]


@dataclass(frozen=True)
class Mutant:
    """One defect.

    Parameters
    ----------
    name
        In a few words.
    rungs
        Those that must reject it.
    make
        From the rules and a seed to the defective instance.
    """

    name: str
    rungs: tuple[str, ...]
    make: Make

    def __call__(self, network: Network, seed: int) -> NetworkInstance:
        """Return the instance, which claims to be ``network``."""
        return replace(self.make(network, seed), network=network)


# --- by a wrong description


def _projections(change: ChangeProjection) -> Make:
    """Draw with other projections; ``change(projection, network)`` gives a new one, or None."""

    def make(network: Network, seed: int) -> NetworkInstance:
        changed = [change(p, network) for p in network.projections]
        return realize(network.model_copy(update={"projections": tuple(p for p in changed if p)}), seed)

    return make


def _neurons(**parameters: Callable[[float], float]) -> Make:
    def make(network: Network, seed: int) -> NetworkInstance:
        populations: list[Any] = []
        for population in network.populations:
            if not isinstance(population, Population):
                populations.append(population)
                continue
            old = population.neuron.parameters
            new = {**old, **{name: change(old[name]) for name, change in parameters.items()}}
            neuron = Neuron(model=population.neuron.model, parameters=new)
            populations.append(population.model_copy(update={"neuron": neuron}))
        return realize(network.model_copy(update={"populations": tuple(populations)}), seed)

    return make


def _is_excitatory(name: str) -> bool:
    return name.endswith("E")


def _without(*names: str) -> Make:
    return _projections(lambda p, _: None if p.name in names else p)


def _rule(**changes: Any) -> Make:
    return _projections(lambda p, _: p.model_copy(update={"rule": p.rule.model_copy(update=changes)}))


def _number(projection: Projection) -> int:
    """Return the number of synapses of a projection with a fixed total number, as all of PD14's."""
    assert isinstance(projection.rule, FixedTotalNumber)
    return projection.rule.number


def _fixed_indegree(projection: Projection, network: Network) -> Projection | None:
    size = next(p.size for p in network.populations if p.name == projection.target)
    indegree = round(_number(projection) / size)
    return projection.model_copy(update={"rule": FixedIndegree(indegree=indegree)}) if indegree else None


def _transposed(projection: Projection, network: Network) -> Projection | None:
    """Give each projection the number of synapses of the reverse one."""
    number = {(p.source, p.target): _number(p) for p in network.projections}
    back = number.get((projection.target, projection.source), 0)
    return projection.model_copy(update={"rule": FixedTotalNumber(number=back)}) if back else None


def _distribution(field: str, **factors: float) -> Make:
    def change(projection: Projection, _: Network) -> Projection:
        old = getattr(projection, field)
        new = old.model_copy(update={name: getattr(old, name) * factor for name, factor in factors.items()})
        return projection.model_copy(update={field: new})

    return _projections(change)


def _swapped_delays(projection: Projection, network: Network) -> Projection:
    other = next(p for p in network.projections if _is_excitatory(p.source) != _is_excitatory(projection.source))
    return projection.model_copy(update={"delay": other.delay})


def _not_doubled(projection: Projection, network: Network) -> Projection:
    if projection.name != "L4E_to_L23E":
        return projection
    usual = next(p for p in network.projections if p.name == "L23E_to_L23E")
    return projection.model_copy(update={"weight": usual.weight})


def _at_rest(network: Network, seed: int) -> NetworkInstance:
    instance = realize(network, seed)
    rest = {
        name: replace(nodes, V_m=np.full(nodes.size, nodes.neuron["E_L"]))
        if isinstance(nodes.neuron, Neuron)
        else nodes
        for name, nodes in instance.populations.items()
    }
    return replace(instance, populations=rest)


def _no_input(network: Network, seed: int) -> NetworkInstance:
    return realize(network.model_copy(update={"inputs": ()}), seed)


# --- by changing what was drawn


def _edges(change: ChangeEdges, only: str | None = None) -> Make:
    """Change the synapses of all projections, or of one."""

    def make(network: Network, seed: int) -> NetworkInstance:
        instance = realize(network, seed)
        projections = dict(instance.projections)
        for name, edges in instance.projections.items():
            if only in (None, name):
                blocks = list(edges.blocks())
                whole = EdgeBlock(*(np.concatenate([getattr(b, n) for b in blocks]) for n in EdgeBlock.__slots__))
                changed = change(whole, instance, edges)
                projections[name] = ArrayEdges(name, edges.source, edges.target, changed, edges.synapse)
        return replace(instance, projections=projections)

    return make


def _with(block: EdgeBlock, **columns: NDArray[Any]) -> EdgeBlock:
    values = {name: getattr(block, name) for name in EdgeBlock.__slots__} | columns
    return EdgeBlock(**values)


def _first(values: NDArray[Any], change: Callable[[Any], Any]) -> NDArray[Any]:
    changed = values.copy()
    changed[0] = change(changed[0])
    return changed


def _off_by_one(block: EdgeBlock, instance: NetworkInstance, edges: Edges) -> EdgeBlock:
    size = instance.populations[edges.source].size
    return _with(block, source=((block.source + 1) % size).astype(np.uint32))


def _other_source(block: EdgeBlock, instance: NetworkInstance, edges: Edges) -> EdgeBlock:
    return _with(block, source=_first(block.source, lambda s: (s + 1) % instance.populations[edges.source].size))


def _truncated_delays(network: Network, seed: int) -> NetworkInstance:
    """Round delays down: as if half a step were taken from each before it is rounded."""
    half = network.simulation.dt / 2

    def change(projection: Projection, _: Network) -> Projection:
        old: Any = projection.delay
        lower = old.model_copy(update={"mean": old.mean - half, "min": max(old.min - half, network.simulation.dt / 2)})
        return projection.model_copy(update={"delay": lower})

    return _projections(change)(network, seed)


def _same_stream(block: EdgeBlock, instance: NetworkInstance, edges: Edges) -> EdgeBlock:
    """Draw the sources of every projection from the same beginning."""
    size = instance.populations[edges.source].size
    return _with(block, source=np.random.default_rng(1).integers(size, size=len(block), dtype=np.uint32))


def _no_multapses(projection: Projection, network: Network) -> Projection:
    sizes = {p.name: p.size for p in network.populations}
    if _number(projection) > sizes[projection.source] * sizes[projection.target]:
        return projection  # there must be some
    return projection.model_copy(update={"rule": projection.rule.model_copy(update={"allow_multapses": False})})


MUTANTS = (
    Mutant("all weights 2 % larger", (DIGEST, RULES, SPIKES), _distribution("weight", mean=1.02, sd=1.02)),
    Mutant("all weights 2 % smaller", (DIGEST, RULES, SPIKES), _distribution("weight", mean=0.98, sd=0.98)),
    Mutant(
        "one weight 2 % larger",
        (DIGEST,),
        _edges(lambda b, *_: _with(b, weight=_first(b.weight, lambda w: w * np.float32(1.02))), "L4E_to_L4I"),
    ),
    Mutant(
        "one delay one step longer",
        (DIGEST,),
        _edges(lambda b, *_: _with(b, delay=_first(b.delay, lambda d: d + 1)), "L4E_to_L4I"),
    ),
    Mutant("one synapse missing", (DIGEST, RULES), _edges(lambda b, *_: b[1:], "L4E_to_L4I")),
    Mutant("one synapse from another source", (DIGEST,), _edges(_other_source, "L4E_to_L4I")),
    Mutant(
        "delays of excitation and inhibition swapped",
        (DIGEST, RULES, SPIKES, STATISTICS),
        _projections(_swapped_delays),
    ),
    Mutant("projection missing, E to E", (DIGEST, RULES, SPIKES), _without("L4E_to_L23E")),
    Mutant("projection missing, E to I", (DIGEST, RULES, SPIKES, STATISTICS), _without("L5E_to_L23I")),
    Mutant("projection missing, I to E", (DIGEST, RULES, SPIKES, STATISTICS), _without("L4I_to_L4E")),
    Mutant("projection missing, I to I", (DIGEST, RULES, SPIKES), _without("L6I_to_L6I")),
    Mutant("matrix of connections transposed", (DIGEST, RULES, SPIKES, STATISTICS), _projections(_transposed)),
    Mutant("doubled weight of L4E to L23E lost", (DIGEST, RULES, SPIKES, STATISTICS), _projections(_not_doubled)),
    Mutant(
        "compensation for fewer synapses lost",
        (DIGEST, RULES, SPIKES, STATISTICS),
        _distribution("weight", mean=0.5**0.5, sd=0.5**0.5),
    ),
    Mutant("fixed in-degree", (DIGEST, RULES, SPIKES, STATISTICS), _projections(_fixed_indegree)),
    Mutant("no multapses", (DIGEST, RULES, SPIKES), _projections(_no_multapses)),
    Mutant("no autapses", (DIGEST, RULES, SPIKES), _rule(allow_autapses=False)),
    Mutant("weights without spread", (DIGEST, RULES, SPIKES), _distribution("weight", sd=0.0)),
    Mutant("delays without spread", (DIGEST, RULES, SPIKES), _distribution("delay", sd=0.0)),
    Mutant("tau_m 5 % longer", (DIGEST, NEURON, SPIKES, STATISTICS), _neurons(tau_m=lambda x: 1.05 * x)),
    Mutant(
        "tau_syn 10 % longer",
        (DIGEST, NEURON, SPIKES, STATISTICS),
        _neurons(tau_syn_ex=lambda x: 1.1 * x, tau_syn_in=lambda x: 1.1 * x),
    ),
    Mutant("t_ref 10 % longer", (DIGEST, NEURON, SPIKES), _neurons(t_ref=lambda x: 1.1 * x)),
    Mutant("reset 1 mV higher", (DIGEST, NEURON, SPIKES), _neurons(V_reset=lambda x: x + 1)),
    Mutant("initial potentials dropped", (DIGEST, RULES, SPIKES), _at_rest),
    Mutant(
        "Poisson input dropped",
        (
            DIGEST,
            STATISTICS,
        ),
        _no_input,
    ),
    Mutant("direct current in nA taken for pA", (DIGEST, NEURON, SPIKES), _neurons(I_e=lambda x: x / 1000)),
    Mutant(
        "weights in half precision",
        (DIGEST, SPIKES),
        _edges(lambda b, *_: _with(b, weight=b.weight.astype(np.float16).astype(np.float32))),
    ),
    Mutant("ids of sources off by one", (DIGEST, SPIKES), _edges(_off_by_one)),
    Mutant("delays rounded down", (DIGEST, RULES, SPIKES), _truncated_delays),
    Mutant("every projection with the same random numbers", (DIGEST, SPIKES), _edges(_same_stream)),
)
