"""Whether an instance is a realisation of its rules: numbers, degrees, multapses, autapses, weights, delays.

This sees what a comparison of two instances cannot: a mistake that both have. Nothing is drawn; every synapse is
counted once, and none is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.instance import NetworkInstance
from mc_interchange.network import (
    AllToAll,
    Distribution,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Projection,
    TruncatedNormal,
    Uniform,
    Values,
)
from mc_interchange.network.simulation import steps
from mc_interchange.progress import Progress, Silent

from .hypotheses import autapse_p, dispersion_p, fit_p, multapse_p, number_p
from .rungs import Figure
from .tally import WEIGHT_BINS, Tally, take_stock

__all__ = ["FALSE_ALARM", "check_rules", "judge_stock"]

#: Probability that a network which was drawn as its rules say is rejected, by any of the tests together.
FALSE_ALARM = 1e-4


def check_rules(
    instance: NetworkInstance, network: Network, *, workers: int = 1, progress: Progress | None = None
) -> tuple[Figure, ...]:
    """Test every projection and every initial potential against its rule.

    Parameters
    ----------
    instance
        Any instance, whoever drew it.
    network
        The rules that it claims to follow.
    workers
        Threads that read and count synapses.
    progress
        Told of synapses.

    Returns
    -------
    tuple of Figure
        Exact numbers, and p values. The limit of the latter is such that all together raise a false alarm with
        probability :data:`FALSE_ALARM` at most (Bonferroni).
    """
    progress = progress or Silent()
    progress.task("counting", instance.n_edges, "synapses")
    return judge_stock(instance, network, take_stock(instance, network, workers=workers, progress=progress).tallies)


def judge_stock(instance: NetworkInstance, network: Network, tallies: Mapping[str, Tally]) -> tuple[Figure, ...]:
    """Do what :func:`check_rules` does, with synapses that :func:`.tally.take_stock` has counted."""
    exact = [*_sizes(instance, network)]
    p_values: list[tuple[str, float]] = list(_potentials(instance, network))
    for rule in network.projections:
        tally = tallies.get(rule.name) or Tally.empty(rule, instance)
        exact += _exact(rule, tally)
        p_values += [(f"{rule.name}: {what}", p) for what, p in _chances(rule, tally)]
    limit = FALSE_ALARM / max(1, len(p_values))
    return (*exact, *(Figure(name, p, "at least", limit, "p value") for name, p in p_values))


def _sizes(instance: NetworkInstance, network: Network) -> list[Figure]:
    found = []
    for population in network.populations:
        nodes = instance.populations.get(population.name)
        size = nodes.size if nodes else 0
        found.append(Figure(f"neurons of {population.name}", size, "exactly", population.size))
    expected = {p.name for p in network.projections}
    others = [name for name in instance.projections if name not in expected]
    found.append(Figure("projections that no rule names", len(others), "exactly", 0, ", ".join(others[:3])))
    return found


def _potentials(instance: NetworkInstance, network: Network) -> list[tuple[str, float]]:
    """Test initial potentials, each population against its distribution."""
    from scipy import stats

    found = []
    for population in network.populations:
        nodes = instance.populations.get(population.name)
        initial = getattr(population, "initial_V_m", None)
        if nodes is None or nodes.V_m is None or initial is None:
            continue
        name = f"initial V_m of {population.name}"
        at = _value(initial)
        if at is not None or isinstance(initial, Values):
            expected = np.array(initial.values) if isinstance(initial, Values) else np.full(nodes.size, at)
            found.append((name, float(np.array_equal(nodes.V_m, expected))))
        else:
            found.append((name, float(stats.kstest(nodes.V_m, _cdf(initial)).pvalue)))
    return found


def _exact(rule: Projection, tally: Tally) -> list[Figure]:
    """Return the numbers that leave nothing to chance."""
    n_pairs = tally.n_sources * tally.n_targets
    wanted: int | None = None
    match rule.rule:
        case FixedTotalNumber():
            wanted = rule.rule.number
        case FixedIndegree():
            wanted = rule.rule.indegree * tally.n_targets
        case FixedOutdegree():
            wanted = rule.rule.outdegree * tally.n_sources
        case OneToOne():
            wanted = tally.n_targets
        case AllToAll():
            wanted = n_pairs - (tally.n_targets if tally.recurrent and not rule.rule.allow_autapses else 0)
        case Explicit():
            wanted = len(rule.rule.sources)
    found = []
    if wanted is not None:
        found.append(Figure(f"{rule.name}: synapses", tally.n, "exactly", wanted))
    if tally.recurrent and not getattr(rule.rule, "allow_autapses", True):
        found.append(Figure(f"{rule.name}: autapses", tally.autapses, "exactly", 0))
    if _once(rule):
        repeated = tally.n_pairs - tally.n_distinct
        found.append(Figure(f"{rule.name}: multapses", repeated, "exactly", 0))
    return found


def _once(rule: Projection) -> bool:
    """Whether every pair is connected once at most."""
    alone = isinstance(rule.rule, PairwiseBernoulli | AllToAll | OneToOne)
    return alone or not getattr(rule.rule, "allow_multapses", True)


def _chances(rule: Projection, tally: Tally) -> list[tuple[str, float]]:
    found = []
    n_pairs = float(tally.n_sources) * tally.n_targets
    if tally.recurrent and not getattr(rule.rule, "allow_autapses", True):
        n_pairs -= tally.n_targets
    if isinstance(rule.rule, PairwiseBernoulli):
        found.append(("number of synapses", number_p(tally.n, n_pairs, rule.rule.probability)))
    variances = _variances(rule, tally, n_pairs)
    if tally.n and variances is not None:
        found += [("in-degrees", dispersion_p(tally.into, variances[0]))]
        found += [("out-degrees", dispersion_p(tally.out, variances[1]))]
    drawn = isinstance(rule.rule, FixedTotalNumber | FixedIndegree | FixedOutdegree)
    free = drawn and getattr(rule.rule, "allow_autapses", True)
    if tally.recurrent and free and tally.n:
        found.append(("autapses", autapse_p(tally.autapses, tally.n, tally.n_targets)))
    if drawn and not _once(rule) and not (tally.recurrent and not free):
        n_boxes = float(tally.n_sources) * tally.n_sampled
        found.append(("multapses", multapse_p(tally.n_distinct, tally.n_pairs, n_boxes)))
    if tally.n and not isinstance(rule.weight, Values):
        found.append(("weights", _weight_p(rule.weight, tally)))
    if tally.n and not isinstance(rule.delay, Values):
        found.append(("delays", fit_p(*_delay_bins(rule.delay, tally))))
    return found


def _variances(rule: Projection, tally: Tally, n_pairs: float) -> tuple[float, float] | None:
    """Return the variances of in- and out-degrees that a rule implies; None where degrees are given."""
    into, out = tally.n / max(1, tally.n_targets), tally.n / max(1, tally.n_sources)
    match rule.rule:
        case FixedTotalNumber(allow_multapses=True):
            return into, out
        case FixedTotalNumber():
            # without repetition: hypergeometric
            left = (n_pairs - tally.n) / max(1.0, n_pairs - 1)
            return into * left, out * left
        case PairwiseBernoulli(probability=p):
            return into * (1 - p), out * (1 - p)
        case FixedIndegree(allow_multapses=again, indegree=k):
            return 0.0, out * (1.0 if again else max(0.0, 1 - k / tally.n_sources))
        case FixedOutdegree(allow_multapses=again, outdegree=k):
            return into * (1.0 if again else max(0.0, 1 - k / tally.n_targets)), 0.0
    return None


def _value(distribution: Distribution) -> float | None:
    """Return the only value of a distribution that has no spread."""
    drawn = isinstance(distribution, Uniform | Values) or getattr(distribution, "sd", 0.0) > 0
    return None if drawn else distribution.lower


def _cdf(distribution: Distribution) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Return the distribution function of a distribution with a spread."""
    from scipy import stats

    match distribution:
        case TruncatedNormal(mean=mean, sd=sd):
            lower, upper = distribution.bounds
            function = stats.truncnorm((lower - mean) / sd, (upper - mean) / sd, mean, sd).cdf
        case Normal(mean=mean, sd=sd):
            function = stats.norm(mean, sd).cdf
        case Uniform(low=low, high=high):
            function = stats.uniform(low, high - low).cdf
        case _:
            raise TypeError(f"{type(distribution).__name__} has no distribution function")
    return function  # type: ignore[no-any-return]


def _weight_p(distribution: Distribution, tally: Tally) -> float:
    if _value(distribution) is not None:
        # all of them in the range around the constant, wherever in it rounding has put them
        within = np.array([tally.weights[0], tally.weights[1:-1].sum(), tally.weights[-1]])
        return fit_p(within, np.array([0.0, 1.0, 0.0]))
    borders = np.linspace(*tally.weight_range, WEIGHT_BINS + 1)
    upper = np.append(_cdf(distribution)(borders), 1.0)
    return fit_p(tally.weights, np.diff(upper, prepend=0.0))


def _delay_bins(distribution: Distribution, tally: Tally) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return numbers and probabilities by delay in steps; halves are rounded up, and the last bin is open."""
    dt, n = tally.dt, len(tally.delays) + 1
    at = _value(distribution)
    if at is not None:
        step = int(np.floor(steps(at, dt) + 0.5))
        probabilities = np.zeros(max(n, step + 1))
        probabilities[step] = 1.0
    else:
        upper = _cdf(distribution)((np.arange(n) + 0.5) * dt)
        upper[-1] = 1.0
        probabilities = np.diff(upper, prepend=0.0)
    return np.pad(tally.delays, (0, len(probabilities) - len(tally.delays))), probabilities
