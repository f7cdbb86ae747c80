"""What the SONATA exporter writes, looked at with h5py alone."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange import InterchangeError, NetworkInstance, build, export, open_model, realize
from mc_interchange.exporters.sonata import SonataOptions, indices
from mc_interchange.instance import ArrayEdges, EdgeBlock
from mc_interchange.network import Network


@pytest.fixture(scope="module")
def instance(small_network: Network) -> NetworkInstance:
    return realize(small_network, 5)


@pytest.fixture(scope="module")
def directory(instance: NetworkInstance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(instance, "sonata", tmp_path_factory.mktemp("sonata") / "small").path


def listed(weight: np.ndarray, delay: np.ndarray | None = None, order: np.ndarray | None = None) -> EdgeBlock:
    n = len(weight)
    rng = np.random.default_rng(1)
    return EdgeBlock(
        rng.integers(0, 40, n).astype(np.uint32),
        rng.integers(0, 10, n).astype(np.uint32) if order is None else order.astype(np.uint32),
        weight,
        np.full(n, 15, np.int32) if delay is None else delay.astype(np.int32),
    )


def with_edges(instance: NetworkInstance, block: EdgeBlock) -> NetworkInstance:
    return replace(instance, projections={"E_to_I": ArrayEdges("E_to_I", "E", "I", block)})


def test_every_edge_file_has_what_the_specification_asks_for(directory: Path, instance: NetworkInstance) -> None:
    for edges in instance.projections.values():
        with h5py.File(directory / f"network/{edges.name}_edges.h5") as file:
            assert file.attrs["magic"] == 0x0A7A
            assert list(file["edges"]) == [edges.name]
            group = file["edges"][edges.name]
            assert group["source_node_id"].attrs["node_population"] == edges.source
            assert group["target_node_id"].attrs["node_population"] == edges.target
            assert np.array_equal(group["edge_group_index"][:], np.arange(edges.n_edges))
            assert not group["edge_group_id"][:].any()
            assert len(set(group["edge_type_id"][:])) == 1
            assert group["0/dynamics_params/delay"] == group["0/delay"]
            assert not any(dataset.compression for dataset in (group["0/delay"], group["source_node_id"]))


def test_constant_columns_take_no_space(directory: Path) -> None:
    with h5py.File(directory / "network/E_to_I_edges.h5") as file:
        group = file["edges/E_to_I"]
        assert group["edge_type_id"].id.get_storage_size() == 0
        assert group["edge_group_id"].id.get_storage_size() == 0


def test_type_tables_are_separated_by_single_spaces_and_ids_are_unique(directory: Path) -> None:
    ids = []
    for path in sorted(directory.glob("network/*_types.csv")):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=" "))
        assert len(rows) == 1
        assert None not in rows[0]
        ids.append(next(iter(rows[0].values())))
    assert len(ids) == len(set(ids)) == 6


def test_virtual_nodes_have_neither_template_nor_parameters(directory: Path) -> None:
    header = (directory / "network/TH_node_types.csv").read_text().splitlines()[0]
    assert header == "node_type_id population pop_name model_type"


def test_edge_files_are_listed_largest_first(directory: Path, instance: NetworkInstance) -> None:
    config = json.loads((directory / "circuit_config.json").read_text())
    names = [next(iter(entry["populations"])) for entry in config["networks"]["edges"]]
    sizes = [instance.projections[name].n_edges for name in names]
    assert sizes == sorted(sizes, reverse=True)
    assert "target_simulator" not in config
    assert json.loads((directory / "simulation_config.nest.json").read_text())["target_simulator"] == "NEST"


def test_initial_potentials_and_parameters(directory: Path, instance: NetworkInstance) -> None:
    with h5py.File(directory / "network/I_nodes.h5") as file:
        assert np.array_equal(file["nodes/I/0/dynamics_params/V_m"][:], instance.populations["I"].V_m)
    parameters = json.loads((directory / "components/point_neuron_models/I.json").read_text())
    assert parameters == instance.populations["I"].neuron.parameters


def test_delays_are_the_float32_nearest_to_the_decimal(instance: NetworkInstance, tmp_path: Path) -> None:
    delay = np.arange(1, 1001)
    path = export(with_edges(instance, listed(np.ones(1000, np.float32), delay)), "sonata", tmp_path / "out").path
    with h5py.File(path / "network/E_to_I_edges.h5") as file:
        written = file["edges/E_to_I/0/delay"][:]
    assert np.array_equal(written, np.array([float(f"{k / 10:.1f}") for k in delay], np.float32))


def test_weights_that_are_not_exact_in_float32_keep_float64(instance: NetworkInstance, tmp_path: Path) -> None:
    weight = np.array([0.1, 1 / 3, 87.8])
    path = export(with_edges(instance, listed(weight)), "sonata", tmp_path / "out").path
    with h5py.File(path / "network/E_to_I_edges.h5") as file:
        assert file["edges/E_to_I/0/syn_weight"].dtype == np.float64
        assert np.array_equal(file["edges/E_to_I/0/syn_weight"][:], weight)


def test_drawn_weights_are_float32(directory: Path) -> None:
    with h5py.File(directory / "network/I_to_E_edges.h5") as file:
        assert file["edges/I_to_E/0/syn_weight"].dtype == np.float32


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("per_pass", [1, 37, 10_000])
def test_indices_lead_from_every_node_to_its_edges(
    instance: NetworkInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: bool, per_pass: int
) -> None:
    monkeypatch.setattr(indices, "PASS_EDGES", per_pass)
    monkeypatch.setattr(indices, "_READ", 61)
    target = np.random.default_rng(2).integers(0, 10, 500)
    target[target == 4] = 5  # a node without edges
    block = listed(np.ones(500, np.float32), order=np.sort(target) if sort else target)
    path = export(with_edges(instance, block), "sonata", tmp_path / "out").path
    with h5py.File(path / "network/E_to_I_edges.h5") as file:
        group = file["edges/E_to_I"]
        for kind, ids, size in (("source_to_target", block.source, 40), ("target_to_source", block.target, 10)):
            index = group[f"indices/{kind}"]
            assert index["node_id_to_ranges"] == index["node_id_to_range"]
            ranges = index["range_to_edge_id"][:]
            assert len(index["node_id_to_ranges"]) == size
            for node, (first, last) in enumerate(index["node_id_to_ranges"][:]):
                found = [edge for start, end in ranges[first:last] for edge in range(start, end)]
                assert found == np.flatnonzero(ids == node).tolist()
    assert (len(ranges) == 9) == sort


def test_index_option(instance: NetworkInstance, tmp_path: Path) -> None:
    for index, expected in (("none", []), ("target", ["target_to_source"])):
        path = export(instance, "sonata", tmp_path / index, SonataOptions(index=index)).path
        with h5py.File(path / "network/E_to_I_edges.h5") as file:
            assert list(file["edges/E_to_I"].get("indices", [])) == expected


def test_the_same_call_writes_the_same_bytes_with_any_number_of_workers(
    instance: NetworkInstance, directory: Path, tmp_path: Path
) -> None:
    again = export(instance, "sonata", tmp_path / "again", workers=5).path
    files = sorted(p.relative_to(directory) for p in directory.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    for name in files:
        assert (
            hashlib.sha256((directory / name).read_bytes()).digest()
            == hashlib.sha256((again / name).read_bytes()).digest()
        ), name


def test_what_sonata_cannot_say_is_reported(instance: NetworkInstance, directory: Path, tmp_path: Path) -> None:
    report = json.loads((directory / "export_report.json").read_text())
    assert [(loss["what"], loss["how"]) for loss in report["losses"]] == [
        ("Poisson input background onto E", "beside"),
        ("Poisson activity of TH", "beside"),
    ]
    without_rules = export(replace(instance, network=None), "sonata", tmp_path / "out")
    assert {loss.how for loss in without_rules.losses} == {"dropped"}
    with pytest.raises(InterchangeError, match="sonata cannot hold Poisson input background onto E"):
        export(instance, "sonata", tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists()


def test_pd14_with_direct_current_is_exact(tmp_path: Path) -> None:
    network = build("pd14", n_scale=0.01, k_scale=0.5, background="dc", discard=0.0)
    assert export(realize(network), "sonata", tmp_path / "out", strict=True).losses == ()


def test_estimated_size_is_close(instance: NetworkInstance, tmp_path: Path) -> None:
    from mc_interchange.exporters.sonata import SonataExporter

    network = realize(build("pd14", scale=0.05))
    for index in ("both", "target", "none"):
        options = SonataOptions(index=index)
        path = export(network, "sonata", tmp_path / index, options).path
        size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
        assert 0.8 < SonataExporter().estimate(network, options) / size < 1.4


def test_no_path_host_or_time_in_any_file(directory: Path) -> None:
    import socket

    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(directory).encode() not in content
            assert socket.gethostname().encode() not in content or len(socket.gethostname()) < 6


def test_round_trip_gives_the_same_digest(instance: NetworkInstance, directory: Path) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    imported = open_model(directory)
    assert imported.digest() == instance.digest()
    assert imported.digest().all == manifest["digest"]["all"]
    assert imported.network == instance.network
