"""What NeuroML's core types do not hold as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mc_interchange.contracts import Loss
from mc_interchange.instance import NetworkInstance, Nodes
from mc_interchange.network import PoissonActivity, PoissonInput
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .dynamics import undelayed
from .plan import Plan, PlannedInput
from .populations import has_core_cells, neuron_of

__all__ = ["find_losses"]

#: What an adaptation current may gain by spike before we say so, pA.
MAX_OVERSHOOT = 1.0
#: Where exponentials are as good as infinite.
MAX_EXPONENT = 500.0


def find_losses(instance: NetworkInstance, planned: Plan) -> list[Loss]:
    """Name everything that differs between the instance and its files.

    Parameters
    ----------
    planned
        The plan, as it will be written.
    """
    return [
        *([planned.matching.loss] if planned.matching else ()),
        *(loss for nodes in instance.populations.values() for loss in _neurons(nodes, instance.simulation.dt)),
        *_initial_potentials(instance, planned),
        *(loss for item in planned.inputs for loss in _input(item, instance.simulation.dt)),
        *_delays(planned),
        *_undelayed(instance, planned),
        *(loss for item in planned.populations for loss in _sources(instance, item)),
        *_simulation(instance),
    ]


def _neurons(nodes: Nodes, dt: float) -> Iterator[Loss]:
    """Name what the core type of a cell does otherwise than our model, or has no place for."""
    if not has_core_cells(nodes):
        return
    neuron, where = neuron_of(nodes), f"of {nodes.name}"
    parameters = neuron.parameters
    if "t_ref" in parameters and steps(neuron["t_ref"], dt) < 1 - TOLERANCE:
        yield Loss(
            f"refractory time {where}",
            "approximated",
            f"{neuron['t_ref']:g} ms is less than one step, and a cell stays refractory for one step of {dt:g} ms",
        )
    if parameters.get("w"):
        yield Loss(
            f"adaptation current at t = 0 {where}", "dropped", f"cells start with none, not with {neuron['w']:g} pA"
        )
    if "gsl_error_tol" in parameters and neuron["gsl_error_tol"] != neuron.entry["gsl_error_tol"].default:
        yield Loss(f"gsl_error_tol {where}", "dropped", "tolerances belong to the simulator")
    if (overshoot := _overshoot(parameters, dt)) > MAX_OVERSHOOT:
        yield Loss(
            f"the exponential of the potential {where}",
            "approximated",
            f"a forward Euler step (jLEMS) overshoots V_peak, and the adaptation current follows by up to "
            f"{overshoot:.2g} pA per spike; a V_peak few Delta_T above V_th hardly moves spikes and does not",
        )
    if neuron.model == "izhikevich":
        yield from _izhikevich(nodes, where)


def _overshoot(parameters: Mapping[str, Any], dt: float) -> float:
    """Return the most that the adaptation current of one spike gains from an Euler step beyond V_peak, in pA.

    The longest step begins at V_peak, where the exponential is largest; that far above, the adaptation current takes
    one step more.
    """
    if not parameters.get("Delta_T"):
        return 0.0
    exponent = min((parameters["V_peak"] - parameters["V_th"]) / parameters["Delta_T"], MAX_EXPONENT)
    step = dt * parameters["g_L"] * parameters["Delta_T"] * math.exp(exponent) / parameters["C_m"]
    return float(abs(parameters["a"]) * step * dt / parameters["tau_w"])


def _izhikevich(nodes: Nodes, where: str) -> Iterator[Loss]:
    neuron = neuron_of(nodes)
    if not neuron.parameters["consistent_integration"]:
        yield Loss(
            f"integration {where}", "approximated", "two half steps as published; a simulator takes its own steps"
        )
    if nodes.V_m is not None and not np.allclose(neuron["b"] * nodes.V_m, neuron["U_m"], rtol=1e-12, atol=0):
        yield Loss(
            f"recovery variable at t = 0 {where}",
            "approximated",
            f"izhikevichCell starts with U = b V, not with U_m = {neuron['U_m']:g}",
        )


def _initial_potentials(instance: NetworkInstance, planned: Plan) -> Iterator[Loss]:
    cells = [nodes for nodes in instance.populations.values() if has_core_cells(nodes)]
    uneven = [n.name for n in cells if n.V_m is not None and len(set(n.V_m.tolist())) > 1]
    what = "initial membrane potentials of {}"
    if planned.pulse_lists:
        yield Loss(
            what.format(", ".join(planned.pulse_lists)),
            "approximated",
            f"a cell has one v_init; the difference of each neuron comes by a one-step current pulse that is tied to "
            f"dt = {instance.simulation.dt:g} ms",
        )
    if without := [name for name in uneven if name not in planned.pulse_lists]:
        yield Loss(
            what.format(", ".join(without)),
            "dropped",
            "a cell has one v_init (the mean), and initial_pulse is off (izhikevichCell has no such pulses)",
        )


def _input(item: PlannedInput, dt: float) -> Iterator[Loss]:
    poisson = item.input
    if not isinstance(poisson, PoissonInput):
        return
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
    poisson = [i.input for i in planned.inputs if isinstance(i.input, PoissonInput) and not i.equations]
    endless = [item for item in poisson if item.start == 0 and item.stop is None]
    if endless:
        longest = max(item.delay for item in endless)
        yield Loss(
            f"delays of Poisson inputs {', '.join(item.name for item in endless)}",
            "approximated",
            f"poissonFiringSynapse has none: spikes arrive from the start (and not {longest:g} ms later)",
        )


def _undelayed(instance: NetworkInstance, planned: Plan) -> Iterator[Loss]:
    if planned.matching is None and (names := list(undelayed(instance))):
        yield Loss(
            f"synapses without delay of {', '.join(names)}",
            "approximated",
            "jLEMS goes through the cells in turn: a spike without delay reaches those behind its own one step earlier",
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
