"""SONATA: circuits that libsonata, bluepysnap, bmtk, PyNN and NEST read from one directory."""

from .exporter import SonataExporter, SonataOptions

__all__ = ["SonataExporter", "SonataOptions"]
