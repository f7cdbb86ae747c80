"""What libsonata (0.2) and bluepysnap, which is built on it, need."""

from __future__ import annotations

from typing import Any

from mc_interchange.formats import sonata

from .circuits import Circuit, Member
from .configs import Setting
from .needs import Subject, need_ids_in_order, plain_groups

__all__ = ["check"]

_SIMULATORS = ("NEURON", "CORENEURON", "LEARNING_ENGINE")
_REPORT_KEYS = ("cells", "type", "variable_name", "dt", "start_time", "end_time")


def check(subject: Subject) -> None:
    """Report what libsonata fails on, leaves out or takes for something else."""
    for circuit in subject.circuits:
        if circuit.setting is None:
            subject.report.error(subject.report.root, "", "libsonata needs a circuit config: write circuit_config.json")
        else:
            _check_target(circuit.setting)
            _check_listed(circuit, circuit.setting)
        for nodes in circuit.nodes.values():
            need_ids_in_order(subject.report, "libsonata", nodes)
        _check_edges(subject, circuit)
    for member in subject.members():
        population = member.population
        plain_groups(subject.report, "libsonata", population)
        place, filter_name = population.compressed
        if place:
            message = f"libsonata's wheel cannot read {filter_name}: write it uncompressed"
            subject.report.error(population.file, place, message)
    for simulation in subject.simulations:
        _check_target(simulation.setting)
        _check_simulation(simulation.setting)
        for spikes in simulation.spikes.values():
            if spikes.compressed[0]:
                message = f"libsonata's wheel cannot read {spikes.compressed[1]}: write it uncompressed"
                subject.report.error(spikes.file, spikes.compressed[0], message)


def _check_target(setting: Setting) -> None:
    target = setting.content.get("target_simulator", _SIMULATORS[0])
    if target not in _SIMULATORS:
        message = f"libsonata refuses {target!r:.40}: leave it out here, and give the simulator a config of its own"
        setting.error("target_simulator", message)


def _check_listed(circuit: Circuit, setting: Setting) -> None:
    """Check that the config lists every population: libsonata sees no others."""
    members: list[Member[Any]] = [*circuit.nodes.values(), *circuit.edges.values()]
    for member in members:
        name = member.population.name
        if not (isinstance(member.listed, dict) and name in member.listed):
            message = f"libsonata sees only what is listed: add {name!r:.60}"
            setting.error(f"{member.place}.populations", message)


def _check_edges(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    for member in circuit.edges.values():
        edges = member.population
        for kind in sonata.INDICES:
            place = f"{edges.place}/indices/{kind}"
            if kind not in edges.indices:
                message = "libsonata finds the edges of a node through it only: write this index"
                report.warning(edges.file, place, message)
            elif sonata.NODE_RANGES[0] not in edges.indices[kind]:
                message = f"libsonata needs it: make it a second name of {sonata.NODE_RANGES[1]}"
                report.error(edges.file, f"{place}/{sonata.NODE_RANGES[0]}", message)


def _check_simulation(setting: Setting) -> None:
    for key in ("tstop", "dt", "random_seed"):
        if key not in setting.section("run"):
            setting.error(f"run.{key}", "libsonata refuses the config without it: add it")
    for name, entry in setting.section("inputs").items():
        if not isinstance(entry, dict):
            continue
        if entry.get("module") in ("h5", "nwb", "csv", "IClamp"):
            message = (
                f"libsonata refuses the module {entry['module']}: in a config for it, use synapse_replay with "
                "spike_file for spikes, linear for currents"
            )
            setting.error(f"inputs.{name}.module", message)
        for key in ("delay", "duration"):
            if key not in entry:
                setting.error(f"inputs.{name}.{key}", "libsonata refuses an input without it: add it")
    for name, entry in setting.section("reports").items():
        for key in _REPORT_KEYS:
            if isinstance(entry, dict) and key not in entry:
                setting.error(f"reports.{name}.{key}", "libsonata refuses a report without it: add it")
