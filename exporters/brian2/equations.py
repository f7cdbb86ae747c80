"""The neuron models of the catalogue as Brian2 equations.

State variables are ``v`` and synaptic currents or conductances; parameters have the catalogue's names. What a synapse
does is a statement with ``weight``, which synapses and Poisson inputs share.

The order of a step is that of NEST: integrate, let spikes arrive, compare with the threshold, reset. So a spike that
arrives moves the potential of ``iaf_psc_delta`` before the comparison, while currents act from the next step on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["EQUATIONS", "UNITS", "Equations"]

#: The catalogue's units in Brian2: what a number is multiplied with, and what a parameter is declared as.
UNITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pF": ("pF", "farad"),
        "ms": ("ms", "second"),
        "mV": ("mV", "volt"),
        "pA": ("pA", "amp"),
        "nS": ("nS", "siemens"),
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
        What a spike does, by the sign of its weight; with one statement for both signs, under ``any``.
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
