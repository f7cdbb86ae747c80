"""What the NEURON runner refuses, and that it stops when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from neuron_runs import DT, compiled, neuron

from mc_interchange import export, realize
from mc_interchange.errors import MissingDependencyError, SimulationError, UsageError
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import Network, Population, Simulation, write_network
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml import neuron as runner_module
from mc_interchange.runners.neuroml.neuron import NeuronRunner

RUN = "from mc_interchange.cli.run import main; main()"

# --- refusals


def small() -> NetworkInstance:
    network = Network(
        name="small",
        populations=(Population(name="A", size=1, neuron=neuron(I_e=400.0), initial_V_m=-65.0),),
        simulation=Simulation(dt=DT, duration=10.0),
    )
    return realize(network)


@pytest.fixture
def small_export(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "scratch").mkdir()
    return export(small(), "neuroml", tmp_path / "small").path, tmp_path / "scratch"


def refused(small_export: tuple[Path, Path], error: type[Exception], threads: int | None = None) -> str:
    path, scratch = small_export
    with pytest.raises(error) as caught:
        NeuronRunner().run_files(path, scratch, threads=threads, progress=Silent())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_compiler(small_export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    message = refused(small_export, SimulationError)
    assert "nrnivmodl needs a C++ compiler (no-such-compiler -O2): apt install g++ make" in message
    assert list(small_export[1].iterdir()) == []  # before any work


@pytest.mark.parametrize("missing", ["make", "perl"])
def test_no_make(
    small_export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    (tmp_path / "bin").mkdir()
    for name in {"c++", "make", "perl"} - {missing}:
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("CXX", "c++")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert f"nrnivmodl needs {missing}: apt install {missing}" in refused(small_export, SimulationError)


def test_no_neuron(small_export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "find_spec", lambda name: None)
    message = refused(small_export, MissingDependencyError)
    assert message == "NEURON is not installed: run python -m pip install 'mc-interchange[neuron]'"


@compiled
def test_threads(small_export: tuple[Path, Path]) -> None:
    assert "runs in one, got 2" in refused(small_export, UsageError, threads=2)


@compiled
@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("A_cell.mod", "TITLE Mod file", "TITLE A file", "A_cell.mod, .*: its first line names no component"),
        ("*_nrn.py", "new A_cell(0.5)", "new B_cell(0.5)", "the mechanism A_cell is nowhere in use"),
        ("*_nrn.py", "].i_offset = 0.4 ", "].i_offset = 0.5 ", "i_offset of A_cell is 0.5, and 0.4 in its mechanism"),
    ],
)
def test_other_code_than_expected(
    small_export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, says: str
) -> None:
    translate = runner_module.translate

    def changed(*arguments: object) -> object:
        result = translate(*arguments)  # type: ignore[arg-type]
        (path,) = small_export[1].glob(file)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        return result

    monkeypatch.setattr(runner_module, "translate", changed)
    with pytest.raises(SimulationError, match=says):
        NeuronRunner().run_files(*small_export, threads=None, progress=Silent())


@compiled
def test_what_does_not_compile_is_told(small_export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    write = runner_module.write_mechanisms

    def broken(directory: Path, *arguments: object) -> dict[str, str]:
        names = write(directory, *arguments)  # type: ignore[arg-type]
        path = directory / "nml_A_cell.mod"
        path.write_text(path.read_text() + "VERBATIM\nno_such_type x;\nENDVERBATIM\n")
        return names

    monkeypatch.setattr(runner_module, "write_mechanisms", broken)
    message = refused(small_export, SimulationError)
    assert message.startswith("nrnivmodl ended with exit code")
    assert "no_such_type" in message


# --- interruption


@compiled
@pytest.mark.parametrize("phase", ["compiling", "simulating"])
def test_an_interruption_stops_everything(tmp_path: Path, phase: str) -> None:
    network = small().network
    assert network is not None
    endless = network.model_copy(update={"simulation": Simulation(dt=DT, duration=1e6)})
    write_network(endless, tmp_path / "model.yaml")
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "model.yaml", "--simulator", "neuron", "--out", "run"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        wait_for(lambda: phase_of(tmp_path / "tmp") == phase, process)
        assert working_in(tmp_path / "tmp")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "interrupted" in said
    wait_for(lambda: not working_in(tmp_path / "tmp"))
    assert {file.name for file in tmp_path.iterdir()} == {"model.yaml", "tmp"}
    assert list((tmp_path / "tmp").iterdir()) == []


def heed_interrupts() -> None:
    """Undo what a shell does to a job in the background: its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def phase_of(directory: Path) -> str:
    """Return what a run does, as seen from its files."""
    if list(directory.glob("*/work/x86_64/special.nrn")) or list(directory.glob("*/work/*/special.nrn")):
        return "simulating" if working_in(directory, "neuron_driver") else ""
    return "compiling" if list(directory.glob("*/work/*/*.cpp")) else ""


def working_in(directory: Path, name: str = "") -> list[str]:
    """Return the commands of all processes that work below a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where, command = (process / "cwd").readlink(), (process / "cmdline").read_text()
        except OSError:
            continue
        if where.is_relative_to(directory) and name in command:
            found.append(command)
    return found
