"""Networks that bmtk's NetworkBuilder writes and bmtk's PointNet runs; a script, as NEST is one per process.

``python bmtk_networks.py CASE DIRECTORY`` leaves a circuit in DIRECTORY and its spikes in DIRECTORY/output;
``python bmtk_networks.py run CONFIG`` runs a circuit that is there already.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

DT, DURATION = 0.1, 300.0
PSC = {"C_m": 200.0, "tau_m": 15.0, "t_ref": 2.0, "E_L": -68.0, "V_th": -52.0, "V_reset": -65.0}
GLIF = {"asc_init": [0.0, 0.0], "asc_decay": [0.003, 0.1], "asc_amps": [-9.2, -198.9], "asc_r": [1.0, 1.0]} | {
    "V_th": -51.0,
    "V_reset": -75.0,
    "E_L": -76.0,
    "g": 5.0,
    "C_m": 60.0,
    "t_ref": 3.0,
    "V_m": -76.0,
    "tau_syn": [5.5, 8.5, 2.8],
    "spike_dependent_threshold": False,
    "after_spike_currents": True,
    "adapting_threshold": False,
}
#: The Allen Institute's description of a GLIF neuron, in SI units.
ALLEN = {
    "type": "GLIF",
    "coeffs": {"th_inf": 1.1, "G": 1.0, "C": 0.9, "a": 1.0, "b": 1.0, "asc_amp_array": [1.0, 0.8]},
    "th_inf": 0.025,
    "El": 0.0,
    "El_reference": -0.075,
    "R_input": 2.0e8,
    "C": 8.0e-11,
    "spike_cut_length": 60,
    "dt": 5e-05,
    "init_AScurrents": [0.0, 0.0],
    "asc_tau_array": [0.3, 0.01],
    "asc_amp_array": [-1e-11, -5e-11],
    "threshold_dynamics_method": {"params": {"a_spike": 0.002, "b_spike": 80.0, "a_voltage": 5.0, "b_voltage": 50.0}},
    "voltage_reset_method": {"params": {"a": 0.3, "b": 0.01}},
}


class Circuit:
    """A directory that fills up with what a case consists of."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.networks: list = []
        self.inputs: dict = {}
        self.node_sets: dict = {}
        self.spikes: dict[str, list] = {}
        for folder in ("network", "cells", "synapses", "inputs"):
            (directory / folder).mkdir(parents=True)

    def builder(self, name: str):
        from bmtk.builder.networks import NetworkBuilder

        self.networks.append(NetworkBuilder(name))
        return self.networks[-1]

    def cell(self, name: str, **parameters: object) -> str:
        (self.directory / f"cells/{name}.json").write_text(json.dumps(parameters))
        return f"{name}.json"

    def synapse(self, name: str, **parameters: object) -> str:
        (self.directory / f"synapses/{name}.json").write_text(json.dumps(parameters))
        return f"{name}.json"

    def sources(self, name: str, n: int, rate: float):
        """Add a virtual population whose spikes fall anywhere between the steps."""
        from bmtk.utils.reports.spike_trains import PoissonSpikeGenerator

        network = self.builder(name)
        network.add_nodes(N=n, model_type="virtual", kind="fibre")
        generator = PoissonSpikeGenerator(population=name, seed=17)
        generator.add(node_ids=range(n), firing_rate=rate, times=(0.001, DURATION / 1000))
        generator.to_sonata(str(self.directory / f"inputs/{name}.h5"))
        self.inputs[f"spikes of {name}"] = {
            "input_type": "spikes",
            "module": "h5",
            "input_file": f"$INPUTS/{name}.h5",
            "node_set": name,
        }
        return network

    def save(self) -> Path:
        nodes, edges = [], []
        for network in self.networks:
            network.build()
            network.save(output_dir=str(self.directory / "network"))
        for path in sorted((self.directory / "network").glob("*.h5")):
            kind = "nodes" if path.name.endswith("_nodes.h5") else "edges"
            types = path.name.replace(f"_{kind}.h5", f"_{kind[:-1]}_types.csv")
            entry = {f"{kind}_file": f"$NETWORK/{path.name}", f"{kind[:-1]}_types_file": f"$NETWORK/{types}"}
            (nodes if kind == "nodes" else edges).append(entry)
        circuit = {
            "manifest": {"$BASE": "${configdir}", "$NETWORK": "$BASE/network", "$COMPONENTS": "${BASE}"},
            "components": {
                "point_neuron_models_dir": "$COMPONENTS/cells",
                "synaptic_models_dir": "$COMPONENTS/synapses",
            },
            "networks": {"nodes": nodes, "edges": edges},
        }
        simulation = {
            "manifest": {"$BASE": "${configdir}", "$INPUTS": "$BASE/inputs"},
            "network": "$BASE/config.circuit.json",
            "run": {"tstop": DURATION, "dt": DT},
            "inputs": self.inputs,
            "node_sets": self.node_sets,
            "output": {"output_dir": "$BASE/output", "spikes_file": "spikes.h5", "log_to_console": False},
        }
        (self.directory / "config.circuit.json").write_text(json.dumps(circuit, indent=1))
        (self.directory / "config.simulation.json").write_text(json.dumps(simulation, indent=1))
        return self.directory / "config.simulation.json"


