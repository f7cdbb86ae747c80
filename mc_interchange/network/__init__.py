"""The description of a network as rules (level one of two; level two is :mod:`mc_interchange.instance`)."""

from .catalogue import CATALOGUE
from .distributions import Constant, Distribution, Normal, TruncatedNormal, Uniform, Values
from .dynamics import Assignment, Dynamics
from .entries import NeuronEntry, NeuronParameter, ParameterValue, SynapseEntry
from .experiment import Experiment
from .inputs import Input, PoissonInput, StepCurrent
from .network import ModelParameter, Network, Projection
from .populations import (
    AnyNeuron,
    AnyPopulation,
    ForeignModel,
    Neuron,
    PoissonActivity,
    Population,
    Slab,
    SpikeTrains,
    VirtualPopulation,
)
from .rules import (
    AllToAll,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    OneToOne,
    PairwiseBernoulli,
    Rule,
)
from .simulation import Simulation, VoltageRecording
from .synapses import SYNAPSE_CATALOGUE, SynapseModel
from .yaml_file import (
    json_schema,
    parse_network,
    read_experiment,
    read_network,
    serialize_network,
    write_experiment,
    write_network,
)

__all__ = [
    "CATALOGUE",
    "SYNAPSE_CATALOGUE",
    "AllToAll",
    "AnyNeuron",
    "AnyPopulation",
    "Assignment",
    "Constant",
    "Distribution",
    "Dynamics",
    "Experiment",
    "Explicit",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedTotalNumber",
    "ForeignModel",
    "Input",
    "ModelParameter",
    "Network",
    "Neuron",
    "NeuronEntry",
    "NeuronParameter",
    "Normal",
    "OneToOne",
    "PairwiseBernoulli",
    "ParameterValue",
    "PoissonActivity",
    "PoissonInput",
    "Population",
    "Projection",
    "Rule",
    "Simulation",
    "Slab",
    "SpikeTrains",
    "StepCurrent",
    "SynapseEntry",
    "SynapseModel",
    "TruncatedNormal",
    "Uniform",
    "Values",
    "VirtualPopulation",
    "VoltageRecording",
    "json_schema",
    "parse_network",
    "read_experiment",
    "read_network",
    "serialize_network",
    "write_experiment",
    "write_network",
]
