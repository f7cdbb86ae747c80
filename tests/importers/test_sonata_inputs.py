"""Inputs of simulation configs: node sets, current clamps, and spike files of several forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from handmade import CLAMP, EDGES, spikes, write

from mc_interchange import open_model
from mc_interchange.errors import FormatError
from mc_interchange.importers.sonata import SonataWarning

quiet = pytest.mark.filterwarnings("ignore::mc_interchange.importers.sonata.SonataWarning")


SETS = {
    "four": {"layer": "L4"},
    "both": ["four", "last"],
    "last": {"population": "p", "node_id": [5, 99]},
    "loop": ["loop"],
    "typed": {"node_type_id": 2, "layer": ["L5", "L6"]},
    "odd": {"thickness": 3},
    "late": {"layer": {"$regex": "L.*"}},
    "far": {"population": "q"},
    "there": "back",
    "back": "there",
    "again": "last",
    "level_0": {"layer": "L4"},
    **{f"level_{n + 1}": [f"level_{n}"] * 8 for n in range(15)},
}


@pytest.mark.parametrize(
    ("node_set", "expected"),
    [
        ("four", (0, 1, 3)),
        ("both", (0, 1, 3, 5)),
        ("typed", (2, 4, 5)),
        ("again", (5,)),
        ("level_15", (0, 1, 3)),
        ("p", None),
        ("all", None),
        ([1, 2], (1, 2)),
        ({"population": "p", "layer": "L5", "node_id": [0, 2]}, (2,)),
    ],
)
def test_node_sets(tmp_path: Path, node_set: Any, expected: tuple[int, ...] | None) -> None:
    run = {"inputs": {"clamp": CLAMP | {"node_set": node_set}}, "node_sets_file": "sets.json"}
    instance = open_model(write(tmp_path / "c", run=run, files={"sets.json": SETS}))
    assert [current.neurons for current in instance.inputs] == [expected]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"node_set": "loop"}, "the node set 'loop' contains itself"),
        ({"node_set": "there"}, "the node set 'there' contains itself"),
        ({"node_set": {"population": [["p"]]}}, "population of a node set must be names, got [['p']]"),
        ({"node_set": {"population": {"p": 1}}}, "population of a node set must be names, got [{'p': 1}]"),
        ({"node_set": "odd"}, "a node set asks for 'thickness', which no node has"),
        ({"node_set": "late"}, "compares 'layer' by $regex; only equality"),
        ({"node_set": "far"}, "names the population 'q', which does not exist"),
        ({"node_set": "nobody"}, "there is no node set or population 'nobody'"),
        ({"node_set": 3}, "a node set must be a name, an object or a list, got 3"),
        ({"node_set": {"node_id": [99]}}, "inputs.clamp: its node set has no neurons"),
        ({"amp": "much"}, "inputs.clamp.amp must be a finite number or a list of them, got 'much'"),
        ({"amp": [1.0, 2.0]}, "delay, duration and amp must be lists of one length"),
        ({"amp": [1, 2], "delay": [9, 3], "duration": [1, 1]}, "inputs.clamp.delay must be in ascending order"),
        ({"delay": 1e308}, "inputs.clamp: 1e+308 ms is too far from 0"),
        ({"delay": -1e308}, "inputs.clamp: -1e+308 ms is too far from 0"),
        ({"input_type": "csv", "file": "gone.csv"}, "gone.csv: cannot be read"),
        ({"input_type": "csv", "file": "nodes.h5"}, "nodes.h5: not a table of currents"),
        ({"input_type": "csv", "file": "sets.json"}, "sets.json: needs two or more finite values"),
    ],
)
def test_inputs_that_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    run = {"inputs": {"clamp": CLAMP | change}, "node_sets": SETS}
    with pytest.raises(FormatError) as caught:
        open_model(write(tmp_path / "c", run=run, files={"sets.json": SETS}))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inputs_get_different_names(tmp_path: Path) -> None:
    run = {"inputs": {"a b": CLAMP, "a-b": CLAMP, "a_b": CLAMP | {"amp": [1, 2], "delay": [1, 9], "duration": [1, 1]}}}
    instance = open_model(write(tmp_path / "c", run=run))
    assert [current.name for current in instance.inputs] == ["a_b", "a_b_2", "a_b_0", "a_b_1"]


def test_a_clamp_off_the_grid_is_rounded(tmp_path: Path) -> None:
    run = {"inputs": {"clamp": CLAMP | {"delay": 10.04}}}
    with pytest.warns(SonataWarning) as caught:
        (current,) = open_model(write(tmp_path / "c", run=run)).inputs
    for warning, time in zip(caught, ("10.04", "15.04"), strict=True):
        assert f"inputs.clamp: {time} ms is not a multiple of dt = 0.1 ms and is rounded" in str(warning.message)
    assert (current.start, current.stop, current.delay) == (10.0, 15.0, 0.1)


@pytest.mark.parametrize("duration", [1e300, 1.5e308])
def test_a_clamp_that_does_not_end(tmp_path: Path, duration: float) -> None:
    clamp = CLAMP | {"duration": duration}
    (current,) = open_model(write(tmp_path / "c", run={"inputs": {"clamp": clamp}})).inputs
    assert (current.start, current.stop) == (10.0, 1e9)


def test_the_last_value_of_a_table_of_currents_lasts_without_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    run = {"run": {"dt": 0.3, "tstop": 60.0}, "inputs": {"clamp": CLAMP | {"input_type": "csv", "file": "steps.csv"}}}
    directory = write(tmp_path / "c", run=run)
    (directory / "steps.csv").write_text("timestamps amps\n0 0\n3 100\n6 50\n")
    first, last = open_model(directory).inputs
    assert (first.start, first.stop, last.start) == (3.0, 6.0, 6.0)
    assert 1e9 - 0.3 < last.stop <= 1e9
    assert not [w for w in recwarn if "not a multiple" in str(w.message)]


VIRTUAL = "node_type_id model_type\n1 virtual\n2 virtual\n"


def replay(tmp_path: Path, **entry: Any) -> list[list[float]]:
    """Return the spike times of each source of a virtual population."""
    run = {"inputs": {"in": {"input_type": "spikes", "module": "h5", "node_set": "p", **entry}}}
    edges = {name: np.array([], np.uint64) for name in EDGES}
    directory = write(tmp_path / "c", node_types=VIRTUAL, edges=edges, run=run)
    (block,) = open_model(directory).populations["p"].activity.blocks()
    return [train.tolist() for train in block.trains()]


TIMES, IDS = [5.0, 1.0, 3.0, 2.0, 1.0], [4, 0, 0, 4, 4]
TRAINS = [[1.0, 3.0], [], [], [], [1.0, 2.0, 5.0], []]


@pytest.mark.parametrize("name", ["p", "flat"])
def test_spikes_in_any_order(tmp_path: Path, name: str) -> None:
    spikes(tmp_path / "c.h5", **{name: (TIMES, IDS)})
    assert replay(tmp_path, input_file="../c.h5") == TRAINS
    order = np.lexsort((-np.array(TIMES), IDS))
    spikes(tmp_path / "c.h5", **{name: (np.array(TIMES)[order], np.array(IDS)[order])})
    assert replay(tmp_path, input_file="../c.h5") == TRAINS


def test_spikes_under_another_name(tmp_path: Path) -> None:
    spikes(tmp_path / "c.h5", other=(TIMES, IDS))
    with pytest.warns(SonataWarning, match="the spikes of 'other' are taken for the population 'p'"):
        assert replay(tmp_path, input_file="../c.h5") == TRAINS


def test_spikes_that_a_file_only_claims(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "c.h5", "w") as file:
        for name, dtype in (("timestamps", float), ("node_ids", np.uint64)):
            file.create_dataset(f"spikes/p/{name}", (10**12,), dtype, chunks=(2**10,), fillvalue=1)
            file[f"spikes/p/{name}"][:10] = 1
    with pytest.raises(FormatError, match="/spikes/p claims 1000000000000 spikes; the file does not hold them"):
        replay(tmp_path, input_file="../c.h5")


def test_spikes_as_text_and_as_libsonata_names_them(tmp_path: Path) -> None:
    rows = [f"{time} p {i}" for time, i in zip(TIMES, IDS, strict=True)]
    (tmp_path / "c.csv").write_text("\n".join(["timestamps population node_ids", *rows, "7.0 other 1\n"]))
    assert replay(tmp_path, module="csv", input_file="../c.csv") == TRAINS
    spikes(tmp_path / "c.h5", p=(TIMES, IDS))
    assert replay(tmp_path, module="synapse_replay", spike_file="../c.h5") == TRAINS


@pytest.mark.parametrize("window", [{"delay": 10.0}, {"delay": 0.0, "duration": 999.9}])
def test_a_window_of_replayed_spikes_is_reported(tmp_path: Path, window: dict[str, float]) -> None:
    spikes(tmp_path / "c.h5", p=(TIMES, IDS))
    with pytest.warns(SonataWarning, match=r"inputs\.in: delay and duration are not used; all spikes of the file are"):
        assert replay(tmp_path, module="synapse_replay", spike_file="../c.h5", **window) == TRAINS


def test_a_window_that_holds_the_whole_run_is_not_reported(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    spikes(tmp_path / "c.h5", p=(TIMES, IDS))
    replay(tmp_path, module="synapse_replay", spike_file="../c.h5", delay=0.0, duration=1000.0)
    assert not [w for w in recwarn if "duration" in str(w.message)]


@pytest.mark.parametrize("entry", [{"input_file": "../c.h5"}, {"module": "synapse_replay", "spike_file": "../c.h5"}])
def test_spikes_for_some_nodes_are_reported(tmp_path: Path, entry: dict[str, str]) -> None:
    spikes(tmp_path / "c.h5", p=(TIMES, IDS))
    with pytest.warns(SonataWarning, match=r"inputs\.in: its node set has only some nodes of p, it is taken for all"):
        assert replay(tmp_path, **entry, node_set={"population": "p", "node_id": [0]}) == TRAINS


@pytest.mark.parametrize(
    ("time", "emitted"),
    [(1.2 - 1e-6, 1.2), (0.30000000000000004, 0.3), (1.04, 1.1), (1.001, 1.1), (1.0001, 1.1), (1e-5, 0.1)],
)
@quiet
def test_spikes_come_at_the_end_of_their_step(tmp_path: Path, time: float, emitted: float) -> None:
    import nest

    spikes(tmp_path / "c.h5", p=([time], [0]))
    assert replay(tmp_path, input_file="../c.h5")[0] == [emitted]
    nest.ResetKernel()
    nest.resolution = 0.1
    source = nest.Create("spike_generator", params={"spike_times": [time], "precise_times": True})
    relay, recorder = nest.Create("parrot_neuron"), nest.Create("spike_recorder")
    nest.Connect(source, relay, syn_spec={"delay": 1.0})
    nest.Connect(relay, recorder)
    nest.Simulate(5.0)
    assert recorder.events["times"].round(9).tolist() == [round(emitted + 1.0, 9)]


def test_what_a_simulation_config_asks_for_in_vain(tmp_path: Path) -> None:
    spikes(tmp_path / "c.h5", p=(TIMES, IDS))
    with pytest.warns(SonataWarning, match="use_parrot_neurons is not used; in bmtk it makes all spikes a step later"):
        replay(tmp_path, input_file="../c.h5", use_parrot_neurons=True)
    run = {"conditions": {"v_init": -80}, "reports": {"V": {"cells": "p"}, "off": {"enabled": False}}}
    with pytest.warns(SonataWarning) as caught:
        open_model(write(tmp_path / "d", run=run))
    assert [str(w.message).partition(": ")[2] for w in caught] == [
        "not used: conditions.v_init (neurons start at the V_m of their parameters), reports (mc-run --record does the "
        "same)"
    ]


@pytest.mark.parametrize(("tstart", "reported"), [(20.0, True), (0.0, False)])
def test_a_run_that_begins_later_is_reported(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, tstart: float, reported: bool
) -> None:
    open_model(write(tmp_path / "c", run={"run": {"dt": 0.1, "tstart": tstart, "tstop": 50.0}}))
    text = "not used: run.tstart (the simulation begins at 0)"
    assert any(text in str(w.message) for w in recwarn) == reported
