"""The synapses on a population, as receptors of one neuron model.

In NeuroML, time constant and reversal potential belong to the synapse; in our neuron models, they belong to the
neuron, which has one set for excitation and one for inhibition. Currents take either by the sign of the weight;
conductances by the reversal potential, and what is inhibitory gets a negative weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import Edges

from .components import refuse, report_unread
from .document import Component

__all__ = ["Attached", "Receptors", "find_receptors", "signs_of_edges", "signs_of_weights"]

#: Our parameters of a receptor: for excitation, and for inhibition.
_TAU = ("tau_syn_ex", "tau_syn_in")
_REVERSAL = ("E_ex", "E_in")
#: What comes through a synapse that nothing is known of.
_BOTH = frozenset((1, -1))


class Attached:
    """One synapse component on the cells of a population.

    Parameters
    ----------
    component
        The synapse.
    """

    def __init__(self, component: Component) -> None:
        if component.type not in fmt.SYNAPSES:
            raise refuse(component, f"is not supported as a synapse, only {', '.join(fmt.SYNAPSES)}")
        self.component = component
        self.type = fmt.SYNAPSES[component.type]
        report_unread(component, [attribute.name for attribute in self.type.attributes])
        try:
            values = self.type.read(component.attributes)
        except ValueError as error:
            raise refuse(component, str(error)) from None
        self.tau_syn = values["tau_syn"]
        self.E_rev = values.get("E_rev")
        self._base = values.get("base")
        self._uses: list[Callable[[], frozenset[int]]] = []

    def used(self, signs: Callable[[], frozenset[int]]) -> None:
        """Add something that comes through this synapse, with a function that returns the signs of its weights."""
        self._uses.append(signs)

    @property
    def signs(self) -> frozenset[int]:
        """Signs of all weights, as they act; found by reading them."""
        found: set[int] = set()
        for signs in self._uses:
            if found == _BOTH:
                break
            found |= signs()
        return frozenset(-sign for sign in found) if (self._base or 1.0) < 0 else frozenset(found)

    @property
    def unscaled(self) -> bool:
        """Whether weights are used as they are."""
        return self._base is None

    def scaled(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Return 1000 times the weights of the files as pA or nS."""
        return weights if self._base is None else weights / 1000 * self._base

    @property
    def label(self) -> str:
        """Name and values, for messages."""
        reversal = "" if self.E_rev is None else f", reversal potential {self.E_rev:g} mV"
        return f"{self.component.id} (time constant {self.tau_syn:g} ms{reversal})"


@dataclass(frozen=True)
class Receptors:
    """What synapses make of the cells of one population.

    Parameters
    ----------
    kind
        Of all synapses; None: there are none.
    parameters
        Of the neuron model, as far as synapses have them.
    inhibitory
        Whether weights through a synapse become negative, by its identifier: of conductances. None: both receptors
        are the same, and the name of the projection decides.
    """

    kind: fmt.Receptor | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    inhibitory: Mapping[str, bool | None] = field(default_factory=dict)

    @property
    def by_sign(self) -> bool:
        """Whether an export has projections of their own for excitation and for inhibition."""
        ends = [self.parameters.get(name) for name in _TAU]
        return self.kind is not None and (fmt.conductances(self.kind) or ends[0] != ends[1])


def find_receptors(where: str, synapses: Sequence[Attached], cell: Mapping[str, float]) -> Receptors:
    """Assign synapses to receptors.

    Parameters
    ----------
    where
        For messages.
    synapses
        All on one population.
    cell
        Parameters that the cell's component has; those of its own receptors count only where no synapse says
        something else.

    Raises
    ------
    FormatError
        There are more different synapses than a neuron model has receptors.
    """
    if not synapses:
        return Receptors()
    kinds = sorted({synapse.type.receptor for synapse in synapses})
    if len(kinds) > 1:
        names = ", ".join(f"{s.component.type} {s.component.id}" for s in synapses)
        raise FormatError(f"{where} gets synapses of different kinds ({names}); a population can have one kind")
    if fmt.conductances(kinds[0]):
        return _conductances(where, kinds[0], synapses, cell)
    return Receptors(kinds[0], _currents(where, synapses, cell))


def _currents(where: str, synapses: Sequence[Attached], cell: Mapping[str, float]) -> dict[str, float]:
    own = [cell.get(name) for name in _TAU]
    taus = {synapse.tau_syn for synapse in synapses}
    if len(taus) == 1 and all(tau is None or tau in taus for tau in own):
        return dict.fromkeys(_TAU, *taus)
    parameters = {}
    for name, sign, tau in zip(_TAU, (1, -1), own, strict=True):
        through = [synapse for synapse in synapses if sign in synapse.signs]
        if len({synapse.tau_syn for synapse in through}) > 1:
            raise _too_many(where, through, f"for {'positive' if sign > 0 else 'negative'} weights")
        # where no weight has this sign, any value will do
        found = through[0].tau_syn if through else tau
        parameters[name] = max(taus) if found is None else found
    return parameters


def _conductances(where: str, kind: fmt.Receptor, synapses: Sequence[Attached], cell: Mapping[str, float]) -> Receptors:
    keys = sorted({_key(synapse) for synapse in synapses}, reverse=True)
    if len(keys) > 2:
        raise _too_many(where, synapses, "in all")
    own = [(cell[e], cell[tau]) if e in cell else None for e, tau in zip(_REVERSAL, _TAU, strict=True)]
    found = _match(keys, own, cell["V_th"])
    ends = [mine or cells for mine, cells in zip(found, own, strict=True)]
    parameters = {}
    for name, tau, end in zip(_REVERSAL, _TAU, ends, strict=True):
        if end is not None:
            parameters[name], parameters[tau] = end
    same = ends[0] == ends[1]
    inhibitory = {s.component.id: None if same else _key(s) == ends[1] for s in synapses}
    return Receptors(kind, parameters, inhibitory)


_Key = tuple[float, float]


def _key(synapse: Attached) -> _Key:
    return synapse.E_rev or 0.0, synapse.tau_syn


def _match(keys: list[_Key], own: list[_Key | None], V_th: float) -> tuple[_Key | None, _Key | None]:
    """Return which synapse (reversal potential, time constant) is excitatory, and which inhibitory.

    As the cell has them; else what pulls the potential to the threshold and beyond is excitatory, and the one with
    the higher reversal potential of two.
    """
    if len(keys) == 2:
        excitatory, inhibitory = keys
        swapped = own[0] == inhibitory or own[1] == excitatory
        return (inhibitory, excitatory) if swapped else (excitatory, inhibitory)
    key = keys[0]
    if key in own:
        return (key, None) if own[0] == key else (None, key)
    reversals = [end and end[0] for end in own]
    if key[0] in reversals:
        return (key, None) if reversals[0] == key[0] else (None, key)
    return (key, None) if key[0] >= V_th else (None, key)


def _too_many(where: str, synapses: Sequence[Attached], what: str) -> FormatError:
    names = ", ".join(synapse.label for synapse in synapses[:4])
    return FormatError(f"{where} gets more different synapses than a neuron model has receptors {what}: {names}")


def signs_of_edges(edges: Edges) -> frozenset[int]:
    """Return the signs of all weights, by reading them until both are found."""
    found: frozenset[int] = frozenset()
    for block in edges.blocks():
        found |= signs_of_weights(block.weight)
        if found == _BOTH:
            break
    return found


def signs_of_weights(weights: NDArray[Any]) -> frozenset[int]:
    """Return the signs of weights; none where all are 0, as these have no effect."""
    return frozenset(sign for sign, found in ((1, weights > 0), (-1, weights < 0)) if np.any(found))
