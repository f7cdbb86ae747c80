"""What NeuroML's core types do not hold as it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mc_interchange.contracts import Loss
from mc_interchange.instance import NetworkInstance, Trains
from mc_interchange.network import PoissonActivity, PoissonInput, StepCurrent
from mc_interchange.network.simulation import steps

from .plan import Plan, PlannedInput

__all__ = ["find_losses"]


def find_losses(instance: NetworkInstance, planned: Plan) -> list[Loss]:
    """Name everything that differs between the instance and its files.

    Parameters
    ----------
    planned
        The plan, as it will be written.
    """
    return [
        *_initial_potentials(instance, planned),
        *(loss for item in planned.inputs for loss in _input(item, instance.simulation.dt)),
        *_delays(planned),
        *(loss for item in planned.populations for loss in _sources(instance, item)),
        *_simulation(instance),
    ]


def _initial_potentials(instance: NetworkInstance, planned: Plan) -> Iterator[Loss]:
    uneven = [n.name for n in instance.populations.values() if n.V_m is not None and len(set(n.V_m.tolist())) > 1]
    if not uneven:
        return
    what = f"initial membrane potentials of {', '.join(uneven)}"
    if planned.pulse:
        yield Loss(
            what,
            "approximated",
            f"a cell has one v_init; the difference of each neuron comes by a one-step current pulse that is tied to "
            f"dt = {instance.simulation.dt:g} ms",
        )
    else:
        yield Loss(what, "dropped", "a cell has one v_init (the mean), and initial_pulse is off")


def _input(item: PlannedInput, dt: float) -> Iterator[Loss]:
    if isinstance(item.input, StepCurrent):
        return
    poisson: PoissonInput = item.input
    yield Loss(
        f"Poisson input {poisson.name}",
        "approximated",
        f"sources per neuron: {item.n_sources} of {poisson.rate / item.n_sources:g} spikes/s, each with at "
        f"most one spike per step of {dt:g} ms: the variance in one step is {1 - item.per_step:.3f} of a Poisson "
        "process's",
    )
    if item.late:
        yield Loss(
            f"end of Poisson input {poisson.name}",
            "approximated",
            f"transientPoissonFiringSynapse checks the end only behind its first spike, which is late with a "
            f"probability of {item.late:.2g} per source",
        )


def _delays(planned: Plan) -> Iterator[Loss]:
    poisson = [item.input for item in planned.inputs if not isinstance(item.input, StepCurrent)]
    endless = [item for item in poisson if item.start == 0 and item.stop is None]
    if endless:
        longest = max(item.delay for item in endless)
        yield Loss(
            f"delays of Poisson inputs {', '.join(item.name for item in endless)}",
            "approximated",
            f"poissonFiringSynapse has none: spikes arrive from the start (and not {longest:g} ms later)",
        )


def _sources(instance: NetworkInstance, name: str) -> Iterator[Loss]:
    activity = instance.populations[name].activity
    dt = instance.simulation.dt
    if isinstance(activity, PoissonActivity) and activity.rate > 0:
        yield Loss(
            f"Poisson sources of {name}",
            "approximated",
            f"at most one spike per source and step of {dt:g} ms: the variance in one step is "
            f"{1 - activity.rate * dt / 1000:.6g} of a Poisson process's",
        )
    if isinstance(activity, Trains) and _coincident(activity):
        yield Loss(
            f"spikes at the same time in {name}",
            "approximated",
            "they are listed in one spikeArray: jLEMS delivers all of them, its NEURON export loses them and all later "
            "spikes of that source",
        )


def _coincident(trains: Trains) -> bool:
    """Whether a source has several spikes at the same time."""
    return any(len(np.unique(train)) < len(train) for block in trains.blocks() for train in block.trains())


def _simulation(instance: NetworkInstance) -> Iterator[Loss]:
    simulation = instance.simulation
    if simulation.discard > 0:
        yield Loss(
            "the discarded start of the simulation",
            "beside",
            f"LEMS records everything; leave out the first {simulation.discard:g} ms of its files",
        )
    for recording in simulation.record_V_m:
        if round(steps(recording.interval, simulation.dt)) != 1:
            yield Loss(
                f"sampling interval of membrane potentials of {recording.population}",
                "approximated",
                f"LEMS records at every step of {simulation.dt:g} ms, not every {recording.interval:g} ms",
            )
