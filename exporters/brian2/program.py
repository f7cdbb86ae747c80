"""The text of ``model.py``: equations, parameters, inputs and recordings of one network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pprint import pformat

import numpy as np

from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import sonata
from mc_interchange.instance import NetworkInstance, Nodes, Trains
from mc_interchange.instance.sampling import round_delays
from mc_interchange.network import CATALOGUE, Neuron, PoissonActivity, PoissonInput, Simulation, StepCurrent
from mc_interchange.network.simulation import steps

from .equations import UNITS
from .glif import receptor, receptors_of
from .groups import Group, scalars, unit_of
from .plasticity import Plasticity, plasticity_of

__all__ = ["model_text"]

_HEAD = '''"""The network {name} in Brian2's words; run.py builds and runs it.

Numbers that differ from neuron to neuron, and all synapses, are in network/. A step of a simulation is: integrate, let
spikes arrive, compare with the threshold, reset.
"""

from brian2 import Hz, mV, ms, nS, pA, pF

DT = {dt} * ms
N_STEPS = {n_steps}
SEED = {seed}
'''


def model_text(instance: NetworkInstance, groups: list[Group]) -> str:
    """Return a Python module.

    Parameters
    ----------
    groups
        Of all neurons.
    """
    simulation = instance.simulation
    of_projections = {e.name: plasticity_of(e, instance) for e in instance.projections.values()}
    plasticities: list[Plasticity] = []
    for plasticity in of_projections.values():
        if plasticity and plasticity not in plasticities:
            plasticities.append(plasticity)
    names = {name: f'"{_plastic(plasticities, p)}"' if p else "None" for name, p in of_projections.items()}
    receptors = {
        e.name: f'"{receptor(e.synapse.receptor)}"' if e.synapse.receptor else "None"
        for e in instance.projections.values()
    }
    sections = [
        _HEAD.format(name=instance.name, dt=repr(simulation.dt), n_steps=simulation.n_steps, seed=simulation.seed),
        "# Populations with the same equations are one group. `constants` are the same for all of it; what differs is\n"
        "# declared in the equations. `receives`: what a spike does, by the sign of its weight.\n"
        + _dict("GROUPS", (line for group in groups for line in _group(group, instance))),
        "# Sources without dynamics: they replay spikes from inputs/, or fire as Poisson processes, which are drawn.\n"
        "# `first` and `last`: the steps in which there can be spikes.\n"
        + _dict("SOURCES", (_source(n, simulation) for n in instance.populations.values() if n.virtual)),
        "# Synapses that change: states, and what spikes of source and target do, with `sent` in place of the weight.\n"
        + _dict("PLASTICITY", (line for p in plasticities for line in _plasticity(p, _plastic(plasticities, p)))),
        "# From, to, how they change, and onto which receptor (None: the sign of a weight tells). The synapses are in\n"
        "# network/NAME_edges.h5.\n"
        + _dict(
            "PROJECTIONS",
            (
                f'    "{e.name}": ("{e.source}", "{e.target}", {names[e.name]}, {receptors[e.name]}),'
                for e in instance.projections.values()
            ),
        ),
        "# An independent Poisson train onto each neuron, in the steps from `first` on and before `end`.\n"
        + _list("POISSON_INPUTS", _poisson(instance)),
        "# Currents into neurons (None: all) for the steps from the first number on and before the second.\n"
        + _list("STEP_CURRENTS", _currents(instance)),
        _recordings(instance),
    ]
    return "\n".join(sections)


def _dict(name: str, lines: Iterable[str]) -> str:
    return _bracketed(name, "{", lines, "}")


def _list(name: str, lines: Iterable[str]) -> str:
    return _bracketed(name, "[", lines, "]")


def _bracketed(name: str, left: str, lines: Iterable[str], right: str) -> str:
    content = "\n".join(lines)
    return f"{name} = {left}\n{content}\n{right}\n" if content else f"{name} = {left}{right}\n"


def _quantity(value: float, unit: str) -> str:
    name = UNITS[unit][0]
    return f"{value!r} * {name}".replace("* 1/", "/ ") if name else repr(value)


def _group(group: Group, instance: NetworkInstance) -> Iterator[str]:
    entry, equations = CATALOGUE[group.model], group.equations
    yield f'    "{group.name}": {{'
    yield '        "equations": """'
    yield from (f"            {line}" for line in [*group.declarations(), *_reached(group, instance)])
    yield '        """,'
    if equations.step:
        yield '        "step": """'
        yield from (f"            {line}" for line in group.step())
        yield '        """,'
    else:
        yield f'        "method": "{equations.method}",'
    for key, text in (("threshold", equations.threshold), ("reset", equations.reset)):
        yield f'        "{key}": "{text}",'
    yield f'        "refractory": {_refractory(group)},'
    if (substeps := equations.substeps(instance.simulation.dt)) > 1:
        yield f'        "substeps": {substeps},'
    if equations.hold:
        yield f'        "hold": "{equations.hold}",'
    unit, declared = UNITS[entry.weight_unit]
    yield f'        "synapse": "weight : {declared} (constant)",'
    yield f'        "weight_unit": {unit},'
    yield from _mapping("receives", ((sign, f'"{statement}"') for sign, statement in equations.receives.items()))
    yield from _mapping("constants", ((k, _quantity(v, unit_of(group.model, k))) for k, v in group.shared.items()))
    yield from _mapping("populations", ((n.name, f"{{{_values(n, group)}}}") for n in group.populations))
    yield "    },"


