"""How a network is simulated and what is recorded."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from mc_interchange.units import Quantity

from .base import Count, Name, NonNegative, Part, Positive, refusal

__all__ = ["MAX_SEED", "MAX_THREADS", "Simulation", "VoltageRecording", "steps"]

#: Largest seed that every simulator takes.
MAX_SEED = 2**32 - 1
#: More threads, of all processes of a run together, are taken for a mistake.
MAX_THREADS = 2**20
#: NEST's default tics per ms: every resolution is a whole number of microseconds.
TICS_PER_MS = 1000


def steps(time: float, dt: float) -> float:
    """Return ``time / dt`` exactly enough to tell whether it is whole.

    Parameters
    ----------
    time, dt
        In ms.
    """
    return time * (TICS_PER_MS / round(dt * TICS_PER_MS))


def times(count: NDArray[np.int64], dt: float) -> NDArray[np.float64]:
    """Return whole numbers of steps in ms, as the doubles nearest to the decimal (0.3, not 0.30000000000000004).

    The resolution is a whole number of microseconds, so the division is the only step that rounds.
    """
    return count.astype(np.int64) * round(dt * TICS_PER_MS) / TICS_PER_MS


class VoltageRecording(Part):
    """Membrane potentials of chosen neurons of one population."""

    population: Name
    neurons: Annotated[tuple[Count, ...], Field(min_length=1)]
    interval: Annotated[Positive, Quantity("ms", "dt_rec", "time between samples")] = 1.0


class Simulation(Part):
    """Simulation parameters.

    Parameters
    ----------
    duration
        The total, including ``discard``.
    record_spikes
        Names of populations; None: all.
    threads
        None: follows from the size of the network.
    """

    dt: Annotated[Positive, Quantity("ms", "h", "resolution")] = 0.1
    duration: Annotated[Positive, Quantity("ms", "T", "simulated time in all")] = 1000.0
    discard: Annotated[NonNegative, Quantity("ms", "T_pre", "part at the start that is left out of statistics")] = 0.0
    seed: Annotated[int, Field(strict=True, ge=1, le=MAX_SEED)] = 1
    threads: Annotated[int, Field(strict=True, ge=1, le=MAX_THREADS)] | None = None
    record_spikes: tuple[Name, ...] | None = None
    record_V_m: tuple[VoltageRecording, ...] = ()

    @model_validator(mode="after")
    def _on_grid(self) -> Simulation:
        tics = self.dt * TICS_PER_MS
        if not math.isfinite(tics) or abs(tics - round(tics)) > 1e-9 or round(tics) < 1:
            raise refusal("dt", f"must be a multiple of 0.001 ms, got {self.dt:g}")
        for name in ("duration", "discard"):
            value = getattr(self, name)
            count = steps(value, self.dt)
            if not math.isfinite(count) or abs(count - round(count)) > 1e-6:
                raise refusal(name, f"must be a multiple of dt ({self.dt:g} ms), got {value:g}")
        if self.discard >= self.duration:
            raise refusal("discard", f"must be less than duration ({self.duration:g} ms), got {self.discard:g}")
        recorded = [recording.population for recording in self.record_V_m]
        for index, recording in enumerate(self.record_V_m):
            if recording.population in recorded[:index]:
                raise refusal(
                    f"record_V_m[{index}].population",
                    f"must be given once, with all its neurons, got '{recording.population}' twice",
                )
            ratio = steps(recording.interval, self.dt)
            if not math.isfinite(ratio) or abs(ratio - round(ratio)) > 1e-6 or round(ratio) < 1:
                raise refusal(
                    f"record_V_m[{index}].interval",
                    f"must be a multiple of dt ({self.dt:g} ms), got {recording.interval:g}",
                )
        return self

    @property
    def n_steps(self) -> int:
        """Number of integration steps."""
        return round(steps(self.duration, self.dt))
