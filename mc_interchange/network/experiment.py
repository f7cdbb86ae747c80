"""What is done to a network: inputs, activity and simulation, without the rules it was made from.

A network that was captured from a simulator has no rules, but it has inputs that hardly any format holds.
They travel beside an export in a file of their own, as the rules do where there are some.
"""

from __future__ import annotations

from .base import Name, Part
from .inputs import Input
from .populations import PoissonActivity
from .simulation import Simulation

__all__ = ["Experiment"]


class Experiment(Part):
    """Inputs and simulation of a network whose neurons and synapses are given elsewhere.

    Parameters
    ----------
    inputs
        Onto populations, by name.
    activity
        Poisson activity of virtual populations, by name.
    simulation
        Resolution, duration, seed and recordings.
    """

    inputs: tuple[Input, ...] = ()
    activity: dict[Name, PoissonActivity] = {}
    simulation: Simulation = Simulation()