def chance(probability: float) -> Callable[..., int]:
    """Connect two neurons or not."""
    return lambda source, target: int(np.random.rand() < probability)  # noqa: NPY002


def types(c: Circuit) -> None:
    """Two populations of several types with virtual input; weights and delays by type and edge by edge."""
    cortex, striatum = c.builder("cortex"), c.builder("striatum")
    plain = c.synapse("plain")
    for n, ei, parameters in ((30, "e", PSC), (10, "i", PSC | {"tau_m": 8.0, "tau_syn_in": 1.0})):
        cortex.add_nodes(
            N=n,
            ei=ei,
            model_type="point_neuron",
            model_template="nest:iaf_psc_exp",
            dynamics_params=c.cell(f"cortex_{ei}", **parameters),
        )
    striatum.add_nodes(
        N=15,
        ei="i",
        model_type="point_process",
        model_template="nest:iaf_psc_delta",
        dynamics_params=c.cell("msn", **PSC),
    )
    static = {"model_template": "static_synapse", "dynamics_params": plain}
    cortex.add_edges(source={"ei": "e"}, connection_rule=chance(0.2), syn_weight=150.0, delay=1.5, **static)
    edges = cortex.add_edges(source={"ei": "i"}, connection_rule=chance(0.3), delay=0.8, **static)
    edges.add_properties("syn_weight", rule=lambda s, t: -300.0 - np.random.rand(), dtypes=float)  # noqa: NPY002
    striatum.add_edges(
        source=cortex.nodes(ei="e"), target=striatum.nodes(), connection_rule=chance(0.5), syn_weight=1.7, **static
    ).add_properties("delay", rule=lambda s, t: np.random.choice([1.0, 2.3, 4.0]), dtypes=float)  # noqa: NPY002
    thalamus = c.sources("thalamus", 20, 60.0)
    thalamus.add_edges(
        source=thalamus.nodes(),
        target=cortex.nodes(),
        connection_rule=chance(0.6),
        syn_weight=260.0,
        delay=1.2,
        **static,
    )


def groups(c: Circuit) -> None:
    """Conductances and alpha-shaped currents; nodes and edges in several groups, models mixed in one population."""
    net = c.builder("mixed")
    for model, n, more in (
        ("iaf_cond_exp", 12, {"x": np.arange(12.0)}),
        ("iaf_cond_alpha", 8, {"tuning_angle": np.arange(8.0)}),
        ("iaf_psc_alpha", 10, {"x": np.arange(10.0), "y": np.arange(10.0)}),
    ):
        net.add_nodes(
            N=n,
            model_name=model,
            model_type="point_neuron",
            model_template=f"nest:{model}",
            dynamics_params=c.cell(model, V_th=-54.0, E_L=-67.0, V_m=-66.0),
            **more,
        )
    static = {"model_template": "nest:static_synapse", "dynamics_params": c.synapse("plain")}
    fibres = c.sources("fibres", 15, 80.0)
    for model, weight in (("iaf_cond_exp", 40.0), ("iaf_cond_alpha", 9.0), ("iaf_psc_alpha", 320.0)):
        edges = net.add_edges(target={"model_name": model}, connection_rule=chance(0.2), delay=1.0, **static)
        edges.add_properties("syn_weight", rule=weight / 3, dtypes=float)
        fibres.add_edges(
            source=fibres.nodes(),
            target=net.nodes(model_name=model),
            connection_rule=chance(0.7),
            syn_weight=weight,
            delay=2.0,
            **static,
        )
    net.add_edges(
        source={"model_name": "iaf_psc_alpha"},
        target={"model_name": "iaf_psc_alpha"},
        connection_rule=chance(0.1),
        syn_weight=-60.0,
        delay=3.0,
        **static,
    )


