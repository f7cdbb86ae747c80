"""The SONATA importer."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.contracts import Importer
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats import sonata
from mc_interchange.formats.sonata_output import read_spikes
from mc_interchange.instance import NetworkInstance, Nodes
from mc_interchange.network import Network, Simulation, SpikeTrains, VirtualPopulation, read_network
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .edges import open_edges
from .nodes import read_nodes

__all__ = ["SonataImporter", "SonataWarning"]

MODEL_FILE = "model.yaml"


class SonataWarning(UserWarning):
    """Something about a circuit that its user should know: what was chosen, rounded, or is not there."""


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
        config = _Config(config_path)
        network = read_network(directory / MODEL_FILE) if (directory / MODEL_FILE).is_file() else None
        simulation = _simulation(directory / sonata.simulation_config(), network)
        populations = _ordered(_nodes(config), network)
        sizes = {name: nodes.size for name, nodes in populations.items()}
        projections = [
            edges
            for entry in config.files("edges")
            for edges in open_edges(config.path(entry, "edges_file"), sizes, simulation.dt)
        ]
        if network is not None:
            populations = _complete(populations, network, directory)
        populations = _spike_inputs(populations, directory, simulation.dt)
        silent = [n.name for n in populations.values() if n.virtual and n.activity is None]
        if silent:
            warnings.warn(f"{path}: no spikes are given for the virtual population {silent[0]}", SonataWarning, 2)
        return NetworkInstance(
            name=network.name if network else directory.resolve().name,
            populations=populations,
            projections={edges.name: edges for edges in projections},
            inputs=network.inputs if network else (),
            simulation=simulation,
            network=network,
            seed=simulation.seed if network else None,
        )


class _Config:
    """A circuit config with its variables."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = _read_json(path)
        manifest = self._content.get("manifest", {})
        self._variables = (
            {k: v for k, v in manifest.items() if isinstance(v, str)} if isinstance(manifest, dict) else {}
        )

    def files(self, kind: str) -> list[dict[str, Any]]:
        networks = self._content.get("networks")
        entries = networks.get(kind) if isinstance(networks, dict) else None
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise FormatError(f"{self._path}: networks.{kind} must be a list of objects")
        return entries

    def path(self, entry: dict[str, Any], key: str) -> Path:
        value = entry.get(key)
        if not isinstance(value, str):
            raise FormatError(f"{self._path}: an entry has no {key}")
        return self.resolve(value)

    def models(self) -> Path:
        components = self._content.get("components", {})
        folder = components.get("point_neuron_models_dir", ".") if isinstance(components, dict) else None
        if not isinstance(folder, str):
            raise FormatError(f"{self._path}: components.point_neuron_models_dir must be a path")
        return self.resolve(folder)

    def resolve(self, text: str) -> Path:
        for _ in range(len(self._variables) + 1):
            if "$" not in text:
                break
            for name, value in self._variables.items():
                text = text.replace(f"${{{name.lstrip('$')}}}", value).replace(name, value)
        if "$" in text:
            raise FormatError(f"{self._path}: {text!r} has a variable that the manifest does not define")
        root = self._path.parent.resolve()
        path = (root / text).resolve()
        if not path.is_relative_to(root):
            raise FormatError(f"{self._path}: {text!r} leaves the directory of the circuit")
        return path


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path}: not a JSON object")
    return content


def _nodes(config: _Config) -> dict[str, Nodes]:
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


def _simulation(path: Path, network: Network | None) -> Simulation:
    """Join what the simulation config says with what only the model file says."""
    base = network.simulation if network else Simulation()
    if not path.is_file():
        return base
    run = _read_json(path).get("run", {})
    if not isinstance(run, dict):
        raise FormatError(f"{path}: run must be an object")
    said = {"dt": run.get("dt"), "duration": run.get("tstop"), "seed": run.get("random_seed")}
    known = {key: value for key, value in said.items() if value is not None}
    try:
        return Simulation(**{**base.model_dump(), **known})
    except ModelError as error:
        raise FormatError(f"{path}: run: {error}") from None


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


def _conflict(directory: Path, what: str) -> None:
    warnings.warn(f"{directory / MODEL_FILE}: {what}; the circuit is used", SonataWarning, stacklevel=2)


def _spike_inputs(populations: dict[str, Nodes], directory: Path, dt: float) -> dict[str, Nodes]:
    """Read the spike trains of virtual populations; they count more than the model file."""
    complete = dict(populations)
    for name, nodes in populations.items():
        path = directory / sonata.input_file(name)
        if not nodes.virtual or not path.is_file():
            continue
        times, neurons = read_spikes(path).get(name, (np.empty(0), np.empty(0, int)))
        if len(neurons) and int(neurons.max()) >= nodes.size:
            raise FormatError(f"{path}: node_ids must be below the population's size {nodes.size}")
        _report_rounding(path, times, dt)
        order = np.lexsort((times, neurons))
        ends = np.searchsorted(neurons[order], np.arange(nodes.size + 1))
        trains = tuple(tuple(times[order][a:b].tolist()) for a, b in pairwise(ends))
        try:
            complete[name] = replace(nodes, activity=SpikeTrains(times=trains))
        except ModelError as error:
            raise FormatError(f"{path}: {error}") from None
    return complete


def _report_rounding(path: Path, times: NDArray[np.float64], dt: float) -> None:
    """Tell of spike times that simulators with this resolution will round."""
    counts = times * steps(1.0, dt)
    n_missed = np.count_nonzero(np.abs(counts - np.rint(counts)) > TOLERANCE)
    if n_missed:
        message = (
            f"{path}: {n_missed} of {len(times)} spike times are not multiples of dt = {dt:g} ms; they are rounded"
        )
        warnings.warn(message, SonataWarning, stacklevel=2)
