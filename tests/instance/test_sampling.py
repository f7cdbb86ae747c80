"""Weights, delays, initial values and distinct partners have the distributions that were asked for."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from statistics_of_rules import draw

from mc_interchange.instance import sampling
from mc_interchange.network import (
    Constant,
    Explicit,
    FixedTotalNumber,
    Normal,
    TruncatedNormal,
    Uniform,
    Values,
)

HOLDS, FAILS = 1e-3, 1e-9
N = 200_000
SEEDS = [1, 2, 3]

WEIGHTS = {
    "normal": (Normal(mean=87.8, sd=8.78), stats.norm(87.8, 8.78)),
    "truncated at zero": (
        TruncatedNormal(mean=87.8, sd=43.9, min=0.0),
        stats.truncnorm(-2.0, np.inf, 87.8, 43.9),
    ),
    "inhibitory": (
        TruncatedNormal(mean=-351.2, sd=175.6, max=0.0),
        stats.truncnorm(-np.inf, 2.0, -351.2, 175.6),
    ),
    "both sides": (TruncatedNormal(mean=0.0, sd=1.0, min=-0.5, max=1.0), stats.truncnorm(-0.5, 1.0)),
    "uniform": (Uniform(low=-3.0, high=5.0), stats.uniform(-3.0, 8.0)),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("distribution", "expected"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(distribution, expected, seed):
    drawn = sampling.weights(sampling.stream(seed, "test"), distribution, N).astype(np.float64)
    assert stats.kstest(drawn, expected.cdf).pvalue > HOLDS
    assert abs(drawn.mean() - expected.mean()) < 4 * expected.std() / np.sqrt(N)
    error_of_variance = expected.var() * np.sqrt((expected.stats("k") + 2) / N)
    assert abs(drawn.var() - expected.var()) < 4 * error_of_variance


def test_weights_test_can_fail():
    drawn = sampling.weights(sampling.stream(1, "test"), Normal(mean=87.8, sd=43.9), N)
    clipped = np.maximum(drawn, 0)  # clipping is not drawing again
    assert stats.kstest(clipped, WEIGHTS["truncated at zero"][1].cdf).pvalue < FAILS


@pytest.mark.parametrize("distribution", [pair[0] for pair in WEIGHTS.values()], ids=WEIGHTS)
def test_weights_have_20_bits_and_survive_nanoampere(distribution):
    drawn = sampling.weights(sampling.stream(5, "test"), distribution, N)
    assert drawn.dtype == np.float32
    assert not np.any(drawn.view(np.uint32) & 0xF)
    assert np.any(drawn.view(np.uint32) & 0x10)  # and not fewer
    as_written = (drawn.astype(np.float64) / 1000).astype(np.float32)  # pA in nA, as a format holds it
    back = (as_written.astype(np.float64) * 1000).astype(np.float32)
    bits = back.view(np.uint32)
    bits += np.uint32(8)
    bits &= np.uint32(0xFFFFFFF0)
    assert np.array_equal(back, drawn)


def test_truncation_holds_after_rounding_at_zero():
    for distribution in (WEIGHTS["truncated at zero"][0], WEIGHTS["inhibitory"][0]):
        drawn = sampling.weights(sampling.stream(6, "test"), distribution, N)
        lower, upper = distribution.bounds
        assert drawn.min() >= lower
        assert drawn.max() <= upper


@pytest.mark.parametrize(
    ("distribution", "dtype"),
    [
        (Constant(value=87.5), np.float32),
        (Constant(value=87.8), np.float64),
        (Constant(value=1e300), np.float64),
        (Values(values=(0.5, -2.0)), np.float32),
        (Values(values=(0.5, 0.1)), np.float64),
        (Normal(mean=0.1, sd=0.1), np.float32),
    ],
    ids=str,
)
def test_narrowest_exact_type(distribution, dtype):
    assert sampling.weight_dtype(distribution) == dtype


def test_given_weights_are_kept_to_the_last_bit():
    given = (0.1, -351.2, 1e-300, np.nextafter(1.0, 2.0))
    block = draw(Explicit(sources=(0, 0, 1, 1), targets=(0, 1, 0, 1)), 2, 2, weight=Values(values=given))
    assert tuple(block.weight) == given


DELAYS = [
    (TruncatedNormal(mean=1.5, sd=0.75, min=0.05), 0.1),
    (TruncatedNormal(mean=0.75, sd=0.375, min=0.05), 0.1),
    (TruncatedNormal(mean=0.75, sd=0.375, min=0.05), 0.025),
    (TruncatedNormal(mean=2.0, sd=1.0, min=0.1, max=2.5), 0.1),
]


def delay_p_value(drawn, distribution, dt):
    """Chi-square of steps against the truncated normal between half steps; classes of at least five."""
    lower, upper = distribution.bounds
    cut = stats.truncnorm(
        (lower - distribution.mean) / distribution.sd,
        (upper - distribution.mean) / distribution.sd,
        distribution.mean,
        distribution.sd,
    )
    k = np.arange(0, drawn.max() + 2)
    expected = len(drawn) * np.diff(cut.cdf((np.append(k, k[-1] + 1) - 0.5) * dt))
    found = np.bincount(drawn, minlength=len(k)).astype(float)
    rare = expected < 5
    found = np.append(found[~rare], found[rare].sum())
    expected = np.append(expected[~rare], len(drawn) - expected[~rare].sum())
    if expected[-1] < 1e-6 * len(drawn):
        assert found[-1] <= 5
        found, expected = found[:-1], expected[:-1]
    expected *= found.sum() / expected.sum()
    return stats.chisquare(found, expected).pvalue


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("distribution", "dt"), DELAYS)
def test_delays_follow_the_discretised_distribution(distribution, dt, seed):
    drawn = sampling.delay_steps(sampling.stream(seed, "test"), distribution, N, dt)
    assert drawn.dtype == np.int32
    assert drawn.min() >= 1
    assert delay_p_value(drawn, distribution, dt) > HOLDS


def test_delays_test_can_fail():
    distribution, dt = DELAYS[0]
    values = sampling.weights(sampling.stream(1, "test"), distribution, N)
    assert delay_p_value(np.maximum(np.floor(values / dt), 1).astype(int), distribution, dt) < FAILS  # rounding down
    clipped = np.maximum(np.random.default_rng(1).normal(1.5, 0.75, N), 0.1)
    assert delay_p_value(np.floor(clipped / dt + 0.5).astype(int), distribution, dt) < FAILS


@pytest.mark.parametrize(
    ("milliseconds", "dt", "expected"),
    [
        (0.15, 0.1, 2),  # halves up, as NEST does
        (0.25, 0.1, 3),
        (0.35, 0.1, 4),
        (0.149, 0.1, 1),
        (0.05, 0.1, 1),
        (0.1, 0.1, 1),
        (0.3, 0.1, 3),
        (1.5, 0.1, 15),
        (0.7, 0.1, 7),
        (12.5, 0.025, 500),
        (0.001, 0.001, 1),
        (1000.05, 0.1, 10001),
    ],
)
def test_rounding(milliseconds, dt, expected):
    assert sampling.round_delays(np.array([milliseconds]), dt).tolist() == [expected]
    rule = Explicit(sources=(0,), targets=(0,))
    assert draw(rule, 1, 1, delay=Values(values=(milliseconds,)), dt=dt).delay.tolist() == [expected]
    constant = sampling.delay_steps(sampling.stream(1), Constant(value=milliseconds), 3, dt)
    assert constant.tolist() == [expected] * 3


def test_every_constant_delay_on_the_grid_is_exact():
    for dt in (0.1, 0.025, 0.01, 0.05, 0.125):
        steps = np.arange(1, 3000)
        assert np.array_equal(sampling.round_delays(np.round(steps * dt, 6), dt), steps)


def test_weight_and_delay_are_independent():
    block = draw(FixedTotalNumber(number=N), weight=WEIGHTS["normal"][0], delay=DELAYS[0][0])
    assert abs(stats.spearmanr(block.weight, block.delay).statistic) < 4 / np.sqrt(N)
    assert abs(stats.spearmanr(block.weight, block.source).statistic) < 4 / np.sqrt(N)


@pytest.mark.parametrize(("distribution", "expected"), WEIGHTS.values(), ids=WEIGHTS)
def test_initial_values(distribution, expected):
    drawn = sampling.initial_values(sampling.stream(1, "V_m"), distribution, 20_000)
    assert drawn.dtype == np.float64
    assert stats.kstest(drawn, expected.cdf).pvalue > HOLDS


def test_initial_values_given():
    rng = sampling.stream(1)
    assert sampling.initial_values(rng, Constant(value=-58.1), 3).tolist() == [-58.1] * 3
    assert sampling.initial_values(rng, Values(values=(1.0, 2.5)), 2).tolist() == [1.0, 2.5]


@pytest.mark.parametrize("k", range(7))
def test_distinct_partners_are_uniform_over_subsets(k):
    """Every subset of k of 6 is equally likely, with k below, at and above the half."""
    n_rows = 20_000
    drawn = sampling.distinct_partners(sampling.stream(4, "subsets", k), np.full(n_rows, k), 6).reshape(n_rows, k)
    codes = (1 << drawn.astype(np.int64)).sum(axis=1)
    subsets = [sum(1 << i for i in chosen) for chosen in combinations(range(6), k)]
    found = np.array([np.count_nonzero(codes == code) for code in subsets])
    assert found.sum() == n_rows
    if len(subsets) > 1:
        assert stats.chisquare(found).pvalue > HOLDS


def test_distinct_partners_of_mixed_rows():
    degrees = np.array([0, 5, 10, 1, 0, 9, 6, 10, 0])
    drawn = sampling.distinct_partners(sampling.stream(1), degrees, 10)
    assert drawn.dtype == np.uint32
    rows = np.split(drawn, np.cumsum(degrees)[:-1])
    for row, degree in zip(rows, degrees, strict=True):
        assert len(row) == degree
        assert np.all(np.diff(row.astype(int)) > 0)
        assert degree == 0 or row.max() < 10


def test_distinct_partners_of_nothing():
    assert len(sampling.distinct_partners(sampling.stream(1), np.zeros(3, np.int64), 0)) == 0


def test_streams_differ_by_every_part_of_their_label():
    first = {
        sampling.stream(*key).integers(2**63)
        for key in [(1, "a"), (2, "a"), (1, "b"), (1, "a", 0), (1, "a", 1), (1, "a", "0"), (1, "a0"), (1, "a, 0")]
    }
    assert len(first) == 8
    assert sampling.stream(1, "a").integers(2**63) == sampling.stream(1, "a").integers(2**63)


def test_cannot_draw_from_a_list():
    with pytest.raises(TypeError, match="cannot draw from Values"):
        sampling.weights(sampling.stream(1), Values(values=(1.0,)), 1)
