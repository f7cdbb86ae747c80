"""NeuroML 2 and LEMS: from files in XML or HDF5 to a NetworkInstance."""

from .document import NeuroMLWarning
from .importer import NeuroMLImporter

__all__ = ["NeuroMLImporter", "NeuroMLWarning"]
