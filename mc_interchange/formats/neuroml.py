"""NeuroML 2 and LEMS: names, identifiers, units and numbers, for writing and for reading.

The PyNN core types of NeuroML carry no units: capacitances are nF, currents and weights nA, times ms and
potentials mV. Ours are pF and pA, so everything with an ampere or a farad in it is divided by 1000. As
texts, numbers are *moved*, not divided: ``87.81`` pA is ``0.08781`` nA, and reading moves the decimal
point back, so that no rounding comes in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from mc_interchange.network.simulation import TICS_PER_MS

__all__ = [
    "CORE_FILES",
    "LEMS_PREFIX",
    "MAX_PER_STEP",
    "NAMESPACE",
    "NO_END",
    "PARAMETERS",
    "SCHEMA_LOCATION",
    "Identifiers",
    "colour",
    "decimal",
    "initial_pulse_weight",
    "member_path",
    "milliseconds",
    "picoamperes",
    "poisson_sources",
    "synapse_name",
]

NAMESPACE = "http://www.neuroml.org/schema/neuroml2"
SCHEMA_LOCATION = f"{NAMESPACE} https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"
#: Definitions that a LEMS file must include before it can name the types that are used here.
CORE_FILES = ("Cells.xml", "Networks.xml", "Simulation.xml", "PyNN.xml")
LEMS_PREFIX = "LEMS_"

#: Attributes by component type: ours by theirs, and the power of ten that takes our unit to theirs.
PARAMETERS: Mapping[str, Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "IF_curr_exp": MappingProxyType(
            {
                "cm": ("C_m", -3),
                "i_offset": ("I_e", -3),
                "tau_m": ("tau_m", 0),
                "tau_refrac": ("t_ref", 0),
                "tau_syn_E": ("tau_syn_ex", 0),
                "tau_syn_I": ("tau_syn_in", 0),
                "v_reset": ("V_reset", 0),
                "v_rest": ("E_L", 0),
                "v_thresh": ("V_th", 0),
            }
        )
    }
)

#: Duration of what never ends (11 days of model time): the types with an onset demand a duration too.
NO_END = "1000000000ms"
#: Largest mean number of spikes of one Poisson source in one step; see :func:`poisson_sources`.
MAX_PER_STEP = 0.08


def decimal(value: float, exponent: int = 0) -> str:
    """Return ``value * 10**exponent`` as the shortest decimal that gives back ``value``.

    Parameters
    ----------
    value
        Any finite number.
    exponent
        Moves the decimal point; nothing is rounded. Never written as such: an ``e`` may stand in front
        of a unit, and not every reader expects it there.
    """
    if value == 0:
        return "0"
    text = format(Decimal(repr(float(value))).scaleb(exponent), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def picoamperes(text: str) -> float:
    """Return the pA (or pF) of a number in nA (or nF): the inverse of ``decimal(value, -3)``, exactly."""
    return float(Decimal(text).scaleb(3))


def milliseconds(steps: int, dt: float) -> str:
    """Return a whole number of steps as the shortest decimal in ms, such as ``0.7`` (not 0.7000000000000001).

    Parameters
    ----------
    steps
        Number of steps.
    dt
        Resolution in ms, a whole number of microseconds.
    """
    return decimal(float(Decimal(steps * round(dt * TICS_PER_MS)) / TICS_PER_MS))


def initial_pulse_weight(V_m: float, v_init: float, C_m: float, tau_m: float, dt: float) -> float:
    """Return the current that moves one neuron from the common to its own initial potential.

    It flows for the first step only. A forward Euler step that starts at ``v_init`` with it ends where one
    that starts at ``V_m`` without it ends: ``I dt / C_m = (V_m - v_init) (1 - dt / tau_m)``.

    Parameters
    ----------
    V_m, v_init
        Initial potential of the neuron, and of its cell component, in mV.
    C_m
        In pF.
    tau_m, dt
        In ms.

    Returns
    -------
    float
        In pA.
    """
    return (V_m - v_init) * (1 - dt / tau_m) * C_m / dt


def poisson_sources(rate: float, dt: float) -> tuple[int, float]:
    """Divide a Poisson input over sources that are slow enough for the resolution.

    A source of NeuroML emits at most one spike per step. A spike that is due in the same step follows in
    the next: the mean is kept while ``rate * dt < 1``, but the variance of the count in one step is only
    ``1 - p`` of that of a Poisson process, with ``p = rate * dt`` of one source.

    Parameters
    ----------
    rate
        In spikes/s.
    dt
        Resolution in ms.

    Returns
    -------
    number : int
        As few as keep ``p`` at or below 0.08.
    p : float
        Mean number of spikes of one source per step.
    """
    mean = rate * dt / 1000
    # 1.28 / 0.08 shall be 16, not the 17 that its last bit would ask for
    number = max(1, math.ceil(mean / MAX_PER_STEP - 1e-9))
    return number, mean / number


def synapse_name(tau_syn: float) -> str:
    """Return the identifier of the synapse with this time constant in ms, such as ``psc_0_5``."""
    return "psc_" + decimal(tau_syn).replace(".", "_")


def member_path(population: str, index: int | str, component: str, listed: bool) -> str:
    """Return the path of one cell below the network.

    Parameters
    ----------
    listed
        Whether the population lists its cells with their locations; else it has a size only.
    """
    return f"{population}/{index}/{component}" if listed else f"{population}[{index}]"


def colour(code: str) -> str:
    """Return ``#rrggbb`` as viewers of NeuroML want it: three numbers from 0 to 1."""
    return " ".join(f"{int(code[i : i + 2], 16) / 255:.3g}" for i in (1, 3, 5))


class Identifiers:
    """Hands out identifiers that are unique in the whole document.

    Names of populations, projections and inputs are unique among themselves only, while NeuroML looks
    things up by identifier alone.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, wanted: str) -> str:
        """Return ``wanted``, or with underscores behind it where that is taken."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted
