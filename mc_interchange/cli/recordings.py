"""The flag ``--record V_m:POPULATION:IDS``."""

from __future__ import annotations

from collections.abc import Iterable

from mc_interchange.errors import UsageError
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import VoltageRecording

__all__ = ["parse_ids", "recordings"]

#: More would be a slip: this many potentials at every ms fill memory.
MAX_IDS = 100_000


def recordings(texts: Iterable[str], instance: NetworkInstance) -> tuple[VoltageRecording, ...]:
    """Return the recordings of an instance with those that flags ask for.

    A population that is named by a flag is recorded as the flags say, any other as before.

    Parameters
    ----------
    texts
        Such as ``V_m:L4E:0,3,5-9``.

    Raises
    ------
    UsageError
    """
    wanted: dict[str, set[int]] = {}
    for text in texts:
        variable, _, rest = text.partition(":")
        population, colon, ids = rest.partition(":")
        if variable != "V_m" or not colon:
            raise UsageError(f"--record {text}: must be V_m:POPULATION:IDS, such as V_m:L4E:0,3,5-9")
        neurons = [name for name, nodes in instance.populations.items() if not nodes.virtual]
        if population not in neurons:
            raise UsageError(f"--record {text}: no population '{population}'; known: {', '.join(neurons)}")
        size = instance.populations[population].size
        found = parse_ids(ids, text)
        if max(found) >= size:
            raise UsageError(f"--record {text}: {population} has {size} neurons, numbered from 0")
        wanted.setdefault(population, set()).update(found)
    kept = [r for r in instance.simulation.record_V_m if r.population not in wanted]
    return (*kept, *(VoltageRecording(population=p, neurons=tuple(sorted(ids))) for p, ids in wanted.items()))


def parse_ids(ids: str, text: str | None = None) -> list[int]:
    """Read ``0,3,5-9`` (the last included) or ``0:10`` (the last left out), or both.

    Raises
    ------
    UsageError
        With ``text``, the whole value of the flag.
    """
    found: list[int] = []
    for part in ids.split(","):
        first, dash, last = part.partition("-")
        first, colon, end = (first, dash, last) if dash else part.partition(":")
        try:
            low = int(first)
            high = int(end) + bool(dash) if dash or colon else low + 1
        except ValueError:
            low, high = 0, 0
        if high <= low or low < 0:
            raise UsageError(f"--record {text or ids}: '{part}' is not a neuron (3), nor a range (5-9 or 5:10)")
        if high - low > MAX_IDS:
            raise UsageError(f"--record {text or ids}: more than {MAX_IDS} neurons")
        found.extend(range(low, high))
    return found
