"""What the catalogues say of a model: its parameters, with unit, symbol and meaning, and its names elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["NeuronEntry", "NeuronParameter", "ParameterValue", "SynapseEntry"]

#: A number, a list of numbers (such as one time constant per receptor), or a switch.
ParameterValue = float | tuple[float, ...] | bool


@dataclass(frozen=True)
class NeuronParameter:
    """One parameter of a neuron model, or a state variable that can be given at t = 0.

    Parameters
    ----------
    name, unit, symbol, meaning
        What it is.
    nest
        What NEST 3 takes when it is not given; its type (number, list, switch) is that of the parameter.
    minimum
        Allowed from here on; ``None``: any sign.
    positive
        Zero is refused too.
    maximum
        Allowed up to here; ``None``: no limit.
    default
        ``None``: the model file must give it.
    """

    name: str
    unit: str
    symbol: str
    meaning: str
    nest: ParameterValue
    minimum: float | None = None
    positive: bool = False
    default: ParameterValue | None = None
    maximum: float | None = None

    @property
    def kind(self) -> Literal["number", "list", "switch"]:
        """What its values are."""
        if isinstance(self.nest, bool):
            return "switch"
        return "list" if isinstance(self.nest, tuple) else "number"

    def check(self, value: Any) -> ParameterValue:
        """Return a value as this parameter's kind.

        Raises
        ------
        ValueError
            In one phrase, why it is not allowed.
        """
        if self.kind == "switch":
            if not isinstance(value, bool):
                raise ValueError(f"must be true or false, got {value!r:.60}")
            return value
        if self.kind == "number":
            return self._number(value)
        if not isinstance(value, list | tuple):
            raise ValueError(f"must be a list of numbers, got {value!r:.60}")
        return tuple(self._number(item) for item in value)

    def _number(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a number, got {value!r:.60}")
        if not abs(value) <= sys.float_info.max:
            raise ValueError(f"must be a finite number, got {value!r:.60}")
        if self.positive and value <= 0:
            raise ValueError(f"must be greater than {self._with_unit(0)}, got {value:g}")
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"must be at least {self._with_unit(self.minimum)}, got {value:g}")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"must be at most {self._with_unit(self.maximum)}, got {value:g}")
        return float(value)

    def _with_unit(self, value: float) -> str:
        return f"{value:g}" if self.unit == "1" else f"{value:g} {self.unit}"


@dataclass(frozen=True)
class NeuronEntry:
    """One neuron model.

    Parameters
    ----------
    name
        Our name.
    meaning
        One sentence.
    source
        Where the equations stand.
    parameters
        In the order in which tables show them.
    below
        Pairs of parameters of which the first must be smaller than the second.
    conflict
        Returns a parameter that does not go with the others and why, or None.
    elsewhere
        Name by simulator or format (``nest``, ``neuroml``, ``pynn``, ...).
    weight_unit
        Unit of the weight of synapses onto it.
    V_m
        Membrane potential (mV) of a new neuron in NEST, whatever its parameters; None where the model has
        no membrane potential.
    """

    name: str
    meaning: str
    source: str
    parameters: tuple[NeuronParameter, ...]
    below: tuple[tuple[str, str], ...] = ()
    conflict: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _: None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    weight_unit: str = "pA"
    V_m: float | None = -70.0

    @property
    def in_model_files(self) -> bool:
        """Whether rules can be given for it: neurons have a potential, and there is one receptor."""
        return self.V_m is not None and all(p.name != "tau_syn" for p in self.parameters)

    def __getitem__(self, name: str) -> NeuronParameter:
        return next(p for p in self.parameters if p.name == name)


@dataclass(frozen=True)
class SynapseEntry:
    """One synapse model.

    Parameters
    ----------
    name
        Our name.
    meaning
        One sentence.
    source
        Where the equations stand.
    parameters
        Parameters, and states at t = 0; beside weight and delay.
    elsewhere
        Name by simulator or format.
    notes
        What must be known to use it, in sentences.
    """

    name: str
    meaning: str
    source: str
    parameters: tuple[NeuronParameter, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
