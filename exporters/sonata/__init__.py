"""SONATA: circuits that libsonata, bluepysnap, bmtk, PyNN and NEST read from one directory."""

from .exporter import SonataExporter, SonataOptions, write_circuit

__all__ = ["SonataExporter", "SonataOptions", "write_circuit"]
