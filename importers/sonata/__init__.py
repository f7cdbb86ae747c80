"""SONATA circuits into network instances."""

from .importer import ConflictWarning, SonataImporter

__all__ = ["ConflictWarning", "SonataImporter"]
