"""Run this circuit in PyNN with NEST: python load_with_pynn.py [OUTPUT_DIRECTORY]

PyNN reads nodes and synapses, but not the initial V_m. Its simulation plan can neither read spike trains where a source
is silent nor write spikes with numpy 2; so inputs and output are done here. A spike train must not begin before the
smallest delay in the network. Spikes go to spikes.h5 in OUTPUT_DIRECTORY (./output). Needs PyNN 0.13 and NEST 3.
"""

import json
import os
import sys
from pathlib import Path

import h5py
import numpy as np
import pyNN.nest as sim
from pyNN.parameters import Sequence
from pyNN.serialization import import_from_sonata

output = Path(sys.argv[1] if len(sys.argv) > 1 else "output").resolve()
os.chdir(Path(__file__).resolve().parent)  # the paths in the configuration start here
settings = json.loads(Path("simulation_config.pynn.json").read_text())
node_sets = json.loads(Path("node_sets.json").read_text())
run = settings["run"]

sim.setup(timestep=run["dt"], rng_seed=run["random_seed"])
network = import_from_sonata("circuit_config.pynn.json", sim)
populations = {assembly.label: assembly.populations[0] for assembly in network.assemblies}
for assembly in network.assemblies:
    if len(assembly.populations) > 1:
        sys.exit(f"{assembly.label}: PyNN mixes up the neurons of a population with several models")

for name, population in populations.items():
    with h5py.File(f"network/{name}_nodes.h5") as file:
        arrays = file[f"nodes/{name}/0"].get("dynamics_params", {})
        if "V_m" in arrays:
            population.initialize(V_m=arrays["V_m"][:])

for name, item in settings["inputs"].items():
    chosen = node_sets[item["node_set"]]
    population = populations[chosen["population"]]
    if "input_file" in item:
        with h5py.File(item["input_file"].replace("$BASE_DIR", ".")) as file:
            times, sources = file["spikes/timestamps"][:], file["spikes/gids"][:]
    first = times.min(initial=np.inf) if "input_file" in item else item["delay"]
    if first <= sim.get_min_delay():
        sys.exit(f"{name}: PyNN gives no input until {sim.get_min_delay():g} ms, the smallest delay in the network")
    if "input_file" in item:
        order = np.lexsort((times, sources))
        trains = np.split(times[order], np.searchsorted(sources[order], np.arange(1, population.size)))
        population.set(spike_times=[Sequence(train) for train in trains])
    else:
        window = {"start": first, "stop": first + item["duration"]}
        cells = population[chosen["node_id"]] if "node_id" in chosen else population
        cells.inject(sim.DCSource(amplitude=item["amp"], **window))

neurons = {name: population for name, population in populations.items() if population.celltype.injectable}
for population in neurons.values():
    population.record("spikes")
sim.run(run["tstop"])

output.mkdir(parents=True, exist_ok=True)
with h5py.File(output / "spikes.h5", "w") as file:
    for name, population in neurons.items():
        trains = population.get_data("spikes").segments[0].spiketrains
        group = file.create_group(f"spikes/{name}")
        group["timestamps"] = np.concatenate([train.magnitude for train in trains])
        group["node_ids"] = np.repeat(np.arange(population.size), [len(train) for train in trains])
