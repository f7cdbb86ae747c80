"""The catalogue of neuron models: one table for every simulator and format.

An entry holds our name, the parameters with unit, symbol and meaning, and what the model is called
elsewhere. Names and units are NEST's. Exporters and runners look models up here and hold no table of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .entries import NeuronEntry, NeuronParameter

__all__ = ["CATALOGUE"]


def _entry(name: str, meaning: str, source: str, *parameters: NeuronParameter, **others: Any) -> NeuronEntry:
    elsewhere = MappingProxyType({"nest": name, **others.pop("elsewhere", {})})
    return NeuronEntry(name, meaning, source, parameters, elsewhere=elsewhere, **others)


def _C_m(nest: float = 250.0) -> NeuronParameter:
    return NeuronParameter("C_m", "pF", "C_m", "membrane capacitance", nest, positive=True)


def _t_ref(nest: float = 2.0) -> NeuronParameter:
    return NeuronParameter("t_ref", "ms", "tau_ref", "absolute refractory period", nest, minimum=0)


def _tau_syn(excitatory: float, what: str = "currents") -> tuple[NeuronParameter, NeuronParameter]:
    return (
        NeuronParameter(
            "tau_syn_ex", "ms", "tau_syn", f"time constant of excitatory {what}", excitatory, positive=True
        ),
        NeuronParameter("tau_syn_in", "ms", "tau_syn", f"time constant of inhibitory {what}", 2.0, positive=True),
    )


def _potentials(E_L: float, V_th: float, V_reset: float) -> tuple[NeuronParameter, ...]:
    return (
        NeuronParameter("E_L", "mV", "E_L", "resting potential", E_L),
        NeuronParameter("V_th", "mV", "theta", "spike threshold", V_th),
        NeuronParameter("V_reset", "mV", "V_reset", "potential after a spike", V_reset),
    )


def _reversal() -> tuple[NeuronParameter, NeuronParameter]:
    return (
        NeuronParameter("E_ex", "mV", "E_ex", "reversal potential of excitatory conductances", 0.0),
        NeuronParameter("E_in", "mV", "E_in", "reversal potential of inhibitory conductances", -85.0),
    )


def _g_L(nest: float = 16.6667, name: str = "g_L") -> NeuronParameter:
    return NeuronParameter(name, "nS", "g_L", "leak conductance", nest, positive=True)


_TAU_M = NeuronParameter("tau_m", "ms", "tau_m", "membrane time constant", 10.0, positive=True)
_I_E = NeuronParameter("I_e", "pA", "I_e", "constant input current", 0.0, default=0.0)
_LIF_BELOW = (("V_reset", "V_th"),)


def _conflict_of_levels(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is at odds in ``glif_psc``, whose levels add one mechanism to another."""
    if given["adapting_threshold"] and not (given["spike_dependent_threshold"] and given["after_spike_currents"]):
        return "adapting_threshold", "needs spike_dependent_threshold and after_spike_currents, too (level 5)"
    n = len(given["asc_decay"])
    for name in ("asc_init", "asc_amps", "asc_r") if given["after_spike_currents"] else ():
        if len(given[name]) != n:
            return name, f"must be as long as asc_decay ({n}), got {len(given[name])}"
    return None


_ROTTER_DIESMANN = "Rotter & Diesmann 1999, doi:10.1007/s004220050570"
_MEFFIN = "Meffin et al. 2004, doi:10.1023/B:JCNS.0000014108.03012.81"

_AEIF_BELOW = (("V_reset", "V_peak"),)
_BRETTE_GERSTNER = "Brette & Gerstner 2005, doi:10.1152/jn.00686.2005"


def _aeif() -> tuple[NeuronParameter, ...]:
    return (
        *(_C_m(281.0), _g_L(30.0), *_tau_syn(0.2, "conductances"), *_reversal()),
        *(_t_ref(0.0), *_potentials(-70.6, -50.4, -60.0)),
        NeuronParameter("V_peak", "mV", "V_peak", "potential at which a spike is emitted", 0.0),
        NeuronParameter("Delta_T", "mV", "Delta_T", "slope of the exponential", 2.0, minimum=0),
        NeuronParameter("a", "nS", "a", "subthreshold adaptation", 4.0),
        NeuronParameter("b", "pA", "b", "adaptation per spike", 80.5),
        NeuronParameter("tau_w", "ms", "tau_w", "time constant of adaptation", 144.0, positive=True),
        NeuronParameter("w", "pA", "w", "adaptation current at t = 0", 0.0, default=0.0),
        NeuronParameter("gsl_error_tol", "1", "-", "tolerance of the integration", 1e-6, positive=True, default=1e-6),
        _I_E,
    )


