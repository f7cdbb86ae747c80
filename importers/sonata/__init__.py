"""SONATA circuits into network instances."""

from .importer import SonataImporter, SonataWarning

__all__ = ["SonataImporter", "SonataWarning"]
