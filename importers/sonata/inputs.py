"""The inputs that a simulation config names: spikes of virtual populations, and current clamps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mc_interchange.formats import sonata
from mc_interchange.instance import Nodes, Trains
from mc_interchange.network import StepCurrent

from .config import Config, SonataWarning
from .currents import is_clamp, read_clamp, report_early
from .names import unique_names
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
    dt
        Resolution in ms.
    """

    def __init__(self, populations: Mapping[str, Nodes], ours: Mapping[str, str], sets: NodeSets, dt: float) -> None:
        self.populations = dict(populations)
        self.currents: tuple[StepCurrent, ...] = ()
        self._ours = ours
        self._sets = sets
        self._dt = dt
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
            elif not isinstance(entry, dict) or not self._read_spikes(config, entry):
                message = (
                    f"{config.file}: input {key} is not read: only spikes of virtual populations (module h5 or csv, "
                    "one input each) and current clamps (module IClamp) are"
                )
                warnings.warn(message, SonataWarning, stacklevel=2)
        names = unique_names([current.name for current in self.currents])
        self.currents = tuple(
            current.model_copy(update={"name": name}) for current, name in zip(self.currents, names, strict=True)
        )

    def _read_spikes(self, config: Config, entry: dict[str, Any]) -> bool:
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
        if module == _REPLAY:
            fed = [name for name in spike_populations(path) if name in self._ours]
        else:
            fed = list(self._sets.select(entry.get("node_set", "all")))
        fed = [name for name in fed if self.populations[self._ours[name]].virtual and self._ours[name] not in self._fed]
        for name in fed:
            size = self.populations[self._ours[name]].size
            read = read_csv_trains if module == "csv" else read_trains
            self._feed(self._ours[name], read(path, name, size, self._dt))
        return bool(fed)

    def _feed(self, name: str, trains: Trains) -> None:
        self.populations[name] = replace(self.populations[name], activity=trains)
        self._fed.add(name)
