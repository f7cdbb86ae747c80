"""Numbers as texts: the point of a decimal is moved, and nothing is rounded on the way."""

from __future__ import annotations

import re
import sys
from decimal import Decimal, InvalidOperation

from mc_interchange.network.simulation import TICS_PER_MS

__all__ = ["decimal", "exact", "milliseconds", "picoamperes", "time_in_ms"]

_QUANTITY = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]{1,3})?)\s*([A-Za-z_]*)\s*")
#: Powers of ten that take the units of NeuroML to ours, by our unit.
_POWERS = {
    "": {"": 0},
    "ms": {"ms": 0, "s": 3, "us": -3},
    "mV": {"mV": 0, "V": 3},
    "pF": {"pF": 0, "nF": 3, "uF": 6, "F": 12},
    "pA": {"pA": 0, "nA": 3, "uA": 6, "A": 12},
    "nS": {"nS": 0, "pS": -3, "uS": 3, "mS": 6, "S": 9},
    "Hz": {"Hz": 0, "per_s": 0, "per_ms": 3},
}


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


def milliseconds(steps: float, dt: float) -> str:
    """Return a number of steps, whole or a half, as the shortest decimal in ms: ``0.7`` (not 0.7000000000000001).

    Parameters
    ----------
    steps
        Number of steps.
    dt
        Resolution in ms, a whole number of microseconds.
    """
    return decimal(float(Decimal(steps * round(dt * TICS_PER_MS)) / TICS_PER_MS))


def exact(text: str, unit: str = "") -> Decimal:
    """Return a number with its unit in one of our units, without rounding.

    Parameters
    ----------
    text
        Such as ``0.7ms`` or ``1e-3 nS``.
    unit
        ms, mV, pF, pA, nS, Hz; empty: the text has no unit.

    Raises
    ------
    ValueError
        In one phrase, what it must be.
    """
    match = _QUANTITY.fullmatch(text)
    power = _POWERS[unit].get(match[2]) if match else None
    try:
        if match is None or power is None:
            raise InvalidOperation
        value = Decimal(match[1]).scaleb(power)
        if not abs(value) <= sys.float_info.max:
            raise InvalidOperation
        return value
    except InvalidOperation:
        raise ValueError(f"must be a number{f' with a unit such as {unit}' * bool(unit)}, got {text!r:.60}") from None


def time_in_ms(text: str) -> float:
    """Return the ms of a time with its unit, such as ``0.7ms`` or ``0.0007s``.

    Raises
    ------
    ValueError
    """
    return float(exact(text, "ms"))
