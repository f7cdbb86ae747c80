"""Types of cells and synapses: which neuron model of the catalogue they make up, and what its parameters are called.

A neuron model of ours has two parts in NeuroML: the *cell* holds the membrane, the *synapses* on it hold time
constants and reversal potentials. So a model is named by both, as NEST does: the membrane ``iaf`` with synapses of
the kind ``psc_exp`` is ``iaf_psc_exp``. The PyNN cells repeat the synaptic parameters, which have no effect there.

Attributes are either numbers with an implied unit (the PyNN types: nF, nA, uS, mV, ms) or texts with a unit
(``-65mV``). Ours are pF, pA, nS, mV and ms; decimal points are moved, and nothing is rounded on the way. All entries
were compared with the LEMS definitions of the core types (``PyNN.xml``, ``Cells.xml``, ``Synapses.xml``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Literal

from mc_interchange.network import CATALOGUE

from .numbers import decimal, exact

__all__ = [
    "CELLS",
    "SYNAPSES",
    "WRITTEN_SYNAPSES",
    "Attribute",
    "CellType",
    "Membrane",
    "Receptor",
    "SynapseType",
    "cell_attributes",
    "cell_parameters",
    "conductances",
    "model_name",
]

Membrane = Literal["iaf", "aeif", "izhikevich"]
#: The kind of a synapse: what its weight is (current or conductance), and its course (exponential or alpha function).
Receptor = Literal["psc_exp", "psc_alpha", "cond_exp", "cond_alpha"]

#: Digits that are enough for a quotient to give back a float64.
_ENOUGH = 25
_PRECISE = Context(prec=40)


@dataclass(frozen=True)
class Attribute:
    """One attribute of a component.

    Parameters
    ----------
    name
        In NeuroML.
    ours
        Our parameter.
    unit
        Unit of a number without one in the text; of a text with one, ours.
    power
        Of ten, that takes our unit to this one.
    dimensional
        Whether the text holds the unit.
    """

    name: str
    ours: str
    unit: str
    power: int = 0
    dimensional: bool = False

    def write(self, value: float) -> str:
        """Return the text of a value in our unit."""
        return decimal(value, self.power) + (self.unit if self.dimensional else "")

    def read(self, text: str) -> Decimal:
        """Return the value in our unit, exactly.

        Raises
        ------
        ValueError
            In one phrase, why it is not one.
        """
        return exact(text, self.unit) if self.dimensional else exact(text).scaleb(-self.power)


@dataclass(frozen=True)
class CellType:
    """One type of cells.

    Parameters
    ----------
    name
        The element.
    membrane
        First part of the names of our models.
    attributes
        ``tau_m`` stands for ``g_L`` too (see :func:`cell_attributes`).
    receptor
        Kind of synapses whose parameters it repeats, and which an export puts on it; None: none.
    V_m
        Our name of the parameter that is its initial potential: ``V_m``, or ``E_L`` where it starts at rest.
    dimensionless
        Whether its input currents are numbers without unit (mV/ms, from ``pulseGeneratorDL``).
    isolated
        Whether neither synapses nor currents can act on it, as it has no capacitance.
    """

    name: str
    membrane: Membrane
    attributes: tuple[Attribute, ...]
    receptor: Receptor | None = None
    V_m: str = "V_m"
    dimensionless: bool = False
    isolated: bool = False


@dataclass(frozen=True)
class SynapseType:
    """One type of synapses.

    Parameters
    ----------
    name
        The element.
    receptor
        Second part of the names of our models.
    attributes
        Of ``tau_syn``, ``E_rev`` for conductances, and ``base``: what a weight of 1 stands for, in pA or nS.
        Without ``base`` it stands for 1 nA or 1 uS.
    """

    name: str
    receptor: Receptor
    attributes: tuple[Attribute, ...]

    def write(self, tau_syn: float, E_rev: float | None) -> dict[str, str]:
        """Return the attributes of a component; for types without ``base``.

        Parameters
        ----------
        tau_syn
            In ms.
        E_rev
            In mV; None for currents.
        """
        values = {"tau_syn": tau_syn, "E_rev": E_rev}
        return {a.name: a.write(value) for a in self.attributes if (value := values[a.ours]) is not None}

    def read(self, texts: Mapping[str, str]) -> dict[str, float]:
        """Return the values of a component's attributes by our names.

        Raises
        ------
        ValueError
            One is missing, or not a value.
        """
        return {name: float(value) for name, value in _read(self.attributes, texts).items()}


def _number(name: str, ours: str, unit: str) -> Attribute:
    return Attribute(name, ours, unit, {"n": -3, "u": -3}.get(unit[:1], 0))


def _text(name: str, ours: str, unit: str) -> Attribute:
    return Attribute(name, ours, unit, dimensional=True)


_IF = (
    _number("cm", "C_m", "nF"),
    _number("i_offset", "I_e", "nA"),
    _number("tau_m", "tau_m", "ms"),
    _number("tau_refrac", "t_ref", "ms"),
    _number("tau_syn_E", "tau_syn_ex", "ms"),
    _number("tau_syn_I", "tau_syn_in", "ms"),
    _number("v_init", "V_m", "mV"),
    _number("v_reset", "V_reset", "mV"),
    _number("v_rest", "E_L", "mV"),
    _number("v_thresh", "V_th", "mV"),
)
_IF_COND = (*_IF, _number("e_rev_E", "E_ex", "mV"), _number("e_rev_I", "E_in", "mV"))
_EIF_COND = (
    *_IF_COND,
    # w is in nA: a is uS here, and not the nS of PyNN
    _number("a", "a", "uS"),
    _number("b", "b", "nA"),
    _number("delta_T", "Delta_T", "mV"),
    _number("tau_w", "tau_w", "ms"),
    _number("v_spike", "V_peak", "mV"),
)
_IAF = (
    _text("C", "C_m", "pF"),
    _text("leakConductance", "g_L", "nS"),
    _text("leakReversal", "E_L", "mV"),
    _text("reset", "V_reset", "mV"),
    _text("thresh", "V_th", "mV"),
)

_IAF_TAU = (
    _text("leakReversal", "E_L", "mV"),
    _text("reset", "V_reset", "mV"),
    _text("tau", "tau_m", "ms"),
    _text("thresh", "V_th", "mV"),
)

_CELLS = (
    CellType("IF_curr_exp", "iaf", _IF, "psc_exp"),
    CellType("IF_curr_alpha", "iaf", _IF, "psc_alpha"),
    CellType("IF_cond_exp", "iaf", _IF_COND, "cond_exp"),
    CellType("IF_cond_alpha", "iaf", _IF_COND, "cond_alpha"),
    CellType("EIF_cond_exp_isfa_ista", "aeif", _EIF_COND, "cond_exp"),
    CellType("EIF_cond_alpha_isfa_ista", "aeif", _EIF_COND, "cond_alpha"),
    CellType("iafCell", "iaf", _IAF, V_m="E_L"),
    CellType("iafRefCell", "iaf", (*_IAF, _text("refract", "t_ref", "ms")), V_m="E_L"),
    CellType("iafTauCell", "iaf", _IAF_TAU, V_m="E_L", isolated=True),
    CellType("iafTauRefCell", "iaf", (*_IAF_TAU, _text("refract", "t_ref", "ms")), V_m="E_L", isolated=True),
    CellType(
        "adExIaFCell",
        "aeif",
        (
            _text("C", "C_m", "pF"),
            _text("gL", "g_L", "nS"),
            _text("EL", "E_L", "mV"),
            _text("VT", "V_th", "mV"),
            _text("thresh", "V_peak", "mV"),
            _text("reset", "V_reset", "mV"),
            _text("delT", "Delta_T", "mV"),
            _text("tauw", "tau_w", "ms"),
            _text("refract", "t_ref", "ms"),
            _text("a", "a", "nS"),
            _text("b", "b", "pA"),
        ),
        V_m="E_L",
    ),
    CellType(
        "izhikevichCell",
        "izhikevich",
        (
            _text("v0", "V_m", "mV"),
            _number("a", "a", ""),
            _number("b", "b", ""),
            _number("c", "c", "mV"),
            _number("d", "d", "mV"),
            _text("thresh", "V_th", "mV"),
        ),
        dimensionless=True,
    ),
)

_TAU, _E_REV = _number("tau_syn", "tau_syn", "ms"), _number("e_rev", "E_rev", "mV")
_PYNN_SYNAPSES = (
    SynapseType("expCondSynapse", "cond_exp", (_TAU, _E_REV)),
    SynapseType("alphaCondSynapse", "cond_alpha", (_TAU, _E_REV)),
    SynapseType("expCurrSynapse", "psc_exp", (_TAU,)),
    SynapseType("alphaCurrSynapse", "psc_alpha", (_TAU,)),
)
_CORE_SYNAPSES = (
    SynapseType(
        "expOneSynapse",
        "cond_exp",
        (_text("tauDecay", "tau_syn", "ms"), _text("erev", "E_rev", "mV"), _text("gbase", "base", "nS")),
    ),
    SynapseType(
        "alphaSynapse",
        "cond_alpha",
        (_text("tau", "tau_syn", "ms"), _text("erev", "E_rev", "mV"), _text("gbase", "base", "nS")),
    ),
    SynapseType("alphaCurrentSynapse", "psc_alpha", (_text("tau", "tau_syn", "ms"), _text("ibase", "base", "pA"))),
)

#: Types of cells by name. What the catalogue names in its column ``neuroml`` is written; all are read.
CELLS: Mapping[str, CellType] = MappingProxyType({cell.name: cell for cell in _CELLS})
#: Types of synapses by name.
SYNAPSES: Mapping[str, SynapseType] = MappingProxyType({s.name: s for s in (*_PYNN_SYNAPSES, *_CORE_SYNAPSES)})
#: The type of synapses that is written, by kind.
WRITTEN_SYNAPSES: Mapping[Receptor, SynapseType] = MappingProxyType({s.receptor: s for s in _PYNN_SYNAPSES})


def conductances(receptor: Receptor) -> bool:
    """Whether weights are conductances: positive, in nS, with a reversal potential."""
    return receptor.startswith("cond")


def model_name(membrane: Membrane, receptor: Receptor | None) -> str | None:
    """Return the name of our model of a cell with synapses of one kind; None where there is none.

    Parameters
    ----------
    receptor
        None: nothing projects onto it.
    """
    name = membrane if receptor is None else f"{membrane}_{receptor}"
    return name if name in CATALOGUE else None


def cell_attributes(cell: CellType, parameters: Mapping[str, float]) -> dict[str, str]:
    """Return the attributes of a component.

    Parameters
    ----------
    parameters
        Ours, in our units, with ``V_m``. Where a cell has ``tau_m`` and our model ``g_L``, the shortest decimal is
        written from which :func:`cell_parameters` makes this ``g_L``.
    """
    texts = {}
    for attribute in cell.attributes:
        if attribute.ours == "tau_m" and "tau_m" not in parameters:
            texts[attribute.name] = _quotient(parameters["C_m"], parameters["g_L"])
        else:
            texts[attribute.name] = attribute.write(parameters[attribute.ours])
    return texts


def cell_parameters(cell: CellType, texts: Mapping[str, str]) -> dict[str, float]:
    """Return our parameters of a component, in our units: the inverse of :func:`cell_attributes`.

    With the initial potential as ``V_m``, and both ``tau_m`` and ``g_L`` where the cell has one of them.

    Raises
    ------
    ValueError
        An attribute is missing, or not a value; in one phrase.
    """
    values = _read(cell.attributes, texts)
    for given, sought in (("tau_m", "g_L"), ("g_L", "tau_m")):
        if "C_m" in values and given in values and sought not in values:
            if not (values[given] > 0 and values["C_m"] > 0):
                raise ValueError("capacitance and time constant or conductance must be greater than 0")
            values[sought] = _PRECISE.divide(values["C_m"], values[given])
    values.setdefault("V_m", values[cell.V_m])
    return {name: float(value) for name, value in values.items()}


def _read(attributes: tuple[Attribute, ...], texts: Mapping[str, str]) -> dict[str, Decimal]:
    values = {}
    for attribute in attributes:
        if attribute.name not in texts:
            raise ValueError(f"attribute '{attribute.name}' is missing")
        try:
            values[attribute.ours] = attribute.read(texts[attribute.name])
        except ValueError as error:
            raise ValueError(f"{attribute.name} {error}") from None
    return values


def _quotient(numerator: float, wanted: float) -> str:
    """Return the shortest decimal by which a number must be divided to give another one."""
    top = Decimal(repr(numerator))
    best = _PRECISE.divide(top, Decimal(repr(wanted)))
    for digits in range(1, _ENOUGH):
        divisor = Context(prec=digits).plus(best)
        if float(_PRECISE.divide(top, divisor)) == wanted:
            best = divisor
            break
    return format(best.normalize(), "f")
