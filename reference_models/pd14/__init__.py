"""The cortical microcircuit model of Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358."""

from .derived import Derived, derive
from .model import PD14, SubthresholdWarning
from .parameters import POPULATIONS, PD14Arguments

__all__ = ["PD14", "POPULATIONS", "Derived", "PD14Arguments", "SubthresholdWarning", "derive"]
