"""Parameter dictionaries of PyPI's ``microcircuit`` 1.0 into a Network: those of a script, or in its files."""

from .dictionaries import MicrocircuitWarning, network_of
from .importer import MicrocircuitImporter

__all__ = ["MicrocircuitImporter", "MicrocircuitWarning", "network_of"]
