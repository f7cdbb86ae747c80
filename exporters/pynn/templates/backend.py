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


def draw(value, size: int) -> np.ndarray:
    """Return the initial value of each neuron."""
    return value.next(size) if isinstance(value, RandomDistribution) else np.broadcast_to(value, size)


def fires_at_once(parameters: dict, potential: np.ndarray, size: int) -> np.ndarray:
    """Say which neurons are still above threshold after the first step, without input."""
    decay = np.exp(-TIMESTEP / parameters["tau_m"])
    rest = parameters["v_rest"] + parameters["i_offset"] * parameters["tau_m"] / parameters["cm"]
    return np.broadcast_to(rest + (potential - rest) * decay >= parameters["v_thresh"], size)


def matched(parameters: dict) -> tuple[dict, dict]:
    """Return parameters, and factors of the weights, with which a step of NEURON's implicit Euler is NEST's exact one.

    Both steps are linear: with h the resolution, NEST's potential relative to rest becomes P22 V + P21 I_syn + P20 I_e
    (Rotter & Diesmann 1999), NEURON's (V + h/C (I_syn + I_e)) / (1 + h/tau_m).
    """
    h, tau_m, C = TIMESTEP, parameters["tau_m"], parameters["cm"]
    P22 = np.exp(-h / tau_m)
    P20 = tau_m / C * (1 - P22)
    theirs = h / C * P22
    changed = {"tau_m": h / (1 / P22 - 1), "i_offset": parameters["i_offset"] * P20 / theirs}
    factors = {"current": P20 / theirs}
    for receptor, key in (("excitatory", "tau_syn_E"), ("inhibitory", "tau_syn_I")):
        rates = 1 / parameters[key] - 1 / tau_m
        with np.errstate(invalid="ignore"):
            P21 = np.where(rates == 0, h / C * P22, (P22 - np.exp(-h / parameters[key])) / (C * rates))
        factors[receptor] = P21 / theirs
    return {**parameters, **changed}, factors


class Sources:
    """Spike sources of which each may be several cells, where one can emit only one spike per step.

    Cell ``i + k * size`` belongs to source ``i``.
    """

    def __init__(self, cells, size: int) -> None:
        self.cells, self.size, self.copies = cells, size, cells.size // size

    def all(self, sources: np.ndarray) -> np.ndarray:
        """Return the cells of some sources, one copy after the other."""
        return np.concatenate([sources + k * self.size for k in range(self.copies)])


