"""Runs of EDEN for tests: neurons, exports, and the runner."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mc_interchange.export import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import realize
from mc_interchange.network import Network, Neuron, Population, Simulation
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.eden import EdenRunner
from mc_interchange.runs import Run

needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="EDEN needs gcc")

DT = 0.1
BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}


def neuron(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})


def exported(
    network: Network, path: Path, encoding: str = "xml", spread_spikes: bool = False, **changes: object
) -> Path:
    instance = realize(network, 1)
    instance = replace(instance, simulation=instance.simulation.model_copy(update=changes))
    options = NeuroMLExporter.Options(encoding=encoding, spread_spikes=spread_spikes)
    return export(instance, "neuroml", path, options).path


def run(path: Path, scratch: Path, threads: int | None = None) -> Run:
    scratch.mkdir()
    return EdenRunner().run_files(path, scratch, threads=threads, progress=Silent())


def quiet(duration: float = 20.0, **changes: object) -> Network:
    population = Population(name="A", size=2, neuron=neuron(), initial_V_m=-65.0)
    return Network(name="quiet", populations=(population,), simulation=Simulation(dt=DT, duration=duration), **changes)
