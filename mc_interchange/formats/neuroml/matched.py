r"""Parameters with which a simulator of first order steps as NEST does.

NEST integrates ``iaf_psc_exp`` exactly over a step h (Rotter & Diesmann 1999, doi:10.1007/s004220050570). With
V relative to ``E_L``, a synaptic current I and a constant current I_e::

    I(t+h) = P11 I(t)                               P11 = exp(-h/tau_syn)
    V(t+h) = P22 V(t) + P21 I(t) + P20 I_e          P22 = exp(-h/tau_m)
                                                    P21 = (P22 - P11) / (C (1/tau_syn - 1/tau_m))
                                                    P20 = tau_m/C (1 - P22)

A simulator that takes Euler steps of the same equations, with other parameters (primed), is a linear map of the
same form, so the two maps are made equal, coefficient by coefficient.

**jLEMS** takes explicit steps: ``I(t+h) = (1 - h/tau_syn') I(t)``, ``V(t+h) = (1 - h/tau_m') V(t) + h/C' (I(t) +
I_e')``. Hence ``tau_syn' = h/(1 - P11)``, ``tau_m' = h/(1 - P22)``, ``C' = h/P21`` and ``I_e' = I_e P20/P21``.

**The NEURON code of jNeuroML** takes the same step in the currents and an implicit one in the potential: ``V(t+h) =
(V(t) + h/C' (I(t) + I_e')) / (1 + h/tau_m')``. Hence ``tau_m' = h/(1/P22 - 1)`` and ``C' = P22 h/P21``; the rest is
as above.

**Currents.** All of them enter with the one C', while P21 belongs to a time constant and constant currents have
P20. C' is made for ``tau_syn_ex``; weights of inhibitory synapses with another time constant are multiplied by the
ratio of the two P21, step currents by P20/P21 like I_e. An initial potential that lies D above the common one needs
a current pulse of one step that adds P22 D: it is D P22/P21.

**Time.** Sums of floating-point steps fall to either side of the grid. What is compared with them is therefore
moved by half a step, to where this does not matter: ``t_ref' = t_ref - h/2``, and spikes of sources come h/2
earlier. jLEMS delivers a spike in the first step at which its clock has passed the time of the spike plus the
delay, and the current acts in that very step, while in NEST it acts in the next: hence one step more, and half a
step less. It looks at the onset of a step current with the clock of the end of the step, so that this one comes h/2
later. In the NEURON code a synaptic current acts one step later than in NEST, hence one step less; neither its
delays nor its step currents need a precaution.

**Equations** are integrated by explicit steps in jLEMS as by Brian2's method ``euler``; parameters stay as they are,
and only times are matched to Brian2. A spike acts there, as in NEST, on the state at the time of the spike plus the
delay; the same half steps make both the same. Time in equations is that of the end of the step in jLEMS and that of its
start in Brian2, hence one step less. (The step of the spike counts as the first of the refractory time in
Brian2; so it does in the component types that are written.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["CURRENT_SHIFT", "DELAY_SHIFT", "SPIKE_SHIFT", "MatchedNeuron", "Solver", "matched_neuron"]

Solver = Literal["jlems", "neuron"]

#: What is added to synaptic delays, in steps.
DELAY_SHIFT: Mapping[Solver, float] = MappingProxyType({"jlems": 0.5, "neuron": -1.0})
#: What is added to the onsets and ends of step currents, in steps.
CURRENT_SHIFT: Mapping[Solver, float] = MappingProxyType({"jlems": 0.5, "neuron": 0.0})
#: What is added to the times of the spikes of sources, in steps.
SPIKE_SHIFT = -0.5


@dataclass(frozen=True)
class MatchedNeuron:
    """The parameters of one population for one solver and one resolution.

    Parameters
    ----------
    parameters
        Of the catalogue's ``iaf_psc_exp`` (pF, ms, mV, pA), primed.
    inhibition
        Factor of inhibitory weights.
    current
        Factor of step currents.
    pulse
        Current in the first step per difference of the initial potential, pA/mV.
    """

    parameters: dict[str, float]
    inhibition: float
    current: float
    pulse: float


def matched_neuron(parameters: Mapping[str, float], dt: float, solver: Solver) -> MatchedNeuron:
    """Derive the parameters with which a solver steps exactly.

    Parameters
    ----------
    parameters
        Physical ones, of the catalogue's ``iaf_psc_exp``.
    dt
        Resolution in ms, to which the result is tied.
    solver
        Whose steps.
    """
    C_m, tau_m = parameters["C_m"], parameters["tau_m"]
    P22 = math.exp(-dt / tau_m)
    P20 = tau_m / C_m * -math.expm1(-dt / tau_m)
    P21, P21_in = (_P21(dt, tau_m, parameters[name], C_m) for name in ("tau_syn_ex", "tau_syn_in"))
    changed = {
        # 1 - P22, or 1/P22 - 1, without the loss of digits
        "tau_m": dt / (-math.expm1(-dt / tau_m) if solver == "jlems" else math.expm1(dt / tau_m)),
        "C_m": dt / P21 * (1 if solver == "jlems" else P22),
        "I_e": parameters["I_e"] * P20 / P21,
        "t_ref": round(parameters["t_ref"] - dt / 2, 9),
        **{name: dt / -math.expm1(-dt / parameters[name]) for name in ("tau_syn_ex", "tau_syn_in")},
    }
    return MatchedNeuron({**parameters, **changed}, inhibition=P21_in / P21, current=P20 / P21, pulse=P22 / P21)


def _P21(dt: float, tau_m: float, tau_syn: float, C_m: float) -> float:
    """Return P21 in mV/pA; the difference of the exponentials is written so that close time constants do no harm."""
    rate = 1 / tau_syn - 1 / tau_m
    if rate == 0:
        return math.exp(-dt / tau_m) * dt / C_m
    return math.exp(-dt / tau_m) * -math.expm1(-dt * rate) / (C_m * rate)
