"""From a model template and its parameters to a neuron; from JSON files to parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.network import AnyNeuron

from .config import parse_json, read_json

__all__ = ["neuron", "parameters"]

_NEST = "nest:"
#: Time constants (ms) that bmtk gives the four receptors of such neurons.
_GLIF_TAU_SYN = (5.5, 8.5, 2.8, 5.8)
#: bmtk's names for forms of ``glif_psc``: with reset rules, with after-spike currents, with an adapting threshold.
_GLIF = {
    "glif_lif_psc": (False, False, False),
    "glif_lif_r_psc": (True, False, False),
    "glif_lif_asc_psc": (False, True, False),
    "glif_lif_r_asc_psc": (True, True, False),
    "glif_lif_r_asc_a_psc": (True, True, True),
}


def parameters(where: Path, directory: Path, value: str | None) -> dict[str, Any]:
    """Read ``dynamics_params``: the name of a JSON file, or the JSON itself.

    Parameters
    ----------
    where
        The file that gives the value.
    directory
        Of the JSON files.
    value
        None: no parameters.

    Raises
    ------
    FormatError
    """
    if value is None:
        return {}
    if value.lstrip().startswith("{"):
        try:
            given = parse_json(value)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{where}: dynamics_params {value[:60]!r} is not valid JSON ({error})") from None
        return dict(given)
    file = directory / value
    if "\0" in value or not file.resolve().is_relative_to(directory.resolve()):
        raise FormatError(f"{where}: dynamics_params {value!r} must be a file name in {directory}")
    return read_json(file)


def neuron(where: str, template: str | None, given: Mapping[str, Any]) -> tuple[AnyNeuron, float | None]:
    """Return the neuron that a template names, and its initial membrane potential in mV (None: NEST's default).

    Parameters
    ----------
    where
        File and population, for errors.
    template
        ``nest:MODEL``, or one of bmtk's templates for the GLIF models of the Allen Institute.
    given
        Parameters as NEST takes them, or the Allen Institute's description of a GLIF model.

    Raises
    ------
    FormatError
    """
    if template is None:
        raise FormatError(f"{where} has no model_template")
    if not template.startswith(_NEST):
        raise FormatError(f"{where} has the model {template!r}; supported are NEST's (nest:...)")
    model = template.removeprefix(_NEST)
    try:
        if given.get("type") == "GLIF":
            model, given = _glif(where, model, given)
        return neuron_from_nest(model, given)
    except ModelError as error:
        raise FormatError(f"{where}: {error}") from None


def _glif(where: str, model: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Turn the Allen Institute's description of a GLIF model (SI units) into NEST's parameters, as bmtk does."""
    if model not in _GLIF:
        raise FormatError(f"{where}: a description of the type GLIF goes with {', '.join(_GLIF)}, not with {model!r}")
    resets, after_spike, adapting = _GLIF[model]
    try:
        coefficients = config["coeffs"]
        reference = config["El_reference"] * 1e3
        rest = config["El"] * 1e3 + reference
        found = {
            "V_m": rest,
            "E_L": rest,
            "V_th": coefficients["th_inf"] * config["th_inf"] * 1e3 + reference,
            "g": coefficients["G"] / config["R_input"] * 1e9,
            "C_m": coefficients["C"] * config["C"] * 1e12,
            "t_ref": config["spike_cut_length"] * config["dt"] * 1e3,
            "tau_syn": list(_GLIF_TAU_SYN),
            "spike_dependent_threshold": resets,
            "after_spike_currents": after_spike,
            "adapting_threshold": adapting,
        }
        if resets:
            threshold = config["threshold_dynamics_method"]["params"]
            reset = config["voltage_reset_method"]["params"]
            found["th_spike_add"] = threshold["a_spike"] * 1e3
            found["th_spike_decay"] = threshold["b_spike"] * 1e-3
            found["voltage_reset_fraction"] = reset["a"]
            found["voltage_reset_add"] = reset["b"] * 1e3
        else:
            found["V_reset"] = reference
        if after_spike:
            found["asc_init"] = (np.array(config["init_AScurrents"]) * 1e12).tolist()
            found["asc_decay"] = (1.0 / np.array(config["asc_tau_array"]) * 1e-3).tolist()
            amplitudes = np.array(config["asc_amp_array"]) * np.array(coefficients["asc_amp_array"]) * 1e12
            found["asc_amps"] = amplitudes.tolist()
        if adapting:
            found["th_voltage_index"] = threshold["a_voltage"] * coefficients["a"] * 1e-3
            found["th_voltage_decay"] = threshold["b_voltage"] * coefficients["b"] * 1e-3
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{where}: its GLIF description lacks a value or has a wrong one ({error})") from None
    return "glif_psc", found
