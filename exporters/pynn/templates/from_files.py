# --- the synapses, as they are in the circuit


def connect(sim: Backend, populations: dict) -> None:
    """Make the synapses of all projections."""
    for name, (source, target) in PROJECTIONS.items():
        sim.connect(name, populations[source], populations[target], *read_synapses(name))
