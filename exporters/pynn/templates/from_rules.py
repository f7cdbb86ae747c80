# --- the synapses, drawn by PyNN


def connect(sim: Backend, populations: dict) -> None:
    """Make the synapses of all projections by their rules."""
    for name, item in PROJECTIONS.items():
        pre, post = populations[item["source"]], populations[item["target"]]
        cells = pre.cells if isinstance(pre, Sources) else pre
        if cells.size != (pre.size):
            sys.exit(f"{name}: its sources are several cells each in pyNN.{sim.name}, which no connector can join")
        kind, arguments = item["connector"]
        if kind != "OneToOneConnector" and kind != "AllToAllConnector":
            arguments = {**arguments, "rng": RANDOM}
        connector = getattr(sim.pynn, kind)(**arguments)
        weight, delay = (
            RandomDistribution(**value, rng=RANDOM) if isinstance(value, dict) else value
            for value in (item["weight"], item["delay"])
        )
        synapse = sim.pynn.StaticSynapse(weight=weight, delay=delay)
        projection = sim.pynn.Projection(
            cells, post, connector, synapse, receptor_type=item["receptor"], label=name
        )
        sim.kept.append(projection)


