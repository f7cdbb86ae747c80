"""NeuroML 2 and LEMS: the network as XML, and a LEMS file that runs it.

Limits of the format, and how to run what is written, are on the page ``docs/neuroml.md``.
"""

from .exporter import NeuroMLExporter

__all__ = ["NeuroMLExporter"]
