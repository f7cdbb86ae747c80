"""A live NEST kernel into a network instance."""

from .capture import capture

__all__ = ["capture"]
