"""The arguments of ``brunel2000``: every number of model A, with unit, symbol, meaning and source."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from mc_interchange.network import ModelParameter
from mc_interchange.network.base import NonNegative, Part, Positive, Real
from mc_interchange.network.simulation import MAX_SEED
from mc_interchange.reference_models.documented import documented as as_documented
from mc_interchange.units import Quantity

__all__ = ["REGIMES", "Brunel2000Arguments", "Regime", "documented"]

_PAPER = "Brunel 2000, doi:10.1023/A:1008925309027"
_FREE = "free choice"


class Regime(NamedTuple):
    """One of the four points in the plane of parameters that are simulated in Fig. 8 of the paper."""

    g: float
    eta: float
    meaning: str


#: Fig. 8 A to D.
REGIMES = {
    "SR": Regime(3.0, 2.0, "synchronous regular: neurons fire as clocks, near saturation, in a few clusters"),
    "SI_fast": Regime(6.0, 4.0, "synchronous irregular, fast: the network oscillates faster than any neuron fires"),
    "AI": Regime(5.0, 2.0, "asynchronous irregular: stationary activity, irregular neurons"),
    "SI_slow": Regime(4.5, 0.9, "synchronous irregular, slow: the network oscillates slowly, neurons fire rarely"),
}


def _default(value: Any, source: str) -> Any:
    """Make a field with its default and the place where that default was published."""
    return Field(value, json_schema_extra={"source": source})


class Brunel2000Arguments(Part):
    """Arguments of Brunel's network, model A: excitatory and inhibitory neurons are the same."""

    regime: Literal["SR", "SI_fast", "AI", "SI_slow"] = Field(
        "AI",
        description="regime of Fig. 8, which sets g and eta",
        json_schema_extra={"source": f"{_PAPER}, Fig. 8"},
    )
    g: Annotated[Positive | None, Quantity("1", "g", "size of inhibitory weights relative to excitatory ones")] = (
        _default(None, f"{_PAPER}, Fig. 8 (of the regime)")
    )
    eta: Annotated[
        NonNegative | None, Quantity("1", "eta", "external rate relative to the one that reaches the threshold alone")
    ] = _default(None, f"{_PAPER}, Fig. 8 (of the regime)")
    scale: Annotated[Positive, Quantity("1", "s", "factor on the numbers of neurons")] = _default(1.0, _FREE)
    epsilon: Annotated[
        Positive, Field(le=1), Quantity("1", "epsilon", "in-degree relative to the number of neurons")
    ] = _default(0.1, _PAPER)
    J: Annotated[Positive, Quantity("mV", "J", "height of an excitatory postsynaptic potential")] = _default(
        0.1, f"{_PAPER}, Fig. 8"
    )
    delay: Annotated[Positive, Quantity("ms", "D", "delay of all synapses")] = _default(1.5, f"{_PAPER}, Fig. 8")

    neuron: Literal["iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha"] = Field(
        "iaf_psc_delta",
        description="neuron model: the potential jumps (as published), or a short current brings the same charge",
        json_schema_extra={"source": _PAPER},
    )
    tau_syn: Annotated[Positive, Quantity("ms", "tau_syn", "time constant of that current")] = _default(0.5, _FREE)
    tau_m: Annotated[Positive, Quantity("ms", "tau", "membrane time constant")] = _default(20.0, _PAPER)
    C_m: Annotated[Positive, Quantity("pF", "C_m", "membrane capacitance (without influence on spikes)")] = _default(
        250.0, _FREE
    )
    E_L: Annotated[Real, Quantity("mV", "E_L", "resting potential")] = _default(0.0, _PAPER)
    V_th: Annotated[Real, Quantity("mV", "theta", "spike threshold")] = _default(20.0, _PAPER)
    V_reset: Annotated[Real, Quantity("mV", "V_r", "potential after a spike")] = _default(10.0, _PAPER)
    t_ref: Annotated[NonNegative, Quantity("ms", "tau_rp", "absolute refractory period")] = _default(2.0, _PAPER)

    dt: Annotated[Positive, Quantity("ms", "h", "resolution")] = _default(0.1, _FREE)
    duration: Annotated[Positive, Quantity("ms", "T", "simulated time in all")] = _default(1200.0, _FREE)
    discard: Annotated[NonNegative, Quantity("ms", "T_pre", "part at the start that is left out of statistics")] = (
        _default(200.0, _FREE)
    )
    seed: Annotated[int, Field(strict=True, ge=1, le=MAX_SEED, description="seed of the random numbers")] = _default(
        1, _FREE
    )

    @property
    def g_used(self) -> float:
        """``g``, of the regime where it is not given."""
        return REGIMES[self.regime].g if self.g is None else self.g

    @property
    def eta_used(self) -> float:
        """``eta``, of the regime where it is not given."""
        return REGIMES[self.regime].eta if self.eta is None else self.eta

    @property
    def num_neurons(self) -> tuple[int, int]:
        """Numbers of excitatory and inhibitory neurons: 10,000 and 2,500, scaled."""
        return round(10_000 * self.scale), round(2_500 * self.scale)

    @property
    def indegrees(self) -> tuple[int, int]:
        """Numbers of excitatory and inhibitory synapses onto each neuron."""
        excitatory, inhibitory = self.num_neurons
        return round(self.epsilon * excitatory), round(self.epsilon * inhibitory)

    @property
    def external_rate(self) -> float:
        """Rate of all external spikes onto a neuron, in spikes/s.

        ``eta`` times the rate whose mean drive alone is the threshold, ``(theta - E_L) / (J tau)``; it comes from as
        many sources as there are excitatory synapses, so that their number does not matter.
        """
        return 1000.0 * self.eta_used * (self.V_th - self.E_L) / (self.J * self.tau_m)

    @property
    def weight(self) -> float:
        """Weight of excitatory synapses, in mV for ``iaf_psc_delta``, in pA for currents of the same charge.

        A current of amplitude w brings the charge ``w tau_syn`` if it is exponential, and ``e w tau_syn`` if it is an
        alpha function; the jump of the potential is the charge over the capacitance.
        """
        if self.neuron == "iaf_psc_delta":
            return self.J
        charge = self.J * self.C_m
        return charge / self.tau_syn if self.neuron == "iaf_psc_exp" else charge / (math.e * self.tau_syn)


#: They are in the network's simulation parameters, which may be changed after it was built.
_ELSEWHERE = frozenset({"dt", "duration", "discard", "seed"})


def documented(arguments: Brunel2000Arguments) -> tuple[ModelParameter, ...]:
    """Return the arguments as documented model parameters.

    Parameters
    ----------
    arguments
        Of the model.
    """
    unused = {"tau_syn"} if arguments.neuron == "iaf_psc_delta" else set()
    used = {"g": arguments.g_used, "eta": arguments.eta_used}
    return as_documented(arguments, without=_ELSEWHERE | unused, used=used)
