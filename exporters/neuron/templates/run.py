"""Build this network in NEURON 9 and simulate it: python run.py [--out DIRECTORY] [--mechanisms WHICH]

Reads the SONATA circuit beside it, and neuron.json, which says what SONATA has no place for. Each neuron and each
source of spikes has a global identifier (gid), each synapse is a NetCon. Neurons step exactly on the grid
(mechanisms/mc_neurons/mods), so spikes fall into the steps in which NEST has them. They go to spikes.h5, and recorded
potentials to V_m.h5, in DIRECTORY (./output). Needs NEURON, numpy and h5py; one process, one thread.

WHICH mechanisms: nrnivmodl (compiled into DIRECTORY, which needs a C++ compiler), glia (of the package that was
installed with pip install ./mechanisms), or a directory in which nrnivmodl was run before.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ["NEURON_MODULE_OPTIONS"] = "-nogui"
sys.dont_write_bytecode = True  # nothing is written beside the circuit
import neuron_mechanisms
from neuron import h
from neuron_network import HERE, Network
from sonata_output import write_potentials, write_spikes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("output"), metavar="DIRECTORY", help="for results")
    parser.add_argument("--mechanisms", default="nrnivmodl", metavar="WHICH", help="nrnivmodl, glia or a directory")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    network = Network(json.loads((HERE / "neuron.json").read_text()), neuron_mechanisms.load(arguments.mechanisms, out))
    if network.pc.nhost() > 1:
        sys.exit(f"run.py: it runs in one process, not in {network.pc.nhost():.0f}")
    network.build()
    spikes, potentials = simulate(network)
    write_spikes(out / "spikes.h5", spikes)
    if potentials:
        write_potentials(out / "V_m.h5", potentials)


def simulate(network):
    """Run, and return by population spikes (ms, neurons) and potentials (neurons, interval in ms, values)."""
    h.dt, n_steps = network.settings["dt"], network.settings["n_steps"]
    recorded = network.settings["record_V_m"]
    traces = {
        name: [h.Vector().record(network.cells[network.first[name] + neuron]._ref_V_m) for neuron in item["neurons"]]
        for name, item in recorded.items()
    }
    times, gids = h.Vector(), h.Vector()
    network.pc.spike_record(-1, times, gids)
    h.finitialize()
    changes = {step for item in network.settings["step_currents"] for step in (item["begin"], item["end"])}
    stops = {*range(0, n_steps, max(1, n_steps // 100)), *(step for step in changes if step < n_steps), n_steps}
    now = 0
    for stop in sorted(stops):
        for _ in range(now, stop):
            h.fadvance()
        now = stop
        if stop in changes:
            network.set_currents(stop)
        print(f"simulated (ms): {stop / network.per_ms:g}", flush=True)
    potentials = {
        # without the potential at the start
        name: (item["neurons"], every / network.per_ms, np.array([v.as_numpy()[every::every] for v in traces[name]]).T)
        for name, item in recorded.items()
        for every in [item["every"]]
    }
    # NEURON notices the spikes of a step at the beginning of the next one
    h.fadvance()
    steps, gids = np.rint(times.as_numpy() * network.per_ms), gids.as_numpy().astype(int)
    spikes = {}
    for name in network.settings["record_spikes"]:
        own = (gids >= network.first[name]) & (gids < network.first[name] + network.sizes[name])
        when, who = network.replayed.get(name, (steps[own], gids[own] - network.first[name]))
        spikes[name] = when / network.per_ms, who
    return spikes, potentials


if __name__ == "__main__":
    main()
