"""What the type table of an edge file says, and its parameter files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mc_interchange.errors import FormatError
from mc_interchange.instance import Synapse

from .models import parameters

__all__ = ["EdgeType", "edge_type"]

#: Functions that every bmtk has; they multiply syn_weight by nsyns. All others are the user's own code.
_PRODUCTS = ("default_weight_fnc", "set_syn_weight", "wmax")


@dataclass(frozen=True)
class EdgeType:
    """One edge type.

    Parameters
    ----------
    synapse
        Synapse model with its parameters.
    weight, delay, n_syns
        Values for edges whose group has none of their own; None: not given. In the unit of the target's model,
        in ms, and a number of synapses.
    """

    synapse: Synapse
    weight: float | None
    delay: float | None
    n_syns: float | None


def edge_type(file: Path, population: str, type_id: int, row: Mapping[str, str], models: Path) -> EdgeType:
    """Read one row of a type table.

    Parameters
    ----------
    file, population
        For errors.
    models
        Directory of the synapse models.

    Raises
    ------
    FormatError
    """
    where = f"{file}: edge population {population}, type {type_id}"
    function = row.get("weight_function")
    if function is not None and function not in _PRODUCTS:
        raise FormatError(f"{where} has the weight_function {function!r}, a Python function that is not in the files")
    if row.get("is_gap_junction", "False") not in ("False", "false", "0"):
        raise FormatError(f"{where} has gap junctions; only chemical synapses are supported")
    template = row.get("model_template")
    if template is None:
        raise FormatError(
            f"{file}: edge population {population} has the synapse model None; supported: static_synapse and all "
            "others of NEST"
        )
    given = parameters(file, models, row.get("dynamics_params"))
    receptor = given.pop("receptor_type", 0)
    # where the table has them too, the table counts
    weight, delay = given.pop("weight", None), given.pop("delay", None)
    if not isinstance(receptor, int) or isinstance(receptor, bool) or receptor < 0:
        raise FormatError(f"{where}: receptor_type must be a whole number, got {receptor!r:.60}")
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise FormatError(f"{where}: the synapse parameter {key} must be a finite number, got {value!r:.60}")
    synapse = Synapse(template.removeprefix("nest:"), receptor, {key: float(value) for key, value in given.items()})
    return EdgeType(
        synapse,
        weight=_number(where, row, "syn_weight") if "syn_weight" in row else _json_number(where, "weight", weight),
        delay=_number(where, row, "delay") if "delay" in row else _json_number(where, "delay", delay),
        n_syns=_number(where, row, "nsyns"),
    )


def _number(where: str, row: Mapping[str, str], key: str) -> float | None:
    text = row.get(key)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise FormatError(f"{where}: {key} must be a finite number, got {text!r:.60}")
    return value


def _json_number(where: str, key: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise FormatError(f"{where}: {key} must be a finite number, got {value!r:.60}")
    return float(value)
