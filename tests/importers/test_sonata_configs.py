"""Configs: where they are, what they declare, and names that change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import CLAMP, EDGES, NODE_TYPES, write

from mc_interchange import open_model
from mc_interchange.errors import FormatError
from mc_interchange.importers.names import our_names
from mc_interchange.importers.sonata import SonataWarning
from mc_interchange.importers.sonata.config import Config

quiet = pytest.mark.filterwarnings("ignore::mc_interchange.importers.sonata.SonataWarning")


def declare(directory: Path, kind: str, **entry: Any) -> Path:
    """Add something to each entry of the node or edge files."""
    config = directory / "circuit_config.json"
    circuit = json.loads(config.read_text())
    circuit["networks"][kind][0] |= entry
    config.write_text(json.dumps(circuit))
    return directory


def test_types_that_the_config_declares(tmp_path: Path) -> None:
    untyped = NODE_TYPES.replace("model_type", "kind")
    directory = write(tmp_path / "c", node_types=untyped, edges={name: np.array([], np.uint64) for name in EDGES})
    assert not open_model(directory).populations["p"].virtual
    declare(directory, "nodes", populations={"p": {"type": "virtual"}})
    with pytest.warns(SonataWarning, match="no spikes are given for the virtual population p"):
        assert open_model(directory).populations["p"].virtual


def test_gap_junctions_are_refused(tmp_path: Path) -> None:
    directory = declare(write(tmp_path / "c"), "edges", populations={"p_to_p": {"type": "electrical"}})
    with pytest.raises(FormatError, match="edge population p_to_p is not chemical; only chemical synapses"):
        open_model(directory)
    types = "edge_type_id model_template syn_weight is_gap_junction\n7 static_synapse 1.0 True\n"
    with pytest.raises(FormatError, match="edge population p_to_p, type 7 has gap junctions"):
        open_model(write(tmp_path / "c", edge_types=types))


def test_edges_onto_virtual_nodes_are_refused(tmp_path: Path) -> None:
    directory = write(tmp_path / "c", node_types="node_type_id model_type\n1 virtual\n2 virtual\n")
    message = r"circuit_config.json: projection p_to_p: its target p is virtual"
    with pytest.warns(SonataWarning, match="no spikes"), pytest.raises(FormatError, match=message):
        open_model(directory)


def as_is(directory: Path) -> Path:
    return directory


def two_names(directory: Path) -> Path:
    (directory / "circuit_config.json").rename(directory / "my_circuit_config_v2.json")
    (directory / "simulation_config.json").rename(directory / "my.simulation.config.json")
    return directory


def one_file(directory: Path) -> Path:
    merged = {
        key: value
        for name in ("simulation", "circuit")
        for key, value in json.loads((directory / f"{name}_config.json").read_text()).items()
        if key != "network"
    }
    for name in ("simulation", "circuit"):
        (directory / f"{name}_config.json").unlink()
    (directory / "config.json").write_text(json.dumps(merged))
    return directory / "config.json"


def one_that_names_two(directory: Path) -> Path:
    names = {"network": "$HERE/circuit_config.json", "simulation": "simulation_config.json"}
    (directory / "all.json").write_text(json.dumps({"manifest": {"$HERE": "."}, **names}))
    return directory / "all.json"


def circuit_below(directory: Path) -> Path:
    """Move the circuit into a directory below; it refers to cells that are not there."""
    (directory / "circuit").mkdir()
    for name in ("circuit_config.json", "nodes.h5", "edges.h5", "node_types.csv", "edge_types.csv"):
        shutil.move(directory / name, directory / "circuit" / name)
    config = directory / "circuit/circuit_config.json"
    circuit = json.loads(config.read_text())
    circuit["components"]["point_neuron_models_dir"] = f"{directory.resolve()}/cells"
    config.write_text(json.dumps(circuit))
    simulation = directory / "simulation_config.json"
    simulation.write_text(json.dumps(json.loads(simulation.read_text()) | {"network": "circuit/circuit_config.json"}))
    return simulation


def variables_in_variables(directory: Path) -> Path:
    config = directory / "circuit_config.json"
    circuit = json.loads(config.read_text())
    circuit["manifest"] = {"$HERE": "${configdir}", "$CELLS": "$HERE/$NAME", "NAME": "cells"}
    circuit["components"]["point_neuron_models_dir"] = "${CELLS}"
    config.write_text(json.dumps(circuit))
    return directory


def components_beside(directory: Path) -> Path:
    """Share the cells with other circuits, as public collections do."""
    shutil.move(directory / "cells", directory.parent / "shared")
    config = directory / "circuit_config.json"
    circuit = json.loads(config.read_text())
    circuit["components"]["point_neuron_models_dir"] = "../shared"
    config.write_text(json.dumps(circuit))
    return directory


def components_in_the_simulation_config(directory: Path) -> Path:
    circuit, simulation = (directory / f"{name}_config.json" for name in ("circuit", "simulation"))
    content = json.loads(circuit.read_text())
    moved = {"components": content.pop("components")}
    circuit.write_text(json.dumps(content))
    simulation.write_text(json.dumps(json.loads(simulation.read_text()) | moved))
    return directory


@pytest.mark.parametrize(
    "arrange",
    [
        as_is,
        two_names,
        one_file,
        one_that_names_two,
        circuit_below,
        variables_in_variables,
        components_beside,
        components_in_the_simulation_config,
    ],
)
def test_ways_to_arrange_configs(tmp_path: Path, arrange: Callable[[Path], Path]) -> None:
    run = {"run": {"tstop": 50, "dt": 0.05, "duration": 40}, "inputs": {"clamp": CLAMP}}
    directory = write(tmp_path / "c", run=run)
    instance = open_model(arrange(directory))
    assert (instance.simulation.dt, instance.simulation.duration) == (0.05, 40)
    assert instance.populations["p"].varying["tau_m"].tolist() == [20, 20, 8, 20, 8, 8]
    assert [current.name for current in instance.inputs] == ["clamp"]


def test_several_simulation_configs_need_a_choice(tmp_path: Path) -> None:
    directory = write(tmp_path / "c", run={"run": {"tstop": 50}})
    shutil.move(directory / "simulation_config.json", directory / "a.simulation.config.json")
    shutil.copy(directory / "a.simulation.config.json", directory / "b.simulation.config.json")
    with pytest.raises(FormatError, match=r"several simulation configs \(a\.simulation\.config\.json, b\."):
        open_model(directory)
    assert open_model(directory / "b.simulation.config.json").simulation.duration == 50


def test_paths_beside_the_circuit_are_for_what_circuits_share(tmp_path: Path) -> None:
    config = Config(write(tmp_path / "c") / "circuit_config.json")
    assert config.resolve("../shared", beside=True) == tmp_path / "shared"
    for text, beside in (("../nodes.h5", False), ("../../x", True), (f"{tmp_path}/shared", True), ("/etc/x", False)):
        with pytest.raises(FormatError, match="leaves the directory of the circuit"):
            config.resolve(text, beside=beside)


def test_directories_of_others_are_not_taken_for_circuits(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"name": "something else"}')
    with pytest.raises(FormatError, match="not recognised by any importer"):
        open_model(tmp_path)
    (tmp_path / "simulation_config.json").write_text("{")
    with pytest.raises(FormatError, match=r"simulation_config\.json: not valid JSON"):
        open_model(tmp_path)
    (tmp_path / "simulation_config.json").write_text('{"network": "circuit\\u0000.json"}')
    with pytest.raises(FormatError, match="is not a path"):
        open_model(tmp_path)
    config = write(tmp_path / "c") / "simulation_config.pynn.json"
    config.write_text('{"network": "circuit_config.json"}')
    with pytest.raises(FormatError, match=r"is for another tool only; open simulation_config\.json beside it"):
        open_model(config)


def test_populations_of_one_name_in_two_files(tmp_path: Path) -> None:
    directory = write(tmp_path / "c")
    shutil.copy(directory / "edges.h5", directory / "more.h5")
    config = directory / "circuit_config.json"
    circuit = json.loads(config.read_text())
    circuit["networks"]["edges"].append({"edges_file": "more.h5", "edge_types_file": "edge_types.csv"})
    config.write_text(json.dumps(circuit))
    with pytest.warns(SonataWarning, match="projection names are made unique, .*: 'p_to_p' is p_to_p_2"):
        assert list(open_model(directory).projections) == ["p_to_p", "p_to_p_2"]


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        (["a", "b"], ["a", "b"]),
        (["a-b", "a_b", "a.b"], ["a_b_2", "a_b", "a_b_3"]),
        (["a", "a", "1a", ""], ["a", "a_2", "_1a", "_"]),
        (["x" * 70, "x" * 71, "é"], ["x" * 64, "x" * 58 + "_2", "_"]),
    ],
)
@quiet
def test_names(given: list[str], ours: list[str]) -> None:
    assert our_names(Path("c.json"), "population", given, SonataWarning) == ours


def test_parts_that_are_switched_off_or_missing(tmp_path: Path) -> None:
    directory = write(tmp_path / "c", run={"node_sets_file": "gone.json", "inputs": {"x": CLAMP | {"enabled": False}}})
    config = directory / "circuit_config.json"
    circuit = json.loads(config.read_text())
    circuit["networks"]["edges"][0]["enabled"] = False
    config.write_text(json.dumps(circuit))
    with pytest.warns(SonataWarning, match="node_sets_file gone.json does not exist"):
        instance = open_model(directory)
    assert (instance.n_edges, instance.inputs) == (0, ())
    del circuit["networks"]["edges"]
    config.write_text(json.dumps(circuit))
    (directory / "simulation_config.json").unlink()
    assert open_model(directory).n_edges == 0
