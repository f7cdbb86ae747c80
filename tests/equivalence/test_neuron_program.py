"""The program for NEURON: its steps are exact, so every spike is NEST's, and its Poisson input is what theory says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from matched_networks import dc, driven, equivalent, frozen, kinds, larger
from scipy import stats

from mc_interchange import NetworkInstance, export
from mc_interchange.equivalence import compare_spikes
from mc_interchange.equivalence.probes import check_probe, probe
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, MixedNeurons, Nodes
from mc_interchange.network import Neuron, PoissonActivity, PoissonInput, Simulation, StepCurrent, VoltageRecording
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml.neuron import compiler_missing
from mc_interchange.runners.neuron import NeuronProgramRunner
from mc_interchange.runs import SPIKES_FILE, Run

if find_spec("neuron") is None:
    pytest.skip("neuron is not installed", allow_module_level=True)

pytestmark = pytest.mark.skipif(compiler_missing() is not None, reason=f"{compiler_missing()}")

RunNeuron = Callable[[NetworkInstance], Run]
DT = 0.1
BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "I_e": 0.0}


def exported(instance: NetworkInstance, directory: Path) -> tuple[Path, Path]:
    """Export an instance, and return where, and an empty directory."""
    scratch = directory / "scratch"
    scratch.mkdir(parents=True)
    return export(instance, "neuron", directory / "export").path, scratch


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A run of :func:`dc` by the runner as it is, which compiles the mechanisms, and where they are."""
    path, scratch = exported(dc(), tmp_path_factory.mktemp("first"))
    run = NeuronProgramRunner().run_files(path, scratch, threads=None, progress=Silent())
    return run, scratch / "out" / "mechanisms"


@pytest.fixture
def run_neuron(first: tuple[Run, Path], tmp_path: Path) -> RunNeuron:
    """Export an instance and run it, with the mechanisms that have been compiled already."""
    count = iter(range(9))

    class Runner(NeuronProgramRunner):
        def arguments(self) -> tuple[str, ...]:
            return ("--mechanisms", str(first[1]))

    def run(instance: NetworkInstance) -> Run:
        path, scratch = exported(instance, tmp_path / str(next(count)))
        return Runner().run_files(path, scratch, threads=None, progress=Silent())

    return run


def assert_identical(instance: NetworkInstance, run: Run, at_least: int) -> Run:
    reference = NestRunner().run(instance)
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= at_least  # silence cannot pass
    return reference


# --- spikes and potentials


def test_pd14_under_direct_current_fires_as_in_nest(first: tuple[Run, Path]) -> None:
    instance = dc()
    assert_identical(instance, first[0], 1000)
    # the comparison sees one changed weight
    edges = instance.projections["L4I_to_L4E"]
    block = next(edges.blocks())
    weight = block.weight.copy()
    weight[20] *= 1.5
    changed = ArrayEdges(edges.name, edges.source, edges.target, replace(block, weight=weight))
    mutant = replace(instance, projections={**instance.projections, edges.name: changed})
    assert not compare_spikes(NestRunner().run(mutant), first[0]).identical


def test_pd14_with_frozen_poisson_input_fires_as_in_nest(run_neuron: RunNeuron) -> None:
    instance = frozen()
    assert_identical(instance, run_neuron(instance), 1000)


@pytest.mark.slow
@pytest.mark.parametrize("network", [dc, frozen])
def test_identical_at_a_finer_resolution(run_neuron: RunNeuron, network: Callable[[float], NetworkInstance]) -> None:
    instance = network(0.025)
    assert_identical(instance, run_neuron(instance), 1000)


@pytest.mark.slow
def test_a_larger_network(run_neuron: RunNeuron) -> None:
    """Also in the last step, whose spikes NEURON notices in the next one."""
    instance = larger()
    run = run_neuron(instance)
    assert_identical(instance, run, 3000)
    assert max(spikes.steps.max() for spikes in run.spikes.values()) == instance.simulation.n_steps


@pytest.mark.slow
def test_a_long_run(run_neuron: RunNeuron) -> None:
    """NEURON adds up its time in floating point; 200,000 steps do not move a spike."""
    instance = replace(dc(), simulation=Simulation(dt=DT, duration=20_000.0))
    assert_identical(instance, run_neuron(instance), 50_000)


@pytest.mark.filterwarnings("ignore:.*are not multiples of dt")
@pytest.mark.parametrize("dt", [DT, pytest.param(0.025, marks=pytest.mark.slow)])
def test_all_kinds_of_input(run_neuron: RunNeuron, dt: float) -> None:
    """Measured: potentials differ by at most 5e-13 mV."""
    instance = kinds(dt)
    run = run_neuron(instance)
    reference = assert_identical(instance, run, 500)
    for name, report in reference.voltages.items():
        ours = run.voltages[name]
        np.testing.assert_array_equal(ours.neurons, report.neurons)
        np.testing.assert_allclose(ours.times[: len(report.times)], report.times, atol=1e-9)
        np.testing.assert_allclose(ours.values[: len(report.values)], report.values, rtol=0, atol=1e-11)


