"""Building the network of run.py in NEURON from the SONATA circuit."""

import csv
import json
import time
from pathlib import Path

import h5py
import numpy as np
from neuron import h

HERE = Path(__file__).resolve().parent
#: Neurons whose potential jumps with a spike: it has to be there before the step that ends then.
JUMPING = ("iaf_psc_delta",)
#: Synapses that are read at once, and what they are connected with: in NEURON's own language, a loop takes less than
#: half of the time and two thirds of the memory that it takes in Python.
BLOCK = 2**20
CONNECT = """
objref mc_pc, mc_cells, mc_netcons, mc_netcon, mc_sources, mc_targets, mc_weights, mc_delays
mc_netcons = new List()
proc mc_connect() { local i
    for i = 0, mc_sources.size() - 1 {
        mc_netcon = mc_pc.gid_connect(mc_sources.x[i], mc_cells.object(mc_targets.x[i]))
        mc_netcon.weight = mc_weights.x[i]
        mc_netcon.delay = mc_delays.x[i]
        mc_netcons.append(mc_netcon)
    }
}
"""


class Network:
    """The network in NEURON."""

    def __init__(self, settings, insert):
        self.settings, self.insert = settings, insert
        self.circuit = json.loads((HERE / "circuit_config.json").read_text())
        self.per_ms = 1000 / round(settings["dt"] * 1000)
        self.pc = h.ParallelContext()
        self.cells = h.List()  # by gid
        self.early = []  # steps by which each of them is to get its spikes earlier
        self.first = {}  # gid of each population
        self.sizes = {}
        self.replayed = {}  # steps and sources of the spikes of each virtual population
        self.kept = []

    def build(self):
        """Make neurons, synapses and inputs."""
        begin = time.process_time()
        populations = [
            (name, self.path(files["nodes_file"]), self.path(files["node_types_file"]), how["type"])
            for files in self.circuit["networks"]["nodes"]
            for name, how in files["populations"].items()
        ]
        # sources of spikes have no cell, so their gids come last
        for name, nodes, types, kind in sorted(populations, key=lambda each: each[3] == "virtual"):
            self.first[name] = sum(self.sizes.values())
            with h5py.File(nodes) as file:
                self.sizes[name] = len(file[f"nodes/{name}/node_type_id"])
                if kind != "virtual":
                    self.make_neurons(file[f"nodes/{name}"], types)
        h(CONNECT)
        h.mc_pc, h.mc_cells = self.pc, self.cells
        for files in self.circuit["networks"]["edges"]:
            for name in files["populations"]:
                with h5py.File(self.path(files["edges_file"])) as file:
                    self.connect(file[f"edges/{name}"])
        took = time.process_time() - begin
        print(f"{len(self.cells)} neurons and {len(h.mc_netcons)} synapses made in {took:.2f} s", flush=True)
        self.draw_poisson_inputs()
        self.replay()

    def path(self, text):
        return Path(text.replace("$BASE_DIR", str(HERE)))

    def make_neurons(self, nodes, types):
        """Make the neurons of a population, in order."""
        folder = self.path(self.circuit["components"]["point_neuron_models_dir"])
        with open(types, newline="") as file:
            rows = {int(row["node_type_id"]): row for row in csv.DictReader(file, delimiter=" ")}
        common = {number: json.loads((folder / row["dynamics_params"]).read_text()) for number, row in rows.items()}
        own = {
            group: {name: values[:].tolist() for name, values in nodes[f"{group}/dynamics_params"].items()}
            if f"{group}/dynamics_params" in nodes
            else {}
            for group in np.unique(nodes["node_group_id"][:]).tolist()
        }
        columns = (nodes[name][:].tolist() for name in ("node_type_id", "node_group_id", "node_group_index"))
        for number, group, row in zip(*columns, strict=True):
            parameters = {**common[number], **{name: values[row] for name, values in own[group].items()}}
            model = rows[number]["model_template"].removeprefix("nest:")
            cell = self.insert(model)
            if "E_L" in parameters:  # a relay has no potential
                cell.V_0 = parameters.pop("V_m", parameters["E_L"])
                for name, value in parameters.items():
                    setattr(cell, name, value)
            gid = len(self.cells)
            self.pc.set_gid2node(gid, 0)
            self.pc.cell(gid, h.NetCon(cell, None))
            self.cells.append(cell)
            self.early.append(float(model in JUMPING))

    def connect(self, edges):
        """Make the synapses of a projection."""
        ids = [edges[f"{end}_node_id"] for end in ("source", "target")]
        first = [self.first[each.attrs["node_population"]] for each in ids]
        early = np.array(self.early)
        for begin in range(0, len(ids[0]), BLOCK):
            part = slice(begin, begin + BLOCK)
            sources, targets = (each[part].astype(int) + one for each, one in zip(ids, first, strict=True))
            steps = np.rint(edges["0/delay"][part].astype(float) * self.per_ms) - early[targets]
            h.mc_sources, h.mc_targets = h.Vector(sources.astype(float)), h.Vector(targets.astype(float))
            h.mc_weights = h.Vector(edges["0/syn_weight"][part].astype(float))
            h.mc_delays = h.Vector(steps / self.per_ms)
            h.mc_connect()

    def draw_poisson_inputs(self):
        """Give each neuron of a Poisson input a generator, with a random stream of its own."""
        for number, item in enumerate(self.settings["poisson_inputs"]):
            for gid in sorted(self.reached(item)):
                source = self.insert("poisson_input")
                source.stream.set_ids(gid, number, self.settings["seed"])
                source.rate, source.weight = item["rate"], item["weight"]
                source.first, source.last = item["first"] - self.early[gid], item["last"] - self.early[gid]
                cell = self.cells[gid]
                arrived = cell._ref_arrived_ex if item["weight"] >= 0 else cell._ref_arrived_in
                h.setpointer(arrived, "arrived", source)
                self.kept.append(source)

    def replay(self):
        """Send the spikes of all sources, which are given or drawn."""
        for name, activity in self.settings["sources"].items():
            if activity is None:
                with h5py.File(HERE / "inputs" / f"{name}_spikes.h5") as file:
                    group = file[f"spikes/{name}"]
                    # a time beside the grid counts to the end of its step
                    steps = np.ceil(group["timestamps"][:] * self.per_ms - 2e-3)
                    found = np.maximum(steps, 1), group["node_ids"][:].astype(int)
            else:
                found = self.draw_sources(name, activity)
            within = found[0] <= self.settings["n_steps"]
            self.replayed[name] = found[0][within], found[1][within]
        if not self.replayed:
            return
        steps = np.concatenate([steps for steps, _ in self.replayed.values()])
        gids = np.concatenate([ids + self.first[name] for name, (_, ids) in self.replayed.items()])
        order = np.argsort(steps, kind="stable")
        vectors = h.Vector(steps[order] / self.per_ms), h.Vector(gids[order].astype(float))
        stimulus = h.PatternStim()
        stimulus.play(*vectors)
        self.kept += [*vectors, stimulus]  # it keeps no references

    def draw_sources(self, name, activity):
        """Draw Poisson spikes; those of one source are the same for all its targets."""
        generator = np.random.Generator(np.random.Philox([self.settings["seed"], self.first[name]]))
        first, last = activity["first"], min(activity["last"], self.settings["n_steps"])
        n_steps = max(0, last - first + 1)
        mean = activity["rate"] / self.per_ms / 1000 * n_steps
        sources = np.repeat(np.arange(self.sizes[name]), generator.poisson(mean, self.sizes[name]))
        return first + generator.integers(0, max(1, n_steps), len(sources)), sources

    def set_currents(self, step):
        """Set the currents that begin or end with this step."""
        items = self.settings["step_currents"]
        changed = (self.reached(item) for item in items if step in (item["begin"], item["end"]))
        amplitudes = dict.fromkeys((gid for gids in changed for gid in gids), 0.0)
        for item in items:
            if item["begin"] <= step < item["end"]:
                for gid in amplitudes.keys() & self.reached(item):
                    amplitudes[gid] += item["amplitude"]
        for gid, amplitude in amplitudes.items():
            self.cells[gid].I_step = amplitude

    def reached(self, item):
        """Return the gids of the neurons that get an input."""
        first = self.first[item["target"]]
        neurons = range(self.sizes[item["target"]]) if item["neurons"] is None else item["neurons"]
        return {first + neuron for neuron in neurons}
