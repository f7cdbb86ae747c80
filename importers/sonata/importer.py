"""The SONATA importer."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mc_interchange.contracts import Finding, Importer
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats import sonata
from mc_interchange.importers.beside import Beside
from mc_interchange.importers.names import our_names, valid_name
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Input, Simulation, StepCurrent
from mc_interchange.progress import Progress, Silent

from .config import Config, SonataWarning
from .edges import SonataEdges, open_edges
from .find import Circuit, find_circuit, is_circuit
from .inputs import Inputs
from .lint import CONSUMERS, check_directory
from .node_sets import NodeSets
from .node_table import NodeTable, open_nodes
from .nodes import read_nodes

__all__ = ["SonataImporter", "SonataWarning"]


class SonataImporter(Importer):
    """Reads SONATA circuits of point neurons, whoever wrote them.

    One population of the circuit is one of the instance, with several models where its types differ in
    theirs. An edge population whose types differ in synapse model, receptor or synapse parameters gives one
    projection for each. What SONATA cannot say (Poisson inputs, recordings) is taken from the model file
    beside the circuit, or for a network without rules from the experiment file, where there is one. Where
    both say something, the circuit counts and a :class:`SonataWarning` tells.
    """

    format = "sonata"
    title = "SONATA circuit"
    consumers = CONSUMERS

    def recognises(self, path: Path) -> bool:
        """Say whether this is a directory with a circuit or simulation config, or such a config."""
        return is_circuit(path)

    def check(
        self,
        path: Path,
        consumers: Collection[str] = (),
        *,
        progress: Progress = Silent(),  # noqa: B008
    ) -> list[Finding]:
        """Check every file of a directory (see :mod:`.lint`)."""
        return check_directory(path, consumers, progress)

    def read(self, path: Path) -> NetworkInstance:
        """Open a circuit (see :class:`mc_interchange.contracts.Importer`)."""
        circuit = find_circuit(path)
        directory = circuit.directory
        beside = Beside(directory, "the circuit", SonataWarning)
        simulation = _simulation(circuit, beside.simulation)
        if circuit.run is not None:
            keys = {"dt": "dt", "duration": "tstop", "seed": "random_seed"}
            places = {field: f"run.{key} in {circuit.run.file.name}" for field, key in keys.items()}
            beside.compare_simulation(simulation, places)
        tables, ours = _tables(circuit)
        models = circuit.component("point_neuron_models_dir")
        populations = {ours[name]: read_nodes(table, ours[name], models) for name, table in tables.items()}
        projections = _projections(circuit, tables, ours, simulation.dt)
        populations = beside.complete(populations)
        beside.compare_projections(projections, simulation.seed)
        sets = NodeSets((circuit.run or circuit.circuit).file, circuit.node_sets(), tables)
        inputs = Inputs(populations, ours, sets, simulation)
        if circuit.run is None:
            inputs.read_exported(directory)
        else:
            inputs.read(circuit.run)
            _report_unused(circuit.run, has_rules=beside.network is not None)
        populations = beside.with_activity(inputs.populations)
        for nodes in populations.values():
            if nodes.virtual and nodes.activity is None:
                message = f"{path}: no spikes are given for the virtual population {nodes.name}"
                warnings.warn(message, SonataWarning, stacklevel=2)
        network = beside.network
        sizes = {nodes.name: nodes.size for nodes in populations.values()}
        effect = partial(_effect, dt=simulation.dt, sizes=sizes)
        try:
            return NetworkInstance(
                name=beside.name or valid_name(directory.resolve().name),
                populations=populations,
                projections=projections,
                inputs=beside.join_inputs(inputs.currents, effect, "the simulation config"),
                simulation=simulation,
                network=network,
                seed=simulation.seed if network else None,
            )
        except ModelError as error:
            raise FormatError(f"{circuit.circuit.file}: {error}") from None


def _tables(circuit: Circuit) -> tuple[dict[str, NodeTable], dict[str, str]]:
    """Open the node files; return their populations, and our names of these."""
    config = circuit.circuit
    tables: dict[str, NodeTable] = {}
    for entry in config.files("nodes"):
        file = config.path(entry, "nodes_file")
        for table in open_nodes(file, _types_file(config, entry, "node_types_file"), _declared(config, entry)):
            if table.name in tables:
                raise FormatError(f"{file}: population {table.name} is defined twice")
            tables[table.name] = table
    if not tables:
        raise FormatError(f"{config.file}: the circuit has no node populations")
    return tables, dict(zip(tables, our_names(config.file, "population", list(tables), SonataWarning), strict=True))


def _projections(
    circuit: Circuit, tables: dict[str, NodeTable], ours: dict[str, str], dt: float
) -> dict[str, SonataEdges]:
    config = circuit.circuit
    networks = config.section("networks")
    others = [
        name for entry in config.files("edges") for name, kind in _declared(config, entry).items() if kind != "chemical"
    ]
    if networks.get("gap_juncs") or others:
        what = f"edge population {others[0]} is not chemical" if others else "networks.gap_juncs is given"
        raise FormatError(f"{config.file}: {what}; only chemical synapses are supported")
    models = circuit.component("synaptic_models_dir")
    sizes = {name: table.size for name, table in tables.items()}
    found = [
        edges
        for entry in config.files("edges")
        for edges in open_edges(
            config.path(entry, "edges_file"), _types_file(config, entry, "edge_types_file"), models, sizes, dt
        )
    ]
    names = our_names(config.file, "projection", [e.name for e in found], SonataWarning)
    for edges, name in zip(found, names, strict=True):
        edges.name, edges.source, edges.target = name, ours[edges.source], ours[edges.target]
    return {edges.name: edges for edges in found}


def _declared(config: Config, entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the types of populations, where an entry declares them as libsonata reads them."""
    populations = entry.get("populations", {})
    if not isinstance(populations, dict) or not all(isinstance(p, dict) for p in populations.values()):
        raise FormatError(f"{config.file}: populations of an entry must be an object of objects")
    return {name: str(p["type"]) for name, p in populations.items() if "type" in p}


