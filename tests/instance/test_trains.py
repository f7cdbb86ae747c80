"""Spike trains, and freezing Poisson input into them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, poisson

from mc_interchange import NetworkInstance, build, export, open_model, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import ModelError
from mc_interchange.instance import ArrayTrains, PoissonTrains, Trains, freeze, freeze_inputs, trains
from mc_interchange.network import Network, PoissonActivity, PoissonInput, parse_network
from mc_interchange.runners.nest import NestRunner


def everything(source: Trains) -> tuple[np.ndarray, np.ndarray]:
    blocks = list(source.blocks())
    return np.concatenate([b.sources for b in blocks]), np.concatenate([b.times for b in blocks])


def poisson_trains(size: int = 200, rate: float = 40.0, **others: float) -> PoissonTrains:
    activity = PoissonActivity(rate=rate, start=others.pop("start", 0.0), stop=others.pop("stop", None))
    return PoissonTrains(size, activity, "P", **{"seed": 3, "dt": 0.1, "duration": 1000.0, **others})


def test_spikes_are_sorted_by_source_and_time() -> None:
    given = ArrayTrains(4, [2, 0, 2, 2, 3], [5.0, 1.0, 4.0, 4.0, 0.1])
    ids, times = everything(given)
    assert ids.tolist() == [0, 2, 2, 2, 3]
    assert times.tolist() == [1.0, 4.0, 4.0, 5.0, 0.1]
    assert [t.tolist() for b in given.blocks() for t in b.trains()] == [[1.0], [], [4.0, 4.0, 5.0], [0.1]]
    assert given == ArrayTrains.from_lists([[1.0], [], [4.0, 4.0, 5.0], [0.1]])
    assert given != ArrayTrains.from_lists([[1.0], [4.0], [4.0, 5.0], [0.1]])


@pytest.mark.parametrize(
    ("sources", "times", "message"),
    [
        ([0, 1], [1.0], "must have one length"),
        ([0, 3], [1.0, 2.0], "sources must be from 0 to 2, got 0 to 3"),
        ([-1], [1.0], "sources must be from 0 to 2, got -1 to -1"),
        ([0], [0.0], "times must be finite and above 0 ms"),
        ([0], [np.nan], "times must be finite and above 0 ms"),
    ],
)
def test_wrong_trains_are_refused(sources: list[int], times: list[float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ArrayTrains(3, sources, times)


def test_blocks_do_not_change_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = poisson_trains()
    held = ArrayTrains(drawn.size, *everything(drawn))
    assert drawn == held
    before = drawn.digest()
    for size in (1, 100):
        monkeypatch.setattr(freeze, "BLOCK_SPIKES", size)
        monkeypatch.setattr(trains, "BLOCK_SPIKES", size)
        assert len(list(drawn.blocks())) > 1
        assert drawn.digest() == held.digest() == before


def test_counts_are_poisson_and_steps_uniform() -> None:
    drawn = poisson_trains(size=2000, rate=50.0)
    ids, times = everything(drawn)
    steps = np.rint(times / 0.1).astype(int)
    assert np.allclose(times, steps * 0.1, atol=1e-9)
    assert (steps.min(), steps.max()) == (2, 10_000)
    counts = np.bincount(ids.astype(int), minlength=2000)
    mean = 50.0 * 0.9999
    dispersion = ((counts - counts.mean()) ** 2).sum() / counts.mean()
    assert chi2.cdf(dispersion, 1999) == pytest.approx(0.5, abs=0.499)
    assert poisson.cdf(counts.sum(), mean * 2000) == pytest.approx(0.5, abs=0.499)
    per_bin = np.histogram(steps, bins=np.linspace(1.5, 10_000.5, 51))[0]
    assert chi2.cdf(((per_bin - per_bin.mean()) ** 2).sum() / per_bin.mean(), 49) == pytest.approx(0.5, abs=0.499)
    assert drawn.n_spikes == len(times)
    assert drawn.expected == pytest.approx(mean * 2000)


def test_the_window_is_kept() -> None:
    times = everything(poisson_trains(rate=500.0, start=20.0, stop=20.5))[1]
    assert set(np.rint(times * 10).astype(int)) == {202, 203, 204, 205, 206}
    assert poisson_trains(start=1000.0, rate=500.0).n_spikes == 0
    assert poisson_trains(rate=0.0).n_spikes == 0


@pytest.mark.parametrize(("start", "stop"), [(0.0, 20.0), (5.0, 20.0), (1.0, 2.0)])
def test_the_window_is_that_of_the_generator_in_nest(start: float, stop: float) -> None:
    network = parse_network(f"""
