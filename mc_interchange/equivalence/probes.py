"""A probe: a few neurons of one model under known input, and what they must do, in closed form.

Below threshold the model is linear (:mod:`.single_neuron`). Between two spikes it is too: after the refractory time the
potential starts again at its reset value, under the synaptic currents that have gone on decaying meanwhile. So the
course of a neuron that fires is known piece by piece, and each piece is evaluated directly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes
from mc_interchange.network import Neuron, Simulation, VoltageRecording
from mc_interchange.network.simulation import steps
from mc_interchange.runs import Run

from .rungs import Figure
from .single_neuron import membrane_potential, psp_peak

__all__ = ["TOLERANCE", "Course", "check_probe", "expected_course", "probe"]

#: Largest difference of potentials that counts as rounding, mV. NEST keeps to 1e-12.
TOLERANCE = 1e-9
#: Length of a probe, ms.
DURATION = 150.0
#: When sources fire (ms), excitatory and inhibitory, and how long their spikes take.
ARRIVALS = ((5.0, 7.3, 20.1, 41.0), (6.1, 12.4, 55.5))
DELAY = 1.5
N_NEURONS = 4


@dataclass(frozen=True)
class Course:
    """What the neurons of a probe must do.

    Parameters
    ----------
    V_m : ndarray, shape (n_steps, n_neurons), float64, mV
        After each step.
    spikes
        Steps in which each neuron fires.
    """

    V_m: NDArray[np.float64]
    spikes: tuple[tuple[int, ...], ...]


def probe(neuron: Neuron, dt: float) -> NetworkInstance:
    """Return a network of four such neurons, with input that makes two of them do more than rest.

    The first has no synaptic input; the second excitation and inhibition; the third starts near its threshold; the
    fourth is driven above it by synapses alone.

    Parameters
    ----------
    neuron
        An ``iaf_psc_exp``.
    dt
        Resolution in ms.
    """
    weights = _weights(neuron)
    sources = np.array([0, 1, 0, 0], np.uint32)
    targets = np.array([1, 1, 2, 3], np.uint32)
    delay = np.full(4, round(steps(DELAY, dt)), np.int32)
    trains = ArrayTrains.from_lists(ARRIVALS)
    recorded = VoltageRecording(population="neurons", neurons=tuple(range(N_NEURONS)), interval=dt)
    return NetworkInstance(
        name="probe",
        populations={
            "neurons": Nodes("neurons", N_NEURONS, neuron=neuron, V_m=_initial(neuron)),
            "sources": Nodes("sources", len(ARRIVALS), activity=trains),
        },
        projections={
            "input": ArrayEdges("input", "sources", "neurons", EdgeBlock(sources, targets, weights, delay)),
        },
        inputs=(),
        simulation=Simulation(dt=dt, duration=DURATION, record_V_m=(recorded,)),
    )


def _initial(neuron: Neuron) -> NDArray[np.float64]:
    E_L, V_th = neuron["E_L"], neuron["V_th"]
    return np.array([E_L - 3.0, E_L, V_th - 0.05 * (V_th - E_L), E_L])


def _weights(neuron: Neuron) -> NDArray[np.float64]:
    """Return weights that move the potential by a part of the way to threshold, or beyond it."""
    way = neuron["V_th"] - neuron["E_L"]
    unit = {sign: psp_peak(1.0, neuron["tau_m"], neuron[f"tau_syn_{sign}"], neuron["C_m"])[1] for sign in ("ex", "in")}
    return np.round([0.2 * way / unit["ex"], -0.3 * way / unit["in"], 0.1 * way / unit["ex"], 1.6 * way / unit["ex"]])


def expected_course(neuron: Neuron, stimulus: Neuron, dt: float) -> Course:
    """Return what the neurons of :func:`probe` must do.

    Parameters
    ----------
    neuron
        The model as it should be.
    stimulus
        The model for which the probe was made: it decides on the weights and initial potentials.
    dt
        Resolution in ms.
    """
    weights, initial = _weights(stimulus), _initial(stimulus)
    arrivals = [[], [(0, weights[0]), (1, weights[1])], [(0, weights[2])], [(0, weights[3])]]
    courses = [
        _one(neuron, float(V_0), sorted((t + DELAY, float(w)) for source, w in given for t in ARRIVALS[source]), dt)
        for V_0, given in zip(initial, arrivals, strict=True)
    ]
    return Course(np.column_stack([V for V, _ in courses]), tuple(tuple(fired) for _, fired in courses))


def _one(
    neuron: Neuron, V_0: float, arrivals: list[tuple[float, float]], dt: float
) -> tuple[NDArray[np.float64], list[int]]:
    """Follow one neuron from spike to spike."""
    n_steps = round(steps(DURATION, dt))
    times = np.arange(1, n_steps + 1, dtype=np.float64) * dt
    refractory = max(1, round(steps(neuron["t_ref"], dt)))
    V = np.full(n_steps, neuron["V_reset"])
    fired: list[int] = []
    begin, start = 0, V_0  # the step after which a piece begins, and the potential there
    while begin < n_steps:
        piece = membrane_potential(
            times[begin:] - begin * dt, neuron.parameters, start, _remaining(neuron, arrivals, begin * dt)
        )
        above = np.flatnonzero(piece >= neuron["V_th"])
        end = int(above[0]) if len(above) else len(piece)
        V[begin : begin + end] = piece[:end]
        if end == len(piece):
            break
        fired.append(begin + end + 1)
        # clamped in the step of the spike and while refractory
        begin, start = begin + end + 1 + refractory, neuron["V_reset"]
    return V, fired


def _remaining(neuron: Neuron, arrivals: list[tuple[float, float]], now: float) -> list[tuple[float, float]]:
    """Return later arrivals, and what is left of the currents of earlier ones as arrivals at once."""
    left = {"ex": 0.0, "in": 0.0}
    later = []
    for time, weight in arrivals:
        if time > now + 1e-9:
            later.append((time - now, weight))
        else:
            sign = "ex" if weight >= 0 else "in"
            left[sign] += weight * float(np.exp(-(now - time) / neuron[f"tau_syn_{sign}"]))
    return [*((0.0, weight) for weight in left.values() if weight), *later]


def check_probe(run: Run, neuron: Neuron, stimulus: Neuron, name: str) -> tuple[Figure, ...]:
    """Compare a run of a probe with what its neurons must do.

    Parameters
    ----------
    run
        Of :func:`probe`.
    neuron
        The model as it should be.
    stimulus
        The model for which the probe was made, and which the simulator had.
    name
        Of the population, for the figures.

    Returns
    -------
    tuple of Figure
        The largest difference of potentials (mV), and the number of spikes that only one side has.
    """
    expected = expected_course(neuron, stimulus, run.dt)
    report = run.voltages["neurons"]
    rows = np.rint(report.times / run.dt).astype(int)
    # a recorder may begin with the state at t = 0
    within = (rows >= 1) & (rows <= len(expected.V_m))
    apart = np.abs(report.values[within] - expected.V_m[rows[within] - 1])
    largest = float(apart.max()) if apart.size else np.inf
    found = {(int(s), int(n)) for s, n in zip(run.spikes["neurons"].steps, run.spikes["neurons"].neurons, strict=True)}
    wanted = {(step, n) for n, fired in enumerate(expected.spikes) for step in fired}
    odd = len(found ^ wanted)
    return (
        Figure(
            f"{name}: membrane potential", largest, "at most", TOLERANCE, "mV, largest difference from the closed form"
        ),
        Figure(f"{name}: spikes of {len(wanted)} at another step, missing or too many", odd, "exactly", 0),
        Figure(f"{name}: spikes in the probe", len(wanted), "at least", 1),
    )
