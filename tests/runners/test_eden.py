"""The EDEN runner on the real EDEN: what it computes, explained to the last spike, and which spikes it loses."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from eden_runs import DT, exported, needs_compiler, neuron, quiet, run
from eden_update import eden_spikes
from numpy.typing import NDArray

from mc_interchange.cli.run import command
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import NotRepresentableError, SimulationError
from mc_interchange.export import export
from mc_interchange.instance import freeze_inputs, realize
from mc_interchange.network import (
    Explicit,
    FixedTotalNumber,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    SpikeTrains,
    StepCurrent,
    TruncatedNormal,
    VirtualPopulation,
    VoltageRecording,
)
from mc_interchange.reading import build
from mc_interchange.runners.neuroml import eden
from mc_interchange.runs import Run, read_run

# not imported: it needs modules that newer Pythons and setuptools lack
pytestmark = pytest.mark.skipif(find_spec("eden_simulator") is None, reason="eden-simulator is not installed")


def spikes_of(found: Run) -> list[tuple[int, str, int]]:
    return sorted(
        (step, name, index)
        for name, spikes in found.spikes.items()
        for step, index in zip(spikes.steps.tolist(), spikes.neurons.tolist(), strict=True)
    )


def recurrent(duration: float = 200.0, dt: float = DT, g: float = -4.0) -> Network:
    """Driven above threshold, with autapses, several synapses of one pair, and a replayed source."""
    delay = {s: TruncatedNormal(mean=m, sd=m / 2, min=dt, max=1.9) for s, m in (("E", 1.2), ("I", 0.7))}
    weight = {"E": Normal(mean=60.0, sd=6.0), "I": Normal(mean=60.0 * g, sd=6.0)}
    return Network(
        name="recurrent",
        populations=(
            *(
                Population(name=name, size=size, neuron=neuron(I_e=I_e), initial_V_m=Normal(mean=-58.0, sd=4.0))
                for name, size, I_e in (("E", 24, 420.0), ("I", 6, 440.0))
            ),
            VirtualPopulation(
                name="T", size=2, activity=SpikeTrains(times=(tuple(np.arange(5.0, duration, 7.0).tolist()), (3.2,)))
            ),
        ),
        projections=(
            *(
                Projection(source=s, target=t, rule=FixedTotalNumber(number=n), weight=weight[s], delay=delay[s])
                for s, t, n in (("E", "E", 150), ("E", "I", 40), ("I", "E", 40), ("I", "I", 12))
            ),
            Projection(source="T", target="E", rule=FixedTotalNumber(number=12), weight=300.0, delay=1.5),
        ),
        simulation=Simulation(dt=dt, duration=duration, record_spikes=("E", "I", "T")),
    )


@needs_compiler
@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_every_spike_follows_from_the_rule_of_its_steps(dt: float, tmp_path: Path) -> None:
    """So there are no other reasons for a deviation than those that are written down there."""
    network = recurrent(dt=dt)
    instance = realize(network, 1)
    assert any(np.any(b.source == b.target) for e in instance.projections.values() for b in e.blocks())
    found = run(exported(network, tmp_path / "net"), tmp_path / "work")
    expected = eden_spikes(instance)
    assert len(expected) > 150
    assert [spike for spike in spikes_of(found) if spike[1] != "T"] == expected
    # and what is replayed comes out as it was put in
    trains = [(round(t / dt), "T", i) for i, times in enumerate(network.populations[2].activity.times) for t in times]
    assert [spike for spike in spikes_of(found) if spike[1] == "T"] == sorted(trains)
    assert found.sizes == {"E": 24, "I": 6, "T": 2}
    assert (found.simulator, found.dt, found.duration, found.threads) == ("eden", dt, 200.0, 1)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize(("dt", "n_spikes"), [(0.1, 1259), (0.025, 1245)])
def test_a_microcircuit_follows_it_too(dt: float, n_spikes: int, tmp_path: Path) -> None:
    """And single precision changes no spike at 0.1 ms, while at 0.025 ms it does (measured: from 221 ms on)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compensation counts with the model's own rate
        network = build(
            "pd14", n_scale=0.002, k_scale=0.01, background="dc", bg_rate=12.0, duration=300.0, discard=0.0, dt=dt
        )
    instance = realize(network)
    found = run(export(instance, "neuroml", tmp_path / "net").path, tmp_path / "work")
    assert spikes_of(found) == eden_spikes(instance)
    assert found.n_spikes == n_spikes
    assert (eden_spikes(instance, np.float64) == eden_spikes(instance)) == (dt == 0.1)


