"""From the path that a user gives to the configs of the circuit and of the simulation."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata

from .config import Config, SonataWarning, read_json

__all__ = ["Circuit", "find_circuit", "is_circuit"]

#: Names that count more than others of their kind; the second and third are those of bmtk.
_CIRCUIT = (sonata.CIRCUIT_CONFIG, "config.circuit.json")
_SIMULATION = (sonata.simulation_config(), "config.simulation.json", "config.json")
#: Simulation configs of this package's exporter whose inputs are in other units or words.
_OTHERS_ONLY = (sonata.simulation_config("pynn"), sonata.simulation_config("snap"))
#: Sections that only simulation configs have.
_RUN_SECTIONS = ("run", "inputs", "output", "network")


@dataclass(frozen=True)
class Circuit:
    """The two configs; one and the same where a simulation config holds its circuit.

    Parameters
    ----------
    circuit
        The config with the node and edge files.
    run
        The simulation config; None where there is none.
    """

    circuit: Config
    run: Config | None

    @property
    def directory(self) -> Path:
        """Where the circuit config lies, as the user named it."""
        return self.circuit.file.parent

    def component(self, key: str) -> Path:
        """Return a directory of the components, which either config may name."""
        if self.run is not None and key not in self.circuit.section("components"):
            return self.run.component(key)
        return self.circuit.component(key)

    def node_sets(self) -> dict[str, Any]:
        """Return the node sets of the circuit and of the simulation (which may replace some)."""
        sets: dict[str, Any] = {}
        for config in dict.fromkeys((self.circuit, self.run)):
            if config is None:
                continue
            named = config.content.get("node_sets_file")
            if isinstance(named, str):
                file = config.resolve(named)
                if file.exists():
                    sets |= read_json(file)
                else:  # populations are known without it
                    warnings.warn(f"{config.file}: node_sets_file {named} does not exist", SonataWarning, stacklevel=2)
            sets |= config.section("node_sets")
        return sets


def is_circuit(path: Path) -> bool:
    """Say whether a path can be meant as a circuit, without opening more than configs."""
    if path.is_dir():
        named = (file for kind in ("circuit", "simulation") for file in _candidates(path, kind))
        return any(map(is_circuit, named)) or any(any(path.glob(f"{where}*_nodes.h5")) for where in ("", "*/"))
    if path.suffix != ".json":
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "config" in path.name  # to be told what is wrong with it
    return isinstance(content, dict) and bool(content.keys() & {"network", "networks"})


def find_circuit(path: Path) -> Circuit:
    """Find the configs.

    Parameters
    ----------
    path
        A directory, a circuit config or a simulation config.

    Raises
    ------
    FormatError
        A config is missing or damaged, or there are several and none has a name that decides.
    """
    if path.is_dir():
        file = _only(path, "circuit") or _only(path, "simulation")
        if file is None:
            raise FormatError(f"{path}: there is no {sonata.CIRCUIT_CONFIG}")
        return find_circuit(file)
    if path.name in _OTHERS_ONLY:
        raise FormatError(f"{path}: is for another tool only; open {sonata.simulation_config()} beside it")
    given = Config(path)
    root = given.root
    # bmtk's older form: one file that only names the other two
    simulation, network = given.content.get("simulation"), given.content.get("network")
    if isinstance(simulation, str):
        run: Config | None = Config(given.resolve(simulation), root)
    elif any(key in given.content for key in _RUN_SECTIONS):
        run = given
    else:
        beside = _only(path.parent, "simulation")
        run = Config(beside, root) if beside and beside != path else None
    if isinstance(network, str):
        return Circuit(Config(_as_named(path, given.resolve(network)), root), run)
    if "networks" not in given.content and run is not None and isinstance(run.content.get("network"), str):
        return Circuit(Config(_as_named(path, run.resolve(run.content["network"])), root), run)
    return Circuit(given, run)


def _as_named(path: Path, resolved: Path) -> Path:
    """Return a path below the directory that the user named, in the user's words."""
    root = path.parent.resolve()
    return path.parent / resolved.relative_to(root) if resolved.is_relative_to(root) else resolved


def _candidates(directory: Path, kind: str) -> list[Path]:
    """Return the configs of a kind, those with a name that counts more first."""
    preferred = _CIRCUIT if kind == "circuit" else _SIMULATION
    named = [directory / name for name in preferred if (directory / name).is_file()]
    others = [p for p in directory.glob("*.json") if kind in p.name and "config" in p.name and p.is_file()]
    # the exporter's forms for single consumers say the same as its common form
    return named + sorted(p for p in others if p not in named and not set(p.name.split(".")) & set(sonata.DIALECTS))


def _only(directory: Path, kind: str) -> Path | None:
    """Return the config of a kind, or None where there is none."""
    found = _candidates(directory, kind)
    if len(found) > 1 and found[0].name not in (*_CIRCUIT, *_SIMULATION):
        names = ", ".join(p.name for p in found)
        raise FormatError(f"{directory}: several {kind} configs ({names}); name the simulation config that is meant")
    return found[0] if found else None
