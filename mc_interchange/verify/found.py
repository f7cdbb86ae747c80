"""What is asked of a verification, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from mc_interchange.equivalence.distances import Histogram
from mc_interchange.equivalence.rungs import RUNGS, Rung, RungName
from mc_interchange.network import Neuron
from mc_interchange.runs import Run

from .sides import Side

__all__ = ["Probe", "Samples", "Settings", "Verification"]


@dataclass(frozen=True)
class Settings:
    """What is done, and how long.

    Parameters
    ----------
    rungs
        Which ones.
    spikes_duration
        Length of the runs that are compared spike by spike, ms.
    min_spikes
        Fewest spikes there.
    seeds
        Of the runs whose statistics are compared.
    """

    rungs: tuple[RungName, ...] = RUNGS
    spikes_duration: float = 200.0
    min_spikes: int = 100
    seeds: tuple[int, ...] = (101, 102)


@dataclass(frozen=True)
class Probe:
    """One neuron that was run alone, for pictures.

    Parameters
    ----------
    population
        The first that has such neurons.
    run
        What the simulator did.
    wanted, stimulus
        The model as it should be, and the one that was run.
    """

    population: str
    run: Run
    wanted: Neuron
    stimulus: Neuron


@dataclass(frozen=True)
class Samples:
    """Statistics that were compared, for pictures: all networks of a side together, by population and measure."""

    reference: dict[tuple[str, str], Histogram]
    tested: dict[tuple[str, str], Histogram]
    n_networks: tuple[int, int]


@dataclass(frozen=True)
class Verification:
    """What was found.

    Parameters
    ----------
    reference, tested
        The two sides; no reference where an export has no rules.
    rungs
        Results, in order.
    settings
        As given.
    digests
        Of the networks of the two sides; None where there is none, or none was computed.
    runs
        Those that were compared spike by spike, by label; empty where none were.
    divergence
        The first spike that differs, in words.
    probes, samples, longer
        What pictures are drawn of: single neurons, statistics, and a run (by label) that gave these.
    """

    reference: Side | None
    tested: Side
    rungs: tuple[Rung, ...]
    settings: Settings
    digests: tuple[str | None, str | None]
    runs: dict[str, Run] = field(default_factory=dict)
    divergence: str | None = None
    probes: tuple[Probe, ...] = ()
    samples: Samples | None = None
    longer: dict[str, Run] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What is tested, in a word."""
        return self.tested.label

    @property
    def passed(self) -> bool:
        """Whether at least one rung could be climbed, and none failed."""
        results = [rung.passed for rung in self.rungs]
        return False not in results and True in results
