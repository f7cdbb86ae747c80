"""The NEURON runner: what is changed in the code that jNeuroML makes, and what comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from neuron_runs import DT, Kept, compiled, neuron, recording, run_in

from mc_interchange import export, realize
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes
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
)
from mc_interchange.network.catalogue import CATALOGUE
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml.neuron import NeuronRunner
from mc_interchange.runners.neuroml.neuron_mechanisms import read_mechanisms
from mc_interchange.runs import Run

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


@pytest.mark.slow
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


@pytest.mark.slow
@compiled
def test_equal_times_in_the_spike_array_of_others(tmp_path: Path) -> None:
    """What jNeuroML makes of them loses the second spike and all later ones."""
    network = Network(
        name="times",
        populations=(
            Population(name="A", size=1, neuron=neuron(), initial_V_m=-65.0),
            VirtualPopulation(name="T", size=1, activity=SpikeTrains(times=((5.0, 35.0, 65.0),))),
        ),
        projections=(Projection(source="T", target="A", rule=AllToAll(), weight=100.0, delay=1.0),),
        simulation=Simulation(dt=DT, duration=90.0, record_V_m=(recording("A", 1),)),
    )
    path = export(realize(network), "neuroml", tmp_path / "times", NeuroMLExporter.Options(encoding="xml")).path
    cells = path / "times.cells.nml"
    text = cells.read_text()
    once = '<spike id="1" time="35ms"/>'
    assert text.count(once) == 1
    cells.write_text(text.replace(once, once + '<spike id="3" time="35ms"/><spike id="4" time="34.96ms"/>'))
    (tmp_path / "scratch").mkdir()
    run = NeuronRunner().run_files(path, tmp_path / "scratch", threads=None, progress=Silent())
    assert run.spikes["T"].steps.tolist() == [50, 350, 350, 350, 650]
    V = run.voltages["A"].values[:, 0] + 65.0
    peaks = [V[first : first + 250].max() for first in (50, 350, 650)]
    np.testing.assert_allclose(peaks, np.array([1, 3, 1]) * peaks[0], rtol=0.2)  # some is left of the one before


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
    """Measured: 4e-13 mV before the first reset.

    With weights of float32 digits 3e-8 mV, with such parameters 3e-6, with the six digits of defaults 2e-6.
    """
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


# --- other models


def all_models() -> NetworkInstance:
    """Two neurons of each model that NEURON simulates, one of which fires, under spikes of both signs."""
    values = {"C_m": 250.0, "tau_m": 20.0, "g_L": 12.5, "tau_syn_ex": 2.0, "tau_syn_in": 4.0, "t_ref": 2.0}
    values |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "E_ex": 0.0, "E_in": -80.0}
    nodes, projections = [], {}
    for model in ("iaf_psc_exp", "iaf_psc_alpha", "iaf_cond_exp", "iaf_cond_alpha"):
        taken = {p.name: values[p.name] for p in CATALOGUE[model].parameters if p.name in values}
        for name, current in ((f"{model}_quiet", 50.0), (f"{model}_firing", 300.0)):
            parameters = {**taken, "I_e": current}
            nodes.append(Nodes(name, 1, neuron=Neuron(model=model, parameters=parameters), V_m=np.array([-65.0])))
            weight = np.array([3.0, -5.0] if "cond" in model else [80.0, -60.0])
            block = EdgeBlock(np.arange(2, dtype=np.uint32), np.zeros(2, np.uint32), weight, np.full(2, 40, np.int32))
            projections[f"S_to_{name}"] = ArrayEdges(f"S_to_{name}", "S", name, block)
    times = np.array([10.0, 20.0, 30.0, 31.0, 32.0, 60.0, 15.0, 45.0, 46.0])
    nodes.append(Nodes("S", 2, activity=ArrayTrains(2, np.repeat([0, 1], [6, 3]), times)))
    record = tuple(
        VoltageRecording(population=n.name, neurons=(0,), interval=0.025) for n in nodes if n.neuron is not None
    )
    simulation = Simulation(dt=0.025, duration=100.0, record_V_m=record)
    return NetworkInstance("models", {n.name: n for n in nodes}, projections, (), simulation)


@compiled
@pytest.mark.slow
def test_other_models_do_what_they_do_in_nest(tmp_path: Path) -> None:
    """Measured at 0.025 ms: potentials 0.003 to 0.007 mV apart on average, spikes at most 0.1 ms."""
    instance = all_models()
    reference, run = NestRunner().run(instance), run_in(tmp_path / "run", instance)
    for name, report in reference.voltages.items():
        fired, theirs = run.spikes[name].steps, reference.spikes[name].steps
        if name.endswith("quiet"):
            deviation = run.voltages[name].values[: len(report.values)] - report.values
            assert np.abs(deviation).mean() < 0.01
            assert np.ptp(report.values) > 4.0  # it did something
            assert len(fired) == len(theirs) == 0
        else:
            assert len(theirs) >= 4
            assert len(fired) == len(theirs)
            assert np.abs(fired - theirs).max() <= 4


@compiled
def test_a_model_that_jneuroml_makes_another_of(tmp_path: Path) -> None:
    current = Neuron(model="izhikevich", parameters={"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_th": 30.0})
    nodes = Nodes("A", 1, neuron=current, V_m=np.array([-65.0]))
    instance = NetworkInstance("one", {"A": nodes}, {}, (), Simulation(dt=DT, duration=10.0))
    with pytest.raises(NotRepresentableError) as caught:
        run_in(tmp_path / "run", instance)
    assert str(caught.value) == (
        "NEURON cannot simulate the izhikevichCell A_cell with the code that jNeuroML makes of it: "
        "it receives no input; use --simulator jlems"
    )


@pytest.mark.parametrize("type", ["EIF_cond_exp_isfa_ista", "adExIaFCell", "izhikevich2007Cell", "pulseGeneratorDL"])
def test_all_such_types(tmp_path: Path, type: str) -> None:
    (tmp_path / "x.mod").write_text(f"TITLE Mod file for component: Component(id=x type={type})\n", encoding="utf-8")
    with pytest.raises(NotRepresentableError, match=f"the {type} x with the code that jNeuroML makes of it"):
        read_mechanisms(tmp_path)
