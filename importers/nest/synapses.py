"""Synapse models in use: what NEST tells of them, and what can be carried by :class:`Synapse`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.instance import Synapse

__all__ = ["SynapseKind", "synapses_in_use"]

#: Weight and delay say all; of cont_delay_synapse with delays on the grid too.
_STATIC = {
    f"{name}{form}"
    for name in ("static_synapse", "static_synapse_hom_w", "cont_delay_synapse")
    for form in ("", "_hpc", "_lbl")
}
#: Models that look like static synapses; they connect nodes that are not captured, so copies of them are not met.
_NOT_SPIKES = {
    *("eprop_learning_signal_connection", "eprop_learning_signal_connection_bsshslm_2020"),
    *("rate_connection_delayed", "sic_connection"),
}
#: Parameters and state of these belong to each connection, and can be given when it is made.
_CARRIED = {
    f"{name}{form}"
    for name in (
        *("bernoulli_synapse", "tsodyks_synapse", "tsodyks2_synapse", "quantal_stp_synapse", "ht_synapse"),
        *("stdp_synapse", "stdp_triplet_synapse", "vogels_sprekeler_synapse", "clopath_synapse"),
        *("stdp_nn_symm_synapse", "stdp_nn_restr_synapse", "stdp_nn_pre_centered_synapse"),
    )
    for form in ("", "_hpc", "_lbl")
}
_PLASTIC = ("stdp", "vogels", "clopath")
#: What NEST reports of every synapse model or connection.
_COMMON = {
    *("element_type", "has_delay", "num_connections", "requires_symmetric", "sizeof", "synapse_model"),
    *("synapse_modelid", "weight_recorder", "receptor_type", "synapse_label", "weight", "delay"),
    *("source", "target", "target_thread", "synapse_id", "port", "receptor"),
}
#: Sets of parameters per model; each is a projection of its own.
_MAX_SETS = 16


@dataclass
class SynapseKind:
    """A synapse model that is in use.

    Parameters
    ----------
    name
        NEST's name of it.
    model
        The model it stands for.
    n
        Number of its connections.
    """

    name: str
    model: str
    n: int
    #: What each of its connections has, besides source, target and delay; known when the first has been seen.
    names: tuple[str, ...] = ()
    #: The common weight of all its connections, where they have no weight of their own.
    weight: float | None = None
    #: The sets of parameters met so far, with their numbers.
    sets: dict[tuple[float, ...], int] = field(default_factory=dict)

    def look_at(self, connection: dict[str, Any], defaults: dict[str, Any]) -> None:
        """Learn from one connection what they have.

        Raises
        ------
        FormatError
            They share parameters, which cannot be given to single connections.
        """
        shared = sorted(set(defaults) - set(connection) - _COMMON)
        if shared:
            raise FormatError(f"connections of {self.name} share {', '.join(shared)}, which cannot be captured")
        self.weight = None if "weight" in connection else float(defaults["weight"])
        if self.model not in _STATIC:
            self.names = tuple(sorted(set(connection) - _COMMON))

    @property
    def plastic(self) -> bool:
        """Whether the weights change, so that settings of the neurons for that matter."""
        return self.model.startswith(_PLASTIC)

    def synapse(self, number: int, receptor: int) -> Synapse:
        """Return the synapse with the parameters of this number."""
        values = next((values for values, n in self.sets.items() if n == number), ())
        return Synapse(self.model, receptor, dict(zip(self.names, values, strict=True)))

    def numbers(self, columns: dict[str, Any], n: int) -> NDArray[np.int64]:
        """Return the number of the parameters of each of ``n`` connections, shape (n,).

        Raises
        ------
        FormatError
            There are too many sets, or a parameter is not a number.
        """
        if not self.names:
            return np.zeros(n, np.int64)
        try:
            table = np.array([np.atleast_1d(columns[name]) for name in self.names], np.float64).T
        except (TypeError, ValueError):
            raise FormatError(f"connections of {self.name} have parameters that are not numbers") from None
        found, index = np.unique(table, axis=0, return_inverse=True)
        numbers = [self.sets.setdefault(tuple(row), len(self.sets)) for row in found.tolist()]
        if len(self.sets) > _MAX_SETS:
            values = np.array(list(self.sets))
            differ = [name for name, column in zip(self.names, values.T, strict=True) if np.ptp(column)]
            raise FormatError(
                f"connections of {self.name} differ in {', '.join(differ)}: at most {_MAX_SETS} sets of parameters "
                "can be captured"
            )
        return np.array(numbers)[np.ravel(index)]


def synapses_in_use(nest: Any) -> list[SynapseKind]:
    """Recognise every synapse model that has connections.

    Raises
    ------
    FormatError
        One of them cannot be captured.
    """
    kinds = []
    for name in nest.synapse_models:
        defaults = nest.GetDefaults(name)
        if defaults.get("num_connections", 0):
            kinds.append(_recognise(nest, name, defaults))
    return kinds


def _recognise(nest: Any, name: str, defaults: dict[str, Any]) -> SynapseKind:
    n = int(defaults["num_connections"])
    delayed = defaults.get("has_delay", False) and not defaults.get("requires_symmetric", False)
    own = bool(set(defaults) - _COMMON)
    if name in _STATIC:
        return SynapseKind(name, "static_synapse", n)
    if delayed and name in _CARRIED:
        return SynapseKind(name, name, n)
    likely = []
    if delayed and not nest.GetKernelStatus("modules"):  # a model from a module may look like any other
        if not own and name not in _NOT_SPIKES:
            return SynapseKind(name, "static_synapse", n)
        likely = [model for model in sorted(_CARRIED) if _looks(nest.GetDefaults(model)) == _looks(defaults)]
        if len({model.removesuffix("_hpc") for model in likely}) == 1:  # which differs in memory only
            return SynapseKind(name, likely[0], n)
    known = ", ".join(sorted(m for m in _CARRIED if not m.endswith(("_hpc", "_lbl"))))
    guess = f" (it looks like a copy of {' or '.join(likely)}, and NEST does not tell which)" if likely else ""
    raise FormatError(
        f"{n} connections of the synapse model {name} cannot be captured{guess}; known: static and continuous-delay "
        f"synapses, {known}, and copies that can be told apart"
    )


def _looks(defaults: dict[str, Any]) -> tuple[object, ...]:
    return frozenset(defaults), defaults.get("sizeof")
