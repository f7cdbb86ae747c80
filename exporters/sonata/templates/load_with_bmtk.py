"""Run this circuit in bmtk: python load_with_bmtk.py [OUTPUT_DIRECTORY]

bmtk reads everything that simulation_config.json names, but of the neurons only what their type says. What differs
from neuron to neuron (the initial V_m, and any other array in nodes/POPULATION/0/dynamics_params) is set here.
Spikes go to spikes.h5 in OUTPUT_DIRECTORY (./output). Needs bmtk 1.2 and NEST 3.
"""

import json
import os
import sys
from pathlib import Path

import h5py
import nest
import numpy as np
from bmtk.simulator import pointnet

output = Path(sys.argv[1] if len(sys.argv) > 1 else "output").resolve()
os.chdir(Path(__file__).resolve().parent)  # the paths in the configuration start here

settings = json.loads(Path("simulation_config.json").read_text())
settings["output"]["output_dir"] = str(output)
config = pointnet.Config.from_dict(settings)
config.build_env()
network = pointnet.PointNetwork.from_config(config)
simulator = pointnet.PointSimulator.from_config(config, network)

for population in network.gid_map.populations:
    with h5py.File(f"network/{population}_nodes.h5") as file:
        nodes = file[f"nodes/{population}"]
        for group in np.unique(nodes["node_group_id"]):
            members = np.flatnonzero(nodes["node_group_id"][:] == group)
            rows = nodes["node_group_index"][:][members]
            nest_ids = network.gid_map.get_nestids(population, members)
            order = np.argsort(nest_ids)  # NEST takes them in ascending order only
            arrays = nodes[str(group)].get("dynamics_params", {})
            for name in sorted(arrays, key=lambda name: name == "V_m"):  # V_m last: E_L moves it along
                nest.NodeCollection(nest_ids[order]).set({name: arrays[name][:][rows][order].tolist()})

simulator.run()
