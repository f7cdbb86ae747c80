"""Populations: neurons of one model, or virtual sources whose spikes are given."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from mc_interchange.units import Quantity

from .base import Name, NonNegative, Part, Positive, Real, Size, check_window, refusal
from .catalogue import CATALOGUE
from .distributions import Distribution, Values
from .dynamics import Dynamics
from .entries import NeuronEntry

__all__ = [
    "AnyNeuron",
    "AnyPopulation",
    "ForeignModel",
    "Neuron",
    "PoissonActivity",
    "Population",
    "Slab",
    "SpikeTrains",
    "VirtualPopulation",
]


class Neuron(Part):
    """A neuron model of the catalogue with its parameters.

    Parameters
    ----------
    model
        Key of :data:`mc_interchange.network.catalogue.CATALOGUE`.
    parameters
        Value by name, in the catalogue's units: numbers, for some parameters tuples of numbers or switches.
        ``I_e`` is the place of constant current input.
    """

    model: str
    parameters: dict[str, Any]

    @property
    def entry(self) -> NeuronEntry:
        """The model's entry in the catalogue."""
        return CATALOGUE[self.model]

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.model

    @property
    def definition(self) -> str:
        """What it is, apart from the values of its parameters."""
        return self.model

    def __getitem__(self, name: str) -> float:
        """Return a parameter that is a number."""
        value: float = self.parameters[name]
        return value

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Read units, add defaults, and refuse what the model does not have."""
        if not isinstance(values, dict) or not isinstance(values.get("parameters"), dict):
            return values
        model = values.get("model")
        if not isinstance(model, str) or model not in CATALOGUE:
            raise refusal("model", f"unknown neuron model {model!r}; known: {', '.join(CATALOGUE)}")
        entry = CATALOGUE[model]
        given = dict(values["parameters"])
        complete: dict[str, Any] = {}
        for parameter in entry.parameters:
            if parameter.name in given:
                quantity = Quantity(parameter.unit, parameter.symbol, parameter.meaning)
                try:
                    complete[parameter.name] = parameter.check(quantity.read(given.pop(parameter.name)))
                except PydanticCustomError as error:
                    raise refusal(f"parameters.{parameter.name}", error.message()) from None
                except ValueError as error:
                    raise refusal(f"parameters.{parameter.name}", str(error)) from None
            elif parameter.default is not None:
                complete[parameter.name] = parameter.default
            else:
                raise refusal(
                    f"parameters.{parameter.name}", f"{parameter.meaning} in {parameter.unit}: this key is missing"
                )
        if given:
            raise refusal(
                f"parameters.{next(iter(given))}",
                f"not a parameter of {model}; it has {', '.join(p.name for p in entry.parameters)}",
            )
        return {**values, "parameters": complete}

    @model_validator(mode="after")
    def _ordered(self) -> Neuron:
        for lower, upper in self.entry.below:
            if not self[lower] < self[upper]:
                raise refusal(f"parameters.{lower}", f"must be below {upper} ({self[upper]:g}), got {self[lower]:g}")
        if conflict := self.entry.conflict(self.parameters):
            raise refusal(f"parameters.{conflict[0]}", conflict[1])
        return self


class ForeignModel(Part):
    """A neuron model that only one simulator understands.

    Parameters
    ----------
    format
        Whose it is: ``nest``.
    name
        Its name there.
    parameters
        Parameters and initial values as that simulator takes them: numbers, texts, switches, and lists of
        these. What is not given has the simulator's default.
    """

    format: str
    name: str
    parameters: dict[str, Any]

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.format}:{self.name}"

    @property
    def definition(self) -> str:
        """What it is, apart from the values of its parameters."""
        return self.label


#: An entry of the catalogue, what only one simulator understands, or equations.
AnyNeuron = Neuron | ForeignModel | Dynamics


class Slab(Part):
    """Where the neurons of a population lie, for viewers only: a box of the cortical column."""

    width: Annotated[Positive, Quantity("um", "w", "edge length of the square column")]
    depth_top: Annotated[Real, Quantity("um", "z_top", "depth of the layer's upper border")]
    depth_bottom: Annotated[Real, Quantity("um", "z_bottom", "depth of the layer's lower border")]

    @model_validator(mode="after")
    def _ordered(self) -> Slab:
        if self.depth_bottom <= self.depth_top:
            raise ValueError("depth_bottom must be larger than depth_top")
        return self


class Population(Part):
    """Neurons of one model with the same parameters."""

    kind: Literal["neurons"] = "neurons"
    name: Name
    size: Annotated[Size, Quantity("1", "N", "number of neurons")]
    neuron: Neuron
    initial_V_m: Annotated[Distribution, Quantity("mV", "V_0", "membrane potential at t = 0")]
    geometry: Slab | None = None
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    meaning: str = ""
    source: str = ""

    @model_validator(mode="before")
    @classmethod
    def _start_at_rest(cls, values: Any) -> Any:
        """Without ``initial_V_m``, neurons start at their resting potential."""
        neuron = values.get("neuron") if isinstance(values, dict) else None
        if isinstance(neuron, Dynamics | ForeignModel):
            raise refusal("neuron", f"rules are for neuron models of the catalogue, not for {neuron.label}")
        if isinstance(values, dict) and "initial_V_m" not in values:
            parameters = neuron.get("parameters") if isinstance(neuron, dict) else getattr(neuron, "parameters", None)
            if isinstance(parameters, dict) and "E_L" in parameters:
                return {**values, "initial_V_m": parameters["E_L"]}
        return values

    @model_validator(mode="after")
    def _can_be_described(self) -> Population:
        entry = self.neuron.entry
        if not entry.in_model_files:
            able = ", ".join(e.name for e in CATALOGUE.values() if e.in_model_files)
            raise refusal("neuron.model", f"rules can be given for {able}, not for {entry.name}")
        return self

    @model_validator(mode="after")
    def _one_value_each(self) -> Population:
        if isinstance(self.initial_V_m, Values) and len(self.initial_V_m.values) != self.size:
            raise ValueError(f"initial_V_m must have {self.size} values, got {len(self.initial_V_m.values)}")
        return self


class PoissonActivity(Part):
    """Every source fires as an independent Poisson process between start and stop."""

    kind: Literal["poisson"] = "poisson"
    rate: Annotated[NonNegative, Quantity("spikes/s", "nu", "rate of each source")]
    start: Annotated[NonNegative, Quantity("ms", "t_on", "first time")] = 0.0
    stop: Annotated[Positive | None, Quantity("ms", "t_off", "last time; without it, no end")] = None

    @model_validator(mode="after")
    def _ordered(self) -> PoissonActivity:
        check_window(self.start, self.stop)
        return self


class SpikeTrains(Part):
    """The spike times of every source."""

    kind: Literal["spike_trains"] = "spike_trains"
    times: Annotated[tuple[tuple[Positive, ...], ...], Quantity("ms", "t_k", "spike times, ascending, per source")]

    @model_validator(mode="after")
    def _ascending(self) -> SpikeTrains:
        for index, train in enumerate(self.times):
            if any(b < a for a, b in pairwise(train)):
                raise ValueError(f"times[{index}] must be in ascending order")
        return self


class VirtualPopulation(Part):
    """Sources without dynamics, which project like neurons (thalamic fibres, replayed spikes)."""

    kind: Literal["virtual"] = "virtual"
    name: Name
    size: Annotated[Size, Quantity("1", "N", "number of sources")]
    activity: Annotated[PoissonActivity | SpikeTrains, Field(discriminator="kind")]
    geometry: Slab | None = None
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    meaning: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _one_train_each(self) -> VirtualPopulation:
        if isinstance(self.activity, SpikeTrains) and len(self.activity.times) != self.size:
            raise ValueError(f"activity.times must have {self.size} spike trains, got {len(self.activity.times)}")
        return self


def _kind(value: Any) -> str:
    kind = value.get("kind", "neurons") if isinstance(value, dict) else getattr(value, "kind", "neurons")
    return str(kind)


AnyPopulation = Annotated[
    Annotated[Population, Tag("neurons")] | Annotated[VirtualPopulation, Tag("virtual")],
    Discriminator(
        _kind,
        custom_error_type="tag",
        custom_error_message="must have a 'kind' that is 'neurons' (the default) or 'virtual'",
        custom_error_context={"key": "kind"},
    ),
]
