"""Inputs and recorders, the same for explicit and for native networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import SimulationError, one_line
from mc_interchange.formats.sonata_output import Report
from mc_interchange.instance import Trains
from mc_interchange.network import Input, PoissonActivity, PoissonInput, Simulation, SpikeTrains, StepCurrent
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps
from mc_interchange.runs import Spikes

__all__ = ["Recorders", "connect_inputs", "create_sources", "refused_by", "synapses_of"]


@contextmanager
def refused_by(nest: Any, what: str, part: str = "it") -> Iterator[None]:
    """Turn NEST's refusals into one line that says of what.

    Parameters
    ----------
    nest
        The module.
    what
        What is being made, as in ``input dc``.
    part
        What of it, as in ``its rule``.
    """
    try:
        yield
    except nest.NESTError as error:
        raise SimulationError(f"{what}: NEST refused {part} ({one_line(error)})") from None


def synapses_of(model: str, activity: object, otherwise: str) -> str:
    """Return what :func:`refused_by` shall say that NEST refused of a projection.

    Parameters
    ----------
    model
        Synapse model.
    activity
        Of the source.
    otherwise
        What it is unless the reason is known.
    """
    if isinstance(activity, Trains | SpikeTrains) and model != "static_synapse":
        return f"{model} from spike generators, which take static synapses; put neurons that repeat the spikes between"
    return otherwise


def create_sources(nest: Any, name: str, size: int, activity: PoissonActivity | Trains | None, dt: float) -> Any:
    """Create a virtual population.

    Poisson sources are parrot neurons, each behind its own Poisson process, so that all targets of one
    source see the same spikes; they fire one step later than the process.
    """
    if isinstance(activity, Trains):
        with refused_by(nest, f"spike trains of population {name}"):
            sources = nest.Create("spike_generator", size)
            for block in activity.blocks():
                part = sources[block.first : block.first + len(block.counts)]
                part.set([_spike_times(train, dt) for train in block.trains()])
        return sources
    with refused_by(nest, f"Poisson sources of population {name}"):
        sources = nest.Create("parrot_neuron", size)
        if activity is not None and activity.rate > 0:
            generator = nest.Create("poisson_generator", params=_window(activity.rate, activity.start, activity.stop))
            nest.Connect(generator, sources, syn_spec={"weight": 1.0, "delay": dt})
    return sources


def _spike_times(times: NDArray[np.float64], dt: float) -> dict[str, Any]:
    """Return a train as NEST takes it: at the end of the step it is in, several spikes in one step as multiplicity."""
    per_ms = steps(1.0, dt)
    on_grid, counts = np.unique(np.maximum(np.ceil(per_ms * times - TOLERANCE), 1), return_counts=True)
    return {"spike_times": on_grid / per_ms, "spike_multiplicities": counts}


def connect_inputs(nest: Any, inputs: tuple[Input, ...], populations: Mapping[str, Any]) -> None:
    """Create and connect Poisson and step current inputs."""
    for item in inputs:
        target = populations[item.target]
        if item.neurons is not None:
            target = target[list(item.neurons)]
        with refused_by(nest, f"input {item.name}"):
            if isinstance(item, PoissonInput):
                generator = nest.Create("poisson_generator", params=_window(item.rate, item.start, item.stop))
                nest.Connect(generator, target, syn_spec={"weight": item.weight, "delay": item.delay})
            elif isinstance(item, StepCurrent):
                parameters = {"amplitude": item.amplitude, "start": item.start, "stop": item.stop}
                generator = nest.Create("dc_generator", params=parameters)
                nest.Connect(generator, target, syn_spec={"weight": 1.0, "delay": item.delay})
            else:  # pragma: no cover - a new kind of input must be added here
                raise SimulationError(f"input {item.name}: NEST runner does not know the kind {item.kind!r}")


def _window(rate: float, start: float, stop: float | None) -> dict[str, float]:
    return {"rate": rate, "start": start, **({} if stop is None else {"stop": stop})}


class Recorders:
    """Spike recorders and voltmeters of a network.

    Parameters
    ----------
    nest
        The module.
    populations
        NEST's nodes by population name.
    simulation
        What to record.
    """

    def __init__(self, nest: Any, populations: Mapping[str, Any], simulation: Simulation) -> None:
        self._populations = populations
        names = tuple(populations) if simulation.record_spikes is None else simulation.record_spikes
        self._spikes = {name: nest.Create("spike_recorder", params={"time_in_steps": True}) for name in names}
        for name, recorder in self._spikes.items():
            with refused_by(nest, f"recording of the spikes of population {name}"):
                nest.Connect(populations[name], recorder)
        self._voltages = {}
        for recording in simulation.record_V_m:
            with refused_by(nest, f"recording of V_m of population {recording.population}"):
                meter = nest.Create("voltmeter", params={"interval": recording.interval})
                nest.Connect(meter, populations[recording.population][sorted(set(recording.neurons))])
            self._voltages[recording.population] = meter

    def spikes(self) -> dict[str, Spikes]:
        """Return all spikes so far."""
        found = {}
        for name, recorder in self._spikes.items():
            events = recorder.events
            found[name] = Spikes.sorted(np.asarray(events["times"]), self._index(name, events["senders"]))
        return found

    def voltages(self) -> dict[str, Report]:
        """Return all sampled membrane potentials so far."""
        found = {}
        for name, meter in self._voltages.items():
            events = meter.events
            neurons, columns = np.unique(self._index(name, events["senders"]), return_inverse=True)
            times, rows = np.unique(events["times"], return_inverse=True)
            values = np.full((len(times), len(neurons)), np.nan)
            values[rows, columns] = events["V_m"]
            found[name] = Report(neurons.astype(np.uint64), times, values)
        return found

    def _index(self, name: str, ids: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.asarray(ids, np.int64) - int(self._populations[name][0].global_id)
