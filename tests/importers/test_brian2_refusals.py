"""What of Brian2 has no equal is refused by name, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("brian2")

import brian2 as b2

from mc_interchange.errors import FormatError
from mc_interchange.importers.brian2 import read_network

pytestmark = pytest.mark.brian2


def neurons(equations: str = "dv/dt = -v / ms : volt", **values: Any) -> b2.NeuronGroup:
    settings = {"threshold": "v > 1*mV", "reset": "v = 0*mV", "method": "euler", "name": "cells"}
    return b2.NeuronGroup(3, equations, **{**settings, **values})


def synapses(model: str = "", source: Any = None, **values: Any) -> list[Any]:
    group = neurons("dv/dt = -v / ms : volt\nscale : 1")
    made = b2.Synapses(source or group, group, model, name="syn", **values)
    made.connect()
    return [group, made, *([source] if source is not None else [])]


def run_regularly() -> list[Any]:
    group = neurons()
    group.run_regularly("v += 1*mV", dt=1 * b2.ms)
    return [group]


def poisson(rates: Any) -> list[Any]:
    return [neurons(), b2.PoissonGroup(2, rates=rates, name="sources")]


def spatial() -> list[Any]:
    morphology = b2.Soma(diameter=30 * b2.um)
    return [b2.SpatialNeuron(morphology, "Im = 0*amp/meter**2 : amp/meter**2", name="tree")]


def other_step() -> list[Any]:
    return [neurons(), b2.PoissonGroup(2, rates=1 * b2.Hz, dt=1 * b2.ms, name="sources")]


def inactive() -> list[Any]:
    group = neurons()
    group.active = False
    return [group]


def linked() -> list[Any]:
    first, second = neurons(), neurons("dv/dt = (w - v) / ms : volt\nw : volt (linked)", name="second")
    second.w = b2.linked_var(first, "v")
    return [first, second]


STIMULUS = b2.TimedArray([1, 2] * b2.Hz, dt=10 * b2.ms)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (spatial, "SpatialNeuron tree: neurons have no compartments here: use a NeuronGroup"),
        (lambda: [neurons(), b2.NetworkOperation(lambda: None, name="op")], "NetworkOperation op: Python code"),
        (run_regularly, "run_regularly and the like cannot be read"),
        (
            lambda: [neurons("dv/dt = -v / ms + mV * xi / ms**.5 : volt")],
            "NeuronGroup cells: its equations hold noise",
        ),
        (
            lambda: [neurons("dv/dt = -v / ms + mV * rand() / ms : volt")],
            "the function rand is not among those",
        ),
        (lambda: [neurons("dv/dt = -v / ms + mV * STIMULUS(t) : volt")], "dv/dt =: the function STIMULUS is not among"),
        (lambda: [neurons("dv/dt = -v / dt : volt")], "dv/dt =: dt (the step) has no equal in continuous time"),
        (
            lambda: [neurons("dv/dt = -v / tau_x : volt")],
            "the name tau_x stands for nothing; give its value in",
        ),
        (lambda: [neurons("dv/dt = -v / ms : volt\nT : kelvin")], "its unit K has no equal"),
        (lambda: [neurons("dv/dt = -v / ms : volt\non : boolean")], "on is a truth value: use a number, 0 or 1"),
        (linked, "NeuronGroup second: w is linked to another group"),
        (
            lambda: [neurons(refractory="v > 0*mV")],
            "refractory: 'v > 0*mV' is no time; refractoriness that",
        ),
        (lambda: [neurons(refractory="ms * v / mV")], "refractory: must be made of parameters, v changes"),
        (lambda: [neurons(threshold="not v < 1*mV")], "threshold: a condition must be comparisons"),
        (lambda: [neurons(events={"other": "v > 2*mV"})], "custom events (other) have no equal"),
        (lambda: [neurons(reset="v = rand() * mV")], "draw the numbers once, into a parameter"),
        (lambda: synapses(on_pre="v_post *= 2"), "on_pre: 'v_post *= 2': a spike can raise a variable by a number"),
        (lambda: synapses(on_pre="v = v + 1*mV"), "a spike can raise a variable by a number, nothing else"),
        (lambda: synapses(on_pre="v_pre += 1*mV"), "changes the source: only the target can be changed"),
        (lambda: synapses("w : volt", on_pre="v += w\nw *= 2"), "changes the synapse: plastic synapses have no equal"),
        (lambda: synapses(on_pre="v += 1*mV", on_post="v_pre += 1*mV"), "Synapses syn: on_post has no equal"),
        (lambda: synapses(on_pre="v += (1*mV - v_post)"), "depends on v_post: it must be made of the synapse's own"),
        (
            lambda: synapses("dx/dt = -x / ms : 1 (clock-driven)", on_pre="x += 1", method="euler"),
            "Synapses syn: x is a differential equation: synapses with dynamics",
        ),
        (
            lambda: synapses("dx/dt = -x / ms : 1 (event-driven)", on_pre="v += x*mV"),
            "Synapses syn: x changes from event to event: plastic synapses have no equal",
        ),
        (
            lambda: synapses("scale_post = 1.0 : 1 (summed)"),
            "summed variables have no equal: let on_pre",
        ),
        (lambda: poisson("STIMULUS(t)"), "PoissonGroup sources: its rates are an expression ('STIMULUS(t)')"),
        (lambda: poisson([1, 2] * b2.Hz), "PoissonGroup sources: its sources have several rates"),
        (other_step, "there must be one step for all objects, got several"),
        (inactive, "NeuronGroup cells is not active: leave it out of the network"),
        (lambda: [b2.PoissonGroup(2, rates=1 * b2.Hz)], "the network holds no NeuronGroup"),
        (lambda: [neurons(name="third"), *synapses(on_pre="v += 1*mV")[1:]], "cells is not in the network; add it"),
    ],
)
def test_refusals(make: Callable[[], list[Any]], message: str) -> None:
    b2.start_scope()
    b2.defaultclock.dt = 0.1 * b2.ms
    with pytest.raises(FormatError) as caught:
        read_network(b2.Network(*make()), {"STIMULUS": STIMULUS})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_is_read_before_its_run() -> None:
    network = b2.Network(neurons())
    network.run(1 * b2.ms)
    with pytest.raises(FormatError, match=r"has been run already, until 1\. ms: read it before its first"):
        read_network(network)
    with pytest.raises(FormatError, match=r"got MagicNetwork: make one, Network\(collect\(\)\)"):
        read_network(b2.magic_network)
    with pytest.raises(FormatError, match=r"dt: must be a multiple of 0\.001 ms"):
        read_network(b2.Network(neurons(dt=0.0101 * b2.ms)))
    with pytest.raises(FormatError, match="potential: x is no state variable in volts"):
        read_network(b2.Network(neurons()), potential="x")
