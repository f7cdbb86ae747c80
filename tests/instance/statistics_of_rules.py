"""Tests of hypotheses about drawn synapses; each returns a p value.

They are functions of their own so that the tests can also show that they reject what they must reject.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from mc_interchange.equivalence.hypotheses import autapse_p, dispersion_p, multapse_p
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
    "autapses_of",
    "degrees_of",
    "draw",
    "multapses_of",
    "partner_p_value",
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


def degrees_of(ids, n: int) -> float:
    """Test whether degrees are multinomial."""
    return dispersion_p(np.bincount(ids, minlength=n), len(ids) / n)


def partner_p_value(ids, n: int) -> float:
    """Probability, one way, of partners at least as unevenly drawn as these (chi-square against uniform)."""
    return float(stats.chisquare(np.bincount(ids, minlength=n)).pvalue)


def multapses_of(block: EdgeBlock, n_sources: int, n_targets: int) -> float:
    """Test whether the number of multapses is that of independent uniform draws."""
    distinct = len(np.unique(block.source.astype(np.int64) * n_targets + block.target))
    return multapse_p(distinct, len(block), float(n_sources) * n_targets)


def autapses_of(block: EdgeBlock, n: int) -> float:
    """Test whether the number of autapses is binomial."""
    return autapse_p(int((block.source == block.target).sum()), len(block), n)
