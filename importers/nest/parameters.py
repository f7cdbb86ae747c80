"""Parameters of neurons, read from the kernel into columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats.nest import BY_NEST_NAME, plain_value

__all__ = ["ParameterTable", "Settable", "read_table"]

#: What NEST reports of a neuron and what does nothing, or nothing on a neuron with static synapses only.
_INERT = {
    *("Ca", "beta_Ca", "tau_Ca", "synaptic_elements"),
    *("archiver_length", "post_trace", "t_spike", "tau_minus", "tau_minus_triplet"),
    *("node_uses_wfr", "flush_event_send_interval"),
    *("element_type", "global_id", "local", "model", "model_id", "recordables"),
    *("thread", "thread_local_id", "vp", "has_connections", "rho"),
}
#: Of these, what counts once weights change with the spikes of both sides.
_TRACES = {"tau_minus": 20.0, "tau_minus_triplet": 110.0}
#: What the catalogue does not hold, and the values with which it makes no difference.
_NEUTRAL = {
    **dict.fromkeys(("delta", "g_ex", "g_in", "dg_ex", "dg_in", "threshold_spike", "threshold_voltage"), 0.0),
    **dict.fromkeys(("frozen", "ignore_and_spike"), False),
    **_TRACES,
}
#: What some models accept only while another parameter switches it on.
_SWITCHED = {"ASCurrents", "threshold_spike", "threshold_voltage", "frozen"}
#: Neurons asked for at once; each has some forty values.
_FETCH = 10_000


class Settable:
    """Which parameters of a model can be set, so that they can be carried to another kernel.

    NEST does not list them; it refuses the others when they are set. So each default is set to the value
    that it has.

    Parameters
    ----------
    nest
        The module.
    plastic
        Whether there are synapses whose weights change.
    """

    def __init__(self, nest: Any, *, plastic: bool) -> None:
        self._nest = nest
        self._known: dict[str, frozenset[str]] = {}
        self._inert = _INERT - (set(_TRACES) if plastic else set())

    def of(self, model: str) -> frozenset[str]:
        """Return the names of a model's parameters and initial values that count."""
        if model not in self._known:
            defaults = self._nest.GetDefaults(model)
            names = {name for name in set(defaults) - self._inert if self._accepts(model, name, defaults[name])}
            self._known[model] = frozenset(names | {"frozen"})
        return self._known[model]

    def _accepts(self, model: str, name: str, value: Any) -> bool:
        try:
            self._nest.SetDefaults(model, {name: value})
        except self._nest.NESTError as error:
            return "naccessed" not in str(error)  # other reasons: it is switched off by another parameter
        return True


@dataclass(frozen=True)
class ParameterTable:
    """Parameters of some neurons of one model.

    Parameters
    ----------
    model
        NEST's name of it, not of a copy.
    size
        Number of neurons, n.
    numbers
        By name: ndarray, shape (n,), float64.
    codes, values
        Parameters of other types by name: the number of each neuron's value, shape (n,), and the values.
    """

    model: str
    size: int
    numbers: dict[str, NDArray[np.float64]]
    codes: dict[str, NDArray[np.int64]]
    values: dict[str, list[Any]]

    def part(self, rows: slice | NDArray[np.int64]) -> ParameterTable:
        """Return the parameters of some of the neurons."""
        return ParameterTable(
            self.model,
            len(np.arange(self.size)[rows]),
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.codes.items()},
            self.values,
        )

    def that_count(self) -> ParameterTable:
        """Return it without what the catalogue does not hold and what makes no difference."""
        entry = BY_NEST_NAME.get(self.model)
        every = {*self.numbers, *self.codes}
        held = {"V_m", *(p.name for p in entry.parameters)} if entry else every - _SWITCHED
        kept = [name for name in every if name in held or not self._neutral(name)]
        return ParameterTable(
            self.model,
            self.size,
            {name: column for name, column in self.numbers.items() if name in kept},
            {name: column for name, column in self.codes.items() if name in kept},
            self.values,
        )

    def first(self) -> dict[str, Any]:
        """Return the parameters of the first neuron."""
        others = {name: self.values[name][column[0]] for name, column in self.codes.items()}
        return {**{name: float(column[0]) for name, column in self.numbers.items()}, **others}

    def _neutral(self, name: str) -> bool:
        if name == "V_min":
            return bool(np.all(self.numbers[name] <= -np.finfo(np.float64).max))
        if name == "ASCurrents":
            return not any(self.values["after_spike_currents"][code] for code in self.codes["after_spike_currents"])
        if name in ("ignore_and_spike_interval", "ignore_and_spike_offset"):
            return self._neutral("ignore_and_spike")
        if name in self.numbers:
            return bool(np.all(self.numbers[name] == _NEUTRAL.get(name, np.nan)))
        return all(self.values[name][code] == _NEUTRAL.get(name) for code in np.unique(self.codes[name]))


def read_table(nest: Any, model: str, ids: NDArray[np.int64], settable: Settable) -> ParameterTable:
    """Read the parameters that count of neurons with one model (or copies of it)."""
    nodes = nest.NodeCollection(ids.tolist())
    names = settable.of(model)
    blocks: dict[str, list[NDArray[np.float64] | list[Any]]] = {}
    for start in range(0, len(ids), _FETCH):
        part = nodes[start : min(start + _FETCH, len(ids))]
        for name, column in part.get().items():
            if name in names:
                blocks.setdefault(name, []).append(_column([column] if len(part) == 1 else column))
    table = ParameterTable(model, len(ids), {}, {}, {})
    for name, parts in blocks.items():
        if all(isinstance(part, np.ndarray) for part in parts):
            table.numbers[name] = np.concatenate(parts)
        else:
            values = [value for part in parts for value in part]
            _, first, codes = np.unique([repr(value) for value in values], return_index=True, return_inverse=True)
            table.codes[name], table.values[name] = np.ravel(codes), [values[i] for i in first]
    return table


def _column(values: Sequence[Any]) -> NDArray[np.float64] | list[Any]:
    """Return numbers as an array, and everything else as plain values."""
    if all(type(value) is float for value in values):
        return np.array(values, np.float64)
    return [plain_value(value) for value in values]
