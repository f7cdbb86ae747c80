"""Build this network in Brian2 and run it: python run.py [--out DIRECTORY] [--codegen numpy|cython]

model.py says what it is; network/ holds every synapse, and what differs from neuron to neuron; inputs/ the spikes that
are replayed. Writes spikes.h5, and V_m.h5 where potentials are recorded, as SONATA has them, into DIRECTORY (./output).
Needs brian2, numpy and h5py. --codegen cython compiles for a minute before the first run, and pays in long runs.
"""

import argparse
import sys
from pathlib import Path

import brian2
import h5py
import numpy as np
from brian2 import Hz, kHz, ms, mV, nS, pA, pF, second

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # this directory stays as it is
sys.path.insert(0, str(HERE))
import model  # noqa: E402
from sonata_output import write_potentials, write_spikes  # noqa: E402

#: Names of state variables where the files have others.
VARIABLES = {"V_m": "v", "U_m": "u"}
#: Units of numbers in files.
FILE_UNITS = {unit.dim: unit for unit in (mV, ms, pF, pA, nS, kHz)}
#: One of n equal parts of a step with rk4, of equations that do not hold the time.
PART_OF_RK4 = """
k_1 = dt / {n} * f(x, t)
k_2 = dt / {n} * f(x + k_1 / 2, t)
k_3 = dt / {n} * f(x + k_2 / 2, t)
k_4 = dt / {n} * f(x + k_3, t)
x_new = x + (k_1 + 2 * k_2 + 2 * k_3 + k_4) / 6
"""
#: Part of a step by which a spike time may miss the grid.
TOLERANCE = 1e-4
STEP_US = round(float(model.DT / ms) * 1000)


def build_neurons(network):
    """Return the group and the first row in it of each population."""
    places = {}
    for name, spec in model.GROUPS.items():
        size = sum(population["size"] for population in spec["populations"].values())
        parts = spec.get("substeps", 0)
        method = spec.get("method") or given(spec["step"])
        group = brian2.NeuronGroup(
            size,
            spec["equations"],
            method=brian2.ExplicitStateUpdater(PART_OF_RK4.format(n=parts)) if parts else method,
            threshold=spec["threshold"],
            reset=spec["reset"],
            refractory=spec["refractory"],
            namespace=spec["constants"],
            name=f"neurons_{name}",
        )
        network.add(group)
        if parts:
            network.add(repeated(group.state_updater, parts - 1, name))
        if "hold" in spec:
            network.add(group.run_regularly(spec["hold"], when="groups", order=1, name=f"hold_{name}"))
        first = 0
        for population, values in spec["populations"].items():
            last = first + values["size"]
            for key, value in values.items():
                if key != "size":
                    set_rows(group, key, slice(first, last), value)
            with h5py.File(HERE / f"network/{population}_nodes.h5") as file:
                for key, array in file[f"nodes/{population}/0"].get("dynamics_params", {}).items():
                    variable = group.variables.get(VARIABLES.get(key, key))
                    if variable is not None:  # all others have no part in the equations
                        set_rows(group, key, slice(first, last), array[:] * FILE_UNITS.get(variable.dim, 1))
            places[population] = (name, group, first)
            first = last
    return places


def given(step):
    """Return the statements of a step as a method of integration."""
    return lambda _equations, _variables, _options: step


def repeated(updater, times, name):
    """Return an operation that integrates further parts of a step, right after the first."""

    @brian2.network_operation(when="groups", order=1, name=f"parts_{name}")
    def integrate():
        for _ in range(times):
            updater.run()

    return integrate


def set_rows(group, key, rows, values):
    """Set a parameter or an initial value of consecutive neurons."""
    getattr(group, VARIABLES.get(key, key))[rows] = values


def source_spikes(name, spec, rng):
    """Return the source of each spike, and the step at whose end it is emitted."""
    if "spikes" in spec:
        with h5py.File(HERE / spec["spikes"]) as file:
            spikes = file[f"spikes/{name}"]
            steps = np.ceil(spikes["timestamps"][:] * (1000 / STEP_US) - TOLERANCE)
            return spikes["node_ids"][:].astype(int), np.maximum(steps, 1).astype(int)
    n_steps = max(0, spec.get("last", 0) - spec.get("first", 1) + 1)
    counts = rng.poisson(float(spec.get("rate", 0 * Hz) * model.DT) * n_steps, spec["size"])
    ids = np.repeat(np.arange(spec["size"]), counts)
    return ids, rng.integers(0, n_steps, len(ids)) + spec.get("first", 1) if len(ids) else ids


