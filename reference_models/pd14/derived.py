"""From the published parameters to numbers of neurons and synapses, weights and currents.

The order of operations in floating point is that of PyPI's ``microcircuit``, so that both yield the same
numbers. Matrices have one row per target and one column per source.

References
----------
.. [1] Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358.
.. [2] van Albada, Helias & Diesmann 2015, doi:10.1371/journal.pcbi.1004490.
.. [3] Hanuschkin et al. 2010, doi:10.3389/fninf.2010.00113.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .parameters import POPULATIONS, PD14Arguments

__all__ = ["Derived", "derive", "mean_delays", "psc_over_psp", "rheobase", "synapse_numbers"]

#: Spikes/s times ms is 1/1000.
_SECONDS_PER_MS = 0.001


@dataclass(frozen=True)
class Derived:
    """Everything that follows from :class:`PD14Arguments`.

    Parameters
    ----------
    num_neurons : ndarray, shape (8,), int64
        Numbers of neurons, scaled.
    num_synapses : ndarray, shape (8, 8), int64
        Numbers of synapses, scaled.
    weight_mean : ndarray, shape (8, 8), pA
        Mean weights, scaled.
    weight_ext : float
        Weight of background spikes in pA, scaled.
    I_e : ndarray, shape (8,), pA
        Constant current into each neuron.
    ext_indegrees : ndarray, shape (8,), int64
        Numbers of background sources of each neuron, scaled.
    num_th_synapses : ndarray, shape (8,), int64
        Numbers of thalamic synapses, scaled.
    weight_th : float
        Mean weight of thalamic synapses in pA, scaled.
    step_current : ndarray, shape (8,), pA
        Amplitude of the current step.
    I_rheobase : float
        Smallest constant current that reaches the threshold, in pA.
    """

    num_neurons: NDArray[np.int64]
    num_synapses: NDArray[np.int64]
    weight_mean: NDArray[np.float64]
    weight_ext: float
    I_e: NDArray[np.float64]
    ext_indegrees: NDArray[np.int64]
    num_th_synapses: NDArray[np.int64]
    weight_th: float
    step_current: NDArray[np.float64]
    I_rheobase: float

    @property
    def subthreshold(self) -> dict[str, float]:
        """The populations whose constant current is below the rheobase, with that current in pA."""
        pairs = zip(POPULATIONS, self.I_e.tolist(), strict=True)
        return {name: current for name, current in pairs if current < self.I_rheobase}


def synapse_numbers(probabilities: ArrayLike, n_targets: ArrayLike, n_sources: ArrayLike) -> NDArray[np.float64]:
    """Return how many synapses, drawn with repetition, connect a pair of neurons with a given probability.

    ``S = ln(1 - C) / ln(1 - 1 / (N_t N_s))``, equation 1 of [1]_.

    Parameters
    ----------
    probabilities : array_like, shape (n_targets, n_sources)
        Probability that a pair of neurons has at least one synapse.
    n_targets, n_sources : array_like
        Sizes of the populations.

    Returns
    -------
    ndarray, shape (n_targets, n_sources)
        Not rounded.
    """
    pairs = np.outer(np.asarray(n_targets), np.asarray(n_sources))
    # Not log1p(-1 / pairs), which is closer to the truth: (pairs - 1) / pairs is rounded before the logarithm
    # is taken, which changes S by up to 5e-8 relative, and the numbers are to equal microcircuit's.
    number: NDArray[np.float64] = np.log(1.0 - np.asarray(probabilities)) / np.log((pairs - 1.0) / pairs)
    return number


def psc_over_psp(C_m: float, tau_m: float, tau_syn: float) -> float:
    """Return the weight that evokes a postsynaptic potential with a peak of 1 mV.

    An exponential current of amplitude J moves the membrane by
    ``J tau_m tau_syn / (C_m (tau_syn - tau_m)) (exp(-t / tau_syn) - exp(-t / tau_m))``; the time of its peak
    is equation 5 of [3]_.

    Parameters
    ----------
    C_m
        Membrane capacitance in pF.
    tau_m, tau_syn
        Time constants of membrane and synaptic current in ms.

    Returns
    -------
    float
        In pA/mV.
    """
    if tau_m == tau_syn:
        return C_m * math.e / tau_m
    inverse = 1.0 / (tau_syn - tau_m)
    at_peak: float = (tau_m / tau_syn) ** inverse
    per_weight: float = tau_m * tau_syn / C_m * inverse * (at_peak**tau_m - at_peak**tau_syn)
    return 1.0 / per_weight


def rheobase(C_m: float, tau_m: float, E_L: float, V_th: float) -> float:
    """Return the smallest constant current that reaches the threshold.

    Parameters
    ----------
    C_m
        Membrane capacitance in pF.
    tau_m
        Membrane time constant in ms.
    E_L, V_th
        Resting potential and threshold in mV.

    Returns
    -------
    float
        In pA.
    """
    return C_m * (V_th - E_L) / tau_m


def derive(p: PD14Arguments) -> Derived:
    """Derive all numbers of the scaled model.

    Scaling in-degrees by K multiplies recurrent and background weights by 1 / sqrt(K), which keeps the variance
    of the input; the mean that is lost, a part 1 - sqrt(K), comes back as a constant current computed from
    the mean rates of the full model [2]_. A background that is a constant current is not scaled, as it has
    no variance.

    Parameters
    ----------
    p
        The model's arguments.
    """
    full_neurons = np.array(p.full_num_neurons)
    full_synapses = synapse_numbers(p.conn_probs, full_neurons, full_neurons)
    K_ext = np.array(p.K_ext)
    factor = psc_over_psp(p.C_m, p.tau_m, p.tau_syn)

    weight_mean = _potentials(p) * factor
    weight_ext = p.PSP_exc_mean * factor

    lost = _SECONDS_PER_MS * p.tau_syn * (1.0 - np.sqrt(p.k_scale))
    indegrees = full_synapses / full_neurons[:, np.newaxis]
    recurrent = np.sum(weight_mean * indegrees * np.array(p.full_mean_rates), axis=1)
    if p.background == "dc":
        current = p.bg_rate * K_ext * weight_ext * p.tau_syn * _SECONDS_PER_MS + lost * recurrent
    else:
        current = lost * recurrent + lost * (weight_ext * K_ext * p.bg_rate)

    thalamic = synapse_numbers(p.conn_probs_th, p.num_th_neurons, full_neurons)[0]
    return Derived(
        num_neurons=_whole(full_neurons * p.n_scale),
        num_synapses=_whole(full_synapses * p.n_scale * p.k_scale),
        weight_mean=weight_mean / np.sqrt(p.k_scale),
        weight_ext=float(weight_ext / np.sqrt(p.k_scale)),
        I_e=current,
        ext_indegrees=_whole(K_ext * p.k_scale),
        num_th_synapses=_whole(thalamic * p.k_scale),
        weight_th=float(p.PSP_th * factor / np.sqrt(p.k_scale)),
        step_current=p.dc_transient_amp * K_ext,
        I_rheobase=rheobase(p.C_m, p.tau_m, p.E_L, p.V_th),
    )


def mean_delays(p: PD14Arguments) -> NDArray[np.float64]:
    """Return the mean delays of recurrent synapses, before rounding to the grid.

    Parameters
    ----------
    p
        The model's arguments.

    Returns
    -------
    ndarray, shape (8, 8), ms
    """
    if p.delay_matrix_mean is not None:
        return np.array(p.delay_matrix_mean, dtype=float)
    return _by_source(p.delay_exc_mean, p.delay_inh_mean)


def _potentials(p: PD14Arguments) -> NDArray[np.float64]:
    """Return the mean peaks of postsynaptic potentials in mV, shape (8, 8)."""
    if p.PSP_matrix_mean is not None:
        return np.array(p.PSP_matrix_mean, dtype=float)
    psp = _by_source(p.PSP_exc_mean, p.PSP_exc_mean * p.g)
    psp[POPULATIONS.index("L23E"), POPULATIONS.index("L4E")] = p.PSP_factor_L4E_to_L23E * p.PSP_exc_mean
    return psp


def _by_source(excitatory: float, inhibitory: float) -> NDArray[np.float64]:
    """Return a matrix with one value in the columns of excitatory sources, and one in the others."""
    matrix = np.empty((len(POPULATIONS), len(POPULATIONS)))
    matrix[:, 0::2], matrix[:, 1::2] = excitatory, inhibitory
    return matrix


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round to whole numbers, halves to even."""
    return np.round(values).astype(np.int64)
