"""Brian2's quantities, which are in SI units, in ours; and what the names in its code stand for."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mc_interchange.errors import FormatError
from mc_interchange.network.expressions import FUNCTIONS, UNIT_NAMES, Dimension, unit_text

__all__ = ["Names", "dimension_from", "in_our_unit", "number_in_our_unit", "unit_of"]

#: Powers of ten from SI to ours, of ms, mV, pA and um.
_POWERS = (3, 3, 12, 6)
#: Significant digits that every decimal keeps as a float64.
_DIGITS = 15


def dimension_from(dim: Any, what: str) -> Dimension:
    """Return one of Brian2's dimensions as ours.

    Parameters
    ----------
    what
        Whose, for the message.

    Raises
    ------
    FormatError
        It holds a temperature, an amount of substance or a luminosity.
    """
    length, mass, time, current = (
        Fraction(dim.get_dimension(name)).limit_denominator(12) for name in ("length", "mass", "time", "current")
    )
    if any(dim.get_dimension(name) for name in ("temperature", "substance", "luminosity")):
        raise FormatError(
            f"{what}: its unit {dim} has no equal; units are products of those of time, voltage, current and length "
            "here: divide by a unit where you set it"
        )
    # a volt is m2 kg s-3 A-1, and nothing else here has a mass
    return time + 3 * mass, mass, current + mass, length - 2 * mass


def _factor(dimension: Dimension) -> tuple[float, float]:
    """Return factor and divisor, of which one is 1 and both are exact (up to 1e22)."""
    power = sum((exponent * ten for exponent, ten in zip(dimension, _POWERS, strict=True)), Fraction(0))
    return (float(10**power), 1.0) if power >= 0 else (1.0, float(10**-power))


def in_our_unit(values: Any, dimension: Dimension) -> NDArray[np.float64]:
    """Return values in SI as values in our unit.

    ``20*ms`` is 0.02 s with an error in its last bit; where a decimal of few digits gives the very same number in SI,
    it is meant.
    """
    factor, divisor = _factor(dimension)
    given = np.asarray(values, np.float64)
    exact = given * factor / divisor
    with np.errstate(all="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(exact)))
        scale = 10.0 ** np.clip(places, -300, 300)
        short = np.round(exact * scale) / scale
        same = np.isfinite(short) & (np.abs(short / factor * divisor - given) <= np.spacing(np.abs(given)))
    return np.where(same, short, exact)


def number_in_our_unit(value: Any, dimension: Dimension) -> float:
    """Return one value (see :func:`in_our_unit`)."""
    return float(in_our_unit(value, dimension))


def unit_of(dimension: Dimension) -> str:
    """Return the text of our unit."""
    return unit_text(dimension)


class Names:
    """What names stand for in the code of one group.

    Parameters
    ----------
    group
        The group.
    namespace
        Names that ``run`` would find.
    """

    def __init__(self, group: Any, namespace: Mapping[str, Any]) -> None:
        self._group, self._namespace = group, dict(namespace)

    def constant(self, name: str, what: str) -> tuple[float, Dimension]:
        """Return the value, in SI, and the dimension of a name that is no variable of the group.

        Parameters
        ----------
        what
            Where it stands, for messages.

        Raises
        ------
        FormatError
            It stands for nothing, or for something else than a number.
        """
        try:
            found = self._group.resolve_all({name}, run_namespace=self._namespace, user_identifiers={name})[name]
        except KeyError:
            raise FormatError(
                f"{what}: the name {name} stands for nothing; give its value in namespace={{...}}"
            ) from None
        try:
            return float(found.get_value()), dimension_from(found.dim, f"{what}: {name}")
        except (AttributeError, TypeError, ValueError):
            raise FormatError(f"{what}: {name} is a {type(found).__name__}, not a number") from None

    def means_unit(self, name: str, what: str) -> bool:
        """Say whether a name is that of a unit of ours, and means it."""
        if name not in UNIT_NAMES:
            return False
        value, dimension = self.constant(name, what)
        return dimension == UNIT_NAMES[name] and number_in_our_unit(value, dimension) == 1.0

    def check_function(self, name: str, what: str) -> None:
        """Refuse a function that Brian2 does not understand as we do.

        Raises
        ------
        FormatError
        """
        from brian2.core.functions import DEFAULT_FUNCTIONS

        found = self._group.resolve_all({name}, run_namespace=self._namespace, user_identifiers={name})[name]
        if name not in FUNCTIONS or found is not DEFAULT_FUNCTIONS.get(name):
            raise FormatError(f"{what}: {name} is a function of your own; write its expression instead")
