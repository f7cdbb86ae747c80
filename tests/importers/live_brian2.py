"""Networks in Brian2, written from their equations."""

from __future__ import annotations

from typing import Any, NamedTuple

import brian2 as b2
import numpy as np

from mc_interchange.importers.brian2 import read_network
from mc_interchange.instance import NetworkInstance

b2.prefs.codegen.target = "numpy"


class Live(NamedTuple):
    """A network as it was read, and its own run."""

    instance: NetworkInstance
    spikes: Any
    potentials: Any

    def spike_set(self, dt: float) -> set[tuple[int, int]]:
        """Spikes as (step, neuron), at the end of the step as everywhere here."""
        steps = np.rint(np.asarray(self.spikes.t / b2.ms) / dt).astype(int) + 1
        return set(zip(steps.tolist(), np.asarray(self.spikes.i).tolist(), strict=True))

    def V(self) -> Any:
        """V in mV at dt, 2 dt and so on, one column per neuron."""
        return np.asarray(self.potentials.v / b2.mV).T[1:]


def read_and_run(net: b2.Network, duration: float, spikes: Any, potentials: Any) -> Live:
    instance = read_network(net, {}, duration=duration * b2.ms)
    net.run(duration * b2.ms, namespace={})
    return Live(instance, spikes, potentials)


def integrate_and_fire(method: str = "euler", dt: float = 0.1, duration: float = 1000.0, n: int = 100) -> Live:
    """Neurons with a drive of their own each."""
    b2.defaultclock.dt = dt * b2.ms
    group = b2.NeuronGroup(
        n,
        """dv/dt = (drive - v) / tau : volt (unless refractory)
        drive : volt (constant)""",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        refractory=5 * b2.ms,
        method=method,
        namespace={"tau": 10 * b2.ms},
        name="cells",
    )
    group.drive = "20*mV * i / (N - 1)"
    spikes = b2.SpikeMonitor(group, name="spikes")
    potentials = b2.StateMonitor(group, "v", record=[2, 63], name="potentials")
    return read_and_run(b2.Network(group, spikes, potentials), duration, spikes, potentials)


def cuba(
    method: str = "euler", dt: float = 0.1, duration: float = 100.0, n: int = 400, probability: float = 0.02
) -> Live:
    """Excitatory and inhibitory neurons with exponential synapses, 4 to 1."""
    b2.defaultclock.dt = dt * b2.ms
    rng = np.random.default_rng(5)
    group = b2.NeuronGroup(
        n,
        """dv/dt = (ge + gi - (v - E_L)) / tau_m : volt (unless refractory)
        dge/dt = -ge / tau_e : volt
        dgi/dt = -gi / tau_i : volt""",
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * b2.ms,
        method=method,
        namespace={"tau_m": 20 * b2.ms, "tau_e": 5 * b2.ms, "tau_i": 10 * b2.ms, "E_L": -49 * b2.mV},
        name="cells",
    )
    group.v = rng.uniform(-60, -50, n) * b2.mV
    n_excitatory = n * 4 // 5
    connected = rng.random((n, n)) < probability
    excitatory = b2.Synapses(group[:n_excitatory], group, on_pre="ge += 1.62*mV", name="excitatory")
    inhibitory = b2.Synapses(group[n_excitatory:], group, on_pre="gi -= 9*mV", name="inhibitory")
    for synapses, part in ((excitatory, connected[:n_excitatory]), (inhibitory, connected[n_excitatory:])):
        i, j = np.nonzero(part)
        synapses.connect(i=i, j=j)
    spikes = b2.SpikeMonitor(group, name="spikes")
    potentials = b2.StateMonitor(group, "v", record=range(0, n, 10), name="potentials")
    return read_and_run(b2.Network(group, excitatory, inhibitory, spikes, potentials), duration, spikes, potentials)


def driven(duration: float = 300.0, n: int = 100) -> Live:
    """Neurons with Poisson input of two kinds, replayed spikes, and delays and weights of their own."""
    b2.defaultclock.dt = 0.1 * b2.ms
    b2.seed(11)
    rng = np.random.default_rng(2)
    group = b2.NeuronGroup(
        n,
        """dv/dt = (g + h - v) / (10*ms) : volt (unless refractory)
        dg/dt = -g / (5*ms) : volt
        dh/dt = -h / (2*ms) : volt""",
        threshold="v > 15*mV",
        reset="v = 5*mV",
        refractory="2*ms",
        method="euler",
        name="cells",
    )
    sources = b2.PoissonGroup(50, rates=40 * b2.Hz, name="sources")
    replay = b2.SpikeGeneratorGroup(3, [0, 1, 1, 2], [1, 5, 5.1, 20] * b2.ms, period=50 * b2.ms, name="replay")
    from_sources = b2.Synapses(sources, group, "w : volt", on_pre="g += 2*w", name="from_sources")
    from_sources.connect(i=rng.integers(0, 50, 500), j=rng.integers(0, n, 500))
    from_sources.w = rng.uniform(0.3, 0.6, 500) * b2.mV
    from_sources.delay = rng.integers(1, 30, 500) * 0.1 * b2.ms
    from_replay = b2.Synapses(replay, group, on_pre="h_post += 4*mV", delay=1.5 * b2.ms, name="from_replay")
    from_replay.connect(i=[0, 1, 2], j=[0, 0, 1])
    background = b2.PoissonInput(group, "g", 100, 20 * b2.Hz, weight=1.6 * b2.mV)
    spikes = b2.SpikeMonitor(group, name="spikes")
    potentials = b2.StateMonitor(group, "v", record=True, name="potentials")
    net = b2.Network(group, sources, replay, from_sources, from_replay, background, spikes, potentials)
    return read_and_run(net, duration, spikes, potentials)
