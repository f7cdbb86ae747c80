"""The JSON files of a SONATA directory: circuit, simulation and node sets, in each consumer's dialect.

No single file suits every consumer, so the circuit and the simulation each have a few variants. What
differs is written where it differs, below.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mc_interchange.formats import sonata
from mc_interchange.instance import Edges, NetworkInstance, Trains
from mc_interchange.network import StepCurrent
from mc_interchange.network.simulation import steps

__all__ = ["BMTK_SKIPS", "write_configs"]

#: bmtk leaves out, with a warning, current clamps whose ``delay`` is at most one step: those that begin in this step.
BMTK_SKIPS = 2

_BASE = "$BASE_DIR"  # one level of variables only: NEST does not resolve variables inside variables


def write_configs(instance: NetworkInstance, directory: Path, projections: Sequence[Edges]) -> None:
    """Write all configuration files.

    Parameters
    ----------
    projections
        In the order of the files: largest first, since NEST's reader never widens its buffer again.
    """
    _write(directory / sonata.CIRCUIT_CONFIG, _circuit(instance, projections, None))
    _write(directory / sonata.CIRCUIT_CONFIG_PYNN, _circuit(instance, projections, "pynn"))
    _write(directory / sonata.NODE_SETS, _node_sets(instance))
    for consumer in (None, "nest", "pynn", "snap"):
        _write(directory / sonata.simulation_config(consumer), _simulation(instance, consumer))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _circuit(instance: NetworkInstance, projections: Sequence[Edges], consumer: str | None) -> dict[str, Any]:
    # No target_simulator: libsonata has no name for NEST and refuses the file.
    return {
        "manifest": {_BASE: "."},
        "components": {
            "point_neuron_models_dir": f"{_BASE}/{sonata.NEURON_MODELS}",
            "synaptic_models_dir": f"{_BASE}/{sonata.SYNAPSE_MODELS}",
        },
        "node_sets_file": f"{_BASE}/{sonata.NODE_SETS}",
        "networks": {
            "nodes": [
                {
                    "nodes_file": f"{_BASE}/{sonata.nodes_file(name)}",
                    "node_types_file": f"{_BASE}/{sonata.node_types_file(name)}",
                    "populations": {name: {"type": "virtual" if nodes.virtual else "point_neuron"}},
                }
                for name, nodes in instance.populations.items()
            ],
            "edges": [
                {
                    "edges_file": f"{_BASE}/{sonata.edges_file(edges.name)}",
                    "edge_types_file": f"{_BASE}/{sonata.edge_types_file(edges.name, consumer)}",
                    "populations": {edges.name: {"type": "chemical"}},
                }
                for edges in projections
            ],
        },
    }


def _simulation(instance: NetworkInstance, consumer: str | None) -> dict[str, Any]:
    simulation = instance.simulation
    config: dict[str, Any] = {
        "manifest": {_BASE: ".", "$OUTPUT_DIR": "./output"},
        "network": sonata.CIRCUIT_CONFIG_PYNN if consumer == "pynn" else sonata.CIRCUIT_CONFIG,
        "run": {"tstop": simulation.duration, "dt": simulation.dt, "random_seed": simulation.seed},
        "node_sets_file": f"{_BASE}/{sonata.NODE_SETS}",
        "inputs": _inputs(instance, consumer),
        "output": {
            "output_dir": "$OUTPUT_DIR",
            "spikes_file": "spikes.h5",
            "spikes_sort_order": "by_time",
            "log_file": "log.txt",
        },
    }
    if consumer == "nest":
        config["target_simulator"] = "NEST"
    if consumer == "snap":
        config["reports"] = _reports(instance)
    return config


def _node_sets(instance: NetworkInstance) -> dict[str, Any]:
    sets: dict[str, Any] = {name: {"population": name} for name in instance.populations}
    for current in _currents(instance):
        if current.neurons is not None:
            sets[sonata.clamp_name(current.name)] = {"population": current.target, "node_id": list(current.neurons)}
    return sets


def _currents(instance: NetworkInstance) -> list[StepCurrent]:
    """Return the step currents that have an effect within the grid."""
    dt = instance.simulation.dt
    found = [item for item in instance.inputs if isinstance(item, StepCurrent)]
    return [item for item in found if operator.lt(*sonata.clamp_steps(item, dt))]


def _inputs(instance: NetworkInstance, consumer: str | None) -> dict[str, Any]:
    dt = instance.simulation.dt
    inputs = {sonata.clamp_name(item.name): _clamp(item, dt, consumer) for item in _currents(instance)}
    for name, nodes in instance.populations.items():
        if not isinstance(nodes.activity, Trains):
            continue
        path = f"{_BASE}/{sonata.input_file(name, 'pynn' if consumer == 'pynn' else None)}"
        if consumer == "snap":  # libsonata's words for the same
            inputs[name] = {
                "input_type": "spikes",
                "module": "synapse_replay",
                "spike_file": path,
                "node_set": name,
                "delay": 0.0,
                "duration": instance.simulation.duration,
            }
        else:
            inputs[name] = {"input_type": "spikes", "module": "h5", "input_file": path, "node_set": name}
    return inputs


def _clamp(current: StepCurrent, dt: float, consumer: str | None) -> dict[str, Any]:
    """Return a step current in the words and units of a consumer.

    For PyNN, libsonata and bluepysnap, the current is in nA and begins with the integration step at ``delay``. bmtk
    takes pA, and ``delay`` is when its generator begins, from which the current takes one step to the neuron.
    """
    begin, end = sonata.clamp_steps(current, dt)
    per_ms = steps(1.0, dt)
    others = consumer in ("pynn", "snap")
    return {
        "input_type": "current_clamp",
        "module": "linear" if consumer == "snap" else "IClamp",
        "node_set": current.target if current.neurons is None else sonata.clamp_name(current.name),
        "amp_start" if consumer == "snap" else "amp": current.amplitude / 1000 if others else current.amplitude,
        "delay": (begin if others else begin - 1) / per_ms,
        "duration": (end - begin) / per_ms,
    }


def _reports(instance: NetworkInstance) -> dict[str, Any]:
    return {
        f"V_m_{recording.population}": {
            "cells": recording.population,
            "type": "compartment",
            "sections": "soma",
            "variable_name": "v",
            "unit": "mV",
            "file_name": "V_m.h5",  # as mc-run writes it
            "dt": recording.interval,
            "start_time": 0.0,
            "end_time": instance.simulation.duration,
        }
        for recording in instance.simulation.record_V_m
    }
