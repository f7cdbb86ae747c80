"""The arguments of ``pd14``: every published number, with unit, symbol, meaning and source.

The names are those of PyPI's ``microcircuit`` where it has one, so that a set of parameters can be
carried over. Vectors follow the order of :data:`POPULATIONS`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mc_interchange.network import ModelParameter
from mc_interchange.network.base import Count, Flag, NonNegative, Part, Positive, Real, refusal
from mc_interchange.network.simulation import MAX_SEED
from mc_interchange.reference_models.documented import documented as as_documented
from mc_interchange.units import Quantity

__all__ = ["POPULATIONS", "PD14Arguments", "documented"]

#: Names of the populations: layer, then E (excitatory) or I (inhibitory).
POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")

_PAPER = "Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358"
_CODE = "PyPI microcircuit 1.0"
_SCALING = "van Albada et al. 2015, doi:10.1371/journal.pcbi.1004490"


def _plain(value: Any) -> Any:
    """Turn NumPy's arrays and scalars, as other scripts hold them, into Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _default(value: Any, source: str) -> Any:
    """Make a field with its default and the place where that default was published."""
    return Field(value, json_schema_extra={"source": source})


#: Below 1, or the number of synapses would be infinite.
_Connection = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]
#: A population of one neuron could hold no finite number of synapses at a given probability.
_Size = Annotated[Count, Field(ge=2)]


def _eight(value: Any) -> Any:
    """Refuse another number of values in words of its own: pydantic counts only the valid ones."""
    if isinstance(value, list | tuple) and len(value) != len(POPULATIONS):
        raise ValueError(f"must have {len(POPULATIONS)} values, got {len(value)}")
    return value


_EIGHT = BeforeValidator(_eight)
_PLAIN = BeforeValidator(_plain)


_Row = Annotated[tuple[Real, ...], _EIGHT]
_DelayRow = Annotated[tuple[Positive, ...], _EIGHT]

#: What a matrix, where it is given, stands for in place of.
_REPLACED = {
    "PSP_matrix_mean": ("g", "PSP_factor_L4E_to_L23E"),
    "delay_matrix_mean": ("delay_exc_mean", "delay_inh_mean"),
}