def corners() -> NetworkInstance:
    """Six neurons with refractory times beside the grid, connected all to all with delays of one step and more."""
    size = 6
    t_ref = np.array([0.0, 0.04, 0.1, 0.25, 2.0, 3.14])
    neuron = Neuron(model="iaf_psc_exp", parameters={**BASE, "I_e": 900.0})
    nodes = Nodes("A", size, neuron=neuron, V_m=np.full(size, -65.0), varying={"t_ref": t_ref, "E_L": -65.0 - t_ref})
    # 40 synapses; some connect a neuron with itself, some the same two neurons with the same delay
    generator = np.random.default_rng(8)
    columns = generator.integers(0, size, (2, 40)).astype(np.uint32)
    delay = np.array([1, 1, 2, 15, 213], np.int32)[np.arange(40) % 5]
    block = EdgeBlock(columns[0], columns[1], generator.normal(20.0, 60.0, 40), delay)
    # several spikes in one step, in the first step, and in the last steps, of which the last arrives too late
    trains = ArrayTrains.from_lists([[0.1, 5.0, 5.0, 5.0, 49.8], [0.05, 20.0, 49.8, 50.0]])
    inputs = EdgeBlock(
        *(np.array(c, d) for c, d in (([0, 1], "u4"), ([3, 0], "u4"), ([9e3, 2e5], "f8"), ([1, 1], "i4")))
    )
    return NetworkInstance(
        "corners",
        {"A": nodes, "S": Nodes("S", 2, activity=trains)},
        {"AA": ArrayEdges("AA", "A", "A", block), "SA": ArrayEdges("SA", "S", "A", inputs)},
        (
            StepCurrent(name="one", target="A", amplitude=300.0, start=0.0, stop=10.0, delay=0.1),
            StepCurrent(name="two", target="A", amplitude=-700.0, start=5.0, stop=20.0, delay=0.1, neurons=(0, 4)),
            StepCurrent(name="long", target="A", amplitude=-20.0, start=30.0, stop=90.0, delay=0.1),
        ),
        Simulation(dt=DT, duration=50.0),
    )


@pytest.mark.filterwarnings("ignore:.*are not multiples of dt")
def test_corners(run_neuron: RunNeuron) -> None:
    instance = corners()
    block = next(instance.projections["AA"].blocks())
    assert (block.source == block.target).any()
    run = run_neuron(instance)
    assert_identical(instance, run, 70)
    ever = run.spikes["A"].steps[run.spikes["A"].neurons == 0]
    assert (np.diff(ever) == 1).any()  # without a refractory time, it fires in every step
    assert [run.spikes[name].steps.max() for name in "AS"] == [500, 500]