def receptors(c: Circuit) -> None:
    """GLIF neurons with receptor ports, some of them described as the Allen Institute does; depressing synapses."""
    net = c.builder("v1")
    net.add_nodes(
        N=15,
        ei="e",
        model_type="point_neuron",
        model_template="nest:glif_psc",
        dynamics_params=c.cell("glif", **GLIF),
    )
    for template in ("psc", "r_psc", "asc_psc", "r_asc_psc", "r_asc_a_psc"):
        net.add_nodes(
            N=4,
            ei="i",
            model_type="point_neuron",
            model_template=f"nest:glif_lif_{template}",
            dynamics_params=c.cell(f"allen_{template}", **ALLEN),
        )
    net.add_edges(
        source={"ei": "e"},
        connection_rule=chance(0.3),
        dynamics_params=c.synapse("depressing", receptor_type=1, U=0.6, tau_rec=90.0, tau_fac=5.0),
        delay=1.5,
        model_template="tsodyks2_synapse",
        syn_weight=60.0,
    )
    net.add_edges(
        source={"ei": "i"},
        connection_rule=chance(0.3),
        dynamics_params=c.synapse("slow", receptor_type=2),
        delay=2.0,
        model_template="static_synapse",
        syn_weight=-90.0,
    )
    lgn = c.sources("lgn", 20, 70.0)
    lgn.add_edges(
        source=lgn.nodes(),
        target=net.nodes(),
        connection_rule=chance(0.8),
        model_template="static_synapse",
        dynamics_params=c.synapse("input", receptor_type=3),
        syn_weight=500.0,
        delay=1.0,
    )


def clamps(c: Circuit) -> None:
    """Currents into parts of populations that node sets choose, overlapping and in several steps."""
    net, other = c.builder("net"), c.builder("other")
    for n, layer in ((10, 4), (6, 5)):
        net.add_nodes(
            N=n,
            layer=layer,
            model_type="point_neuron",
            model_template="nest:iaf_psc_exp",
            dynamics_params=c.cell("psc", **PSC),
        )
    other.add_nodes(N=5, model_type="point_neuron", model_template="nest:iaf_psc_exp", dynamics_params="psc.json")
    net.add_edges(
        connection_rule=chance(0.3),
        syn_weight=90.0,
        delay=1.0,
        model_template="static_synapse",
        dynamics_params=c.synapse("plain"),
    )
    clamp = {"input_type": "current_clamp", "module": "IClamp"}
    c.node_sets = {"upper": {"population": "net", "layer": 4}, "some": {"population": "net", "node_id": [1, 3, 12]}}
    c.inputs = {
        "layer 4": {**clamp, "node_set": "upper", "amp": 250.0, "delay": 20.0, "duration": 150.0},
        "steps": {**clamp, "node_set": "some", "amp": [90.0, 400.0], "delay": [50.0, 120.0], "duration": [200.0, 60.5]},
        "whole": {**clamp, "node_set": "other", "amp": 230.0, "delay": 0.2, "duration": 1000.0},
        "inline": {**clamp, "node_set": {"population": "net", "layer": 5}, "amp": 260, "delay": 100, "duration": 100},
        "table": {"input_type": "csv", "module": "IClamp", "node_set": {"population": "other", "node_id": [2]}}
        | {"file": "$INPUTS/current.csv"},
        "off": {**clamp, "enabled": False, "node_set": "other", "amp": 1e4, "delay": 50.0, "duration": 100.0},
    }
    (c.directory / "inputs/current.csv").write_text(
        "timestamps amps\n40.0 100.0\n60.0 100.0\n80.5 -300.0\n130.0 20.0\n"
    )


