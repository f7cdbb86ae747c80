"""Build this network in NEURON 9 and simulate it: python run.py [--out DIRECTORY] [--mechanisms WHICH]

Reads the SONATA circuit beside it, and neuron.json, which says what SONATA has no place for. Each neuron and each
source of spikes has a global identifier (gid), each synapse is a NetCon. Neurons step exactly on the grid
(mechanisms/mc_neurons/mods), so spikes fall into the steps in which NEST has them. They go to spikes.h5, and recorded
potentials to V_m.h5, in DIRECTORY (./output). Needs NEURON, numpy and h5py; one process, one thread.

WHICH mechanisms: nrnivmodl (compiled into DIRECTORY, which needs a C++ compiler), glia (of the package that was
installed with pip install ./mechanisms), or a directory in which nrnivmodl was run before.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

import h5py
import numpy as np

os.environ["NEURON_MODULE_OPTIONS"] = "-nogui"
from neuron import h

HERE = Path(__file__).resolve().parent
MODS = HERE / "mechanisms" / "mc_neurons" / "mods"
PACKAGE = "mc_neurons"
#: Synapses that are read at once, and what they are connected with: in NEURON's own language, a loop takes a third of
#: the time and half of the memory that it takes in Python.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("output"), metavar="DIRECTORY", help="for results")
    parser.add_argument("--mechanisms", default="nrnivmodl", metavar="WHICH", help="nrnivmodl, glia or a directory")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    network = Network(json.loads((HERE / "neuron.json").read_text()), mechanisms(arguments.mechanisms, out))
    if network.pc.nhost() > 1:
        sys.exit(f"run.py: it runs in one process, not in {network.pc.nhost():.0f}")
    network.build()
    spikes, potentials = network.simulate()
    write(out, spikes, potentials)


# --- mechanisms


def mechanisms(which, out):
    """Return a function that makes a point process of one of our mechanisms."""
    if which == "glia":
        return from_glia(out)
    if which == "nrnivmodl":
        compile_mechanisms(out / "mechanisms")
        which = out / "mechanisms"
    libraries = sorted(library for end in ("so", "dylib") for library in Path(which).glob(f"*/libnrnmech.{end}"))
    if not libraries:
        sys.exit(f"run.py: --mechanisms {which}: there is no */libnrnmech, which nrnivmodl makes")
    # NEURON loads what is in the working directory by itself, and nothing twice
    if not hasattr(h, f"glia__{PACKAGE}__poisson_input__0"):
        h.nrn_load_dll(str(libraries[0]))
    section = h.Section(name="neurons")
    return lambda asset: getattr(h, f"glia__{PACKAGE}__{asset}__0")(section(0.5))


def compile_mechanisms(directory):
    """Run nrnivmodl in a new directory: what an earlier run has left half made, it would take for finished."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    program = shutil.which("nrnivmodl", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    if program is None:
        sys.exit("run.py: nrnivmodl, which comes with NEURON, is not to be found")
    done = subprocess.run([sys.executable, program, str(MODS)], cwd=directory, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        sys.exit("run.py: nrnivmodl failed; it needs a C++ compiler and make")


def from_glia(out):
    """Compile and load all packages of Glia, in directories of their own.

    Where Glia has no directory for a "local" package, it installs one by itself, with an older Glia. And it calls
    nrnivmodl by its name only.
    """
    if not entry_points(group="glia.package", name=PACKAGE):
        sys.exit(f"run.py: --mechanisms glia: the package is not installed; pip install {HERE / 'mechanisms'}")
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        os.environ[variable] = str(out / "glia" / variable)
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    import glia
    from glia._fs import get_local_pkg_path
    from patch import p

    os.makedirs(get_local_pkg_path(), exist_ok=True)
    for mod in glia.package(PACKAGE).mods:
        if mod.path.read_bytes() != (MODS / mod.path.name).read_bytes():
            sys.exit(f"run.py: --mechanisms glia: another version is installed; pip install {HERE / 'mechanisms'}")
    section = p.Section(name="neurons")
    return lambda asset: glia.insert(section, asset, "0", PACKAGE).__neuron__()


# --- the circuit


class Network:
    """The network in NEURON."""

    def __init__(self, settings, insert):
        self.settings, self.insert = settings, insert
        self.circuit = json.loads((HERE / "circuit_config.json").read_text())
        self.per_ms = 1000 / round(settings["dt"] * 1000)
        self.pc = h.ParallelContext()
        self.cells = h.List()  # by gid
        self.first = {}  # gid of each population
        self.sizes = {}
        self.replayed = {}  # steps and sources of the spikes of each virtual population
        self.kept = []

    def build(self):
        """Make neurons, synapses and inputs."""
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
        self.draw_poisson_inputs()
        self.replay()

    def path(self, text):
        return Path(text.replace("$BASE_DIR", str(HERE)))

    def make_neurons(self, nodes, types):
        """Make the neurons of a population, in order."""
        folder = self.path(self.circuit["components"]["point_neuron_models_dir"])
        with open(types, newline="") as file:
            rows = {int(row["node_type_id"]): row for row in csv.DictReader(file, delimiter=" ")}
        models = {
            number: (row["model_template"].removeprefix("nest:"), json.loads((folder / row["dynamics_params"]).read_text()))
            for number, row in rows.items()
        }
        own = {
            group: {name: values[:].tolist() for name, values in nodes[f"{group}/dynamics_params"].items()}
            if f"{group}/dynamics_params" in nodes
            else {}
            for group in np.unique(nodes["node_group_id"][:]).tolist()
        }
        columns = (nodes[name][:].tolist() for name in ("node_type_id", "node_group_id", "node_group_index"))
        for number, group, row in zip(*columns):
            model, common = models[number]
            parameters = {**common, **{name: values[row] for name, values in own[group].items()}}
            V_m = parameters.pop("V_m", parameters["E_L"])
            cell = self.insert(model)
            for name, value in parameters.items():
                setattr(cell, name, value)
            cell.V_0 = V_m
            gid = len(self.cells)
            self.pc.set_gid2node(gid, 0)
            self.pc.cell(gid, h.NetCon(cell, None))
            self.cells.append(cell)

    def connect(self, edges):
        """Make the synapses of a projection."""
        ids = [edges[f"{end}_node_id"] for end in ("source", "target")]
        first = [self.first[each.attrs["node_population"]] for each in ids]
        for begin in range(0, len(ids[0]), BLOCK):
            part = slice(begin, begin + BLOCK)
            h.mc_sources, h.mc_targets = (h.Vector(each[part].astype(float) + one) for each, one in zip(ids, first))
            h.mc_weights = h.Vector(edges["0/syn_weight"][part].astype(float))
            h.mc_delays = h.Vector(np.rint(edges["0/delay"][part] * self.per_ms) / self.per_ms)
            h.mc_connect()

    def draw_poisson_inputs(self):
        """Give each neuron of a Poisson input a generator, with a random stream of its own."""
        for number, item in enumerate(self.settings["poisson_inputs"]):
            for gid in sorted(self.reached(item)):
                source = self.insert("poisson_input")
                source.stream.set_ids(gid, number, self.settings["seed"])
                source.rate, source.weight = item["rate"], item["weight"]
                source.first, source.last = item["first"], item["last"]
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

    # --- the run

    def simulate(self):
        """Run, and return by population spikes (ms, neurons) and potentials (neurons, interval in ms, values)."""
        h.dt, n_steps = self.settings["dt"], self.settings["n_steps"]
        recorded = self.settings["record_V_m"]
        traces = {
            name: [h.Vector().record(self.cells[self.first[name] + neuron]._ref_V_m) for neuron in item["neurons"]]
            for name, item in recorded.items()
        }
        times, gids = h.Vector(), h.Vector()
        self.pc.spike_record(-1, times, gids)
        self.pc.set_maxstep(10)
        h.finitialize()
        changes = {step for item in self.settings["step_currents"] for step in (item["begin"], item["end"])}
        stops = {*range(0, n_steps, max(1, n_steps // 100)), *(step for step in changes if step < n_steps), n_steps}
        now = 0
        for stop in sorted(stops):
            self.advance(stop - now)
            now = stop
            if stop in changes:
                self.set_currents(stop)
            print(f"simulated (ms): {stop / self.per_ms:g}", flush=True)
        potentials = {
            # without the potential at the start
            name: (item["neurons"], every / self.per_ms, np.array([v.as_numpy()[every::every] for v in traces[name]]).T)
            for name, item in recorded.items()
            for every in [item["every"]]
        }
        # NEURON notices the spikes of a step at the beginning of the next one
        self.advance(1)
        steps, gids = np.rint(times.as_numpy() * self.per_ms), gids.as_numpy().astype(int)
        spikes = {}
        for name in self.settings["record_spikes"]:
            own = (gids >= self.first[name]) & (gids < self.first[name] + self.sizes[name])
            when, who = self.replayed.get(name, (steps[own], gids[own] - self.first[name]))
            spikes[name] = when / self.per_ms, who
        return spikes, potentials

    def advance(self, count):
        """Take a number of steps. A quarter of one more keeps clear of rounding; it is not taken."""
        if count:
            self.pc.psolve(h.t + (count + 0.25) * h.dt)

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


# --- results


def write(out, spikes, potentials):
    """Write SONATA's spikes.h5 and, where potentials were recorded, V_m.h5; these with all their digits."""
    sorting = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
    with h5py.File(out / "spikes.h5", "w") as file:
        stamp(file)
        for name, (times, neurons) in spikes.items():
            order = np.lexsort((neurons, times))
            group = file.create_group(f"spikes/{name}")
            group.attrs.create("sorting", 2, dtype=sorting)
            group.create_dataset("timestamps", data=times[order], dtype=float).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=neurons[order], dtype=np.uint64)
    if not potentials:
        return
    with h5py.File(out / "V_m.h5", "w") as file:
        stamp(file)
        for name, (neurons, interval, values) in potentials.items():
            group = file.create_group(f"report/{name}")
            group.create_dataset("data", data=values).attrs["units"] = "mV"
            mapping = group.create_group("mapping")
            mapping.attrs.create("sorting", 1, dtype=sorting)
            mapping.create_dataset("node_ids", data=neurons, dtype=np.uint64)
            mapping.create_dataset("index_pointers", data=np.arange(len(neurons) + 1), dtype=np.uint64)
            mapping.create_dataset("element_ids", data=np.zeros(len(neurons)), dtype=np.uint32)
            time = mapping.create_dataset("time", data=[interval, interval * (len(values) + 1), interval])
            time.attrs["units"] = "ms"


def stamp(file):
    """Write what SONATA asks of every file."""
    file.attrs.create("magic", 0x0A7A, dtype=np.uint32)
    file.attrs.create("version", (0, 1), dtype=np.uint32)


if __name__ == "__main__":
    main()
