"""The verification artefact: an instance with the parameters with which one simulator steps as NEST does.

Formulas and their derivation are in :mod:`mc_interchange.formats.neuroml.matched`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mc_interchange.contracts import Loss
from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance, Nodes, TrainBlock, Trains
from mc_interchange.network import Dynamics, Neuron, PoissonActivity, PoissonInput, StepCurrent
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.dynamics import TIME
from mc_interchange.network.simulation import TICS_PER_MS, steps

__all__ = ["LABELS", "Matching", "match"]

#: Whose steps are matched, for people.
LABELS: dict[fmt.Solver, str] = {"jlems": "jLEMS", "neuron": "the NEURON code of jNeuroML"}


@dataclass(frozen=True)
class Matching:
    """What an export is matched to.

    Parameters
    ----------
    solver
        Whose steps.
    dt
        Resolution in ms.
    neurons
        Parameters by population.
    equations
        Whether some neurons are given by equations.
    """

    solver: fmt.Solver
    dt: float
    neurons: dict[str, fmt.MatchedNeuron]
    equations: bool = False

    @property
    def label(self) -> str:
        """What every file of it says."""
        equal = ["exact integration"] if self.neurons else []
        equal += ["those of the method euler of Brian2 (equations)"] if self.equations else []
        return (
            f"VERIFICATION ARTEFACT, not the model's own parameters: matched to {LABELS[self.solver]} at dt = "
            f"{self.dt:g} ms, whose steps then equal {' and '.join(equal)}. Only for a comparison of spikes in that "
            "simulator at that resolution."
        )

    @property
    def loss(self) -> Loss:
        """The entry of the export report."""
        return Loss(
            "the physical parameters",
            "approximated",
            f"{self.label} For every other use, export without --matched-to",
        )


def match(instance: NetworkInstance, solver: fmt.Solver) -> tuple[NetworkInstance, Matching]:
    """Replace the parameters of neurons, and the amplitudes and times of inputs.

    Weights and delays stay; what becomes of them follows from the second part of the result.

    Raises
    ------
    NotRepresentableError
        With the part for which there is no exact equal.
    """
    dt = instance.simulation.dt
    neurons = {
        name: fmt.matched_neuron(_parameters(nodes, dt), dt, solver)
        for name, nodes in instance.populations.items()
        if nodes.neuron is not None and not isinstance(nodes.neuron, Dynamics)
    }
    populations = {
        name: _matched(nodes, neurons[name]) if name in neurons else _equations(_source(nodes, dt), solver, dt)
        for name, nodes in instance.populations.items()
    }
    inputs = tuple(_current(item, neurons.get(item.target), solver, dt) for item in instance.inputs)
    equations = any(isinstance(nodes.neuron, Dynamics) for nodes in populations.values())
    return replace(instance, populations=populations, inputs=inputs), Matching(solver, dt, neurons, equations)


def _parameters(nodes: Nodes, dt: float) -> dict[str, float]:
    neuron = nodes.neuron
    where = f"population {nodes.name}: --matched-to"
    if not isinstance(neuron, Neuron) or neuron.model != "iaf_psc_exp":
        raise NotRepresentableError(f"{where} is for the neuron model iaf_psc_exp only, whose steps are linear")
    if nodes.varying:
        raise NotRepresentableError(
            f"{where} needs one value for all neurons, {', '.join(sorted(nodes.varying))} differs"
        )
    periods = steps(neuron["t_ref"], dt)
    if periods < 1 - TOLERANCE or abs(periods - round(periods)) > TOLERANCE:
        raise NotRepresentableError(
            f"{where} needs a refractory time of whole steps, at least one of {dt:g} ms; t_ref is "
            f"{neuron['t_ref']:g} ms"
        )
    return dict(neuron.parameters)


def _matched(nodes: Nodes, matched: fmt.MatchedNeuron) -> Nodes:
    assert isinstance(nodes.neuron, Neuron)
    return replace(nodes, neuron=nodes.neuron.model_copy(update={"parameters": matched.parameters}))


def _equations(nodes: Nodes, solver: fmt.Solver, dt: float) -> Nodes:
    """Match what times neurons have that are given by equations; all else stays."""
    dynamics = nodes.neuron
    if not isinstance(dynamics, Dynamics):
        return nodes
    if solver != "jlems":
        raise NotRepresentableError(
            f"population {nodes.name}: equations can be matched to jLEMS only, not to {LABELS[solver]}"
        )
    step = round(dt * TICS_PER_MS) / TICS_PER_MS
    # the clock of jLEMS has advanced when it integrates, that of Brian2 has not
    changed = dynamics.with_time(f"{TIME} - {fmt.decimal(step)} * ms")
    if dynamics.refractory is not None:
        changed = changed.model_copy(update={"refractory": f"{dynamics.refractory} - {fmt.decimal(step / 2)} * ms"})
    return replace(nodes, neuron=changed)


def _source(nodes: Nodes, dt: float) -> Nodes:
    activity = nodes.activity
    if isinstance(activity, PoissonActivity) and activity.rate > 0:
        raise NotRepresentableError(_random(f"the Poisson sources of population {nodes.name}"))
    return replace(nodes, activity=_ShiftedTrains(activity, dt)) if isinstance(activity, Trains) else nodes


def _current(
    item: PoissonInput | StepCurrent, neuron: fmt.MatchedNeuron | None, solver: fmt.Solver, dt: float
) -> PoissonInput | StepCurrent:
    if isinstance(item, PoissonInput):
        if item.rate > 0:
            raise NotRepresentableError(_random(f"the Poisson input {item.name}"))
        return item
    if neuron is None:
        raise NotRepresentableError(
            f"--matched-to: the step current {item.name} goes to equations, which have no match"
        )
    delay = round(item.delay + fmt.CURRENT_SHIFT[solver] * dt, 9)
    # NEST's generators emit nothing in the first step
    start = max(item.start, dt)
    return item.model_copy(update={"amplitude": item.amplitude * neuron.current, "start": start, "delay": delay})


def _random(what: str) -> str:
    return f"--matched-to: {what} would be drawn anew by each simulator; add --freeze-input, which replays spikes"


class _ShiftedTrains(Trains):
    """Spike trains, each spike half a step before the end of the step that it is in."""

    def __init__(self, trains: Trains, dt: float) -> None:
        super().__init__(trains.size)
        self._trains, self._dt = trains, dt

    @property
    def n_spikes(self) -> int:
        return self._trains.n_spikes

    def blocks(self) -> Iterator[TrainBlock]:
        per_ms, tics = steps(1.0, self._dt), round(self._dt * TICS_PER_MS)
        for block in self._trains.blocks():
            ends = np.maximum(np.ceil(per_ms * block.times - TOLERANCE), 1)
            yield replace(block, times=(ends + fmt.SPIKE_SHIFT) * tics / TICS_PER_MS)
