"""Networks for the program for NEURON: what is at the edge, all models, and neurons that count spikes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from mc_interchange import NetworkInstance, export
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, MixedNeurons, Nodes
from mc_interchange.network import Neuron, Simulation, StepCurrent, VoltageRecording
from mc_interchange.runs import Run

DT = 0.1
BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "I_e": 0.0}


def exported(instance: NetworkInstance, directory: Path) -> tuple[Path, Path]:
    """Export an instance, and return where, and an empty directory."""
    scratch = directory / "scratch"
    scratch.mkdir(parents=True)
    return export(instance, "neuron", directory / "export").path, scratch


def corners() -> NetworkInstance:
    """Six neurons with refractory times beside the grid, connected all to all with delays of one step and more."""
    size = 6
    t_ref = np.array([0.0, 0.04, 0.1, 0.25, 2.0, 3.14])
    neuron = Neuron(model="iaf_psc_exp", parameters={**BASE, "I_e": 900.0})
    nodes = Nodes("A", size, neuron=neuron, V_m=np.full(size, -65.0), varying={"t_ref": t_ref, "E_L": -65.0 - t_ref})
    # 40 synapses; some connect a neuron with itself, some the same two neurons with the same delay
    generator = np.random.default_rng(8)
    columns = generator.integers(0, size, (2, 40)).astype(np.uint32)
    delay = np.array([1, 1, 2, 15, 213], np.int32)[np.arange(40) % 5]
    block = EdgeBlock(columns[0], columns[1], generator.normal(20.0, 60.0, 40), delay)
    # several spikes in one step, in the first step, and in the last steps, of which the last arrives too late
    trains = ArrayTrains.from_lists([[0.1, 5.0, 5.0, 5.0, 49.8], [0.05, 20.0, 49.8, 50.0]])
    inputs = EdgeBlock(
        *(np.array(c, d) for c, d in (([0, 1], "u4"), ([3, 0], "u4"), ([9e3, 2e5], "f8"), ([1, 1], "i4")))
    )
    return NetworkInstance(
        "corners",
        {"A": nodes, "S": Nodes("S", 2, activity=trains)},
        {"AA": ArrayEdges("AA", "A", "A", block), "SA": ArrayEdges("SA", "S", "A", inputs)},
        (
            StepCurrent(name="one", target="A", amplitude=300.0, start=0.0, stop=10.0, delay=0.1),
            StepCurrent(name="two", target="A", amplitude=-700.0, start=5.0, stop=20.0, delay=0.1, neurons=(0, 4)),
            StepCurrent(name="long", target="A", amplitude=-20.0, start=30.0, stop=90.0, delay=0.1),
        ),
        Simulation(dt=DT, duration=50.0),
    )


def all_models(dt: float) -> NetworkInstance:
    """All models for which there are mechanisms, also in one population, that excite and inhibit each other."""
    common = {"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -63.0, "t_ref": 1.5, "I_e": 340.0}
    models = {
        "exp": neuron_from_nest("iaf_psc_exp", {**common, "tau_syn_in": 1.0})[0],
        # a time constant that is almost that of the membrane, and one that is far from it
        "alpha": neuron_from_nest("iaf_psc_alpha", {**common, "tau_syn_ex": 9.99, "tau_syn_in": 0.08})[0],
        "delta": neuron_from_nest("iaf_psc_delta", common)[0],
        "keeping": neuron_from_nest("iaf_psc_delta", {**common, "refractory_input": True})[0],
    }
    size = 8
    generator = np.random.default_rng(5)
    which = (np.arange(size) % 4).astype(np.uint32)
    kinds = {**models, "mixed": MixedNeurons(tuple(models.values()), which)}
    populations = {
        name: Nodes(name, size, neuron=neuron, V_m=generator.uniform(-65, -52, size)) for name, neuron in kinds.items()
    }
    times = generator.integers(1, 195 / dt, 400) * dt
    trains = ArrayTrains(4, generator.integers(0, 4, 400), np.concatenate([times[:-3], [50.0, 50.0, 50.0]]))
    populations["S"] = Nodes("S", 4, activity=trains)
    projections = {}
    for source in populations:
        for target in kinds:
            size_of = [populations[name].size for name in (source, target)]
            ids = (generator.integers(0, n, 30).astype(np.uint32) for n in size_of)
            # mV, or pA
            unit = 1.2 if target in ("delta", "keeping") else 60.0
            delay = generator.choice([1, 1, 4, 15], 30).astype(np.int32)
            block = EdgeBlock(*ids, generator.normal(0.2, 1.0, 30) * unit, delay)
            name = f"{source}_to_{target}"
            projections[name] = ArrayEdges(name, source, target, block)
    current = StepCurrent(name="more", target="mixed", amplitude=150.0, start=30.0, stop=60.0, delay=dt)
    record = tuple(VoltageRecording(population=name, neurons=tuple(range(size)), interval=dt) for name in kinds)
    simulation = Simulation(dt=dt, duration=200.0, record_V_m=record)
    return NetworkInstance("all_models", populations, projections, (current,), simulation)


def relays() -> NetworkInstance:
    """Relays of what sources and neurons send, with several spikes at once, that project to relays and to neurons."""
    common = {"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -63.0, "t_ref": 1.5, "I_e": 340.0}
    models = {name: neuron_from_nest(f"iaf_psc_{name}", common)[0] for name in ("exp", "delta")}
    relay, size = neuron_from_nest("parrot_neuron", {})[0], 5
    generator = np.random.default_rng(7)
    V_m = np.array([-60.0, np.nan, -58.0, np.nan, -55.0])
    mixed = MixedNeurons((models["exp"], relay), np.array([0, 1, 0, 1, 0], np.uint32))
    populations = {
        "S": Nodes("S", 3, activity=ArrayTrains(3, [0, 0, 1, 2, 2, 2], [5.0, 5.0, 5.0, 7.3, 40.0, 99.0])),
        "relay": Nodes("relay", size, neuron=relay),
        "echo": Nodes("echo", size, neuron=relay),
        "exp": Nodes("exp", size, neuron=models["exp"], V_m=generator.uniform(-65, -52, size)),
        "delta": Nodes("delta", size, neuron=models["delta"], V_m=generator.uniform(-65, -52, size)),
        "mixed": Nodes("mixed", size, neuron=mixed, V_m=V_m),
    }
    projections = {}
    # no circle of relays: a spike in it would never end
    for source, target in (*product("S", ("relay", "echo", "mixed")), *product(("exp", "delta"), ("relay", "delta"))):
        projections[f"{source}_to_{target}"] = (source, target)
    for source, target in product(("relay", "echo"), ("exp", "delta", "mixed")):
        projections[f"{source}_to_{target}"] = (source, target)
    projections["relay_to_echo"] = ("relay", "echo")
    edges = {}
    for name, (source, target) in projections.items():
        ids = (generator.integers(0, populations[end].size, 9).astype(np.uint32) for end in (source, target))
        weights = generator.normal(0.4, 0.5, 9) * (1.0 if target == "delta" else 50.0)
        block = EdgeBlock(*ids, weights, generator.choice([1, 1, 4, 15], 9).astype(np.int32))
        edges[name] = ArrayEdges(name, source, target, block)
    return NetworkInstance("relays", populations, edges, (), Simulation(dt=DT, duration=100.0))


#: A neuron that forgets within a step: its potential tells what has arrived in the last one.
FORGETFUL = {**BASE, "C_m": 1.0, "tau_m": 0.005, "tau_syn_ex": 0.002, "tau_syn_in": 0.002, "V_th": 1e9}


def counter(size: int, duration: float) -> tuple[Nodes, Simulation]:
    nodes = Nodes("A", size, neuron=Neuron(model="iaf_psc_exp", parameters=FORGETFUL), V_m=np.full(size, -65.0))
    record = (VoltageRecording(population="A", neurons=tuple(range(size)), interval=DT),)
    return nodes, Simulation(dt=DT, duration=duration, record_V_m=record, seed=3)


def arrivals(run: Run) -> np.ndarray:
    """Return the weights that arrive at each neuron at each step, shape (n_steps - 1, n_neurons)."""
    tau_m, tau_syn = FORGETFUL["tau_m"], FORGETFUL["tau_syn_ex"]
    # the common form of the propagator: here nothing cancels
    P21 = (np.exp(-DT / tau_m) - np.exp(-DT / tau_syn)) / (1 / tau_syn - 1 / tau_m)
    above = run.voltages["A"].values + 65.0
    found = (above[1:] - above[:-1] * np.exp(-DT / tau_m)) / P21
    return np.rint(found)
