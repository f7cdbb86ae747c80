"""PyNN's names and units for the neuron models of the catalogue: nA, nF, uS, ms, mV."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from mc_interchange.network import CATALOGUE

__all__ = ["CELL_TYPES", "DRAWS_ITSELF", "INITIAL", "IZHIKEVICH", "NAMES", "PROJECTIONS", "WEIGHT_UNITS", "thousandth"]

#: How the file that makes the synapses begins where PyNN draws them.
DRAWS_ITSELF = '"""The synapses, drawn by PyNN."""\n'
PROJECTIONS = "projections.py"
#: PyNN's cell type by our model.
CELL_TYPES: Mapping[str, str] = MappingProxyType(
    {name: entry.elsewhere["pynn"] for name, entry in CATALOGUE.items() if "pynn" in entry.elsewhere}
)
#: PyNN's name of a parameter, and by what ours is divided.
NAMES: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "C_m": ("cm", 1000.0),
        "tau_m": ("tau_m", 1.0),
        "tau_syn_ex": ("tau_syn_E", 1.0),
        "tau_syn_in": ("tau_syn_I", 1.0),
        "t_ref": ("tau_refrac", 1.0),
        "E_L": ("v_rest", 1.0),
        "V_th": ("v_thresh", 1.0),
        "V_reset": ("v_reset", 1.0),
        "I_e": ("i_offset", 1000.0),
        "E_ex": ("e_rev_E", 1.0),
        "E_in": ("e_rev_I", 1.0),
        "V_peak": ("v_spike", 1.0),
        "Delta_T": ("delta_T", 1.0),
        "a": ("a", 1.0),
        "b": ("b", 1000.0),
        "tau_w": ("tau_w", 1.0),
    }
)
#: The same for what has another meaning in this model.
IZHIKEVICH: Mapping[str, tuple[str, float]] = MappingProxyType(
    {**{name: (name, 1.0) for name in "abcd"}, "I_e": ("i_offset", 1000.0)}
)
#: Parameters that are initial values in PyNN: its name, and by what ours is divided.
INITIAL: Mapping[str, tuple[str, float]] = MappingProxyType({"w": ("w", 1000.0), "U_m": ("u", 1.0)})
#: What makes PyNN's unit of a weight out of ours.
WEIGHT_UNITS: Mapping[str, float] = MappingProxyType({"pA": 1e-3, "nS": 1e-3, "mV": 1.0})


def thousandth(value: float) -> float:
    """Divide by 1000 so that PyNN, which multiplies by 1000 for NEST, gives the same number where there is one."""
    shortest = float(repr(value / 1000))
    for candidate in (shortest, math.nextafter(shortest, math.inf), math.nextafter(shortest, -math.inf)):
        if candidate * 1000.0 == value:
            return candidate
    return shortest
