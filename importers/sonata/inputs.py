"""The inputs that a simulation config names: spikes of virtual populations, and current clamps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mc_interchange.formats import sonata
from mc_interchange.importers.names import unique_names
from mc_interchange.instance import Nodes, Trains
from mc_interchange.network import Simulation, StepCurrent

from .config import Config, SonataWarning
from .currents import is_clamp, read_clamp, report_early
from .node_sets import NodeSets
from .spikes import read_csv_trains, read_trains, spike_populations

__all__ = ["Inputs"]

_HDF5 = ("h5", "hdf5", "sonata")
#: libsonata's word; its node set names the targets, and the file the sources.
_REPLAY = "synapse_replay"


class Inputs:
    """Reads the inputs of a circuit.

    Parameters
    ----------
    populations
        By our names.
    ours
        Our names by those of the files.
    sets
        The node sets.
    simulation
        Its resolution and duration count.
    """

    def __init__(
        self, populations: Mapping[str, Nodes], ours: Mapping[str, str], sets: NodeSets, simulation: Simulation
    ) -> None:
        self.populations = dict(populations)
        self.currents: tuple[StepCurrent, ...] = ()
        self._ours = ours
        self._sets = sets
        self._dt = simulation.dt
        self._duration = simulation.duration
        self._fed: set[str] = set()

    def read_exported(self, directory: Path) -> None:
        """Without a simulation config, take the spike files of this package's exporter."""
        for name, nodes in self.populations.items():
            path = directory / sonata.input_file(name)
            if nodes.virtual and path.is_file():
                self._feed(name, read_trains(path, name, nodes.size, self._dt))

    def read(self, config: Config) -> None:
        """Read the inputs of a simulation config, and tell of those that are not read.

        Raises
        ------
        FormatError
        """
        for key, entry in config.section("inputs").items():
            if isinstance(entry, dict) and not entry.get("enabled", True):
                continue
            if isinstance(entry, dict) and is_clamp(entry):
                neurons = {name: ours for name, ours in self._ours.items() if not self.populations[ours].virtual}
                currents = read_clamp(config, key, entry, self._sets, neurons, self._dt)
                report_early(config, key, currents, self._dt)
                self.currents += tuple(currents)
            elif not isinstance(entry, dict) or not self._read_spikes(config, key, entry):
                message = (
                    f"{config.file}: input {key} is not read: only spikes of virtual populations (module h5 or csv, "
                    "one input each) and current clamps (module IClamp) are"
                )
                warnings.warn(message, SonataWarning, stacklevel=2)
        names = unique_names([current.name for current in self.currents])
        self.currents = tuple(
            current.model_copy(update={"name": name}) for current, name in zip(self.currents, names, strict=True)
        )

    def _read_spikes(self, config: Config, name: str, entry: dict[str, Any]) -> bool:
        """Read an input of spikes; False: it is none, or its populations have their spikes already."""
        module = entry.get("module")
        if entry.get("input_type") != "spikes" or module not in (*_HDF5, "csv", _REPLAY):
            return False
        key = "spike_file" if module == _REPLAY else "input_file"
        if not isinstance(entry.get(key), str):
            return False
        if entry.get("use_parrot_neurons"):
            message = f"{config.file}: use_parrot_neurons is not used; in bmtk it makes all spikes a step later"
            warnings.warn(message, SonataWarning, stacklevel=3)
        path = config.resolve(entry[key], beside=True)
        masks = self._sets.select(entry.get("node_set", "all"))
        named = [p for p in spike_populations(path) if p in self._ours] if module == _REPLAY else list(masks)
        named = [population for population in named if self.populations[self._ours[population]].virtual]
        fed = [population for population in named if self._ours[population] not in self._fed]
        if not fed:
            return False
        where = f"{config.file}: inputs.{name}"
        if module == _REPLAY and self._windowed(entry):
            _warn(f"{where}: delay and duration are not used; all spikes of the file are")
        partial = [population for population, mask in masks.items() if not mask.all()]
        if partial:
            _warn(f"{where}: its node set has only some nodes of {', '.join(partial)}, it is taken for all of them")
        without = [population for population in named if population not in fed]
        if without:
            _warn(f"{where}: nothing of it goes to {', '.join(without)}, which has its spikes already")
        for population in fed:
            size = self.populations[self._ours[population]].size
            read = read_csv_trains if module == "csv" else read_trains
            self._feed(self._ours[population], read(path, population, size, self._dt))
        return True

    def _windowed(self, entry: Mapping[str, Any]) -> bool:
        """Say whether an input is meant for a part of the run only."""
        delay, duration = entry.get("delay", 0), entry.get("duration", math.inf)
        return delay != 0 or not isinstance(duration, int | float) or duration < self._duration

    def _feed(self, name: str, trains: Trains) -> None:
        self.populations[name] = replace(self.populations[name], activity=trains)
        self._fed.add(name)


def _warn(message: str) -> None:
    warnings.warn(message, SonataWarning, stacklevel=4)