def _report_unused(run: Config, *, has_rules: bool) -> None:
    """Tell of what a simulation config asks for in vain."""
    unused = []
    if run.section("run").get("tstart"):
        unused.append("run.tstart (the simulation begins at 0)")
    if "v_init" in run.section("conditions"):
        unused.append("conditions.v_init (neurons start at the V_m of their parameters)")
    if not has_rules and any(r.get("enabled", True) for r in run.section("reports").values() if isinstance(r, dict)):
        unused.append("reports (mc-run --record does the same)")
    if unused:
        warnings.warn(f"{run.file}: not used: {', '.join(unused)}", SonataWarning, stacklevel=3)


def _types_file(config: Config, entry: dict[str, Any], key: str) -> Path | None:
    """Return the type table; there may be none where the HDF5 file holds everything."""
    return None if entry.get(key) in (None, "") else config.path(entry, key)


def _simulation(circuit: Circuit, base: Simulation) -> Simulation:
    """Join what the simulation config says with what only the file beside the circuit says."""
    config = circuit.run
    if config is None:
        return base
    run = config.section("run")
    # where both are given, bmtk takes the duration
    said = {"dt": run.get("dt"), "duration": run.get("duration", run.get("tstop")), "seed": run.get("random_seed")}
    known = {key: value for key, value in said.items() if value is not None}
    try:
        joined = Simulation(**{**base.model_dump(), **known})
    except ModelError as error:
        raise FormatError(f"{config.file}: run: {str(error).removeprefix('Simulation: ')}") from None
    return joined


def _effect(item: Input, *, dt: float, sizes: Mapping[str, int]) -> tuple[object, ...]:
    """Return what a step current does, however its generator is described; circuits have no other inputs."""
    if not isinstance(item, StepCurrent):
        return ()
    every = len(item.neurons or ()) == sizes.get(item.target)
    return item.target, None if every else item.neurons, item.amplitude, sonata.clamp_steps(item, dt)