def build_sources(network, rng):
    """Return the group of all sources, and by population the rows in it of each source.

    Brian2 takes one spike per source and step. A source that has more becomes several: the second spike in a step comes
    from a second row, and so on. Rows are listed as arrays over all sources, with -1 for those that need none.
    """
    rows, indices, times, size = {}, [], [], 0
    for name, spec in model.SOURCES.items():
        ids, steps = source_spikes(name, spec, rng)
        order = np.lexsort((steps, ids))
        ids, steps = ids[order], steps[order]
        position = np.arange(len(ids))
        repeats = np.r_[False, (ids[1:] == ids[:-1]) & (steps[1:] == steps[:-1])] if len(ids) else position
        layer = position - np.maximum.accumulate(np.where(repeats, 0, position))
        rows[name] = []
        for number in range(layer.max(initial=0) + 1):
            chosen = layer == number
            needed = np.unique(ids[chosen]) if number else np.arange(spec["size"])
            row = np.full(spec["size"], -1)
            row[needed] = size + np.arange(len(needed))
            size += len(needed)
            rows[name].append(row)
            indices.append(row[ids[chosen]])
            times.append(steps[chosen] - 1)  # Brian2 counts from the beginning of a step
    if not size:
        return None, rows
    group = brian2.SpikeGeneratorGroup(size, np.concatenate(indices), np.concatenate(times) * model.DT, name="sources")
    network.add(group)
    return group, rows


def connect(network, places, sources, source_rows):
    """Make all synapses: one object per pair of groups and kind of synapse, since each costs time in every step."""
    joined = {}
    for name, (source, target, plasticity, receptor) in model.PROJECTIONS.items():
        with h5py.File(HERE / f"network/{name}_edges.h5") as file:
            edges = file[f"edges/{name}"]
            pre, post = (edges[f"{end}_node_id"][:].astype(np.int32) for end in ("source", "target"))
            weights, delays = edges["0/syn_weight"][:], edges["0/delay"][:]
        steps = np.rint(delays * (1000 / STEP_US)).astype(np.int32)
        if steps.min() < 1:
            sys.exit(f"{name}: a delay is shorter than the resolution")
        to, _, first = places[target]
        kinds = [receptor] if receptor else model.GROUPS[to]["receives"]
        if source in places:
            start, rows = places[source][0], [np.arange(pre.max() + 1) + places[source][2]]
        else:
            start, rows = "sources", source_rows[source]
        for kind in kinds:
            of_kind = {"positive": weights >= 0, "negative": weights < 0}.get(kind, np.True_)
            for row in rows:
                chosen = np.flatnonzero((row[pre] >= 0) & of_kind)
                if len(chosen):
                    part = (row[pre[chosen]], post[chosen] + first, weights[chosen], steps[chosen])
                    joined.setdefault((start, to, kind, plasticity), []).append(part)
    groups = {name: group for name, group, _ in places.values()} | {"sources": sources}
    for start, to, kind, plasticity in list(joined):
        pre, post, weights, steps = map(np.concatenate, zip(*joined.pop((start, to, kind, plasticity)), strict=True))
        spec = model.GROUPS[to]
        changes = model.PLASTICITY.get(plasticity, {"states": [], "constants": {}, "initial": {}})
        if np.any(weights * float(changes["constants"].get("Wmax", 0)) < 0):
            sys.exit(f"{plasticity}: weights and Wmax must have the same sign")
        receives = spec["receives"][kind]
        if plasticity:
            receives = "\n".join([*changes["on_pre"], receives.replace("weight", "sent")])
        synapses = brian2.Synapses(
            groups[start],
            groups[to],
            "\n".join([spec["synapse"], *changes["states"]]),
            on_pre=receives,
            on_post="\n".join(changes["on_post"]) if "on_post" in changes else None,
            namespace=spec["constants"] | changes["constants"],
            name="_".join(["synapses", start, to, kind, *([plasticity] if plasticity else [])]),
        )
        synapses.connect(i=pre, j=post)
        synapses.weight = weights.astype(float) * spec["weight_unit"]
        # spikes are put on their way one step after they were emitted
        synapses.pre.delay = (steps - 1) * model.DT
        if "on_post" in changes:
            # back over the delay to the synapse, which sees those of the source late by the delay; where two meet, that
            # of the target acts first
            synapses.post.order = -1
            synapses.post.delay = (2 * steps - 1) * model.DT
        for key, value in changes["initial"].items():
            # the source's t = 0 comes after the delay
            setattr(synapses, key, synapses.pre.delay[:] if value == "delay" else value)
        network.add(synapses)


