"""Rung four: its statistics on samples and networks whose distributions are known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mc_interchange import build
from mc_interchange.analysis.statistics import MEASURES
from mc_interchange.equivalence import (
    Null,
    Observation,
    compare_statistics,
    null_of,
    observe,
    read_null,
    stored_null,
    write_null,
)
from mc_interchange.equivalence.distances import Histogram, kolmogorov_smirnov, pooled, wasserstein
from mc_interchange.equivalence.null import scale
from mc_interchange.equivalence.statistical import ALPHA, equivalence_of_means
from mc_interchange.errors import FormatError, UsageError
from mc_interchange.reference_models.pd14 import POPULATIONS, PD14Arguments
from mc_interchange.runs import Run, Spikes

SIZES = {"E": 300, "I": 60}
RATES = {"E": 1.5, "I": 5.0}
SECONDS = 4.0


def drawn(rng: np.random.Generator, *, rate: float = 1.0, cv: float = 0.0) -> Observation:
    """What a network of two populations shows: neurons vary, and whole networks do, by 4 % of their rate."""
    histograms, rates, n_spikes = {}, {}, {}
    for name, size in SIZES.items():
        network = rng.normal(0, 0.04)
        counts = rng.poisson(SECONDS * RATES[name] * rate * (1 + network) * rng.lognormal(-0.18, 0.6, size))
        values = {
            "rate": counts / SECONDS,
            "CV": rng.normal(0.7 + cv + 0.1 * network, 0.15, np.count_nonzero(counts >= 3)).clip(0),
            "correlation": rng.normal(0.01 + 0.02 * network, 0.03, 2000),
        }
        for measure, width in (("rate", 1 / SECONDS), ("CV", 0.005), ("correlation", 0.001)):
            histograms[name, measure] = Histogram.of(values[measure], width)
        rates[name] = float(counts.mean() / SECONDS)
        n_spikes[name] = int(counts.sum())
    return Observation(500.0, 1000 * SECONDS, SIZES, n_spikes, rates, histograms)


def several(n: int, seed: int, **changes: float) -> list[Observation]:
    rng = np.random.default_rng(seed)
    return [drawn(rng, **changes) for _ in range(n)]


@pytest.fixture(scope="module")
def null() -> Null:
    return null_of(several(20, 1))


@pytest.mark.parametrize("seed", range(20))
def test_distances_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 200, 2)
    a, b = (rng.normal(rng.normal(), rng.lognormal(), n).round(2) for n in sizes)
    one, other = Histogram.of(a, 0.01), Histogram.of(b, 0.01)
    assert kolmogorov_smirnov(one, other) == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)
    assert wasserstein(one, other) == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-9)
    both = pooled([one, Histogram.of(np.empty(0), 0.01), other])
    whole = Histogram.of(np.concatenate([a, b]), 0.01)
    assert both.first == whole.first
    np.testing.assert_array_equal(both.counts, whole.counts)


def test_distance_of_samples_that_do_not_overlap_or_are_empty() -> None:
    low, high, none = (Histogram.of(np.array(v), 0.5) for v in ([1.0, 1.5], [7.0, 7.0], []))
    assert kolmogorov_smirnov(low, high) == 1.0
    assert wasserstein(low, high) == 5.75
    assert kolmogorov_smirnov(low, none) == kolmogorov_smirnov(none, low) == 1.0
    assert kolmogorov_smirnov(none, none) == 0.0


@pytest.mark.parametrize(("n", "m"), [(1, 12), (3, 20), (5, 5)])
def test_margin_at_which_the_tests_of_scipy_give_the_level(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    values, reference = rng.normal(5.3, 0.3, n), rng.normal(5.0, 0.3, m)
    found = equivalence_of_means(values, reference.mean(), reference.std(ddof=1), m)
    margin = found.bound
    above = stats.ttest_ind(values + margin, reference, alternative="greater").pvalue if n > 1 else None
    below = stats.ttest_ind(values - margin, reference, alternative="less").pvalue if n > 1 else None
    if n > 1:
        assert max(above, below) == pytest.approx(ALPHA, abs=1e-12)
        interval = stats.ttest_ind(values, reference).confidence_interval(1 - 2 * ALPHA)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    else:  # the interval that predicts a single value
        half = stats.t.isf(ALPHA, m - 1) * reference.std(ddof=1) * math.sqrt(1 + 1 / m)
        assert found.high - found.low == pytest.approx(2 * half)


def test_means_that_are_off_by_the_margin_pass_no_more_often_than_the_level() -> None:
    rng = np.random.default_rng(4)
    margin, passed = 1.5, 0
    for _ in range(2000):
        reference, values = rng.normal(0, 1, 20), rng.normal(margin, 1, 5)
        passed += equivalence_of_means(values, reference.mean(), reference.std(ddof=1), 20).bound <= margin
    assert 0.5 * ALPHA < passed / 2000 < 1.4 * ALPHA


def test_false_alarms_are_as_rare_as_stated_for_all_distances_together() -> None:
    """1 % of 400 comparisons are 4; the limits of each distance alone would give many more."""
    rejected = alone = 0
    for seed in range(20):
        limits = null_of(several(12, 1000 + seed))
        rng = np.random.default_rng(2000 + seed)
        for _ in range(20):
            rung = compare_statistics([drawn(rng) for _ in range(3)], limits)
            found = {figure.name: figure for figure in rung.figures}
            cells = [(found[f"D of {m}, {p}"], limits.populations[p].samples[m]) for p in SIZES for m in MEASURES]
            rejected += not all(figure.passed for figure, _ in cells)
            alone += any(figure.value > sample.D_99 * limits.scale(3) for figure, sample in cells)
    assert rejected <= 10
    assert alone >= 30


def test_scaled_distances_do_not_depend_on_the_number_of_networks() -> None:
    """Although the neurons of a network vary together: 60 draws each, whose mean is known to a few per cent."""
    means = []
    for n, m in ((1, 1), (2, 10), (8, 8)):
        rng = np.random.default_rng(n)
        found = []
        for _ in range(60):
            a, b = ([drawn(rng) for _ in range(number)] for number in (n, m))
            pairs = [[pooled([o.histograms[cell] for o in side]) for side in (a, b)] for cell in a[0].histograms]
            found.append([kolmogorov_smirnov(*pair) / scale(n, m) for pair in pairs])
        means.append(np.mean(found, axis=0))
    np.testing.assert_allclose(means[1:], [means[0], means[0]], rtol=0.2)
    np.testing.assert_allclose(np.mean(means[1:], axis=1), means[0].mean(), rtol=0.1)


def test_an_equal_model_passes_and_a_different_one_is_rejected(null: Null) -> None:
    assert compare_statistics(several(5, 7), null).passed
    rates = compare_statistics(several(5, 7, rate=1.5), null)
    assert {"mean rate, E", "D of rate, E", "D of rate, I", "score"} <= {f.name for f in rates.failures}
    irregularity = compare_statistics(several(5, 7, cv=0.05), null)
    assert {f.name for f in irregularity.failures} >= {"D of CV, E", "score"}
    assert not any(f.name.startswith("mean rate") for f in irregularity.failures)


def test_silence_fails_and_says_so(null: Null) -> None:
    silent = several(3, 7, rate=0.0)
    for limits in (null, null_of(several(12, 3, rate=0.0))):
        rung = compare_statistics(silent, limits)
        assert not rung.passed
        assert rung.figures[0].detail == "E is silent or nearly so, which proves nothing"
        assert not rung.figures[0].passed
    nearly = compare_statistics(several(3, 7, rate=0.01), null_of(several(12, 3, rate=0.01)))
    assert "proves nothing" in nearly.failures[0].detail


def test_other_neurons_are_a_difference_and_other_durations_no_comparison(null: Null) -> None:
    other = [replace(o, sizes={**SIZES, "I": 61}) for o in several(2, 7)]
    rung = compare_statistics(other, null)
    assert not rung.passed
    assert rung.failures[0].detail == "I: not the neurons of the reference"
    with pytest.raises(UsageError, match="statistics of different durations cannot be compared"):
        compare_statistics([replace(o, duration=1000.0) for o in several(2, 7)], null)


def test_a_null_distribution_needs_enough_networks() -> None:
    with pytest.raises(UsageError, match="at least 10 networks drawn with different seeds, got 9"):
        null_of(several(9, 1))


def run(seed: int, digest: str | None = None, **changes: object) -> Run:
    rng = np.random.default_rng(seed)
    steps = rng.integers(1, 20_001, 3000)
    spikes = Spikes.sorted(steps, rng.integers(0, 30, 3000))
    return replace(Run("m", "s", 0.1, 2000.0, 500.0, seed, 1, {"E": 30}, {"E": spikes}, {}, digest), **changes)


def test_runs_of_one_network_count_as_one() -> None:
    assert len(observe([run(1), run(2), run(3)])) == 3
    one = observe([run(1, "a"), run(2, "b"), run(3, "a")])
    assert len(one) == 2
    both = run(1, "a"), run(3, "a")
    assert one[0].rates["E"] == pytest.approx(np.mean([r.rates()["E"] for r in both]))
    assert one[0].n_spikes["E"] == sum(np.count_nonzero(r.spikes["E"].steps > 5000) for r in both)
    assert len(one[0].histograms["E", "rate"]) == 60


def test_runs_that_do_not_belong_together_are_refused() -> None:
    for wrong, message in (
        ([], "at least one run"),
        ([run(1), run(1)], "two runs have the seed 1"),
        ([run(1), run(2, discard=400.0)], "durations"),
        ([run(1), run(2, sizes={"E": 31})], "populations"),
    ):
        with pytest.raises(UsageError, match=message):
            observe(wrong)


def test_a_null_distribution_comes_back_from_its_file(null: Null, tmp_path: Path) -> None:
    write_null(null, tmp_path / "null.json")
    assert read_null(tmp_path / "null.json") == null
    (tmp_path / "null.json").write_text('{"null_version": 1, "factor": "high"}')
    for path in (tmp_path / "null.json", tmp_path / "missing.json"):
        with pytest.raises(FormatError, match=path.name):
            read_null(path)


def test_stored_limits_are_found_by_the_rules_of_the_model() -> None:
    network = build("pd14", scale=0.05, seed=8, duration=1000.0)
    null = stored_null(network)
    assert null is not None
    assert tuple(null.populations) == POPULATIONS
    assert {name: p.size for name, p in null.populations.items()} == {p.name: p.size for p in network.populations}
    assert {p.samples.keys() == set(MEASURES) for p in null.populations.values()} == {True}
    assert null.provenance["full_mean_rates"] == list(PD14Arguments().full_mean_rates)
    assert null.n_networks == len(null.provenance["seeds"]) >= 20
    for other in ({"scale": 0.06}, {"scale": 0.05, "tau_syn": 0.55}, {"scale": 0.05, "background": "dc"}):
        with pytest.warns() if "background" in other else pytest.MonkeyPatch.context():
            assert stored_null(build("pd14", **other)) is None
