"""Nodes and edges in layouts that the specification allows: groups, types, and values in either file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from handmade import EDGES, NODE_TYPES, NODES, write

from mc_interchange import open_model
from mc_interchange.errors import FormatError
from mc_interchange.importers.sonata import SonataWarning
from mc_interchange.instance import MixedNeurons
from mc_interchange.network import ForeignModel

quiet = pytest.mark.filterwarnings("ignore::mc_interchange.importers.sonata.SonataWarning")


def columns(directory: Path, projection: str = "p_to_p") -> tuple[list[float], list[int]]:
    """Return weights, and delays in steps."""
    blocks = list(open_model(directory).projections[projection].blocks())
    return (
        np.concatenate([b.weight for b in blocks]).tolist(),
        np.concatenate([b.delay for b in blocks]).tolist(),
    )


def test_types_that_differ_in_numbers(tmp_path: Path) -> None:
    nodes = open_model(write(tmp_path / "c")).populations["p"]
    assert nodes.varying["tau_m"].tolist() == [20, 20, 8, 20, 8, 8]
    assert nodes.V_m.tolist() == [-70, -70, -62, -70, -62, -62]


def test_nodes_in_any_order(tmp_path: Path) -> None:
    shuffled = {"node_type_id": [1, 2, 2, 1, 2, 1], "node_id": [3, 5, 2, 0, 4, 1]}
    nodes = open_model(write(tmp_path / "c", nodes=shuffled)).populations["p"]
    assert nodes.varying["tau_m"].tolist() == [20, 20, 8, 20, 8, 8]


def test_parameters_of_single_nodes_count_more(tmp_path: Path) -> None:
    grouped = NODES | {
        "node_group_id": [0, 0, 0, 1, 1, 1],
        "node_group_index": [2, 1, 0, 0, 1, 2],
        "0/dynamics_params/tau_m": [11.0, 12.0, 13.0],
        "0/dynamics_params/V_m": [-1.0, -2.0, -3.0],
        "1/x": [0.0, 1.0, 2.0],
    }
    nodes = open_model(write(tmp_path / "c", nodes=grouped)).populations["p"]
    assert nodes.varying["tau_m"].tolist() == [13, 12, 11, 20, 8, 8]
    assert nodes.V_m.tolist() == [-3, -2, -1, -70, -62, -62]
    assert not nodes.mixed
    assert nodes.positions is None  # half of them are not known


def test_lists_of_single_nodes(tmp_path: Path) -> None:
    types = NODE_TYPES.replace("iaf_psc_exp", "glif_psc").replace("exc.json", "NULL").replace("inh.json", "NULL")
    tau = [[2.0, 4.0]] * 3 + [[2.0, 5.0]] * 3
    given = NODES | {"0/dynamics_params/tau_syn": tau, "0/dynamics_params/g": [9.0, 9.1, 9.2, 9.3, 9.4, 9.5]}
    nodes = open_model(write(tmp_path / "c", nodes=given, node_types=types)).populations["p"]
    assert isinstance(nodes.neuron, MixedNeurons)
    assert [nodes.models[i].parameters["tau_syn"] for i in nodes.neuron.which] == [tuple(t) for t in tau]
    assert nodes.varying["g"].tolist() == [9.0, 9.1, 9.2, 9.3, 9.4, 9.5]


def test_a_model_that_only_nest_knows(tmp_path: Path) -> None:
    types = NODE_TYPES.replace("nest:iaf_psc_exp exc.json", "nest:hh_cond_exp_traub NULL").replace(
        "iaf_psc_exp", "gif_psc_exp"
    )
    given = NODES | {"0/dynamics_params/I_e": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    nodes = open_model(write(tmp_path / "c", nodes=given, node_types=types)).populations["p"]
    assert {(m.name, m.parameters.get("tau_m")) for m in nodes.models if isinstance(m, ForeignModel)} == {
        ("hh_cond_exp_traub", None),
        ("gif_psc_exp", 8.0),
    }
    assert nodes.varying["I_e"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.isnan(nodes.V_m).tolist() == [True, True, False, True, False, False]


def test_everything_in_the_hdf5_file(tmp_path: Path) -> None:
    given = NODES | {
        "0/model_type": ["point_neuron"] * 6,
        "0/@library/model_template": np.array(["nest:iaf_psc_exp", "nest:iaf_psc_alpha"], "S"),
        "0/model_template": [0, 0, 1, 1, 0, 0],
    }
    nodes = open_model(write(tmp_path / "c", nodes=given, node_types=None)).populations["p"]
    assert [nodes.models[i].model for i in nodes.neuron.which] == ["iaf_psc_exp"] * 2 + ["iaf_psc_alpha"] * 2 + [
        "iaf_psc_exp"
    ] * 2


def test_parameters_inline(tmp_path: Path) -> None:
    types = NODE_TYPES.replace("exc.json", '"{""tau_m"": 17.0}"')
    nodes = open_model(write(tmp_path / "c", node_types=types)).populations["p"]
    assert nodes.varying["tau_m"].tolist() == [17, 17, 8, 17, 8, 8]


def test_edges_of_several_groups_and_types(tmp_path: Path) -> None:
    edges = EDGES | {
        "edge_type_id": [7, 8, 7, 8],
        "edge_group_id": [0, 1, 0, 1],
        "edge_group_index": [0, 1, 1, 0],
        "1/syn_weight": [30.0, 20.0],
        "1/delay": [3.0, 2.0],
        "0/nsyns": [2, 3],
    }
    assert columns(write(tmp_path / "c", edges=edges)) == ([20, 20, 30, 30], [15, 20, 15, 30])


def test_columns_count_more_than_types(tmp_path: Path) -> None:
    edges = EDGES | {"edge_group_index": [3, 2, 1, 0], "0/syn_weight": [1.0, 2.0, 3.0, 4.0]}
    assert columns(write(tmp_path / "c", edges=edges)) == ([4, 3, 2, 1], [15] * 4)
    assert open_model(tmp_path / "c").projections["p_to_p"].weight_dtype == np.float64


@quiet
def test_weights_that_float32_holds(tmp_path: Path) -> None:
    edges = EDGES | {"edge_type_id": [7, 8, 7, 8], "0/syn_weight": np.ones(4, np.float32)}
    assert open_model(write(tmp_path / "a", edges=edges)).projections["p_to_p"].weight_dtype == np.float32
    assert open_model(write(tmp_path / "b")).projections["p_to_p"].weight_dtype == np.float32
    edges["0/nsyns"] = [1, 2, 3, 4]
    assert open_model(write(tmp_path / "c", edges=edges)).projections["p_to_p"].weight_dtype == np.float64


def test_weights_and_delays_that_stand_elsewhere(tmp_path: Path) -> None:
    edges = EDGES | {"edge_type_id": [8] * 4, "0/syn_weight": np.ones(4)}
    with pytest.warns(SonataWarning, match=r"edges of p_to_p \(type 8\) have no delay; 1 ms is taken"):
        assert columns(write(tmp_path / "a", edges=edges))[1] == [10] * 4
    types = "edge_type_id model_template dynamics_params\n8 static_synapse late.json\n"
    late = {"synapses/late.json": {"delay": 2.5, "weight": 3.0}}
    assert columns(write(tmp_path / "b", edges=edges, edge_types=types, files=late)) == ([1] * 4, [25] * 4)
    del edges["0/syn_weight"]
    assert columns(write(tmp_path / "b", edges=edges, edge_types=types, files=late)) == ([3] * 4, [25] * 4)
    edges["0/dynamics_params/delay"] = [1.0, 1.1, 1.2, 1.3]
    assert columns(write(tmp_path / "c", edges=edges, edge_types=types, files=late))[1] == [10, 11, 12, 13]


def test_rows_far_apart_are_gathered_part_by_part(tmp_path: Path) -> None:
    n = 2**21 + 5
    edges = EDGES | {"edge_group_index": [0, n - 1, 2**20, 2**20 - 1], "0/syn_weight": np.arange(n, dtype=float)}
    assert columns(write(tmp_path / "c", edges=edges))[0] == [0, n - 1, 2**20, 2**20 - 1]


@pytest.mark.parametrize("n_kinds", [1, 2])
def test_memory_does_not_grow_with_the_edges(tmp_path: Path, n_kinds: int) -> None:
    n = 3_000_000
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, n, dtype=np.uint16)
    index = np.where(groups == 1, np.cumsum(groups == 1) - 1, np.cumsum(groups == 0) - 1)
    edges = {
        "source_node_id": rng.integers(0, 6, n, dtype=np.uint64),
        "target_node_id": rng.integers(0, 6, n, dtype=np.uint64),
        "edge_type_id": rng.integers(7, 9, n, dtype=np.uint32),
        "edge_group_id": groups,
        "edge_group_index": index,
        "0/syn_weight": np.full(int((groups == 0).sum()), 2.0),
        "0/delay": np.full(int((groups == 0).sum()), 2.0),
        "1/nsyns": np.full(int((groups == 1).sum()), 3, np.uint32),
    }
    second = "NULL" if n_kinds == 1 else "other.json"
    types = "edge_type_id model_template dynamics_params syn_weight delay\n"
    types += f"7 static_synapse NULL 1.0 1.0\n8 static_synapse {second} 1.0 3.0\n"
    directory = write(
        tmp_path / "c", edges=edges, edge_types=types, files={"synapses/other.json": {"receptor_type": 1}}
    )
    del edges, groups, index
    tracemalloc.start()
    counted = total = 0
    for projection in open_model(directory).projections.values():
        for block in projection.blocks(2**16):
            counted += len(block)
            total += float(block.weight.sum())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == n
    assert 2.4 < total / n < 2.6
    assert peak < 20e6  # a column alone has 24 MB


SYNAPSES = """edge_type_id model_template dynamics_params syn_weight delay weight_function
7 static_synapse x.json 1.0 1.0 NULL
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node_types": NODE_TYPES.replace("nest:", "nml:")}, "has the model 'nml:iaf_psc_exp'; supported are NEST's"),
        ({"node_types": NODE_TYPES.replace("2 point_neuron", "2 virtual")}, "has virtual nodes and neurons"),
        ({"node_types": NODE_TYPES.replace("point_neuron", "biophysical")}, "nodes of the model type 'biophysical'"),
        (
            {"node_types": NODE_TYPES.replace("layer", "model_processing")},
            "has the model_processing 'L4', a Python function",
        ),
        ({"node_types": NODE_TYPES.replace("\n2", "\n3")}, "the node type 2 of population p is not listed"),
        ({"node_types": NODE_TYPES.replace("\n2", "\n1")}, "the node type 1 is defined twice"),
        ({"node_types": NODE_TYPES.replace("exc.json", "../../x.json")}, "must be a file name in"),
        ({"node_types": NODE_TYPES.replace("exc.json", "x\0.json")}, "must be a file name in"),
        ({"node_types": NODE_TYPES.replace("exc.json", "{1}")}, "dynamics_params '{1}' is not valid JSON"),
        ({"nodes": NODES | {"0/dynamics_params/tau_m": [1.0, np.inf] * 3}}, "tau_m must hold 6 finite numbers"),
        ({"nodes": {"node_type_id": np.array([], int)}}, "/nodes/p has no nodes"),
        ({"nodes": {"node_type_id": 1}}, "/nodes/p/node_type_id must be a list of whole numbers"),
        ({"nodes": NODES | {"0/dynamics_params/tau_m": 1.0}}, "tau_m must be a list, its shape is ()"),
        ({"files": {"cells/exc.json": {"V_m": 10**400}}}, "population p: V_m: must be a finite number in mV"),
        ({"edges": EDGES | {"edge_type_id": [7, 7, 7, 9]}}, "the edge type 9 of edge population p_to_p is not listed"),
        ({"edges": EDGES | {"edge_type_id": [8] * 4}}, "edges of p_to_p (type 8) have no syn_weight"),
        (
            {"edges": EDGES | {"edge_group_id": [0, 1, 0, 1], "0/nsyns": [1] * 4, "1/nsyns": [1] * 4}},
            "edge_group_index is missing, and there are several groups",
        ),
        ({"edges": EDGES | {"0/syn_weight": [1.0] * 3}}, "/edges/p_to_p/0 has 3 rows for 4 edges"),
        (
            {"edge_types": SYNAPSES.replace("1.0 NULL", "1.0 gaussian"), "files": {"synapses/x.json": {}}},
            "type 7 has the weight_function 'gaussian', a Python function",
        ),
        ({"edge_types": SYNAPSES, "files": {"synapses/x.json": {"a": [1, 2]}}}, "the synapse parameter a must be a"),
        (
            {"edge_types": SYNAPSES, "files": {"synapses/x.json": {"receptor_type": 1.5}}},
            "receptor_type must be a whole number, got 1.5",
        ),
        (
            {"edge_types": SYNAPSES.replace("1.0 1.0", "heavy 1.0").replace("x.json", "NULL")},
            "syn_weight must be a fin",
        ),
    ],
)
def test_refusals(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    directory = write(tmp_path / "c", **change)
    with pytest.raises(FormatError) as caught:
        columns(directory)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(directory))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("index", [0, 10**11])
