"""What the SONATA exporter writes, looked at with h5py alone."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange import InterchangeError, NetworkInstance, build, export, open_model, realize
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.sonata import SonataExporter, SonataOptions, indices
from mc_interchange.formats.hdf5 import delays_in_ms, new_hdf5
from mc_interchange.instance import ArrayEdges, EdgeBlock, Nodes
from mc_interchange.instance.edges import Piece
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
            row = (directory / f"network/{edges.name}_edge_types.csv").read_text().splitlines()[1]
            assert set(group["edge_type_id"][:]) == {int(row.split()[0])}
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


def test_every_projection_has_its_own_edge_type(directory: Path, instance: NetworkInstance) -> None:
    ids = set()
    for name in instance.projections:
        with h5py.File(directory / f"network/{name}_edges.h5") as file:
            ids |= set(file[f"edges/{name}/edge_type_id"][:].tolist())
    assert len(ids) == len(instance.projections) == 3


def test_edge_files_are_listed_largest_first(instance: NetworkInstance, tmp_path: Path) -> None:
    # neither the order of the names nor that of the projections
    sizes = {"b": 20, "a": 10, "e": 30, "d": 40, "c": 30}
    edges = {name: ArrayEdges(name, "E", "I", listed(np.ones(n, np.float32))) for name, n in sizes.items()}
    path = export(replace(instance, projections=edges), "sonata", tmp_path / "out").path
    for variant in ("", ".pynn"):
        config = json.loads((path / f"circuit_config{variant}.json").read_text())
        assert [next(iter(entry["populations"])) for entry in config["networks"]["edges"]] == ["d", "c", "e", "b", "a"]


def test_the_simulator_is_named_for_nest_only(directory: Path) -> None:
    config = json.loads((directory / "circuit_config.json").read_text())
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


@pytest.mark.parametrize("dt_us", [1, 3, 7, 10, 90, 100, 125, 999, 1000])
def test_delays_of_every_resolution_are_nearest_to_the_decimal(
    instance: NetworkInstance, tmp_path: Path, dt_us: int
) -> None:
    simulation = instance.simulation.model_copy(update={"dt": dt_us / 1000})
    delay = np.unique(np.linspace(1, 16_000_000 // dt_us, 5000).astype(np.int64))
    for name, steps in (("long", delay), ("short", np.arange(1, 5000))):
        block = listed(np.ones(len(steps), np.float32), steps)
        path = export(with_edges(replace(instance, simulation=simulation), block), "sonata", tmp_path / name).path
        with h5py.File(path / "network/E_to_I_edges.h5") as file:
            written = file["edges/E_to_I/0/delay"][:]
        assert np.array_equal(
            written, np.array([f"{k * dt_us // 1000}.{k * dt_us % 1000:03}" for k in steps], np.float32)
        )


@pytest.mark.parametrize("n", [3, 17_000_000])
def test_delays_that_float32_cannot_hold_are_refused(n: int) -> None:
    """Also in a block with more edges than steps, where delays are looked up in a table."""
    delay = np.ones(n, np.int32)
    delay[1] = 16_384_000
    assert delays_in_ms(delay, 0.001, "E_to_I: SONATA's")[:2].tolist() == [np.float32(0.001), 16384.0]
    delay[1] += 1
    with pytest.raises(
        NotRepresentableError, match=r"E_to_I: SONATA's float32 .* up to 16384.001 ms in steps of 0.001"
    ):
        delays_in_ms(delay, 0.001, "E_to_I: SONATA's")


def test_an_export_whose_delays_would_lose_steps_leaves_nothing(instance: NetworkInstance, tmp_path: Path) -> None:
    simulation = instance.simulation.model_copy(update={"dt": 0.001})
    block = listed(np.ones(2, np.float32), np.array([5, 2**25 + 1]))
    with pytest.raises(NotRepresentableError, match="E_to_I"):
        export(with_edges(replace(instance, simulation=simulation), block), "sonata", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


class WrongNumber(ArrayEdges):
    """Edges that announce another number than come."""

    def __init__(self, block: EdgeBlock, announced: int) -> None:
        super().__init__("E_to_I", "E", "I", block)
        self.n_edges = announced

    def pieces(self, max_edges: int = 2**20) -> Iterator[Piece]:
        yield lambda: self._block


@pytest.mark.parametrize("announced", [49, 51])
@pytest.mark.parametrize("index", ["none", "both"])
def test_another_number_of_edges_than_announced(
    instance: NetworkInstance, tmp_path: Path, announced: int, index: str
) -> None:
    edges = WrongNumber(listed(np.ones(50, np.float32)), announced)
    wrong = replace(instance, projections={"E_to_I": edges})
    with pytest.raises(RuntimeError, match=rf"{announced} (edges were )?announced"):
        export(wrong, "sonata", tmp_path / "out", SonataOptions(index=index))
    assert list(tmp_path.iterdir()) == []


def test_populations_above_65536_nodes_are_indexed(instance: NetworkInstance, tmp_path: Path) -> None:
    size = 2**16 + 10
    old = instance.populations["E"]
    populations = {**instance.populations, "E": Nodes("E", size, neuron=old.neuron, V_m=np.zeros(size))}
    source = np.array([2**16 + 3, 4, 3, 2**16 + 4, 3], np.uint32)
    block = EdgeBlock(source, np.arange(5, dtype=np.uint32), np.ones(5, np.float32), np.full(5, 15, np.int32))
    path = export(
        replace(with_edges(instance, block), network=None, populations=populations), "sonata", tmp_path / "out"
    ).path
    with h5py.File(path / "network/E_to_I_edges.h5") as file:
        index = file["edges/E_to_I/indices/source_to_target"]
        assert index["range_to_edge_id"][:, 0].tolist() == [2, 4, 1, 0, 3]
        assert index["node_id_to_ranges"][2**16 + 3].tolist() == [3, 4]


def test_a_file_is_never_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with new_hdf5(path) as file:
        file.hdf5["x"] = 1
    before = path.read_bytes()
    with pytest.raises(FileExistsError), new_hdf5(path) as file:
        file.hdf5["x"] = 2
    assert path.read_bytes() == before


def test_a_stream_that_is_not_full_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with pytest.raises(RuntimeError, match="/x: 10 values were announced, 9 came"), new_hdf5(path) as file:
        file.streamed(file.hdf5, "x", (10,), np.uint32).append(np.arange(9))
    assert not path.exists()
    with pytest.raises(RuntimeError, match="/x: more values than the 10 announced"), new_hdf5(path) as file:
        file.streamed(file.hdf5, "x", (10,), np.uint32).append(np.arange(11))
    assert not path.exists()


def test_a_short_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_hdf5(tmp_path / "a.h5") as file:
        stream = file.streamed(file.hdf5, "x", (10,), np.uint32)
        stream.append(np.arange(10))
        assert stream[3:5].tolist() == [3, 4]
        real = os.pread
        monkeypatch.setattr(os, "pread", lambda fd, n, offset: real(fd, n - 4, offset))
        with pytest.raises(OSError, match="/x: 8 bytes were expected, 4 came"):
            stream[3:5]


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
@pytest.mark.parametrize("per_bucket", [1, 37, 10_000])
def test_indices_lead_from_every_node_to_its_edges(
    instance: NetworkInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: bool, per_bucket: int
) -> None:
    monkeypatch.setattr(indices, "BUCKET_EDGES", per_bucket)
    monkeypatch.setattr(indices, "READ_EDGES", 61)
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
    assert [loss.what for loss in without_rules.losses] == [loss["what"] for loss in report["losses"]]
    assert all("experiment.yaml" in loss.detail for loss in without_rules.losses)
    simulation = instance.simulation.model_copy(update={"record_spikes": ("E",), "threads": 3})
    chosen = replace(instance, simulation=simulation)
    assert [loss.what for loss in SonataExporter().losses(chosen, SonataOptions())] == [
        loss["what"] for loss in report["losses"]
    ]
    with pytest.raises(InterchangeError, match="sonata cannot hold Poisson input background onto E"):
        export(instance, "sonata", tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists()


def test_pd14_with_direct_current_is_exact(tmp_path: Path) -> None:
    network = build("pd14", n_scale=0.01, k_scale=0.5, background="dc", discard=0.0)
    assert export(realize(network), "sonata", tmp_path / "out", strict=True).losses == ()


def test_estimated_size_is_close(instance: NetworkInstance, tmp_path: Path) -> None:
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
