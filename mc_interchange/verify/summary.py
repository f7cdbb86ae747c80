"""Few figures of the many tests of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mc_interchange.equivalence.rules import FALSE_ALARM
from mc_interchange.equivalence.rungs import Figure

__all__ = ["summary_of_rules"]


def summary_of_rules(figures: Sequence[Figure]) -> Iterator[Figure]:
    """Yield how many exact numbers are wrong, and the least probable p value."""
    exact = [figure for figure in figures if figure.kind == "exactly"]
    chances = [figure for figure in figures if figure.kind == "at least"]
    wrong = [figure for figure in exact if not figure.passed]
    named = "; ".join(f"{f.name} {f.value:g}, not {f.limit:g}" for f in wrong[:5])
    yield Figure("numbers that are not those of the rules", len(wrong), "exactly", 0, named or f"of {len(exact)}")
    if not chances:
        return
    least = min(chances, key=lambda figure: figure.value)
    failed = [figure for figure in chances if not figure.passed]
    named = f"{len(failed)} fail: {', '.join(f.name for f in failed[:5])}" if failed else least.name
    detail = f"of {len(chances)} tests, {FALSE_ALARM:g} for a false alarm of all together; {named}"
    yield Figure("smallest p value of what is drawn", least.value, "at least", least.limit, detail)
