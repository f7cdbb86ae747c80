"""What the rules beside a network, or the inputs there, say more exactly than the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mc_interchange.importers.beside import Beside
from mc_interchange.instance import Nodes, Trains, realize
from mc_interchange.network import Input, PoissonActivity, PoissonInput, StepCurrent
from mc_interchange.network.simulation import steps

from .inputs import InitialPulses

__all__ = ["effect", "is_written", "with_drawn"]


def with_drawn(
    populations: Mapping[str, Nodes], pulses: Mapping[str, InitialPulses], beside: Beside, seed: int, *, single: bool
) -> dict[str, Nodes]:
    """Replace what the files hold with less digits by what the rules draw, wherever that agrees with the files.

    Parameters
    ----------
    populations
        As the files have them.
    pulses
        What the potentials were made of, by population.
    beside
        The file beside the network; gets a report of potentials that differ.
    seed
        That the network was drawn with.
    single
        Whether the files hold float32.
    """
    found = dict(populations)
    for name, activity in _activity(beside).items():
        nodes = found.get(name)
        if nodes and isinstance(nodes.activity, Trains) and not nodes.activity.n_spikes and activity.rate == 0:
            found[name] = replace(nodes, activity=activity)  # written as no spikes
    if beside.network is None:
        return found
    drawn = realize(beside.network.model_copy(update={"projections": (), "inputs": ()}), seed).populations
    for name, nodes in list(found.items()):
        rules = drawn.get(name)
        if rules is None or rules.size != nodes.size or rules.virtual != nodes.virtual:
            continue
        if nodes.V_m is not None and rules.V_m is not None:
            agree = pulses[name].agree(rules.V_m, single=single) if name in pulses else nodes.V_m == rules.V_m
            if not agree.all():
                beside.conflict(f"the initial potentials of population {name} differ")
            found[name] = replace(nodes, V_m=np.where(agree, rules.V_m, nodes.V_m))
    return found


def _activity(beside: Beside) -> dict[str, PoissonActivity]:
    """Return the Poisson activity of virtual populations, as the file beside the network has it."""
    if beside.network is None:
        return beside.experiment.activity
    virtual = beside.network.virtual_populations
    return {p.name: p.activity for p in virtual if isinstance(p.activity, PoissonActivity)}


def is_written(item: Input) -> bool:
    """Whether files hold an input; one that has no effect is left out of them."""
    return not (isinstance(item, PoissonInput) and item.rate == 0)


def effect(item: Input, *, dt: float, sizes: Mapping[str, int], single: bool) -> tuple[object, ...]:
    """Return what an input does, as far as files hold it: neither its generator nor, often, its delay."""
    every = len(item.neurons or ()) == sizes.get(item.target)
    common = item.kind, item.target, None if every else item.neurons
    begin = round(steps(item.start + item.delay, dt))
    end = None if item.stop is None else round(steps(item.stop + item.delay, dt))
    if isinstance(item, StepCurrent):
        return *common, item.amplitude, begin, end
    weight = np.float32(item.weight / 1000) if single else item.weight
    windowed = item.start > 0 or item.stop is not None
    return *common, weight, f"{item.rate:.12g}", (begin, end) if windowed else None
