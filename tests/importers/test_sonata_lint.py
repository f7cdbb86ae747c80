"""The linter for SONATA: sound circuits pass, and each broken thing gives exactly the findings that it should."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from lint_circuits import check, config, error, hdf5, put, text, value, warning, write_by_hand, write_export

from mc_interchange import build, export, realize
from mc_interchange.contracts import Finding
from mc_interchange.importers.sonata import SonataImporter
from mc_interchange.importers.sonata.lint import populations
from mc_interchange.network import Network

CONSUMERS = SonataImporter.consumers
NODES, EDGES = "network/E_nodes.h5", "network/E_to_I_edges.h5"
N, E = "/nodes/E", "/edges/E_to_I"
TABLE = "network/E_to_I_edge_types.csv"
CIRCUIT, SIMULATION = "circuit_config.json", "simulation_config.json"


@pytest.fixture(scope="module")
def original(small_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(small_network, tmp_path_factory.mktemp("lint") / "small")


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "small"))


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    return write_by_hand(tmp_path / "hand")


NO_DELAY = "has no delay, nor have its types: simulators take their own default"
NO_WEIGHT = "has no syn_weight, nor have its types: simulators take their own default, or refuse"
BY_HAND = [
    warning("synapses.h5", "/edges/drive_to_cortex", NO_DELAY),
    warning("synapses.h5", "/edges/recurrent", NO_DELAY),
]


def test_our_exports_have_no_finding_for_any_consumer(original: Path) -> None:
    assert check(original, *CONSUMERS) == []


def test_our_default_model_has_no_finding_for_any_consumer(tmp_path: Path) -> None:
    path = export(realize(build("pd14", scale=0.01)), "sonata", tmp_path / "pd14").path
    assert check(path, *CONSUMERS) == []


def test_what_the_specification_leaves_open_is_no_error(by_hand: Path) -> None:
    assert check(by_hand) == BY_HAND


def test_a_config_can_be_named_instead_of_its_directory(by_hand: Path) -> None:
    assert check(by_hand / SIMULATION) == BY_HAND


#: What is found in files without a config.
LOOSE = [
    warning(".", "", "there is no circuit config; node and edge files were paired by their names"),
    error("network/again_edges.h5", "", "leaves the directory of the circuit"),
    error(".", "", "there is no node file"),
    error(".", "", "NEST needs a circuit config: write circuit_config.json"),
    error(".", "", "PyNN needs a circuit config: write circuit_config.json"),
    error(".", "", "libsonata needs a circuit config: write circuit_config.json"),
    error(EDGES, f"{E}/edge_type_id", "has more than 10 different values"),
]


def test_files_without_a_config_are_paired_by_their_names(directory: Path) -> None:
    for file in directory.glob("*.json"):
        file.unlink()
    put(EDGES, f"{E}/edge_type_id", np.full(300, 3))(directory)
    assert SonataImporter().recognises(directory)
    assert check(directory) == [LOOSE[0], error(EDGES, f"{E}/edge_type_id", f"{TABLE} has no type 3 (first: row 0)")]


def test_edge_files_alone(directory: Path) -> None:
    for file in (*directory.glob("*.json"), *directory.rglob("*_nodes.h5"), *directory.glob("inputs/*")):
        file.unlink()
    (directory.parent / "outside.h5").touch()
    (directory / "network/again_edges.h5").symlink_to(directory.parent / "outside.h5")
    assert check(directory) == LOOSE[:3]
    assert [f for f in check(directory, *CONSUMERS) if f.message.endswith("needs a circuit config")] == []
    assert set(LOOSE[3:6]) <= set(check(directory, *CONSUMERS))


def test_too_many_types_are_damage(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(populations, "_MOST_DISTINCT", 10)
    put(EDGES, f"{E}/edge_type_id", np.arange(300) % 11)(directory)
    assert check(directory) == [LOOSE[6]]


def cut(directory: Path) -> None:
    data = (directory / EDGES).read_bytes()
    (directory / EDGES).write_bytes(data[: len(data) // 2])


def declare(rows: int, **more: object) -> Callable[[h5py.File], None]:
    """Make every column of edges claim a number of rows, and write none."""

    def change(file: h5py.File) -> None:
        group = file[E]
        del group["indices"]
        for name in ("source_node_id", "target_node_id", "edge_type_id", "edge_group_id", "edge_group_index"):
            attributes = dict(group[name].attrs)
            del group[name]
            group.create_dataset(name, (rows,), "u8", chunks=(2**20,), fillvalue=10000 if "type" in name else 0)
            group[name].attrs.update(attributes)
        for name in ("syn_weight", "delay", "dynamics_params/delay"):
            del group[f"0/{name}"]
            group.create_dataset(f"0/{name}", (rows,), "f4", chunks=(2**20,), fillvalue=1.5)

    return change


def elsewhere(directory: Path) -> None:
    """Put an edge file outside, and a link in its place."""
    shutil.move(directory / EDGES, directory.parent / "outside.h5")
    (directory / EDGES).symlink_to(directory.parent / "outside.h5")


def linked(file: h5py.File) -> None:
    with h5py.File(Path(file.filename).parents[2] / "outside.h5", "w") as other:
        other["values"] = file[f"{E}/0/syn_weight"][()]
    del file[f"{E}/0/syn_weight"]
    file[f"{E}/0/syn_weight"] = h5py.ExternalLink("../../outside.h5", "values")


def stored_elsewhere(file: h5py.File) -> None:
    del file[f"{E}/0/syn_weight"]
    file.create_dataset(f"{E}/0/syn_weight", (300,), "f8", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)])


def swap_in_index(file: h5py.File) -> None:
    index = file[f"{E}/indices/source_to_target/range_to_edge_id"]
    first, last = index[0], index[-1]
    index[0], index[-1] = last, first


def claim(file: h5py.File) -> None:
    """Make a chunked dataset of 300 rows, of which one chunk of 10 is there, and one of 2^50."""
    weights = file[f"{E}/0/syn_weight"][:10]
    del file[f"{E}/0/syn_weight"]
    dataset = file.create_dataset(f"{E}/0/syn_weight", (300,), "f8", chunks=(10,), maxshape=(None,))
    dataset[:10] = weights
    del file[f"{E}/source_node_id"]
    dataset = file.create_dataset(f"{E}/source_node_id", (2**50,), "u4", chunks=(1024,), compression="gzip")
    dataset[:1024] = 1
    dataset.attrs["node_population"] = "E"


def one_chunk(name: str, rows: int) -> Callable[[h5py.File], None]:
    """Put a dataset of one compressed chunk that holds nothing useful."""

    def change(file: h5py.File) -> None:
        del file[name]
        dataset = file.create_dataset(name, (rows,), "f8", chunks=(rows,), compression="gzip")
        dataset.id.write_direct_chunk((0,), b"garbage")

    return change


def population_twice(directory: Path) -> None:
    shutil.copy(directory / EDGES, directory / "network/again.h5")
    entry = {"edges_file": "network/again.h5", "edge_types_file": TABLE}
    for name in (CIRCUIT, "circuit_config.pynn.json"):
        config(name, lambda c: c["networks"]["edges"].append(entry))(directory)


def first_edges(content: dict) -> dict:
    return next(entry for entry in content["networks"]["edges"] if "E_to_I" in entry["populations"])


def place_of_edges(directory: Path, name: str = CIRCUIT) -> str:
    entries = json.loads((directory / name).read_text())["networks"]["edges"]
    return f"networks.edges[{next(i for i, entry in enumerate(entries) if 'E_to_I' in entry['populations'])}]"


OUTSIDE_E = "not one of the 40 nodes of E: {} of 300 rows (first: row {}: {})"
#: What to break, and all that is then found. The second circuit config, PyNN's, shares all files but edge tables.
BREAK: dict[str, tuple[Callable[[Path], None], list[Finding]]] = {
    # HDF5 files
    "half a file": (
        cut,
        [error(EDGES, "", "not a readable HDF5 file (Unable to synchronously open file (truncated file: ...")],
    ),
    "an empty file": (
        lambda d: (d / EDGES).write_bytes(b""),
        [error(EDGES, "", "not a readable HDF5 file (Unable to synchronously open file (file signature not found))")],
    ),
    "another magic": (
        hdf5(EDGES, lambda f: f.attrs.modify("magic", 7)),
        [error(EDGES, "/", "attribute magic is 7, not 2682 (0x0A7A)")],
    ),
    "no magic": (
        hdf5(EDGES, lambda f: f.attrs.pop("magic")),
        [warning(EDGES, "/", "has no attribute magic (0x0A7A in SONATA files)")],
    ),
    "another version": (
        hdf5(EDGES, lambda f: f.attrs.create("version", "0.1")),
        [error(EDGES, "/", "attribute version is 0.1, not two whole numbers")],
    ),
    "no version": (
        hdf5(EDGES, lambda f: f.attrs.pop("version")),
        [warning(EDGES, "/", "has no attribute version (two whole numbers in SONATA files)")],
    ),
    "no edges in a file": (
        hdf5(EDGES, lambda f: f.move("edges", "other")),
        [
            error(EDGES, "/edges", "is missing"),
        ],
    ),
    "a dataset in place of a group": (
        put(EDGES, f"{E}/indices/target_to_source", [1]),
        [error(EDGES, f"{E}/indices/target_to_source", "is a dataset where a group belongs")],
    ),
    "a group in place of a dataset": (
        hdf5(EDGES, lambda f: (f[E].pop("edge_type_id"), f[E].create_group("edge_type_id"))),
        [error(EDGES, f"{E}/edge_type_id", "is a group where a dataset belongs")],
    ),
    "a table in place of a column": (
        put(EDGES, f"{E}/0/syn_weight", np.ones((300, 2))),
        [error(EDGES, f"{E}/0/syn_weight", "has the shape (300, 2); one dimension belongs here")],
    ),
    "a link to nothing": (
        hdf5(EDGES, lambda f: (f[f"{E}/0"].pop("syn_weight"), f[E].__setitem__("0/syn_weight", h5py.SoftLink("/no")))),
        [error(EDGES, f"{E}/0/syn_weight", "is a link to nothing")],
    ),
    "a link in HDF5 that leaves": (
        hdf5(EDGES, linked),
        [error(EDGES, f"{E}/0/syn_weight", "is a link that leaves the directory")],
    ),
    "values in another file": (
        hdf5(EDGES, stored_elsewhere),
        [error(EDGES, f"{E}/0/syn_weight", "keeps its values in other files; it is not read")],
    ),
    "2^60 edges that were never written": (
        hdf5(EDGES, declare(2**60)),
        [
            warning(EDGES, f"{E}/source_node_id", f"was never written: all {2**60} rows are 0"),
            warning(EDGES, f"{E}/target_node_id", f"was never written: all {2**60} rows are 0"),
        ],
    ),
    "columns that claim more than they hold": (
        hdf5(EDGES, claim),
        [
            error(EDGES, f"{E}/source_node_id", f"claims {2**52} bytes, of which ... are stored; it is not read"),
            error(EDGES, f"{E}/0/syn_weight", "claims 2400 bytes, of which 80 are stored; it is not read"),
        ],
    ),
    "a chunk of half a gigabyte": (
        hdf5(EDGES, one_chunk(f"{E}/0/syn_weight", 2**26)),
        [error(EDGES, f"{E}/0/syn_weight", "has chunks of 536870912 bytes; it is not read")],
    ),
    "a chunk that cannot be decompressed": (
        hdf5(NODES, one_chunk(f"{N}/0/dynamics_params/V_m", 40)),
        [error(NODES, N, "cannot be read (OSError: ...")],
    ),
    # nodes
    "node ids that were never written": (
        put(NODES, f"{N}/node_id", None, shape=(40,), dtype="u8"),
        [error(NODES, f"{N}/node_id", "is 0 throughout; ids must differ")],
    ),
    "an unknown node type": (
        value(NODES, f"{N}/node_type_id", 17, 999),
        [error(NODES, f"{N}/node_type_id", "network/E_node_types.csv has no type 999 (first: row 17)")],
    ),
    "no node types": (put(NODES, f"{N}/node_type_id", None), [error(NODES, f"{N}/node_type_id", "is missing")]),
    "an unknown node group": (
        value(NODES, f"{N}/node_group_id", slice(3, None), 2),
        [error(NODES, f"{N}/node_group_id", "names group 2, which does not exist (first: row 3)")],
    ),
    "a row that the node group does not have": (
        value(NODES, f"{N}/node_group_index", 39, 40),
        [
            error(
                NODES, f"{N}/node_group_index", "not a row of the group, which has 40: 1 of 40 rows (first: row 39: 40)"
            )
        ],
    ),
    "half of the group columns of nodes": (
        put(NODES, f"{N}/node_group_index", None),
        [error(NODES, f"{N}/node_group_index", "is missing")],
    ),
    "too few potentials": (
        put(NODES, f"{N}/0/dynamics_params/V_m", np.zeros(39)),
        [error(NODES, f"{N}/0/dynamics_params/V_m", "has 39 rows where 40 belong")],
    ),
    "a potential that is no number": (
        value(NODES, f"{N}/0/dynamics_params/V_m", 7, np.nan),
        [error(NODES, f"{N}/0/dynamics_params/V_m", "not a finite number: 1 of 40 rows (first: row 7: nan)")],
    ),
    "potentials as text": (
        put(NODES, f"{N}/0/dynamics_params/V_m", ["-60"] * 40),
        [error(NODES, f"{N}/0/dynamics_params/V_m", "has the type object; numbers belong here")],
    ),
    # edges
    "a source out of range": (
        value(EDGES, f"{E}/source_node_id", 17, 40),
        [
            error(EDGES, f"{E}/source_node_id", OUTSIDE_E.format(1, 17, 40)),
            error(
                EDGES,
                f"{E}/indices/source_to_target/range_to_edge_id",
                "disagrees with source_node_id: names edges under nodes that are not theirs",
            ),
        ],
    ),
    "all sources out of range": (
        lambda d: (
            put(EDGES, f"{E}/source_node_id", np.full(300, -2))(d),
            put(EDGES, f"{E}/indices", None)(d),
        ),
        [error(EDGES, f"{E}/source_node_id", OUTSIDE_E.format(300, 0, -2))],
    ),
    "no sources": (put(EDGES, f"{E}/source_node_id", None), [error(EDGES, f"{E}/source_node_id", "is missing")]),
    "too few targets": (
        lambda d: (
            put(EDGES, f"{E}/target_node_id", np.zeros(299, int))(d),
            put(EDGES, f"{E}/indices", None)(d),
        ),
        [error(EDGES, f"{E}/target_node_id", "has 299 rows where 300 belong")],
    ),
    "sources that are not whole": (
        put(EDGES, f"{E}/source_node_id", np.zeros(300)),
        [error(EDGES, f"{E}/source_node_id", "has the type float64; whole numbers belong here")],
    ),
    "an unknown population": (
        hdf5(EDGES, lambda f: f[f"{E}/source_node_id"].attrs.modify("node_population", "X")),
        [error(EDGES, f"{E}/source_node_id", "attribute node_population is 'X'; known populations: E, I, TH")],
    ),
    "no population": (
        hdf5(EDGES, lambda f: f[f"{E}/source_node_id"].attrs.pop("node_population")),
        [error(EDGES, f"{E}/source_node_id", "has no attribute node_population")],
    ),
    "an unknown edge type": (
        value(EDGES, f"{E}/edge_type_id", slice(299, None), 5),
        [
            error(EDGES, f"{E}/edge_type_id", f"{TABLE} has no type 5 (first: row 299)"),
            error(EDGES, f"{E}/edge_type_id", "network/pynn/E_to_I_edge_types.csv has no type 5 (first: row 299)"),
        ],
    ),
    "a weight that is no number": (
        value(EDGES, f"{E}/0/syn_weight", slice(4, 6), np.nan),
        [error(EDGES, f"{E}/0/syn_weight", "not a finite number: 2 of 300 rows (first: row 4: nan)")],
    ),
    "an infinite weight": (
        value(EDGES, f"{E}/0/syn_weight", 299, -np.inf),
        [error(EDGES, f"{E}/0/syn_weight", "not a finite number: 1 of 300 rows (first: row 299: -inf)")],
    ),
    "a weight of zero": (
        value(EDGES, f"{E}/0/syn_weight", 3, 0.0),
        [warning(EDGES, f"{E}/0/syn_weight", "0, so that the edge has no effect: 1 of 300 rows (first: row 3: 0.0)")],
    ),
    "no weights": (
        put(EDGES, f"{E}/0/syn_weight", None),
        [warning(EDGES, E, "has no syn_weight, nor have its types: simulators take their own default, or refuse")],
    ),
    "weights as text": (
        put(EDGES, f"{E}/0/syn_weight", ["1"] * 300),
        [error(EDGES, f"{E}/0/syn_weight", "has the type object; numbers belong here")],
    ),
    "a delay below the resolution": (
        hdf5(EDGES, lambda f: f[f"{E}/0/delay"].__setitem__(2, 0.04)),
        [
            error(
                EDGES,
                f"{E}/0/delay",
                "below the resolution of 0.1 ms: 1 of 300 rows (first: row 2: 0.03999999910593033)",
            ),
            warning(
                EDGES,
                f"{E}/0/delay",
                "not a multiple of the resolution of 0.1 ms, to which it is rounded: 1 of 300 rows "
                "(first: row 2: 0.03999999910593033)",
            ),
        ],
    ),
    "a delay off the grid": (
        hdf5(EDGES, lambda f: f[f"{E}/0/delay"].__setitem__(2, 1.25)),
        [
            warning(
                EDGES,
                f"{E}/0/delay",
                "not a multiple of the resolution of 0.1 ms, to which it is rounded: 1 of 300 rows "
                "(first: row 2: 1.25)",
            )
        ],
    ),
    "a row that the edge group does not have": (
        value(EDGES, f"{E}/edge_group_index", 0, 300),
        [
            error(
                EDGES,
                f"{E}/edge_group_index",
                "not a row of the group, which has 300: 1 of 300 rows (first: row 0: 300)",
            )
        ],
    ),
    "no group": (
        hdf5(EDGES, lambda f: f[E].move("0", "zero")),
        [
            error(EDGES, f"{E}/0", "is missing"),
            warning(EDGES, E, NO_DELAY),
            warning(EDGES, E, NO_WEIGHT),
        ],
    ),
    "a population in two files": (
        population_twice,
        [error("network/again.h5", E, f"is a population of {EDGES}, too")],
    ),
    # indices
    "an index without its first table": (
        hdf5(
            EDGES,
            lambda f: [f[f"{E}/indices/target_to_source"].pop(n) for n in ("node_id_to_range", "node_id_to_ranges")],
        ),
        [error(EDGES, f"{E}/indices/target_to_source/node_id_to_ranges", "is missing")],
    ),
    "an index without its second table": (
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source"].pop("range_to_edge_id")),
        [error(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", "is missing")],
    ),
    "a range of an index that runs backwards": (
        value(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", 1, [64, 34]),
        [error(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", "row 1, [64, 34], ends before it starts")],
    ),
    "a range of an index beyond the edges": (
        value(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", 9, [290, 301]),
        [error(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", "row 9, [290, 301], leaves the 300 edges")],
    ),
    "a node of an index beyond its ranges": (
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source/node_id_to_ranges"].__setitem__(9, [9, 11])),
        [
            error(
                EDGES,
                f"{E}/indices/target_to_source/node_id_to_ranges",
                "row 9, [9, 11], leaves the 10 rows of range_to_edge_id",
            )
        ],
    ),
    "an index that is incomplete": (
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source/range_to_edge_id"].__setitem__(0, [0, 1])),
        [error(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", "is incomplete: names 267 of 300 edges")],
    ),
    "an index that names edges twice": (
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source/range_to_edge_id"].__setitem__(0, [0, 300])),
        [error(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", "names more edges than the 300 there are")],
    ),
    "rows of an index with two nodes": (
        hdf5(EDGES, lambda f: f[f"{E}/indices/target_to_source/node_id_to_ranges"].__setitem__(0, [0, 2])),
        [
            error(
                EDGES,
                f"{E}/indices/target_to_source/node_id_to_ranges",
                "gives rows of range_to_edge_id to two nodes (first: node 1)",
            )
        ],
    ),
    "an index that disagrees": (
        hdf5(EDGES, swap_in_index),
        [
            error(
                EDGES,
                f"{E}/indices/source_to_target/range_to_edge_id",
                "disagrees with source_node_id: names edges under nodes that are not theirs",
            )
        ],
    ),
    "an index that was never filled": (
        put(EDGES, f"{E}/indices/target_to_source/range_to_edge_id", None, shape=(10, 2), dtype="i8"),
        [error(EDGES, f"{E}/indices/target_to_source", "was never filled")],
    ),
    # tables
    "a column twice": (
        text(TABLE, "population", "model_template"),
        [error(TABLE, "row 1", "names a column twice: 'model_template'")],
    ),
    "a type twice": (
        text(TABLE, "10000 E_to_I", "10000 x static_synapse NULL\n10000 E_to_I"),
        [error(TABLE, "row 3", "edge_type_id 10000 is there already")],
    ),
    "a row that is too short": (
        text(TABLE, " static_synapse.json", ""),
        [
            error(TABLE, "row 2", "has 3 fields, the header has 4"),
            error(EDGES, f"{E}/edge_type_id", f"{TABLE} has no type 10000 (first: row 0)"),
        ],
    ),
    "commas": (
        lambda d: (d / TABLE).write_text((d / TABLE).read_text().replace(" ", ",")),
        [
            error(
                TABLE, "row 1", "has no column edge_type_id; the columns of a type table are separated by single spaces"
            )
        ],
    ),
    "an id that is no number": (
        text(TABLE, "10000 E", "ten E"),
        [
            error(TABLE, "row 2", "edge_type_id 'ten' is not a whole number"),
            error(EDGES, f"{E}/edge_type_id", f"{TABLE} has no type 10000 (first: row 0)"),
        ],
    ),
    "a quote that does not end": (
        text(TABLE, "10000 E", '10000 "E'),
        [error(TABLE, "", "not a table (unexpected end of data)")],
    ),
    "a table that is no text": (
        lambda d: (d / TABLE).write_bytes(b"\xff\xfe"),
        [error(TABLE, "", "not a table ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)")],
    ),
    "a table of gigabytes": (
        lambda d: os.truncate(d / TABLE, 2**33),
        [error(TABLE, "", "has 8589934592 bytes, more than the 67108864 that are read")],
    ),
    "no model type": (
        text("network/E_node_types.csv", "point_neuron", "NULL"),
        [error("network/E_node_types.csv", "node_type_id 100", "has no model_type")],
    ),
    "a soma without model": (
        text("network/E_node_types.csv", "point_neuron nest:iaf_psc_exp", "point_soma NULL"),
        [error("network/E_node_types.csv", "node_type_id 100", "has no model_template")],
    ),
    "no model": (
        text("network/E_node_types.csv", "nest:iaf_psc_exp", "NULL"),
        [error("network/E_node_types.csv", "node_type_id 100", "has no model_template")],
    ),
    "no parameters": (
        lambda d: (d / "components/point_neuron_models/E.json").unlink(),
        [error("components/point_neuron_models/E.json", "", "no such file")],
    ),
    "parameters that are no object": (
        lambda d: (d / "components/point_neuron_models/E.json").write_text("[1]"),
        [error("components/point_neuron_models/E.json", "", "not a JSON object")],
    ),
    "parameters elsewhere": (
        text("network/E_node_types.csv", "E.json", "../../../E.json"),
        [
            error(name, "components.point_neuron_models_dir", "'../../../E.json' leaves this directory")
            for name in (CIRCUIT, "circuit_config.pynn.json")
        ],
    ),
}
BY_HAND_BREAK: dict[str, tuple[Callable[[Path], None], list[Finding]]] = {
    "a row that its group does not have": (
        value("synapses.h5", "edges/recurrent/edge_group_index", 4, 3),
        [
            error(
                "synapses.h5",
                "/edges/recurrent/edge_group_index",
                "not a row of its group: 1 of 5 rows (first: row 4: 3)",
            )
        ],
    ),
    "too few weights in a group": (
        put("synapses.h5", "edges/recurrent/1/syn_weight", [0.5, -1.5]),
        [error("synapses.h5", "/edges/recurrent/1/syn_weight", "has 2 rows where 3 belong")],
    ),
    "a word that the library does not have": (
        put("cells.h5", "nodes/cortex/0/layer", np.array([0, 2, 1])),
        [
            error(
                "cells.h5",
                "/nodes/cortex/0/layer",
                "not below 2, the number of words in /nodes/cortex/0/@library/layer: 1 of 3 rows (first: row 1: 2)",
            )
        ],
    ),
    "half a synapse": (
        put("synapses.h5", "edges/recurrent/0/nsyns", [1.0, 1.5]),
        [
            error(
                "synapses.h5",
                "/edges/recurrent/0/nsyns",
                "not a whole number from 0: 1 of 2 rows (first: row 1: 1.5)",
            )
        ],
    ),
    "an infinite weight in a table": (
        text("synapses.csv", "2.5", "inf"),
        [error("synapses.csv", "edge_type_id 7", "syn_weight 'inf' is not a finite number")],
    ),
    "ids in another order": (put("cells.h5", "nodes/cortex/node_id", [10, 0, 1, 2, 3, 5]), []),
    "edges to ids that do not exist": (
        put("cells.h5", "nodes/cortex/node_id", [10, 0, 1, 2, 4, 5]),
        [
            error(
                "synapses.h5",
                "/edges/recurrent/target_node_id",
                "not one of the 6 nodes of cortex: 2 of 5 rows (first: row 2: 3)",
            )
        ],
    ),
    "a node id twice": (
        put("cells.h5", "nodes/cortex/node_id", [0, 1, 2, 3, 5, 5]),
        [error("cells.h5", "/nodes/cortex/node_id", "holds an id twice: 1 of 6 rows (first: id 5)")],
    ),
    "a negative node id": (
        put("cells.h5", "nodes/cortex/node_id", [0, 1, 2, 3, -4, 5]),
        [error("cells.h5", "/nodes/cortex/node_id", "negative: 1 of 6 rows (first: row 4: -4)")],
    ),
    "a short delay in a table": (
        lambda d: (d / "synapses.csv").write_text(
            "edge_type_id syn_weight model_template delay\n7 2.5 static_synapse 0.1\n8 NULL static_synapse 0.5\n"
        ),
        [error("synapses.csv", "edge_type_id 7", "delay 0.1 is below the resolution of 0.5 ms")],
    ),
    "a delay of zero without a resolution": (
        lambda d: (
            config(SIMULATION, lambda c: c["run"].pop("dt"))(d),
            put("synapses.h5", "edges/recurrent/1/delay", [0.0, 1.0, 1.03])(d),
        ),
        [error("synapses.h5", "/edges/recurrent/1/delay", "not above 0 ms: 1 of 3 rows (first: row 0: 0.0)")],
    ),
    "parameters in a table": (text("cells.csv", "fast.json", '"{""tau_m"": 10.0}"'), []),
    "parameters in a table that are none": (
        text("cells.csv", "fast.json", "{tau_m"),
        [error("cells.csv", "node_type_id 1", "dynamics_params '{tau_m' is not a JSON object")],
    ),
    "no edges": (
        hdf5("synapses.h5", lambda f: [put_empty(f["edges/drive_to_cortex"])]),
        [warning("synapses.h5", "/edges/drive_to_cortex", "has no edges")],
    ),
}


def put_empty(group: h5py.Group) -> None:
    for name in ("source_node_id", "target_node_id", "edge_type_id"):
        attributes = dict(group[name].attrs)
        del group[name]
        group.create_dataset(name, (0,), "u4").attrs.update(attributes)


def agrees(found: list[Finding], expected: list[Finding], directory: Path) -> None:
    """Compare; ``...`` stands for the rest of a message, and {E} for the place of E_to_I in the config."""
    found, rest = list(found), []
    for finding in expected:
        place = finding.place
        if place.startswith("{E}"):
            place = place.replace("{E}", place_of_edges(directory, finding.file))
        head, dots, _ = finding.message.partition("...")
        message = head + (
            next((f.message for f in found if f.message.startswith(head)), "")[len(head) :] if dots else ""
        )
        rest.append(Finding(finding.level, finding.file, place, message))
    assert found == rest


@pytest.mark.parametrize("name", BREAK)
def test_one_broken_thing(directory: Path, name: str) -> None:
    change, expected = BREAK[name]
    change(directory)
    agrees(check(directory), expected, directory)


@pytest.mark.parametrize("name", BY_HAND_BREAK)
def test_one_broken_thing_in_the_other_circuit(by_hand: Path, name: str) -> None:
    change, expected = BY_HAND_BREAK[name]
    change(by_hand)
    agrees([f for f in check(by_hand) if f not in BY_HAND], expected, by_hand)
