"""Statistics of spikes: against numbers known by hand, and against elephant."""

from __future__ import annotations

import numpy as np
import pytest

from mc_interchange.analysis.statistics import activity_of, correlations, cv_of_intervals, firing_rates
from mc_interchange.runs import Run, Spikes

DT = 0.1


def spikes_of(*trains: list[int]) -> Spikes:
    neurons = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    return Spikes.sorted(np.array([step for train in trains for step in train], dtype=np.int64), neurons)


@pytest.fixture(scope="module")
def irregular() -> Run:
    """60 neurons, 10 of them silent, some with shared input; the first 200 ms are discarded."""
    generator = np.random.default_rng(8)
    common = generator.choice(20_000, 150, replace=False)
    trains = []
    for neuron in range(60):
        own = generator.choice(20_000, generator.integers(1, 120), replace=False)
        steps = np.union1d(own, common[generator.random(150) < 0.2]) + 1
        trains.append([] if neuron % 6 == 0 else steps.tolist())
    return Run("m", "s", DT, 2000.0, 200.0, 1, 1, {"E": 60}, {"E": spikes_of(*trains)})


def test_rates_count_silent_neurons():
    found = firing_rates(spikes_of([1, 2, 3], [], [7], []), 4, 500.0)
    np.testing.assert_array_equal(found, [6.0, 0.0, 2.0, 0.0])


def test_cv_needs_three_spikes():
    regular, two, alternating = [10, 20, 30, 40], [5, 900], [0, 10, 40, 50, 80]
    found = cv_of_intervals(spikes_of(regular, two, [], alternating))
    # intervals 10, 30, 10, 30: mean 20, standard deviation 10
    np.testing.assert_allclose(found, [0.0, 0.5], atol=1e-15)
    assert len(cv_of_intervals(spikes_of([], []))) == 0


def test_correlation_of_equal_and_opposite_counts():
    bins = 20  # steps
    even, odd = [1 + bins * i for i in range(0, 100, 2)], [1 + bins * i for i in range(1, 100, 2)]
    found = correlations(spikes_of(even, even, odd), 3, DT, 0.0, 200.0)
    np.testing.assert_allclose(found, [1.0, -1.0, -1.0], atol=1e-12)


def test_a_spike_belongs_to_the_time_before_it():
    """Steps 1 to 20 are the first bin of 2 ms: 20 and 1 fall into one, 21 into the next."""
    found = correlations(spikes_of([1, 41], [20, 60], [21, 61]), 3, DT, 0.0, 10.0)
    assert found[0] == pytest.approx(1.0)
    assert found[1] < 0


def test_correlations_are_of_neurons_that_fire(irregular: Run):
    found = activity_of(irregular)["E"].correlation
    assert len(found) == 50 * 49 // 2
    few = correlations(irregular.spikes["E"], 60, DT, 0.0, 2000.0, n_neurons=10)
    assert len(few) == 45
    np.testing.assert_array_equal(few, correlations(irregular.spikes["E"], 60, DT, 0.0, 2000.0, n_neurons=10))


def test_the_start_is_discarded(irregular: Run):
    counted = np.bincount(irregular.spikes["E"].neurons[irregular.spikes["E"].steps > 2000], minlength=60)
    np.testing.assert_allclose(activity_of(irregular)["E"].rate, counted / 1.8)


def test_silence():
    silent = Run("m", "s", DT, 100.0, 0.0, 1, 1, {"E": 3}, {"E": spikes_of([], [], [])})
    found = activity_of(silent)["E"]
    np.testing.assert_array_equal(found.rate, 0.0)
    assert len(found.CV) == len(found.correlation) == 0


def test_elephant_agrees(irregular: Run):
    neo = pytest.importorskip("neo")
    elephant = pytest.importorskip("elephant.statistics")
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient
    from quantities import ms

    spikes = irregular.spikes["E"]
    kept = spikes.steps > 2000
    trains = [
        # the middle of the step that a spike ends, where no bin begins
        neo.SpikeTrain((spikes.steps[kept & (spikes.neurons == n)] - 0.5) * DT * ms, t_start=200 * ms, t_stop=2000 * ms)
        for n in range(60)
    ]
    ours = activity_of(irregular)["E"]
    np.testing.assert_allclose(ours.rate, [float(elephant.mean_firing_rate(t).rescale("Hz")) for t in trains])
    cvs = [elephant.cv(elephant.isi(train)) for train in trains if len(train) >= 3]
    np.testing.assert_allclose(ours.CV, cvs)
    matrix = correlation_coefficient(BinnedSpikeTrain([t for t in trains if len(t)], bin_size=2 * ms))
    np.testing.assert_allclose(ours.correlation, matrix[np.triu_indices(len(matrix), 1)], atol=1e-12)
