"""From ``net_dict``, ``sim_dict`` and ``stim_dict`` to the arguments of ``pd14``, and so to a Network.

The reference model derives everything else, as it does for anybody. What is here are names only, and the few
places where ``microcircuit`` 1.0 does something else than its dictionaries say; each is followed or told of.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from mc_interchange.errors import ModelError
from mc_interchange.network import CATALOGUE, Network, Simulation, VoltageRecording
from mc_interchange.reading import build

from .keys import ARGUMENTS, DICTIONARIES, NEURON_PARAMETERS, POPULATIONS, STATISTICS, UNREAD, Place

__all__ = ["MicrocircuitWarning", "network_of"]

_NEURON_MODEL = "iaf_psc_exp"
#: The generator of the thalamus drives relays over NEST's default delay, ms.
_RELAY_DELAY = 1.0
#: Matrices that were made of two numbers by the same operations differ by no more.
_ROUNDING = 1e-13


class MicrocircuitWarning(UserWarning):
    """A value of a dictionary that ``microcircuit`` itself does not use, or not everywhere."""


def network_of(
    net_dict: Mapping[str, Any], sim_dict: Mapping[str, Any], stim_dict: Mapping[str, Any] | None = None
) -> Network:
    """Return the network that the dictionaries of ``microcircuit`` 1.0 describe.

    Parameters
    ----------
    net_dict, sim_dict, stim_dict
        As they are handed to ``microcircuit.Network`` (which takes ``sim_dict`` first), changed or not; arrays
        or lists, ms, mV, pF, pA, spikes/s. Without ``stim_dict`` there are no stimuli. Keys that say where and
        how files are written have no part in a model.

    Returns
    -------
    Network
        That of the reference model ``pd14``. Where ``PSP_matrix_mean`` or ``delay_matrix_mean`` is not made of
        the numbers beside it, the matrix counts, as in ``microcircuit``. The thalamus starts 1 ms after
        ``th_start``, when the relays of ``microcircuit`` do.

    Raises
    ------
    ModelError
        A key is unknown or missing, or a value cannot be taken; it is named as in ``net_dict['g']``.

    Warns
    -----
    MicrocircuitWarning
        ``microcircuit`` does not use a value (``g`` beside another matrix), or not everywhere (``C_m`` and
        ``tau_m``, which it hands to no neuron).
    SubthresholdWarning
        As ``pd14`` does.
    """
    given = {"net_dict": net_dict, "sim_dict": sim_dict} | ({} if stim_dict is None else {"stim_dict": stim_dict})
    for name, dictionary in given.items():
        _check_keys(name, dictionary)
    arguments = {
        argument: _plain(_value(given, place))
        for argument, place in ARGUMENTS.items()
        if place[0] in given and not (place in UNREAD and _absent(given, place))
    }
    _check_net(net_dict)
    _translate_matrix(arguments, net_dict, "PSP_matrix_mean", ("g", "PSP_factor_L4E_to_L23E"))
    _translate_matrix(arguments, net_dict, "delay_matrix_mean", ("delay_exc_mean", "delay_inh_mean"))
    arguments["duration"] = _sum(sim_dict, "t_presim", "t_sim")
    if "th_start" in arguments and _is_number(arguments["th_start"]):
        arguments["th_start"] += _RELAY_DELAY
    _warn_of_membrane(arguments)
    try:
        network = build("pd14", **arguments)
        simulation = _simulation(network, sim_dict)
        return Network(**{**{name: getattr(network, name) for name in Network.model_fields}, "simulation": simulation})
    except ModelError as error:
        raise ModelError(_in_their_words(str(error))) from None


def _check_keys(name: str, dictionary: Any) -> None:
    if not isinstance(dictionary, Mapping):
        raise ModelError(f"{name}: must be a dictionary, got {type(dictionary).__name__}")
    _refuse_unknown(name, dictionary, DICTIONARIES[name])
    for key in DICTIONARIES[name]:
        if key not in dictionary and (name, key) not in UNREAD:
            raise ModelError(f"{name}['{key}']: this key is missing")
    if name != "net_dict":
        return
    neuron = dictionary["neuron_params"]
    _refuse_unknown("net_dict['neuron_params']", neuron, (*NEURON_PARAMETERS, *STATISTICS))
    for key in (*NEURON_PARAMETERS, *STATISTICS):
        if key not in neuron:
            raise ModelError(f"net_dict['neuron_params']['{key}']: this key is missing")
    for key in STATISTICS:
        _refuse_unknown(f"net_dict['neuron_params']['{key}']", neuron[key], ("original", "optimized"))
        for kind in ("original", "optimized"):
            if kind not in neuron[key]:
                raise ModelError(f"net_dict['neuron_params']['{key}']['{kind}']: this key is missing")


def _refuse_unknown(where: str, dictionary: Any, known: Iterable[str]) -> None:
    if not isinstance(dictionary, Mapping):
        raise ModelError(f"{where}: must be a dictionary, got {type(dictionary).__name__}")
    known = list(known)
    unknown = [str(key) for key in dictionary if key not in known]
    if unknown:
        close = get_close_matches(unknown[0], known, n=1, cutoff=0.6)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise ModelError(f"{where}['{unknown[0]}']: unknown key{hint}{more}; microcircuit 1.0 has {', '.join(known)}")


def _absent(given: Mapping[str, Mapping[str, Any]], place: Place) -> bool:
    return place[1] not in given[place[0]]


def _value(given: Mapping[str, Mapping[str, Any]], place: Place) -> Any:
    value: Any = given
    for key in place:
        value = value[key]
    return value


def _plain(value: Any) -> Any:
    """Turn NumPy's arrays and scalars into Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_net(net_dict: Mapping[str, Any]) -> None:
    """Refuse what ``pd14`` has no argument for, because it is what makes it PD14."""
    model = net_dict["neuron_model"]
    if model != _NEURON_MODEL:
        raise ModelError(
            f"net_dict['neuron_model']: must be '{_NEURON_MODEL}', for which weights are derived, got {model!r:.60}"
        )
    names = _plain(net_dict["populations"])
    if not isinstance(names, list | tuple) or tuple(names) != POPULATIONS:
        raise ModelError(
            f"net_dict['populations']: must be {', '.join(POPULATIONS)}, in this order, got {names!r:.120}"
        )


