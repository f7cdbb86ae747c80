"""Runs on disk, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange.errors import FormatError
from mc_interchange.runs import Run, Spikes, read_run, write_run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    spikes = Spikes.sorted(np.array([30, 7, 7]), np.array([2, 1, 0]))
    run = Run("m", "nest", 0.1, 10.0, 1.0, 3, 1, {"E": 5}, {"E": spikes}, source_digest="d", versions={"nest": "3"})
    write_run(run, tmp_path)
    return tmp_path


def test_round_trip(directory: Path) -> None:
    run = read_run(directory)
    assert (run.spikes["E"].steps.tolist(), run.spikes["E"].neurons.tolist()) == ([7, 7, 30], [0, 1, 2])
    assert (run.model, run.dt, run.discard, run.seed, run.source_digest) == ("m", 0.1, 1.0, 3, "d")


def test_times_are_the_doubles_nearest_to_the_decimals(directory: Path) -> None:
    with h5py.File(directory / "spikes.h5") as file:
        assert file["spikes/E/timestamps"][:].tolist() == [0.7, 0.7, 3.0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dt", None),
        ("dt", 0),
        ("duration", "x"),
        ("sizes", [1]),
        ("sizes", {"E": -1}),
        ("run_version", 2),
        ("seed", {}),
        ("sizes", {"E": 0}),
        ("discard", 10.0),
    ],
)
def test_a_damaged_description_is_refused(directory: Path, key: str, value: object) -> None:
    facts = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**facts, key: value}))
    with pytest.raises(FormatError, match=rf"run.json: not the description of a run \({key}"):
        read_run(directory)


@pytest.mark.parametrize("text", ["", "[]", "{", "nan", "{}", "[" * 100_000])
def test_garbage_is_refused(directory: Path, text: str) -> None:
    (directory / "run.json").write_text(text)
    with pytest.raises(FormatError, match=r"run\.json: not the description of a run") as caught:
        read_run(directory)
    assert "_Facts" not in str(caught.value)


@pytest.mark.parametrize("time", [np.nan, -1.0, 11.0])
def test_impossible_spike_times_are_refused(directory: Path, time: float) -> None:
    with h5py.File(directory / "spikes.h5", "r+") as file:
        file["spikes/E/timestamps"][1] = time
    with pytest.raises(FormatError, match="spike times of E are not all within the run"):
        read_run(directory)


@pytest.mark.parametrize(
    ("dt", "duration"), [(0.003, 0.3), (0.09, 90.0), (0.1, 0.7), (0.007, 7.0), (0.125, 1000.0), (0.001, 1e5)]
)
def test_spikes_in_every_step_are_read_back(tmp_path: Path, dt: float, duration: float) -> None:
    n = round(duration / dt)
    spike_steps = np.unique(np.r_[np.linspace(0, n, 2000).astype(int), n])
    spikes = Spikes(spike_steps, np.zeros(len(spike_steps), int))
    write_run(Run("m", "nest", dt, duration, 0.0, 1, 1, {"E": 1}, {"E": spikes}), tmp_path)
    assert np.array_equal(read_run(tmp_path).spikes["E"].steps, spike_steps)
    with h5py.File(tmp_path / "spikes.h5") as file:
        times = file["spikes/E/timestamps"][:].tolist()
    assert times == [float(f"{k * round(dt * 1000) / 1000:.3f}") for k in spike_steps]


def test_a_time_one_rounding_error_above_the_duration_is_within(directory: Path) -> None:
    with h5py.File(directory / "spikes.h5", "r+") as file:
        file["spikes/E/timestamps"][2] = np.nextafter(10.0, 11.0)
    assert read_run(directory).spikes["E"].steps[-1] == 100


@pytest.mark.parametrize("time", [0.74, 0.75, 10.04])
def test_spike_times_off_the_grid_are_refused(directory: Path, time: float) -> None:
    with h5py.File(directory / "spikes.h5", "r+") as file:
        file["spikes/E/timestamps"][1] = time
    with pytest.raises(FormatError, match=rf"spike times of E must be multiples of dt = 0.1 ms, got {time:g}"):
        read_run(directory)


@pytest.mark.parametrize("neuron", [5, -1, 2**62])
def test_neurons_that_do_not_exist_are_refused(directory: Path, neuron: int) -> None:
    with h5py.File(directory / "spikes.h5", "r+") as file:
        del file["spikes/E/node_ids"]
        file["spikes/E/node_ids"] = np.array([1, 0, neuron])
    with pytest.raises(FormatError, match=r"spikes\.h5.*node_ids"):
        read_run(directory)


def test_the_last_neuron_may_spike(directory: Path) -> None:
    with h5py.File(directory / "spikes.h5", "r+") as file:
        file["spikes/E/node_ids"][2] = 4
    assert read_run(directory).spikes["E"].neurons[-1] == 4


@pytest.mark.parametrize("dt", [1e-5, 0.0004, 0.1005])
def test_a_resolution_that_is_not_whole_microseconds_is_refused(directory: Path, dt: float) -> None:
    facts = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**facts, "dt": dt}))
    with pytest.raises(FormatError, match=rf"\(dt: must be a multiple of 0.001 ms, got {dt:g}\)"):
        read_run(directory)


def test_other_populations_than_named_are_refused(directory: Path) -> None:
    facts = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**facts, "sizes": {"I": 5}}))
    with pytest.raises(FormatError, match=r"holds the populations \['E'\], run.json names \['I'\]"):
        read_run(directory)


def test_missing_files(directory: Path, tmp_path: Path) -> None:
    (directory / "spikes.h5").unlink()
    with pytest.raises(FormatError, match=r"spikes.h5: no such file"):
        read_run(directory)
    with pytest.raises(FormatError, match=r"run.json: cannot be read .*; is this a run\?"):
        read_run(tmp_path / "nothing")
