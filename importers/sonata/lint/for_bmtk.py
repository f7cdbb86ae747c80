"""What bmtk's PointNet (1.2) needs."""

from __future__ import annotations

from mc_interchange.formats import sonata

from .circuits import Circuit
from .needs import Subject, need_columns, need_datasets

__all__ = ["check"]

_SPIKE_MODULES = ("nwb", "csv", "sonata", "h5", "hdf5", "function")


def check(subject: Subject) -> None:
    """Report what bmtk fails on or leaves out."""
    for circuit in subject.circuits:
        _check_nodes(subject, circuit)
        _check_edges(subject, circuit)
    for simulation in subject.simulations:
        setting = simulation.setting
        dt = setting.section("run").get("dt")
        for name, entry in setting.section("inputs").items():
            if not isinstance(entry, dict):
                continue
            kind, module = entry.get("input_type"), entry.get("module")
            if not (kind == "spikes" and module in _SPIKE_MODULES) and module not in ("IClamp", "ecephys_probe"):
                message = f"bmtk ignores {kind!r:.40} from {module!r:.40}: use h5 for spikes, IClamp for currents"
                setting.error(f"inputs.{name}.module", message)
            delay = entry.get("delay")
            if module == "IClamp" and isinstance(delay, int | float) and isinstance(dt, int | float) and delay <= dt:
                message = f"bmtk skips a current that begins up to dt = {dt:g} ms: put it into I_e, or begin later"
                setting.error(f"inputs.{name}.delay", message)


def _check_nodes(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    for member in circuit.nodes.values():
        names = ("node_id", "node_type_id", "node_group_id", "node_group_index")
        need_datasets(report, "bmtk", member.population, names)
        need_columns(report, "bmtk", member, ["model_type"])
        columns = member.table.columns if member.table else frozenset()
        for file, place, row in member.uses():
            template = row.get("model_template")
            if row.get("model_type") == "virtual" and {"model_template", "dynamics_params"} <= columns:
                message = (
                    "bmtk fails on virtual nodes with model_template and dynamics_params: use a table without them"
                )
                report.error(file, place, message)
            elif row.get("model_type") in sonata.POINT_NEURONS and template is not None and ":" not in template:
                message = f"bmtk needs a prefix in the model_template {template!r:.40}: write nest:{template:.40}"
                report.error(file, place, message)


def _check_edges(subject: Subject, circuit: Circuit) -> None:
    report = subject.report
    for member in circuit.edges.values():
        edges = member.population
        need_datasets(report, "bmtk", edges, ("edge_type_id", "edge_group_id", "edge_group_index"))
        need_columns(report, "bmtk", member, ["model_template", "dynamics_params"])
        if not any(member.has(name) for name in ("syn_weight", "weight_function")):
            message = "bmtk fails without weights: write syn_weight into the group or the type table"
            report.error(edges.file, edges.place, message)
        for kind, names in edges.indices.items():
            if sonata.NODE_RANGES[1] not in names:
                place = f"{edges.place}/indices/{kind}/{sonata.NODE_RANGES[1]}"
                message = f"bmtk crashes on an index without it: make it a second name of {sonata.NODE_RANGES[0]}"
                report.error(edges.file, place, message)