def all_models(dt: float) -> NetworkInstance:
    """All models for which there are mechanisms, also in one population, that excite and inhibit each other."""
    common = {"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -63.0, "t_ref": 1.5, "I_e": 340.0}
    models = {
        "exp": neuron_from_nest("iaf_psc_exp", {**common, "tau_syn_in": 1.0})[0],
        # a time constant that is almost that of the membrane, and one that is far from it
        "alpha": neuron_from_nest("iaf_psc_alpha", {**common, "tau_syn_ex": 9.99, "tau_syn_in": 0.08})[0],
        "delta": neuron_from_nest("iaf_psc_delta", common)[0],
        "keeping": neuron_from_nest("iaf_psc_delta", {**common, "refractory_input": True})[0],
    }
    size = 8
    generator = np.random.default_rng(5)
    which = (np.arange(size) % 4).astype(np.uint32)
    kinds = {**models, "mixed": MixedNeurons(tuple(models.values()), which)}
    populations = {
        name: Nodes(name, size, neuron=neuron, V_m=generator.uniform(-65, -52, size)) for name, neuron in kinds.items()
    }
    times = generator.integers(1, 195 / dt, 400) * dt
    trains = ArrayTrains(4, generator.integers(0, 4, 400), np.concatenate([times[:-3], [50.0, 50.0, 50.0]]))
    populations["S"] = Nodes("S", 4, activity=trains)
    projections = {}
    for source in populations:
        for target in kinds:
            size_of = [populations[name].size for name in (source, target)]
            ids = (generator.integers(0, n, 30).astype(np.uint32) for n in size_of)
            # mV, or pA
            unit = 1.2 if target in ("delta", "keeping") else 60.0
            delay = generator.choice([1, 1, 4, 15], 30).astype(np.int32)
            block = EdgeBlock(*ids, generator.normal(0.2, 1.0, 30) * unit, delay)
            name = f"{source}_to_{target}"
            projections[name] = ArrayEdges(name, source, target, block)
    current = StepCurrent(name="more", target="mixed", amplitude=150.0, start=30.0, stop=60.0, delay=dt)
    record = tuple(VoltageRecording(population=name, neurons=tuple(range(size)), interval=dt) for name in kinds)
    simulation = Simulation(dt=dt, duration=200.0, record_V_m=record)
    return NetworkInstance("all_models", populations, projections, (current,), simulation)


@pytest.mark.parametrize("dt", [DT, pytest.param(0.025, marks=pytest.mark.slow)])
def test_all_models(run_neuron: RunNeuron, dt: float) -> None:
    """Measured: potentials differ by at most 3e-13 mV."""
    instance = all_models(dt)
    run = run_neuron(instance)
    reference = assert_identical(instance, run, 1500)
    for name, report in reference.voltages.items():
        assert len(reference.spikes[name]) > 100
        np.testing.assert_allclose(run.voltages[name].values[: len(report.values)], report.values, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("dt", "changes"),
    [
        (0.1, {"I_e": 300.0, "tau_syn_in": 10.0, "t_ref": 0.5, "V_reset": -62.0}),
        pytest.param(0.1, {"tau_syn_ex": 9.9999999, "I_e": 300.0}, marks=pytest.mark.slow),
        (0.025, {"C_m": 100.0, "E_L": -70.0, "tau_syn_ex": 3.0, "I_e": 250.0}),
    ],
)
def test_one_neuron_does_what_the_closed_form_says(run_neuron: RunNeuron, dt: float, changes: dict[str, float]) -> None:
    """Potentials to 1e-9 mV (measured: 5e-13), with time constants that are equal, or almost."""
    neuron = Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})
    run = run_neuron(probe(neuron, dt))
    assert [figure for figure in check_probe(run, neuron, neuron, "neuron") if not figure.passed] == []
    wrong = Neuron(model="iaf_psc_exp", parameters={**neuron.parameters, "tau_m": 10.0001})
    assert not all(figure.passed for figure in check_probe(run, wrong, neuron, "neuron"))


# --- Poisson input

#: A neuron that forgets within a step: its potential tells what has arrived in the last one.
FORGETFUL = {**BASE, "C_m": 1.0, "tau_m": 0.005, "tau_syn_ex": 0.002, "tau_syn_in": 0.002, "V_th": 1e9}


def counter(size: int, duration: float) -> tuple[Nodes, Simulation]:
    nodes = Nodes("A", size, neuron=Neuron(model="iaf_psc_exp", parameters=FORGETFUL), V_m=np.full(size, -65.0))
    record = (VoltageRecording(population="A", neurons=tuple(range(size)), interval=DT),)
    return nodes, Simulation(dt=DT, duration=duration, record_V_m=record, seed=3)


def arrivals(run: Run) -> np.ndarray:
    """Return the weights that arrive at each neuron at each step, shape (n_steps - 1, n_neurons)."""
    tau_m, tau_syn = FORGETFUL["tau_m"], FORGETFUL["tau_syn_ex"]
    # the common form of the propagator: here nothing cancels
    P21 = (np.exp(-DT / tau_m) - np.exp(-DT / tau_syn)) / (1 / tau_syn - 1 / tau_m)
    above = run.voltages["A"].values + 65.0
    found = (above[1:] - above[:-1] * np.exp(-DT / tau_m)) / P21
    return np.rint(found)


def test_poisson_input_has_the_right_counts(run_neuron: RunNeuron) -> None:
    """Each step and neuron, its number is Poisson distributed, and independent of all others."""
    size, duration, rate = 40, 400.0, 12_800.0
    nodes, simulation = counter(size, duration)
    inputs = (
        PoissonInput(name="all", target="A", rate=rate, weight=1000.0, delay=0.3),
        # a mean of 50 per step, drawn in parts, in a window
        PoissonInput(name="some", target="A", rate=5e5, weight=-1e6, delay=1.0, start=10, stop=20, neurons=(0, 5)),
    )
    instance = NetworkInstance("count", {"A": nodes}, {}, inputs, simulation)
    found = arrivals(run_neuron(instance))
    # both inputs are whole multiples of their weights
    few = np.rint(found / 1000) % 1000
    many = (few - np.rint(found / 1000)) / 1000
    assert not few[:4].any()
    counts = few[4:]
    assert counts.sum() > 100_000
    mean = rate * DT / 1000
    top = 6
    observed = np.bincount(np.minimum(counts.astype(int).ravel(), top), minlength=top + 1)
    expected = stats.poisson.pmf(np.arange(top + 1), mean)
    expected[top] = stats.poisson.sf(top - 1, mean)
    assert stats.chisquare(observed, expected * counts.size).pvalue > 1e-3
    correlation = np.corrcoef(counts.T)[np.triu_indices(size, 1)]
    bound = stats.norm.isf(1e-3 / len(correlation)) / np.sqrt(len(counts))
    assert np.abs(correlation).max() < bound
    assert abs(np.corrcoef(counts[1:].ravel(), counts[:-1].ravel())[0, 1]) < stats.norm.isf(1e-3) / counts.size**0.5
    # the window is NEST's
    rows, neurons = np.nonzero(many)
    assert (rows.min() + 1, rows.max() + 1, {*neurons.tolist()}) == (112, 211, {0, 5})
    rows, _ = np.nonzero(arrivals(NestRunner().run(instance)) < -1e5)
    assert (rows.min() + 1, rows.max() + 1) == (112, 211)
    chosen = many[111:211, [0, 5]]
    assert abs(chosen.mean() - 50) < 3.3 * np.sqrt(50 / chosen.size)
    assert 0.6 < chosen.var() / 50 < 1.5


