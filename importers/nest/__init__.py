"""A live NEST kernel into a network instance."""

from .capture import capture
from .kernel import CaptureWarning

__all__ = ["CaptureWarning", "capture"]
