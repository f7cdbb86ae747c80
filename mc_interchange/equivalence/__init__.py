"""Whether two networks, or two runs, are the same; knows no simulator.

The rungs so far: *structure* (every synapse, parameter and initial value, by digest), *single neuron*
(closed form), *spikes* (equal in step and neuron).
"""

from .single_neuron import membrane_potential, propagators, psp_peak
from .spikes import SpikeComparison, compare_spikes
from .structure import StructureComparison, compare_structure

__all__ = [
    "SpikeComparison",
    "StructureComparison",
    "compare_spikes",
    "compare_structure",
    "membrane_potential",
    "propagators",
    "psp_peak",
]
