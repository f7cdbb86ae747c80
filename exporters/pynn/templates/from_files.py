# --- the synapses, as they are in the circuit


def connect(sim: Backend, populations: dict) -> None:
    """Make the synapses of all projections."""
    for name, (source, target) in PROJECTIONS.items():
        sim.connect(name, populations[source], populations[target], *read_synapses(name))


def read_synapses(projection: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read source, target, weight (NEST's unit and sign) and delay (ms) of each synapse."""
    with h5py.File(HERE / f"network/{projection}_edges.h5") as file:
        edges = file[f"edges/{projection}"]
        sources, targets = edges["source_node_id"][:].astype(int), edges["target_node_id"][:].astype(int)
        weights, delays = edges["0/syn_weight"][:].astype(float), edges["0/delay"][:].astype(float)
    return sources, targets, weights, np.rint(delays / TIMESTEP) * TIMESTEP


