"""The content of the tables: one structure for every output format.

Tables A to F are those of Nordlie et al. 2009, doi:10.1371/journal.pcbi.1000456; G lists the parameters from
which a model's numbers were derived. Numbers are written exactly (the shortest text that reads back as the same
number).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mc_interchange.network import (
    SYNAPSE_CATALOGUE,
    Constant,
    Distribution,
    Explicit,
    ModelParameter,
    Network,
    Normal,
    ParameterValue,
    PoissonActivity,
    PoissonInput,
    Population,
    Rule,
    SynapseEntry,
    TruncatedNormal,
    Uniform,
    VirtualPopulation,
)
from mc_interchange.units import WEIGHT_UNIT

__all__ = ["Table", "number", "tables"]


@dataclass(frozen=True)
class Table:
    """One table of plain texts.

    Parameters
    ----------
    title
        Letter and name.
    header
        One text per column; units in parentheses.
    rows
        As many texts per row as the header has.
    prose
        Columns that may be broken into lines; all others hold values.
    symbols
        Columns that hold mathematical symbols, such as ``tau_m``.
    common
        Name and text of columns that were the same in every row.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: frozenset[str] = frozenset()
    symbols: frozenset[str] = frozenset()
    common: tuple[tuple[str, str], ...] = ()

    def condensed(self) -> Table:
        """Return the table without prose columns that are the same in every row; what they say goes to ``common``."""
        columns = dict(zip(self.header, zip(*self.rows, strict=True), strict=True))
        same = [name for name, cells in columns.items() if name in self.prose and len(set(cells)) == 1]
        same = [name for name in same if len(self.rows) > 1 or columns[name][0] == ""]
        kept = tuple(name for name in self.header if name not in same)
        return replace(
            self,
            header=kept,
            rows=tuple(zip(*(columns[name] for name in kept), strict=True)),
            common=tuple((name, columns[name][0]) for name in same if columns[name][0]),
        )


def tables(network: Network) -> tuple[Table, ...]:
    """Return the tables of a network, without those that would be empty.

    Parameters
    ----------
    network
        Any network.
    """
    made = (
        _summary(network),
        _populations(network),
        _connectivity(network),
        _neurons(network),
        _synapses(network),
        _input(network),
        _measurements(network),
        _parameters(network),
    )
    return tuple(table for table in made if table.rows)


