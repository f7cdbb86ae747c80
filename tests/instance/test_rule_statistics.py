"""Each rule has the statistics of its definition, and the tests can tell the rules apart.

Seeds are fixed, so nothing here is a matter of luck. ``FAILS`` is a probability that chance does not
reach; ``HOLDS`` is one that a right rule does.
"""

import numpy as np
import pytest
from scipy import stats
from statistics_of_rules import (
    autapses_of,
    degrees_of,
    draw,
    multapses_of,
    partner_p_value,
)

from mc_interchange.equivalence.hypotheses import dispersion_p
from mc_interchange.network import (
    AllToAll,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    OneToOne,
    PairwiseBernoulli,
)

HOLDS, FAILS = 1e-3, 1e-9
SEEDS = [1, 2, 3]
N = 200
S = 12_000  # 60 per neuron, 30 % of all pairs: multapses are common

TOTAL = FixedTotalNumber(number=S)
ONCE = {"allow_multapses": False}
NO_SELF = {"allow_autapses": False}
OTHERS = {
    "fixed in-degree": FixedIndegree(indegree=S // N),
    "pairwise Bernoulli": PairwiseBernoulli(probability=S / N**2),
    "all to all": AllToAll(),
    "total number once": FixedTotalNumber(number=S, **ONCE),
}


@pytest.mark.parametrize("seed", SEEDS)
class TestFixedTotalNumber:
    def test_number_is_exact(self, seed):
        assert len(draw(TOTAL, seed=seed)) == S

    def test_in_degrees_are_multinomial(self, seed):
        assert degrees_of(draw(TOTAL, seed=seed).target, N) > HOLDS

    def test_out_degrees_are_multinomial(self, seed):
        assert degrees_of(draw(TOTAL, seed=seed).source, N) > HOLDS

    def test_sources_do_not_depend_on_targets(self, seed):
        block = draw(TOTAL, seed=seed)
        table = np.histogram2d(block.source, block.target, bins=20)[0]
        assert stats.chi2_contingency(table).pvalue > HOLDS

    def test_multapses(self, seed):
        assert multapses_of(draw(TOTAL, seed=seed), N, N) > HOLDS

    def test_multapses_between_unequal_populations(self, seed):
        block = draw(FixedTotalNumber(number=S), 300, 50, seed=seed)
        assert multapses_of(block, 300, 50) > HOLDS

    def test_autapses(self, seed):
        assert autapses_of(draw(TOTAL, recurrent=True, seed=seed), N) > HOLDS


class TestTheTestsCanFail:
    """The same functions on other rules: they must refuse."""

    @pytest.mark.parametrize("rule", OTHERS.values(), ids=OTHERS)
    def test_in_degrees(self, rule):
        # 30 % of all pairs: a binomial variance is 30 % smaller, which 2000 targets show clearly
        block = (
            draw(rule, 200, 2000)
            if not isinstance(rule, FixedTotalNumber)
            else draw(FixedTotalNumber(number=120_000, **ONCE), 200, 2000)
        )
        assert degrees_of(block.target, 2000) < FAILS

    def test_in_degrees_of_the_right_rule_at_that_size(self):
        assert degrees_of(draw(FixedTotalNumber(number=120_000), 200, 2000).target, 2000) > HOLDS

    def test_out_degrees_of_fixed_outdegree(self):
        assert degrees_of(draw(FixedOutdegree(outdegree=S // N)).source, N) < FAILS

    @pytest.mark.parametrize(
        "rule",
        [
            PairwiseBernoulli(probability=S / N**2),
            FixedTotalNumber(number=S, **ONCE),
            FixedIndegree(indegree=60, **ONCE),
        ],
    )
    def test_multapses(self, rule):
        assert multapses_of(draw(rule), N, N) < FAILS

    @pytest.mark.parametrize(
        "rule", [FixedTotalNumber(number=S, **NO_SELF), PairwiseBernoulli(probability=0.3, **NO_SELF)]
    )
    def test_autapses(self, rule):
        assert autapses_of(draw(rule, recurrent=True), N) < FAILS

    def test_uneven_partners(self):
        block = draw(TOTAL)
        assert partner_p_value(np.minimum(block.source, N - 5), N) < FAILS


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("flags", [{}, ONCE, NO_SELF, {**ONCE, **NO_SELF}], ids=str)
class TestFlags:
    """With and without multapses and autapses, for each rule that has the choice."""

    @staticmethod
    def check(block, flags, recurrent):
        pairs = block.source.astype(np.int64) * N + block.target
        if "allow_multapses" in flags:
            assert len(np.unique(pairs)) == len(pairs)
        else:
            assert len(np.unique(pairs)) < len(pairs)
        autapses = np.count_nonzero(block.source == block.target)
        if recurrent and "allow_autapses" in flags:
            assert autapses == 0
        else:  # between two populations equal ids mean nothing
            assert autapses > 0

    def test_total_number(self, flags, recurrent):
        block = draw(FixedTotalNumber(number=S, **flags), recurrent=recurrent)
        assert len(block) == S
        self.check(block, flags, recurrent)
        assert partner_p_value(block.source, N) > HOLDS

    def test_in_degree(self, flags, recurrent):
        block = draw(FixedIndegree(indegree=60, **flags), recurrent=recurrent)
        assert np.array_equal(np.bincount(block.target, minlength=N), np.full(N, 60))
        self.check(block, flags, recurrent)
        assert partner_p_value(block.source, N) > HOLDS

    def test_out_degree(self, flags, recurrent):
        block = draw(FixedOutdegree(outdegree=60, **flags), recurrent=recurrent)
        assert np.array_equal(np.bincount(block.source, minlength=N), np.full(N, 60))
        self.check(block, flags, recurrent)
        assert partner_p_value(block.target, N) > HOLDS


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("p", [0.05, 0.3, 0.8])
class TestPairwiseBernoulli:
    def test_number(self, p, seed):
        found = len(draw(PairwiseBernoulli(probability=p), 300, N, seed=seed))
        assert abs(found - 300 * N * p) < 4 * np.sqrt(300 * N * p * (1 - p))

    def test_variance_of_degrees_is_binomial(self, p, seed):
        block = draw(PairwiseBernoulli(probability=p), 300, N, seed=seed)
        into = np.bincount(block.target, minlength=N)
        out = np.bincount(block.source, minlength=300)
        assert dispersion_p(into, 300 * p * (1 - p)) > HOLDS
        assert dispersion_p(out, N * p * (1 - p)) > HOLDS

    def test_each_pair_once(self, p, seed):
        block = draw(PairwiseBernoulli(probability=p, allow_autapses=False), recurrent=True, seed=seed)
        assert len(np.unique(block.source.astype(np.int64) * N + block.target)) == len(block)
        assert not np.any(block.source == block.target)


def test_variance_of_bernoulli_can_fail():
    into = np.bincount(draw(TOTAL, 200, 2000).target, minlength=2000)
    assert dispersion_p(into, 200 * 0.03 * 0.5) < FAILS


@pytest.mark.parametrize(("p", "number"), [(0.0, 0), (1.0, 300 * N)])
def test_bernoulli_at_its_ends(p, number):
    from statistics_of_rules import network

    from mc_interchange.instance import realize

    assert realize(network(PairwiseBernoulli(probability=p), 300, N)).n_edges == number


def test_one_to_one():
    block = draw(OneToOne())
    assert np.array_equal(block.source, np.arange(N))
    assert np.array_equal(block.target, np.arange(N))


def test_all_to_all():
    block = draw(AllToAll(), 30, 20)
    assert np.array_equal(block.target, np.repeat(np.arange(20), 30))
    assert np.array_equal(block.source, np.tile(np.arange(30), 20))


def test_all_to_all_without_autapses():
    block = draw(AllToAll(allow_autapses=False), n_targets=30, recurrent=True)
    pairs = set(zip(block.source.tolist(), block.target.tolist(), strict=True))
    assert pairs == {(s, t) for s in range(30) for t in range(30) if s != t}


def test_explicit_keeps_the_order_and_repeats():
    block = draw(Explicit(sources=(3, 0, 3, 3), targets=(1, 9, 1, 0)), 10, 10)
    assert block.source.tolist() == [3, 0, 3, 3]
    assert block.target.tolist() == [1, 9, 1, 0]


@pytest.mark.parametrize("sizes", [(1, 1), (1, 50), (50, 1)])
@pytest.mark.parametrize(
    "rule", [FixedTotalNumber(number=7), AllToAll(), PairwiseBernoulli(probability=1.0), FixedIndegree(indegree=2)]
)
def test_smallest_populations(rule, sizes):
    block = draw(rule, *sizes)
    assert block.source.max() < sizes[0]
    assert block.target.max() < sizes[1]