def test_sources_with_poisson_activity_send_the_same_spikes_to_all_targets(run_neuron: RunNeuron) -> None:
    nodes, simulation = counter(40, 200.0)
    sources = Nodes("S", 20, activity=PoissonActivity(rate=4000.0, start=50.0, stop=150.0))
    columns = ((np.arange(40) // 2, "u4"), (np.arange(40), "u4"), (np.full(40, 1000.0), "f8"), (np.full(40, 7), "i4"))
    edges = ArrayEdges("SA", "S", "A", EdgeBlock(*(np.asarray(c, d) for c, d in columns)))
    instance = NetworkInstance("sources", {"A": nodes, "S": sources}, {"SA": edges}, (), simulation)
    run = run_neuron(instance)
    spikes = run.spikes["S"]
    assert abs(len(spikes) - 8000) < 3.3 * np.sqrt(8000)
    for steps in (spikes.steps, NestRunner().run(instance).spikes["S"].steps):
        assert (steps.min(), steps.max()) == (503, 1502)
    emitted = np.zeros((2001, 20))
    np.add.at(emitted, (spikes.steps, spikes.neurons), 1)
    expected = np.repeat(emitted, 2, axis=1)
    found = arrivals(run)  # at the steps from 1 on
    np.testing.assert_array_equal(found[6:] / 1000, expected[: len(found) - 6])


@pytest.mark.slow
def test_rates_under_poisson_input_are_equal(run_neuron: RunNeuron) -> None:
    """Two one-sided tests at 5 % that the mean rates of each population lie within 10 % of each other."""
    reference, run = NestRunner().run(driven()), run_neuron(driven())
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)
        # the test has the power to reject what is wrong by as much
        assert not equivalent(NestRunner().run(driven(weight=330.0)), run, name)


# --- mechanisms


def program(path: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(path / "run.py"), *map(str, arguments)]
    place = {**os.environ, **environment}
    return subprocess.run(command, cwd=path.parent, env=place, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_glia_inserts_the_mechanisms_of_the_installed_package(first: tuple[Run, Path], tmp_path: Path) -> None:
    for package in ("glia", "patch"):
        if find_spec(package) is None:
            pytest.skip(f"nmodl-glia[neuron] is not installed ({package})")
    path, _ = exported(dc(), tmp_path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    refused = program(path, "--mechanisms", "glia")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"run.py: --mechanisms glia: the package is not installed; pip install {path / 'mechanisms'}"
    )
    # a copy, since setuptools builds beside the package
    copy, target, home = tmp_path / "copy", tmp_path / "target", tmp_path / "home"
    shutil.copytree(path / "mechanisms", copy)
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", "install", *offline, "--target", target, copy], check=True)
    home.mkdir()
    done = program(path, "--mechanisms", "glia", "--out", tmp_path / "out", PYTHONPATH=str(target), HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out/glia").rglob("libnrnmech*"))
    # neither beside the circuit nor at home
    assert not [*home.iterdir()]
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    ours = (first[1].parent / SPIKES_FILE).read_bytes()
    assert (tmp_path / "out" / SPIKES_FILE).read_bytes() == ours
    # another version than this program's
    mod = next(target.glob("*/mods/iaf_psc_exp__0.mod"))
    mod.write_text(mod.read_text().replace("tau_m = 10", "tau_m = 11"))
    refused = program(path, "--mechanisms", "glia", "--out", tmp_path / "other", PYTHONPATH=str(target), HOME=str(home))
    assert "another version is installed" in refused.stderr.splitlines()[-1]


def test_mechanisms_that_are_not_there(first: tuple[Run, Path], tmp_path: Path) -> None:
    path, _ = exported(corners(), tmp_path)
    refused = program(path, "--mechanisms", tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"run.py: --mechanisms {tmp_path}: there is no */libnrnmech, which nrnivmodl makes"
    )
