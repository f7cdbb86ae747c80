"""What the paper's theory predicts for stationary activity: the rate, and how irregular neurons fire.

The input of a neuron is taken for white noise with the mean and the variance that the rates of its sources give; a
leaky integrate-and-fire neuron under such an input fires at a known rate; and all neurons fire at the same.

References
----------
.. [1] Brunel 2000, doi:10.1023/A:1008925309027, section 3.1 and appendix A.
.. [2] Ricciardi 1977, Diffusion Processes and Related Topics in Biology (the moments of intervals of one neuron).
"""

from __future__ import annotations

import math

from mc_interchange.errors import MissingDependencyError, ModelError

from .parameters import Brunel2000Arguments

__all__ = ["stationary_cv", "stationary_rate"]

#: A neuron whose threshold is so many standard deviations away never fires, and the exponentials stay finite.
_FAR = 18.0


def stationary_rate(arguments: Brunel2000Arguments) -> float:
    """Return the rate at which each neuron fires by the theory, for synapses by which the potential jumps.

    It is the rate around which the network would be stationary: in the synchronous regimes that state is unstable,
    and the mean rate of the network lies elsewhere. Of several solutions, the largest.

    Parameters
    ----------
    arguments
        Of the model.

    Returns
    -------
    float
        In spikes/s.

    Raises
    ------
    ModelError
        There is no rate that keeps itself up (without a refractory time, excitation may grow without limit).
    """
    try:
        import numpy as np
        from scipy.optimize import brentq
    except ImportError:
        raise MissingDependencyError("scipy", "analysis") from None

    def excess(rate: float) -> float:
        return _rate_under(arguments, *_bounds(arguments, rate)) - rate

    highest = 1000 / arguments.t_ref if arguments.t_ref > 0 else 1e5
    grid = [0.0, *np.geomspace(1e-3, highest, 400).tolist()]
    values = [excess(rate) for rate in grid]
    for i in reversed(range(len(grid) - 1)):
        if values[i] >= 0 > values[i + 1]:
            return float(brentq(excess, grid[i], grid[i + 1], xtol=1e-10))
    raise ModelError("brunel2000: the theory has no stationary rate for these arguments")


def stationary_cv(arguments: Brunel2000Arguments) -> float:
    """Return the coefficient of variation of interspike intervals at :func:`stationary_rate`.

    Parameters
    ----------
    arguments
        Of the model.
    """
    rate = stationary_rate(arguments)
    from scipy.integrate import quad
    from scipy.special import erfcx

    low, high = _bounds(arguments, rate)

    # exp(v**2) (1 + erf(v))**2 is erfcx(-v)**2 exp(-v**2), which does not overflow on the way
    def inner(u: float) -> float:
        integral, _ = quad(lambda v: float(erfcx(-v)) ** 2 * math.exp(-v * v), -math.inf, u)
        return float(integral)

    outer, _ = quad(lambda u: math.exp(u * u) * inner(u), low, high)
    return math.sqrt(2 * math.pi * outer) * arguments.tau_m * rate / 1000


def _bounds(p: Brunel2000Arguments, rate: float) -> tuple[float, float]:
    """Return how far reset and threshold lie above the mean input at a rate in spikes/s, in standard deviations.

    Equations 4 and 5 of [1]_.
    """
    excitatory, inhibitory = p.indegrees
    per_ms = rate / 1000
    external = p.external_rate / 1000
    mean = p.J * p.tau_m * (external + per_ms * (excitatory - p.g_used * inhibitory))
    sd = p.J * math.sqrt(p.tau_m * (external + per_ms * (excitatory + p.g_used**2 * inhibitory)))
    if sd == 0:
        return math.inf, math.inf
    return (p.V_reset - p.E_L - mean) / sd, (p.V_th - p.E_L - mean) / sd


def _rate_under(p: Brunel2000Arguments, low: float, high: float) -> float:
    """Return the rate in spikes/s of a neuron under white noise (equation 21 of [1]_, after [2]_)."""
    from scipy.integrate import quad
    from scipy.special import erfcx

    if high > _FAR:
        return 0.0
    # exp(u**2) (1 + erf(u)) is erfcx(-u)
    integral, _ = quad(lambda u: float(erfcx(-u)), low, high, limit=200)
    return float(1000 / (p.t_ref + p.tau_m * math.sqrt(math.pi) * integral))
