"""Lists of inputs: current pulses, initial potentials, and spikes through a synapse of their own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import neuroml as fmt
from mc_interchange.network import PoissonInput, StepCurrent
from mc_interchange.network.base import MAX_NAME
from mc_interchange.network.consistency import TOLERANCE
from mc_interchange.network.simulation import steps

from .components import Components, refuse, report_unread, value
from .document import Component, InputListElement, NeuroMLWarning
from .sources import window

__all__ = [
    "PULSES",
    "SPIKING",
    "InitialPulses",
    "Pulse",
    "poisson_inputs",
    "step_currents",
    "synapse_of",
    "weights_of",
]

#: Types of inputs that can be read: currents, and spikes through a synapse.
PULSES = ("pulseGenerator", "pulseGeneratorDL")
SPIKING = ("poissonFiringSynapse", "transientPoissonFiringSynapse", "timedSynapticInput")
#: ms; for currents that do not end.
_FOREVER = fmt.time_in_ms(fmt.NO_END)
_UNWEIGHTED = 1000.0


@dataclass(frozen=True)
class Pulse:
    """A pulse generator.

    Parameters
    ----------
    component
        Its component.
    start, stop
        In ms; None: it does not end.
    amplitude
        In pA; without unit (mV/ms) where ``dimensionless``.
    """

    component: Component
    start: float
    stop: float | None
    amplitude: float

    @classmethod
    def of(cls, component: Component) -> Pulse:
        """Read a component.

        Raises
        ------
        FormatError
        """
        report_unread(component, ["delay", "duration", "amplitude"])
        unit = "" if component.type == "pulseGeneratorDL" else "pA"
        return cls(component, *window(component, "delay"), value(component, "amplitude", unit))

    @property
    def dimensionless(self) -> bool:
        """Whether its current is a number without unit."""
        return self.component.type == "pulseGeneratorDL"

    def sets_potentials(self, dt: float) -> bool:
        """Whether this is the pulse by which exports of this package set the potential of each neuron."""
        return (self.start, self.stop, self.amplitude) == (0.0, round(1.5 * dt, 9), 1000.0) and not self.dimensionless

    def constant(self, inputs: InputListElement, size: int) -> float | None:
        """Return the constant current into each of ``size`` neurons, where the list is no more than that."""
        if self.start or self.stop is not None or len(inputs.targets) != size:
            return None
        if len(np.unique(inputs.targets)) != size or (weights := weights_of(inputs)).min() != weights.max():
            return None
        return self.times(float(weights[0]))

    def times(self, weight: float, count: int = 1) -> float:
        """Return the current of some inputs on one neuron with a weight that is 1000 times that of the file."""
        return float(Decimal(repr(self.amplitude)) * Decimal(repr(weight)) * count / 1000)


@dataclass(frozen=True)
class InitialPulses:
    """Currents in the first step that set the potential of each neuron.

    Parameters
    ----------
    currents : ndarray, shape (size,), float64, pA
        For each neuron.
    v_init
        Potential that all cells start with, mV.
    per_mV
        Current per difference of the potentials, pA/mV.
    """

    currents: NDArray[np.float64]
    v_init: float
    per_mV: float

    def add(self, inputs: InputListElement) -> None:
        """Add the currents of a list."""
        np.add.at(self.currents, inputs.targets, weights_of(inputs))

    def agree(self, V_m: NDArray[np.float64], *, single: bool) -> NDArray[np.bool_]:
        """Say of which potentials an export makes these currents.

        Parameters
        ----------
        single
            Whether the currents were kept as float32 nA.
        """
        made = (V_m - self.v_init) * self.per_mV
        if single:
            agree: NDArray[np.bool_] = (made / 1000).astype(np.float32) == (self.currents / 1000).astype(np.float32)
            return agree
        return np.equal(made, self.currents)

    def potentials(self) -> NDArray[np.float64]:
        """Return potentials of which an export makes these currents; where there are several, the nearest.

        Returns
        -------
        ndarray, shape (size,), float64, mV
        """
        found: NDArray[np.float64] = self.v_init + self.currents / self.per_mV
        low, high = found.copy(), found.copy()
        # difference, product and quotient are rounded: together by a few units in the last place
        for _ in range(8):
            left = ~self.agree(found, single=False)
            if not left.any():
                break
            low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
            for tried in (low, high):
                found = np.where(left & self.agree(tried, single=False), tried, found)
        return found


def step_currents(
    name: str, pulse: Pulse, inputs: InputListElement, target: str, size: int, dt: float
) -> Iterator[StepCurrent]:
    """Yield the currents of a list: one for each amplitude.

    Parameters
    ----------
    name
        For the currents.
    target, size
        Our population, and its number of neurons.
    dt
        Resolution in ms.

    Raises
    ------
    ModelError
    """
    where = f"{inputs.place}: {pulse.component.type} {pulse.component.id}"
    begin = _step(where, pulse.start, dt)
    end = math.floor(steps(_FOREVER, dt)) if pulse.stop is None else _step(where, pulse.stop, dt)
    if begin == 0:
        message = f"{where} begins at 0 ms; as a generator's current takes a step to its target, it begins at {dt:g} ms"
        warnings.warn(message, NeuroMLWarning, stacklevel=2)
        begin = 1
    if end <= begin:
        return
    per_ms = steps(1.0, dt)
    for label, weight, count, neurons in _labelled(name, inputs):
        yield StepCurrent(
            name=label,
            target=target,
            amplitude=pulse.times(weight, count),
            start=(begin - 1) / per_ms,
            stop=(end - 1) / per_ms,
            delay=dt,
            neurons=_some(neurons, size),
        )


def poisson_inputs(
    name: str, component: Component, inputs: InputListElement, target: str, size: int, dt: float
) -> Iterator[PoissonInput]:
    """Yield the Poisson inputs of a list, with weights as in the file: one for each weight and number per neuron.

    Several sources on one neuron are one of the rate of all. Parameters are those of :func:`step_currents`.

    Raises
    ------
    FormatError, ModelError
    """
    report_unread(component, ["synapse", "spikeTarget", "averageRate", "delay", "duration"])
    rate = value(component, "averageRate", "Hz")
    start, stop = 0.0, None
    if component.type == "transientPoissonFiringSynapse":
        begin, end = window(component, "delay")
        start = max(0.0, float(Decimal(repr(begin)) - Decimal(repr(dt))))
        stop = None if end is None else float(Decimal(repr(end)) - Decimal(repr(begin)) + Decimal(repr(start)))
    for label, weight, count, neurons in _labelled(name, inputs):
        yield PoissonInput(
            name=label,
            target=target,
            rate=_multiple(rate, count),
            weight=weight,
            delay=dt,
            start=start,
            stop=stop,
            neurons=_some(neurons, size),
        )


def synapse_of(component: Component, components: Components) -> Component:
    """Return the synapse through which the spikes of an input act.

    Raises
    ------
    FormatError
    """
    name = component.attributes.get("synapse")
    if name is None or component.attributes.get("spikeTarget", f"./{name}") != f"./{name}":
        raise refuse(component, "must name its synapse, and have it as its spikeTarget")
    return components.get(name, component.place)


def _grouped(
    targets: NDArray[np.uint32], weights: NDArray[np.float64]
) -> Iterator[tuple[float, int, NDArray[np.int64]]]:
    """Yield each weight and number of inputs on one neuron, with the neurons that have it, ascending."""
    pairs, counts = np.unique(np.stack([targets.astype(np.float64), weights]), axis=1, return_counts=True)
    keys, which = np.unique(np.stack([pairs[1], counts.astype(np.float64)]), axis=1, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    borders = np.cumsum(np.bincount(which.reshape(-1)))[:-1]
    for (weight, count), members in zip(keys.T.tolist(), np.split(order, borders), strict=True):
        yield weight, int(count), pairs[0, members].astype(np.int64)


def _labelled(name: str, inputs: InputListElement) -> list[tuple[str, float, int, NDArray[np.int64]]]:
    groups = list(_grouped(inputs.targets, weights_of(inputs))) if len(inputs.targets) else []
    if len(groups) == 1:
        return [(name, *groups[0])]
    stem = name[: MAX_NAME - 1 - len(str(len(groups)))]
    return [(f"{stem}_{number}", *group) for number, group in enumerate(groups)]


def weights_of(inputs: InputListElement) -> NDArray[np.float64]:
    """Return 1000 times the weight of each input of a list, shape (n,)."""
    return np.full(len(inputs.targets), _UNWEIGHTED) if inputs.weights is None else inputs.weights


def _some(neurons: NDArray[np.int64], size: int) -> tuple[int, ...] | None:
    return None if len(neurons) == size else tuple(neurons.tolist())


def _multiple(rate: float, count: int) -> float:
    """Return the shortest rate whose ``count``-th part is the given one: 12800.0, of 16 times 800 and the like."""
    total = rate * count
    near = [total, math.nextafter(total, math.inf), math.nextafter(total, 0.0)]
    return min((r for r in near if r / count == rate), key=lambda r: len(repr(r)), default=total)


def _step(where: str, time: float, dt: float) -> int:
    """Return the first step that begins at a time or behind it, and tell when it is behind it."""
    exact = steps(time, dt)
    step = math.ceil(exact - TOLERANCE)
    if step - exact > TOLERANCE:
        message = f"{where}: {time:g} ms is not a multiple of dt = {dt:g} ms and becomes {step / steps(1.0, dt):g} ms"
        warnings.warn(message, NeuroMLWarning, stacklevel=3)
    return step
