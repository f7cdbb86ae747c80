"""NeuroML 2 and LEMS: names, identifiers, units and numbers, for writing and for reading.

The PyNN core types of NeuroML carry no units: capacitances are nF, currents and weights nA, times ms and
potentials mV. Ours are pF and pA, so everything with an ampere or a farad in it is divided by 1000. As
texts, numbers are *moved*, not divided: ``87.81`` pA is ``0.08781`` nA, and reading moves the decimal
point back, so that no rounding comes in between.
"""

from .inputs import MAX_PER_STEP, initial_pulse_weight, poisson_sources
from .lems import EventFile, LemsFile, StateFile, find_lems, read_lems
from .matched import CURRENT_SHIFT, DELAY_SHIFT, SPIKE_SHIFT, MatchedNeuron, Solver, matched_neuron
from .models import PARAMETERS
from .names import (
    CORE_FILES,
    LAYER,
    LEMS_PREFIX,
    MATCHED_TO,
    NAMESPACE,
    NO_END,
    SCHEMA_LOCATION,
    SOURCE,
    Identifiers,
    colour,
    member_path,
    synapse_name,
)
from .numbers import decimal, milliseconds, picoamperes, time_in_ms

__all__ = [
    "CORE_FILES",
    "CURRENT_SHIFT",
    "DELAY_SHIFT",
    "LAYER",
    "LEMS_PREFIX",
    "MATCHED_TO",
    "MAX_PER_STEP",
    "NAMESPACE",
    "NO_END",
    "PARAMETERS",
    "SCHEMA_LOCATION",
    "SOURCE",
    "SPIKE_SHIFT",
    "EventFile",
    "Identifiers",
    "LemsFile",
    "MatchedNeuron",
    "Solver",
    "StateFile",
    "colour",
    "decimal",
    "find_lems",
    "initial_pulse_weight",
    "matched_neuron",
    "member_path",
    "milliseconds",
    "picoamperes",
    "poisson_sources",
    "read_lems",
    "synapse_name",
    "time_in_ms",
]
