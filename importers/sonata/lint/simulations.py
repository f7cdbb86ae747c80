"""Simulation configs: resolution and duration, inputs, node sets."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mc_interchange.network.simulation import TICS_PER_MS

from .configs import Setting
from .files import read_object
from .nodes import NodePopulation
from .spikes import SpikeFile, check_spikes

__all__ = ["Simulation", "check_node_sets", "check_simulation", "resolution"]

#: Ids in one node set that are looked at.
_MOST_IDS = 10**7


@dataclass
class Simulation:
    """A simulation config under check, with the spike files by input."""

    setting: Setting
    spikes: dict[str, SpikeFile] = field(default_factory=dict)


def resolution(settings: Sequence[Setting]) -> float | None:
    """Return the first resolution (ms) that is given, where it is one that a simulator can have."""
    for setting in settings:
        run = setting.content.get("run")
        dt = run.get("dt") if isinstance(run, dict) else None
        if isinstance(dt, int | float) and _is_number(dt) and 1 <= dt * TICS_PER_MS < math.inf:
            return float(dt)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_simulation(
    setting: Setting, nodes: Mapping[str, NodePopulation], sets: Collection[str], dt: float | None
) -> Simulation:
    """Check a simulation config.

    Parameters
    ----------
    nodes
        Node populations by name.
    sets
        Names of all node sets.
    dt
        Resolution in ms, where it is known.
    """
    found = Simulation(setting)
    run = setting.section("run")
    for key in ("dt", "tstop", "duration"):
        value = run.get(key, 1.0)
        if not _is_number(value) or value <= 0:
            setting.error(f"run.{key}", f"is {value!r:.60}, not a number above 0")
    for name, entry in setting.section("inputs").items():
        place = f"inputs.{name}"
        if not isinstance(entry, dict):
            setting.error(place, "is not a JSON object")
            continue
        node_set = entry.get("node_set")
        if isinstance(node_set, str) and nodes and node_set not in sets and node_set not in nodes:
            setting.error(f"{place}.node_set", f"{node_set!r} is neither a node set nor a population")
        for key in ("input_file", "spike_file"):
            if key not in entry:
                continue
            file = setting.path(f"{place}.{key}", entry[key], beside=True)
            if file is not None and file.suffix in (".h5", ".hdf5") and entry.get("input_type") == "spikes":
                found.spikes[name] = check_spikes(setting.report, file, str(node_set), nodes, dt)
    return found


def check_node_sets(
    setting: Setting, nodes: Mapping[str, NodePopulation], seen: Collection[Path]
) -> tuple[Path, dict[str, Any]] | None:
    """Check the node sets that a config holds or names, and return their file (none of those seen) and content."""
    if "node_sets_file" in setting.content:
        file = setting.path("node_sets_file", setting.content["node_sets_file"])
        content = read_object(setting.report, file) if file and file not in seen else None
    else:
        file, content = setting.file, setting.section("node_sets")
    if file is None or not content:
        return None
    for name, definition in content.items():
        if isinstance(definition, list):
            for part in definition:
                if not isinstance(part, str) or part not in content:
                    setting.report.error(file, name, f"is made of {part!r:.60}, which is not a node set")
        elif isinstance(definition, dict):
            _check_basic(setting, file, name, definition, nodes)
        else:
            setting.report.error(file, name, "is neither an object nor a list")
    for name in _circular(content):
        setting.report.error(file, name, "is made of itself")
    return file, content


def _check_basic(
    setting: Setting, file: Path, name: str, definition: dict[str, Any], nodes: Mapping[str, NodePopulation]
) -> None:
    given = definition.get("population", [])
    populations = given if isinstance(given, list) else [given]
    for population in populations:
        if not isinstance(population, str) or (nodes and population not in nodes):
            known = ", ".join(nodes)
            setting.report.error(file, f"{name}.population", f"{population!r:.60} is no population; known: {known}")
    ids = definition.get("node_id", [])
    ids = ids if isinstance(ids, list) else [ids]
    wrong = [i for i in ids[:_MOST_IDS] if not isinstance(i, int) or isinstance(i, bool) or i < 0]
    if wrong:
        setting.report.error(file, f"{name}.node_id", f"{wrong[0]!r:.60} is not an id")
    elif ids and isinstance(given, str) and given in nodes and nodes[given].ids is None:
        size = nodes[given].rows
        if max(ids) >= size:
            setting.report.error(file, f"{name}.node_id", f"{max(ids)} is not one of the {size} nodes of {given}")


def _circular(content: dict[str, Any]) -> list[str]:
    """Return the node sets that are made of themselves, directly or through others."""
    parts = {name: {p for p in d if isinstance(p, str)} for name, d in content.items() if isinstance(d, list)}
    while True:  # take away those that are made of nothing that is left
        done = [name for name, of in parts.items() if not of & parts.keys()]
        if not done:
            return sorted(parts)
        for name in done:
            del parts[name]