def _mapping(key: str, items: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write a dictionary within an entry; its values are expressions."""
    yield f'        "{key}": {{'
    yield from (f'            "{name}": {value},' for name, value in items)
    yield "        },"


def _plastic(plasticities: list[Plasticity], plasticity: Plasticity) -> str:
    """Return the name under which a kind of synapse stands: its model, with a number."""
    same = [p for p in plasticities if p.model == plasticity.model]
    return f"{plasticity.model}_{same.index(plasticity) + 1}"


def _plasticity(plasticity: Plasticity, name: str) -> Iterator[str]:
    yield f'    "{name}": {{'
    for key, lines in (("states", plasticity.states), ("on_pre", plasticity.on_pre), ("on_post", plasticity.on_post)):
        if lines:
            yield f'        "{key}": ['
            yield from (f'            "{line}",' for line in lines)
            yield "        ],"
    yield from _mapping("constants", ((k, _quantity(*value)) for k, value in plasticity.constants.items()))
    yield from _mapping("initial", ((k, f'"{value}"') for k, value in plasticity.initial.items()))
    yield "    },"


def _refractory(group: Group) -> str:
    """Return the condition: NEST's neuron is refractory for t_ref after the step in which it fires."""
    if not group.equations.refractory:
        return "False"
    # the next whole step, and no more for a rounding error
    return '"ceil(t_ref / dt - 1e-4) * dt + dt"' if group.off_grid else '"t_ref + dt"'


def _values(nodes: Nodes, group: Group) -> str:
    """Return the size of a population and its values of what is not the same for all; arrays are in its file."""
    assert isinstance(nodes.neuron, Neuron)
    entry = CATALOGUE[group.model]
    items = {"size": str(nodes.size)}
    if nodes.V_m is None and entry.V_m is not None:
        items["V_m"] = _quantity(entry.V_m, "mV")
    for name in group.own:
        if name not in nodes.varying:
            items[name] = _quantity(scalars(nodes.neuron)[name], unit_of(group.model, name))
    return ", ".join(f'"{name}": {value}' for name, value in items.items())


def _window(start: float, stop: float | None, simulation: Simulation) -> tuple[int, int]:
    """Return the first and the last step at whose end NEST's generator emits spikes: one behind its window."""
    last = simulation.n_steps if stop is None else min(round(steps(stop, simulation.dt)) + 1, simulation.n_steps)
    return round(steps(start, simulation.dt)) + 2, last


def _source(nodes: Nodes, simulation: Simulation) -> str:
    activity = nodes.activity
    what = f'"size": {nodes.size}'
    if isinstance(activity, Trains):
        what += f', "spikes": "{sonata.input_file(nodes.name)}"'
    elif isinstance(activity, PoissonActivity):
        first, last = _window(activity.start, activity.stop, simulation)
        # NEST relays them by neurons that take a step
        what += f', "rate": {activity.rate!r} * Hz, "first": {first + 1}, "last": {min(last + 1, simulation.n_steps)}'
    return f'    "{nodes.name}": {{{what}}},'


def _reached(group: Group, instance: NetworkInstance) -> list[str]:
    """Return the switches of inputs that reach only some neurons."""
    names = {nodes.name for nodes in group.populations}
    return [
        f"gets_{item.name} : boolean (constant)"
        for item in instance.inputs
        if isinstance(item, PoissonInput) and item.neurons is not None and item.target in names
    ]


def _poisson(instance: NetworkInstance) -> Iterator[str]:
    simulation = instance.simulation
    for item in instance.inputs:
        if isinstance(item, PoissonInput):
            delay = int(round_delays(np.array([item.delay]), simulation.dt)[0])
            first, last = (step + delay - 1 for step in _window(item.start, item.stop, simulation))
            neuron = instance.populations[item.target].neuron
            assert isinstance(neuron, Neuron)
            if 0 not in receptors_of(neuron):
                raise NotRepresentableError(
                    f"input {item.name}: it goes to no receptor of {item.target}, where {neuron.model} has several; "
                    "let sources project to one"
                )
            yield "    {"
            yield f'        "name": "{item.name}",'
            yield f'        "target": "{item.target}",'
            yield f'        "rate": {item.rate!r} * Hz,'
            yield f'        "weight": {_quantity(item.weight, neuron.entry.weight_unit)},'
            yield f'        "first": {first},'
            yield f'        "end": {last + 1},'
            yield f'        "neurons": {_ids(item.neurons)},'
            yield "    },"


def _ids(neurons: tuple[int, ...] | None) -> str:
    return "None" if neurons is None else pformat(list(neurons), width=100, compact=True)


def _currents(instance: NetworkInstance) -> Iterator[str]:
    for item in instance.inputs:
        if isinstance(item, StepCurrent):
            begin, end = sonata.clamp_steps(item, instance.simulation.dt)
            if begin < end:
                yield f'    ("{item.target}", {item.amplitude!r} * pA, {begin}, {end}, {_ids(item.neurons)}),'


def _recordings(instance: NetworkInstance) -> str:
    simulation = instance.simulation
    recorded = simulation.record_spikes
    names = [name for name in instance.populations if recorded is None or name in recorded]
    potentials = (
        f'    "{item.population}": ({_ids(tuple(sorted(set(item.neurons))))}, {item.interval!r} * ms),'
        for item in simulation.record_V_m
    )
    return (
        "# Populations whose spikes are recorded; neurons whose potential is, and the time between samples.\n"
        + f"RECORD_SPIKES = {pformat(names, width=100, compact=True)}\n"
        + _dict("RECORD_V_M", potentials)
    )
