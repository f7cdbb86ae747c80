"""Writes the pages of neuron models and of synapse models from the catalogues: ``make schema``."""

from __future__ import annotations

from pathlib import Path

from mc_interchange.formats.neuroml import CELLS, SYNAPSES, WRITTEN_SYNAPSES, Attribute, CellType
from mc_interchange.network import CATALOGUE, SYNAPSE_CATALOGUE, NeuronEntry, NeuronParameter, SynapseEntry

PAGE = Path(__file__).with_name("neuron-models.md")
SYNAPSE_PAGE = Path(__file__).with_name("synapse-models.md")

INTRODUCTION = """# Neuron models

The catalogue: one entry per model, with NEST's names and units. This page is written from it (`make schema`).

Importers turn what they find into these models and complete it with the defaults of the tool it was made for; a model
of NEST that is not here, or one with a parameter that is not here, is kept as a *foreign model* with exactly the
parameters that were given. Our NEST runner runs both; an exporter refuses by name what its format cannot hold.

In [model files](model-file.md), rules can be given for {rules}; parameters marked with * must be given there.

| here | NEST | NeuroML | PyNN | Brian2 | NEURON | weights |
|---|---|---|---|---|---|---|
{names}

Types of cells of NeuroML that are read and not written: {read}. What a model is there, is decided by the cell
and by the synapses on it: {synapses}; see [NeuroML](neuroml.md#cells-and-synapses).

PyNN's models of the same names have the parameters of NeuroML's in the same units, save `a` of `EIF_cond_*`: nS in
PyNN, uS in NeuroML. Brian2 names no models: one writes [their equations](brian2.md) there. Those with a mechanism are
exact in [NEURON](neuron.md). The tests run a single neuron of each model in two simulators or more.

`hh_psc_alpha` has no equal in PyNN and in the core types of NeuroML: `HH_cond_exp` has conductances for synapses, and
other rates of its gates (Traub's). NEURON's mechanism `hh` has the same equations; the tests hold NEST against it,
and Brian2 against NEST.
"""

SYNAPSE_INTRODUCTION = """# Synapse models

The catalogue: one entry per model, with NEST's names and units. This page is written from it (`make schema`).

In [model files](model-file.md) a projection names its synapse, with parameters where it has some; those marked with *
must be given, the others are states at t = 0. Weight and delay belong to the projection, as ever.

```yaml
synapse: {{model: tsodyks2_synapse, parameters: {{U: 0.5, tau_rec: 100 ms, tau_fac: 0 ms}}}}
```

NEST runs all of them, SONATA holds all of them (as a model template with parameters), and [capture](capture.md) takes
them and others out of a kernel. [Brian2](brian2.md#synapses-that-change) programs have all of them, those of
[PyNN](pynn.md#synapses-that-change) two that change. NeuroML refuses by name whatever is not static. The tests hold
each in NEST against the recursion that was published, spike by spike, and against other simulators: all in Brian2,
`tsodyks_synapse` and `stdp_synapse` in NEURON with PyNN's mechanisms, `tsodyks2_synapse` in jLEMS.

| here | NEST | NeuroML | PyNN | Brian2 |
|---|---|---|---|---|
{names}
"""


def page() -> str:
    """Return the page."""
    rules = ", ".join(f"`{e.name}`" for e in CATALOGUE.values() if e.in_model_files)
    written = {entry.elsewhere["neuroml"] for entry in CATALOGUE.values() if "neuroml" in entry.elsewhere}
    introduction = INTRODUCTION.format(
        rules=rules,
        names="\n".join(map(_names, CATALOGUE.values())),
        read=", ".join(f"`{name}`" for name in CELLS if name not in written),
        synapses=", ".join(f"`{name}`" for name in SYNAPSES),
    )
    return "\n".join([introduction, *(_section(entry) for entry in CATALOGUE.values())])


def synapse_page() -> str:
    """Return the page of synapse models."""
    introduction = SYNAPSE_INTRODUCTION.format(names="\n".join(map(_synapse_names, SYNAPSE_CATALOGUE.values())))
    return "\n".join([introduction, *(_synapse_section(entry) for entry in SYNAPSE_CATALOGUE.values())])


