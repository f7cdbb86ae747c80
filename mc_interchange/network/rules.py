"""Connection rules, named as by Senk et al. 2022, doi:10.1371/journal.pcbi.1010086.

An *autapse* connects a neuron to itself; a *multapse* is one of several synapses between the same
ordered pair of neurons.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mc_interchange.units import Quantity

from .base import Count, Flag, Part, Probability

__all__ = [
    "AllToAll",
    "Explicit",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedTotalNumber",
    "OneToOne",
    "PairwiseBernoulli",
    "Rule",
]


class FixedTotalNumber(Part):
    """``number`` synapses, each between a source and a target drawn independently and uniformly."""

    rule: Literal["fixed_total_number"] = "fixed_total_number"
    number: Annotated[Count, Quantity("1", "S", "number of synapses")]
    allow_multapses: Flag = True
    allow_autapses: Flag = True


class PairwiseBernoulli(Part):
    """Every ordered pair of neurons is connected once with probability ``probability``."""

    rule: Literal["pairwise_bernoulli"] = "pairwise_bernoulli"
    probability: Annotated[Probability, Quantity("1", "p", "connection probability")]
    allow_autapses: Flag = True


class FixedIndegree(Part):
    """Every target receives ``indegree`` synapses from sources drawn uniformly."""

    rule: Literal["fixed_indegree"] = "fixed_indegree"
    indegree: Annotated[Count, Quantity("1", "K_in", "synapses per target")]
    allow_multapses: Flag = True
    allow_autapses: Flag = True


class FixedOutdegree(Part):
    """Every source makes ``outdegree`` synapses onto targets drawn uniformly."""

    rule: Literal["fixed_outdegree"] = "fixed_outdegree"
    outdegree: Annotated[Count, Quantity("1", "K_out", "synapses per source")]
    allow_multapses: Flag = True
    allow_autapses: Flag = True


class OneToOne(Part):
    """The i-th source connects to the i-th target; both populations have the same size."""

    rule: Literal["one_to_one"] = "one_to_one"


class AllToAll(Part):
    """Every source connects to every target once."""

    rule: Literal["all_to_all"] = "all_to_all"
    allow_autapses: Flag = True


class Explicit(Part):
    """The listed synapses; neurons are numbered from 0 within their population."""

    rule: Literal["explicit"] = "explicit"
    sources: tuple[Count, ...]
    targets: tuple[Count, ...]

    @model_validator(mode="after")
    def _paired(self) -> Explicit:
        if len(self.sources) != len(self.targets):
            raise ValueError(
                f"sources and targets must have the same length, got {len(self.sources)} and {len(self.targets)}"
            )
        return self


Rule = Annotated[
    FixedTotalNumber | PairwiseBernoulli | FixedIndegree | FixedOutdegree | OneToOne | AllToAll | Explicit,
    Field(discriminator="rule"),
]
