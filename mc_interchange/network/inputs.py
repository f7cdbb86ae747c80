"""Inputs from outside the network. Constant current is a parameter of the neurons (``I_e``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mc_interchange.units import Quantity

from .base import Count, Name, NonNegative, Part, Positive, Real, check_window
from .weights import Weighted, weight_quantity

__all__ = ["Input", "PoissonInput", "StepCurrent"]


#: Which neurons of the target population an input reaches, by their index, ascending and each once; None: all.
Neurons = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(lambda ids: tuple(sorted(set(ids))))] | None


class PoissonInput(Weighted):
    """An independent Poisson spike train onto each neuron of a population, or onto some of them."""

    kind: Literal["poisson"] = "poisson"
    name: Name
    target: Name
    rate: Annotated[NonNegative, Quantity("spikes/s", "nu_ext", "total rate onto each neuron")]
    weight: Annotated[Real, weight_quantity("J_ext")]
    delay: Annotated[Positive, Quantity("ms", "d_ext", "delay")]
    start: Annotated[NonNegative, Quantity("ms", "t_on", "first time")] = 0.0
    stop: Annotated[Positive | None, Quantity("ms", "t_off", "last time; without it, no end")] = None
    neurons: Annotated[Neurons, Quantity("1", "i", "indices of the neurons that get it; without them, all")] = None
    meaning: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> PoissonInput:
        check_window(self.start, self.stop)
        return self


class StepCurrent(Part):
    """A current step into every neuron of a population, or into some of them.

    The current is in effect for the integration steps from ``start + delay`` on and before
    ``stop + delay``, as NEST's ``dc_generator`` delivers it.
    """

    kind: Literal["step_current"] = "step_current"
    name: Name
    target: Name
    amplitude: Annotated[Real, Quantity("pA", "I_step", "current into each neuron")]
    start: Annotated[NonNegative, Quantity("ms", "t_on", "onset at the generator")]
    stop: Annotated[Positive, Quantity("ms", "t_off", "end at the generator")]
    delay: Annotated[Positive, Quantity("ms", "d", "delay from the generator")] = 1.0
    neurons: Annotated[Neurons, Quantity("1", "i", "indices of the neurons that get it; without them, all")] = None
    meaning: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> StepCurrent:
        check_window(self.start, self.stop)
        return self


Input = Annotated[PoissonInput | StepCurrent, Field(discriminator="kind")]
