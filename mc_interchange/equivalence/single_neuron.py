"""Closed-form solution of one ``iaf_psc_exp`` neuron below threshold.

Between events the model is linear: C dV/dt = -(C/tau_m)(V - E_L) + I_e + I_ex + I_in, with synaptic
currents that jump by the weight at a spike and decay with their time constant. Its exact solution
(Rotter & Diesmann 1999, doi:10.1007/s004220050570) is evaluated here directly, without stepping, so it
shares no code and no rounding with a simulator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["membrane_potential", "propagators", "psp_peak"]


def membrane_potential(
    times: NDArray[np.float64],
    parameters: Mapping[str, float],
    V_0: float,
    arrivals: Iterable[tuple[float, float]] = (),
) -> NDArray[np.float64]:
    """Return the membrane potential below threshold.

    Parameters
    ----------
    times : ndarray, shape (n,), float64, ms
        When.
    parameters
        Of the catalogue's ``iaf_psc_exp``: pF, ms, mV, pA.
    V_0
        Potential at t = 0, mV.
    arrivals
        Time (ms) and weight (pA) of every synaptic event; its current is felt after this time.

    Returns
    -------
    ndarray, shape (n,), float64, mV
    """
    tau_m, C_m = parameters["tau_m"], parameters["C_m"]
    V_inf = parameters["E_L"] + parameters["I_e"] * tau_m / C_m
    V = V_inf + (V_0 - V_inf) * np.exp(-times / tau_m)
    for arrival, weight in arrivals:
        tau_syn = parameters["tau_syn_ex" if weight >= 0 else "tau_syn_in"]
        V += weight * _psp(np.maximum(times - arrival, 0), tau_m, tau_syn, C_m)
    return V


def _psp(t: NDArray[np.float64], tau_m: float, tau_syn: float, C_m: float) -> NDArray[np.float64]:
    """Return the postsynaptic potential per pA of weight, shape of ``t``, mV/pA."""
    difference = 1 / tau_syn - 1 / tau_m
    if difference == 0:
        return t / C_m * np.exp(-t / tau_m)
    # exp(-t/tau_m) - exp(-t/tau_syn), written so that nothing cancels for small t, and that the rounding of a small
    # difference does
    return -np.exp(-t / tau_m) * np.expm1(-t * difference) / (C_m * difference)


def psp_peak(weight: float, tau_m: float, tau_syn: float, C_m: float) -> tuple[float, float]:
    """Return time (ms) and height (mV) of the peak of a postsynaptic potential.

    Hanuschkin et al. 2010, doi:10.3389/fninf.2010.00113, eq. 5.
    """
    if tau_m == tau_syn:
        time = tau_m
    else:
        time = tau_m * tau_syn / (tau_m - tau_syn) * float(np.log(tau_m / tau_syn))
    return time, float(weight * _psp(np.array([time]), tau_m, tau_syn, C_m)[0])


def propagators(h: float, tau_m: float, tau_syn: float, C_m: float) -> dict[str, float]:
    """Return the elements of the exact propagator over one step ``h`` (ms).

    P11 of the current, P22 of the potential, P20 from constant to potential and P21 from synaptic current
    to potential (both mV/pA).
    """
    return {
        "P11": float(np.exp(-h / tau_syn)),
        "P22": float(np.exp(-h / tau_m)),
        "P20": float(-tau_m / C_m * np.expm1(-h / tau_m)),
        "P21": float(_psp(np.array([h]), tau_m, tau_syn, C_m)[0]),
    }