def number(value: ParameterValue | None) -> str:
    """Return a number exactly, without a needless ``.0``; ``-`` for None; lists and switches as in a file."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return f"[{', '.join(map(number, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value).removesuffix(".0")


def _summary(network: Network) -> Table:
    neurons, virtual = network.neuron_populations, network.virtual_populations
    n = sum(p.size for p in neurons)
    drawn = any(p.geometry is not None for p in network.populations)
    populations = f"{len(neurons)} ({', '.join(p.name for p in neurons)}), {n} neurons"
    if virtual:
        populations += f"; {len(virtual)} of sources ({', '.join(p.name for p in virtual)})"
    rules = _distinct(p.rule.rule.replace("_", " ") for p in network.projections)
    inputs = _distinct(i.kind.replace("_", " ") for i in network.inputs)
    if any(p.neuron.parameters.get("I_e") for p in neurons):
        inputs.append("constant current")
    inputs += [f"{p.name} ({p.activity.kind.replace('_', ' ')})" for p in virtual]
    rows = (
        ("Populations", populations),
        ("Topology", f"none{' (positions are for drawing only)' if drawn else ''}"),
        ("Connectivity", f"{len(network.projections)} projections; {', '.join(rules) or 'none'}"),
        ("Neuron model", "; ".join(_distinct(f"{p.neuron.model}: {p.neuron.entry.meaning}" for p in neurons))),
        ("Channel models", "none"),
        (
            "Synapse model",
            ", ".join(_distinct(p.synapse.model.replace("_", " ") for p in network.projections)) or "none",
        ),
        ("Plasticity", ", ".join(_plastic(network)) or "none"),
        ("Input", ", ".join(inputs) or "none"),
        ("Measurements", "spikes" + (", membrane potentials" if network.simulation.record_V_m else "")),
    )
    return Table("A Model summary", ("Item", "Description"), rows, prose=frozenset({"Description"}))


def _plastic(network: Network) -> list[str]:
    models = (p.synapse for p in network.projections if p.synapse.model != "static_synapse")
    return _distinct(f"{synapse.model.replace('_', ' ')}: {synapse.entry.meaning}" for synapse in models)


def _populations(network: Network) -> Table:
    rows = tuple((p.name, _elements(p), str(p.size), _initial(p), p.meaning, p.source) for p in network.populations)
    header = ("Name", "Elements", "Size", "Initial V_m (mV)", "Meaning", "Source")
    return Table("B Populations", header, rows, prose=frozenset({"Meaning", "Source"}))


def _elements(population: Population | VirtualPopulation) -> str:
    if isinstance(population, Population):
        return population.neuron.model
    return f"sources ({population.activity.kind.replace('_', ' ')})"


def _initial(population: Population | VirtualPopulation) -> str:
    return _distribution(population.initial_V_m) if isinstance(population, Population) else "-"


def _weight_unit(network: Network, target: str) -> str:
    population = network.population(target)
    return population.neuron.entry.weight_unit if isinstance(population, Population) else ""


def _connectivity(network: Network) -> Table:
    units = _distinct(_weight_unit(network, p.target) for p in network.projections)
    several = len(units) > 1
    rows = tuple(
        (
            p.name,
            p.source,
            p.target,
            _rule(p.rule),
            _distribution(p.weight) + (f" ({_weight_unit(network, p.target)})" if several else ""),
            _distribution(p.delay),
            p.meaning,
            p.reference,
        )
        for p in network.projections
    )
    weight = "Weight" if several or not units else f"Weight ({units[0]})"
    header = ("Name", "Source", "Target", "Pattern", weight, "Delay (ms)", "Meaning", "Reference")
    return Table("C Connectivity", header, rows, prose=frozenset({"Meaning", "Reference"}))


def _rule(rule: Rule) -> str:
    text = rule.rule.replace("_", " ")
    if isinstance(rule, Explicit):
        return f"{text}, {len(rule.sources)} synapses"
    for name, value in rule.model_dump(exclude={"rule"}).items():
        if isinstance(value, bool):
            text += f", {'with' if value else 'no'} {name.removeprefix('allow_')}"
        else:
            text += f", {name} {number(value)}"
    return text


def _distribution(part: Distribution) -> str:
    if isinstance(part, Constant):
        return number(part.value)
    if isinstance(part, Normal):
        return f"normal, mean {number(part.mean)}, sd {number(part.sd)}"
    if isinstance(part, TruncatedNormal):
        bounds = [f"below {number(part.min)}"] if part.min is not None else []
        bounds += [f"above {number(part.max)}"] if part.max is not None else []
        redrawn = f", redrawn {' and '.join(bounds)}" if bounds else ""
        return f"normal, mean {number(part.mean)}, sd {number(part.sd)}{redrawn}"
    if isinstance(part, Uniform):
        return f"uniform, from {number(part.low)} to below {number(part.high)}"
    if not part.values:
        return "no values"
    return f"{len(part.values)} listed values, {number(min(part.values))} to {number(max(part.values))}"


def _neurons(network: Network) -> Table:
    """Make one row per parameter and value, with the populations that share it."""
    rows = []
    models = _distinct(p.neuron.model for p in network.neuron_populations)
    for model in models:
        populations = [p for p in network.neuron_populations if p.neuron.model == model]
        entry = populations[0].neuron.entry
        rows.append((model, "-", "-", "-", "-", entry.meaning, entry.source))
        for parameter in entry.parameters:
            names: dict[ParameterValue, list[str]] = {}
            for population in populations:
                names.setdefault(population.neuron.parameters[parameter.name], []).append(population.name)
            for value, where in names.items():
                place = "all" if len(where) == len(populations) else ", ".join(where)
                rows.append(
                    (model, parameter.name, parameter.symbol, number(value), parameter.unit, parameter.meaning, place)
                )
    header = ("Model", "Parameter", "Symbol", "Value", "Unit", "Meaning", "Populations or source")
    return Table(
        "D Neuron models",
        header,
        tuple(rows),
        prose=frozenset({"Meaning", "Populations or source"}),
        symbols=frozenset({"Symbol"}),
    )


#: What a weight does, by its unit.
_EFFECTS = {
    "pA": "the weight to the synaptic current of the target: the excitatory one for a weight of 0 or more, else the "
    "inhibitory one",
    "nS": "the size of the weight to a conductance of the target: the excitatory one for a weight of 0 or more, else "
    "the inhibitory one",
    "mV": "the weight to the membrane potential of the target",
}


def _unit(entry: SynapseEntry, name: str) -> str:
    unit = next(p.unit for p in entry.parameters if p.name == name)
    return "" if unit in ("1", WEIGHT_UNIT) else f" {unit}"


def _synapses(network: Network) -> Table:
    units = _distinct(_weight_unit(network, p.target) for p in network.projections)
    effect = "a spike arrives after the delay and adds " + "; or ".join(t for u, t in _EFFECTS.items() if u in units)
    rows = []
    for synapse in dict.fromkeys((p.synapse.model, tuple(p.synapse.parameters.items())) for p in network.projections):
        model, parameters = synapse
        entry = SYNAPSE_CATALOGUE[model]
        given = ", ".join(f"{name} {number(value)}{_unit(entry, name)}" for name, value in parameters)
        text = effect if model == "static_synapse" else f"{entry.meaning} ({entry.source}): {given}; {effect}"
        rows.append((model, text))
    return Table("D Synapse models", ("Model", "Description"), tuple(rows), prose=frozenset({"Description"}))


def _input(network: Network) -> Table:
    rows = []
    for p in network.neuron_populations:
        current = p.neuron.parameters.get("I_e", 0.0)
        if current:
            rows.append(("I_e", "constant current", p.name, f"{number(current)} pA", "-", "0", "-", "", p.source))
    for item in network.inputs:
        if isinstance(item, PoissonInput):
            unit = _weight_unit(network, item.target)
            kind, size = "Poisson spikes", f"{number(item.rate)} spikes/s, weight {number(item.weight)} {unit}"
        else:
            kind, size = "step current", f"{number(item.amplitude)} pA"
        size_of_target = network.population(item.target).size
        part = "" if item.neurons is None else f" ({len(item.neurons)} of {size_of_target})"
        rows.append(
            (
                item.name,
                kind,
                f"{item.target}{part}",
                size,
                number(item.delay),
                number(item.start),
                number(item.stop),
                item.meaning,
                item.source,
            )
        )
    for population in network.virtual_populations:
        activity = population.activity
        if isinstance(activity, PoissonActivity):
            kind, size = "Poisson spikes of each source", f"{number(activity.rate)} spikes/s"
            span = (number(activity.start), number(activity.stop))
        else:
            n = sum(len(train) for train in activity.times)
            kind, size, span = "given spike trains", f"{n} spikes", ("-", "-")
        rows.append((population.name, kind, "its projections", size, "-", *span, population.meaning, population.source))
    header = ("Name", "Kind", "Target", "Size", "Delay (ms)", "Start (ms)", "Stop (ms)", "Meaning", "Source")
    return Table("E Input", header, tuple(rows), prose=frozenset({"Meaning", "Source"}))


def _measurements(network: Network) -> Table:
    simulation = network.simulation
    recorded = "all populations" if simulation.record_spikes is None else ", ".join(simulation.record_spikes) or "none"
    rows = [
        ("spikes", recorded),
        *(
            (
                "V_m",
                f"{r.population}, neurons {', '.join(map(str, r.neurons))}, every {number(r.interval)} ms",
            )
            for r in simulation.record_V_m
        ),
        ("resolution", f"{number(simulation.dt)} ms"),
        ("duration", f"{number(simulation.duration)} ms"),
        ("discarded at the start", f"{number(simulation.discard)} ms"),
        ("seed", str(simulation.seed)),
    ]
    return Table("F Measurements", ("Item", "Description"), tuple(rows), prose=frozenset({"Description"}))


def _parameters(network: Network) -> Table:
    rows = tuple((p.name, p.symbol, _value(p), p.unit, p.meaning, p.source) for p in network.parameters)
    header = ("Parameter", "Symbol", "Value", "Unit", "Meaning", "Source")
    return Table(
        "G Parameters", header, rows, prose=frozenset({"Value", "Meaning", "Source"}), symbols=frozenset({"Symbol"})
    )


def _value(parameter: ModelParameter) -> str:
    value = parameter.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return "; ".join(" ".join(map(number, row)) if isinstance(row, tuple) else number(row) for row in value)
    return number(value)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
