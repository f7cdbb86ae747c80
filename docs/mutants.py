"""Writes the page of mutants and of the rungs that reject them: ``make schema``."""

from __future__ import annotations

from pathlib import Path

from mc_interchange.equivalence.mutants import MUTANTS

PAGE = Path(__file__).with_name("mutants.md")
RUNGS = ("digest", "rules", "single neuron", "spikes", "statistics")

INTRODUCTION = f"""# Mutants

{len(MUTANTS)} defects that ports of PD14 have had, made on purpose, and which rung of the ladder
([equivalence.md](equivalence.md)) rejects them. A test fails if a rung accepts what it is said here to reject; for all
but the last column, also if it rejects what it is said to miss. Written by `make schema` from
`mc_interchange.equivalence.mutants`.

- **digest**: every neuron and synapse against the reference, drawn from the same seed. For an export.
- **rules**: neurons and synapses against their distributions. For a port that draws its own; here 771 neurons
  and 149,442 synapses.
- **single neuron**: neurons under known input against the closed form.
- **spikes**: 100 ms with direct current, the same synapses.
- **statistics**: 4 s of one network of 3,858 neurons with Poisson input, against native runs. An empty field
  means that the defect is missed, marginal, or was not tried.

"""


def page() -> str:
    """Return the page."""
    rows = [f"| defect | {' | '.join(RUNGS)} |", f"|---|{':-:|' * len(RUNGS)}"]
    for mutant in MUTANTS:
        marks = ("x" if rung in mutant.rungs else "" for rung in RUNGS)
        rows.append(f"| {mutant.name} | {' | '.join(marks)} |")
    caught = (str(sum(rung in mutant.rungs for mutant in MUTANTS)) for rung in RUNGS)
    rows.append(f"| **rejected, of {len(MUTANTS)}** | {' | '.join(caught)} |")
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name} written")
