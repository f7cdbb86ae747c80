"""PyNN: a program that builds the network in NEST, NEURON or Brian2, from a SONATA circuit or by rules."""

from .exporter import PyNNExporter, PyNNOptions

__all__ = ["PyNNExporter", "PyNNOptions"]
