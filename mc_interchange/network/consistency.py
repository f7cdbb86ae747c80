"""Checks across the parts of a Network: references, sizes, and times against the resolution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .base import refusal
from .distributions import Constant, Distribution, Normal
from .inputs import PoissonInput
from .populations import Population, SpikeTrains, VirtualPopulation
from .rules import Explicit, OneToOne, Rule
from .simulation import steps
from .weights import check_weight_units

if TYPE_CHECKING:
    from .network import Network, Projection

__all__ = ["check_network"]

#: Steps by which a time may miss the grid: enough for decimals such as 0.1, far from a mistake.
TOLERANCE = 1e-4


def check_network(network: Network) -> None:
    """Raise a refusal that blames the first field at odds with another part."""
    for label in ("populations", "projections", "inputs"):
        _unique(label, [item.name for item in getattr(network, label)])
    known = {p.name: p for p in network.populations}
    neurons = [p.name for p in network.neuron_populations]
    dt = network.simulation.dt
    for index, population in enumerate(network.populations):
        if isinstance(population, VirtualPopulation):
            _check_activity(f"populations[{index}].activity", population, dt)
    for index, projection in enumerate(network.projections):
        path = f"projections[{index}]"
        if projection.source not in known:
            raise refusal(f"{path}.source", _unknown(projection.source, known))
        if projection.target not in neurons:
            raise refusal(f"{path}.target", _unknown(projection.target, neurons))
        check_weight_units(path, projection, _weight_unit(known[projection.target]))
        _check_rule(f"{path}.rule", projection, known[projection.source].size, known[projection.target].size)
        _check_delays(f"{path}.delay", projection.delay, dt)
    for index, item in enumerate(network.inputs):
        if item.target not in neurons:
            raise refusal(f"inputs[{index}].target", _unknown(item.target, neurons))
        if isinstance(item, PoissonInput):
            check_weight_units(f"inputs[{index}]", item, _weight_unit(known[item.target]))
        _check_delay(f"inputs[{index}].delay", item.delay, dt)
        _check_window(f"inputs[{index}]", item.start, item.stop, dt)
        if item.neurons is not None and max(item.neurons) >= known[item.target].size:
            raise refusal(
                f"inputs[{index}].neurons", f"must be below {known[item.target].size}, got {max(item.neurons)}"
            )
    _check_recordings(network, known)


def _weight_unit(target: Population | VirtualPopulation) -> str:
    assert isinstance(target, Population)  # checked before
    return target.neuron.entry.weight_unit


def _check_activity(path: str, population: VirtualPopulation, dt: float) -> None:
    activity = population.activity
    if not isinstance(activity, SpikeTrains):
        _check_window(path, activity.start, activity.stop, dt)
        return
    for source, train in enumerate(activity.times):
        counts = steps(1.0, dt) * np.array(train)
        missed = np.flatnonzero(np.abs(counts - np.rint(counts)) > TOLERANCE)
        if len(missed):
            _check_time(f"{path}.times[{source}][{missed[0]}]", train[missed[0]], dt)


def _check_window(path: str, start: float, stop: float | None, dt: float) -> None:
    _check_time(f"{path}.start", start, dt)
    if stop is not None:
        _check_time(f"{path}.stop", stop, dt)


def _check_time(path: str, time: float, dt: float) -> None:
    if abs(steps(time, dt) - round(steps(time, dt))) > TOLERANCE:
        raise refusal(path, f"must be a multiple of the resolution dt = {dt:g} ms, got {time:g}")


def _check_rule(path: str, projection: Projection, n_sources: int, n_targets: int) -> None:
    rule = projection.rule
    if isinstance(rule, OneToOne) and n_sources != n_targets:
        raise refusal(path, f"one_to_one needs equal sizes, got {n_sources} and {n_targets}")
    if isinstance(rule, Explicit):
        for label, ids, size in (("sources", rule.sources, n_sources), ("targets", rule.targets, n_targets)):
            if ids and max(ids) >= size:
                raise refusal(f"{path}.{label}", f"must be below {size}, got {max(ids)}")
    problem = _too_many(rule, n_sources, n_targets, projection.source == projection.target)
    if problem:
        raise refusal(f"{path}.{problem[0]}", problem[1])


def _check_delays(path: str, delay: Distribution, dt: float) -> None:
    if isinstance(delay, Constant):
        _check_delay(path, delay.value, dt)
    elif isinstance(delay, Normal) and delay.sd > 0:
        raise refusal(path, f"a normal distribution reaches below dt; use truncated_normal with min >= {dt / 2:g}")
    elif steps(delay.lower, dt) < 0.5 - 1e-9:
        raise refusal(path, f"must not fall below half the resolution ({dt / 2:g} ms), but reaches {delay.lower:g}")


def _check_delay(path: str, delay: float, dt: float) -> None:
    if steps(delay, dt) < 1 - TOLERANCE:
        raise refusal(path, f"must be at least the resolution dt = {dt:g} ms, got {delay:g}")
    _check_time(path, delay, dt)


def _check_recordings(network: Network, known: dict[str, Population | VirtualPopulation]) -> None:
    for index, name in enumerate(network.simulation.record_spikes or ()):
        if name not in known:
            raise refusal(f"simulation.record_spikes[{index}]", _unknown(name, known))
    for index, recording in enumerate(network.simulation.record_V_m):
        path = f"simulation.record_V_m[{index}]"
        population = known.get(recording.population)
        if not isinstance(population, Population):
            raise refusal(
                f"{path}.population", _unknown(recording.population, (p.name for p in network.neuron_populations))
            )
        if max(recording.neurons) >= population.size:
            raise refusal(f"{path}.neurons", f"must be below {population.size}, got {max(recording.neurons)}")


def _unique(label: str, names: list[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise refusal(f"{label}[{index}].name", f"names must be unique, got '{name}' twice")
        seen.add(name)


def _unknown(name: str, names: Iterable[str]) -> str:
    return f"must be one of {', '.join(names)}, got '{name}'"


def _too_many(rule: Rule, n_sources: int, n_targets: int, recurrent: bool) -> tuple[str, str] | None:
    """Refuse a degree or number that cannot be reached without multapses."""
    if getattr(rule, "allow_multapses", True) and (getattr(rule, "allow_autapses", True) or not recurrent):
        return None
    less = 0 if getattr(rule, "allow_autapses", True) or not recurrent else 1
    unlimited = getattr(rule, "allow_multapses", False)
    limits = {
        "number": (n_sources * n_targets - less * min(n_sources, n_targets)),
        "indegree": n_sources - less,
        "outdegree": n_targets - less,
    }
    for name, limit in limits.items():
        value = getattr(rule, name, None)
        if value is not None and value > limit and not (unlimited and limit > 0):
            return name, f"must be at most {limit} (number of allowed pairs), got {value}"
    return None
