"""Brian2: equations, parameters and inputs as a program, with the instance in SONATA's arrays."""

from .equations import EQUATIONS
from .exporter import Brian2Exporter
from .groups import MODELS
from .plasticity import PLASTIC

__all__ = ["EQUATIONS", "MODELS", "PLASTIC", "Brian2Exporter"]
