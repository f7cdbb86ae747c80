"""The model file beside a circuit: what only it says, and where it disagrees with the circuit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mc_interchange.formats import sonata
from mc_interchange.instance import ArrayTrains, Edges, Nodes, realize
from mc_interchange.network import Input, Network, Simulation, SpikeTrains, StepCurrent, VirtualPopulation
from mc_interchange.output import MODEL_FILE

from .config import Config, SonataWarning

__all__ = ["ModelFile", "join_inputs"]


class ModelFile:
    """The rules that a circuit was drawn from.

    Parameters
    ----------
    directory
        Of the circuit.
    network
        What its model file holds.
    """

    def __init__(self, directory: Path, network: Network) -> None:
        self.network = network
        self._directory = directory

    def compare_simulation(self, joined: Simulation, config: Config, exported_seed: object) -> None:
        """Report where the simulation config says something else."""
        base = self.network.simulation
        for field, key in (("dt", "dt"), ("duration", "tstop"), ("seed", "random_seed")):
            rules, ours = getattr(base, field), getattr(joined, field)
            # a seed that an exporter was given is not that of the rules
            if rules != ours and not (field == "seed" and ours == exported_seed):
                self._conflict(f"{field} is {rules:.12g}, run.{key} in {config.file.name} is {ours:.12g}")

    def complete(self, populations: Mapping[str, Nodes]) -> dict[str, Nodes]:
        """Add what only the model file says, in its order, and report where it disagrees."""
        described = {p.name: p for p in self.network.populations}
        if described.keys() != populations.keys():
            self._conflict(f"populations {sorted(described)} against {sorted(populations)} in the circuit")
        known = [name for name in described if name in populations]
        complete = {name: populations[name] for name in [*known, *(n for n in populations if n not in described)]}
        for name in known:
            nodes, rules = populations[name], described[name]
            if rules.size != nodes.size:
                self._conflict(f"population {name} has {rules.size} neurons, {nodes.size} in the circuit")
            if isinstance(rules, VirtualPopulation) != nodes.virtual:
                self._conflict(f"population {name} is virtual in one of the two only")
            elif isinstance(rules, VirtualPopulation):
                said = rules.activity
                activity = ArrayTrains.from_lists(said.times) if isinstance(said, SpikeTrains) else said
                complete[name] = replace(nodes, activity=activity, color=rules.color)
            else:
                if nodes.neuron != rules.neuron and not nodes.varying:
                    self._conflict(f"the neuron parameters of population {name} differ")
                complete[name] = replace(nodes, color=rules.color)
        return complete

    def compare_projections(self, found: Mapping[str, Edges], seed: int) -> None:
        """Report where the rules and the circuit name other projections, or other populations for one."""
        rules = {p.name: (p.source, p.target) for p in self.network.projections}
        for name in sorted(found.keys() - rules.keys()):
            self._conflict(f"projection {name} is in the circuit only")
        missing = tuple(p for p in self.network.projections if p.name not in found)
        if missing:
            # a rule that draws no synapse has no file
            drawn = realize(self.network.model_copy(update={"projections": missing}), seed).projections
            for name in drawn:
                self._conflict(f"projection {name} is not in the circuit")
        for name in sorted(found.keys() & rules.keys()):
            ends = (found[name].source, found[name].target)
            if ends != rules[name]:
                self._conflict(f"projection {name} is {' -> '.join(rules[name])}, {' -> '.join(ends)} in the circuit")

    def _conflict(self, what: str) -> None:
        _conflict(self._directory / MODEL_FILE, what)


def join_inputs(
    said: tuple[Input, ...], currents: tuple[StepCurrent, ...], dt: float, file: Path, sizes: Mapping[str, int]
) -> tuple[Input, ...]:
    """Return all inputs, none of them twice: the simulation config may hold the step currents too.

    Parameters
    ----------
    said
        As the file beside the circuit has them.
    currents
        As the simulation config has them.
    dt
        Resolution in ms.
    file
        That file, for warnings.
    sizes
        Numbers of neurons by population.
    """
    read = {current.name: current for current in currents}
    inputs: list[Input] = []
    for item in said:
        mine = read.pop(item.name, None)
        effect = _effect(item, dt, sizes) if isinstance(item, StepCurrent) else None
        if mine is not None and _effect(mine, dt, sizes) != effect:
            _conflict(file, f"input {item.name} differs from that in the simulation config")
            inputs.append(mine)
        else:
            inputs.append(item)
    return (*inputs, *read.values())


def _conflict(file: Path, what: str) -> None:
    warnings.warn(f"{file}: {what}; the circuit is used", SonataWarning, stacklevel=4)


def _effect(current: StepCurrent, dt: float, sizes: Mapping[str, int]) -> tuple[object, ...]:
    """Return what a step current does, however its generator is described."""
    every = len(current.neurons or ()) == sizes.get(current.target)
    return current.target, None if every else current.neurons, current.amplitude, sonata.clamp_steps(current, dt)