class Backend:
    """PyNN with one simulator, and what is particular to that simulator."""

    def __init__(self, name: str, mechanisms: Path | None, codegen: str) -> None:
        self.name = name
        self.kept = []  # PyNN's objects must live as long as the simulation
        if name == "arbor":
            refuse_arbor()
        if name == "neuron":
            compile_mechanisms(mechanisms)
        self.pynn = importlib.import_module(f"pyNN.{name}")
        options = {"nest": {"spike_precision": "on_grid", "rng_seed": SEED}, "neuron": {"native_rng_baseseed": SEED}}
        self.pynn.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=MAX_DELAY, **options.get(name, {}))
        if name == "brian2":
            brian2 = importlib.import_module("brian2")
            brian2.seed(SEED)
            brian2.prefs.codegen.target = codegen
            # PyNN leaves its spike sources on Brian2's own clock
            brian2.defaultclock.dt = TIMESTEP * brian2.ms
        # Brian2 labels a step by its beginning, NEST and NEURON by its end
        self.label = 1 if name == "brian2" else 0
        self.factors = {}  # of the weights onto a population, by receptor

    # --- cells

    def neurons(self, name: str, size: int, cell_type: str, parameters: dict, initial: dict, arrays: dict):
        """Create neurons with parameters and initial values."""
        given = {**parameters, **{key: read_node_values(name, ratio) for key, ratio in arrays.items()}}
        if self.name == "neuron" and cell_type.startswith("EIF_"):
            sys.exit(f"{name}: pyNN.neuron loses most spikes of {cell_type}; take --simulator nest")
        if self.name == "brian2":
            check_brian2(name, cell_type, given)
            if "tau_refrac" in given:
                # it holds a neuron for one step less
                given["tau_refrac"] = given["tau_refrac"] + TIMESTEP
        values = {key: initial_value(name, value) for key, value in initial.items()}
        at_once = None
        if self.name == "neuron" and cell_type.startswith("IF_"):
            potential = draw(values["v"], size)
            at_once = fires_at_once(given, potential, size)
            values["v"] = np.where(at_once, given["v_thresh"] - 1e-3, potential)
            if MATCHED:
                given, self.factors[name] = matched(given)
        try:
            cell = getattr(self.pynn, cell_type)(**given)
        except NotImplementedError:
            sys.exit(f"{name}: pyNN.{self.name} has no {cell_type}")
        if self.name == "nest" and not hasattr(cell, "variable_map"):
            # of IF_curr_delta PyNN does not say what its potential is called in NEST
            cell.variable_map, cell.scale_factors = {"v": "V_m"}, {"v": 1}
        if self.name == "nest" and "w" in values:
            values["w"] = values["w"] * 1000  # PyNN hands initial values to NEST as they are, and this is in pA
        cells = self.pynn.Population(size, cell, label=name)
        cells.initialize(**values)
        for key, place in (("w", ("adexp", "winit")), ("u", ("izh", "uinit"))):
            if self.name == "neuron" and key in values:
                # PyNN sets the variables before NEURON's initialisation, which then sets them to these parameters
                for cell, value in zip(cells, draw(values[key], size), strict=True):
                    setattr(getattr(cell._cell, place[0]), place[1], value)
        if at_once is not None and at_once.any():
            # NEURON notices only a potential that rises through the threshold
            above = given["cm"] * 10.0 / TIMESTEP
            for amplitude in np.unique(above):
                source = self.pynn.DCSource(amplitude=float(amplitude), start=0.0, stop=TIMESTEP)
                source.inject_into(cells[np.flatnonzero(at_once & (above == amplitude))])
                self.kept.append(source)
        return cells

    def poisson(self, name: str, size: int, rate: float, start: float, duration: float) -> Sources:
        """Create independent Poisson sources."""
        if rate == 0:
            return Sources(self.pynn.Population(size, self.pynn.SpikeSourceArray(), label=name), size)
        # in Brian2 a cell fires in a step with the probability rate * dt, so this must be small
        copies = math.ceil(rate * TIMESTEP / 1000 / MAX_PROBABILITY) if self.name == "brian2" else 1
        cell = self.pynn.SpikeSourcePoisson(rate=rate / copies, start=start, duration=duration)
        return Sources(self.pynn.Population(size * copies, cell, label=name), size)

    def replayed(self, name: str, size: int) -> Sources:
        """Create sources that emit given spikes."""
        sources, steps = read_spike_steps(name)
        if self.name == "nest" and (steps == 1).any():
            sys.exit(f"{name}: pyNN.nest can emit no spike in the first step ({TIMESTEP:g} ms)")
        copies = 1
        if self.name != "nest":
            # the second spike of a source in one step comes from its second cell, and so on: Brian2 refuses two, and
            # a source of NEURON falls silent where the second lies a rounding error before the first
            first = np.flatnonzero(np.r_[True, (np.diff(sources) != 0) | (np.diff(steps) != 0)][: len(steps)])
            rank = np.arange(len(steps)) - np.repeat(first, np.diff(np.r_[first, len(steps)]))
            copies = int(rank.max(initial=0)) + 1
            order = np.lexsort((steps, sources, rank))
            sources, steps = (sources + size * rank)[order], steps[order]
        # a little before the step: PyNN subtracts a delay in floating point, and NEST rounds up
        times = (steps - self.label) * TIMESTEP - (1e-6 if self.name == "nest" else 0.0)
        trains = np.split(times, np.searchsorted(sources, np.arange(1, size * copies)))
        cell = self.pynn.SpikeSourceArray(spike_times=[Sequence(train) for train in trains])
        return Sources(self.pynn.Population(size * copies, cell, label=name), size)

    # --- synapses and other input

    def connect(self, name: str, pre, post, sources, targets, weights, delays) -> None:
        """Make synapses; those with a negative weight act on the inhibitory receptor."""
        for receptor, chosen in (("excitatory", weights >= 0), ("inhibitory", weights < 0)):
            if not chosen.any():
                continue
            cells, i, j, w, d = pre, sources[chosen], targets[chosen], weights[chosen], delays[chosen]
            if isinstance(pre, Sources):
                cells, i = pre.cells, pre.all(i)
                j, w, d = (np.tile(values, pre.copies) for values in (j, w, d))
            if post.label in self.factors:
                w = w * np.broadcast_to(self.factors[post.label][receptor], post.size)[j]
            connector = Synapses(self.name, i, j, w, d, WEIGHT_UNITS[post.label])
            projection = self.pynn.Projection(
                cells, post, connector, self.pynn.StaticSynapse(delay=TIMESTEP), receptor_type=receptor, label=name
            )
            self.kept.append(projection)

    def poisson_input(self, name: str, post, item: dict) -> None:
        """Give each neuron a Poisson source of its own."""
        targets = np.arange(post.size) if item["neurons"] is None else np.array(item["neurons"])
        n = len(targets)
        pre = self.poisson(name, n, item["rate"], item["start"], item["duration"])
        self.connect(name, pre, post, np.arange(n), targets, np.full(n, item["weight"]), np.full(n, item["delay"]))

    def inject(self, post, item: dict) -> None:
        """Inject a current."""
        neurons = np.arange(post.size) if item["neurons"] is None else np.array(item["neurons"])
        factors = np.broadcast_to(self.factors.get(post.label, {}).get("current", 1.0), post.size)[neurons]
        for factor in np.unique(factors):
            source = self.pynn.DCSource(amplitude=item["amplitude"] * factor, start=item["start"], stop=item["stop"])
            source.inject_into(post[neurons[factors == factor]])
            self.kept.append(source)

    # --- simulation

    def record(self, populations: dict) -> None:
        """Record spikes and potentials."""
        for name in RECORD_SPIKES:
            populations[name].record("spikes")
        for name, item in RECORD_V_M.items():
            populations[name][item["neurons"]].record("v")

    def run(self) -> None:
        """Simulate, and say how far it is; each part costs Brian2 a preparation."""
        parts = 1 if self.name == "brian2" else 20
        n_steps = round(DURATION / TIMESTEP)
        if self.name == "neuron":
            n_steps += 1  # in which NEURON notices the spikes of the last
        for end in np.unique(np.linspace(0, n_steps, parts + 1).round().astype(int))[1:].tolist():
            self.pynn.run_until(end * TIMESTEP)
            print(f"simulated (ms): {min(end * TIMESTEP, DURATION):.10g}", flush=True)

    def spikes(self, cells) -> tuple[np.ndarray, np.ndarray]:
        """Return time (ms) and neuron of each spike, by time; labelled by the end of a step as NEST does."""
        ids, times = cells.get_data("spikes").segments[0].spiketrains.multiplexed
        steps = np.rint(np.asarray(times) / TIMESTEP).astype(int) + self.label
        neurons = ids.astype(int) - int(cells.first_id)
        order = np.lexsort((neurons, steps))
        return steps[order] * TIMESTEP, neurons[order]

    def potentials(self, cells, neurons: list, interval: float) -> tuple[list, float, np.ndarray]:
        """Return neurons, interval (ms) and potentials (mV) by time and neuron, from the first interval on."""
        signal = cells.get_data("v").segments[0].filter(name="v")[0]
        every = round(interval / TIMESTEP)
        found = np.asarray(signal.rescale("mV").magnitude)[every : round(DURATION / TIMESTEP) + 1 : every]
        columns = np.argsort(signal.array_annotations["channel_index"])
        return sorted(neurons), interval, found[:, columns]

    def end(self) -> None:
        """Close PyNN."""
        self.pynn.end()


