"""Sources of spikes in PyNN."""

from __future__ import annotations

import numpy as np


class Sources:
    """Spike sources of which each may be several cells, where one can emit only one spike per step.

    Cell ``i + k * size`` belongs to source ``i``.
    """

    def __init__(self, cells, size: int) -> None:
        self.cells, self.size, self.copies = cells, size, cells.size // size

    def all(self, sources: np.ndarray) -> np.ndarray:
        """Return the cells of some sources, one copy after the other."""
        return np.concatenate([sources + k * self.size for k in range(self.copies)])
