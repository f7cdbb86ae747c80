"""The sparsely connected network of Brunel 2000, doi:10.1023/A:1008925309027."""

from .model import Brunel2000
from .parameters import REGIMES, Brunel2000Arguments
from .theory import stationary_cv, stationary_rate

__all__ = ["REGIMES", "Brunel2000", "Brunel2000Arguments", "stationary_cv", "stationary_rate"]
