"""NEURON: a program, and its neurons as a package of mechanisms for Glia."""

from .exporter import MODELS, NeuronExporter, NeuronOptions

__all__ = ["MODELS", "NeuronExporter", "NeuronOptions"]
