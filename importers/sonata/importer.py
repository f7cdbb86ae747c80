"""The SONATA importer."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mc_interchange.contracts import Finding, Importer
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.instance import NetworkInstance, Nodes, check_name
from mc_interchange.network import Experiment, Simulation, read_experiment, read_network
from mc_interchange.output import EXPERIMENT_FILE, MANIFEST, MODEL_FILE
from mc_interchange.progress import Progress, Silent

from .config import Config, SonataWarning
from .edges import SonataEdges, open_edges
from .find import Circuit, find_circuit, is_circuit
from .inputs import Inputs
from .lint import CONSUMERS, check_directory
from .model_file import ModelFile, join_inputs
from .names import our_names, valid_name
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
        file = directory / MODEL_FILE
        model = ModelFile(directory, read_network(file)) if file.is_file() else None
        experiment = _experiment(directory) if model is None else Experiment()
        simulation = _simulation(circuit, model.network.simulation if model else experiment.simulation)
        if model is not None and circuit.run is not None:
            model.compare_simulation(simulation, circuit.run, exported_seed=_exported(directory, "seed"))
        tables, ours = _tables(circuit)
        models = circuit.component("point_neuron_models_dir")
        populations = {ours[name]: read_nodes(table, ours[name], models) for name, table in tables.items()}
        projections = _projections(circuit, tables, ours, simulation.dt)
        if model is not None:
            populations = model.complete(populations)
            model.compare_projections(projections, simulation.seed)
        sets = NodeSets((circuit.run or circuit.circuit).file, circuit.node_sets(), tables)
        inputs = Inputs(populations, ours, sets, simulation)
        if circuit.run is None:
            inputs.read_exported(directory)
        else:
            inputs.read(circuit.run)
            _report_unused(circuit.run, model)
        populations = _with_activity(inputs.populations, experiment, directory / EXPERIMENT_FILE)
        for nodes in populations.values():
            if nodes.virtual and nodes.activity is None:
                message = f"{path}: no spikes are given for the virtual population {nodes.name}"
                warnings.warn(message, SonataWarning, stacklevel=2)
        network = model.network if model else None
        said, beside = (network.inputs, file) if network else (experiment.inputs, directory / EXPERIMENT_FILE)
        sizes = {nodes.name: nodes.size for nodes in populations.values()}
        try:
            return NetworkInstance(
                name=network.name if network else _model_name(directory),
                populations=populations,
                projections=projections,
                inputs=join_inputs(said, inputs.currents, simulation.dt, beside, sizes),
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
    return tables, dict(zip(tables, our_names(config.file, "population", list(tables)), strict=True))


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
    for edges, name in zip(found, our_names(config.file, "projection", [e.name for e in found]), strict=True):
        edges.name, edges.source, edges.target = name, ours[edges.source], ours[edges.target]
    return {edges.name: edges for edges in found}


def _declared(config: Config, entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the types of populations, where an entry declares them as libsonata reads them."""
    populations = entry.get("populations", {})
    if not isinstance(populations, dict) or not all(isinstance(p, dict) for p in populations.values()):
        raise FormatError(f"{config.file}: populations of an entry must be an object of objects")
    return {name: str(p["type"]) for name, p in populations.items() if "type" in p}


def _report_unused(run: Config, model: ModelFile | None) -> None:
    """Tell of what a simulation config asks for in vain."""
    unused = []
    if run.section("run").get("tstart"):
        unused.append("run.tstart (the simulation begins at 0)")
    if "v_init" in run.section("conditions"):
        unused.append("conditions.v_init (neurons start at the V_m of their parameters)")
    if model is None and any(r.get("enabled", True) for r in run.section("reports").values() if isinstance(r, dict)):
        unused.append("reports (mc-run --record does the same)")
    if unused:
        warnings.warn(f"{run.file}: not used: {', '.join(unused)}", SonataWarning, stacklevel=3)


def _types_file(config: Config, entry: dict[str, Any], key: str) -> Path | None:
    """Return the type table; there may be none where the HDF5 file holds everything."""
    return None if entry.get(key) in (None, "") else config.path(entry, key)


def _experiment(directory: Path) -> Experiment:
    """Return the inputs and simulation that an export without rules has in a file of their own."""
    file = directory / EXPERIMENT_FILE
    return read_experiment(file) if file.is_file() else Experiment()


def _with_activity(populations: Mapping[str, Nodes], experiment: Experiment, file: Path) -> dict[str, Nodes]:
    """Give Poisson activity to the virtual populations that have no spikes."""
    complete = dict(populations)
    for name, activity in experiment.activity.items():
        if name not in complete or not complete[name].virtual:
            message = f"{file}: activity of {name} is not used: the circuit has no virtual population of that name"
            warnings.warn(message, SonataWarning, stacklevel=3)
        elif complete[name].activity is None:
            complete[name] = replace(complete[name], activity=activity)
    return complete


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


def _exported(directory: Path, key: str) -> object:
    """Return what the manifest of an exporter of this package states, or None where there is none."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return manifest.get(key) if isinstance(manifest, dict) else None


def _model_name(directory: Path) -> str:
    """Return the name that the manifest gives, else one made of the directory's."""
    name = _exported(directory, "model")
    try:
        check_name("model", name)  # type: ignore[arg-type]  # anything but a good name is refused
    except ModelError:
        return valid_name(directory.resolve().name)
    return str(name)
