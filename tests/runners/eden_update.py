"""What EDEN does in a step, written down once more with numpy: all of its deviations, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance, Trains

#: Step, population, index.
Spike = tuple[int, str, int]


def eden_spikes(
    instance: NetworkInstance, number: type[np.floating[Any]] = np.float32, *, one_underway: bool = True
) -> list[Spike]:
    """Return the spikes of all neurons, in the steps at whose end their potential is above the threshold.

    Parameters
    ----------
    number
        Type of all numbers.
    one_underway
        Whether a connection loses a spike that comes while another one is underway.
    """
    names, first, sizes = [], {}, 0
    for name, nodes in instance.populations.items():
        first[name] = sizes
        names += [(name, index) for index in range(nodes.size)]
        sizes += nodes.size
    source, target, weight, delay = _connections(instance, first)
    weight = (weight / 1000).astype(number)
    parameters = _parameters(instance, number)
    V, tau, C, I_e, E_L, V_th, V_reset, t_ref, pulse, tau_syn, alive = parameters
    # time counts microseconds, and every number here is whole
    us = round(instance.simulation.dt * 1000)
    dt = number(us)
    emitted = _trains(instance, first)
    last_spike = -t_ref
    current = np.zeros(len(source), number)
    due = np.full(len(source), -1)
    underway: dict[int, NDArray[np.bool_]] = {}
    fired = np.zeros(sizes, bool)
    spikes = []
    # the first step only sets the initial state
    for step in range(1, instance.simulation.n_steps + 1):
        time = number(step * us)
        # there is one time of arrival per connection
        kept = fired[source] & ((due <= step) | (not one_underway))
        due = np.where(kept, step + delay, due)
        for steps in np.unique(delay[kept]).tolist():
            underway.setdefault(step + steps, np.zeros(len(source), bool))[kept & (delay == steps)] = True
        arrives = underway.pop(step, np.zeros(len(source), bool))
        onto = np.zeros(sizes, number)
        np.add.at(onto, target, current * weight)
        if step == 1:
            onto += pulse
        # a connection forgets to decay in the step in which a spike arrives
        decayed = (current - dt * current / tau_syn[target]).astype(number)
        current = np.where(arrives, current + number(1), decayed)
        responsive = time > (last_spike + t_ref).astype(number)
        slope = ((I_e / C + (E_L - V) / tau) / number(1000) + onto / (C * number(1000))).astype(number)
        # one step behind: what is compared is the potential of the step before
        fires = alive & responsive & (V_th < V)
        V = np.where(responsive, V + dt * slope, V).astype(number)
        V = np.where(fires, V_reset, V)
        last_spike = np.where(fires, time, last_spike)
        spikes += [(step - 1, *names[index]) for index in np.flatnonzero(fires).tolist()]
        fired = fires | emitted.get(step, np.zeros(sizes, bool))
    return sorted(spikes)


def _connections(instance: NetworkInstance, first: dict[str, int]) -> tuple[NDArray[Any], ...]:
    def columns() -> Iterator[tuple[NDArray[Any], ...]]:
        for edges in instance.projections.values():
            for block in edges.blocks():
                ends = (block.source.astype(int) + first[edges.source], block.target.astype(int) + first[edges.target])
                yield *ends, block.weight.astype(float), block.delay.astype(int)

    return tuple(np.concatenate(parts) for parts in zip(*columns(), strict=True))


def _parameters(instance: NetworkInstance, number: type[np.floating[Any]]) -> list[NDArray[Any]]:
    rows = []
    dt = instance.simulation.dt
    for nodes in instance.populations.values():
        if nodes.neuron is None:
            rows += [[0.0, 1.0, 1.0, 0.0, 0.0, 1e9, 0.0, 0.0, 0.0, 1.0, 0.0]] * nodes.size
            continue
        p = nodes.neuron.parameters
        v_init = round(float(nodes.V_m.mean()), 3) if np.ptp(nodes.V_m) else float(nodes.V_m[0])
        for V_m in nodes.V_m.tolist():
            pulse = fmt.initial_pulse_weight(V_m, v_init, p["C_m"], p["tau_m"], dt) / 1000
            values = (v_init, p["tau_m"], p["C_m"] / 1000, p["I_e"] / 1000, p["E_L"], p["V_th"], p["V_reset"])
            rows.append([*values, p["t_ref"] * 1000, pulse, p["tau_syn_ex"] * 1000, 1.0])
    columns = np.array(rows).T
    return [column.astype(number) for column in columns[:-1]] + [columns[-1] > 0]


def _trains(instance: NetworkInstance, first: dict[str, int]) -> dict[int, NDArray[np.bool_]]:
    found: dict[int, NDArray[np.bool_]] = {}
    size = sum(nodes.size for nodes in instance.populations.values())
    for name, nodes in instance.populations.items():
        if isinstance(nodes.activity, Trains):
            for block in nodes.activity.blocks():
                fired = np.rint(block.times / instance.simulation.dt).astype(int)
                for step, source in zip(fired.tolist(), block.sources.astype(int).tolist(), strict=True):
                    found.setdefault(step, np.zeros(size, bool))[first[name] + source] = True
    return found