def counts(c: Circuit) -> None:
    """Several synapses per pair, delays that are given nowhere, weights from bmtk's own function."""
    net = c.builder("net")
    net.add_nodes(
        N=40, model_type="point_neuron", model_template="nest:iaf_psc_exp", dynamics_params=c.cell("psc", **PSC)
    )
    several = lambda source, target: int(np.random.choice([0, 0, 1, 3, 5]))  # noqa: E731, NPY002
    static = {"model_template": "static_synapse", "dynamics_params": c.synapse("plain")}
    net.add_edges(connection_rule=several, syn_weight=11.0, **static)
    net.add_edges(connection_rule=lambda s, t: 2 * (s.node_id == t.node_id), syn_weight=-40.0, delay=2.5, **static)
    fibres = c.sources("fibres", 10, 90.0)
    fibres.add_edges(
        source=fibres.nodes(),
        target=net.nodes(),
        connection_rule=several,
        syn_weight=140.0,
        dynamics_params="plain.json",
        model_template="static_synapse",
    )


def models(c: Circuit) -> None:
    """Izhikevich and adaptive neurons, a model that no catalogue of ours holds, and relays."""
    net = c.builder("zoo")
    for model, n, parameters in (
        ("izhikevich", 10, {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}),
        ("aeif_cond_exp", 10, {"I_e": 900.0, "a": 2.0, "b": 60.0}),
        ("aeif_psc_exp", 10, {"I_e": 900.0, "V_peak": 5.0}),
        ("hh_psc_alpha", 5, {"I_e": 650.0}),
        ("parrot_neuron", 5, {}),
    ):
        net.add_nodes(
            N=n,
            model_name=model,
            model_type="point_neuron",
            model_template=f"nest:{model}",
            dynamics_params=c.cell(model, **parameters),
        )
    static = {"model_template": "static_synapse", "dynamics_params": c.synapse("plain")}
    fibres = c.sources("fibres", 10, 60.0)
    for model, weight in (("izhikevich", 9.0), ("aeif_cond_exp", 4.0), ("aeif_psc_exp", 150.0), ("hh_psc_alpha", 90.0)):
        target = {"model_name": model}
        net.add_edges(source={"model_name": "parrot_neuron"}, target=target, syn_weight=weight, delay=1.0, **static)
        fibres.add_edges(
            source=fibres.nodes(),
            target=net.nodes(**target),
            syn_weight=weight,
            delay=1.1,
            connection_rule=chance(0.6),
            **static,
        )
    fibres.add_edges(
        source=fibres.nodes(),
        target=net.nodes(model_name="parrot_neuron"),
        syn_weight=1.0,
        delay=0.7,
        connection_rule=chance(0.4),
        **static,
    )


def names(c: Circuit) -> None:
    """Names that our formats do not hold, and two that would become the same."""
    first, second = c.builder("CA1-pyr"), c.builder("CA1.pyr")
    for net, current in ((first, 320.0), (second, 360.0)):
        net.add_nodes(
            N=8,
            model_type="point_neuron",
            model_template="nest:iaf_psc_exp",
            dynamics_params=c.cell(f"cell{current:g}", **PSC, I_e=current),
        )
    static = {"model_template": "static_synapse", "dynamics_params": c.synapse("plain")}
    first.add_edges(
        source=first.nodes(), target=second.nodes(), connection_rule=chance(0.4), syn_weight=200.0, delay=1.0, **static
    )


CASES = {f.__name__: f for f in (types, groups, receptors, clamps, counts, models, names)}


def build(case: str, directory: Path) -> Path:
    """Build one of the cases and return its simulation config."""
    np.random.seed(3)  # noqa: NPY002
    circuit = Circuit(directory)
    CASES[case](circuit)
    return circuit.save()


def run(config: Path) -> None:
    """Run a circuit with PointNet."""
    from bmtk.simulator import pointnet

    configure = pointnet.Config.from_json(str(config))
    configure.build_env()
    network = pointnet.PointNetwork.from_config(configure)
    pointnet.PointSimulator.from_config(configure, network).run()


if __name__ == "__main__":
    run(Path(sys.argv[2]) if sys.argv[1] == "run" else build(sys.argv[1], Path(sys.argv[2])))
