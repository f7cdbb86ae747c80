"""The neuron of the levels 1 to 5 as Brian2 equations: how many there are depends on its parameters.

Parameters that are lists become numbered ones. Equations say what the variables do; a closed form of a step says how,
since symbolic integration of the nine equations of four receptors takes minutes.

Teeter et al. 2018, doi:10.1038/s41467-017-02717-4. What a step holds constant, and which potential the reset takes, is
as in NEST's neuron.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mc_interchange.network import Neuron

from .equations import Equations

__all__ = ["NAME", "STATES", "glif", "receptor", "receptors_of"]

NAME = "glif_psc"
#: Lists of initial values: what their variables are called.
STATES = {"asc_init": "I_asc"}
#: Parameters by the switch that gives them something to do.
_PARTS = {
    "spike_dependent_threshold": ("th_spike_add", "th_spike_decay", "voltage_reset_fraction", "voltage_reset_add"),
    "after_spike_currents": ("asc_init", "asc_decay", "asc_amps", "asc_r"),
    "adapting_threshold": ("th_voltage_index", "th_voltage_decay"),
}


def receptors_of(neuron: Neuron) -> range:
    """Return the numbers of the receptors that synapses onto a neuron can have, of whatever model it is."""
    return range(1, len(neuron.parameters["tau_syn"]) + 1) if neuron.model == NAME else range(1)


def receptor(number: int) -> str:
    """Return under what name a receptor stands among what spikes do."""
    return f"receptor_{number}"


@dataclass(frozen=True)
class _Mechanism:
    """What one mechanism adds: equations, statements of a step, a part of the threshold, statements of the reset."""

    dynamics: list[str]
    step: list[str]
    threshold: str | None = None
    reset: tuple[str, ...] = ()


def glif(neuron: Neuron, equal: Collection[str]) -> tuple[str, Equations]:
    """Return the equations of a neuron, and a name for them.

    Parameters
    ----------
    equal
        Time constants of receptors, as ``tau_syn_1``, that are equal to that of the membrane, C_m / g.
    """
    resets, currents, adapts = (neuron.parameters[name] for name in _PARTS)
    receptors = receptors_of(neuron)
    after = range(1, len(neuron.parameters["asc_decay"]) + 1 if currents else 1)
    mechanisms = [_synapses(k, f"tau_syn_{k}" in equal) for k in receptors]
    mechanisms += [_after_spike(k) for k in after]
    mechanisms += [_RESET_RULES] if resets else []
    mechanisms += [_ADAPTATION] if adapts else []
    flowing = " + ".join([*_named("I_syn", receptors), *_named("I_asc", after), "{I}"])
    mean = " + ".join(["{I}", *(f"I_asc_{k} * exprel(-asc_decay_{k} * dt)" for k in after)])
    step = [
        "free = int(not_refractory)",
        "v_before = v",
        f"I_mean = {mean}",
        "leak = exp(-g / C_m * dt)",
        "v_next = E_L + (v - E_L) * leak + I_mean / g * (1 - leak)",
        *(line for mechanism in mechanisms for line in mechanism.step),
        "v = free * v_next + (1 - free) * v",
    ]
    level = 5 if adapts else 1 + resets + 2 * currents
    name = f"{NAME}_level_{level}_{len(receptors)}_receptors" + (f"_{len(after)}_currents" if currents else "")
    return name, Equations(
        "\n".join(
            [
                f"dv/dt = (g * (E_L - v) + {flowing}) / C_m : volt",
                *(line for mechanism in mechanisms for line in mechanism.dynamics),
                "v_before : volt",
            ]
        ),
        "exact",
        {receptor(k): f"y_syn_{k} += weight * e / tau_syn_{k}" for k in receptors},
        threshold=" + ".join(["v > V_th", *(m.threshold for m in mechanisms if m.threshold)]),
        reset="; ".join([*([] if resets else ["v = V_reset"]), *(line for m in mechanisms for line in m.reset)]),
        initial=tuple(_named("I_asc", after)),
        settings=(*_PARTS, *_unused(neuron)),
        step=tuple(step),
    )


def _synapses(k: int, equal: bool) -> _Mechanism:
    """Return an alpha current and what it adds to the potential in a step."""
    of_current, of_rise = ("1", "0.5") if equal else (f"exprel(x_{k})", f"(exp(x_{k}) - exprel(x_{k})) / x_{k}")
    step = [] if equal else [f"x_{k} = (g / C_m - 1 / tau_syn_{k}) * dt"]
    step += [
        f"v_next = v_next + leak * dt / C_m * (I_syn_{k} * {of_current} + y_syn_{k} * dt * {of_rise})",
        f"I_syn_{k} = (I_syn_{k} + y_syn_{k} * dt) * exp(-dt / tau_syn_{k})",
        f"y_syn_{k} = y_syn_{k} * exp(-dt / tau_syn_{k})",
    ]
    return _Mechanism(
        [
            f"dI_syn_{k}/dt = y_syn_{k} - I_syn_{k} / tau_syn_{k} : amp",
            f"dy_syn_{k}/dt = -y_syn_{k} / tau_syn_{k} : amp / second",
        ],
        step,
    )


def _after_spike(k: int) -> _Mechanism:
    """Return a current that a spike evokes; within a step, its mean flows."""
    return _Mechanism(
        [f"dI_asc_{k}/dt = -asc_decay_{k} * I_asc_{k} : amp"],
        [f"I_asc_{k} = I_asc_{k} * exp(-asc_decay_{k} * dt * free)"],
        reset=(f"I_asc_{k} = asc_amps_{k} + I_asc_{k} * asc_r_{k} * exp(-asc_decay_{k} * t_ref)",),
    )


_RESET_RULES = _Mechanism(
    ["dth_spike/dt = -th_spike_decay * th_spike : volt"],
    ["th_spike = th_spike * exp(-th_spike_decay * dt * free)"],
    "th_spike",
    (
        "v = E_L + voltage_reset_fraction * (v_before - E_L) + voltage_reset_add",
        "th_spike = th_spike * exp(-th_spike_decay * t_ref) + th_spike_add",
    ),
)
#: The threshold follows the potential as it would be without the synaptic currents of the step.
_ADAPTATION = _Mechanism(
    ["dth_voltage/dt = th_voltage_index * (v - E_L) - th_voltage_decay * th_voltage : volt"],
    [
        "goal = I_mean / g",
        "fade = exp(-th_voltage_decay * dt)",
        "rise = (v - E_L - goal) * fade * exprel((th_voltage_decay - g / C_m) * dt)",
        "rise = rise + goal * exprel(-th_voltage_decay * dt)",
        "th_voltage = free * (th_voltage * fade + th_voltage_index * dt * rise) + (1 - free) * th_voltage",
    ],
    "th_voltage",
)


def _unused(neuron: Neuron) -> list[str]:
    """Return the parameters that its level does not have; lists are numbered."""
    # with reset rules, they say where the potential goes
    names = ["V_reset"] if neuron.parameters["spike_dependent_threshold"] else []
    for switch, parts in _PARTS.items():
        for part in parts if not neuron.parameters[switch] else ():
            value = neuron.parameters[part]
            numbers = range(1, len(value) + 1) if isinstance(value, tuple) else None
            names += [part] if numbers is None else _named(STATES.get(part, part), numbers)
    return names


def _named(name: str, numbers: range) -> list[str]:
    return [f"{name}_{k}" for k in numbers]
