"""Reading SONATA back: what is taken from where, and damaged files."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange import InterchangeError, NetworkInstance, build, export, open_model, realize
from mc_interchange.errors import FormatError
from mc_interchange.importers.sonata import SonataWarning
from mc_interchange.instance import ArrayTrains
from mc_interchange.network import (
    Network,
    PoissonActivity,
    PoissonInput,
    Simulation,
    StepCurrent,
    VoltageRecording,
    parse_network,
)

#: Of the virtual population TH, where it has some.
TRAINS = ArrayTrains.from_lists([[1.0, 2.5], [], [3.0], [0.1], [50.0]])


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
    assert imported.network == instance.network
    assert imported.inputs == instance.inputs
    assert (imported.name, imported.seed) == ("small", 5)
    assert list(imported.populations) == list(instance.populations)
    assert {e.name: e.order for e in imported.projections.values()} == dict.fromkeys(instance.projections, "target")


def test_a_network_without_rules_keeps_its_inputs(small_network: Network, tmp_path: Path) -> None:
    """As captured ones have none: what SONATA cannot say is in the experiment file."""
    instance = realize(small_network, 5)
    some = PoissonInput(name="some", target="I", rate=100.0, weight=1 / 3, delay=0.5, neurons=(7, 2))
    step = StepCurrent(name="step", target="E", amplitude=30.0, start=20.0, stop=40.0, neurons=(1,))
    simulation = Simulation(
        dt=0.1,
        duration=60.0,
        discard=10.0,
        seed=9,
        threads=2,
        record_spikes=("I",),
        record_V_m=(VoltageRecording(population="E", neurons=(0, 3)),),
    )
    inputs = (*instance.inputs, some, step)
    bare = replace(instance, network=None, seed=None, inputs=inputs, simulation=simulation)
    imported = open_model(export(bare, "sonata", tmp_path / "out").path)
    assert imported.network is None
    assert imported.inputs == inputs
    assert imported.simulation == simulation
    assert imported.populations["TH"].activity == PoissonActivity(rate=10.0)
    assert imported.digest() == bare.digest()


def test_a_damaged_experiment_file_is_one_line(small_network: Network, tmp_path: Path) -> None:
    path = export(replace(realize(small_network, 5), network=None), "sonata", tmp_path / "out").path
    file = path / "experiment.yaml"
    whole = file.read_text()
    for found, damaged, message in (
        ("rate: 8000.0", "rate: many", "inputs[0].rate: must be a number in spikes/s, got 'many'"),
        ("inputs:", "imputs:", "imputs: unknown key (it is misspelt or does not belong here)"),
    ):
        assert found in whole
        file.write_text(whole.replace(found, damaged, 1))
        with pytest.raises(InterchangeError) as caught:
            open_model(path)
        assert str(caught.value) == f"{file}: {message}"


@pytest.mark.parametrize("name", ["NOBODY", "E"])
def test_activity_of_no_virtual_population_is_reported(small_network: Network, tmp_path: Path, name: str) -> None:
    path = export(replace(realize(small_network, 5), network=None), "sonata", tmp_path / "out").path
    file = path / "experiment.yaml"
    assert "activity:" in file.read_text()
    file.write_text(file.read_text().replace("  TH:", f"  {name}:"))
    with pytest.warns(SonataWarning) as caught:
        open_model(path)
    message = f"{file}: activity of {name} is not used: the circuit has no virtual population of that name"
    assert message in [str(w.message) for w in caught]


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
    assert imported.populations["TH"].activity == TRAINS
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
        (("model.yaml", "dt: 0.1", "dt: 0.05"), "dt is 0.05, run.dt in simulation_config.json is 0.1"),
        (("model.yaml", "duration: 100", "duration: 90"), "duration is 90, run.tstop in simulation_config.json is 100"),
        (("model.yaml", "name: E_to_I", "name: other"), "projection E_to_I is in the circuit only"),
        (("model.yaml", "name: E_to_I", "name: other"), "projection other is not in the circuit"),
        (("model.yaml", "source: TH", "source: E"), "projection TH_to_E is E -> E, TH -> E in the circuit"),
    ],
)
@pytest.mark.filterwarnings("ignore::mc_interchange.importers.sonata.SonataWarning")
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


def test_another_seed_in_the_simulation_config_is_a_conflict(directory: Path) -> None:
    change_json(directory / "simulation_config.json", lambda c: c["run"].update(random_seed=77))
    with pytest.warns(SonataWarning, match="seed is 5, run.random_seed in simulation_config.json is 77"):
        assert open_model(directory).seed == 77


def test_what_the_exporter_writes_gives_no_warning(original: Path, directory: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_and_read(original)
        # as versions before wrote it: the rules kept their own seed
        text = (directory / "model.yaml").read_text()
        assert "seed: 5" in text
        (directory / "model.yaml").write_text(text.replace("seed: 5", "seed: 1"))
        assert open_model(directory).seed == 5


def test_step_currents_count_once(tmp_path: Path, small_network: Network) -> None:
    data = small_network.model_dump()
    clamp = {"kind": "step_current", "target": "E", "amplitude": 50.0, "stop": 30.0}
    data["inputs"] = [
        *data["inputs"],
        {**clamp, "name": "late", "start": 10.0, "delay": 1.0, "neurons": [1, 5]},
        {**clamp, "name": "early", "start": 0.0, "delay": 0.1},
    ]
    instance = realize(Network.model_validate(data), 5)
    path = export(instance, "sonata", tmp_path / "out").path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_model(path).inputs == instance.inputs
    change_json(path / "simulation_config.json", lambda c: c["inputs"]["late.current"].update(amp=51.0))
    with pytest.warns(SonataWarning, match="input late differs from that in the simulation config"):
        assert [i.amplitude for i in open_model(path).inputs[1:]] == [51.0, 50.0]
    (path / "model.yaml").unlink()
    with pytest.warns(SonataWarning, match="no spikes are given"):
        inputs = open_model(path).inputs
    assert [(i.name, i.start, i.stop, i.delay, i.neurons) for i in inputs] == [
        ("late", 10.9, 30.9, 0.1, (1, 5)),
        ("early", 0.1, 30.0, 0.1, None),
    ]


def test_a_step_current_into_every_neuron_by_index_is_the_same(tmp_path: Path, small_network: Network) -> None:
    data = small_network.model_dump()
    clamp = {"kind": "step_current", "name": "all", "target": "I", "amplitude": 50.0, "start": 5.0, "stop": 30.0}
    data["inputs"] = [*data["inputs"], {**clamp, "neurons": list(range(10))}]
    instance = realize(Network.model_validate(data), 5)
    path = export(instance, "sonata", tmp_path / "out").path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_model(path).inputs == instance.inputs


def test_a_projection_whose_rule_draws_nothing_is_not_missed(tmp_path: Path, small_network: Network) -> None:
    data = small_network.model_dump()
    data["projections"][1]["rule"]["probability"] = 0.0
    path = export(realize(Network.model_validate(data), 5), "sonata", tmp_path / "out").path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(open_model(path).projections) == ["E_to_I", "TH_to_E"]


def test_drawn_weights_stay_float32(original: Path) -> None:
    edges = open_model(original).projections["I_to_E"]
    assert edges.weight_dtype == np.float32
    assert {block.weight.dtype for block in edges.blocks()} == {np.dtype(np.float32)}


def test_positions_of_virtual_populations(tmp_path: Path, small_network: Network) -> None:
    instance = realize(small_network, 5)
    positions = np.random.default_rng(0).random((5, 3))
    placed = replace(instance.populations["TH"], positions=positions)
    instance = replace(instance, populations={**instance.populations, "TH": placed})
    imported = open_model(export(instance, "sonata", tmp_path / "out").path)
    assert np.array_equal(imported.populations["TH"].positions, positions)


@pytest.mark.parametrize("variable", ["$BASE_DIR", "${BASE_DIR}"])
def test_a_variable_whose_name_begins_like_another(directory: Path, small_network: Network, variable: str) -> None:
    config = directory / "circuit_config.json"
    text = config.read_text().replace("$BASE_DIR/", f"{variable}/")
    config.write_text(text)
    change_json(config, lambda c: c.update(manifest={"$BASE": "./nowhere", "$BASE_DIR": "."}))
    assert open_model(directory).digest() == realize(small_network, 5).digest()


def test_variables_that_grow_without_end_are_refused(directory: Path) -> None:
    manifest = {"$BASE_DIR": "$BASE_DIR$BASE_DIR"} | {f"$V{i}": "." for i in range(80)}
    change_json(directory / "circuit_config.json", lambda c: c.update(manifest=manifest))
    with pytest.raises(FormatError, match="a variable that the manifest does not define"):
        open_model(directory)


def write_ids(end: str, row: int, value: int) -> Callable[[h5py.File], None]:
    """Put one id into a column of signed integers."""

    def damage(file: h5py.File) -> None:
        group = file["edges/E_to_I"]
        ids, attrs = group[f"{end}_node_id"][:].astype(np.int64), dict(group[f"{end}_node_id"].attrs)
        ids[row] = value
        del group[f"{end}_node_id"], group["indices"]
        group[f"{end}_node_id"] = ids
        group[f"{end}_node_id"].attrs.update(attrs)

    return damage


def replace_column(name: str, change: Callable[[np.ndarray], object]) -> Callable[[h5py.File], None]:
    """Change a column, which may be a fill value so far."""

    def damage(file: h5py.File) -> None:
        group = file["edges/E_to_I"]
        values = group[name][:]
        change(values)
        del group[name]
        group[name] = values

    return damage


def unsort(file: h5py.File) -> None:
    file["edges/E_to_I/target_node_id"][:] = file["edges/E_to_I/target_node_id"][:][::-1]


def other_fill_value(file: h5py.File) -> None:
    group = file["edges/E_to_I"]
    del group["edge_group_id"]
    group.create_dataset("edge_group_id", (300,), np.uint32, fillvalue=1)


def damage_ids(file: h5py.File) -> None:
    file["edges/E_to_I/source_node_id"][7] = 40


def damage_weight(file: h5py.File) -> None:
    file["edges/E_to_I/0/syn_weight"][7] = np.nan


def damage_delay(file: h5py.File) -> None:
    file["edges/E_to_I/0/delay"][9] = 0.04


def shorten_delay(file: h5py.File) -> None:
    del file["edges/E_to_I/0/delay"]
    file["edges/E_to_I/0/delay"] = np.ones(5, np.float32)


def add_column(name: str, values: object) -> Callable[[h5py.File], None]:
    """Put a column beside the others."""
    return lambda file: file["edges/E_to_I"].create_dataset(name, data=values)


def claim_edges(file: h5py.File) -> None:
    """Leave columns that are long and empty."""
    group = file["edges/E_to_I"]
    for name in ("source_node_id", "target_node_id", "0/syn_weight", "0/delay"):
        column, attrs = group[name].dtype, dict(group[name].attrs)
        del group[name]
        group.create_dataset(name, (10**12,), column, chunks=(2**20,)).attrs.update(attrs)


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
        (shorten_delay, "the datasets of /edges/E_to_I differ in length"),
        (rename_population, "attribute node_population is 'nobody', known: E, I, TH"),
        (text_weights, "/edges/E_to_I/0/syn_weight has the type object"),
        (write_ids("source", 0, -1), "source_node_id of edges 0 to 300 is not below the population's size 40"),
        (write_ids("target", 299, -1), "target_node_id of edges 0 to 300 is not below the population's size 10"),
        (write_ids("source", 299, 40), "source_node_id of edges 0 to 300 is not below the population's size 40"),
        (write_ids("target", 0, 10), "target_node_id of edges 0 to 300 is not below the population's size 10"),
        (unsort, "target_node_id of edges 0 to 300 is not sorted, but the index target_to_source says so"),
        (
            replace_column("edge_group_index", lambda v: v.__setitem__(299, 300)),
            "/edges/E_to_I/0/syn_weight has 300 rows; edge_group_index goes to 300",
        ),
        (replace_column("edge_group_id", lambda v: v.__setitem__(299, 1)), "edge_group_id: there is no group 1"),
        (other_fill_value, "/edges/E_to_I/edge_group_id: there is no group 1"),
        (lambda file: file["edges/E_to_I"].__delitem__("edge_type_id"), "/edges/E_to_I/edge_type_id is missing"),
        (add_column("0/model_template", ["x"] * 300), "/edges/E_to_I/0/model_template is given edge by edge"),
        (add_column("0/dynamics_params/tau_psc", np.ones(300)), "0/dynamics_params/tau_psc is given edge by edge"),
        (add_column("0/nsyns", np.ones(299)), "the datasets of /edges/E_to_I differ in length"),
        (claim_edges, "/edges/E_to_I claims 1000000000000 edges; the file does not hold them"),
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


@pytest.mark.parametrize("column", ["edge_group_index", "edge_group_id"])
def test_columns_that_the_specification_lets_one_leave_out(
    directory: Path, small_network: Network, column: str
) -> None:
    with h5py.File(directory / "network/E_to_I_edges.h5", "r+") as file:
        del file[f"edges/E_to_I/{column}"]
    assert open_model(directory).digest() == realize(small_network, 5).digest()


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("node_id", 0, 1, "/nodes/E/node_id must hold each id from 0 to 39 once"),
        ("node_group_index", 39, 40, "/nodes/E/0/dynamics_params/V_m has 40 rows; node_group_index goes to 40"),
        ("node_group_id", 39, 1, "/nodes/E/node_group_id: there is no group 1"),
    ],
)
def test_nodes_that_are_not_in_their_place(directory: Path, column: str, row: int, value: int, message: str) -> None:
    with h5py.File(directory / "network/E_nodes.h5", "r+") as file:
        file[f"nodes/E/{column}"][row] = value
    with pytest.raises(FormatError, match=message):
        open_model(directory)
    with h5py.File(directory / "network/E_nodes.h5", "r+") as file:
        del file[f"nodes/E/{column}"]
    open_model(directory)


@pytest.mark.parametrize("template", ["static_synapse", "nest:static_synapse"])
def test_static_synapses_with_and_without_prefix(directory: Path, template: str) -> None:
    path = directory / "network/E_to_I_edge_types.csv"
    path.write_text(path.read_text().replace("static_synapse ", f"{template} "))
    assert "E_to_I" in open_model(directory).projections


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model_template", "template", "E_to_I has the synapse model None; supported: static_synapse"),
        ("10000", "9", "the edge type 10000 of edge population E_to_I is not listed"),
        ("edge_type_id", "id", "not a type table"),
    ],
)
def test_damaged_edge_types(directory: Path, old: str, new: str, message: str) -> None:
    path = directory / "network/E_to_I_edge_types.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(FormatError, match=message) as caught:
        open_model(directory)
    assert str(caught.value).startswith(str(path))


def indexed(directory: Path, ids: list[int], nodes: list[list[int]], ranges: list[list[int]], name: str) -> str:
    """Give an edge file these targets and this index; return the order that the importer finds."""
    with h5py.File(directory / "network/E_to_I_edges.h5", "r+") as file:
        group = file["edges/E_to_I"]
        for column in ("source_node_id", "edge_type_id", "edge_group_index", "0/syn_weight", "0/delay"):
            values, attrs = group[column][: len(ids)], dict(group[column].attrs)
            del group[column]
            group[column] = values
            group[column].attrs.update(attrs)
        del group["target_node_id"], group["edge_group_id"], group["indices"]
        group["target_node_id"] = np.array(ids, np.uint32)
        group["target_node_id"].attrs["node_population"] = "I"
        index = group.create_group("indices/target_to_source")
        index[name] = np.array(nodes, np.int64)
        index["range_to_edge_id"] = np.array(ranges, np.int64)
    edges = open_model(directory).projections["E_to_I"]
    assert np.concatenate([b.target for b in edges.blocks()]).tolist() == ids
    return edges.order


@pytest.mark.parametrize("name", ["node_id_to_ranges", "node_id_to_range"])
@pytest.mark.parametrize(
    ("ids", "nodes", "ranges", "order"),
    [
        ([0, 0, 2, 2], [[0, 1], [1, 1], [1, 2]], [[0, 2], [2, 4]], "target"),
        ([0, 0, 2, 2], [[0, 1], [0, 0], [1, 2]], [[0, 2], [2, 4]], "target"),
        # contiguous rows, but the nodes take them in the reverse order
        ([2, 2, 0, 0], [[1, 2], [1, 1], [0, 1]], [[0, 2], [2, 4]], "none"),
        # descending edges
        ([2, 2, 0, 0], [[0, 1], [1, 1], [1, 2]], [[2, 4], [0, 2]], "none"),
        # edges before the first and behind the last range
        ([3, 0, 2, 2], [[0, 1], [1, 1], [1, 2]], [[1, 2], [2, 4]], "none"),
        ([0, 0, 2, 0], [[0, 1], [1, 1], [1, 2]], [[0, 2], [2, 3]], "none"),
        # between two ranges
        ([0, 9, 1, 2], [[0, 1], [1, 2], [2, 3]], [[0, 1], [2, 3], [3, 4]], "none"),
        ([0, 2, 1, 3], [[0, 1], [1, 2], [2, 3], [3, 4]], [[0, 1], [2, 3], [1, 2], [3, 4]], "none"),
        # several ranges per node, rows that do not exist, no rows
        ([0, 0, 2, 2], [[0, 2], [2, 2], [2, 3]], [[0, 1], [1, 2], [2, 4]], "none"),
        ([0, 0, 2, 2], [[0, 1], [1, 1], [2, 3]], [[0, 2], [2, 4]], "none"),
        ([0, 0, 2, 2], [[0, 0], [0, 0], [0, 0]], [[0, 2], [2, 4]], "none"),
    ],
)
def test_order_is_told_by_an_index_over_all_edges_only(
    directory: Path, ids: list[int], nodes: list[list[int]], ranges: list[list[int]], order: str, name: str
) -> None:
    (directory / "model.yaml").unlink()
    with pytest.warns(SonataWarning, match="no spikes"):
        assert indexed(directory, ids, nodes, ranges, name) == order


def test_the_index_need_not_have_bmtks_name(directory: Path) -> None:
    with h5py.File(directory / "network/E_to_I_edges.h5", "r+") as file:
        del file["edges/E_to_I/indices/target_to_source/node_id_to_ranges"]
    assert open_model(directory).projections["E_to_I"].order == "target"


@pytest.fixture
def with_trains(tmp_path: Path, small_network: Network) -> Path:
    data = small_network.model_dump()
    data["populations"][2]["activity"] = {"kind": "spike_trains", "times": [[1.0, 2.5], [], [3.0], [0.1], [50.0]]}
    path = export(realize(Network.model_validate(data), 5), "sonata", tmp_path / "trains").path
    (path / "model.yaml").unlink()
    return path


def test_spike_inputs_are_where_the_simulation_config_says(with_trains: Path) -> None:
    (with_trains / "inputs/TH_spikes.h5").rename(with_trains / "elsewhere.h5")
    change_json(
        with_trains / "simulation_config.json", lambda c: c["inputs"]["TH"].update(input_file="$BASE_DIR/elsewhere.h5")
    )
    assert open_model(with_trains).populations["TH"].activity == TRAINS
    change_json(with_trains / "simulation_config.json", lambda c: c["inputs"]["TH"].update(input_file="gone.h5"))
    with pytest.raises(FormatError, match=r"gone\.h5: no such file"):
        open_model(with_trains)


def test_spike_inputs_without_a_simulation_config(with_trains: Path) -> None:
    (with_trains / "simulation_config.json").unlink()
    assert open_model(with_trains).populations["TH"].activity == TRAINS


@pytest.mark.parametrize(
    "entry",
    [
        {"input_type": "current_clamp", "module": "SEClamp", "node_set": "E", "amp": 0.1},
        {"input_type": "spikes", "module": "h5", "node_set": "E", "input_file": "x.h5"},
        {"input_type": "spikes", "module": "csv", "node_set": "TH", "input_file": "x.csv"},
        {"input_type": "spikes", "module": "h5", "node_set": "TH", "input_file": "second.h5"},
        {"input_type": "spikes", "module": "h5", "node_set": {"population": ["TH"]}, "input_file": "x.h5"},
        "nonsense",
    ],
)
def test_an_input_that_is_not_read_is_reported(with_trains: Path, entry: object) -> None:
    change_json(with_trains / "simulation_config.json", lambda c: c["inputs"].update(odd=entry))
    with pytest.warns(SonataWarning, match="input odd is not read"):
        assert open_model(with_trains).populations["TH"].activity == TRAINS


def test_a_population_that_gets_nothing_from_a_second_input_is_reported(small_network: Network, tmp_path: Path) -> None:
    data = small_network.model_dump()
    activity = {"kind": "spike_trains", "times": [[1.0, 2.5], [], [3.0], [0.1], [50.0]]}
    data["populations"][2]["activity"] = activity
    data["populations"] = [*data["populations"], {**data["populations"][2], "name": "U"}]
    path = export(realize(Network.model_validate(data), 5), "sonata", tmp_path / "two").path
    (path / "model.yaml").unlink()

    def join(config: dict) -> None:
        first = config["inputs"]["TH"]
        both = {**config["inputs"].pop("U"), "node_set": {"population": ["TH", "U"]}}
        config["inputs"] = {"first": first, "second": both}

    change_json(path / "simulation_config.json", join)
    with pytest.warns(SonataWarning, match=r"inputs\.second: nothing of it goes to TH, which has its spikes already"):
        imported = open_model(path)
    assert imported.populations["U"].activity == imported.populations["TH"].activity == TRAINS


def set_spikes(**columns: object) -> Callable[[h5py.Group], None]:
    def damage(group: h5py.Group) -> None:
        for name, values in columns.items():
            del group[name]
            group[name] = values

    return damage


def rename_and_add_another(group: h5py.Group) -> None:
    spikes = group.parent
    spikes.move("TH", "other")
    spikes.copy("other", "another")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (set_spikes(node_ids=np.array([0, 1, 2, 3, 5])), "node_ids must be below the population's size 5"),
        (set_spikes(node_ids=np.array([0, 1, 2, 3, -1])), "node_ids must not be negative"),
        (set_spikes(node_ids=np.array([0, 1, 2, 3, 2**63], np.uint64)), "node_ids must not be negative"),
        (set_spikes(node_ids=np.array([0.0, 1, 2, 3, 4])), "node_ids must be a list of whole numbers"),
        (set_spikes(timestamps=["a", "b", "c", "d", "e"]), "timestamps must be a list of numbers"),
        (set_spikes(timestamps=1.0), "timestamps must be a list of numbers"),
        (set_spikes(timestamps=1.0, node_ids=1), "timestamps must be a list of numbers"),
        (set_spikes(timestamps=[1.0]), "timestamps and node_ids differ in length"),
        (set_spikes(timestamps=[1.0, 2.0, -3.0, 4.0, 5.0]), "/spikes/TH: times"),
        (rename_and_add_another, "/spikes/TH is missing"),
    ],
)
def test_damaged_spike_inputs(with_trains: Path, damage: Callable[[h5py.Group], None], message: str) -> None:
    path = with_trains / "inputs/TH_spikes.h5"
    with h5py.File(path, "r+") as file:
        damage(file["spikes/TH"])
    with pytest.raises(FormatError) as caught:
        open_model(with_trains)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "spike trains" not in str(caught.value)
    assert "\n" not in str(caught.value)


def set_model_directory(config: dict) -> None:
    config["components"]["point_neuron_models_dir"] = "../../elsewhere"


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
        ("simulation_config.json", lambda c: c["run"].update(dt=-1), "run: dt: must be greater than 0"),
        ("components/point_neuron_models/E.json", lambda c: c.update(tau_m=0), "tau_m: must be greater than 0 ms"),
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


@pytest.mark.parametrize(("folder", "name"), [("my net-2", "my_net_2"), ("3d", "_3d"), ("plain", "plain")])
def test_a_circuit_without_manifest_is_named_after_its_directory(
    original: Path, tmp_path: Path, folder: str, name: str
) -> None:
    copy = Path(shutil.copytree(original, tmp_path / folder))
    (copy / "model.yaml").unlink()
    with pytest.warns(SonataWarning, match="no spikes are given"):
        assert open_model(copy).name == "small"  # from the manifest
    (copy / "manifest.json").unlink()
    with pytest.warns(SonataWarning, match="no spikes are given"):
        assert open_model(copy).name == name