def _synapse_names(entry: SynapseEntry) -> str:
    names = (entry.elsewhere.get(tool, "") for tool in ("nest", "neuroml", "pynn", "brian2"))
    return f"| `{entry.name}` | {' | '.join(names)} |"


def _synapse_section(entry: SynapseEntry) -> str:
    source = "" if entry.source == "-" else f" ({entry.source})"
    lines = [f"## {entry.name}", "", f"{entry.meaning[0].upper()}{entry.meaning[1:]}{source}.", ""]
    lines += [entry.notes, ""] if entry.notes else []
    if entry.parameters:
        lines += ["| Parameter | Unit | Meaning | NEST's default |", "|---|---|---|---|"]
        lines += [*(_row(parameter, None) for parameter in entry.parameters), ""]
    return "\n".join(lines)


def _names(entry: NeuronEntry) -> str:
    names = (entry.elsewhere.get(tool) for tool in ("nest", "neuroml", "pynn", "brian2", "neuron"))
    cells = (name and (name if name in ("equations", "mechanism") else f"`{name}`") for name in names)
    unit = "a number" if entry.weight_unit == "1" else entry.weight_unit
    return f"| `{entry.name}` | {' | '.join(cell or '' for cell in cells)} | {unit} |"


def _section(entry: NeuronEntry) -> str:
    start = "has no membrane potential" if entry.V_m is None else f"starts at {entry.V_m:g} mV in NEST"
    unit = "are numbers" if entry.weight_unit == "1" else f"are in {entry.weight_unit}"
    article = "An" if entry.meaning[0] in "aeiou" else "A"
    lines = [f"## {entry.name}", "", f"{article} {entry.meaning} ({entry.source})."]
    lines += [f"Weights of synapses onto it {unit}; it {start}.", ""]
    cell = CELLS.get(entry.elsewhere.get("neuroml", ""))
    column = [f" in `{cell.name}` |", "---|"] if cell else ["", ""]
    if entry.parameters:
        lines += [
            f"| Parameter | Unit | Meaning | NEST's default |{column[0]}",
            f"|---|---|---|---|{column[1]}",
            *(_row(parameter, cell) for parameter in entry.parameters),
            "",
        ]
    if cell and cell.receptor:
        lines += [f"Synapses in NeuroML: `{WRITTEN_SYNAPSES[cell.receptor].name}`.", ""]
    lines += [f"`{a}` must be below `{b}`.\n" for a, b in entry.below]
    return "\n".join(lines)


def _row(parameter: NeuronParameter, cell: CellType | None) -> str:
    limits = (
        " (above 0)"
        if parameter.positive
        else f" (from {parameter.minimum:g})"
        if parameter.minimum is not None
        else ""
    )
    if parameter.maximum is not None:
        limits = f" ({parameter.minimum:g} to {parameter.maximum:g})"
    unit = parameter.unit.replace(" | ", " or ")
    kind = {"number": "", "list": ", a list", "switch": ", true or false"}[parameter.kind]
    star = "*" if parameter.default is None else ""
    default = str(list(parameter.nest) if isinstance(parameter.nest, tuple) else parameter.nest).lower()
    row = f"| `{parameter.name}`{star} | {unit} | {parameter.meaning}{limits}{kind} | {default} |"
    return f"{row} {_in_neuroml(parameter.name, cell)} |" if cell else row


def _in_neuroml(name: str, cell: CellType) -> str:
    """Return attribute and unit; a leak conductance stands there as a time constant."""
    found: dict[str, Attribute] = {attribute.ours: attribute for attribute in cell.attributes}
    if name == "g_L" and name not in found:
        return "`tau_m` = C_m / g_L (ms)"
    if name not in found:
        return ""
    unit = found[name].unit
    return f"`{found[name].name}`" + (f" ({unit})" if unit else "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SYNAPSE_PAGE.write_text(synapse_page(), encoding="utf-8")
    print(f"{PAGE} and {SYNAPSE_PAGE} written")
