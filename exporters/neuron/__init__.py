"""NEURON: a program, and its neurons as a package of mechanisms for Glia."""

from .exporter import NeuronExporter, NeuronOptions

__all__ = ["NeuronExporter", "NeuronOptions"]
