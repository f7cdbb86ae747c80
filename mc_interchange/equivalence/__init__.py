"""Whether two networks, or two runs, are the same; knows no simulator.

The rungs so far: *structure* (every synapse, parameter and initial value, by digest), *single neuron*
(closed form), *spikes* (equal in step and neuron), *statistics* (rates, irregularity and correlations of several runs,
as far from those of a reference as its own seeds are from each other).
"""

from .null import Null, read_null, stored_null, write_null
from .null_distribution import null_of
from .observations import Observation, observe
from .single_neuron import membrane_potential, propagators, psp_peak
from .spikes import SpikeComparison, compare_spikes
from .statistical import compare_statistics
from .structure import EdgeDifference, StructureComparison, compare_structure, first_difference

__all__ = [
    "EdgeDifference",
    "Null",
    "Observation",
    "SpikeComparison",
    "StructureComparison",
    "compare_spikes",
    "compare_statistics",
    "compare_structure",
    "first_difference",
    "membrane_potential",
    "null_of",
    "observe",
    "propagators",
    "psp_peak",
    "read_null",
    "stored_null",
    "write_null",
]
