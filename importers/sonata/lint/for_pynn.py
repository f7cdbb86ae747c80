"""What PyNN's SONATA reader (0.13) needs."""

from __future__ import annotations

import numpy as np

from .circuits import Circuit
from .needs import Subject, need_columns, need_datasets, need_ids_in_order
from .populations import Population
from .simulations import Simulation

__all__ = ["check"]

_PREFIXES = ("nest", "pynn", "nrn")


def check(subject: Subject) -> None:
    """Report what PyNN fails on or takes for something else."""
    for circuit in subject.circuits:
        if circuit.setting is None:
            subject.report.error(subject.report.root, "", "PyNN needs a circuit config: write circuit_config.json")
        elif "target_simulator" in circuit.setting.content:
            message = "PyNN fails on virtual populations with it: leave it out"
            circuit.setting.error("target_simulator", message)
        _check_nodes(subject, circuit)
        _check_edges(subject, circuit)
    for simulation in subject.simulations:
        _check_simulation(subject, simulation)
    for file, content in subject.node_sets.items():
        for name, definition in content.items():
            if isinstance(definition, list):
                subject.report.error(file, name, "PyNN refuses node sets made of others: write it out")


def _check_nodes(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    for member in circuit.nodes.values():
        nodes = member.population
        need_datasets(report, "PyNN", nodes, ("node_id", "node_group_id", "node_group_index"))
        need_columns(report, "PyNN", member, ["model_type"])
        need_ids_in_order(report, "PyNN", member)
        _need_order(subject, nodes)
        if len(nodes.groups) > 1:
            message = "PyNN counts nodes group by group, so that edges end elsewhere: use a population for each group"
            report.error(nodes.file, nodes.place, message)
        elif len({row.get("model_template") for row in member.rows.values()}) > 1:
            report.error(nodes.file, nodes.place, "PyNN takes one model per group: use a population for each model")
        if member.table and "dynamics_params" in member.table.columns:
            need_columns(report, "PyNN", member, ["dynamics_params"])
        for file, place, row in member.uses():
            template = row.get("model_template")
            if template is not None and template.partition(":")[0].lower() not in _PREFIXES:
                message = f"PyNN needs a prefix in the model_template {template!r:.40}: write nest: in front"
                report.error(file, place, message)


def _need_order(subject: Subject, population: Population) -> None:
    """Report properties of the only group that are not in the order of the rows: h5py reads no others."""
    if len(population.groups) == 1 and not population.rows_are_index:
        kind = "edge" if "source_node_id" in population.datasets else "node"
        message = "PyNN fails where it is not ascending: write 0, 1, 2, ..."
        subject.report.error(population.file, f"{population.place}/{kind}_group_index", message)


def _check_edges(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    for member in circuit.edges.values():
        edges = member.population
        need_datasets(report, "PyNN", edges, ("edge_type_id", "edge_group_id", "edge_group_index"))
        if member.table and "dynamics_params" in member.table.columns:
            need_columns(report, "PyNN", member, ["dynamics_params"])
        _need_order(subject, edges)
        if len({row.get("model_template") for row in member.rows.values()}) > 1 and len(edges.groups) == 1:
            message = "PyNN takes one synapse model per group: use a group for each model"
            report.error(edges.file, edges.place, message)
        for file, place, row in member.uses():
            template = row.get("model_template")
            if template is not None and template.partition(":")[0].lower() not in _PREFIXES:
                message = (
                    f"PyNN needs a prefix in the model_template {template!r:.40}: write nest:{template:.40} (NEST "
                    "refuses that: give PyNN a table of its own)"
                )
                report.error(file, place, message)
        if "delay" in edges.all_properties and "dynamics_params/delay" not in edges.all_properties:
            message = "PyNN does not read it: make dynamics_params/delay a second name of it"
            report.error(edges.file, f"{edges.place}/0/delay", message)


def _check_simulation(subject: Subject, simulation: Simulation) -> None:
    setting = simulation.setting
    for place, there in (
        ("node_sets_file", "node_sets_file" in setting.content),
        ("output.spikes_sort_order", "spikes_sort_order" in setting.section("output")),
    ):
        if not there:
            setting.error(place, "PyNN fails without it: add it")
    delays = [edges.population.shortest for circuit in subject.circuits for edges in circuit.edges.values()]
    for name, entry in setting.section("inputs").items():
        if not isinstance(entry, dict):
            continue
        place, kind = f"inputs.{name}", entry.get("input_type")
        if kind == "spikes" and entry.get("module") != "h5":
            setting.error(f"{place}.module", f"PyNN reads spikes with the module h5, not {entry.get('module')!r:.40}")
        elif kind not in ("spikes", "current_clamp"):
            setting.error(f"{place}.input_type", f"PyNN refuses {kind!r:.40}: use spikes or current_clamp")
        elif kind == "current_clamp" and "input_file" in entry:
            setting.error(f"{place}.input_file", "PyNN refuses currents from a file: give amp, delay and duration")
        spikes = simulation.spikes.get(name)
        if spikes is None:
            continue
        if not spikes.flat:
            message = "PyNN reads /spikes/timestamps and /spikes/gids only: write it a file without populations"
            subject.report.error(spikes.file, "/spikes", message)
        if spikes.first <= min(delays, default=np.inf) < np.inf:
            message = (
                f"PyNN gives no spikes up to the shortest delay, {min(delays):g} ms; the first is at "
                f"{spikes.first:g} ms: begin later"
            )
            subject.report.error(spikes.file, "/spikes", message)
        _check_sources(subject, str(entry.get("node_set")), spikes.n_sources.get(""), simulation, name)


def _check_sources(subject: Subject, population: str, n_sources: int | None, simulation: Simulation, name: str) -> None:
    """Check that every source has a spike."""
    for circuit in subject.circuits:
        member = circuit.nodes.get(population)
        if member is not None and n_sources is not None and n_sources < member.population.rows:
            message = (
                f"PyNN's simulation plan refuses sources without a spike; {n_sources} of {member.population.rows} have "
                "one: set the trains by hand"
            )
            subject.report.warning(simulation.spikes[name].file, "/spikes", message)