#: Brian2 names no models: one writes the equations. For NEURON we have mechanisms with our names.
_BRIAN2 = {"brian2": "equations"}
_NEURON = {"neuron": "mechanism"}


def _equals(pynn: str) -> dict[str, str]:
    """Name a model of PyNN, which is a core type of NeuroML too, and one that is written as equations for Brian2."""
    return {"neuroml": pynn, "pynn": pynn, **_BRIAN2}


_HH = "Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764"


def _gate(name: str, symbol: str, meaning: str, nest: float) -> NeuronParameter:
    return NeuronParameter(name, "1", symbol, f"{meaning} at t = 0", nest, minimum=0, maximum=1, default=nest)


_ENTRIES = (
    _entry(
        "iaf_psc_exp",
        "leaky integrate-and-fire neuron with exponentially decaying synaptic currents",
        f"{_ROTTER_DIESMANN}; Tsodyks et al. 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000",
        *(_C_m(), _TAU_M, *_tau_syn(2.0), _t_ref(), *_potentials(-70.0, -55.0, -70.0), _I_E),
        below=_LIF_BELOW,
        elsewhere=_equals("IF_curr_exp") | _NEURON,
    ),
    _entry(
        "iaf_psc_alpha",
        "leaky integrate-and-fire neuron with synaptic currents that follow an alpha function",
        _ROTTER_DIESMANN,
        *(_C_m(), _TAU_M, *_tau_syn(2.0), _t_ref(), *_potentials(-70.0, -55.0, -70.0), _I_E),
        below=_LIF_BELOW,
        elsewhere=_equals("IF_curr_alpha") | _NEURON,
    ),
    _entry(
        "iaf_psc_delta",
        "leaky integrate-and-fire neuron whose potential jumps by the weight of each spike",
        _ROTTER_DIESMANN,
        *(_C_m(), _TAU_M, _t_ref(), *_potentials(-70.0, -55.0, -70.0), _I_E),
        NeuronParameter("refractory_input", "1", "-", "keep spikes that arrive while refractory", False, default=False),
        below=_LIF_BELOW,
        elsewhere={"pynn": "IF_curr_delta", **_BRIAN2, **_NEURON},
        weight_unit="mV",
    ),
    _entry(
        "iaf_cond_exp",
        "leaky integrate-and-fire neuron with exponentially decaying synaptic conductances",
        _MEFFIN,
        *(_C_m(), _g_L(), *_tau_syn(0.2, "conductances"), *_reversal()),
        *(_t_ref(), *_potentials(-70.0, -55.0, -60.0), _I_E),
        below=_LIF_BELOW,
        elsewhere=_equals("IF_cond_exp"),
        weight_unit="nS",
    ),
    _entry(
        "iaf_cond_alpha",
        "leaky integrate-and-fire neuron with synaptic conductances that follow an alpha function",
        _MEFFIN,
        *(_C_m(), _g_L(), *_tau_syn(0.2, "conductances"), *_reversal()),
        *(_t_ref(), *_potentials(-70.0, -55.0, -60.0), _I_E),
        below=_LIF_BELOW,
        elsewhere=_equals("IF_cond_alpha"),
        weight_unit="nS",
    ),
    _entry(
        "aeif_cond_exp",
        "adaptive exponential integrate-and-fire neuron with exponentially decaying synaptic conductances",
        _BRETTE_GERSTNER,
        *_aeif(),
        below=_AEIF_BELOW,
        elsewhere=_equals("EIF_cond_exp_isfa_ista"),
        weight_unit="nS",
        V_m=-70.6,
    ),
    _entry(
        "aeif_cond_alpha",
        "adaptive exponential integrate-and-fire neuron with synaptic conductances that follow an alpha function",
        _BRETTE_GERSTNER,
        *_aeif(),
        below=_AEIF_BELOW,
        elsewhere=_equals("EIF_cond_alpha_isfa_ista"),
        weight_unit="nS",
        V_m=-70.6,
    ),
    _entry(
        "izhikevich",
        "two-variable neuron with quadratic spike onset",
        "Izhikevich 2003, doi:10.1109/TNN.2003.820440",
        NeuronParameter("a", "1", "a", "rate of recovery", 0.02),
        NeuronParameter("b", "1", "b", "sensitivity of recovery to the potential", 0.2),
        NeuronParameter("c", "mV", "c", "potential after a spike", -65.0),
        NeuronParameter("d", "mV", "d", "recovery added by a spike", 8.0),
        NeuronParameter("V_th", "mV", "V_th", "potential at which a spike is emitted", 30.0),
        NeuronParameter("U_m", "mV", "u", "recovery at t = 0", -13.0, default=-13.0),
        NeuronParameter("consistent_integration", "1", "-", "forward Euler (false: as published)", True, default=True),
        _I_E,
        elsewhere={"neuroml": "izhikevichCell", "pynn": "Izhikevich", **_BRIAN2},
        weight_unit="mV",
        V_m=-65.0,
    ),
    _entry(
        "glif_psc",
        "generalized leaky integrate-and-fire neuron of levels 1 to 5 with alpha currents by receptor",
        "Teeter et al. 2018, doi:10.1038/s41467-017-02717-4",
        *(_C_m(58.72), _g_L(9.43, "g"), *_potentials(-78.85, -51.68, -78.85), _t_ref(3.75)),
        NeuronParameter(
            "tau_syn", "ms", "tau_syn", "time constant of the current of each receptor", (2.0,), positive=True
        ),
        NeuronParameter("spike_dependent_threshold", "1", "-", "threshold rises with spikes", False),
        NeuronParameter("after_spike_currents", "1", "-", "spikes evoke currents", False),
        NeuronParameter("adapting_threshold", "1", "-", "threshold follows the potential", False),
        NeuronParameter("th_spike_add", "mV", "delta theta_s", "threshold added by a spike", 0.37),
        NeuronParameter("th_spike_decay", "1/ms", "b_s", "decay of that part", 0.009),
        NeuronParameter("voltage_reset_fraction", "1", "f_v", "fraction of the potential kept at a spike", 0.2),
        NeuronParameter("voltage_reset_add", "mV", "delta V", "potential added at a spike", 18.51),
        NeuronParameter("th_voltage_index", "1/ms", "a_v", "adaptation of the threshold to the potential", 0.005),
        NeuronParameter("th_voltage_decay", "1/ms", "b_v", "decay of that part", 0.09),
        NeuronParameter("asc_init", "pA", "I_j(0)", "after-spike currents at t = 0", (0.0, 0.0)),
        NeuronParameter("asc_decay", "1/ms", "k_j", "decay of after-spike currents", (0.003, 0.1), positive=True),
        NeuronParameter("asc_amps", "pA", "delta I_j", "current added by a spike", (-9.18, -198.94)),
        NeuronParameter("asc_r", "1", "r_j", "fraction of the current kept at a spike", (1.0, 1.0)),
        below=_LIF_BELOW,
        conflict=_conflict_of_levels,
        elsewhere=_BRIAN2,
        V_m=-78.85,
    ),
    _entry(
        "hh_psc_alpha",
        "neuron of Hodgkin and Huxley with synaptic currents that follow an alpha function",
        _HH,
        *(_C_m(100.0), _g_L(30.0), NeuronParameter("E_L", "mV", "E_L", "reversal potential of the leak", -54.402)),
        NeuronParameter("g_Na", "nS", "g_Na", "sodium conductance", 12000.0, minimum=0),
        NeuronParameter("E_Na", "mV", "E_Na", "reversal potential of sodium", 50.0),
        NeuronParameter("g_K", "nS", "g_K", "potassium conductance", 3600.0, minimum=0),
        NeuronParameter("E_K", "mV", "E_K", "reversal potential of potassium", -77.0),
        *(*_tau_syn(0.2), _t_ref()),
        # the steady state at -65 mV
        _gate("Act_m", "m", "activation of sodium", 0.05293248525724958),
        _gate("Inact_h", "h", "inactivation of sodium", 0.5961207535084603),
        _gate("Act_n", "n", "activation of potassium", 0.3176769140606974),
        _I_E,
        elsewhere=_BRIAN2,
        V_m=-65.0,
    ),
    _entry(
        "parrot_neuron",
        "relay that emits each spike it receives",
        "NEST 3",
        elsewhere=_NEURON,
        weight_unit="1",
        V_m=None,
    ),
)

#: Neuron models by our name.
CATALOGUE: Mapping[str, NeuronEntry] = MappingProxyType({e.name: e for e in _ENTRIES})