def test_columns_that_claim_too_much_are_read_as_far_as_needed(tmp_path: Path, index: int) -> None:
    rows = [0, 1, 2, 3, 4, 5 + index]
    directory = write(tmp_path / "c", nodes=NODES | {"node_group_index": rows})
    with h5py.File(directory / "nodes.h5", "r+") as file:
        file.create_dataset("nodes/p/0/dynamics_params/I_e", (10**12,), float, chunks=(2**10,), fillvalue=7.0)
    assert open_model(directory).populations["p"].varying["I_e"].tolist() == [7] * 6


def test_rows_that_claim_too_much(tmp_path: Path) -> None:
    directory = write(tmp_path / "c")
    with h5py.File(directory / "nodes.h5", "r+") as file:
        file.create_dataset("nodes/p/0/dynamics_params/tau_syn", (6, 10**10), float, chunks=(1, 2**10))
    with pytest.raises(FormatError, match=r"tau_syn must be a list, its shape is \(6, 10000000000\)"):
        open_model(directory)


@pytest.mark.parametrize("size", [10**8, 2**33])
def test_nodes_that_a_file_only_claims(tmp_path: Path, size: int) -> None:
    directory = write(tmp_path / "c")
    with h5py.File(directory / "nodes.h5", "w") as file:
        file.create_dataset("nodes/p/node_type_id", (size,), np.uint32, chunks=(2**20,), fillvalue=1)
    with pytest.raises(FormatError, match=f"/nodes/p claims {size} nodes; the file does not hold them"):
        open_model(directory)