def add_inputs(network, places):
    """Let Poisson input arrive as numbers of spikes per step, and switch step currents."""
    for item in model.POISSON_INPUTS:
        name, group, first = places[item["target"]]
        spec = model.GROUPS[name]
        size = spec["populations"][item["target"]]["size"]
        statement = spec["receives"].get("any") or spec["receives"]["negative" if item["weight"] < 0 else "positive"]
        count = f"poisson({item['name']}_rate * dt)"
        count += f" * int(t_in_timesteps >= {item['first']}) * int(t_in_timesteps < {item['end']})"
        if item["neurons"] is not None:
            getattr(group, f"gets_{item['name']}")[first + np.array(item["neurons"])] = True
            count += f" * int(gets_{item['name']})"
        group.namespace.update({f"{item['name']}_rate": item["rate"], f"{item['name']}_weight": item["weight"]})
        network.add(
            group[first : first + size].run_regularly(
                f"weight = {item['name']}_weight * {count}\n{statement}", when="synapses", name=f"input_{item['name']}"
            )
        )
    changes = {}
    for target, amplitude, begin, end, neurons in model.STEP_CURRENTS:
        name, group, first = places[target]
        size = model.GROUPS[name]["populations"][target]["size"]
        rows = first + (np.arange(size) if neurons is None else np.array(neurons))
        changes.setdefault(begin, []).append((group, rows, amplitude))
        changes.setdefault(end, []).append((group, rows, -amplitude))
    if changes:

        @brian2.network_operation(when="start")
        def switch(t):
            for group, rows, amplitude in changes.get(round(float(t / model.DT)), ()):
                group.I_step[rows] += amplitude

        network.add(switch)


def record(network, places, sources):
    """Return the monitors of spikes by group, and of potentials by population."""
    groups = {places[name][0]: places[name][1] for name in model.RECORD_SPIKES if name in places}
    if sources is not None and not places.keys() >= set(model.RECORD_SPIKES):
        groups["sources"] = sources
    spikes = {name: brian2.SpikeMonitor(group, name=f"spikes_{name}") for name, group in groups.items()}
    potentials = {}
    for population, (neurons, interval) in model.RECORD_V_M.items():
        _, group, first = places[population]
        # at the start of a step, which is the end of the one before
        potentials[population] = brian2.StateMonitor(
            group, "v", record=first + np.array(neurons), dt=interval, when="start", name=f"V_m_of_{population}"
        )
    network.add(*spikes.values(), *potentials.values())
    return spikes, potentials


def spikes_of(places, source_rows, monitors):
    """Return times (ms) and neurons of each population's spikes, at the ends of steps, as NEST labels them."""
    spikes = {}
    for population in model.RECORD_SPIKES:
        if population in places:
            name, _, first = places[population]
            rows = [first + np.arange(model.GROUPS[name]["populations"][population]["size"])]
        else:
            name, rows = "sources", source_rows[population]
        found = monitors[name]
        index = np.full(found.source.N, -1)  # of each row in the population
        for row in rows:
            index[row[row >= 0]] = np.flatnonzero(row >= 0)
        ids, steps = index[found.i], np.rint(np.asarray(found.t / model.DT)).astype(int) + 1
        spikes[population] = steps[ids >= 0] * STEP_US / 1000, ids[ids >= 0]
    return spikes


def potentials_of(monitors):
    """Return neurons, interval (ms) and potentials (mV), without t = 0, of each population."""
    found = {}
    for population, monitor in monitors.items():
        neurons, interval = model.RECORD_V_M[population]
        found[population] = neurons, round(float(interval / ms), 9), np.asarray(monitor.v / mV).T[1:]
    return found


def main():
    """Build, run, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("output"))
    parser.add_argument("--codegen", choices=["numpy", "cython"], default="numpy")
    arguments = parser.parse_args()
    brian2.prefs.codegen.target = arguments.codegen
    brian2.defaultclock.dt = model.DT
    brian2.seed(model.SEED)
    network = brian2.Network()
    network.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    places = build_neurons(network)
    sources, source_rows = build_sources(network, np.random.default_rng(model.SEED))
    connect(network, places, sources, source_rows)
    add_inputs(network, places)
    spikes, potentials = record(network, places, sources)

    def report(_elapsed, complete, _start, duration):
        print(f"simulated (ms): {complete * float(duration / ms)}", flush=True)

    network.run(model.N_STEPS * model.DT, report=report, report_period=1 * second, namespace={})
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_spikes(arguments.out / "spikes.h5", spikes_of(places, source_rows, spikes))
    if potentials:
        write_potentials(arguments.out / "V_m.h5", potentials_of(potentials))


if __name__ == "__main__":
    main()
