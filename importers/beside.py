"""The file beside what is read: what only it says, and where it disagrees with the files of the format.

A network that was made from rules has ``model.yaml``; any other may have ``experiment.yaml``, its inputs and
simulation.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from mc_interchange.errors import ModelError
from mc_interchange.instance import ArrayTrains, Edges, Nodes, check_name, realize
from mc_interchange.network import (
    Experiment,
    Input,
    Network,
    PoissonActivity,
    Simulation,
    SpikeTrains,
    VirtualPopulation,
    read_experiment,
    read_network,
)
from mc_interchange.output import EXPERIMENT_FILE, MANIFEST, MODEL_FILE

__all__ = ["Beside"]


class Beside:
    """The model file of a directory, or else its experiment file; or neither, which adds nothing.

    Parameters
    ----------
    directory
        Where it lies.
    read
        What is read, in words: ``the circuit``. Where the two disagree, that is used, and a warning tells.
    category
        Of the warnings.

    Raises
    ------
    FormatError, ModelError
    """

    def __init__(self, directory: Path, read: str, category: type[Warning]) -> None:
        self.file = directory / MODEL_FILE
        self.network: Network | None = read_network(self.file) if self.file.is_file() else None
        self.experiment = Experiment()
        if self.network is None:
            self.file = directory / EXPERIMENT_FILE
            if self.file.is_file():
                self.experiment = read_experiment(self.file)
        self._read = read
        self._category = category

    @property
    def found(self) -> bool:
        """Whether there is one."""
        return self.file.is_file()

    @property
    def simulation(self) -> Simulation:
        """What it says of the simulation."""
        return (self.network or self.experiment).simulation

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Its inputs."""
        return (self.network or self.experiment).inputs

    def conflict(self, what: str) -> None:
        """Report a disagreement."""
        self._warn(f"{what}; {self._read} is used")

    @property
    def name(self) -> str | None:
        """Name of the model; None where neither the rules nor a manifest give one."""
        name = self.network.name if self.network else self._exported("model")
        try:
            check_name("model", name)  # type: ignore[arg-type]  # anything but a good name is refused
        except ModelError:
            return None
        return str(name)

    def compare_simulation(self, joined: Simulation, places: Mapping[str, str]) -> None:
        """Report where the files say something else than the rules.

        Parameters
        ----------
        joined
            As it is used.
        places
            Where the files say ``dt``, ``duration`` and ``seed``, as far as they do.
        """
        # a seed that an exporter was given is not that of the rules
        exported_seed = self._exported("seed")
        for field, place in places.items() if self.network else ():
            rules, ours = getattr(self.simulation, field), getattr(joined, field)
            if rules != ours and not (field == "seed" and ours == exported_seed):
                self.conflict(f"{field} is {rules:.12g}, {place} is {ours:.12g}")

    def complete(self, populations: Mapping[str, Nodes]) -> dict[str, Nodes]:
        """Add what only the rules say, in their order, and report where they disagree."""
        if self.network is None:
            return dict(populations)
        described = {p.name: p for p in self.network.populations}
        if described.keys() != populations.keys():
            self.conflict(f"populations {sorted(described)} against {sorted(populations)} in {self._read}")
        known = [name for name in described if name in populations]
        complete = {name: populations[name] for name in [*known, *(n for n in populations if n not in described)]}
        for name in known:
            nodes, rules = populations[name], described[name]
            if rules.size != nodes.size:
                self.conflict(f"population {name} has {rules.size} neurons, {nodes.size} in {self._read}")
            if isinstance(rules, VirtualPopulation) != nodes.virtual:
                self.conflict(f"population {name} is virtual in one of the two only")
            elif isinstance(rules, VirtualPopulation):
                said = rules.activity
                activity = ArrayTrains.from_lists(said.times) if isinstance(said, SpikeTrains) else said
                if isinstance(nodes.activity, PoissonActivity) and nodes.activity != activity:
                    self.conflict(f"the activity of population {name} differs")
                complete[name] = replace(nodes, activity=nodes.activity or activity, color=rules.color)
            else:
                if nodes.neuron != rules.neuron and not nodes.varying:
                    self.conflict(f"the neuron parameters of population {name} differ")
                complete[name] = replace(nodes, color=rules.color)
        return complete

    def compare_projections(self, found: Mapping[str, Edges], seed: int) -> None:
        """Report where the rules and the files name other projections, or other populations for one."""
        if self.network is None:
            return
        rules = {p.name: (p.source, p.target) for p in self.network.projections}
        for name in sorted(found.keys() - rules.keys()):
            self.conflict(f"projection {name} is in {self._read} only")
        missing = tuple(p for p in self.network.projections if p.name not in found)
        if missing:
            # a rule that draws no synapse has no place in the files
            drawn = realize(self.network.model_copy(update={"projections": missing}), seed).projections
            for name in drawn:
                self.conflict(f"projection {name} is not in {self._read}")
        for name in sorted(found.keys() & rules.keys()):
            ends = (found[name].source, found[name].target)
            if ends != rules[name]:
                self.conflict(f"projection {name} is {' -> '.join(rules[name])}, {' -> '.join(ends)} in {self._read}")

    def with_activity(self, populations: Mapping[str, Nodes]) -> dict[str, Nodes]:
        """Give the Poisson activity of an experiment to the virtual populations that have no spikes."""
        complete = dict(populations)
        for name, activity in self.experiment.activity.items():
            if name not in complete or not complete[name].virtual:
                self._warn(f"activity of {name} is not used: {self._read} has no virtual population of that name")
            elif complete[name].activity is None:
                complete[name] = replace(complete[name], activity=activity)
        return complete

    def join_inputs(
        self,
        read: tuple[Input, ...],
        effect: Callable[[Input], object],
        place: str,
        is_written: Callable[[Input], bool] | None = None,
    ) -> tuple[Input, ...]:
        """Return all inputs, none of them twice: those of this file, and those that only the files have.

        Parameters
        ----------
        read
            As the files have them.
        effect
            What an input does, however it is described, as far as the files can say it.
        place
            Which of the files hold inputs, for warnings.
        is_written
            Whether the files have an input if they are complete; None: of no input.
        """
        left = {item.name: item for item in read}
        inputs: list[Input] = []
        for item in self.inputs:
            mine = left.pop(item.name, None)
            if mine is not None and effect(mine) != effect(item):
                self.conflict(f"input {item.name} differs from that in {place}")
                inputs.append(mine)
            elif mine is None and is_written and is_written(item):
                self.conflict(f"input {item.name} is not in {place}")
            else:
                inputs.append(item)
        return (*inputs, *left.values())

    def _exported(self, key: str) -> object:
        """Return what the manifest of an exporter of this package states, or None where there is none."""
        try:
            manifest = json.loads((self.file.parent / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return manifest.get(key) if isinstance(manifest, dict) else None

    def _warn(self, what: str) -> None:
        warnings.warn(f"{self.file}: {what}", self._category, stacklevel=4)
