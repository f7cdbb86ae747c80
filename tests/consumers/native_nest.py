"""The reference of all consumers: nest.Create and nest.Connect, straight from an instance's arrays.

    python native_nest.py NETWORK OUTPUT_DIRECTORY

Nothing of this package's runner is used. Spikes go to spikes.h5.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import nest
import numpy as np
from networks import DURATION, NETWORKS

instance = NETWORKS[sys.argv[1]]()
dt = instance.simulation.dt
nest.resolution = dt

populations = {}
for name, nodes in instance.populations.items():
    if nodes.virtual:
        trains = [train for block in nodes.activity.blocks() for train in block.trains()]
        populations[name] = nest.Create("spike_generator", nodes.size, [{"spike_times": train} for train in trains])
    else:
        # the catalogue calls these models as NEST does
        kinds = nodes.neuron.which if nodes.mixed else np.zeros(nodes.size, int)
        neurons = [nodes.models[kind] for kind in kinds]
        created = [nest.Create(neuron.model, params=dict(neuron.parameters)).global_id for neuron in neurons]
        populations[name] = nest.NodeCollection(created)
        for parameter, values in {**nodes.varying, "V_m": nodes.V_m}.items():
            populations[name].set({parameter: values.tolist()})

for edges in instance.projections.values():
    source, target = (populations[name].tolist() for name in (edges.source, edges.target))
    for block in edges.blocks():
        nest.Connect(
            np.array(source)[block.source],
            np.array(target)[block.target],
            "one_to_one",
            {"weight": block.weight.astype(float), "delay": block.delay * dt},
        )

for current in instance.inputs:
    window = {"start": current.start, "stop": current.stop}
    generator = nest.Create("dc_generator", params={"amplitude": current.amplitude, **window})
    target = populations[current.target]
    chosen = target if current.neurons is None else target[list(current.neurons)]
    nest.Connect(generator, chosen, syn_spec={"delay": current.delay})

neurons = {name: populations[name] for name, nodes in instance.populations.items() if not nodes.virtual}
recorders = {name: nest.Create("spike_recorder") for name in neurons}
for name, recorder in recorders.items():
    nest.Connect(neurons[name], recorder)
nest.Simulate(DURATION)

output = Path(sys.argv[2])
output.mkdir(parents=True, exist_ok=True)
with h5py.File(output / "spikes.h5", "w") as file:
    for name, recorder in recorders.items():
        file[f"spikes/{name}/timestamps"] = recorder.events["times"]
        file[f"spikes/{name}/node_ids"] = recorder.events["senders"] - neurons[name][0].global_id
