"""What the type tables say of the types in use."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from mc_interchange.formats import sonata

from .configs import Setting
from .edges import EdgePopulation
from .files import TypeTable, read_object
from .nodes import NodePopulation
from .populations import Population
from .report import Report

__all__ = ["check_edge_types", "check_node_types"]


def check_node_types(
    report: Report, settings: Sequence[Setting], nodes: NodePopulation, table: TypeTable | None
) -> None:
    """Check the types of a node population."""
    if table is None:
        return
    _check_known(report, nodes, table, "node")
    for type_id in nodes.types.keys() & table.rows.keys():
        row, place = table.rows[type_id], f"node_type_id {type_id}"
        model_type = row.get("model_type")
        if model_type is None and "model_type" not in nodes.all_properties:
            report.error(table.file, place, "has no model_type")
        if model_type not in sonata.POINT_NEURONS:
            continue
        if "model_template" not in row and "model_template" not in nodes.all_properties:
            report.error(table.file, place, "has no model_template")
        _check_parameters(report, settings, "point_neuron_models_dir", table, type_id)


def check_edge_types(
    report: Report, settings: Sequence[Setting], edges: EdgePopulation, table: TypeTable | None, dt: float | None
) -> None:
    """Check the types of an edge population."""
    rows = {}
    if table is not None:
        _check_known(report, edges, table, "edge")
        rows = {type_id: table.rows[type_id] for type_id in edges.types if type_id in table.rows}
        for type_id, row in rows.items():
            _check_values(report, table, type_id, row, dt)
            _check_parameters(report, settings, "synaptic_models_dir", table, type_id)
    if not edges.rows:
        return
    for names, consequence in (
        (("delay", "dynamics_params/delay"), "simulators take their own default"),
        (("syn_weight", "weight_function", "conductance"), "simulators take their own default, or refuse"),
    ):
        given = any(name in edges.all_properties for name in names)
        if not given and (not rows or any(not row.keys() & set(names) for row in rows.values())):
            report.warning(edges.file, edges.place, f"has no {names[0]}, nor have its types: {consequence}")


def _check_known(report: Report, population: Population, table: TypeTable, kind: str) -> None:
    unknown = [type_id for type_id in population.types if type_id not in table.rows]
    if unknown:
        more = f" and {len(unknown) - 1} others" if len(unknown) > 1 else ""
        report.error(
            population.file,
            f"{population.place}/{kind}_type_id",
            f"{report.name(table.file)} has no type {unknown[0]}{more} (first: row {population.types[unknown[0]]})",
        )


def _check_values(report: Report, table: TypeTable, type_id: int, row: dict[str, str], dt: float | None) -> None:
    """Check the numbers that stand for all edges of a type."""
    for name in ("syn_weight", "delay", "nsyns"):
        if name not in row:
            continue
        try:
            value = float(row[name])
        except ValueError:
            value = math.nan
        place = f"edge_type_id {type_id}"
        if not math.isfinite(value):
            report.error(table.file, place, f"{name} {row[name]!r} is not a finite number")
        elif name == "delay" and (value <= 0 or value < (dt or 0.0) / 2):
            limit = f"below the resolution of {dt:g} ms" if dt else "not above 0 ms"
            report.error(table.file, place, f"delay {row[name]} is {limit}")


def _check_parameters(report: Report, settings: Sequence[Setting], folder: str, table: TypeTable, type_id: int) -> None:
    """Check the parameters that a type has, or the file of them that it names."""
    name = table.rows[type_id].get("dynamics_params")
    if name is None or not settings:
        return
    if name.startswith("{"):  # bmtk allows the parameters themselves
        try:
            inline = json.loads(name)
        except (ValueError, RecursionError):
            inline = None
        if not isinstance(inline, dict):
            place = f"{table.kind}_type_id {type_id}"
            report.error(table.file, place, f"dynamics_params {name!r:.60} is not a JSON object")
        return
    setting = next((s for s in settings if folder in s.section("components")), settings[0])
    if folder not in setting.section("components"):
        setting.error(f"components.{folder}", f"is missing; the parameters {name!r} are looked for there")
        return
    directory = setting.path(f"components.{folder}", setting.section("components")[folder], beside=True)
    if directory is None:
        return
    file = directory / name
    if Path(name).is_absolute() or not file.resolve().is_relative_to(directory):
        setting.error(f"components.{folder}", f"{name!r} leaves this directory")
    elif file.suffix == ".json":
        read_object(report, file)
    elif not file.is_file():
        report.error(file, "", "no such file")
