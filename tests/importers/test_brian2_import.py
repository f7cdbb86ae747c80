"""What a live network of Brian2 becomes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("brian2")

import brian2 as b2
from live_brian2 import cuba, driven, integrate_and_fire

from mc_interchange.importers.brian2 import Brian2Warning, read_network
from mc_interchange.instance import ArrayTrains, Nodes
from mc_interchange.network import Dynamics, PoissonActivity, PoissonInput

pytestmark = pytest.mark.brian2


def dynamics_of(nodes: Nodes) -> Dynamics:
    assert isinstance(nodes.neuron, Dynamics)
    return nodes.neuron


def test_equations_become_dynamics() -> None:
    instance = integrate_and_fire(duration=1.0).instance
    nodes = instance.populations["cells"]
    dynamics = dynamics_of(nodes)
    assert dynamics.derivatives == {"v": "(drive - v) / tau"}
    assert dynamics.units == {"v": "mV", "drive": "mV", "tau": "ms"}
    assert dynamics.parameters == {"drive": 0.0, "tau": 10.0}
    assert (dynamics.threshold, dynamics.refractory) == ("v > 10 * mV", "5.0 * ms")
    assert [(s.variable, s.value) for s in dynamics.reset] == [("v", "0 * mV")]
    assert (dynamics.held, dynamics.potential, dynamics.receptors) == (("v",), "v", ())
    assert nodes.varying["drive"] == pytest.approx(20 * np.arange(100) / 99, rel=1e-15)
    assert nodes.V_m is not None
    assert not nodes.V_m.any()
    assert instance.simulation.dt == 0.1
    assert instance.simulation.duration == 1.0
    assert instance.simulation.record_spikes == ("cells",)
    recording = instance.simulation.record_V_m[0]
    assert (recording.population, recording.neurons, recording.interval) == ("cells", (2, 63), 0.1)


def test_synapses_of_parts_of_a_group() -> None:
    instance = cuba(duration=0.1).instance
    assert dynamics_of(instance.populations["cells"]).receptors == ("ge", "gi")
    excitatory, inhibitory = instance.projections.values()
    assert (excitatory.synapse.receptor, inhibitory.synapse.receptor) == (0, 1)
    connected = np.random.default_rng(5)
    connected.uniform(-60, -50, 400)
    expected = connected.random((400, 400)) < 0.02
    for edges, weight, sources in ((excitatory, 1.62, range(320)), (inhibitory, -9.0, range(320, 400))):
        found = np.zeros((400, 400), bool)
        for block in edges.blocks():
            assert set(block.weight.tolist()) == {weight}
            assert not block.delay.any()
            found[block.source, block.target] = True
        assert np.array_equal(found[sources], expected[sources])
        assert found.sum() == edges.n_edges == expected[sources].sum()
    V_m = instance.populations["cells"].V_m
    assert V_m is not None
    assert V_m == pytest.approx(np.random.default_rng(5).uniform(-60, -50, 400), rel=1e-14)


def test_sources_and_inputs() -> None:
    instance = driven(duration=120.0).instance
    assert instance.populations["sources"].activity == PoissonActivity(rate=40.0)
    # a spike that is due at 5 ms belongs to the step that ends at 5.1 ms
    one = [5.1, 5.2, 55.1, 55.2, 105.1, 105.2]
    expected = ArrayTrains.from_lists([[1.1, 51.1, 101.1], one, [20.1, 70.1]])
    assert instance.populations["replay"].activity == expected
    (background,) = instance.inputs
    assert isinstance(background, PoissonInput)
    assert (background.rate, background.weight, background.neurons) == (2000.0, 1.6, None)
    assert dynamics_of(instance.populations["cells"]).receptors == ("g", "h")
    (block,) = instance.projections["from_sources"].blocks()
    rng = np.random.default_rng(2)
    assert block.source.tolist() == rng.integers(0, 50, 500).tolist()
    assert block.target.tolist() == rng.integers(0, 100, 500).tolist()
    assert block.weight == pytest.approx(2 * rng.uniform(0.3, 0.6, 500), rel=1e-14)
    assert block.delay.tolist() == rng.integers(1, 30, 500).tolist()
    (block,) = instance.projections["from_replay"].blocks()
    assert (block.weight.tolist(), block.delay.tolist()) == ([4.0] * 3, [15] * 3)


def test_units_subexpressions_indices_and_names() -> None:
    b2.defaultclock.dt = 0.05 * b2.ms
    namespace = {"R": 100 * b2.Mohm, "C_0": 0.2 * b2.nF}
    group = b2.NeuronGroup(
        3,
        """dV/dt = (I - g * V) / C_0 + gain * i * mV / second : volt
        dI/dt = (I_0 - I) / t_x : amp
        I_total = I + I_0 + V / R : amp
        g : siemens
        I_0 : amp (shared)
        t_x : second (constant)
        count : 1
        gain : 1""",
        threshold="V > 1*mV and count < N",
        reset="count += 1; V *= 0.5",
        refractory="t_x",
        method="euler",
        name="odd",
    )
    group.g, group.I_0, group.t_x, group.I = [1, 2, 3] * b2.nS, 7 * b2.pA, 4 * b2.ms, 3 * b2.pA
    group.gain = 0.5
    nodes = read_network(b2.Network(group), namespace, duration=b2.second).populations["odd"]
    dynamics = dynamics_of(nodes)
    assert dynamics.units == {
        **{"V": "mV", "I": "pA", "I_total": "pA", "g": "nS", "I_0": "pA", "t_x": "ms", "count": "1", "gain": "1"},
        **{"C_0": "pF", "second": "ms", "R": "mV/pA", "N": "1", "i": "1"},
    }
    assert dynamics.parameters == {
        **{"I": 3.0, "g": 0.0, "I_0": 7.0, "t_x": 4.0, "count": 0.0, "gain": 0.5},
        **{"C_0": 200.0, "second": 1000.0, "R": 0.1, "N": 3.0, "i": 0.0},
    }
    assert nodes.varying["g"].tolist() == [1.0, 2.0, 3.0]
    assert nodes.varying["i"].tolist() == [0.0, 1.0, 2.0]
    assert dynamics.derivatives["V"] == "(I - g * V) / C_0 + gain * i * mV / second"
    assert dynamics.derivatives["count"] == "0"
    assert dynamics.derived == {"I_total": "I + I_0 + V / R"}
    assert dynamics.refractory == "t_x"
    assert [(s.variable, s.value) for s in dynamics.reset] == [("count", "count + 1"), ("V", "V * 0.5")]
    assert dynamics.potential == "V"


def test_names_come_from_where_it_is_called() -> None:
    tau = 12 * b2.ms  # which read_network finds
    group = b2.NeuronGroup(1, "dx/dt = -x / tau : 1", method="exact", name="one")
    network = b2.Network(group)
    assert dynamics_of(read_network(network).populations["one"])["tau"] == tau / b2.ms
    assert dynamics_of(read_network(network, {"tau": 3 * b2.ms}).populations["one"])["tau"] == 3.0


def test_several_statements_pathways_and_inputs() -> None:
    group = b2.NeuronGroup(2, "da/dt = -a / ms : 1\ndb/dt = -b / ms : 1", threshold="a > 1", name="two")
    synapses = b2.Synapses(
        group,
        group,
        "w : 1",
        on_pre={"soon": "a += w\nb -= sqrt(w)", "late": "a += 1"},
        name="s",
        delay={"soon": 1 * b2.ms},
    )
    synapses.connect(i=[0, 1], j=[1, 1])
    synapses.w = [4, 9]
    synapses.late.delay = [2, 3] * b2.ms
    inputs = [b2.PoissonInput(group, name, 10, 100 * b2.Hz, weight="0.5 + 0.25") for name in ("b", "a")]
    for item, name in zip(inputs, ("onto_b", "onto_a"), strict=True):
        item._name = name
    b2.defaultclock.dt = 0.1 * b2.ms
    instance = read_network(b2.Network(group, synapses, *inputs))
    blocks = {name: next(iter(edges.blocks())) for name, edges in instance.projections.items()}
    assert {name: (b.weight.tolist(), b.delay.tolist()) for name, b in blocks.items() if name.startswith("s_")} == {
        "s_soon_a": ([4.0, 9.0], [10, 10]),
        "s_soon_b": ([-2.0, -3.0], [10, 10]),
        "s_late_a": ([1.0, 1.0], [20, 30]),
    }
    receptors = dynamics_of(instance.populations["two"]).receptors
    for name, edges in instance.projections.items():
        assert receptors[edges.synapse.receptor] == name[-1] or name.startswith("onto")
    # one of the two inputs reaches the first receptor, the other one comes from sources
    (item,) = instance.inputs
    other = "onto_a" if item.name == "onto_b" else "onto_b"
    assert (item.rate, item.weight) == (1000.0, 0.75)
    activity = instance.populations[other].activity
    assert isinstance(activity, PoissonActivity)
    assert activity.rate * instance.populations[other].size == 2 * 1000.0


def test_recordings_that_are_left_out_are_named() -> None:
    group = b2.NeuronGroup(4, "dv/dt = -v / ms : volt\ndw/dt = -w / ms : volt", threshold="v > 1*mV", name="four")
    spikes = b2.SpikeMonitor(group[1:3], name="some")
    rate = b2.PopulationRateMonitor(group, name="rate")
    states = [
        b2.StateMonitor(group[1:], ["v", "w"], record=[0, 2], name="both", dt=1 * b2.ms),
        b2.StateMonitor(group, "v", record=[0], name="fine", dt=0.5 * b2.ms),
    ]
    b2.defaultclock.dt = 0.1 * b2.ms
    with pytest.warns(Brian2Warning) as caught:
        instance = read_network(b2.Network(group, spikes, rate, *states))
    texts = " | ".join(str(w.message) for w in caught)
    assert "SpikeMonitor some: a part of four is recorded" in texts
    assert "StateMonitor both: w of four is left out" in texts
    assert "four: V_m is recorded at several intervals; read as the shortest, 0.5 ms" in texts
    assert "PopulationRateMonitor rate" in texts
    (recording,) = instance.simulation.record_V_m
    assert (recording.neurons, recording.interval) == ((0, 1, 3), 0.5)
