"""``hh_psc_alpha`` of NEST against NEURON's own mechanism ``hh``: the same equations in two simulators.

NEURON gets a sphere-like cylinder with the capacitance of the entry, and as its current what NEST's synapses make by
definition: alpha functions with the weight as their peak.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes
from mc_interchange.network import CATALOGUE, Neuron, Simulation, VoltageRecording

pytest.importorskip("nest")
pytest.importorskip("neuron")

DURATION = 100.0
DELAY = 1.0
#: Times (ms) and weights (pA) of excitatory and inhibitory spikes.
SPIKES = (((10.0, 14.0, 40.0), 3000.0), ((25.0, 60.0), -900.0))
IN_NEURON = """
import json, sys
import numpy as np
from neuron import h
given = json.loads(sys.argv[1])
h.load_file("stdrun.hoc")
p, area = given["parameters"], given["parameters"]["C_m"] * 1e-12 / 1e-6  # cm2 at 1 uF/cm2
soma = h.Section(name="soma")
soma.L = soma.diam = (area / np.pi) ** 0.5 * 1e4
soma.insert("hh")
part = soma(0.5)
part.hh.gnabar, part.hh.gkbar, part.hh.gl = (p[name] * 1e-9 / area for name in ("g_Na", "g_K", "g_L"))
part.hh.el, part.ena, part.ek = p["E_L"], p["E_Na"], p["E_K"]
clamp = h.IClamp(part)
clamp.delay, clamp.dur = 0, 1e9
times = np.arange(0, given["duration"] + 0.01, 0.01)
current = np.full(len(times), p["I_e"])
for arrivals, weight in given["spikes"]:
    tau = p["tau_syn_ex" if weight >= 0 else "tau_syn_in"]
    for arrival in arrivals:
        since = np.maximum(times - arrival, 0)
        current += weight * np.e * since / tau * np.exp(-since / tau)
amplitude, instants = h.Vector(current / 1000), h.Vector(times)
amplitude.play(clamp._ref_amp, instants, 1)
h.celsius = 6.3
h.usetable_hh = 0
h.cvode_active(1)
h.cvode.atol(1e-8)
V = h.Vector().record(part._ref_v, 0.1)
h.finitialize(given["V_m"])
h.continuerun(given["duration"])
print("RESULT" + json.dumps(list(V)))
"""


def in_neuron(neuron: Neuron, V_m: float) -> np.ndarray:
    """Return the potential every 0.1 ms from t = 0 on."""
    arrivals = [([t + DELAY for t in times], weight) for times, weight in SPIKES]
    given = {"parameters": neuron.parameters, "V_m": V_m, "spikes": arrivals, "duration": DURATION}
    command = [sys.executable, "-c", IN_NEURON, json.dumps(given)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    return np.array(json.loads(answer.split("RESULT")[1]))


def in_nest(neuron: Neuron, V_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the potential every 0.1 ms from 0.1 ms on, and the steps of the spikes."""
    from mc_interchange.runners.nest import NestRunner

    block = EdgeBlock(
        np.array([0, 1], np.uint32), np.zeros(2, np.uint32), np.array([w for _, w in SPIKES]), np.full(2, 10, np.int32)
    )
    run = NestRunner().run(
        NetworkInstance(
            "hh",
            {
                "N": Nodes("N", 1, neuron=neuron, V_m=np.array([V_m])),
                "S": Nodes("S", 2, activity=ArrayTrains.from_lists([times for times, _ in SPIKES])),
            },
            {"S_to_N": ArrayEdges("S_to_N", "S", "N", block)},
            (),
            Simulation(duration=DURATION, record_V_m=(VoltageRecording(population="N", neurons=(0,), interval=0.1),)),
        )
    )
    return run.voltages["N"].values[:, 0], run.spikes["N"].steps


@pytest.mark.parametrize("changes", [{}, {"I_e": 700.0}, {"I_e": 500.0, "g_K": 3000.0, "E_Na": 45.0, "C_m": 120.0}])
def test_nest_and_neuron_solve_the_same_equations(changes: dict[str, float]) -> None:
    entry = CATALOGUE["hh_psc_alpha"]
    parameters = {**{p.name: p.nest for p in entry.parameters}, "tau_syn_ex": 1.0, **changes}
    neuron = Neuron(model="hh_psc_alpha", parameters=parameters)
    theirs = in_neuron(neuron, entry.V_m)
    ours, spikes = in_nest(neuron, entry.V_m)
    n = min(len(ours), len(theirs) - 2)
    difference = np.abs(ours[:n] - theirs[1 : n + 1])
    assert np.median(difference) < 1e-3
    # both solvers have tolerances, which move a spike in time: the traces are one within a hundredth of a millisecond
    slope = np.abs(np.diff(theirs[: n + 2])) / 0.1  # mV/ms, on both sides of each sample
    assert (difference <= 0.01 * np.maximum(slope[:n], slope[1 : n + 1]) + 0.01).all()
    peaks = np.flatnonzero((theirs[1:-1] > theirs[:-2]) & (theirs[1:-1] >= theirs[2:]) & (theirs[1:-1] > 0)) + 1
    assert len(peaks) >= 3
    # NEST tells a spike in the step in which the potential falls again
    assert spikes.tolist() == (peaks + 1).tolist()
