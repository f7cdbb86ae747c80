"""The catalogue of neuron models: one table for every simulator and format.

An entry holds our name, the parameters with unit, symbol and meaning, and what the model is called
elsewhere. Names and units are NEST's. Exporters and runners look models up here and hold no table of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["CATALOGUE", "NeuronEntry", "NeuronParameter"]


@dataclass(frozen=True)
class NeuronParameter:
    """One parameter of a neuron model.

    Parameters
    ----------
    name, unit, symbol, meaning
        What it is.
    minimum
        Allowed from here on; ``None``: any sign.
    positive
        Zero is refused too.
    default
        ``None``: the model file must give it.
    """

    name: str
    unit: str
    symbol: str
    meaning: str
    minimum: float | None = None
    positive: bool = False
    default: float | None = None

    def problem(self, value: float) -> str | None:
        """Say in one phrase why a value is not allowed, or return None."""
        if self.positive and value <= 0:
            return f"must be greater than 0 {self.unit}"
        if self.minimum is not None and value < self.minimum:
            return f"must be at least {self.minimum:g} {self.unit}"
        return None


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
    elsewhere
        Name by simulator or format (``nest``, ``neuroml``, ``pynn``, ...).
    """

    name: str
    meaning: str
    source: str
    parameters: tuple[NeuronParameter, ...]
    below: tuple[tuple[str, str], ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> NeuronParameter:
        return next(p for p in self.parameters if p.name == name)


_IAF_PSC_EXP = NeuronEntry(
    name="iaf_psc_exp",
    meaning="leaky integrate-and-fire neuron with exponentially decaying synaptic currents",
    source="Rotter & Diesmann 1999, doi:10.1007/s004220050570; "
    "Tsodyks et al. 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000",
    parameters=(
        NeuronParameter("C_m", "pF", "C_m", "membrane capacitance", positive=True),
        NeuronParameter("tau_m", "ms", "tau_m", "membrane time constant", positive=True),
        NeuronParameter("tau_syn_ex", "ms", "tau_syn", "time constant of excitatory currents", positive=True),
        NeuronParameter("tau_syn_in", "ms", "tau_syn", "time constant of inhibitory currents", positive=True),
        NeuronParameter("t_ref", "ms", "tau_ref", "absolute refractory period", minimum=0),
        NeuronParameter("E_L", "mV", "E_L", "resting potential"),
        NeuronParameter("V_th", "mV", "theta", "spike threshold"),
        NeuronParameter("V_reset", "mV", "V_reset", "potential after a spike"),
        NeuronParameter("I_e", "pA", "I_e", "constant input current", default=0.0),
    ),
    below=(("V_reset", "V_th"),),
    elsewhere=MappingProxyType({"nest": "iaf_psc_exp", "neuroml": "IF_curr_exp", "pynn": "IF_curr_exp"}),
)

#: Neuron models by our name.
CATALOGUE: Mapping[str, NeuronEntry] = MappingProxyType({e.name: e for e in (_IAF_PSC_EXP,)})
