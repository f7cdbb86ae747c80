"""A run: spikes and voltages that a simulator gave, and what they came from.

On disk a run is a directory with SONATA's ``spikes.h5``, ``V_m.h5`` where voltages were recorded, and
``run.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from .errors import FormatError, ModelError
from .formats.sonata_output import Report, read_reports, read_spikes, write_reports, write_spikes
from .network.base import Count, NonNegative, Part, Positive, Size, refusal
from .network.consistency import TOLERANCE
from .network.simulation import TICS_PER_MS, steps
from .network.simulation import times as step_times

__all__ = ["RUN_FILE", "SPIKES_FILE", "VOLTAGES_FILE", "Run", "Spikes", "join_runs", "read_run", "write_run"]

RUN_FILE = "run.json"
SPIKES_FILE = "spikes.h5"
VOLTAGES_FILE = "V_m.h5"


@dataclass(frozen=True)
class Spikes:
    """The spikes of one population, sorted by step, then by neuron.

    Parameters
    ----------
    steps : ndarray, shape (n_spikes,), int64
        Time in steps of the resolution.
    neurons : ndarray, shape (n_spikes,), int64
        Index in the population.
    """

    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]

    @classmethod
    def sorted(cls, spike_steps: NDArray[np.int64], neurons: NDArray[np.int64]) -> Spikes:
        """Make spikes from arrays in any order."""
        order = np.lexsort((neurons, spike_steps))
        return cls(spike_steps[order].astype(np.int64), neurons[order].astype(np.int64))

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Run:
    """What a simulation gave.

    Parameters
    ----------
    model
        Name of the model.
    simulator
        Name and way, such as ``nest`` or ``nest (native)``.
    dt, duration, discard
        In ms; ``discard`` is the part at the start that statistics leave out.
    seed, threads
        With which it was run; the threads of all processes together.
    sizes
        Number of neurons of every recorded population.
    spikes
        By population, also where there were none.
    voltages
        Membrane potentials by population, where recorded.
    source_digest
        Digest of the instance that was simulated; None for a native build.
    versions
        Of the simulator and of this package.
    rules
        Digest of the rules of the model (:func:`mc_interchange.equivalence.null.rules_digest`), where known.
    random_input
        Whether the simulator drew any input; None where it is not known.
    """

    model: str
    simulator: str
    dt: float
    duration: float
    discard: float
    seed: int
    threads: int
    sizes: Mapping[str, int]
    spikes: Mapping[str, Spikes]
    voltages: Mapping[str, Report] = field(default_factory=dict)
    source_digest: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    rules: str | None = None
    random_input: bool | None = None

    @property
    def n_spikes(self) -> int:
        """Number of spikes of all populations."""
        return sum(len(s) for s in self.spikes.values())

    def rates(self) -> dict[str, float]:
        """Return the mean rate of each population in spikes/s, silent neurons included, after ``discard``."""
        first = round(steps(self.discard, self.dt))
        seconds = (self.duration - self.discard) / 1000
        return {
            name: float(np.count_nonzero(s.steps > first)) / (self.sizes[name] * seconds)
            for name, s in self.spikes.items()
        }


def join_runs(parts: Sequence[Run]) -> Run:
    """Put together the parts of one run, each with the spikes and potentials of other neurons."""
    if len(parts) == 1:
        return parts[0]
    spikes = {
        name: Spikes.sorted(
            np.concatenate([part.spikes[name].steps for part in parts]),
            np.concatenate([part.spikes[name].neurons for part in parts]),
        )
        for name in parts[0].spikes
    }
    voltages = {name: _joined([part.voltages[name] for part in parts]) for name in parts[0].voltages}
    return replace(parts[0], spikes=spikes, voltages=voltages)


def _joined(reports: list[Report]) -> Report:
    recorded = [report for report in reports if len(report.neurons)] or reports[:1]
    neurons = np.concatenate([report.neurons for report in recorded])
    order = np.argsort(neurons)
    values = np.concatenate([report.values for report in recorded], axis=1)
    return Report(neurons[order], recorded[0].times, values[:, order])


def write_run(run: Run, directory: Path) -> None:
    """Write a run into an existing directory; ``run.json`` last."""
    write_spikes(
        directory / SPIKES_FILE,
        {name: (step_times(s.steps, run.dt), s.neurons) for name, s in run.spikes.items()},
    )
    if run.voltages:
        write_reports(directory / VOLTAGES_FILE, run.voltages)
    facts = _Facts(
        model=run.model,
        simulator=run.simulator,
        dt=run.dt,
        duration=run.duration,
        discard=run.discard,
        seed=run.seed,
        threads=run.threads,
        sizes=dict(run.sizes),
        source_digest=run.source_digest,
        versions=dict(run.versions),
        rules=run.rules,
        random_input=run.random_input,
        n_spikes=run.n_spikes,
    )
    (directory / RUN_FILE).write_text(json.dumps(facts.model_dump(), indent=1) + "\n", encoding="utf-8")


def read_run(directory: str | Path) -> Run:
    """Read a run.

    Raises
    ------
    FormatError
        With file, place and cause.
    """
    directory = Path(directory)
    path = directory / RUN_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise FormatError(f"{path}: not the description of a run (not a JSON object)")
        facts = _Facts(**content)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); is this a run?") from None
    except (ValueError, TypeError, RecursionError, ModelError) as error:
        raise FormatError(f"{path}: not the description of a run ({str(error).removeprefix('_Facts: ')})") from None
    recorded = read_spikes(directory / SPIKES_FILE)
    if recorded.keys() != facts.sizes.keys():
        raise FormatError(
            f"{directory / SPIKES_FILE}: holds the populations {sorted(recorded)}, "
            f"{RUN_FILE} names {sorted(facts.sizes)}"
        )
    spikes = {
        name: _spikes(directory / SPIKES_FILE, name, times, neurons, facts)
        for name, (times, neurons) in recorded.items()
    }
    if sum(map(len, spikes.values())) != facts.n_spikes:
        raise FormatError(f"{directory / SPIKES_FILE}: holds another number of spikes than {RUN_FILE} says")
    voltages = read_reports(directory / VOLTAGES_FILE) if (directory / VOLTAGES_FILE).exists() else {}
    return Run(**facts.model_dump(exclude={"run_version", "n_spikes"}), spikes=spikes, voltages=voltages)


def _spikes(path: Path, name: str, times: NDArray[np.float64], neurons: NDArray[np.int64], facts: _Facts) -> Spikes:
    """Turn times into steps, and refuse what no run can give."""
    counts = steps(1.0, facts.dt) * times
    spike_steps = np.rint(counts)
    # compared in steps: a time may be a rounding error above the duration
    last = round(steps(facts.duration, facts.dt))
    if not np.isfinite(times).all() or (len(times) and not 0 <= spike_steps.min() <= spike_steps.max() <= last):
        raise FormatError(f"{path}: spike times of {name} are not all within the run")
    missed = np.flatnonzero(np.abs(counts - spike_steps) > TOLERANCE)
    if len(missed):
        raise FormatError(
            f"{path}: spike times of {name} must be multiples of dt = {facts.dt:g} ms, got {times[missed[0]]:.12g}"
        )
    if len(neurons) and not 0 <= int(neurons.min()) <= int(neurons.max()) < facts.sizes[name]:
        raise FormatError(f"{path}: node_ids of {name} must be below the population's size {facts.sizes[name]}")
    return Spikes.sorted(spike_steps.astype(np.int64), neurons)


class _Facts(Part):
    """What ``run.json`` holds."""

    run_version: Literal[1] = 1
    model: str
    simulator: str
    dt: Positive
    duration: Positive
    discard: NonNegative
    seed: int
    threads: int
    sizes: dict[str, Size]
    source_digest: str | None
    versions: dict[str, str]
    rules: str | None = None
    random_input: bool | None = None
    n_spikes: Count

    @model_validator(mode="after")
    def _on_grid(self) -> _Facts:
        tics = self.dt * TICS_PER_MS
        if abs(tics - round(tics)) > 1e-9 or round(tics) < 1:
            raise refusal("dt", f"must be a multiple of 0.001 ms, got {self.dt:g}")
        if self.discard >= self.duration:
            raise refusal("discard", f"must be less than duration ({self.duration:g} ms), got {self.discard:g}")
        return self
