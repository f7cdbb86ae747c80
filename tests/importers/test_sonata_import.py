"""Reading SONATA back: what is taken from where, and damaged files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange import InterchangeError, NetworkInstance, build, export, open_model, realize
from mc_interchange.errors import FormatError
from mc_interchange.importers.sonata import SonataWarning
from mc_interchange.network import Network, SpikeTrains, parse_network


@pytest.fixture(scope="module")
def original(small_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(realize(small_network, 5), "sonata", tmp_path_factory.mktemp("sonata") / "small").path


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "small"))


def change_json(path: Path, change: Callable[[dict], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def open_and_read(path: Path) -> NetworkInstance:
    instance = open_model(path)
    instance.digest()
    return instance


def test_everything_comes_back(original: Path, small_network: Network) -> None:
    instance = realize(small_network, 5)
    imported = open_model(original)
    assert imported.digest().differences(instance.digest()) == []
    assert imported.network == small_network
    assert imported.inputs == instance.inputs
    assert (imported.name, imported.seed) == ("small", 5)
    assert list(imported.populations) == list(instance.populations)
    assert {e.name: e.order for e in imported.projections.values()} == dict.fromkeys(instance.projections, "target")


def test_without_the_model_file_only_what_sonata_holds(directory: Path) -> None:
    (directory / "model.yaml").unlink()
    with pytest.warns(SonataWarning, match="no spikes are given for the virtual population TH"):
        imported = open_model(directory)
    assert imported.inputs == ()
    assert imported.network is None
    assert imported.simulation.dt == 0.1
    assert imported.simulation.duration == 100.0


def test_positions_colours_and_recordings_of_pd14(tmp_path: Path) -> None:
    instance = realize(build("pd14", scale=0.02))
    imported = open_model(export(instance, "sonata", tmp_path / "out").path)
    assert imported.simulation == instance.simulation
    for name, nodes in instance.populations.items():
        assert imported.populations[name].color == nodes.color
        assert np.array_equal(imported.populations[name].positions, nodes.positions)


def test_spike_trains_of_virtual_populations_come_from_the_file(tmp_path: Path, small_network: Network) -> None:
    data = small_network.model_dump()
    data["populations"][2]["activity"] = {"kind": "spike_trains", "times": [[1.0, 2.5], [], [3.0], [0.1], [50.0]]}
    network = Network.model_validate(data)
    path = export(realize(network, 5), "sonata", tmp_path / "out").path
    imported = open_model(path)
    assert imported.populations["TH"].activity == SpikeTrains(times=((1.0, 2.5), (), (3.0,), (0.1,), (50.0,)))
    assert imported.digest() == realize(network, 5).digest()


def test_spike_times_off_the_grid_are_reported(tmp_path: Path, small_network: Network) -> None:
    data = small_network.model_dump()
    data["populations"][2]["activity"] = {"kind": "spike_trains", "times": [[1.0, 2.5], [], [3.0], [0.1], [50.0]]}
    path = export(realize(Network.model_validate(data), 5), "sonata", tmp_path / "out").path
    (path / "model.yaml").unlink()
    with h5py.File(path / "inputs/TH_spikes.h5", "r+") as file:
        file["spikes/TH/timestamps"][1] = 1.04
    with pytest.warns(SonataWarning, match="1 of 5 spike times are not multiples of dt = 0.1 ms; they are rounded"):
        open_model(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("components/point_neuron_models/E.json", "tau_m", 11.0), "the neuron parameters of population E differ"),
        (("model.yaml", "size: 10", "size: 11"), "population I has 11 neurons, 10 in the circuit"),
        (("model.yaml", "- name: I\n", "- name: J\n"), "populations .* against"),
    ],
)
def test_a_conflict_is_reported_and_the_files_win(directory: Path, change: tuple, message: str) -> None:
    file, key, value = change
    if file.endswith(".json"):
        change_json(directory / file, lambda c: c.update({key: value}))
    else:
        text = (directory / file).read_text()
        assert key in text
        text = text.replace(key, value)
        if "J" in value:
            text = text.replace("target: I\n", "target: J\n").replace("source: I\n", "source: J\n")
            text = text.replace("E_to_I", "E_to_J")
        (directory / file).write_text(text)
    with pytest.warns(SonataWarning, match=message):
        imported = open_and_read(directory)
    assert imported.populations["I"].size == 10
    if file.endswith(".json"):
        assert imported.populations["E"].neuron.parameters["tau_m"] == 11.0


def damage_ids(file: h5py.File) -> None:
    file["edges/E_to_I/source_node_id"][7] = 40


def damage_weight(file: h5py.File) -> None:
    file["edges/E_to_I/0/syn_weight"][7] = np.nan


def damage_delay(file: h5py.File) -> None:
    file["edges/E_to_I/0/delay"][9] = 0.04


def remove_delay(file: h5py.File) -> None:
    del file["edges/E_to_I/0/delay"]


def shorten_delay(file: h5py.File) -> None:
    del file["edges/E_to_I/0/delay"]
    file["edges/E_to_I/0/delay"] = np.ones(5, np.float32)


def rename_population(file: h5py.File) -> None:
    file["edges/E_to_I/source_node_id"].attrs["node_population"] = "nobody"


def text_weights(file: h5py.File) -> None:
    del file["edges/E_to_I/0/syn_weight"]
    file["edges/E_to_I/0/syn_weight"] = ["heavy"] * 300


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_ids, "source_node_id of edges 0 to 300 is not below the population's size 40"),
        (damage_weight, "syn_weight of edge 7 is not a finite number"),
        (damage_delay, "delay of edge 9 is below half the resolution (0.1 ms)"),
        (remove_delay, "/edges/E_to_I/0/delay is missing"),
        (shorten_delay, "the datasets of /edges/E_to_I differ in length"),
        (rename_population, "attribute node_population is 'nobody', known: E, I, TH"),
        (text_weights, "/edges/E_to_I/0/syn_weight has the type object"),
    ],
)
def test_damaged_edges(directory: Path, damage: Callable[[h5py.File], None], message: str) -> None:
    path = directory / "network/E_to_I_edges.h5"
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(FormatError) as caught:
        open_and_read(directory)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def set_model_directory(config: dict) -> None:
    config["components"]["point_neuron_models_dir"] = "../elsewhere"


def leave_directory(config: dict) -> None:
    config["networks"]["nodes"][0]["nodes_file"] = "/etc/passwd"


def unknown_variable(config: dict) -> None:
    config["networks"]["edges"][0]["edges_file"] = "$NOWHERE/x.h5"


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("circuit_config.json", set_model_directory, "leaves the directory of the circuit"),
        ("circuit_config.json", leave_directory, "leaves the directory of the circuit"),
        ("circuit_config.json", unknown_variable, "has a variable that the manifest does not define"),
        ("circuit_config.json", lambda c: c.pop("networks"), "networks.nodes must be a list of objects"),
        ("circuit_config.json", lambda c: c["networks"]["nodes"][0].pop("nodes_file"), "an entry has no nodes_file"),
        ("simulation_config.json", lambda c: c["run"].update(dt=-1), "run: Simulation: dt: must be greater than 0"),
        ("components/point_neuron_models/E.json", lambda c: c.pop("tau_m"), "tau_m: membrane time constant"),
        (
            "components/point_neuron_models/E.json",
            lambda c: c.update(C_m="0.25 nF"),
            "C_m: must be in pF, got '0.25 nF'",
        ),
    ],
)
def test_damaged_json(directory: Path, file: str, change: Callable[[dict], object], message: str) -> None:
    change_json(directory / file, change)
    with pytest.raises(FormatError) as caught:
        open_and_read(directory)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "circuit_config.json",
        "simulation_config.json",
        "network/E_nodes.h5",
        "network/E_node_types.csv",
        "network/E_to_I_edges.h5",
        "components/point_neuron_models/E.json",
        "model.yaml",
    ],
)
@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"\xff\xfe\x00garbage", b"[1, 2]"])
def test_any_file_replaced_by_garbage_gives_one_line(directory: Path, name: str, content: bytes) -> None:
    (directory / name).write_bytes(content)
    with pytest.raises(InterchangeError) as caught:
        open_and_read(directory)
    assert Path(name).name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["network/E_nodes.h5", "network/E_to_I_edges.h5"])
def test_truncated_hdf5(directory: Path, name: str) -> None:
    content = (directory / name).read_bytes()
    for length in (100, len(content) // 2, len(content) - 1000):
        (directory / name).write_bytes(content[:length])
        with pytest.raises(FormatError, match=Path(name).name):
            open_and_read(directory)


@pytest.mark.parametrize("name", ["network/I_nodes.h5", "network/I_node_types.csv", "network/E_to_I_edges.h5"])
def test_missing_file(directory: Path, name: str) -> None:
    (directory / name).unlink()
    with pytest.raises(FormatError, match=Path(name).name):
        open_and_read(directory)


def test_unsorted_edges_are_read_in_order(directory: Path, small_network: Network) -> None:
    with h5py.File(directory / "network/E_to_I_edges.h5", "r+") as file:
        group = file["edges/E_to_I"]
        order = np.random.default_rng(0).permutation(len(group["source_node_id"]))
        for name in ("source_node_id", "target_node_id", "0/syn_weight", "0/delay"):
            group[name][...] = group[name][:][order]
        del group["indices"]
    imported = open_model(directory)
    assert imported.projections["E_to_I"].order == "none"
    assert imported.digest() == realize(small_network, 5).digest()


def test_an_empty_model_and_no_model(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not recognised by any importer"):
        open_model(tmp_path)
    with pytest.raises(FormatError, match="no such file or directory"):
        open_model(tmp_path / "nothing")
    with pytest.raises(InterchangeError):
        parse_network("populations: []")
