"""The neuron models of the catalogue as Brian2 equations; :mod:`.glif` has those of ``glif_psc``.

State variables are ``v`` and synaptic currents or conductances; parameters have the catalogue's names. What a synapse
does is a statement with ``weight``, which synapses and Poisson inputs share.

The order of a step is that of NEST: integrate, let spikes arrive, compare with the threshold, reset. So a spike that
arrives moves the potential of ``iaf_psc_delta`` before the comparison, while currents act from the next step on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mc_interchange.network.consistency import TOLERANCE

__all__ = ["EQUATIONS", "UNITS", "Equations"]

#: The catalogue's units in Brian2: what a number is multiplied with, and what a parameter is declared as.
UNITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pF": ("pF", "farad"),
        "ms": ("ms", "second"),
        "mV": ("mV", "volt"),
        "pA": ("pA", "amp"),
        "nS": ("nS", "siemens"),
        "1/ms": ("1/ms", "hertz"),
        "1": ("", "1"),
    }
)


@dataclass(frozen=True)
class Equations:
    """One neuron model.

    Parameters
    ----------
    dynamics
        Differential equations, a line each; ``{I}`` stands for the sum of the constant current and those steps that
        a network has.
    method
        How Brian2 integrates them: ``exact``, or a method with its order of convergence in the resolution.
    receives
        What a spike does, by the sign of its weight; with one statement for both signs, under ``any``; with receptors
        that synapses choose, by receptor.
    threshold, reset
        When and how.
    initial
        Parameters that are initial values of state variables.
    settings
        Parameters that choose equations or steer NEST's integration.
    refractory
        Whether it has a refractory period ``t_ref``.
    hold
        What holds the potential of a refractory neuron, where that does not stand in the equations. Brian2 multiplies
        a derivative that is ``(unless refractory)`` by a switch; sympy takes seconds longer then, and finds no closed
        form for equal time constants.
    longest
        Longest step of integration (ms), beyond which the method is unstable or inaccurate; a longer step of the
        network is divided.
    step
        Statements that integrate a step, where Brian2 finds no closed form.
    """

    dynamics: str
    method: Literal["exact", "rk4", "euler"]
    receives: Mapping[str, str]
    threshold: str = "v >= V_th"
    reset: str = "v = V_reset"
    initial: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    refractory: bool = True
    hold: str | None = None
    longest: float | None = None
    step: tuple[str, ...] = ()

    def substeps(self, dt: float) -> int:
        """Return into how many equal parts a step of the network (ms) is divided."""
        return 1 if self.longest is None else max(1, math.ceil(dt / self.longest - TOLERANCE))


_CURRENT = "dv/dt = (E_L - v) / tau_m + (I_ex + I_in + {I}) / C_m : volt"
_HOLD = "v = int(not_refractory) * v + int(not not_refractory) * V_reset"
_LEAK = "g_L * (E_L - v)"
_CONDUCTANCES = "g_ex * (E_ex - v) + g_in * (E_in - v)"


def _decay(name: str, unit: str) -> str:
    """Return an exponential decay of both signs."""
    return "\n".join(f"d{name}_{sign}/dt = -{name}_{sign} / tau_syn_{sign} : {unit}" for sign in ("ex", "in"))


def _alpha(name: str, unit: str) -> str:
    """Return an alpha function of both signs, with its peak of the weight at the time constant."""
    return "\n".join(
        f"d{name}_{sign}/dt = y_{sign} - {name}_{sign} / tau_syn_{sign} : {unit}\n"
        f"dy_{sign}/dt = -y_{sign} / tau_syn_{sign} : {unit} / second"
        for sign in ("ex", "in")
    )


def _jump(name: str, sign: str) -> dict[str, str]:
    return {"positive": f"{name}_ex += weight", "negative": f"{name}_in {sign} weight"}


def _rise(sign: str) -> dict[str, str]:
    return {
        "positive": "y_ex += weight * e / tau_syn_ex",
        "negative": f"y_in {sign} weight * e / tau_syn_in",
    }


def _conductance(synapse: str, receives: Mapping[str, str]) -> Equations:
    dynamics = f"dv/dt = ({_LEAK} + {_CONDUCTANCES} + {{I}}) / C_m : volt (unless refractory)\n{synapse}"
    return Equations(dynamics, "rk4", receives)


def _adaptive(synapse: str, receives: Mapping[str, str]) -> Equations:
    # the potential counts up to V_peak only, where a spike is emitted: beyond, the exponential has no bounds
    dynamics = (
        f"dv/dt = ({_LEAK} + I_spike + {_CONDUCTANCES} - w + {{I}}) / C_m : volt (unless refractory)\n"
        f"dw/dt = (a * (v_in - E_L) - w) / tau_w : amp\n{synapse}\n"
        "I_spike = g_L * Delta_T * exp((v_in - V_th) / Delta_T) : amp\n"
        "v_in = clip(v, -1*volt, V_peak) : volt"
    )
    return Equations(
        dynamics,
        "rk4",
        receives,
        threshold="v >= V_peak",
        reset="v = V_reset; w += b",
        initial=("w",),
        settings=("gsl_error_tol",),
    )


def _hodgkin_huxley() -> Equations:
    """Return the squid axon's, with a spike where NEST tells it: in the step in which the potential falls from a peak.

    ``exprel(x)``, which is ``(exp(x) - 1) / x``, has a value where the rates have 0 / 0.
    """
    dynamics = (
        "dv/dt = (I_Na + I_K + g_L * (E_L - v) + I_ex + I_in + {I}) / C_m : volt\n"
        "I_Na = g_Na * Act_m**3 * Inact_h * (E_Na - v) : amp\n"
        "I_K = g_K * Act_n**4 * (E_K - v) : amp\n"
        "dAct_m/dt = ((1 - Act_m) / exprel(-(v + 40*mV) / (10*mV))"
        " - Act_m * 4 * exp(-(v + 65*mV) / (18*mV))) / ms : 1\n"
        "dInact_h/dt = ((1 - Inact_h) * 0.07 * exp(-(v + 65*mV) / (20*mV))"
        " - Inact_h / (1 + exp(-(v + 35*mV) / (10*mV)))) / ms : 1\n"
        "dAct_n/dt = ((1 - Act_n) * 0.1 / exprel(-(v + 55*mV) / (10*mV))"
        " - Act_n * 0.125 * exp(-(v + 65*mV) / (80*mV))) / ms : 1\n"
        f"{_alpha('I', 'amp')}\n"
        "v_before = v : volt (constant over dt)"
    )
    return Equations(
        dynamics,
        "rk4",
        _rise("+="),
        threshold="v >= 0*mV and v < v_before",
        reset="",
        initial=("Act_m", "Inact_h", "Act_n"),
        # conductances at the peak of a spike make rk4 diverge at 0.1 ms
        longest=0.025,
    )


#: Neuron models by the catalogue's names.
EQUATIONS: Mapping[str, Equations] = MappingProxyType(
    {
        "iaf_psc_exp": Equations(f"{_CURRENT}\n{_decay('I', 'amp')}", "exact", _jump("I", "+="), hold=_HOLD),
        "iaf_psc_alpha": Equations(f"{_CURRENT}\n{_alpha('I', 'amp')}", "exact", _rise("+="), hold=_HOLD),
        # Brian2 lets no synapse change a potential that is refractory: as in NEST, such spikes are lost
        "iaf_psc_delta": Equations(
            "dv/dt = (E_L - v) / tau_m + {I} / C_m : volt (unless refractory)",
            "exact",
            {"any": "v += weight"},
            settings=("refractory_input",),
        ),
        "iaf_cond_exp": _conductance(_decay("g", "siemens"), _jump("g", "-=")),
        "iaf_cond_alpha": _conductance(_alpha("g", "siemens"), _rise("-=")),
        "aeif_cond_exp": _adaptive(_decay("g", "siemens"), _jump("g", "-=")),
        "aeif_cond_alpha": _adaptive(_alpha("g", "siemens"), _rise("-=")),
        "hh_psc_alpha": _hodgkin_huxley(),
        # forward Euler is what this model is in NEST
        "izhikevich": Equations(
            "dv/dt = (0.04 * v**2 / mV + 5 * v + 140*mV - u + {I} * (mV/pA)) / ms : volt\n"
            "du/dt = a * (b * v - u) / ms : volt",
            "euler",
            {"any": "v += weight"},
            reset="v = c; u += d",
            initial=("U_m",),
            settings=("consistent_integration",),
            refractory=False,
        ),
    }
)
