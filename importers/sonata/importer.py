"""The SONATA importer."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

from mc_interchange.contracts import Importer
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.export import MODEL_FILE
from mc_interchange.formats import sonata
from mc_interchange.instance import NetworkInstance, Nodes, check_name, realize
from mc_interchange.network import Network, Simulation, VirtualPopulation, read_network
from mc_interchange.output import MANIFEST

from .config import Config, SonataWarning
from .edges import SonataEdges, open_edges
from .inputs import with_spike_inputs
from .nodes import read_nodes

__all__ = ["SonataImporter", "SonataWarning"]


class SonataImporter(Importer):
    """Reads SONATA circuits of point neurons: one node type per population, one group per edge population.

    What SONATA cannot say (Poisson inputs, step currents, recordings) is taken from the model file beside
    the circuit, where there is one. Where both say something, the circuit counts and a
    :class:`SonataWarning` tells.
    """

    format = "sonata"
    title = "SONATA circuit directory"

    def recognises(self, path: Path) -> bool:
        """Say whether this is a directory with a circuit config, or such a config."""
        if path.is_dir():
            return (path / sonata.CIRCUIT_CONFIG).is_file()
        return path.suffix == ".json" and path.name.startswith("circuit_config")

    def read(self, path: Path) -> NetworkInstance:
        """Open a circuit (see :class:`mc_interchange.contracts.Importer`)."""
        config_path = path / sonata.CIRCUIT_CONFIG if path.is_dir() else path
        directory = config_path.parent
        config = Config(config_path)
        network = read_network(directory / MODEL_FILE) if (directory / MODEL_FILE).is_file() else None
        run_file = directory / sonata.simulation_config()
        run_config = Config(run_file) if run_file.is_file() else None
        simulation = _simulation(directory, run_config, network)
        populations = _ordered(_nodes(config), network)
        sizes = {name: nodes.size for name, nodes in populations.items()}
        projections = [
            edges
            for entry in config.files("edges")
            for edges in open_edges(
                config.path(entry, "edges_file"), config.path(entry, "edge_types_file"), sizes, simulation.dt
            )
        ]
        if network is not None:
            populations = _complete(populations, network, directory)
            _compare_projections(projections, network, simulation.seed, directory)
        populations = with_spike_inputs(populations, directory, run_config, simulation.dt)
        silent = [n.name for n in populations.values() if n.virtual and n.activity is None]
        if silent:
            warnings.warn(f"{path}: no spikes are given for the virtual population {silent[0]}", SonataWarning, 2)
        return NetworkInstance(
            name=network.name if network else _model_name(directory),
            populations=populations,
            projections={edges.name: edges for edges in projections},
            inputs=network.inputs if network else (),
            simulation=simulation,
            network=network,
            seed=simulation.seed if network else None,
        )


def _nodes(config: Config) -> dict[str, Nodes]:
    populations: dict[str, Nodes] = {}
    for entry in config.files("nodes"):
        nodes_file, types_file = (config.path(entry, key) for key in ("nodes_file", "node_types_file"))
        for nodes in read_nodes(nodes_file, types_file, config.models()):
            if nodes.name in populations:
                raise FormatError(f"{nodes_file}: population {nodes.name} is defined twice")
            populations[nodes.name] = nodes
    if not populations:
        raise FormatError("the circuit has no node populations")
    return populations


def _simulation(directory: Path, config: Config | None, network: Network | None) -> Simulation:
    """Join what the simulation config says with what only the model file says."""
    base = network.simulation if network else Simulation()
    if config is None:
        return base
    run = config.section("run")
    said = {"dt": run.get("dt"), "duration": run.get("tstop"), "seed": run.get("random_seed")}
    known = {key: value for key, value in said.items() if value is not None}
    try:
        joined = Simulation(**{**base.model_dump(), **known})
    except ModelError as error:
        raise FormatError(f"{config.file}: run: {str(error).removeprefix('Simulation: ')}") from None
    if network is not None:
        for field, key in (("dt", "dt"), ("duration", "tstop"), ("seed", "random_seed")):
            rules, ours = getattr(base, field), getattr(joined, field)
            # a seed that an exporter was given is not that of the rules
            if rules != ours and not (field == "seed" and ours == _exported(directory, "seed")):
                _conflict(directory, f"{field} is {rules:.12g}, run.{key} in {config.file.name} is {ours:.12g}")
    return joined


def _exported(directory: Path, key: str) -> object:
    """Return what the manifest of an exporter of this package states, or None where there is none."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return manifest.get(key) if isinstance(manifest, dict) else None


def _ordered(populations: dict[str, Nodes], network: Network | None) -> dict[str, Nodes]:
    if network is None:
        return populations
    known = [p.name for p in network.populations if p.name in populations]
    return {name: populations[name] for name in [*known, *(n for n in populations if n not in known)]}


def _complete(populations: dict[str, Nodes], network: Network, directory: Path) -> dict[str, Nodes]:
    """Add what only the model file says, and report where it disagrees."""
    complete = dict(populations)
    described = {p.name: p for p in network.populations}
    if described.keys() != populations.keys():
        _conflict(directory, f"populations {sorted(described)} against {sorted(populations)} in the circuit")
    for name, nodes in populations.items():
        rules = described.get(name)
        if rules is None:
            continue
        if rules.size != nodes.size:
            _conflict(directory, f"population {name} has {rules.size} neurons, {nodes.size} in the circuit")
        if isinstance(rules, VirtualPopulation) != nodes.virtual:
            _conflict(directory, f"population {name} is virtual in one of the two only")
        elif isinstance(rules, VirtualPopulation):
            complete[name] = replace(nodes, activity=rules.activity, color=rules.color)
        else:
            if nodes.neuron != rules.neuron and not nodes.varying:
                _conflict(directory, f"the neuron parameters of population {name} differ")
            complete[name] = replace(nodes, color=rules.color)
    return complete


def _compare_projections(projections: list[SonataEdges], network: Network, seed: int, directory: Path) -> None:
    """Report where the rules and the circuit name other projections, or other populations for one."""
    rules = {p.name: (p.source, p.target) for p in network.projections}
    found = {edges.name: (edges.source, edges.target) for edges in projections}
    for name in sorted(found.keys() - rules.keys()):
        _conflict(directory, f"projection {name} is in the circuit only")
    missing = tuple(p for p in network.projections if p.name not in found)
    if missing:
        # a rule that draws no synapse has no file
        drawn = realize(network.model_copy(update={"projections": missing}), seed).projections
        for name in drawn:
            _conflict(directory, f"projection {name} is not in the circuit")
    for name in sorted(found.keys() & rules.keys()):
        if found[name] != rules[name]:
            ends = " -> ".join(rules[name]), " -> ".join(found[name])
            _conflict(directory, f"projection {name} is {ends[0]}, {ends[1]} in the circuit")


def _conflict(directory: Path, what: str) -> None:
    warnings.warn(f"{directory / MODEL_FILE}: {what}; the circuit is used", SonataWarning, stacklevel=2)


def _model_name(directory: Path) -> str:
    """Return the name that the manifest gives, else one made of the directory's."""
    name = _exported(directory, "model")
    try:
        check_name("model", name)  # type: ignore[arg-type]  # anything but a good name is refused
    except ModelError:
        name = re.sub(r"\W", "_", directory.resolve().name, flags=re.ASCII)[:63]
        return f"_{name}" if not name or name[0].isdigit() else name
    return str(name)
