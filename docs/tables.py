"""Writes the page of neuron models from the catalogue: ``make schema``."""

from __future__ import annotations

from pathlib import Path

from mc_interchange.network import CATALOGUE, NeuronEntry, NeuronParameter

PAGE = Path(__file__).with_name("neuron-models.md")

INTRODUCTION = """# Neuron models

The catalogue: one entry per model, with NEST's names and units. This page is written from it (`make schema`).

Importers turn what they find into these models and complete it with the defaults of the tool it was made for; a model
of NEST that is not here, or one with a parameter that is not here, is kept as a *foreign model* with exactly the
parameters that were given. Our NEST runner runs both; an exporter refuses by name what its format cannot hold.

In [model files](model-file.md), rules can be given for {rules}; parameters marked with * must be given there.
"""


def page() -> str:
    """Return the page."""
    rules = ", ".join(f"`{e.name}`" for e in CATALOGUE.values() if e.in_model_files)
    return "\n".join([INTRODUCTION.format(rules=rules), *(_section(entry) for entry in CATALOGUE.values())])


def _section(entry: NeuronEntry) -> str:
    start = "has no membrane potential" if entry.V_m is None else f"starts at {entry.V_m:g} mV in NEST"
    unit = "are numbers" if entry.weight_unit == "1" else f"are in {entry.weight_unit}"
    elsewhere = "; ".join(f"{tool}: `{name}`" for tool, name in entry.elsewhere.items())
    article = "An" if entry.meaning[0] in "aeiou" else "A"
    lines = [f"## {entry.name}", "", f"{article} {entry.meaning} ({entry.source})."]
    lines += [f"Weights of synapses onto it {unit}; it {start}. {elsewhere}.", ""]
    if entry.parameters:
        lines += [
            "| Parameter | Unit | Meaning | NEST's default |",
            "|---|---|---|---|",
            *map(_row, entry.parameters),
            "",
        ]
    lines += [f"`{a}` must be below `{b}`.\n" for a, b in entry.below]
    return "\n".join(lines)


def _row(parameter: NeuronParameter) -> str:
    limits = (
        " (above 0)"
        if parameter.positive
        else f" (from {parameter.minimum:g})"
        if parameter.minimum is not None
        else ""
    )
    kind = {"number": "", "list": ", a list", "switch": ", true or false"}[parameter.kind]
    star = "*" if parameter.default is None else ""
    default = str(list(parameter.nest) if isinstance(parameter.nest, tuple) else parameter.nest).lower()
    return f"| `{parameter.name}`{star} | {parameter.unit} | {parameter.meaning}{limits}{kind} | {default} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} written")
