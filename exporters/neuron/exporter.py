"""The exporter of programs for NEURON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mc_interchange.contracts import ExportOptions, Loss
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.programs import ProgramExporter, templates
from mc_interchange.exporters.sonata import SonataExporter, SonataOptions
from mc_interchange.formats import sonata
from mc_interchange.instance import NetworkInstance, Nodes, Trains
from mc_interchange.network import CATALOGUE, Neuron, PoissonActivity, PoissonInput, StepCurrent
from mc_interchange.network.simulation import steps

__all__ = ["MODELS", "NeuronExporter", "NeuronOptions"]

#: Neuron models of the catalogue for which there is a mechanism; NEST has them by the same names.
MODELS = tuple(name for name, entry in CATALOGUE.items() if "neuron" in entry.elsewhere)
_SETTINGS = "neuron.json"
#: Of a window that has no end.
_NEVER = 10**15


class NeuronOptions(ExportOptions):
    """Options of the exporter for NEURON: there are none."""


class NeuronExporter(ProgramExporter[NeuronOptions]):
    """Writes a SONATA circuit, a program that builds it in NEURON, and the mechanisms of its neurons.

    The mechanisms step exactly from grid point to grid point, as NEST does. They lie in a package that pip installs
    and Glia finds; nrnivmodl compiles them likewise.

    Not representable
    -----------------
    Neuron models other than those in :data:`MODELS`
        Refused: there is no mechanism for them. The format ``neuroml`` has some.
    Inputs to neurons without a membrane, and their potentials
        Refused.
    Synapses other than static ones onto the receptor that a weight's sign chooses
        Refused.
    Colours of populations without rules
        Neither SONATA nor a file beside it has them.
    """

    format = "neuron"
    title = "Program for NEURON 9 with a SONATA circuit and a package of exact NMODL mechanisms for Glia"
    Options = NeuronOptions

    def losses(self, instance: NetworkInstance, options: NeuronOptions) -> list[Loss]:  # noqa: ARG002
        """Refuse what there is no mechanism for, and name what is in no file.

        Raises
        ------
        NotRepresentableError
        """
        _refuse(instance)
        # what SONATA leaves to a file beside it, the program has
        found = SonataExporter().losses(instance, SonataOptions())
        return [loss for loss in found if loss.how == "dropped"]

    def files(self, instance: NetworkInstance, options: NeuronOptions) -> Mapping[str, str]:  # noqa: ARG002
        """Return program, settings and mechanisms."""
        return {**templates(__package__), _SETTINGS: json.dumps(_settings(instance), indent=1) + "\n"}


def _refuse(instance: NetworkInstance) -> None:
    for nodes in instance.populations.values():
        for neuron in nodes.models:
            if not isinstance(neuron, Neuron) or neuron.model not in MODELS:
                raise NotRepresentableError(
                    f"population {nodes.name}: there is no mechanism for NEURON of the neuron model {neuron.label}, "
                    f"only of {', '.join(MODELS)}; use --format neuroml, or another simulator"
                )
    relays = {
        nodes.name
        for nodes in instance.populations.values()
        if any(isinstance(neuron, Neuron) and neuron.entry.V_m is None for neuron in nodes.models)
    }
    for item in instance.inputs:
        if item.target in relays:
            raise NotRepresentableError(
                f"input {item.name}: neurons of {item.target} have no membrane for it in NEURON; "
                "let sources project to them"
            )
    for recording in instance.simulation.record_V_m:
        if recording.population in relays:
            raise NotRepresentableError(
                f"recording of V_m of {recording.population}: some of its neurons have no membrane potential"
            )
    for edges in instance.projections.values():
        if not edges.synapse.plain:
            raise NotRepresentableError(
                f"projection {edges.name}: the program for NEURON has static synapses onto the receptor of their sign "
                f"only, not {edges.synapse.model} onto receptor {edges.synapse.receptor}; use --format sonata and NEST"
            )


def _settings(instance: NetworkInstance) -> dict[str, Any]:
    """Return what SONATA has no place for; times as numbers of steps."""
    simulation = instance.simulation
    dt = simulation.dt
    poisson, currents = [], []
    for item in instance.inputs:
        common: dict[str, Any] = {"target": item.target, "neurons": None if item.neurons is None else [*item.neurons]}
        if isinstance(item, PoissonInput):
            # NEST's generator emits one step after those of its window
            window = _window(item.start, item.stop, dt, 1 + round(steps(item.delay, dt)))
            poisson.append({**common, "rate": item.rate, "weight": item.weight, **window})
        elif isinstance(item, StepCurrent):
            begin, end = sonata.clamp_steps(item, dt)
            if begin < end:
                currents.append({**common, "amplitude": item.amplitude, "begin": begin, "end": end})
        else:  # pragma: no cover - a new kind of input must be added here
            raise NotRepresentableError(f"input {item.name}: the program for NEURON has no {item.kind!r}")
    return {
        "dt": dt,
        "n_steps": simulation.n_steps,
        "seed": simulation.seed,
        "record_spikes": [*(instance.populations if simulation.record_spikes is None else simulation.record_spikes)],
        "record_V_m": {
            item.population: {"neurons": sorted(set(item.neurons)), "every": round(steps(item.interval, dt))}
            for item in simulation.record_V_m
        },
        "poisson_inputs": poisson,
        "step_currents": currents,
        "sources": {nodes.name: _activity(nodes, dt) for nodes in instance.populations.values() if nodes.activity},
    }


def _activity(nodes: Nodes, dt: float) -> dict[str, Any] | None:
    """Return the rate of Poisson sources and the steps of their spikes; None: the spikes are in the circuit."""
    if isinstance(nodes.activity, Trains):
        return None
    assert isinstance(nodes.activity, PoissonActivity)
    # behind NEST's generator is a neuron that relays its spikes in the next step
    return {"rate": nodes.activity.rate, **_window(nodes.activity.start, nodes.activity.stop, dt, 2)}


def _window(start: float, stop: float | None, dt: float, later: int) -> dict[str, int]:
    """Return the first and the last step of a window, a number of steps later."""
    last = _NEVER if stop is None else round(steps(stop, dt)) + later
    return {"first": round(steps(start, dt)) + 1 + later, "last": last}
