"""Run this circuit in NEST's own SONATA reader: python load_with_nest.py [OUTPUT_DIRECTORY]

nest.SonataNetwork reads nodes, synapses and spike trains, but not what differs from neuron to neuron (the initial V_m,
and any other array in nodes/POPULATION/0/dynamics_params) and no current clamps; they are set here. Spikes go to
spikes.h5 in OUTPUT_DIRECTORY (./output). Needs a NEST 3 that was built with HDF5 (the wheel from PyPI is not).
"""

import json
import sys
from pathlib import Path

import h5py  # before nest: NEST brings an HDF5 library, too, and h5py must find its own
import nest
import numpy as np

here = Path(__file__).resolve().parent
output = Path(sys.argv[1] if len(sys.argv) > 1 else "output")
settings = json.loads((here / "simulation_config.nest.json").read_text())
node_sets = json.loads((here / "node_sets.json").read_text())

network = nest.SonataNetwork(here / "circuit_config.json", here / "simulation_config.nest.json")
populations = network.BuildNetwork()
neurons = {name: nodes for name, nodes in populations.items() if nodes[0].model != "spike_train_injector"}

for population in neurons:
    with h5py.File(here / f"network/{population}_nodes.h5") as file:
        nodes = file[f"nodes/{population}"]
        for group in np.unique(nodes["node_group_id"]):
            members = np.flatnonzero(nodes["node_group_id"][:] == group)
            rows = nodes["node_group_index"][:][members]
            arrays = nodes[str(group)].get("dynamics_params", {})
            for name in sorted(arrays, key=lambda name: name == "V_m"):  # V_m last: E_L moves it along
                neurons[population][members].set({name: arrays[name][:][rows].tolist()})

dt = settings["run"]["dt"]
for clamp in settings["inputs"].values():
    if clamp["input_type"] == "current_clamp":
        chosen = node_sets[clamp["node_set"]]
        window = {"start": clamp["delay"], "stop": clamp["delay"] + clamp["duration"]}
        source = nest.Create("dc_generator", params={"amplitude": clamp["amp"], **window})
        target = neurons[chosen["population"]]
        nest.Connect(source, target[chosen["node_id"]] if "node_id" in chosen else target, syn_spec={"delay": dt})

recorders = {name: nest.Create("spike_recorder") for name in neurons}
for name, recorder in recorders.items():
    nest.Connect(neurons[name], recorder)
network.Simulate()

output.mkdir(parents=True, exist_ok=True)
with h5py.File(output / "spikes.h5", "w") as file:
    for name, recorder in recorders.items():
        events = recorder.events
        group = file.create_group(f"spikes/{name}")
        group["timestamps"] = np.asarray(events["times"], float)
        group["node_ids"] = np.asarray(events["senders"], int) - neurons[name][0].global_id
