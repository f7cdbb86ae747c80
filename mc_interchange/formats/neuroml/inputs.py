"""Inputs: pulses that set initial potentials, and how many Poisson sources one input takes."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["MAX_PER_STEP", "initial_pulse_weight", "poisson_sources", "pulse_per_mV"]

#: Largest mean number of spikes of one Poisson source in one step; see :func:`poisson_sources`.
MAX_PER_STEP = 0.08


def initial_pulse_weight(V_m: float, v_init: float, C_m: float, tau_m: float, dt: float) -> float:
    """Return the current that moves one neuron from the common to its own initial potential.

    It flows for the first step only. A forward Euler step that starts at ``v_init`` with it ends where one
    that starts at ``V_m`` without it ends: ``I dt / C_m = (V_m - v_init) (1 - dt / tau_m)``.

    Parameters
    ----------
    V_m, v_init
        Initial potential of the neuron, and of its cell component, in mV.
    C_m
        In pF.
    tau_m, dt
        In ms.

    Returns
    -------
    float
        In pA.
    """
    return (V_m - v_init) * (1 - dt / tau_m) * C_m / dt


def pulse_per_mV(parameters: Mapping[str, float], dt: float) -> float:
    """Return the current in the first step (pA) per difference of the initial potential (mV).

    Parameters
    ----------
    parameters
        Of a neuron model with ``C_m``, and ``tau_m`` or ``g_L``.
    dt
        In ms.
    """
    C_m = parameters["C_m"]
    tau_m = parameters["tau_m"] if "tau_m" in parameters else C_m / parameters["g_L"]
    return initial_pulse_weight(1.0, 0.0, C_m, tau_m, dt)


def poisson_sources(rate: float, dt: float) -> tuple[int, float]:
    """Divide a Poisson input over sources that are slow enough for the resolution.

    A source of NeuroML emits at most one spike per step. A spike that is due in the same step follows in
    the next: the mean is kept while ``rate * dt < 1``, but the variance of the count in one step is only
    ``1 - p`` of that of a Poisson process, with ``p = rate * dt`` of one source.

    Parameters
    ----------
    rate
        In spikes/s.
    dt
        Resolution in ms.

    Returns
    -------
    number : int
        As few as keep ``p`` at or below 0.08.
    p : float
        Mean number of spikes of one source per step.
    """
    mean = rate * dt / 1000
    # 1.28 / 0.08 shall be 16, not the 17 that its last bit would ask for
    number = max(1, math.ceil(mean / MAX_PER_STEP - 1e-9))
    return number, mean / number
