# --- the synapses, as they are in the circuit


def connect(sim: Backend, populations: dict) -> None:
    """Make the synapses of all projections."""
    for name, (source, target) in PROJECTIONS.items():
        plasticity = PLASTICITY.get(name)
        sim.connect(name, populations[source], populations[target], *read_synapses(name), plasticity)


def longest_delay() -> float:
    """Return the longest delay in ms, which NEST wants to know beforehand."""
    delays = [TIMESTEP, *(item["delay"] for item in POISSON_INPUTS.values())]
    return max([*delays, *(read_synapses(name)[3].max() for name in PROJECTIONS)])