def _translate_matrix(
    arguments: dict[str, Any], net_dict: Mapping[str, Any], key: str, replaced: tuple[str, str]
) -> None:
    """Give the numbers that a matrix was made of where it was, and else the matrix."""
    matrix = _plain(net_dict[key])
    numbers = _numbers_of(matrix, arguments, key)
    if numbers is not None:
        arguments.update(numbers)
        return
    unused = [name for name in replaced if arguments.pop(name, None) is not None]
    arguments[key] = matrix
    if unused:
        names = " and ".join(f"net_dict['{name}']" for name in unused)
        warnings.warn(
            f"{names}: no effect beside a {key} that was not made of it; the matrix counts, as in microcircuit",
            MicrocircuitWarning,
            stacklevel=3,
        )


def _numbers_of(matrix: Any, arguments: Mapping[str, Any], key: str) -> dict[str, float] | None:
    """Return what a matrix tells beyond the numbers that are given beside it; None where it is not made of them."""
    potentials = key == "PSP_matrix_mean"
    names = ("PSP_exc_mean", "g") if potentials else ("delay_exc_mean", "delay_inh_mean")
    try:
        values = np.array(matrix, dtype=float)
    except (TypeError, ValueError):
        return None  # refused where arguments are checked
    shape = (len(POPULATIONS), len(POPULATIONS))
    if values.shape != shape or not all(_is_number(arguments.get(name)) for name in names):
        return None
    excitatory, other = (float(arguments[name]) for name in names)
    made = np.empty(shape)
    made[:, 0::2] = excitatory
    made[:, 1::2] = excitatory * other if potentials else other
    numbers = {}
    if potentials and excitatory > 0 and values[0, 2] >= 0:  # from L4E onto L23E
        numbers["PSP_factor_L4E_to_L23E"] = float(values[0, 2] / excitatory)
        made[0, 2] = values[0, 2]
    return numbers if np.allclose(made, values, rtol=_ROUNDING, atol=0) else None


def _sum(dictionary: Mapping[str, Any], *keys: str) -> float:
    for key in keys:
        if not _is_number(_plain(dictionary[key])):
            raise ModelError(f"sim_dict['{key}']: must be a number, got {dictionary[key]!r:.60}")
    return float(sum(dictionary[key] for key in keys))


def _warn_of_membrane(arguments: Mapping[str, Any]) -> None:
    for name in ("C_m", "tau_m"):
        default = CATALOGUE[_NEURON_MODEL][name].nest
        if arguments[name] != default:
            warnings.warn(
                f"net_dict['neuron_params']['{name}'] is {arguments[name]!r:.40} here, in weights and in neurons; "
                f"microcircuit 1.0 uses it for weights, and leaves its neurons with NEST's {default}",
                MicrocircuitWarning,
                stacklevel=3,
            )


def _simulation(network: Network, sim_dict: Mapping[str, Any]) -> Simulation:
    """Return resolution, durations and seed as ``pd14`` took them, with threads and recordings."""
    devices = sim_dict["rec_dev"]
    known = ("spike_recorder", "voltmeter")
    if not isinstance(devices, list | tuple) or any(device not in known for device in devices):
        raise ModelError(f"sim_dict['rec_dev']: must be a list of {' and '.join(known)}, got {devices!r:.60}")
    voltages = [
        VoltageRecording(
            population=population.name,
            neurons=tuple(range(population.size)),
            interval=_plain(sim_dict["rec_V_int"]),
        )
        for population in (network.neuron_populations if "voltmeter" in devices else ())
    ]
    names = tuple(population.name for population in network.neuron_populations)
    done = network.simulation
    return Simulation(
        dt=done.dt,
        duration=done.duration,
        discard=done.discard,
        seed=done.seed,
        threads=_plain(sim_dict["local_num_threads"]),
        record_spikes=names if "spike_recorder" in devices else (),
        record_V_m=tuple(voltages),
    )


#: What else comes from one key: arguments that are given in certain cases, and fields of the simulation.
_OTHERS = {
    **{key: ("net_dict", key) for key in ("PSP_matrix_mean", "delay_matrix_mean")},
    "duration": ("sim_dict", "t_sim"),
    "threads": ("sim_dict", "local_num_threads"),
    "interval": ("sim_dict", "rec_V_int"),
}


def _in_their_words(message: str) -> str:
    """Name the key of a dictionary where a message names the argument that was made of it."""
    found = re.match(r"(?:(?:pd14|Simulation|VoltageRecording|Network): )*(?:[a-z]+\.)?(\w+)((?:\[\d+\])*: )", message)
    place = ({**ARGUMENTS, **_OTHERS}).get(found[1]) if found else None
    if found is None or place is None:
        return message
    keys = "".join(f"['{key}']" for key in place[1:])
    return f"{place[0]}{keys}{found[2]}{message[found.end() :]}"
