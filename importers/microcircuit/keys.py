"""The keys of the dictionaries of PyPI's ``microcircuit`` 1.0, and the arguments of ``pd14`` that they are."""

from __future__ import annotations

__all__ = ["ARGUMENTS", "DICTIONARIES", "NEURON_PARAMETERS", "POPULATIONS", "STATISTICS", "UNREAD", "Place"]

#: Where a value stands: the name of a dictionary, then the keys in it.
Place = tuple[str, ...]

#: Populations of the model, in the order of all vectors and matrices.
POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")

#: Keys of ``net_dict['neuron_params']`` whose values are numbers, and those with one entry per ``V0_type``.
NEURON_PARAMETERS = ("E_L", "V_th", "V_reset", "C_m", "tau_m", "tau_syn", "t_ref")
STATISTICS = ("V0_mean", "V0_std")

_NET = {
    "n_scale": "N_scaling",
    "k_scale": "K_scaling",
    "background": "bg_input_type",
    "initial_V": "V0_type",
    **{
        name: name
        for name in (
            *("full_num_neurons", "full_mean_rates", "conn_probs", "PSP_exc_mean", "weight_rel_std", "g"),
            *("delay_exc_mean", "delay_inh_mean", "delay_rel_std", "K_ext", "bg_rate", "delay_poisson"),
        )
    },
}
_SIM = {"dt": "sim_resolution", "discard": "t_presim", "seed": "rng_seed"}
_STIM = {
    "thalamus": "thalamic_input",
    **{
        name: name
        for name in (
            *("th_start", "th_duration", "th_rate", "num_th_neurons", "conn_probs_th", "PSP_th"),
            *("delay_th_mean", "delay_th_rel_std"),
            *("dc_transient", "dc_transient_start", "dc_transient_dur", "dc_transient_amp"),
        )
    },
}

#: Where the value of an argument of ``pd14`` stands.
ARGUMENTS: dict[str, Place] = {
    **{argument: ("net_dict", key) for argument, key in _NET.items()},
    **{name: ("net_dict", "neuron_params", name) for name in NEURON_PARAMETERS},
    **{
        f"{key}_{kind}": ("net_dict", "neuron_params", key, kind)
        for key in STATISTICS
        for kind in ("original", "optimized")
    },
    **{argument: ("sim_dict", key) for argument, key in _SIM.items()},
    **{argument: ("stim_dict", key) for argument, key in _STIM.items()},
}

#: Every key of each dictionary.
DICTIONARIES: dict[str, tuple[str, ...]] = {
    "net_dict": (
        *_NET.values(),
        "neuron_model",
        "populations",
        "neuron_params",
        "PSP_matrix_mean",
        "delay_matrix_mean",
    ),
    "sim_dict": (
        *(*_SIM.values(), "t_sim", "rec_dev", "rec_V_int", "local_num_threads"),
        *("data_path", "overwrite_files", "print_time", "store_metadata"),
    ),
    "stim_dict": tuple(_STIM.values()),
}

#: Keys that may be missing: nothing is built of them, as the matrices made of them count, or where files are written.
UNREAD: frozenset[Place] = frozenset(
    {
        *(("net_dict", key) for key in ("g", "delay_exc_mean", "delay_inh_mean")),
        *(("sim_dict", key) for key in ("data_path", "overwrite_files", "print_time", "store_metadata")),
    }
)