name: window
populations:
- {{name: E, size: 1, initial_V_m: -70, neuron: {{model: iaf_psc_delta, parameters: {{C_m: 250, tau_m: 1000, t_ref: 2,
   E_L: -70, V_th: 1000000, V_reset: -70}}}}}}
inputs:
- {{kind: poisson, name: b, target: E, rate: 1000000.0, weight: 1 mV, delay: 1.0, start: {start}, stop: {stop}}}
simulation: {{duration: 30.0, record_V_m: [{{population: E, neurons: [0], interval: 0.1}}]}}
""")
    drawn = realize(network)
    windows = []
    for instance in (drawn, freeze_inputs(drawn)):
        potential = NestRunner().run(instance).voltages["E"].values[:, 0]
        rises = np.flatnonzero(np.diff(potential) > 0.5)
        windows.append((rises[0], rises[-1]))
    assert windows[0] == windows[1]


def test_seed_and_name_fix_the_spikes() -> None:
    assert poisson_trains() == poisson_trains()
    assert poisson_trains() != poisson_trains(seed=4)
    other = PoissonTrains(200, PoissonActivity(rate=40.0), "Q", seed=3, dt=0.1, duration=1000.0)
    assert poisson_trains() != other
    # part of the definition of a realisation: never to change
    assert poisson_trains().digest() == "41d29ca799661f3e9c4bc1be80724349"


def test_frozen_rules_say_the_same(small_network: Network) -> None:
    instance = realize(small_network, 5)
    frozen = freeze_inputs(instance)
    assert frozen.inputs == ()
    assert list(frozen.populations) == ["E", "I", "TH", "background"]
    assert isinstance(frozen.populations["TH"].activity, PoissonTrains)
    assert frozen.network is not None
    assert frozen.network.population("background").activity == PoissonActivity(rate=8000.0)
    again = realize(frozen.network, 5)
    assert again.digest().edges == frozen.digest().edges
    assert frozen.simulation.record_spikes == ("E", "I", "TH")


def test_some_neurons_only(small_network: Network) -> None:
    instance = realize(small_network, 5)
    some = PoissonInput(name="some", target="I", rate=100.0, weight=1 / 3, delay=0.5, neurons=(7, 2))
    frozen = freeze_inputs(replace(instance, inputs=(some,), network=None))
    (block,) = frozen.projections["some_to_I"].blocks()
    assert frozen.populations["some"].size == 2
    assert block.target.tolist() == [2, 7]
    assert block.delay.tolist() == [5, 5]
    assert block.weight.tolist() == [1 / 3, 1 / 3]


def test_a_population_in_the_way_is_refused(small_network: Network) -> None:
    instance = realize(small_network, 5)
    item = instance.inputs[0].model_copy(update={"name": "TH"})
    with pytest.raises(ModelError, match="input TH: cannot be frozen, as there is a population of this name"):
        freeze_inputs(replace(instance, inputs=(item,)))


@pytest.fixture(scope="module")
def active() -> NetworkInstance:
    return realize(build("pd14", n_scale=0.01, k_scale=0.2, thalamus=True, th_start=50.0, duration=200.0, discard=0.0))


def test_frozen_input_drives_like_the_generators(active: NetworkInstance) -> None:
    generators, frozen = NestRunner().run(active), NestRunner().run(freeze_inputs(active))
    assert list(frozen.spikes) == list(active.populations)
    a, b = (sum(len(run.spikes[n]) for n in active.populations if n != "TH") for run in (generators, frozen))
    assert a > 300
    # the counts of two such runs differ by a few standard deviations of a Poisson count at most
    assert abs(a - b) < 6 * np.sqrt(a + b)


def test_frozen_input_survives_sonata_spike_for_spike(active: NetworkInstance, tmp_path: Path) -> None:
    frozen = freeze_inputs(active)
    loaded = open_model(export(frozen, "sonata", tmp_path / "out").path)
    assert loaded.digest() == frozen.digest()
    comparison = compare_spikes(NestRunner().run(frozen), NestRunner().run(loaded, threads=2))
    assert comparison.identical, comparison.divergence
    assert comparison.n_common > 300
