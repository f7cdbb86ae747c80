"""The linter for SONATA: configs, node sets, inputs and spikes; and files that are made to do harm."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from lint_circuits import check, config, error, hdf5, put, value, warning, write_by_hand, write_export

from mc_interchange.contracts import Finding
from mc_interchange.importers.sonata import SonataImporter
from mc_interchange.importers.sonata.lint import columns
from mc_interchange.network import Network

CIRCUIT, SIMULATION, SETS = "circuit_config.json", "simulation_config.json", "node_sets.json"
SPIKES, TH = "inputs/TH_spikes.h5", "/spikes/TH"


@pytest.fixture(scope="module")
def original(small_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_export(small_network, tmp_path_factory.mktemp("lint") / "small")
    for name in ("pynn", "nest", "snap"):  # one config of each kind is enough here
        for file in path.glob(f"*.{name}.json"):
            file.unlink()
    shutil.rmtree(path / "network/pynn")
    (path / "inputs/TH_spikes.pynn.h5").unlink(missing_ok=True)
    with h5py.File(path / SPIKES, "r+") as file:  # in one plain form, whatever the exporter's is
        del file["spikes"]
        file[f"{TH}/timestamps"] = [10.0, 20.5, 30.0, 40.0]
        file[f"{TH}/node_ids"] = np.array([0, 4, 1, 2], np.uint64)
    return path


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "small"))


def first(kind: str, **change: object) -> Callable[[Path], None]:
    """Change the first entry of the nodes or edges of a circuit; a value None takes a key away."""

    def apply(content: dict) -> None:
        entry = content["networks"][kind][0]
        entry.update(change)
        for key in [key for key, new in change.items() if new is None]:
            del entry[key]

    return config(CIRCUIT, apply)


def section(name: str, **change: object) -> Callable[[Path], None]:
    """Change a section of the simulation config."""
    return config(SIMULATION, lambda content: content.setdefault(name, {}).update(change))


def sets(**change: object) -> Callable[[Path], None]:
    return config(SETS, lambda content: content.update(change))


def of_th(**change: object) -> Callable[[Path], None]:
    """Change the input of TH."""
    return config(SIMULATION, lambda content: content["inputs"]["TH"].update(change))


def linked(directory: Path) -> None:
    shutil.move(directory / "network/E_nodes.h5", directory.parent / "outside.h5")
    (directory / "network/E_nodes.h5").symlink_to(directory.parent / "outside.h5")


def by_time(file: h5py.File) -> None:
    kinds = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
    file[TH].attrs.create("sorting", 2, dtype=kinds)
    file[f"{TH}/timestamps"][0] = 50.0


NONE_OF = "known: E, I, TH"
FILE = "networks.nodes[0].nodes_file"
#: What to break, and all that is then found.
BREAK: dict[str, tuple[Callable[[Path], None], list[Finding]]] = {
    # circuit configs
    "half a config": (
        lambda d: (d / SIMULATION).write_text('{"run": {"dt": 0.1'),
        [error(SIMULATION, "", "not valid JSON (Expecting ',' delimiter: line 1 column 19 (char 18))")],
    ),
    "a config that is a list": (
        lambda d: (d / SIMULATION).write_text("[]"),
        [error(SIMULATION, "", "not a JSON object")],
    ),
    "a config of a million brackets": (
        lambda d: (d / SIMULATION).write_text("[" * 1_000_000),
        [error(SIMULATION, "", "not valid JSON (maximum recursion depth exceeded while decoding a JSON array ...")],
    ),
    "a config of gigabytes": (
        lambda d: os.truncate(d / SIMULATION, 2**40),
        [error(SIMULATION, "", f"has {2**40} bytes, more than the {2**26} that are read")],
    ),
    "no networks": (
        config(CIRCUIT, lambda c: c.pop("networks")),
        [
            error(CIRCUIT, "networks", "is missing"),
            warning(".", "", "there is no circuit config; node and edge files were paired by their names"),
        ],
    ),
    "no list of nodes": (
        config(CIRCUIT, lambda c: c["networks"].update(nodes={})),
        [error(CIRCUIT, "networks.nodes", "is not a list")],
    ),
    "an empty list of nodes": (
        config(CIRCUIT, lambda c: c["networks"].update(nodes=[])),
        [error(CIRCUIT, "networks.nodes", "is empty")],
    ),
    "no nodes": (
        config(CIRCUIT, lambda c: c["networks"].pop("nodes")),
        [error(CIRCUIT, "networks.nodes", "is missing")],
    ),
    "a manifest that is no object": (
        config(SIMULATION, lambda c: c.update(manifest=7, node_sets_file="node_sets.json", inputs={}, output={})),
        [error(SIMULATION, "manifest", "is not a JSON object")],
    ),
    "an entry that is no object": (
        config(CIRCUIT, lambda c: c["networks"]["edges"].append(3)),
        [error(CIRCUIT, "networks.edges[3]", "is not a JSON object")],
    ),
    "an entry without a file": (
        config(CIRCUIT, lambda c: c["networks"]["edges"].append({})),
        [error(CIRCUIT, "networks.edges[3].edges_file", "is missing")],
    ),
    "a file twice": (
        config(CIRCUIT, lambda c: c["networks"]["nodes"].append(c["networks"]["nodes"][0])),
        [error(CIRCUIT, "networks.nodes[3].nodes_file", "is in the list already")],
    ),
    "a path that is a number": (
        config(CIRCUIT, lambda c: c["networks"]["edges"].append({"edges_file": 7})),
        [error(CIRCUIT, "networks.edges[3].edges_file", "is 7, not a path")],
    ),
    "a missing table": (
        lambda d: (d / "network/I_to_E_edge_types.csv").unlink(),
        [error(CIRCUIT, "{I_to_E}.edge_types_file", "network/I_to_E_edge_types.csv: no such file or directory")],
    ),
    "a missing file": (
        lambda d: (d / "network/I_to_E_edges.h5").unlink(),
        [error(CIRCUIT, "{I_to_E}.edges_file", "network/I_to_E_edges.h5: no such file or directory")],
    ),
    "a variable that is not defined": (
        section("output", output_dir="$NOWHERE/output"),
        [
            error(
                SIMULATION,
                "output.output_dir",
                "'$NOWHERE/output' has a variable that the manifest does not define",
            )
        ],
    ),
    "a variable that is made of itself": (
        config(
            CIRCUIT,
            lambda c: (
                c["manifest"].update({"$A": "$B", "$B": "$A"}),
                c["networks"]["edges"].append({"edges_file": "$A/x.h5"}),
            ),
        ),
        [error(CIRCUIT, "networks.edges[3].edges_file", "'$A/x.h5' has a variable that the manifest does not define")],
    ),
    "a path that leaves": (
        config(CIRCUIT, lambda c: c["networks"]["edges"].append({"edges_file": "../x.h5"})),
        [error(CIRCUIT, "networks.edges[3].edges_file", "'../x.h5' leaves the directory of the circuit")],
    ),
    "an absolute path": (
        config(CIRCUIT, lambda c: c["networks"]["edges"].append({"edges_file": "/dev/zero"})),
        [error(CIRCUIT, "networks.edges[3].edges_file", "'/dev/zero' leaves the directory of the circuit")],
    ),
    "a link that leaves": (
        lambda d: (
            (d.parent / "x.h5").touch(),
            (d / "x.h5").symlink_to(d.parent / "x.h5"),
            config(CIRCUIT, lambda c: c["networks"]["edges"].append({"edges_file": "x.h5"}))(d),
        ),
        [error(CIRCUIT, "networks.edges[3].edges_file", "'x.h5' leaves the directory of the circuit")],
    ),
    "a path that is too long": (
        config(CIRCUIT, lambda c: c["networks"]["edges"].append({"edges_file": "x" * 300})),
        [
            error(
                CIRCUIT,
                "networks.edges[3].edges_file",
                f"'{'x' * 59} is not a path ([Errno 36] File name too long: ...",
            )
        ],
    ),
    "a population that is not there": (
        config(CIRCUIT, lambda c: c["networks"]["nodes"][0]["populations"].update(X={})),
        [error(CIRCUIT, "networks.nodes[0].populations.X", "network/E_nodes.h5 has no such population; it has E")],
    ),
    "no components": (
        config(CIRCUIT, lambda c: c["components"].pop("synaptic_models_dir")),
        [
            error(
                CIRCUIT,
                "components.synaptic_models_dir",
                "is missing; the parameters 'static_synapse.json' are looked for there",
            )
        ],
    ),
    # simulation configs
    "a resolution of zero": (
        section("run", dt=0),
        [error(SIMULATION, "run.dt", "is 0, not a number above 0")],
    ),
    "a duration that is text": (
        section("run", tstop="long"),
        [error(SIMULATION, "run.tstop", "is 'long', not a number above 0")],
    ),
    "another circuit": (
        config(SIMULATION, lambda c: c.update(network="other.json")),
        [error(SIMULATION, "network", "other.json: no such file or directory")],
    ),
    "inputs that are no object": (
        config(SIMULATION, lambda c: c.update(inputs=[])),
        [error(SIMULATION, "inputs", "is not a JSON object")],
    ),
    "an unknown node set": (
        of_th(node_set="X"),
        [error(SIMULATION, "inputs.TH.node_set", "'X' is neither a node set nor a population")],
    ),
    "no spikes": (
        lambda d: (d / SPIKES).unlink(),
        [error(SIMULATION, "inputs.TH.input_file", f"{SPIKES}: no such file or directory")],
    ),
    # node sets
    "a node set of an unknown population": (
        sets(a={"population": "X"}),
        [error(SETS, "a.population", f"'X' is no population; {NONE_OF}")],
    ),
    "a node set of an unknown node": (
        sets(a={"population": "I", "node_id": [0, 10]}),
        [error(SETS, "a.node_id", "10 is not one of the 10 nodes of I")],
    ),
    "a node set of a negative node": (
        sets(a={"population": "I", "node_id": [0, -1]}),
        [error(SETS, "a.node_id", "-1 is not an id")],
    ),
    "a node set of an unknown node set": (
        sets(a=["E", "b"]),
        [error(SETS, "a", "is made of 'b', which is not a node set")],
    ),
    "node sets of each other": (
        sets(a=["b"], b=["c"], c=["b", "E"]),
        [error(SETS, name, "is made of itself") for name in "abc"],
    ),
    "a node set that is a number": (sets(a=3), [error(SETS, "a", "is neither an object nor a list")]),
    # spikes
    "a spike of a source that does not exist": (
        value(SPIKES, f"{TH}/node_ids", 3, 5),
        [error(SPIKES, f"{TH}/node_ids", "not one of the 5 nodes of TH: 1 of 4 rows (first: row 3: 5)")],
    ),
    "a spike before the start": (
        value(SPIKES, f"{TH}/timestamps", 0, -1.0),
        [error(SPIKES, f"{TH}/timestamps", "negative: 1 of 4 rows (first: row 0: -1.0)")],
    ),
    "a spike at no time": (
        value(SPIKES, f"{TH}/timestamps", 2, np.nan),
        [error(SPIKES, f"{TH}/timestamps", "not a finite number: 1 of 4 rows (first: row 2: nan)")],
    ),
    "spikes in another order than stated": (
        hdf5(SPIKES, by_time),
        [
            error(
                SPIKES,
                f"{TH}/timestamps",
                "not sorted, but the attribute sorting says by_time: 1 of 4 rows (first: row 1: 20.5)",
            )
        ],
    ),
    "sources in another order than stated": (
        hdf5(SPIKES, lambda f: f[TH].attrs.create("sorting", "by_id")),
        [
            error(
                SPIKES,
                f"{TH}/node_ids",
                "not sorted, but the attribute sorting says by_id: 1 of 4 rows (first: row 2: 1)",
            )
        ],
    ),
    "a spike just above the grid": (
        value(SPIKES, f"{TH}/timestamps", 1, float(np.float32(20.6))),
        [
            warning(
                SPIKES,
                f"{TH}/timestamps",
                "not a multiple of the resolution of 0.1 ms, to which it is rounded: 1 of 4 rows "
                "(first: row 1: 20.600000381469727)",
            )
        ],
    ),
    "a spike off the grid": (
        value(SPIKES, f"{TH}/timestamps", 1, 20.53),
        [
            warning(
                SPIKES,
                f"{TH}/timestamps",
                "not a multiple of the resolution of 0.1 ms, to which it is rounded: 1 of 4 rows (first: row 1: 20.53)",
            )
        ],
    ),
    "spikes of nobody": (
        put(SPIKES, f"{TH}/node_ids", None),
        [error(SPIKES, f"{TH}/node_ids", "is missing")],
    ),
    "too few sources": (
        put(SPIKES, f"{TH}/node_ids", [0, 1, 2]),
        [error(SPIKES, f"{TH}/node_ids", "has 3 rows where 4 belong")],
    ),
    "spikes without times": (
        put(SPIKES, f"{TH}/timestamps", None),
        [error(SPIKES, f"{TH}/timestamps", "is missing")],
    ),
    "spikes of an unknown population": (
        hdf5(SPIKES, lambda f: f["spikes"].copy("TH", "X")),
        [warning(SPIKES, "/spikes/X", "is none of the populations E, I, TH")],
    ),
}


@pytest.mark.parametrize("name", BREAK)
def test_one_broken_thing(directory: Path, name: str) -> None:
    change, expected = BREAK[name]
    assert check(directory) == []
    entries = [e["edges_file"] for e in json.loads((directory / CIRCUIT).read_text())["networks"]["edges"]]
    place = f"networks.edges[{entries.index('$BASE_DIR/network/I_to_E_edges.h5')}]"
    change(directory)
    found = check(directory)
    assert len(found) == len(expected), found
    for finding, wanted in zip(found, expected, strict=True):
        head, dots, _ = wanted.message.partition("...")
        assert finding.message.startswith(head) if dots else finding.message == wanted.message
        assert (finding.level, finding.file) == (wanted.level, wanted.file)
        assert finding.place == wanted.place.replace("{I_to_E}", place)


def test_many_findings_of_a_kind_are_one(directory: Path) -> None:
    (directory / SETS).write_text(json.dumps({f"set{number}": number for number in range(50_000)}))
    found = check(directory)
    assert found[0] == error(SETS, "set0", "is neither an object nor a list (the same in 9999 other places)")
    assert [f for f in found if f.file == "."] == [error(".", "", "40000 further findings are left out")]
    assert len(found) <= 3


def test_blocks_of_any_size_give_the_same(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = "edges/E_to_I"
    for change in (
        value("network/E_to_I_edges.h5", f"{edges}/source_node_id", slice(100, 110), 77),
        value("network/E_to_I_edges.h5", f"{edges}/0/syn_weight", slice(150, 290, 7), np.nan),
        value("network/E_to_I_edges.h5", f"{edges}/edge_type_id", slice(250, None), 9),
        value("network/E_to_I_edges.h5", f"{edges}/edge_group_index", 201, 5000),
        value("network/I_nodes.h5", "nodes/I/node_id", slice(None), np.arange(10)[::-1]),
    ):
        change(directory)
    hand = write_by_hand(tmp_path / "hand")
    whole = check(directory), check(hand)
    assert len(whole[0]) == 5
    monkeypatch.setattr(columns, "_BLOCK", 7)
    assert (check(directory), check(hand)) == whole


@pytest.mark.parametrize("seed", range(20))
def test_bytes_changed_at_random_never_raise(directory: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for file in sorted(p for p in directory.rglob("*") if p.is_file()):
        data = bytearray(file.read_bytes())
        texts = data.find(b"GCOL")  # HDF5 itself loops for ever on some damage of its heap of texts, 4096 bytes
        for place in rng.integers(0, len(data), 1 + len(data) // 2000):
            if texts < 0 or not texts <= place < texts + 4096:
                data[place] = rng.integers(0, 256)
        file.write_bytes(data)
    for finding in check(directory, *SonataImporter.consumers):
        assert finding.level in ("error", "warning")
        assert "\n" not in finding.message
