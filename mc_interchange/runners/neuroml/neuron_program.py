"""What is changed in the program that jNeuroML makes for NEURON, before it is run.

- Weights, thresholds and parameters of cells get all their digits.
- Synapses move into a file of NEURON's own language: as statements of Python, they take three times the memory.
- Potentials are written with all their digits.
- Populations get a prefix: NEURON has an ``E`` and an ``R`` of its own. Mechanisms have one, too
  (:mod:`.neuron_mechanisms`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from .neuron_mechanisms import Mechanism, unexpected

__all__ = ["CONNECTIONS", "PROGRAM", "Program", "settable_components"]

#: Name of the changed program (a module), and of the file with its synapses.
PROGRAM = "mc_interchange_program"
CONNECTIONS = f"{PROGRAM}.hoc"

_PREFIX = "pop_"

_POPULATION = re.compile(r'\s+print\("Population (\w+) contains (\d+) instance\(s\) of component: (\w+) of type: ')
_SET = re.compile(r"(\s+h\.m_\w+\[i\]\.)(\w+) = (\S+)( # NRN unit is: .*)")
_NEW = re.compile(r"(= new |= h\.)(\w+)(?=\(0\.5\b)")
_PROJECTION = re.compile(r"\s+# #+   Projection: (\w+)$")
_STATEMENT = re.compile(r"""\s+h\("(.*)"\)\s*(?:#.*)?$""")
# those of cells with compartments are appended to a list
_CONNECTION = re.compile(r"(.*\bnew NetCon\()(.*), (\S+), (\S+), ([^\s)]+)(\)+)$")
_RECORDER = re.compile(r"(.* new NetCon\(&v\(0\.5\), nil, )(\S+?)(, .*)")
_MEMBER = re.compile(r"\b(\w+)(?=\[)")
_BETWEEN = re.compile(r'\s*$|\s+# Connection |\s+print\("Adding projection: ')


def settable_components(program: Path, mechanisms: Mapping[str, Mechanism]) -> set[str]:
    """Return the components of populations for which the program sets every parameter."""
    names: dict[str, set[str]] = {}
    component = ""
    with program.open(encoding="utf-8") as file:
        for line in file:
            if population := _POPULATION.match(line):
                component = population[3]
                names.setdefault(component, set())
            elif setting := _SET.match(line):
                names[component].add(setting[2])
            elif _PROJECTION.match(line):
                break
    return {c for c, found in names.items() if c in mechanisms and found == set(mechanisms[c].parameters)}


class Program:
    """Rewrites one program.

    Parameters
    ----------
    path
        As jNeuroML wrote it.
    mechanisms
        By component.
    names
        Of the compiled mechanisms, by component.
    weights
        In nA, by identifier of the projection, in its order.
    """

    def __init__(
        self,
        path: Path,
        mechanisms: Mapping[str, Mechanism],
        names: Mapping[str, str],
        weights: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self._path = path
        self._mechanisms = mechanisms
        self._names = names
        self._weights = weights
        #: Component of every population, and how many members it has.
        self.populations: dict[str, tuple[str, int]] = {}
        self._used: set[str] = set()

    def rewrite(self, directory: Path) -> None:
        """Write the changed program, and the file of its synapses."""
        with (
            self._path.open(encoding="utf-8") as old,
            (directory / f"{PROGRAM}.py").open("w", encoding="utf-8") as new,
            (directory / CONNECTIONS).open("w", encoding="utf-8") as connections,
        ):
            new.writelines(self._lines(old, connections))
        if missing := self._names.keys() - self._used:
            raise self._unexpected(f"the mechanism {min(missing)} is nowhere in use")

    def _lines(self, lines: Iterator[str], connections: TextIO) -> Iterator[str]:
        component, projection, loaded = "", "", False
        count = 0
        for line in lines:
            if match := _PROJECTION.match(line):
                self._check_count(projection, count)
                projection, count = match[1], 0
                if not loaded:
                    loaded = True
                    yield f'        h.xopen("{CONNECTIONS}")\n'
                continue
            if projection:
                if _BETWEEN.match(line):
                    continue
                if statement := _STATEMENT.match(line):
                    text = statement[1]
                    if connection := _CONNECTION.match(text):
                        text = self._connection(connection, projection, count)
                        count += 1
                    connections.write(self._renamed(text) + "\n")
                    continue
                self._check_count(projection, count)
                projection = ""
            if match := _POPULATION.match(line):
                component = match[3]
                self.populations[match[1]] = (component, int(match[2]))
            elif match := _SET.match(line):
                line = f"{match[1]}{match[2]} = {self._digits(component, match[2], match[3])}{match[4]}\n"
            elif match := _RECORDER.match(line):
                section = match[1].split("'", 1)[-1].split("[", 1)[0].strip()
                line = f"{match[1]}{self._threshold(section, match[2])}{match[3]}\n"
            elif "_f2.write('%e" in line:
                line = line.replace("%e", "%.17g")
            yield self._renamed(line)

    def _renamed(self, line: str) -> str:
        line = _MEMBER.sub(lambda m: _PREFIX + m[1] if m[1] in self.populations else m[1], line)
        match = _NEW.search(line)
        if not match or match[2] not in self._names:
            return line
        self._used.add(match[2])
        return line.replace(match[0], match[1] + self._names[match[2]])

    def _connection(self, match: re.Match[str], projection: str, count: int) -> str:
        start, ends, threshold, delay, weight, end = match.groups()
        section = start.split("[", 1)[0]
        if ends.startswith("&v("):
            threshold = self._threshold(section, threshold)
        stated = self._weights.get(projection)
        if stated is not None:
            if count >= len(stated) or not math.isclose(stated[count], float(weight), rel_tol=1e-6):
                raise self._unexpected(f"connection {count} of projection {projection} has another weight")
            weight = repr(float(stated[count]))
        return f"{start}{ends}, {threshold}, {delay}, {weight}{end}"

    def _check_count(self, projection: str, count: int) -> None:
        stated = self._weights.get(projection)
        if stated is not None and len(stated) != count:
            raise self._unexpected(f"projection {projection} has {count} connections instead of {len(stated)}")

    def _threshold(self, population: str, rounded: str) -> str:
        """Return the threshold of a cell: the parameter of it that has these digits."""
        mechanism = self._mechanisms.get(self.populations.get(population, ("", 0))[0])
        for name, (theirs, exact) in (mechanism.parameters if mechanism else {}).items():
            if "thresh" in name and float(theirs) == float(rounded):
                return exact
        return rounded

    def _digits(self, component: str, name: str, rounded: str) -> str:
        mechanism = self._mechanisms.get(component)
        theirs, exact = mechanism.parameters.get(name, (rounded, rounded)) if mechanism else (rounded, rounded)
        if not math.isclose(float(theirs), float(rounded), rel_tol=1e-6):
            raise self._unexpected(f"{name} of {component} is {rounded}, and {theirs} in its mechanism")
        return exact

    def _unexpected(self, what: str) -> Exception:
        return unexpected(self._path.name, what)