class PD14Arguments(Part):
    """Arguments of the cortical microcircuit model.

    ``scale`` sets ``n_scale`` and ``k_scale`` together. Matrices have one row per target and one column
    per source.
    """

    # what to build
    scale: Annotated[Positive | None, Quantity("1", "s", "sets n_scale and k_scale")] = _default(None, _SCALING)
    n_scale: Annotated[Positive, Quantity("1", "s_N", "factor on the numbers of neurons")] = _default(1.0, _SCALING)
    k_scale: Annotated[Positive, Quantity("1", "s_K", "factor on the in-degrees")] = _default(1.0, _SCALING)
    background: Literal["poisson", "dc"] = Field(
        "poisson",
        description="background input: Poisson spike trains, or a constant current of the same mean",
        json_schema_extra={"source": _PAPER},
    )
    initial_V: Literal["optimized", "original"] = Field(
        "optimized",
        description="initial membrane potentials: by population (small onset transient), or the same for all",
        json_schema_extra={"source": _CODE},
    )
    thalamus: Flag = Field(
        False,
        description="with a thalamic population that fires for a short time",
        json_schema_extra={"source": _PAPER},
    )
    dc_transient: Flag = Field(
        False, description="with a current step into every neuron", json_schema_extra={"source": _CODE}
    )

    # populations and connectivity
    full_num_neurons: Annotated[
        tuple[_Size, ...], _EIGHT, Quantity("1", "N", "numbers of neurons at full scale"), _PLAIN
    ] = _default((20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948), f"{_PAPER}, Table 5")
    conn_probs: Annotated[
        tuple[Annotated[tuple[_Connection, ...], _EIGHT], ...],
        _EIGHT,
        Quantity("1", "C", "connection probabilities (row: target, column: source)"),
        _PLAIN,
    ] = _default(
        (
            (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
            (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
            (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
            (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
            (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
            (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
            (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
            (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
        ),
        f"{_PAPER}, Table 5",
    )
    full_mean_rates: Annotated[
        tuple[NonNegative, ...],
        _EIGHT,
        Quantity("spikes/s", "nu", "mean rates at full scale, for the compensation of k_scale"),
        _PLAIN,
    ] = _default((0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829), f"{_CODE} (simulated at full scale)")

    # synapses
    PSP_exc_mean: Annotated[Positive, Quantity("mV", "PSP_e", "mean peak of the excitatory postsynaptic potential")] = (
        _default(0.15, _PAPER)
    )
    PSP_factor_L4E_to_L23E: Annotated[
        NonNegative, Quantity("1", "f_L4E", "factor on the mean potential of synapses from L4E onto L23E")
    ] = _default(2.0, _PAPER)
    g: Annotated[Real, Quantity("1", "g", "inhibitory weight relative to the excitatory one")] = _default(-4.0, _PAPER)
    PSP_matrix_mean: Annotated[
        tuple[_Row, ...] | None,
        _EIGHT,
        Quantity("mV", "PSP", "mean peaks of the potentials (row: target, column: source), in place of g and f_L4E"),
        _PLAIN,
    ] = _default(None, _CODE)
    weight_rel_std: Annotated[
        NonNegative, Quantity("1", "sigma_J", "standard deviation of weights relative to their mean")
    ] = _default(0.1, _PAPER)
    delay_exc_mean: Annotated[Positive, Quantity("ms", "d_e", "mean excitatory delay")] = _default(1.5, _PAPER)
    delay_inh_mean: Annotated[Positive, Quantity("ms", "d_i", "mean inhibitory delay")] = _default(0.75, _CODE)
    delay_matrix_mean: Annotated[
        tuple[_DelayRow, ...] | None,
        _EIGHT,
        Quantity("ms", "d", "mean delays (row: target, column: source), in place of d_e and d_i"),
        _PLAIN,
    ] = _default(None, _CODE)
    delay_rel_std: Annotated[
        NonNegative, Quantity("1", "sigma_d", "standard deviation of delays relative to their mean")
    ] = _default(0.5, _PAPER)

    # background
    K_ext: Annotated[tuple[Count, ...], _EIGHT, Quantity("1", "K_ext", "external in-degrees at full scale"), _PLAIN] = (
        _default((1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100), f"{_PAPER}, Table 5")
    )
    bg_rate: Annotated[NonNegative, Quantity("spikes/s", "nu_bg", "rate of each external source")] = _default(
        8.0, f"{_PAPER}, Table 5"
    )
    delay_poisson: Annotated[Positive, Quantity("ms", "d_bg", "delay of the Poisson background")] = _default(1.5, _CODE)

    # neurons
    C_m: Annotated[Positive, Quantity("pF", "C_m", "membrane capacitance")] = _default(250.0, f"{_PAPER}, Table 5")
    tau_m: Annotated[Positive, Quantity("ms", "tau_m", "membrane time constant")] = _default(10.0, f"{_PAPER}, Table 5")
    tau_syn: Annotated[Positive, Quantity("ms", "tau_syn", "time constant of postsynaptic currents")] = _default(
        0.5, f"{_PAPER}, Table 5"
    )
    t_ref: Annotated[NonNegative, Quantity("ms", "tau_ref", "absolute refractory period")] = _default(
        2.0, f"{_PAPER}, Table 5"
    )
    E_L: Annotated[Real, Quantity("mV", "E_L", "resting potential")] = _default(-65.0, f"{_PAPER}, Table 5")
    V_th: Annotated[Real, Quantity("mV", "theta", "spike threshold")] = _default(-50.0, f"{_PAPER}, Table 5")
    V_reset: Annotated[Real, Quantity("mV", "V_reset", "potential after a spike")] = _default(
        -65.0, f"{_PAPER}, Table 5"
    )
    V0_mean_optimized: Annotated[
        tuple[Real, ...], _EIGHT, Quantity("mV", "mu_V0", "means of the initial potentials, 'optimized'"), _PLAIN
    ] = _default((-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43), _CODE)
    V0_std_optimized: Annotated[
        tuple[NonNegative, ...],
        _EIGHT,
        Quantity("mV", "sigma_V0", "standard deviations of the initial potentials, 'optimized'"),
        _PLAIN,
    ] = _default((5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48), _CODE)
    V0_mean_original: Annotated[Real, Quantity("mV", "mu_V0", "mean of the initial potentials, 'original'")] = _default(
        -58.0, f"{_CODE} (as in earlier implementations)"
    )
    V0_std_original: Annotated[
        NonNegative, Quantity("mV", "sigma_V0", "standard deviation of the initial potentials, 'original'")
    ] = _default(10.0, f"{_CODE} (as in earlier implementations)")

    # thalamus
    num_th_neurons: Annotated[Count, Field(ge=1), Quantity("1", "N_th", "number of thalamic neurons (not scaled)")] = (
        _default(902, f"{_PAPER}, Table 5")
    )
    conn_probs_th: Annotated[
        tuple[_Connection, ...], _EIGHT, Quantity("1", "C_th", "connection probabilities from the thalamus"), _PLAIN
    ] = _default((0.0, 0.0, 0.0983, 0.0619, 0.0, 0.0, 0.0512, 0.0196), f"{_PAPER}, Table 5")
    PSP_th: Annotated[
        Positive, Quantity("mV", "PSP_th", "mean peak of the potential after a thalamic spike at full scale")
    ] = _default(0.15, _CODE)
    delay_th_mean: Annotated[Positive, Quantity("ms", "d_th", "mean thalamic delay")] = _default(1.5, _CODE)
    delay_th_rel_std: Annotated[
        NonNegative, Quantity("1", "sigma_dth", "standard deviation of thalamic delays relative to their mean")
    ] = _default(0.5, _CODE)
    th_rate: Annotated[NonNegative, Quantity("spikes/s", "nu_th", "rate of each thalamic neuron")] = _default(
        120.0, _CODE
    )
    th_start: Annotated[NonNegative, Quantity("ms", "t_th", "onset of thalamic activity")] = _default(700.0, _CODE)
    th_duration: Annotated[Positive, Quantity("ms", "T_th", "duration of thalamic activity")] = _default(10.0, _CODE)

    # current step
    dc_transient_amp: Annotated[
        Real, Quantity("pA", "I_step", "current step per unit of K_ext (which is not scaled here)")
    ] = _default(0.3, _CODE)
    dc_transient_start: Annotated[NonNegative, Quantity("ms", "t_step", "onset of the current step")] = _default(
        650.0, _CODE
    )
    dc_transient_dur: Annotated[Positive, Quantity("ms", "T_step", "duration of the current step")] = _default(
        100.0, _CODE
    )
    dc_transient_delay: Annotated[Positive, Quantity("ms", "d_step", "delay of the current step")] = _default(
        1.0, f"{_CODE} (NEST's default delay)"
    )

    # simulation
    dt: Annotated[Positive, Quantity("ms", "h", "resolution")] = _default(0.1, _CODE)
    duration: Annotated[Positive, Quantity("ms", "T", "simulated time in all")] = _default(1500.0, _CODE)
    discard: Annotated[NonNegative, Quantity("ms", "T_pre", "part at the start that is left out of statistics")] = (
        _default(500.0, _CODE)
    )
    seed: Annotated[int, Field(strict=True, ge=1, le=MAX_SEED, description="seed of the random numbers")] = _default(
        1, "free choice"
    )

    @model_validator(mode="before")
    @classmethod
    def _scale_sets_both(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("scale") is None:
            return values
        for name in ("n_scale", "k_scale"):
            if name in values and values[name] != values["scale"]:
                raise refusal("scale", f"give either scale, or n_scale and k_scale, got scale and {name}")
        return {**values, "n_scale": values["scale"], "k_scale": values["scale"]}

    @model_validator(mode="before")
    @classmethod
    def _matrix_stands_alone(cls, values: Any) -> Any:
        for matrix, numbers in _REPLACED.items():
            if isinstance(values, dict) and values.get(matrix) is not None:
                for name in numbers:
                    if name in values:
                        raise refusal(matrix, f"give either {matrix}, or {' and '.join(numbers)}, got also {name}")
        return values


#: They are in the network's simulation parameters, which may be changed after it was built.
_ELSEWHERE = frozenset({"scale", "dt", "duration", "discard", "seed"})


def documented(arguments: PD14Arguments) -> tuple[ModelParameter, ...]:
    """Return the arguments as documented model parameters; a matrix stands in place of the numbers that it replaces.

    Parameters
    ----------
    arguments
        Of the model.
    """
    replaced = {n for matrix, names in _REPLACED.items() for n in (names if getattr(arguments, matrix) else (matrix,))}
    return as_documented(arguments, without=_ELSEWHERE | replaced)
