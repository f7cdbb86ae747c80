"""Random networks of everything that NeuroML can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from mc_interchange import NetworkInstance
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, Nodes
from mc_interchange.network import Neuron, PoissonActivity, PoissonInput, Simulation, StepCurrent, VoltageRecording

DT = 0.1
#: Ranges of parameters that every model of the catalogue accepts.
_RANGES = {
    "C_m": (1.0, 500.0),
    "tau_m": (5.0, 40.0),
    "g_L": (1.0, 50.0),
    "tau_syn_ex": (0.2, 5.0),
    "tau_syn_in": (0.2, 5.0),
    "t_ref": (0.1, 5.0),
    "E_L": (-80.0, -60.0),
    "V_th": (-55.0, -45.0),
    "V_reset": (-75.0, -65.0),
    "V_peak": (-10.0, 20.0),
    "I_e": (-500.0, 500.0),
    "E_ex": (-10.0, 10.0),
    "E_in": (-95.0, -70.0),
    "Delta_T": (0.5, 4.0),
    "a": (0.0, 10.0),
    "b": (0.0, 100.0),
    "tau_w": (20.0, 300.0),
    "c": (-70.0, -50.0),
    "d": (0.0, 8.0),
}
MODELS = (
    "iaf_psc_exp",
    "iaf_psc_alpha",
    "iaf_cond_exp",
    "iaf_cond_alpha",
    "aeif_cond_exp",
    "aeif_cond_alpha",
    "izhikevich",
)
#: Shortest and all digits, so that both ways of writing numbers are met.
_digits = st.sampled_from([1, 3, 17])


@st.composite
def _number(draw: st.DrawFn, low: float, high: float) -> float:
    value = draw(st.floats(low, high, allow_nan=False))
    return float(f"{value:.{draw(_digits)}g}") if low <= float(f"{value:.1g}") <= high else value


@st.composite
def neuron(draw: st.DrawFn, model: str) -> Neuron:
    entry = Neuron.model_construct(model=model, parameters={}).entry
    values: dict[str, Any] = {}
    for parameter in entry.parameters:
        if parameter.name in _RANGES and parameter.kind == "number":
            values[parameter.name] = draw(_number(*_RANGES[parameter.name]))
    if model == "izhikevich":
        values |= {"a": 0.02, "b": 0.25, "V_th": 30.0, "U_m": -16.0}
    return Neuron(model=model, parameters=values)


def _edges(rng: np.random.Generator, name: str, ends: tuple[Nodes, Nodes], single: bool, scale: float) -> ArrayEdges:
    n = int(rng.integers(1, 40))
    weight = rng.normal(0.0, scale, n)
    block = EdgeBlock(
        rng.integers(0, ends[0].size, n, dtype=np.uint32),
        rng.integers(0, ends[1].size, n, dtype=np.uint32),
        weight.astype(np.float32) if single else weight,
        rng.integers(1, 60, n, dtype=np.int32),
    )
    return ArrayEdges(name, ends[0].name, ends[1].name, block)


@st.composite
def networks(draw: st.DrawFn) -> NetworkInstance:
    """A network without rules of one to three populations of neurons, and one or two of sources."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes = []
    for number, model in enumerate(draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=3))):
        size = draw(st.integers(1, 6))
        uneven = model != "izhikevich" and draw(st.booleans())
        V_m = rng.normal(-62.0, 4.0, size) if uneven else np.full(size, -64.0)
        positions = rng.normal(0.0, 100.0, (size, 3)) if draw(st.booleans()) else None
        nodes.append(Nodes(f"N{number}", size, neuron=draw(neuron(model)), V_m=V_m, positions=positions))
    trains = [np.sort(rng.integers(1, 400, n)) / 10 for n in rng.integers(0, 9, draw(st.integers(1, 4)))]
    nodes.append(Nodes("S", len(trains), activity=ArrayTrains.from_lists([t.tolist() for t in trains])))
    activity = draw(st.sampled_from([{"rate": 0.0}, {"rate": 12.5}, {"rate": 30.1, "start": 1.3, "stop": 20.7}]))
    nodes.append(Nodes("P", 3, activity=PoissonActivity(**activity)))
    with_synapses = [n for n in nodes if not n.virtual and n.models[0].model != "izhikevich"]
    projections = {}
    for source in nodes:
        for target in with_synapses:
            if draw(st.booleans()):
                name = f"{source.name}_to_{target.name}"
                projections[name] = _edges(rng, name, (source, target), draw(st.booleans()), 50.0)
    inputs: list[PoissonInput | StepCurrent] = []
    for target in with_synapses:
        some = tuple(sorted(rng.choice(target.size, target.size // 2, replace=False).tolist())) or None
        inputs += draw(
            st.lists(
                st.sampled_from(
                    [
                        PoissonInput(name=f"p_{target.name}", target=target.name, rate=1e4 / 3, weight=2.25, delay=0.3),
                        PoissonInput(
                            name=f"q_{target.name}",
                            target=target.name,
                            rate=12800.0,
                            weight=-1.1,
                            delay=1.0,
                            start=2.0,
                            stop=900.0,
                            neurons=some,
                        ),
                        StepCurrent(
                            name=f"s_{target.name}",
                            target=target.name,
                            amplitude=87.81,
                            start=1.1,
                            stop=7.3,
                            neurons=some,
                        ),
                    ]
                ),
                unique_by=lambda item: item.name,
                max_size=3,
            )
        )
    neurons = [n for n in nodes if not n.virtual]
    recordings = (VoltageRecording(population=neurons[0].name, neurons=(0,), interval=0.2),)
    return NetworkInstance(
        "random",
        {n.name: n for n in nodes},
        projections,
        tuple(inputs),
        Simulation(dt=DT, duration=1000.0, seed=draw(st.integers(1, 1000)), record_V_m=recordings),
    )
