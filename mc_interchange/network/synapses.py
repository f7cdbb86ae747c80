"""The catalogue of synapse models, and the synapse of a projection.

Names, parameters and units are NEST's, as for neurons (:mod:`.catalogue`). Weight and delay belong to every synapse
and stand in the projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from mc_interchange.units import WEIGHT_UNIT, Quantity

from .base import Part, refusal
from .entries import NeuronParameter, SynapseEntry

__all__ = ["SYNAPSE_CATALOGUE", "AnySynapse", "SynapseModel"]


def _number(
    name: str, unit: str, symbol: str, meaning: str, nest: float, state: bool = False, **limits: Any
) -> NeuronParameter:
    return NeuronParameter(name, unit, symbol, meaning, nest, default=nest if state else None, **limits)


def _recovery() -> tuple[NeuronParameter, ...]:
    return (
        _number("U", "1", "U", "part of the resources that a spike uses", 0.5, minimum=0, maximum=1),
        _number("tau_rec", "ms", "tau_rec", "time constant of recovery", 800.0, positive=True),
        _number("tau_fac", "ms", "tau_facil", "time constant of facilitation; 0: none", 0.0, minimum=0),
    )


_X = _number("x", "1", "x", "part of the resources that is recovered at t = 0", 1.0, state=True, minimum=0, maximum=1)
_TSODYKS = "Tsodyks et al. 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000"

_ENTRIES = (
    SynapseEntry(
        "static_synapse",
        "the weight stays as it is",
        "-",
        elsewhere={
            "nest": "static_synapse",
            "neuroml": "expCurrSynapse and its like",
            "pynn": "StaticSynapse",
            "brian2": "on_pre",
        },
    ),
    SynapseEntry(
        "tsodyks_synapse",
        "short-term depression and facilitation with resources that are recovered, active, or inactive",
        _TSODYKS,
        (
            *_recovery(),
            _number("tau_psc", "ms", "tau_I", "time constant of the active state", 3.0, positive=True),
            _X,
            _number("y", "1", "y", "part that is active at t = 0", 0.0, state=True, minimum=0, maximum=1),
            _number("u", "1", "u", "use at t = 0, before the first spike", 0.0, state=True, minimum=0, maximum=1),
        ),
        {"nest": "tsodyks_synapse", "pynn": "TsodyksMarkramSynapse (in NEST and NEURON)", "brian2": "equations"},
        "Made for targets whose synaptic current decays exponentially with `tau_psc`: it is then the part y of the "
        "resources. PyNN takes `tau_psc` from the target neuron; pyNN.brian2 lets resources recover with "
        "that instead of `tau_rec`, which is refused.",
    ),
    SynapseEntry(
        "tsodyks2_synapse",
        "short-term depression and facilitation with resources that recover from each spike on",
        "Maass & Markram 2002, doi:10.1016/S0893-6080(01)00144-7",
        (
            *_recovery(),
            _X,
            _number("u", "1", "u", "use at the first spike", 0.5, state=True, minimum=0, maximum=1),
        ),
        {
            "nest": "tsodyks2_synapse",
            "neuroml": "tsodyksMarkramDepFacMechanism (on another synapse)",
            "brian2": "equations",
        },
        "`u` is usually `U`. The mechanism of NeuroML (`tsodyksMarkramDepMechanism` without facilitation) can "
        "only be put on `blockingPlasticSynapse`, a conductance with a rise time, which no neuron model here has: "
        "another synapse.",
    ),
    SynapseEntry(
        "stdp_synapse",
        "spike-timing dependent plasticity of all pairs of spikes",
        "Guetig et al. 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003; "
        "Morrison et al. 2008, doi:10.1007/s00422-008-0233-1",
        (
            _number("tau_plus", "ms", "tau_+", "time constant of potentiation", 20.0, positive=True),
            _number("lambda", "1", "lambda", "size of a potentiation relative to Wmax", 0.01),
            _number("alpha", "1", "alpha", "depression relative to potentiation", 1.0),
            _number("mu_plus", "1", "mu_+", "dependence of potentiation on the weight", 1.0, minimum=0),
            _number("mu_minus", "1", "mu_-", "dependence of depression on the weight", 1.0, minimum=0),
            _number("Wmax", WEIGHT_UNIT, "W_max", "largest weight, of the weights' sign", 100.0),
            _number("Kplus", "1", "K_+", "trace of presynaptic spikes at t = 0", 0.0, state=True, minimum=0),
        ),
        {
            "nest": "stdp_synapse",
            "pynn": "STDPMechanism(SpikePairRule, a rule of weights) (in NEST)",
            "brian2": "equations",
        },
        "The time constant of depression belongs to NEST's target neuron (`tau_minus`) and is its default, 20 ms. The "
        "delay is all dendritic. In PyNN the `mu` of 0 are the additive rule, of 1 the multiplicative one, others "
        "Guetig's. pyNN.neuron and pyNN.brian2 have another model under this name, which is refused. "
        "NeuroML's `stdpSynapse` is marked there as an example that does not work yet.",
    ),
)

#: Synapse models by our name.
SYNAPSE_CATALOGUE: Mapping[str, SynapseEntry] = MappingProxyType({e.name: e for e in _ENTRIES})


class SynapseModel(Part):
    """A synapse model of the catalogue with its parameters; in a model file, the name alone where it has none.

    Parameters
    ----------
    model
        Key of :data:`SYNAPSE_CATALOGUE`.
    parameters
        Value by name, in the catalogue's units.
    """

    model: str = "static_synapse"
    parameters: dict[str, float] = {}

    @property
    def entry(self) -> SynapseEntry:
        """The model's entry in the catalogue."""
        return SYNAPSE_CATALOGUE[self.model]

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Read units, add the states at t = 0, and refuse what the model does not have."""
        if not isinstance(values, dict):
            return values
        model, given = values.get("model", "static_synapse"), values.get("parameters", {})
        if not isinstance(given, dict):
            return values
        if not isinstance(model, str) or model not in SYNAPSE_CATALOGUE:
            raise refusal("model", f"must be one of {', '.join(SYNAPSE_CATALOGUE)}, got {model!r:.60}")
        entry, given, complete = SYNAPSE_CATALOGUE[model], dict(given), {}
        for parameter in entry.parameters:
            name = parameter.name
            if name in given:
                quantity = Quantity(parameter.unit, parameter.symbol, parameter.meaning)
                try:
                    complete[name] = parameter.check(quantity.read(given.pop(name)))
                except PydanticCustomError as error:
                    raise refusal(f"parameters.{name}", error.message()) from None
                except ValueError as error:
                    raise refusal(f"parameters.{name}", str(error)) from None
            elif parameter.default is not None:
                complete[name] = parameter.default
            else:
                raise refusal(f"parameters.{name}", f"{parameter.meaning} in {parameter.unit}: this key is missing")
        if given:
            known = ", ".join(p.name for p in entry.parameters) or "none"
            raise refusal(f"parameters.{next(iter(given))}", f"not a parameter of {model}; it has {known}")
        return {**values, "model": model, "parameters": complete}

    @model_validator(mode="after")
    def _resources(self) -> SynapseModel:
        if self.parameters.get("x", 0) + self.parameters.get("y", 0) > 1:
            raise refusal(
                "parameters.x",
                f"x and y together must be at most 1, got {self.parameters['x']:g} and {self.parameters['y']:g}",
            )
        return self


def _name_alone(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


#: The synapse of a projection: a name, or a model with parameters.
AnySynapse = Annotated[SynapseModel, BeforeValidator(_name_alone)]
