"""The Network: a model as rules, before any neuron or synapse is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mc_interchange.units import UNITS, Quantity

from .base import Name, Part, refusal
from .distributions import Constant, Distribution, Normal, TruncatedNormal, Uniform, Values
from .inputs import Input
from .populations import AnyPopulation, Population, VirtualPopulation
from .rules import Explicit, OneToOne, Rule
from .simulation import Simulation, steps

__all__ = ["ModelParameter", "Network", "Projection"]

#: Far beyond any synapse, and far below the largest float32, in which weights are drawn.
MAX_DRAWN_WEIGHT = 1e30


class ModelParameter(Part):
    """A parameter from which a model's numbers were derived, with its origin.

    The network itself holds the derived numbers; these entries say where they come from. They have no
    effect on a simulation.
    """

    name: str
    value: bool | int | float | str | tuple[float, ...] | tuple[tuple[float, ...], ...]
    unit: str
    symbol: str
    meaning: str
    source: str

    @field_validator("value", mode="before")
    @classmethod
    def _simple(cls, value: Any) -> Any:
        items = value if isinstance(value, list | tuple) else ()
        items = [x for item in items for x in (item if isinstance(item, list | tuple) else (item,))]
        if not isinstance(value, bool | int | float | str | list | tuple) or not all(
            isinstance(x, int | float) and not isinstance(x, bool) for x in items
        ):
            raise ValueError("must be true, false, a number, a text, or a list or table of numbers")
        return value

    @model_validator(mode="after")
    def _known_unit(self) -> ModelParameter:
        if self.unit not in UNITS and self.unit != "":
            raise refusal("unit", f"unknown unit {self.unit!r}; known: {', '.join(UNITS)}")
        return self


class Projection(Part):
    """Synapses from one population onto another, made by one rule.

    A ``name`` is needed only where several projections join the same two populations.
    """

    name: Name
    source: Name
    target: Name
    rule: Rule
    synapse: Literal["static_synapse"] = "static_synapse"
    weight: Annotated[Distribution, Quantity("pA", "J", "synaptic weight")]
    delay: Annotated[Distribution, Quantity("ms", "d", "delay, rounded to the resolution")]
    meaning: str = ""
    reference: str = ""

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, values: Any) -> Any:
        if isinstance(values, dict) and "name" not in values and "source" in values and "target" in values:
            return {**values, "name": f"{values['source']}_to_{values['target']}"}
        return values

    @model_validator(mode="after")
    def _values_for_listed_synapses(self) -> Projection:
        for name in ("weight", "delay"):
            distribution = getattr(self, name)
            if not isinstance(distribution, Values):
                continue
            if not isinstance(self.rule, Explicit):
                raise refusal(name, "a list of values needs the rule 'explicit'")
            if len(distribution.values) != len(self.rule.sources):
                raise refusal(
                    name, f"must have {len(self.rule.sources)} values, one per synapse, got {len(distribution.values)}"
                )
        return self

    @model_validator(mode="after")
    def _drawn_weights_fit(self) -> Projection:
        weight = self.weight
        largest = 0.0
        if isinstance(weight, Normal | TruncatedNormal):
            largest = abs(weight.mean) + weight.sd
        elif isinstance(weight, Uniform):
            largest = max(abs(weight.low), abs(weight.high))
        if largest > MAX_DRAWN_WEIGHT:
            raise refusal("weight", f"drawn weights must be within {MAX_DRAWN_WEIGHT:g} pA, got {largest:g}")
        return self


class Network(Part):
    """A spiking network described by populations, projections and inputs.

    Immutable and checked on construction; :mod:`mc_interchange.network.yaml_file` reads and writes it.

    Parameters
    ----------
    populations, projections, inputs
        Names are unique within each; projections and inputs refer to populations by name.
    simulation
        Resolution, duration, seed and recordings.
    parameters
        Documented parameters of the model, for tables (no effect on a simulation).

    Raises
    ------
    mc_interchange.errors.ModelError
        With the path of the first wrong field, its value and what is allowed.
    """

    format_version: Literal[1] = 1
    name: Name
    description: str = ""
    references: tuple[str, ...] = ()
    parameters: tuple[ModelParameter, ...] = ()
    populations: Annotated[tuple[AnyPopulation, ...], Field(min_length=1)]
    projections: tuple[Projection, ...] = ()
    inputs: tuple[Input, ...] = ()
    simulation: Simulation = Simulation()

    def population(self, name: str) -> Population | VirtualPopulation:
        """Return the population of this name (KeyError where there is none)."""
        return self._by_name()[name]

    @property
    def neuron_populations(self) -> tuple[Population, ...]:
        """The populations with dynamics, in order."""
        return tuple(p for p in self.populations if isinstance(p, Population))

    @property
    def virtual_populations(self) -> tuple[VirtualPopulation, ...]:
        """The populations of sources, in order."""
        return tuple(p for p in self.populations if isinstance(p, VirtualPopulation))

    def _by_name(self) -> dict[str, Population | VirtualPopulation]:
        return {p.name: p for p in self.populations}

    @model_validator(mode="after")
    def _consistent(self) -> Network:
        for label in ("populations", "projections", "inputs"):
            _unique(label, [item.name for item in getattr(self, label)])
        known = self._by_name()
        for index, projection in enumerate(self.projections):
            self._check_projection(f"projections[{index}]", projection, known)
        for index, item in enumerate(self.inputs):
            if not isinstance(known.get(item.target), Population):
                names = [p.name for p in self.neuron_populations]
                raise refusal(f"inputs[{index}].target", _unknown(item.target, names))
            self._check_constant_delay(f"inputs[{index}].delay", item.delay)
        self._check_recordings(known)
        return self

    def _check_projection(
        self, path: str, projection: Projection, known: dict[str, Population | VirtualPopulation]
    ) -> None:
        if projection.source not in known:
            raise refusal(f"{path}.source", _unknown(projection.source, known))
        if not isinstance(known.get(projection.target), Population):
            raise refusal(f"{path}.target", _unknown(projection.target, [p.name for p in self.neuron_populations]))
        source, target = known[projection.source], known[projection.target]
        rule = projection.rule
        if isinstance(rule, OneToOne) and source.size != target.size:
            raise refusal(f"{path}.rule", f"one_to_one needs equal sizes, got {source.size} and {target.size}")
        if isinstance(rule, Explicit):
            for label, ids, size in (("sources", rule.sources, source.size), ("targets", rule.targets, target.size)):
                if ids and max(ids) >= size:
                    raise refusal(f"{path}.rule.{label}", f"must be below {size}, got {max(ids)}")
        problem = _too_many(rule, source.size, target.size, source.name == target.name)
        if problem:
            raise refusal(f"{path}.rule.{problem[0]}", problem[1])
        self._check_delay(f"{path}.delay", projection.delay)

    def _check_delay(self, path: str, delay: Any) -> None:
        dt = self.simulation.dt
        if isinstance(delay, Constant):
            self._check_constant_delay(path, delay.value)
        elif isinstance(delay, Normal) and delay.sd > 0:
            raise refusal(path, f"a normal distribution reaches below dt; use truncated_normal with min >= {dt / 2:g}")
        elif steps(delay.lower, dt) < 0.5 - 1e-9:
            raise refusal(path, f"must not fall below half the resolution ({dt / 2:g} ms), but reaches {delay.lower:g}")

    def _check_constant_delay(self, path: str, delay: float) -> None:
        dt = self.simulation.dt
        count = steps(delay, dt)
        if count < 1 - 1e-6:
            raise refusal(path, f"must be at least the resolution dt = {dt:g} ms, got {delay:g}")
        if abs(count - round(count)) > 1e-6:
            raise refusal(path, f"must be a multiple of the resolution dt = {dt:g} ms, got {delay:g}")

    def _check_recordings(self, known: dict[str, Population | VirtualPopulation]) -> None:
        for index, name in enumerate(self.simulation.record_spikes or ()):
            if name not in known:
                raise refusal(f"simulation.record_spikes[{index}]", _unknown(name, known))
        for index, recording in enumerate(self.simulation.record_V_m):
            path = f"simulation.record_V_m[{index}]"
            population = known.get(recording.population)
            if not isinstance(population, Population):
                names = [p.name for p in self.neuron_populations]
                raise refusal(f"{path}.population", _unknown(recording.population, names))
            if max(recording.neurons) >= population.size:
                raise refusal(f"{path}.neurons", f"must be below {population.size}, got {max(recording.neurons)}")


def _unique(label: str, names: list[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise refusal(f"{label}[{index}].name", f"names must be unique, got '{name}' twice")
        seen.add(name)


def _unknown(name: str, names: Iterable[str]) -> str:
    return f"must be one of {', '.join(names)}, got '{name}'"


def _too_many(rule: Rule, n_sources: int, n_targets: int, recurrent: bool) -> tuple[str, str] | None:
    """Refuse a degree or number that cannot be reached without multapses."""
    if getattr(rule, "allow_multapses", True) and (getattr(rule, "allow_autapses", True) or not recurrent):
        return None
    less = 0 if getattr(rule, "allow_autapses", True) or not recurrent else 1
    unlimited = getattr(rule, "allow_multapses", False)
    limits = {
        "number": (n_sources * n_targets - less * min(n_sources, n_targets)),
        "indegree": n_sources - less,
        "outdegree": n_targets - less,
    }
    for name, limit in limits.items():
        value = getattr(rule, name, None)
        if value is not None and value > limit and not (unlimited and limit > 0):
            return name, f"must be at most {limit} (number of allowed pairs), got {value}"
    return None