class Synapses(Connector):
    """Synapses from arrays, several between two neurons too.

    PyNN's FromListConnector does the same in NEURON. In NEST it calls Connect for every neuron, and in Brian2 it
    gives all synapses between two neurons the weight of the last.
    """

    parameter_names = ()

    def __init__(self, simulator: str, sources, targets, weights, delays, unit: float) -> None:
        super().__init__(safe=False)
        self.simulator = simulator
        self.sources, self.targets, self.delays = sources, targets, delays
        self.weights = weights  # in NEST's unit and with its sign
        self.unit = unit  # what makes PyNN's nA, uS or mV of them

    def connect(self, projection) -> None:
        """Connect one projection."""
        if self.simulator == "nest":
            return self._nest(projection)
        weights = self.weights * self.unit
        if projection.post.conductance_based:
            weights = np.abs(weights)
        if self.simulator == "brian2":
            return self._brian2(projection, weights)
        rows = np.column_stack([self.sources, self.targets, weights, self.delays])
        return FromListConnector(rows).connect(projection)

    def _nest(self, projection) -> None:
        nest = importlib.import_module("nest")
        pre, post = (cells.all_cells.astype(int) for cells in (projection.pre, projection.post))
        synapses = {
            "synapse_model": projection.nest_synapse_model,
            "synapse_label": np.full(len(self.weights), projection.nest_synapse_label),
            "weight": self.weights,
            "delay": self.delays,
        }
        nest.Connect(pre[self.sources], post[self.targets], "one_to_one", synapses)
        projection._sources.update(np.unique(pre[self.sources]).tolist())

    def _brian2(self, projection, weights) -> None:
        synapse, n = projection.synapse_type, len(weights)
        values = ParameterSpace({"weight": weights, "delay": self.delays}, synapse.get_schema(), shape=(n,))
        native = synapse.translate(values)
        native.evaluate()
        synapses = projection._brian2_synapses[0][0]
        synapses.connect(i=self.sources, j=self.targets)
        synapses.weight, synapses.delay = native["weight"], native["delay"]
        projection._n_connections = n
