"""Pictures can be made in every file type, of one run and of two, active or silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mc_interchange.analysis.plots import _spread, raster_and_rates
from mc_interchange.runs import Run, Spikes


def make_run(n_spikes: int) -> Run:
    rng = np.random.default_rng(1)
    sizes = {"E": 3000, "I": 5, "S": 20}
    spikes = {
        name: Spikes.sorted(rng.integers(1, 10_000, n_spikes), rng.integers(0, size, n_spikes))
        for name, size in sizes.items()
    }
    return Run("m", "s", 0.1, 1000.0, 100.0, 1, 1, sizes, spikes)


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_file_types(tmp_path: Path, ending: str, magic: bytes) -> None:
    path = tmp_path / f"picture.{ending}"
    raster_and_rates({"a": make_run(500), "b": make_run(500)}, path, colors={"E": "#0072b2"}, title="two")
    assert path.read_bytes().startswith(magic)


def test_spikes_make_a_difference(tmp_path: Path) -> None:
    for name, n_spikes in (("silent", 0), ("active", 5000)):
        raster_and_rates({"a": make_run(n_spikes)}, tmp_path / f"{name}.png")
    assert (tmp_path / "active.png").stat().st_size > (tmp_path / "silent.png").stat().st_size


def test_labels_keep_their_distance() -> None:
    assert _spread([10.0, 11.0, 30.0, 31.0], 5.0) == [10.0, 15.0, 30.0, 35.0]
