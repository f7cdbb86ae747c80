"""The Network: a model as rules, before any neuron or synapse is drawn."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mc_interchange.units import UNITS, Quantity

from .base import Name, Part, refusal
from .consistency import check_network
from .distributions import Constant, Distribution, Normal, TruncatedNormal, Uniform, Values
from .inputs import Input
from .populations import AnyPopulation, Population, VirtualPopulation
from .rules import Explicit, Rule
from .simulation import Simulation
from .synapses import AnySynapse, SynapseModel
from .weights import Weighted, weight_quantity

__all__ = ["ModelParameter", "Network", "Projection"]

#: Far beyond any synapse, and far below the largest float32, in which weights are drawn.
MAX_DRAWN_WEIGHT = 1e30


Whole = Annotated[int, Field(strict=True)]


class ModelParameter(Part):
    """A parameter from which a model's numbers were derived, with its origin.

    The network itself holds the derived numbers; these entries say where they come from. They have no
    effect on a simulation.
    """

    name: str
    value: bool | int | float | str | tuple[Whole, ...] | tuple[float, ...] | tuple[tuple[float, ...], ...]
    unit: str
    symbol: str
    meaning: str
    source: str

    @field_validator("value", mode="before")
    @classmethod
    def _simple(cls, value: Any) -> Any:
        items = value if isinstance(value, list | tuple) else ()
        items = [x for item in items for x in (item if isinstance(item, list | tuple) else (item,))]
        if not isinstance(value, bool | int | float | str | list | tuple) or not all(
            isinstance(x, int | float) and not isinstance(x, bool) for x in items
        ):
            raise ValueError("must be true, false, a number, a text, or a list or table of numbers")
        return value

    @model_validator(mode="after")
    def _known_unit(self) -> ModelParameter:
        if self.unit not in UNITS and self.unit != "":
            raise refusal("unit", f"unknown unit {self.unit!r}; known: {', '.join(UNITS)}")
        return self


class Projection(Weighted):
    """Synapses from one population onto another, made by one rule.

    A ``name`` is needed only where several projections join the same two populations.
    """

    name: Name
    source: Name
    target: Name
    rule: Rule
    synapse: AnySynapse = SynapseModel()
    weight: Annotated[Distribution, weight_quantity("J")]
    delay: Annotated[Distribution, Quantity("ms", "d", "delay, rounded to the resolution")]
    meaning: str = ""
    reference: str = ""

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, values: Any) -> Any:
        if isinstance(values, dict) and "name" not in values and "source" in values and "target" in values:
            return {**values, "name": f"{values['source']}_to_{values['target']}"}
        return values

    @model_validator(mode="after")
    def _values_for_listed_synapses(self) -> Projection:
        for name in ("weight", "delay"):
            distribution = getattr(self, name)
            if not isinstance(distribution, Values):
                continue
            if not isinstance(self.rule, Explicit):
                raise refusal(name, "a list of values needs the rule 'explicit'")
            if len(distribution.values) != len(self.rule.sources):
                raise refusal(
                    name, f"must have {len(self.rule.sources)} values, one per synapse, got {len(distribution.values)}"
                )
        return self

    @model_validator(mode="after")
    def _weights_below_their_limit(self) -> Projection:
        """Refuse a limit of the other sign where all weights are the same."""
        limit = self.synapse.parameters.get("Wmax")
        if limit is not None and isinstance(self.weight, Constant) and self.weight.value * limit < 0:
            raise refusal(
                "synapse.parameters.Wmax", f"must have the sign of the weight ({self.weight.value:g}), got {limit:g}"
            )
        return self

    @model_validator(mode="after")
    def _drawn_weights_fit(self) -> Projection:
        weight = self.weight
        largest = 0.0
        if isinstance(weight, Normal | TruncatedNormal):
            largest = abs(weight.mean) + weight.sd
        elif isinstance(weight, Uniform):
            largest = max(abs(weight.low), abs(weight.high))
        if largest > MAX_DRAWN_WEIGHT:
            raise refusal("weight", f"drawn weights must be within {MAX_DRAWN_WEIGHT:g}, got {largest:g}")
        return self


class Network(Part):
    """A spiking network described by populations, projections and inputs.

    Immutable and checked on construction; :mod:`mc_interchange.network.yaml_file` reads and writes it.

    Parameters
    ----------
    populations, projections, inputs
        Names are unique within each; projections and inputs refer to populations by name.
    simulation
        Resolution, duration, seed and recordings.
    parameters
        Documented parameters of the model, for tables (no effect on a simulation).

    Raises
    ------
    mc_interchange.errors.ModelError
        With the path of the first wrong field, its value and what is allowed.
    """

    format_version: Literal[1] = 1
    name: Name
    description: str = ""
    references: tuple[str, ...] = ()
    parameters: tuple[ModelParameter, ...] = ()
    populations: Annotated[tuple[AnyPopulation, ...], Field(min_length=1)]
    projections: tuple[Projection, ...] = ()
    inputs: tuple[Input, ...] = ()
    simulation: Simulation = Simulation()

    def population(self, name: str) -> Population | VirtualPopulation:
        """Return the population of this name (KeyError where there is none)."""
        return {p.name: p for p in self.populations}[name]

    @property
    def neuron_populations(self) -> tuple[Population, ...]:
        """The populations with dynamics, in order."""
        return tuple(p for p in self.populations if isinstance(p, Population))

    @property
    def virtual_populations(self) -> tuple[VirtualPopulation, ...]:
        """The populations of sources, in order."""
        return tuple(p for p in self.populations if isinstance(p, VirtualPopulation))

    @model_validator(mode="after")
    def _consistent(self) -> Network:
        check_network(self)
        return self
