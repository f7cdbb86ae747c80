# --- how it is built and run; the same for every model


def main() -> None:
    """Build the network, simulate, and write what was recorded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulator", choices=("nest", "neuron", "brian2", "arbor"), default="nest")
    parser.add_argument("--out", type=Path, default=HERE / "output", help="directory for spikes.h5 and V_m.h5")
    parser.add_argument("--mechanisms", type=Path, help="directory that keeps what NEURON has compiled")
    parser.add_argument(
        "--codegen", choices=("numpy", "cython"), default="numpy", help="how Brian2 computes; cython compiles first"
    )
    arguments = parser.parse_args()
    sim = Backend(arguments.simulator, arguments.mechanisms, arguments.codegen)
    populations = {name: sim.neurons(name, **item) for name, item in NEURONS.items()}
    for name, item in POISSON_SOURCES.items():
        populations[name] = sim.poisson(name, **item)
    for name, size in REPLAYED_SOURCES.items():
        populations[name] = sim.replayed(name, size)
    connect(sim, populations)
    for name, item in POISSON_INPUTS.items():
        sim.poisson_input(name, populations[item["target"]], item)
    for item in STEP_CURRENTS.values():
        sim.inject(populations[item["target"]], item)
    sim.record(populations)
    sim.run()
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_spikes(arguments.out / "spikes.h5", {name: sim.spikes(populations[name]) for name in RECORD_SPIKES})
    if RECORD_V_M:
        reports = {name: sim.potentials(populations[name], **item) for name, item in RECORD_V_M.items()}
        write_potentials(arguments.out / "V_m.h5", reports)
    sim.end()


def read_node_values(population: str, ratio: list) -> np.ndarray:
    """Read a parameter in PyNN's unit: a ratio of two, each a number or the name of an array in the node file."""
    with h5py.File(HERE / f"network/{population}_nodes.h5") as file:
        arrays = file[f"nodes/{population}/0/dynamics_params"]
        above, below = (arrays[item][:] if isinstance(item, str) else item for item in ratio)
    return above / below


def read_synapses(projection: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read source, target, weight (NEST's unit and sign) and delay (ms) of each synapse."""
    with h5py.File(HERE / f"network/{projection}_edges.h5") as file:
        edges = file[f"edges/{projection}"]
        sources, targets = edges["source_node_id"][:].astype(int), edges["target_node_id"][:].astype(int)
        weights, delays = edges["0/syn_weight"][:].astype(float), edges["0/delay"][:].astype(float)
    return sources, targets, weights, np.rint(delays / TIMESTEP) * TIMESTEP


def initial_value(population: str, value):
    """Return a number, an array in the node file (a ratio), or a distribution (a dictionary)."""
    if isinstance(value, list):
        return read_node_values(population, value)
    return RandomDistribution(**value, rng=RANDOM) if isinstance(value, dict) else value


def read_spike_steps(population: str) -> tuple[np.ndarray, np.ndarray]:
    """Read source and step of each spike; a spike beside the grid is emitted at the end of the step it is in."""
    with h5py.File(HERE / f"inputs/{population}_spikes.h5") as file:
        spikes = file[f"spikes/{population}"]
        sources, times = spikes["node_ids"][:].astype(int), spikes["timestamps"][:]
    steps = np.maximum(np.ceil(times / TIMESTEP - 1e-6), 1).astype(int)
    order = np.lexsort((steps, sources))
    return sources[order], steps[order]
