"""Networks that other simulators run spike for spike as NEST does, when their parameters are matched to it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from mc_interchange import NetworkInstance, build, realize
from mc_interchange.instance import ArrayEdges, ArrayTrains, freeze_inputs
from mc_interchange.network import (
    Explicit,
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    SpikeTrains,
    StepCurrent,
    TruncatedNormal,
    Values,
    VirtualPopulation,
    VoltageRecording,
)
from mc_interchange.runs import Run

#: With less, so few synapses leave the network silent.
BG_RATE = 12.0
PD14_ARGUMENTS = {"n_scale": 0.002, "k_scale": 0.01, "bg_rate": BG_RATE, "duration": 300.0, "discard": 0.0}


def _pd14(**arguments: object) -> NetworkInstance:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it counts with the model's own rate
        return realize(build("pd14", **{**PD14_ARGUMENTS, **arguments}))


def dc(dt: float = 0.1) -> NetworkInstance:
    """155 neurons and 5,973 synapses under a direct current above threshold."""
    return _pd14(background="dc", dt=dt)


def frozen(dt: float = 0.1) -> NetworkInstance:
    """The same with one realisation of a Poisson background."""
    return freeze_inputs(_pd14(background="poisson", dt=dt))


def larger() -> NetworkInstance:
    """771 neurons and 59,780 synapses under a direct current."""
    return _pd14(background="dc", n_scale=0.01, k_scale=0.02, duration=200.0)


BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "I_e": 0.0}


def kinds(dt: float = 0.1) -> NetworkInstance:
    """Everything that is matched, in one small network.

    Two time constants of synapses, weights of both signs, initial potentials that differ and that do not, step
    currents, and spike trains with several spikes in one step and beside the grid.
    """

    def neuron(**changes: float) -> Neuron:
        return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})

    def projection(source: str, target: str, number: int, mean: float) -> Projection:
        return Projection(
            source=source,
            target=target,
            rule=FixedTotalNumber(number=number),
            weight=Normal(mean=mean, sd=abs(mean) / 4),
            delay=TruncatedNormal(mean=1.0, sd=0.5, min=0.1),
        )

    network = Network(
        name="kinds",
        populations=(
            Population(
                name="A",
                size=20,
                neuron=neuron(I_e=380.0, tau_syn_in=2.0),
                initial_V_m=Normal(mean=-58.0, sd=5.0),
            ),
            Population(name="B", size=10, neuron=neuron(tau_m=20.0, t_ref=1.0, C_m=200.0), initial_V_m=-60.0),
            Population(name="C", size=10, neuron=neuron(tau_syn_ex=10.0, E_L=-70.0, V_reset=-68.0, I_e=520.0)),
            VirtualPopulation(name="S", size=6, activity=SpikeTrains(times=((1.0,),) * 6)),
        ),
        projections=(
            projection("S", "A", 100, 200.0),
            projection("S", "B", 60, 300.0),
            projection("A", "B", 80, 80.0),
            projection("A", "C", 60, 10.0),
            projection("B", "A", 80, -120.0),
            projection("C", "A", 60, 0.0),
        ),
        inputs=(
            StepCurrent(name="early", target="B", amplitude=330.0, start=0.0, stop=61.3, delay=0.1),
            StepCurrent(name="some", target="A", amplitude=-90.0, start=20.0, stop=70.1, delay=1.0, neurons=(0, 3, 7)),
        ),
        simulation=Simulation(
            dt=dt,
            duration=150.0,
            record_V_m=tuple(
                VoltageRecording(population=name, neurons=(0, 1, 3, 5), interval=dt) for name in ("A", "B", "C")
            ),
        ),
    )
    instance = realize(network)
    generator = np.random.default_rng(3)
    sources = np.repeat(np.arange(6), 40)
    on_grid = generator.integers(2, 140 * 10, len(sources)) / 10
    on_grid[::7] += 0.043  # ms behind the grid
    trains = ArrayTrains(6, np.concatenate([sources, [0, 0, 1]]), np.concatenate([on_grid, [50.0, 50.0, 80.0]]))
    populations = {**instance.populations, "S": replace(instance.populations["S"], activity=trains)}
    return replace(instance, populations=populations)


def subthreshold(dt: float) -> NetworkInstance:
    """Two neurons below threshold under spikes of both signs and a direct current; for convergence in ``dt``."""
    network = Network(
        name="subthreshold",
        populations=(
            Population(
                name="A",
                size=2,
                neuron=Neuron(model="iaf_psc_exp", parameters={**BASE, "I_e": 100.0, "tau_syn_in": 2.0}),
                initial_V_m=-62.0,
            ),
            VirtualPopulation(
                name="S", size=2, activity=SpikeTrains(times=((3.0, 17.4, 18.1, 40.2, 62.0), (9.9, 30.3, 70.0)))
            ),
        ),
        projections=(
            Projection(
                source="S",
                target="A",
                rule=Explicit(sources=(0, 1, 0, 1), targets=(0, 0, 1, 1)),
                weight=Values(values=(400.0, -200.0, -150.0, 500.0)),
                delay=Values(values=(1.5, 0.8, 0.4, 2.0)),
            ),
        ),
        simulation=Simulation(
            dt=dt,
            duration=90.0,
            record_V_m=(VoltageRecording(population="A", neurons=(0, 1), interval=dt),),
        ),
    )
    return realize(network)


def driven(weight: float = 300.0) -> NetworkInstance:
    """100 neurons, each with a Poisson input of its own, which every simulator draws for itself."""
    populations = tuple(
        Population(
            name=name,
            size=size,
            neuron=Neuron(model="iaf_psc_exp", parameters={**BASE, "I_e": 150.0}),
            initial_V_m=Normal(mean=-58.0, sd=5.0),
        )
        for name, size in (("E", 80), ("I", 20))
    )
    network = Network(
        name="driven",
        populations=populations,
        projections=tuple(
            Projection(
                source=source,
                target=target,
                rule=FixedTotalNumber(number=number),
                weight=recurrent,
                delay=TruncatedNormal(mean=1.5, sd=0.5, min=0.1),
            )
            for source, target, number, recurrent in (
                ("E", "E", 200, 40.0),
                ("E", "I", 50, 40.0),
                ("I", "E", 200, -160.0),
                ("I", "I", 50, -160.0),
            )
        ),
        inputs=tuple(
            PoissonInput(name=f"to_{name}", target=name, rate=1600.0, weight=weight, delay=0.1) for name in ("E", "I")
        ),
        simulation=Simulation(dt=0.1, duration=1000.0),
    )
    return realize(network)


def equivalent(a: Run, b: Run, population: str) -> bool:
    """Say whether mean rates are equal within 10 %, at the level of 5 %; neurons count as independent."""
    counts = [np.bincount(r.spikes[population].neurons, minlength=r.sizes[population]) for r in (a, b)]
    error = np.sqrt(sum(c.var(ddof=1) / len(c) for c in counts))
    difference = abs(counts[0].mean() - counts[1].mean())
    return bool(difference + 1.645 * error < 0.1 * counts[0].mean())


def with_one_other_weight(instance: NetworkInstance) -> NetworkInstance:
    """Return PD14 with a single weight half as large again: no comparison may overlook it."""
    edges = instance.projections["L4I_to_L4E"]
    block = next(edges.blocks())
    weight = block.weight.copy()
    weight[20] *= 1.5
    changed = ArrayEdges(edges.name, edges.source, edges.target, replace(block, weight=weight))
    return replace(instance, projections={**instance.projections, edges.name: changed})
