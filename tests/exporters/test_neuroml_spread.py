"""Spikes of a source that are spread over several, so that no two are underway at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mc_interchange.export import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.exporters.neuroml.populations import train_layers
from mc_interchange.instance import freeze_inputs, realize
from mc_interchange.network import Network, Simulation
from mc_interchange.reading import open_model


@pytest.mark.parametrize("apart", [1, 2, 15])
@pytest.mark.parametrize("seed", range(5))
def test_spikes_of_a_layer_are_apart_and_layers_are_as_few_as_can_be(apart: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = np.sort(rng.integers(1, 400, 120))
    layers = train_layers(steps * 0.1, 0.1, apart)
    for layer in range(layers.max() + 1):
        mine = steps[layers == layer]
        assert len(mine)
        assert np.all(np.diff(mine) >= apart)
    together = max(np.count_nonzero((steps >= step) & (steps < step + apart)) for step in steps)
    assert layers.max() + 1 == together


def test_no_spikes() -> None:
    assert train_layers(np.empty(0), 0.1, 7).tolist() == []


@pytest.mark.parametrize("encoding", ["xml", "hdf5"])
def test_an_import_puts_them_together_again(encoding: str, small_network: Network, tmp_path: Path) -> None:
    slow = small_network.inputs[0].model_copy(update={"delay": 1.5, "rate": 800.0})
    instance = freeze_inputs(
        realize(small_network.model_copy(update={"inputs": (slow,), "simulation": Simulation(duration=50.0)}), 1)
    )
    path = export(
        instance, "neuroml", tmp_path / "net", NeuroMLExporter.Options(encoding=encoding, spread_spikes=True)
    ).path
    plain = export(instance, "neuroml", tmp_path / "plain", NeuroMLExporter.Options(encoding=encoding)).path
    spread, together = ((p / "small.cells.nml").read_text(encoding="utf-8").count("<spikeArray") for p in (path, plain))
    assert spread > together
    assert open_model(path).digest().all == instance.digest().all
