"""The linter for SONATA: what single consumers need, and that libsonata does need it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import libsonata
import nest
import numpy as np
import pytest
from lint_circuits import check, config, error, hdf5, put, text, value, warning, write_export

from mc_interchange.contracts import Finding
from mc_interchange.network import Network

NODES, EDGES = "network/E_nodes.h5", "network/E_to_I_edges.h5"
N, E = "/nodes/E", "/edges/E_to_I"
TYPES, TABLE, PYNN = "network/E_node_types.csv", "network/E_to_I_edge_types.csv", "network/pynn/E_to_I_edge_types.csv"
CIRCUIT = "circuit_config.json"


@pytest.fixture(scope="module")
def original(small_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(small_network, tmp_path_factory.mktemp("lint") / "small")


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "small"))


def simulation(consumer: str, *path: str, new: object = None) -> Callable[[Path], None]:
    """Set a value of the simulation config of a consumer; None: take it away."""

    def change(content: dict) -> None:
        for key in path[:-1]:
            content = content.setdefault(key, {})
        if new is None:
            content.pop(path[-1])
        else:
            content[path[-1]] = new

    return config(f"simulation_config{consumer}.json", change)


def compress(file: h5py.File) -> None:
    attributes = dict(file[f"{E}/source_node_id"].attrs)
    ids = file[f"{E}/source_node_id"][()]
    del file[f"{E}/source_node_id"]
    file.create_dataset(f"{E}/source_node_id", data=ids, compression="gzip").attrs.update(attributes)


def second_group(file: h5py.File) -> None:
    """Give the last edge a group of its own."""
    for name in ("edge_group_id", "edge_group_index"):
        values = file[f"{E}/{name}"][()]
        values[299] = 1 if name == "edge_group_id" else 0
        del file[f"{E}/{name}"]
        file[f"{E}/{name}"] = values
    for name in ("syn_weight", "delay"):
        values = file[f"{E}/0/{name}"][()]
        del file[f"{E}/0/{name}"]
        file[f"{E}/0/{name}"], file[f"{E}/1/{name}"] = values[:299], values[299:]
    del file[f"{E}/0/dynamics_params"]
    for group in "01":
        file[f"{E}/{group}/dynamics_params/delay"] = file[f"{E}/{group}/delay"]


def reverse(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file[name].__setitem__(slice(None), file[name][()][::-1])


def empty(file: h5py.File) -> None:
    del file[f"{E}/indices"]
    for name in ("source_node_id", "target_node_id", "edge_type_id", "edge_group_id", "edge_group_index"):
        attributes = dict(file[f"{E}/{name}"].attrs)
        del file[f"{E}/{name}"]
        file.create_dataset(f"{E}/{name}", (0,), "u4").attrs.update(attributes)
    del file[f"{E}/0"]
    file.create_group(f"{E}/0")


def small_first(content: dict) -> None:
    content["networks"]["edges"].sort(key=lambda entry: "E_to_I" in entry["populations"])


def node_groups(file: h5py.File) -> None:
    """Give the first five nodes a group of their own."""
    group = file[N]
    V_m = group["0/dynamics_params/V_m"][()]
    for name in ("node_group_id", "node_group_index", "0/dynamics_params/V_m"):
        del group[name]
    group["node_group_id"] = np.repeat([1, 0], [5, 35])
    group["node_group_index"] = np.r_[:5, :35]
    group["0/dynamics_params/V_m"], group["1/dynamics_params/V_m"] = V_m[5:], V_m[:5]


def without_table(name: str, kind: str) -> Callable[[Path], None]:
    """Take the type table of the first nodes or edges out of a config."""
    return config(name, lambda c: c["networks"][f"{kind}s"][0].pop(f"{kind}_types_file"))


def two_models(directory: Path) -> None:
    (directory / TYPES).write_text((directory / TYPES).read_text() + "9 E E point_neuron nest:iaf_psc_alpha E.json\n")
    value(NODES, f"{N}/node_type_id", slice(0, 5), 9)(directory)


def two_synapse_models(directory: Path) -> None:
    for name in (TABLE, PYNN):
        prefix = "nest:" if name == PYNN else ""
        row = f"9 E_to_I {prefix}stdp_synapse static_synapse.json\n"
        (directory / name).write_text((directory / name).read_text() + row)
    value(EDGES, f"{E}/edge_type_id", slice(0, 5), 9)(directory)


NODE_COLUMNS = ("node_id", "node_group_id", "node_group_index")
EDGE_COLUMNS = ("edge_group_id", "edge_group_index")
#: By consumer, what to break, and all that is found; ``general`` findings stand without the consumer, too.
BREAK: dict[str, tuple[str, Callable[[Path], None], list[Finding]]] = {
    # NEST
    "nest: no edges": (
        "nest",
        hdf5(EDGES, empty),
        [
            warning(EDGES, E, "has no edges"),
            error(EDGES, E, "NEST crashes on a population without edges: leave it out"),
        ],
    ),
    "nest: a small file first": (
        "nest",
        config(CIRCUIT, small_first),
        [
            warning(
                EDGES,
                E,
                "NEST reads it 80 edges at a time, as many as TH_to_E has, which is slow: list edge files with the "
                "largest first",
            )
        ],
    ),
    "nest: another target": (
        "nest",
        simulation(".nest", "target_simulator", new="NEURON"),
        [
            error(
                "simulation_config.nest.json",
                "target_simulator",
                'NEST needs "target_simulator": "NEST": set it in a simulation config of its own',
            )
        ],
    ),
    "nest: no resolution": (
        "nest",
        simulation(".nest", "run", "dt"),
        [error("simulation_config.nest.json", "run.dt", "NEST needs the resolution: set it")],
    ),
    "nest: no manifest": (
        "nest",
        lambda d: (d / "simulation_config.nest.json").write_text(
            (d / "simulation_config.nest.json")
            .read_text()
            .replace("$BASE_DIR/", "")
            .replace('"manifest"', '"other"')
            .replace('"$OUTPUT_DIR",', '"output",')
            .replace('"$OUTPUT_DIR"', '"a"')
            .replace('"$BASE_DIR"', '"b"')
        ),
        [error("simulation_config.nest.json", "manifest", "NEST fails without it: add one, be it empty")],
    ),
    "nest: a variable in a variable": (
        "nest",
        config(
            CIRCUIT,
            lambda c: (
                c["manifest"].update({"$A": "$BASE_DIR/network", "$B": "$A/.", "$C": "$A"}),
                c["networks"]["nodes"][0].update(nodes_file="$B/E_nodes.h5"),
            ),
        ),
        [error(CIRCUIT, "manifest.$B", "NEST puts in no variable but $BASE_DIR here: write the path out")],
    ),
    "nest: a path from the config": (
        "nest",
        config(CIRCUIT, lambda c: c["networks"]["nodes"][0].update(nodes_file=NODES)),
        [
            warning(
                CIRCUIT,
                "networks.nodes[0].nodes_file",
                "NEST looks for it in the working directory: begin it with $BASE_DIR",
            )
        ],
    ),
    "nest: no list of edges": (
        "nest",
        config(CIRCUIT, lambda c: c["networks"].pop("edges")),
        [error(CIRCUIT, "networks.edges", "NEST fails without it: add it, be it empty")],
    ),
    "nest: a prefix": (
        "nest",
        text(TABLE, " static_synapse ", " nest:static_synapse "),
        [
            error(
                TABLE,
                "edge_type_id 10000",
                "NEST knows no model with nest: in its name: leave it out (PyNN needs it: two tables)",
            )
        ],
    ),
    "nest: no parameters": (
        "nest",
        text(TYPES, "E.json", "NULL"),
        [error(TYPES, "node_type_id 100", "NEST fails where dynamics_params is NULL: give it a value")],
    ),
    "nest: no synapse parameters": (
        "nest",
        text(TABLE, "static_synapse.json", "NULL"),
        [error(TABLE, "edge_type_id 10000", "NEST fails where dynamics_params is NULL: give it a value")],
    ),
    "nest: two groups": (
        "nest",
        hdf5(EDGES, second_group),
        [error(EDGES, E, "NEST reads one group only: write populations with one group each")],
    ),
    "nest: several synapses": (
        "nest",
        put(EDGES, f"{E}/0/nsyns", np.full(300, 2)),
        [error(EDGES, E, "NEST ignores nsyns: multiply it into syn_weight, or write that many edges")],
    ),
    "nest: a parameter of single neurons": (
        "nest",
        put(NODES, f"{N}/0/dynamics_params/tau_m", np.full(40, 9.0)),
        [
            error(
                NODES,
                f"{N}/0/dynamics_params/tau_m",
                "NEST ignores parameters of single neurons: use a node type for each value",
            )
        ],
    ),
    "nest: ids in another order": (
        "nest",
        hdf5("network/TH_nodes.h5", reverse("nodes/TH/node_id")),
        [
            error(
                "network/TH_nodes.h5",
                "/nodes/TH/node_id",
                "NEST takes the number of the row as id: sort the rows by node_id and number them from 0",
            )
        ],
    ),
    "nest: no spikes": (
        "nest",
        simulation(".nest", "inputs", "TH"),
        [
            error(
                "network/TH_nodes.h5",
                "/nodes/TH",
                "NEST refuses a virtual population without an input whose node_set has its name: add one",
            )
        ],
    ),
    "nest: a current": (
        "nest",
        simulation(".nest", "inputs", "I", new={"input_type": "current_clamp", "module": "IClamp", "node_set": "I"}),
        [
            warning(
                "simulation_config.nest.json",
                "inputs.I",
                "NEST leaves out 'current_clamp': give it by hand, after the network is built",
            )
        ],
    ),
    "nest: two kinds of nodes": (
        "nest",
        lambda d: (d / TYPES).write_text((d / TYPES).read_text() + "9 E E biophysical nest:x E.json\n"),
        [
            error(TYPES, "", "NEST takes one model_type per table only: use one file per kind of population"),
            error(TYPES, "", "NEST does not know the model_type biophysical: use point_neuron or virtual"),
        ],
    ),
    "nest: point_soma": (
        "nest",
        text(TYPES, "point_neuron", "point_soma"),
        [error(TYPES, "", "NEST does not know the model_type point_soma: use point_neuron or virtual")],
    ),
    "nest: no table": (
        "nest",
        without_table(CIRCUIT, "edge"),
        [error(EDGES, E, "NEST needs a type table: add its file")],
    ),
    "nest: no column": (
        "nest",
        text(TABLE, "model_template", "model"),
        [error(TABLE, "row 1", "NEST needs a column model_template: add it")],
    ),
    "nest: a parameter of single synapses": (
        "nest",
        put(EDGES, f"{E}/0/dynamics_params/tau", np.ones(300)),
        [error(EDGES, f"{E}/0/dynamics_params/tau", "NEST ignores it: use an edge type for each value")],
    ),
    "nest: properties in another order": (
        "nest",
        hdf5(EDGES, reverse(f"{E}/edge_group_index")),
        [error(EDGES, f"{E}/edge_group_index", "NEST ignores it and takes the rows as they come: write 0, 1, 2, ...")],
    ),
    # bmtk
    "bmtk: no table": (
        "bmtk",
        without_table(CIRCUIT, "node"),
        [error(NODES, N, "bmtk needs a type table: add its file")],
    ),
    "bmtk: no parameters": (
        "bmtk",
        text(TABLE, "static_synapse.json", "NULL"),
        [error(TABLE, "edge_type_id 10000", "bmtk fails where dynamics_params is NULL: give it a value")],
    ),
    "bmtk: plural names only": (
        "bmtk",
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source"].pop("node_id_to_range")),
        [
            error(
                EDGES,
                f"{E}/indices/target_to_source/node_id_to_range",
                "bmtk crashes on an index without it: make it a second name of node_id_to_ranges",
            )
        ],
    ),
    "bmtk: no columns of groups": (
        "bmtk",
        lambda d: [put(NODES, f"{N}/{name}", None)(d) for name in NODE_COLUMNS],
        [error(NODES, f"{N}/{name}", "bmtk needs it: write it") for name in NODE_COLUMNS],
    ),
    "bmtk: no columns of edge groups": (
        "bmtk",
        lambda d: [put(EDGES, f"{E}/{name}", None)(d) for name in EDGE_COLUMNS],
        [error(EDGES, f"{E}/{name}", "bmtk needs it: write it") for name in EDGE_COLUMNS],
    ),
    "bmtk: no synapse parameters": (
        "bmtk",
        lambda d: (d / TABLE).write_text("edge_type_id model_template\n10000 static_synapse\n"),
        [error(TABLE, "row 1", "bmtk needs a column dynamics_params: add it")],
    ),
    "bmtk: virtual nodes with a model": (
        "bmtk",
        lambda d: (d / "network/TH_node_types.csv").write_text(
            "node_type_id model_type model_template dynamics_params\n102 virtual NULL NULL\n"
        ),
        [
            error(
                "network/TH_node_types.csv",
                "node_type_id 102",
                "bmtk fails on virtual nodes with model_template and dynamics_params: use a table without them",
            )
        ],
    ),
    "bmtk: no prefix": (
        "bmtk",
        text(TYPES, "nest:", ""),
        [
            error(
                TYPES,
                "node_type_id 100",
                "bmtk needs a prefix in the model_template 'iaf_psc_exp': write nest:iaf_psc_exp",
            )
        ],
    ),
    "bmtk: no weights": (
        "bmtk",
        put(EDGES, f"{E}/0/syn_weight", None),
        [
            warning(EDGES, E, "has no syn_weight, nor have its types: simulators take their own default, or refuse"),
            error(EDGES, E, "bmtk fails without weights: write syn_weight into the group or the type table"),
        ],
    ),
    "bmtk: an early current": (
        "bmtk",
        simulation(
            "",
            "inputs",
            "I",
            new={
                "input_type": "current_clamp",
                "module": "IClamp",
                "node_set": "I",
                "amp": 1,
                "delay": 0,
                "duration": 9,
            },
        ),
        [
            error(
                "simulation_config.json",
                "inputs.I.delay",
                "bmtk skips a current that begins up to dt = 0.1 ms: put it into I_e, or begin later",
            )
        ],
    ),
    "bmtk: an unknown input": (
        "bmtk",
        simulation("", "inputs", "TH", "module", new="synapse_replay"),
        [
            error(
                "simulation_config.json",
                "inputs.TH.module",
                "bmtk ignores 'spikes' from 'synapse_replay': use h5 for spikes, IClamp for currents",
            )
        ],
    ),
    # PyNN
    "pynn: no table": (
        "pynn",
        without_table("circuit_config.pynn.json", "node"),
        [error(NODES, N, "PyNN needs a type table: add its file")],
    ),
    "pynn: no column": (
        "pynn",
        text(TYPES, "model_type", "kind"),
        [
            error(TYPES, "node_type_id 100", "has no model_type"),
            error(TYPES, "row 1", "PyNN needs a column model_type: add it"),
        ],
    ),
    "pynn: no columns of groups": (
        "pynn",
        lambda d: [put(NODES, f"{N}/{name}", None)(d) for name in NODE_COLUMNS],
        [error(NODES, f"{N}/{name}", "PyNN needs it: write it") for name in NODE_COLUMNS],
    ),
    "pynn: ids in another order": (
        "pynn",
        hdf5("network/TH_nodes.h5", reverse("nodes/TH/node_id")),
        [
            error(
                "network/TH_nodes.h5",
                "/nodes/TH/node_id",
                "PyNN takes the number of the row as id: sort the rows by node_id and number them from 0",
            )
        ],
    ),
    "pynn: groups of nodes": (
        "pynn",
        hdf5(NODES, node_groups),
        [
            error(
                NODES,
                N,
                "PyNN counts nodes group by group, so that edges end elsewhere: use a population for each group",
            )
        ],
    ),
    "pynn: an unknown input": (
        "pynn",
        simulation(".pynn", "inputs", "I", new={"input_type": "noise", "node_set": "I"}),
        [
            error(
                "simulation_config.pynn.json",
                "inputs.I.input_type",
                "PyNN refuses 'noise': use spikes or current_clamp",
            )
        ],
    ),
    "pynn: a current from a file": (
        "pynn",
        simulation(".pynn", "inputs", "I", new={"input_type": "current_clamp", "input_file": "model.yaml"}),
        [
            error(
                "simulation_config.pynn.json",
                "inputs.I.input_file",
                "PyNN refuses currents from a file: give amp, delay and duration",
            )
        ],
    ),
    "pynn: no prefix": (
        "pynn",
        text(PYNN, "nest:", ""),
        [
            error(
                PYNN,
                "edge_type_id 10000",
                "PyNN needs a prefix in the model_template 'static_synapse': write nest:static_synapse (NEST refuses "
                "that: give PyNN a table of its own)",
            )
        ],
    ),
    "pynn: delays in one place": (
        "pynn",
        hdf5(EDGES, lambda f: f[f"{E}/0"].pop("dynamics_params")),
        [error(EDGES, f"{E}/0/delay", "PyNN does not read it: make dynamics_params/delay a second name of it")],
    ),
    "pynn: two models": (
        "pynn",
        two_models,
        [error(NODES, N, "PyNN takes one model per group: use a population for each model")],
    ),
    "pynn: two synapse models": (
        "pynn",
        two_synapse_models,
        [error(EDGES, E, "PyNN takes one synapse model per group: use a group for each model")],
    ),
    "pynn: properties in another order": (
        "pynn",
        hdf5(EDGES, reverse(f"{E}/edge_group_index")),
        [error(EDGES, f"{E}/edge_group_index", "PyNN fails where it is not ascending: write 0, 1, 2, ...")],
    ),
    "pynn: no parameters": (
        "pynn",
        text(PYNN, "static_synapse.json", "NULL"),
        [error(PYNN, "edge_type_id 10000", "PyNN fails where dynamics_params is NULL: give it a value")],
    ),
    "pynn: a target": (
        "pynn",
        config("circuit_config.pynn.json", lambda c: c.update(target_simulator="NEST")),
        [
            error(
                "circuit_config.pynn.json",
                "target_simulator",
                "PyNN fails on virtual populations with it: leave it out",
            )
        ],
    ),
    "pynn: no order of spikes": (
        "pynn",
        simulation(".pynn", "output", "spikes_sort_order"),
        [error("simulation_config.pynn.json", "output.spikes_sort_order", "PyNN fails without it: add it")],
    ),
    "pynn: a node set of others": (
        "pynn",
        config("node_sets.json", lambda c: c.update(all=["E", "I"])),
        [error("node_sets.json", "all", "PyNN refuses node sets made of others: write it out")],
    ),
    "pynn: spikes by population": (
        "pynn",
        lambda d: shutil.copy(d / "inputs/TH_spikes.h5", d / "inputs/TH_spikes.pynn.h5"),
        [
            error(
                "inputs/TH_spikes.pynn.h5",
                "/spikes",
                "PyNN reads /spikes/timestamps and /spikes/gids only: write it a file without populations",
            )
        ],
    ),
    "pynn: another module": (
        "pynn",
        simulation(".pynn", "inputs", "TH", "module", new="sonata"),
        [
            error(
                "simulation_config.pynn.json", "inputs.TH.module", "PyNN reads spikes with the module h5, not 'sonata'"
            )
        ],
    ),
    # libsonata
    "libsonata: ids in another order": (
        "libsonata",
        hdf5("network/TH_nodes.h5", reverse("nodes/TH/node_id")),
        [
            error(
                "network/TH_nodes.h5",
                "/nodes/TH/node_id",
                "libsonata takes the number of the row as id: sort the rows by node_id and number them from 0",
            )
        ],
    ),
    "libsonata: compressed": (
        "libsonata",
        hdf5(EDGES, compress),
        [error(EDGES, f"{E}/source_node_id", "libsonata's wheel cannot read gzip: write it uncompressed")],
    ),
    "libsonata: a target": (
        "libsonata",
        config(CIRCUIT, lambda c: c.update(target_simulator="NEST")),
        [
            error(
                CIRCUIT,
                "target_simulator",
                "libsonata refuses 'NEST': leave it out here, and give the simulator a config of its own",
            )
        ],
    ),
    "libsonata: a population that is not listed": (
        "libsonata",
        config(CIRCUIT, lambda c: c["networks"]["nodes"][0].pop("populations")),
        [error(CIRCUIT, "networks.nodes[0].populations", "libsonata sees only what is listed: add 'E'")],
    ),
    "libsonata: two groups": (
        "libsonata",
        hdf5(EDGES, second_group),
        [error(EDGES, E, "libsonata reads one group only: write populations with one group each")],
    ),
    "libsonata: properties in another order": (
        "libsonata",
        hdf5(EDGES, reverse(f"{E}/edge_group_index")),
        [
            error(
                EDGES,
                f"{E}/edge_group_index",
                "libsonata ignores it and takes the rows as they come: write 0, 1, 2, ...",
            )
        ],
    ),
    "libsonata: singular names only": (
        "libsonata",
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source"].pop("node_id_to_ranges")),
        [
            error(
                EDGES,
                f"{E}/indices/target_to_source/node_id_to_ranges",
                "libsonata needs it: make it a second name of node_id_to_range",
            )
        ],
    ),
    "libsonata: no index": (
        "libsonata",
        hdf5(EDGES, lambda f: f[f"{E}/indices"].pop("target_to_source")),
        [
            warning(
                EDGES,
                f"{E}/indices/target_to_source",
                "libsonata finds the edges of a node through it only: write this index",
            )
        ],
    ),
    "libsonata: no seed": (
        "libsonata",
        simulation(".snap", "run", "random_seed"),
        [error("simulation_config.snap.json", "run.random_seed", "libsonata refuses the config without it: add it")],
    ),
    "libsonata: another module": (
        "libsonata",
        simulation(".snap", "inputs", "TH", "module", new="h5"),
        [
            error(
                "simulation_config.snap.json",
                "inputs.TH.module",
                "libsonata refuses the module h5: in a config for it, use synapse_replay with spike_file for spikes, "
                "linear for currents",
            )
        ],
    ),
    "libsonata: an input without duration": (
        "libsonata",
        simulation(".snap", "inputs", "TH", "duration"),
        [
            error(
                "simulation_config.snap.json",
                "inputs.TH.duration",
                "libsonata refuses an input without it: add it",
            )
        ],
    ),
    "libsonata: a report without type": (
        "libsonata",
        simulation(
            ".snap",
            "reports",
            "V",
            new={"cells": "E", "variable_name": "v", "dt": 0.1, "start_time": 0, "end_time": 1},
        ),
        [error("simulation_config.snap.json", "reports.V.type", "libsonata refuses a report without it: add it")],
    ),
}


@pytest.mark.parametrize("name", BREAK)
def test_one_broken_thing(directory: Path, name: str) -> None:
    consumer, change, expected = BREAK[name]
    change(directory)
    assert check(directory, consumer) == expected
    general = [finding for finding in expected if finding in check(directory)]
    assert check(directory) == general
    assert len(general) < len(expected)  # what is of one consumer is said of it only


#: What PyNN makes of a spike at 0.3 ms, and of four sources of five with spikes.
EARLY = [
    error(
        "inputs/TH_spikes.pynn.h5",
        "/spikes",
        "PyNN gives no spikes up to the shortest delay, 0.5 ms; the first is at 0.3 ms: begin later",
    ),
    warning(
        "inputs/TH_spikes.pynn.h5",
        "/spikes",
        "PyNN's simulation plan refuses sources without a spike; 4 of 5 have one: set the trains by hand",
    ),
]


def test_spikes_that_pynn_does_not_give(directory: Path) -> None:
    with h5py.File(directory / "inputs/TH_spikes.h5", "r+") as file:
        group = file["spikes/TH"]
        ids = group["node_ids"][()]
        times = group["timestamps"][()]
        ids[ids == 4] = 3
        times[0] = 0.3
        group["node_ids"][...], group["timestamps"][...] = ids, times
    with h5py.File(directory / "network/TH_to_E_edges.h5", "r+") as file:
        file["edges/TH_to_E/0/delay"][0] = 0.5
    assert check(directory, "pynn") == EARLY


def use_with_libsonata(directory: Path) -> None:
    """Read what a simulator would, with libsonata."""
    circuit = libsonata.CircuitConfig.from_file(str(directory / CIRCUIT))
    assert circuit.node_populations == {"E", "I", "TH"}
    edges = circuit.edge_population("E_to_I")
    edges.source_nodes(libsonata.Selection([0]))
    edges.afferent_edges([0])
    edges.get_attribute("syn_weight", libsonata.Selection([0]))
    libsonata.SimulationConfig.from_file(str(directory / "simulation_config.snap.json"))


def test_libsonata_reads_what_is_sound(directory: Path) -> None:
    use_with_libsonata(directory)


@pytest.mark.parametrize("name", [n for n in BREAK if n.startswith("libsonata") and "another order" not in n])
def test_libsonata_fails_on_what_is_not(directory: Path, name: str) -> None:
    BREAK[name][1](directory)
    with pytest.raises((libsonata.SonataError, RuntimeError, AssertionError)):
        use_with_libsonata(directory)


def test_every_message_of_a_consumer_begins_with_its_name(directory: Path) -> None:
    names = {"nest": "NEST", "bmtk": "bmtk", "pynn": "PyNN", "libsonata": "libsonata"}
    for consumer, _, expected in BREAK.values():
        assert any(finding.message.startswith(names[consumer]) for finding in expected)


def test_a_directory_of_another_dialect(directory: Path) -> None:
    """Without a config in its dialect, a consumer is given the common one."""
    (directory / "circuit_config.pynn.json").unlink()
    config("simulation_config.pynn.json", lambda c: c.update(network=CIRCUIT))(directory)
    edges = ("E_to_I", "I_to_E", "TH_to_E")
    assert {f.file for f in check(directory, "pynn")} == {f"network/{name}_edge_types.csv" for name in edges}


def test_nests_own_example_is_fit_for_nest(tmp_path: Path) -> None:
    path = tmp_path / "example"
    shutil.copytree(Path(nest.__file__).parent / "doc/examples/pynest/sonata_example/300_pointneurons", path)
    spikes = "inputs/external_spike_trains.h5"
    edges = "network/external_internal_edges.h5"
    general = [
        warning(
            edges,
            "/edges/external_to_internal",
            "has no delay, nor have its types: simulators take their own default",
        ),
        error("simulation_config.json", "node_sets_file", "node_sets.json: no such file or directory"),
        warning(spikes, "/", "has no attribute magic (0x0A7A in SONATA files)"),
        warning(spikes, "/", "has no attribute version (two whole numbers in SONATA files)"),
        warning(
            spikes,
            "/spikes/timestamps",
            "not a multiple of the resolution of 0.01 ms, to which it is rounded: 4330 of 4334 rows "
            "(first: row 0: 0.3843223655829098)",
        ),
    ]
    assert check(path) == general
    assert check(path, "nest") == general