@needs_compiler
def test_threads_change_nothing(tmp_path: Path) -> None:
    path = exported(recurrent(), tmp_path / "net", duration=50.0)
    one, two = run(path, tmp_path / "1"), run(path, tmp_path / "2", threads=2)
    assert one.n_spikes > 30
    assert compare_spikes(one, two).identical
    assert two.threads == 2


@needs_compiler
def test_mc_run_with_a_frozen_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another format, with sources that fire faster than their spikes arrive; first spikes as in NEST."""
    monkeypatch.chdir(tmp_path)
    network = recurrent(60.0).model_copy(
        update={"inputs": (PoissonInput(name="noise", target="I", rate=900.0, weight=120.0, delay=1.5),)}
    )
    instance = freeze_inputs(realize(network, 1))
    export(instance, "sonata", tmp_path / "net")
    for simulator in ("nest", "eden"):
        done = CliRunner().invoke(command, ["net", "--simulator", simulator, "--out", simulator, "--quiet"])
        assert done.exit_code == 0, done.output
    reference, found = read_run("nest"), read_run("eden")
    assert found.source_digest == reference.source_digest
    assert found.n_spikes == pytest.approx(reference.n_spikes, rel=0.1)
    for name in ("E", "I"):
        first = [
            {n: s for s, n in reversed(list(zip(r.spikes[name].steps, r.spikes[name].neurons, strict=True)))}
            for r in (reference, found)
        ]
        assert len(first[0]) > 4
        apart = [abs(int(first[1][n]) - int(step)) for n, step in first[0].items() if n in first[1]]
        # measured: 1 step
        assert np.median(apart) <= 3


# --- one spike underway


def pair(delay: float, duration: float = 60.0) -> Network:
    """A neuron that fires every 3.6 ms in EDEN, and another one whose potential tells what arrives."""
    return Network(
        name="pair",
        populations=(
            Population(name="A", size=1, neuron=neuron(I_e=2700.0, t_ref=2.0), initial_V_m=-65.0),
            Population(name="B", size=1, neuron=neuron(V_th=1e6), initial_V_m=-65.0),
        ),
        projections=(
            Projection(source="A", target="B", rule=Explicit(sources=(0,), targets=(0,)), weight=100.0, delay=delay),
        ),
        simulation=Simulation(
            dt=DT, duration=duration, record_V_m=(VoltageRecording(population="B", neurons=(0,), interval=DT),)
        ),
    )


def arrivals(V: NDArray[np.float64], jump: float = 100.0) -> list[int]:
    """Return the steps at whose end the synaptic current of a neuron at rest has jumped (V in mV, from dt on)."""
    V = np.concatenate([[-65.0], V]) + 65.0
    current = (V[1:] - V[:-1] * (1 - DT / 10)) * 250 / DT
    # in the step of an arrival the current does not decay: that is less than the jump
    return (np.flatnonzero(current[1:] - current[:-1] * (1 - DT / 0.5) > jump / 2) + 1).tolist()


def kept(steps: list[int], delay: int) -> list[int]:
    """Return those spikes that a connection transmits which holds one at a time."""
    found: list[int] = []
    for step in steps:
        if not found or step - found[-1] >= delay:
            found.append(step)
    return found


@needs_compiler
@pytest.mark.parametrize("delay", [3.5, 3.6, 3.7, 7.2, 7.3])
def test_exactly_the_spikes_that_were_predicted_are_lost(
    delay: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eden, "check_after", lambda *_: None)
    found = run(exported(pair(delay), tmp_path / "net"), tmp_path / "work")
    fired = found.spikes["A"].steps.tolist()
    assert set(np.diff(fired).tolist()) == {36}
    steps = round(delay / DT)
    expected = [step for step in kept(fired, steps) if step + steps + 2 < 598]
    assert (len(kept(fired, steps)) < len(fired)) == (steps > 36)
    # two steps late: one behind the threshold, one until the connection looks
    assert [step - steps - 2 for step in arrivals(found.voltages["B"].values[:, 0])] == expected


@needs_compiler
def test_a_run_that_loses_a_spike_is_refused(tmp_path: Path) -> None:
    assert run(exported(pair(3.6), tmp_path / "a"), tmp_path / "1").n_spikes > 10
    with pytest.raises(SimulationError) as refusal:
        run(exported(pair(3.7), tmp_path / "b"), tmp_path / "2")
    first, second = (step * DT for step in eden_spikes_of_the_first(pair(3.7)))
    assert f"neuron 0 of A fires at {first:.3g} and {second:.3g} ms, and one of its delays is 3.7 ms" in str(
        refusal.value
    )
    assert "(neurons that lose spikes: 1); choose another simulator" in str(refusal.value)


def eden_spikes_of_the_first(network: Network) -> list[int]:
    return [step for step, name, _ in eden_spikes(realize(network, 1)) if name == "A"][:2]


@needs_compiler
def test_what_cannot_be_told_is_warned_of(tmp_path: Path) -> None:
    with pytest.warns(
        UserWarning, match="the spikes of A are not recorded, so it cannot be told whether EDEN lost some"
    ):
        run(exported(pair(3.7, duration=20.0), tmp_path / "a", record_spikes=("B",)), tmp_path / "1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(exported(pair(0.1, duration=20.0), tmp_path / "b", record_spikes=("B",)), tmp_path / "2")


def replayed(interval: float, delay: float = 1.5) -> Network:
    return Network(
        name="replayed",
        populations=(
            VirtualPopulation(
                name="T", size=2, activity=SpikeTrains(times=((4.0,), (2.0, 9.0, round(9.0 + interval, 6))))
            ),
            Population(name="B", size=1, neuron=neuron(V_th=1e6), initial_V_m=-65.0),
        ),
        projections=(
            Projection(source="T", target="B", rule=Explicit(sources=(1,), targets=(0,)), weight=100.0, delay=delay),
        ),
        simulation=Simulation(
            record_spikes=("T", "B"),
            dt=DT,
            duration=20.0,
            record_V_m=(VoltageRecording(population="B", neurons=(0,), interval=DT),),
        ),
    )


@needs_compiler
def test_a_source_whose_spike_would_be_lost_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(exported(replayed(1.5), tmp_path / "a"), tmp_path / "1")
    # one step late: it looks at its spikes at the beginning of a step
    assert [step - 15 - 1 for step in arrivals(found.voltages["B"].values[:, 0])] == [20, 90, 105]
    # spread over two, all of them arrive
    found = run(exported(replayed(1.4), tmp_path / "c", spread_spikes=True), tmp_path / "3")
    assert [step - 15 - 1 for step in arrivals(found.voltages["B"].values[:, 0])] == [20, 90, 104]
    assert found.spikes["T"].steps.tolist() == [20, 40, 90, 104]
    assert found.spikes["T"].neurons.tolist() == [1, 0, 1, 1]
    # two sources, a copy of one, and a neuron: what is the same was compiled once
    assert len(list((tmp_path / "3").glob("*.gen.c"))) == 4
    assert len(list((tmp_path / "3" / "compiler").glob("*.c"))) == 2
    monkeypatch.setattr(eden, "run_tool", None)
    with pytest.raises(NotRepresentableError) as refusal:
        run(exported(replayed(1.4), tmp_path / "b"), tmp_path / "2")
    assert (
        "the source T_1 fires at 9 and 10.4 ms, and one of its delays is 1.5 ms; export with --spread-spikes, or"
        in str(refusal.value)
    )


@needs_compiler
@pytest.mark.parametrize(("duration", "steps"), [("2ms", 21), ("1.95ms", 20)])
def test_a_current_that_ends_on_a_step_is_on_for_one_more(duration: str, steps: int, tmp_path: Path) -> None:
    """So it is told; one that ends between two steps is on for those that it covers."""
    recordings = (VoltageRecording(population="A", neurons=(0,), interval=DT),)
    current = StepCurrent(name="pulse", target="A", amplitude=50.0, start=4.0, stop=6.0)
    network = quiet(inputs=(current,)).model_copy(
        update={"simulation": Simulation(duration=20.0, record_V_m=recordings)}
    )
    path = exported(network, tmp_path / "net")
    cells = path / "quiet.cells.nml"
    text = cells.read_text(encoding="utf-8")
    assert 'duration="2ms"' in text
    cells.write_text(text.replace('duration="2ms"', f'duration="{duration}"'), encoding="utf-8")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = run(path, tmp_path / "work")
    assert [str(w.message) for w in told] == ["EDEN leaves the current of pulse on for one step more than it lasts"] * (
        steps == 21
    )
    V = np.concatenate([[-65.0], found.voltages["A"].values[:, 0]]) + 65.0
    current_of_each = (V[1:] - V[:-1] * (1 - DT / 10)) * 250 / DT
    assert np.count_nonzero(current_of_each > 25) == steps
