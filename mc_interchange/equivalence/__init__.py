"""Whether two networks, or two runs, are the same; knows no simulator.

The rungs so far: *structure* (every synapse, parameter and initial value, by digest), *single neuron*
(closed form), *spikes* (equal in step and neuron).
"""

from .single_neuron import membrane_potential, propagators, psp_peak
from .spikes import SpikeComparison, compare_spikes
from .structure import EdgeDifference, StructureComparison, compare_structure, first_difference

__all__ = [
    "EdgeDifference",
    "SpikeComparison",
    "StructureComparison",
    "compare_spikes",
    "compare_structure",
    "first_difference",
    "membrane_potential",
    "propagators",
    "psp_peak",
]
