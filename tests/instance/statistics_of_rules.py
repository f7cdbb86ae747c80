"""Tests of hypotheses about drawn synapses; each returns a probability (p value) or a number of sigmas.

They are functions of their own so that the tests can also show that they reject what they must reject.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from mc_interchange.instance import EdgeBlock, realize
from mc_interchange.network import (
    Constant,
    Network,
    Neuron,
    Population,
    Projection,
    Simulation,
)

__all__ = [
    "autapse_sigmas",
    "degree_p_value",
    "draw",
    "multapse_sigmas",
    "partner_p_value",
    "spread_p_value",
]

NEURON = Neuron(
    model="iaf_psc_exp",
    parameters={
        "C_m": 250.0,
        "tau_m": 10.0,
        "tau_syn_ex": 0.5,
        "tau_syn_in": 0.5,
        "t_ref": 2.0,
        "E_L": -65.0,
        "V_th": -50.0,
        "V_reset": -65.0,
    },
)


def network(rule, n_sources=200, n_targets=200, *, weight=1.0, delay=1.0, recurrent=False, dt=0.1):
    """One projection between two populations, or from one onto itself."""
    populations = [Population(name="T", size=n_targets, neuron=NEURON, initial_V_m=Constant(value=-65.0))]
    if not recurrent:
        populations.append(Population(name="S", size=n_sources, neuron=NEURON, initial_V_m=-65.0))
    source = "T" if recurrent else "S"
    projection = Projection(name="p", source=source, target="T", rule=rule, weight=weight, delay=delay)
    return Network(name="one", populations=tuple(populations), projections=(projection,), simulation=Simulation(dt=dt))


def joined(edges, **options) -> EdgeBlock:
    """All synapses of a projection in one block."""
    blocks = list(edges.blocks(**options))
    return EdgeBlock(*(np.concatenate([getattr(b, n) for b in blocks]) for n in EdgeBlock.__slots__))


def draw(rule, n_sources=200, n_targets=200, *, seed=1, **options) -> EdgeBlock:
    """Realise one projection."""
    instance = realize(network(rule, n_sources, n_targets, **options), seed)
    return joined(instance.projections["p"])


def degree_p_value(ids, n: int) -> float:
    """Probability of degrees at least as far from multinomial as these, both ways (too even, too uneven).

    The dispersion statistic sum (k - mean)^2 / mean is chi-square with n - 1 degrees of freedom.
    """
    degrees = np.bincount(ids, minlength=n)
    mean = len(ids) / n
    dispersion = ((degrees - mean) ** 2).sum() / mean
    lower = stats.chi2.cdf(dispersion, n - 1)
    return float(2 * min(lower, 1 - lower))


def spread_p_value(degrees, variance: float) -> float:
    """Probability of a spread of degrees at least as far from this variance, both ways."""
    dispersion = ((degrees - degrees.mean()) ** 2).sum() / variance
    lower = stats.chi2.cdf(dispersion, len(degrees) - 1)
    return float(2 * min(lower, 1 - lower))


def partner_p_value(ids, n: int) -> float:
    """Probability, one way, of partners at least as unevenly drawn as these (chi-square against uniform)."""
    return float(stats.chisquare(np.bincount(ids, minlength=n)).pvalue)


def multapse_sigmas(block: EdgeBlock, n_sources: int, n_targets: int) -> float:
    """Distance of the number of multapses from that of independent uniform draws, in standard errors.

    S balls in M = n_sources * n_targets boxes: the expected number of occupied boxes is
    M (1 - (1 - 1/M)^S); its variance is M (1-1/M)^S + M (M-1) (1-2/M)^S - M^2 (1-1/M)^(2S) (Feller 1968).
    """
    pairs, s = float(n_sources) * n_targets, len(block)
    occupied = len(np.unique(block.source.astype(np.int64) * n_targets + block.target))
    empty = pairs * np.exp(s * np.log1p(-1 / pairs))
    # the three terms nearly cancel: written by differences
    both = pairs * (pairs - 1) * np.exp(s * np.log1p(-2 / pairs)) - empty**2
    return float(((s - occupied) - (s - (pairs - empty))) / np.sqrt(empty + both))


def autapse_sigmas(block: EdgeBlock, n: int) -> float:
    """Distance of the number of autapses from binomial(S, 1/N), in standard errors."""
    s = len(block)
    found = int((block.source == block.target).sum())
    return float((found - s / n) / np.sqrt(s / n * (1 - 1 / n)))
