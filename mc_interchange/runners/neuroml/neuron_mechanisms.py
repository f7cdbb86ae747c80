"""What is changed in the mechanisms that jNeuroML makes for NEURON, before they are compiled.

Each change looks for code that jNeuroML 0.14 writes. What is there but not as expected is refused, never guessed.

- Mechanisms get a prefix: they bear the names of components, and NEURON has a ``step`` and a ``noise`` of its own.
- Random numbers: two functions are declared as they were before NEURON 9, whose headers declare one of them with
  another type; C++ refuses that. Without the declarations it compiles.
- Mechanisms of cells that differ in nothing but the values of parameters are compiled once.
- Spike arrays: one mechanism serves all of them, and the driver sends it the spikes. What jNeuroML makes of an array
  emits a spike at the start where it is empty, and loses all that follows a spike in the step of its predecessor.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from mc_interchange.errors import NotRepresentableError, SimulationError

__all__ = ["PREFIX", "SPIKE_ARRAY", "Mechanism", "read_mechanisms", "unexpected", "write_mechanisms"]

PREFIX = "nml_"
#: Mechanism of all spike arrays.
SPIKE_ARRAY = f"{PREFIX}spike_array_"
_SPIKE_ARRAY_CODE = f"""NEURON {{
    POINT_PROCESS {SPIKE_ARRAY}
}}

NET_RECEIVE(weight) {{
    net_event(t)
}}
"""
#: What is wrong with the code of a component, by its type.
_RUNAWAY = "after a spike, its potential runs away with the current from before the reset"
_WRONG = {
    "EIF_cond_alpha_isfa_ista": _RUNAWAY,
    "EIF_cond_exp_isfa_ista": _RUNAWAY,
    "adExIaFCell": "its spikes are not noticed, and it is not held while refractory",
    "izhikevich2007Cell": "its spikes are sent at 0 mV on the way to the peak",
    "izhikevichCell": "it receives no input",
}
#: End of the types of inputs whose amplitude has no dimension, and what becomes of them.
_DIMENSIONLESS, _LOST = "DL", "it reaches no cell"
_RANDOM = "nrn_random_arg"
_RANDOM_DECLARATIONS = f"""VERBATIM
double nrn_random_pick(void* r);
void* {_RANDOM}(int argpos);
ENDVERBATIM
"""
_KIND = "    POINT_PROCESS "
_TITLE = re.compile(r"TITLE Mod file for component: Component\(id=(\w+) type=(\w+)\)")
_PARAMETER = re.compile(r"^    (\w+) = (\S+)(?: \(.*?\))? +: was: (\S+) \(\w*\)$", re.MULTILINE)


@dataclass(frozen=True)
class Mechanism:
    """The mechanism of one component.

    Parameters
    ----------
    component, type
        Identifiers.
    code
        As jNeuroML wrote it.
    parameters
        As jNeuroML wrote it, and with all digits, by name.
    """

    component: str
    type: str
    code: str
    parameters: dict[str, tuple[str, str]]

    @property
    def is_spike_array(self) -> bool:
        """Whether it only sends spikes at given times."""
        return self.type == "spikeArray"

    @property
    def is_point_process(self) -> bool:
        """Whether instances of it are made by its name; channels are inserted instead."""
        return self.code.count(_KIND + self.component + "\n") == 1

    @property
    def shape(self) -> str:
        """Its code without its name and the values of its parameters."""
        return re.sub(rf"\b{self.component}\b", "", _PARAMETER.sub(r"\1", self.code))


def read_mechanisms(directory: Path) -> dict[str, Mechanism]:
    """Read the files that jNeuroML wrote, by component, in alphabetical order.

    Raises
    ------
    NotRepresentableError
        What it made of a component is another model.
    """
    found = {}
    for path in sorted(directory.glob("*.mod")):
        code = path.read_text(encoding="utf-8")
        title = _TITLE.match(code)
        if not title or title[1] != path.stem:
            raise unexpected(path.name, "its first line names no component")
        parameters = {m[1]: (m[2], _all_digits(m[2], m[3])) for m in _PARAMETER.finditer(code)}
        found[title[1]] = Mechanism(title[1], title[2], code, parameters)
        if wrong := _LOST if title[2].endswith(_DIMENSIONLESS) else _WRONG.get(title[2]):
            raise NotRepresentableError(
                f"NEURON cannot simulate the {title[2]} {title[1]} with the code that jNeuroML makes of it: {wrong}; "
                "use --simulator jlems"
            )
    return found


def write_mechanisms(directory: Path, mechanisms: Iterable[Mechanism], settable: Iterable[str]) -> dict[str, str]:
    """Write what is compiled in place of what jNeuroML wrote.

    Parameters
    ----------
    mechanisms
        All of them.
    settable
        Components for which the program sets every parameter.

    Returns
    -------
    dict
        Name of the compiled mechanism by component; of those only that are point processes.
    """
    settable = set(settable)
    names: dict[str, str] = {}
    shapes: dict[str, str] = {}
    for mechanism in mechanisms:
        if not mechanism.is_point_process:
            continue
        path = directory / f"{mechanism.component}.mod"
        path.unlink()
        if mechanism.is_spike_array:
            names[mechanism.component] = SPIKE_ARRAY
            continue
        name = PREFIX + mechanism.component
        if mechanism.component in settable:
            name = shapes.setdefault(mechanism.shape, name)
        names[mechanism.component] = name
        if name == PREFIX + mechanism.component:
            (directory / f"{name}.mod").write_text(_changed(mechanism), encoding="utf-8")
    if SPIKE_ARRAY in names.values():
        (directory / f"{SPIKE_ARRAY}.mod").write_text(_SPIKE_ARRAY_CODE, encoding="utf-8")
    return names


def unexpected(file: str, what: str) -> SimulationError:
    """Return the error for code that is not as this was written for."""
    return SimulationError(
        f"{file}, which jNeuroML wrote, is not as this runner knows it: {what}; use --simulator jlems"
    )


def _changed(mechanism: Mechanism) -> str:
    file = f"{mechanism.component}.mod"
    code = mechanism.code.replace(_KIND + mechanism.component, f"{_KIND}{PREFIX}{mechanism.component}")
    if _RANDOM in code:
        if code.count(_RANDOM_DECLARATIONS) != 1:
            raise unexpected(file, f"it declares {_RANDOM} in another way")
        code = code.replace(_RANDOM_DECLARATIONS, "")
    return code


def _all_digits(rounded: str, in_si: str) -> str:
    """Move the decimal point of a number in SI units to where it is in another, which has fewer digits."""
    value, exact = float(rounded), Decimal(in_si)
    if not value or not exact:
        return rounded
    moved = exact.scaleb(round(math.log10(abs(value) / abs(float(exact)))))
    # a unit that is no power of ten away
    return repr(float(moved)) if math.isclose(float(moved), value, rel_tol=1e-6) else rounded
