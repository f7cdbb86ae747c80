"""PyNN with one simulator."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path

import numpy as np
from circuit import initial_value, read_node_values, read_spike_steps
from model import DURATION, MATCHED, MAX_PROBABILITY, RECORD_SPIKES, RECORD_V_M, SEED, TIMESTEP, WEIGHT_UNITS
from projections import longest_delay
from pyNN.parameters import Sequence
from pynn_simulators import (
    check_brian2,
    check_plasticity,
    compile_mechanisms,
    draw,
    fires_at_once,
    matched,
    refuse_arbor,
)
from pynn_synapses import Synapses
from sources import Sources


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
        self.pynn.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=longest_delay(), **options.get(name, {}))
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

    def connect(self, name: str, pre, post, sources, targets, weights, delays, plasticity=None) -> None:
        """Make synapses; those with a negative weight act on the inhibitory receptor."""
        if plasticity:
            check_plasticity(self.name, name, plasticity)
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
            synapse = self.synapse_type(plasticity)
            projection = self.pynn.Projection(cells, post, connector, synapse, receptor_type=receptor, label=name)
            self.kept.append(projection)

    def synapse_type(self, plasticity: dict | None):
        """Return PyNN's synapse type."""
        if plasticity is None:
            return self.pynn.StaticSynapse(delay=TIMESTEP)
        if plasticity["synapse"] == "TsodyksMarkramSynapse":
            return self.pynn.TsodyksMarkramSynapse(delay=TIMESTEP, **plasticity["parameters"])
        kind, given = plasticity["weights"]
        rule = getattr(self.pynn, kind)(**given)
        rule.parameter_space.update(**given)  # pyNN.nest forgets the exponents of GutigWeightDependence
        return self.pynn.STDPMechanism(
            timing_dependence=self.pynn.SpikePairRule(**plasticity["timing"]),
            weight_dependence=rule,
            dendritic_delay_fraction=1.0,
            weight=given["w_max"],  # NEST wants a default of the same sign
            delay=TIMESTEP,
        )

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
        within = steps <= round(DURATION / TIMESTEP)
        steps, neurons = steps[within], neurons[within]
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
