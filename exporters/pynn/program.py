"""The text of ``model.py``: what the model says, as dictionaries."""

from __future__ import annotations

import pprint
from typing import Any

from mc_interchange.formats import sonata
from mc_interchange.formats.pynn import WEIGHT_UNITS, thousandth
from mc_interchange.instance import NetworkInstance, Trains
from mc_interchange.network import PoissonActivity, PoissonInput, StepCurrent
from mc_interchange.network.simulation import steps

from .models import cells_of, neuron_of
from .plasticity import plasticity_of

__all__ = ["model_text"]

#: A source of Brian2 emits at most one spike per step; with this probability its variance is 0.5 % too small. Neurons
#: far below threshold notice more: 2 % less variance gave 12 % fewer spikes in PD14.
MAX_PROBABILITY = 0.005

_HEADER = '''"""{name} in PyNN's words; run.py builds and runs it.

{contents}
PyNN's units: ms, mV, nA, nF, uS, spikes/s.
"""

'''
_FROM_FILES = "The synapses and what differs between neurons lie beside it as a SONATA circuit."
_FROM_RULES = "PyNN draws synapses and initial potentials; the SONATA circuit beside it is another realisation."


def model_text(
    instance: NetworkInstance,
    projections: dict[str, Any] | None,
    initial: dict[str, Any],
    *,
    matched: bool,
) -> str:
    """Return a Python module.

    Parameters
    ----------
    projections
        By name, rules in PyNN's terms; None: the synapses of the circuit.
    initial
        By population, what takes the place of its initial potential.
    matched
        Whether NEURON gets parameters with which it steps as NEST does.
    """
    simulation = instance.simulation
    dt = simulation.dt
    neurons, poisson, replayed, units = {}, {}, {}, {}
    for name, nodes in instance.populations.items():
        if isinstance(nodes.activity, PoissonActivity):
            poisson[name] = {"size": nodes.size, **_window(nodes.activity, simulation.duration)}
        elif isinstance(nodes.activity, Trains):
            replayed[name] = nodes.size
        elif nodes.virtual:
            # it is not known what they emit
            poisson[name] = {"size": nodes.size, "rate": 0.0, "start": 0.0, "duration": simulation.duration}
        else:
            cells = cells_of(nodes)
            neurons[name] = {
                "size": nodes.size,
                "cell_type": cells.cell_type,
                "parameters": cells.parameters,
                "initial": {**cells.initial, **({"v": initial[name]} if name in initial else {})},
                "arrays": cells.arrays,
            }
            units[name] = WEIGHT_UNITS[neuron_of(nodes).entry.weight_unit]
    inputs = {i.name: _poisson_input(i, simulation.duration) for i in instance.inputs if isinstance(i, PoissonInput)}
    currents = {i.name: _current(i, dt) for i in instance.inputs if isinstance(i, StepCurrent)}
    recorded = simulation.record_spikes
    values = {
        "TIMESTEP": dt,
        "DURATION": simulation.duration,
        "DISCARDED_START": simulation.discard,
        "SEED": simulation.seed,
        "NEURONS": neurons,
        "WEIGHT_UNITS": units,
        "POISSON_SOURCES": poisson,
        "REPLAYED_SOURCES": replayed,
        "PROJECTIONS": {e.name: (e.source, e.target) for e in instance.projections.values()}
        if projections is None
        else projections,
        "PLASTICITY": {
            e.name: plasticity for e in instance.projections.values() if (plasticity := plasticity_of(e, instance))
        },
        "POISSON_INPUTS": inputs,
        "STEP_CURRENTS": {name: current for name, current in currents.items() if current["start"] < current["stop"]},
        "RECORD_SPIKES": [name for name in neurons if recorded is None or name in recorded],
        "RECORD_V_M": {
            r.population: {"neurons": sorted(set(r.neurons)), "interval": r.interval} for r in simulation.record_V_m
        },
        "MAX_PROBABILITY": MAX_PROBABILITY,
        "MATCHED": matched,
    }
    contents = _FROM_FILES if projections is None else _FROM_RULES
    literals = "\n".join(f"{_COMMENTS[name]}{_literal(name, value)}" for name, value in values.items())
    return _HEADER.format(name=instance.name, contents=contents) + literals + "\n"


_COMMENTS = {
    "TIMESTEP": "# in ms\n",
    "DURATION": "",
    "DISCARDED_START": "# it is simulated and recorded; statistics leave it out\n",
    "SEED": "",
    "NEURONS": "# arrays: a parameter or initial value as the ratio of two, numbers or arrays in the node file\n",
    "WEIGHT_UNITS": "# what makes PyNN's unit of a weight in the edge files\n",
    "POISSON_SOURCES": "# independent sources, each with all its targets\n",
    "REPLAYED_SOURCES": "# sources whose spikes lie in inputs/, and their number\n",
    "PROJECTIONS": "",
    "PLASTICITY": "# projections whose synapses change\n",
    "POISSON_INPUTS": "# one independent source for each neuron\n",
    "STEP_CURRENTS": "",
    "RECORD_SPIKES": "",
    "RECORD_V_M": "",
    "MAX_PROBABILITY": "# of a spike of a Poisson source in one step, for Brian2\n",
    "MATCHED": "# whether NEURON gets parameters with which it steps as NEST does\n",
}


def _literal(name: str, value: Any) -> str:
    return f"{name} = " + pprint.pformat(value, width=110, sort_dicts=False)


def _window(item: PoissonActivity | PoissonInput, end: float) -> dict[str, float]:
    stop = end if item.stop is None else min(item.stop, end)
    return {"rate": item.rate, "start": item.start, "duration": max(0.0, stop - item.start)}


def _poisson_input(item: PoissonInput, end: float) -> dict[str, Any]:
    neurons = None if item.neurons is None else list(item.neurons)
    given = {"target": item.target, **_window(item, end), "weight": item.weight, "delay": item.delay}
    return {**given, "neurons": neurons}


def _current(item: StepCurrent, dt: float) -> dict[str, Any]:
    begin, end = sonata.clamp_steps(item, dt)
    per_ms = steps(1.0, dt)
    return {
        "target": item.target,
        "amplitude": thousandth(item.amplitude),
        "start": begin / per_ms,
        "stop": end / per_ms,
        "neurons": None if item.neurons is None else list(item.neurons),
    }
