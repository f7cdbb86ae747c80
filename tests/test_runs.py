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
    ],
)
def test_a_damaged_description_is_refused(directory: Path, key: str, value: object) -> None:
    facts = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps({**facts, key: value}))
    with pytest.raises(FormatError, match=rf"run.json: not the description of a run \(.*{key}"):
        read_run(directory)


@pytest.mark.parametrize("text", ["", "[]", "{", "nan", "{}", "[" * 100_000])
def test_garbage_is_refused(directory: Path, text: str) -> None:
    (directory / "run.json").write_text(text)
    with pytest.raises(FormatError, match=r"run\.json: not the description of a run"):
        read_run(directory)


@pytest.mark.parametrize("time", [np.nan, -1.0, 11.0])
def test_impossible_spike_times_are_refused(directory: Path, time: float) -> None:
    with h5py.File(directory / "spikes.h5", "r+") as file:
        file["spikes/E/timestamps"][1] = time
    with pytest.raises(FormatError, match="spike times of E are not all within the run"):
        read_run(directory)


def test_missing_files(directory: Path, tmp_path: Path) -> None:
    (directory / "spikes.h5").unlink()
    with pytest.raises(FormatError, match=r"spikes.h5: no such file"):
        read_run(directory)
    with pytest.raises(FormatError, match=r"run.json: cannot be read .*; is this a run\?"):
        read_run(tmp_path / "nothing")
