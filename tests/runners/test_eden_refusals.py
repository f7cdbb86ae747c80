"""What the EDEN runner refuses before anything runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from eden_runs import exported, needs_compiler, quiet, run

from mc_interchange.errors import MissingDependencyError, NotRepresentableError, SimulationError
from mc_interchange.export import export
from mc_interchange.instance import NetworkInstance, Nodes
from mc_interchange.network import (
    Neuron,
    PoissonInput,
    Simulation,
)
from mc_interchange.runners.neuroml import eden

# not imported: it needs modules that newer Pythons and setuptools lack
pytestmark = pytest.mark.skipif(find_spec("eden_simulator") is None, reason="eden-simulator is not installed")


@needs_compiler
def test_poisson_sources(tmp_path: Path) -> None:
    network = quiet(inputs=(PoissonInput(name="noise", target="A", rate=800.0, weight=80.0, delay=1.0),))
    with pytest.raises(NotRepresentableError) as refusal:
        run(exported(network, tmp_path / "net"), tmp_path / "work")
    assert str(refusal.value).startswith(
        "EDEN stops at Poisson sources: noise is a poissonFiringSynapse; export with --freeze"
    )


@needs_compiler
def test_adaptive_cells(tmp_path: Path) -> None:
    values = {"C_m": 200.0, "g_L": 15.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 3.0, "E_ex": 5.0}
    values |= {
        "E_in": -80.0,
        "tau_syn_ex": 2.0,
        "tau_syn_in": 5.0,
        "V_peak": -40.0,
        "Delta_T": 2.0,
        "a": 25.0,
        "b": 80.0,
    }
    values |= {"tau_w": 20.0, "I_e": 0.0}
    nodes = Nodes("A", 2, neuron=Neuron(model="aeif_cond_exp", parameters=values), V_m=np.full(2, -65.0))
    instance = NetworkInstance("adaptive", {"A": nodes}, {}, (), Simulation(duration=20.0))
    path = export(instance, "neuroml", tmp_path / "net").path
    with pytest.raises(
        NotRepresentableError,
        match=r"^EDEN crashes at cells of the type EIF_cond_exp_isfa_ista \(population A\): choose",
    ):
        run(path, tmp_path / "work")


@needs_compiler
def test_hdf5(tmp_path: Path) -> None:
    with pytest.raises(NotRepresentableError) as refusal:
        run(exported(quiet(), tmp_path / "net", encoding="hdf5"), tmp_path / "work")
    assert str(refusal.value) == "EDEN does not read HDF5 (quiet.net.nml.h5): export with --encoding xml"


@needs_compiler
@pytest.mark.parametrize(("duration", "refused"), [(67108.8, False), (67108.9, True)])
def test_runs_that_its_clock_cannot_count(duration: float, refused: bool, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(eden, "run_tool", lambda *_, **__: 1 / 0)
    with pytest.raises(
        NotRepresentableError if refused else ZeroDivisionError, match="67108.9 ms" if refused else None
    ):
        run(exported(quiet(duration), tmp_path / "net"), tmp_path / "work")


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulationError, match=r"^EDEN needs the C compiler gcc, which is not on the path: install it"):
        run(tmp_path / "none", tmp_path / "work")


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eden, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"mc-interchange\[eden\]"):
        run(tmp_path / "none", tmp_path / "work")


@needs_compiler
def test_a_failure_of_the_compiler_is_one_line(tmp_path: Path) -> None:
    path = exported(quiet(), tmp_path / "net")
    cells = path / "quiet.cells.nml"
    cells.write_text(cells.read_text(encoding="utf-8").replace('tau_m="10"', 'tau_m="ten"'), encoding="utf-8")
    with pytest.raises(SimulationError, match=r"^EDEN ended with exit code \d+: .*tau_m") as refusal:
        run(path, tmp_path / "work")
    assert "\n" not in str(refusal.value)
