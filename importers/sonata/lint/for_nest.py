"""What ``nest.SonataNetwork`` (NEST 3.10, built with HDF5) needs."""

from __future__ import annotations

from typing import Any

from .circuits import Circuit
from .configs import Setting
from .edges import EdgePopulation
from .needs import Subject, need_columns, need_ids_in_order, plain_groups

__all__ = ["check"]

#: Edges that NEST reads at once; a file with fewer lowers it for all files that follow.
_BUFFER = 2**20
#: Of the model types of point neurons, those that NEST knows.
_POINT_NEURONS = ("point_neuron", "point_process")


def check(subject: Subject) -> None:
    """Report what NEST fails on or takes for something else."""
    for circuit in subject.circuits:
        if circuit.setting is None:
            subject.report.error(subject.report.root, "", "NEST needs a circuit config: write circuit_config.json")
        else:
            _check_configs(subject, circuit.setting)
        _check_nodes(subject, circuit)
        _check_edges(subject, circuit)
        _check_inputs(subject, circuit)


def _check_configs(subject: Subject, circuit: Setting) -> None:
    settings = [circuit, *(simulation.setting for simulation in subject.simulations)]
    if not any(setting.content.get("target_simulator") == "NEST" for setting in settings):
        message = 'NEST needs "target_simulator": "NEST": set it in a simulation config of its own'
        settings[-1].error("target_simulator", message)
    if not any("dt" in setting.section("run") for setting in settings):
        settings[-1].error("run.dt", "NEST needs the resolution: set it")
    for setting in settings:
        if "manifest" not in setting.content:
            setting.error("manifest", "NEST fails without it: add one, be it empty")
        paths = [path for place, path in setting.texts() if path.startswith("$") and not place.startswith("manifest")]
        for name, value in setting.section("manifest").items():
            used = any(f"${name.strip('${}')}" in path for path in paths)
            if used and isinstance(value, str) and "$" in value.replace("$BASE_DIR", ""):
                message = "NEST puts in no variable but $BASE_DIR here: write the path out"
                setting.error(f"manifest.{name}", message)
    networks: dict[str, Any] = circuit.section("networks")
    if "edges" not in networks:
        circuit.error("networks.edges", "NEST fails without it: add it, be it empty")
    for kind in ("node", "edge"):
        entries = networks.get(f"{kind}s")
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            for key in (f"{kind}s_file", f"{kind}_types_file"):
                path = entry.get(key) if isinstance(entry, dict) else None
                if isinstance(path, str) and not path.startswith(("$", "/")):
                    message = "NEST looks for it in the working directory: begin it with $BASE_DIR"
                    circuit.report.warning(circuit.file, f"networks.{kind}s[{number}].{key}", message)


def _check_nodes(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    for member in circuit.nodes.values():
        need_ids_in_order(report, "NEST", member)
        rows = member.table.rows if member.table else {}
        kinds = {row.get("model_type") for row in rows.values()}
        if member.table and len(kinds) > 1:
            message = "NEST takes one model_type per table only: use one file per kind of population"
            report.error(member.table.file, "", message)
        if not kinds <= {"virtual"}:
            need_columns(report, "NEST", member, ["model_template", "dynamics_params"])
        for kind in sorted(str(kind) for kind in kinds - {"virtual", *_POINT_NEURONS}):
            if member.table:
                message = f"NEST does not know the model_type {kind}: use point_neuron or virtual"
                report.error(member.table.file, "", message)
        ignored = sorted(name for name in member.population.all_properties if name.startswith("dynamics_params/"))
        for name in ignored:
            if name != "dynamics_params/V_m":  # to be set after the network is built, as with every consumer
                place = f"{member.population.place}/0/{name}"
                message = "NEST ignores parameters of single neurons: use a node type for each value"
                report.error(member.population.file, place, message)


def _check_edges(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    smallest: EdgePopulation | None = None
    for member in circuit.edges.values():
        edges = member.population
        need_columns(report, "NEST", member, ["model_template"])
        if member.table and "dynamics_params" in member.table.columns:
            need_columns(report, "NEST", member, ["dynamics_params"])
        for file, place, row in member.uses():
            if row.get("model_template", "").startswith("nest:"):
                message = "NEST knows no model with nest: in its name: leave it out (PyNN needs it: two tables)"
                report.error(file, place, message)
        plain_groups(report, "NEST", edges)
        if edges.most_synapses != 1 or any(row.get("nsyns", "1") not in ("1", "1.0") for row in member.rows.values()):
            message = "NEST ignores nsyns: multiply it into syn_weight, or write that many edges"
            report.error(edges.file, edges.place, message)
        for name in sorted(edges.all_properties):
            if name.startswith("dynamics_params/") and name != "dynamics_params/delay":
                report.error(edges.file, f"{edges.place}/0/{name}", "NEST ignores it: use an edge type for each value")
        if not edges.rows:
            report.error(edges.file, edges.place, "NEST crashes on a population without edges: leave it out")
        elif smallest is not None and smallest.rows < min(edges.rows, _BUFFER):
            message = (
                f"NEST reads it {smallest.rows} edges at a time, as many as {smallest.name} has, which is slow: list "
                "edge files with the largest first"
            )
            report.warning(edges.file, edges.place, message)
        if edges.rows and (smallest is None or edges.rows < smallest.rows):
            smallest = edges


def _check_inputs(subject: Subject, circuit: Circuit) -> None:
    """Check that every virtual population has its spikes."""
    inputs = [
        entry
        for simulation in subject.simulations
        for entry in simulation.setting.section("inputs").values()
        if isinstance(entry, dict)
    ]
    given = {str(entry.get("node_set")) for entry in inputs if "input_file" in entry}
    for simulation in subject.simulations:
        for name, entry in simulation.setting.section("inputs").items():
            kind = entry.get("input_type") if isinstance(entry, dict) else "spikes"
            if kind != "spikes":
                message = f"NEST leaves out {kind!r:.40}: give it by hand, after the network is built"
                subject.report.warning(simulation.setting.file, f"inputs.{name}", message)
    for name, member in circuit.nodes.items():
        if member.virtual and name not in given:
            message = "NEST refuses a virtual population without an input whose node_set has its name: add one"
            subject.report.error(member.population.file, member.population.place, message)
