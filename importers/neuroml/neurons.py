"""Cells with the synapses on them, as neuron models of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import Nodes
from mc_interchange.network import CATALOGUE, Neuron

from .components import refuse, report_unread
from .document import Component, PopulationElement
from .synapses import Receptors

__all__ = ["Cell", "color_of", "neurons"]

#: The kind of synapses of a cell that has none and can have any, the first with a neuron model.
_WITHOUT: tuple[fmt.Receptor | None, ...] = (None, "cond_exp")


class Cell:
    """The component of a population of neurons.

    Parameters
    ----------
    component
        Of one of the types of cells that are supported.

    Raises
    ------
    FormatError
        A value is missing or none.
    """

    def __init__(self, component: Component) -> None:
        self.component = component
        self.type = fmt.CELLS[component.type]
        report_unread(component, [attribute.name for attribute in self.type.attributes])
        try:
            #: Ours, in our units; with the initial potential as ``V_m``.
            self.parameters: Mapping[str, float] = fmt.cell_parameters(self.type, component.attributes)
        except ValueError as error:
            raise refuse(component, str(error)) from None


def neurons(name: str, element: PopulationElement, cell: Cell, receptors: Receptors, current: float) -> Nodes:
    """Make a population of neurons.

    Parameters
    ----------
    name
        Ours.
    current
        Constant current from elsewhere than the cell, pA (for ``izhikevich``, mV/ms).

    Raises
    ------
    FormatError
        There is no such neuron model in the catalogue, or it does not take these values.
    """
    models = [model for kind in _kinds(cell, receptors) if (model := fmt.model_name(cell.type.membrane, kind))]
    if not models:
        raise FormatError(
            f"{element.place}: population {element.id}: there is no neuron model of the membrane of {cell.type.name} "
            f"with synapses of the kind {receptors.kind}"
        )
    entry = CATALOGUE[models[0]]
    known = {"t_ref": 0.0, **cell.parameters, **receptors.parameters}
    if cell.type.membrane == "izhikevich":
        known["U_m"] = _product(known["b"], known["V_m"])
    # of what neither cell nor synapses have, nothing depends on the value
    values = {p.name: known.get(p.name, p.nest if p.default is None else p.default) for p in entry.parameters}
    if current:
        values["I_e"] = float(Decimal(repr(known.get("I_e", 0.0))) + Decimal(repr(current)))
    try:
        neuron = Neuron(model=entry.name, parameters=values)
    except ModelError as error:
        raise refuse(cell.component, str(error).removeprefix("Neuron: ")) from None
    return Nodes(
        name,
        element.size,
        neuron=neuron,
        V_m=np.full(element.size, known["V_m"]),
        positions=element.positions,
        color=color_of(element),
    )


def _kinds(cell: Cell, receptors: Receptors) -> Sequence[fmt.Receptor | None]:
    """Return the kinds of synapses that decide on the neuron model, the best first."""
    if receptors.kind or cell.type.receptor:
        return (receptors.kind or cell.type.receptor,)
    return ("psc_exp",) if cell.type.isolated else _WITHOUT


def color_of(element: PopulationElement) -> str | None:
    """Return the colour of a population: three numbers from 0 to 1 as ``#rrggbb``."""
    try:
        parts = [round(float(part) * 255) for part in element.properties.get("color", "").split()]
        return "#{:02x}{:02x}{:02x}".format(*parts) if len(parts) == 3 and all(0 <= p <= 255 for p in parts) else None
    except (ValueError, OverflowError):
        return None


def _product(a: float, b: float) -> float:
    return float(Decimal(repr(a)) * Decimal(repr(b)))
