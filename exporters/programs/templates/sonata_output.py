"""Writing what was recorded as SONATA has it."""

import h5py
import numpy as np

SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)


def write_spikes(path, spikes):
    """Write the spikes of each population: times (ms) and neurons, in any order."""
    with h5py.File(path, "w") as file:
        stamp(file)
        for name, (times, neurons) in spikes.items():
            order = np.lexsort((neurons, times))
            group = file.create_group(f"spikes/{name}")
            group.attrs.create("sorting", 2, dtype=SORTING)
            group.create_dataset("timestamps", data=times[order], dtype=float).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=neurons[order], dtype=np.uint64)


def write_potentials(path, reports):
    """Write potentials of each population with all their digits: neurons, interval (ms), and values by time and neuron.

    The first values are those after one interval.
    """
    with h5py.File(path, "w") as file:
        stamp(file)
        for name, (neurons, interval, values) in reports.items():
            group = file.create_group(f"report/{name}")
            group.create_dataset("data", data=values).attrs["units"] = "mV"
            mapping = group.create_group("mapping")
            mapping.attrs.create("sorting", 1, dtype=SORTING)
            mapping.create_dataset("node_ids", data=neurons, dtype=np.uint64)
            mapping.create_dataset("index_pointers", data=np.arange(len(neurons) + 1), dtype=np.uint64)
            mapping["index_pointer"] = mapping["index_pointers"]  # as bmtk calls them
            mapping.create_dataset("element_ids", data=np.zeros(len(neurons)), dtype=np.uint32)
            time = mapping.create_dataset("time", data=[interval, interval * (len(values) + 1), interval])
            time.attrs["units"] = "ms"


def stamp(file):
    """Write what SONATA asks of every file."""
    file.attrs.create("magic", 0x0A7A, dtype=np.uint32)
    file.attrs.create("version", (0, 1), dtype=np.uint32)
