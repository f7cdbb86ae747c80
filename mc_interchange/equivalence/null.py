"""What a comparison of statistics is held against: reference samples and limits, and the file that keeps them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.instance.digest import digest_json
from mc_interchange.network import Network
from mc_interchange.network.base import Count, NonNegative, Part, Positive, Real, Size

from .distances import Histogram

__all__ = ["SCORED", "Null", "read_null", "rules_digest", "scale", "stored_null", "write_null"]

#: Measures that add to the score; correlations vary too much from network to network.
SCORED = ("rate", "CV")
#: Standard deviations above its mean up to which the score passes.
SCORE_LIMIT = 3.0


class ReferenceSample(Part):
    """The values of one measure of one population in all reference runs together.

    Parameters
    ----------
    width, first, counts
        See :class:`mc_interchange.equivalence.distances.Histogram`.
    D_mean, D_sd, D_99
        Mean, standard deviation and 99th percentile of the scaled distance between native halves.
    """

    width: Positive
    first: int
    counts: tuple[Count, ...]
    D_mean: NonNegative
    D_sd: NonNegative
    D_99: NonNegative

    @property
    def histogram(self) -> Histogram:
        """The sample."""
        return Histogram(self.width, self.first, np.array(self.counts, np.int64))


class ReferencePopulation(Part):
    """One population of the reference.

    Parameters
    ----------
    size
        Number of neurons.
    rate_mean, rate_sd
        Of the mean rate between networks, spikes/s.
    rate_margin
        Difference of mean rates, in spikes/s, below which they count as equal.
    samples
        By measure, where there are enough values.
    """

    size: Size
    rate_mean: NonNegative
    rate_sd: NonNegative
    rate_margin: NonNegative
    samples: dict[str, ReferenceSample]


class Null(Part):
    """What runs of one model look like, and how far they are from each other.

    Parameters
    ----------
    rules
        :func:`rules_digest` of the model; empty where it is not known.
    provenance
        What the runs came from.
    discard, duration
        Length of the start of each run that was left out, and of the rest, ms.
    n_networks
        Number of reference networks, each drawn with a seed of its own.
    false_alarm
        Probability that an equal model exceeds any of the limits of D.
    factor
        Standard deviations above the mean at which the limits of all D lie: the quantile ``1 - false_alarm`` of
        the largest standardised D of a comparison.
    widening
        By which these limits are multiplied, since the spread between networks is known from few of them.
    score_mean, score_sd
        Of the scaled sum of D over populations and the measures that are scored.
    populations
        By name, in order.
    """

    null_version: Literal[1] = 1
    rules: str
    provenance: dict[str, Any]
    discard: NonNegative
    duration: Positive
    n_networks: Size
    false_alarm: Positive
    factor: Real
    widening: Positive
    score_mean: NonNegative
    score_sd: NonNegative
    populations: dict[str, ReferencePopulation]

    def cells(self) -> Iterator[tuple[tuple[str, str], ReferenceSample]]:
        """Yield every population and measure that is compared, with its sample."""
        for name, population in self.populations.items():
            for measure, sample in population.samples.items():
                yield (name, measure), sample

    def scale(self, n_networks: int) -> float:
        """Return what scaled limits are multiplied by for a comparison with so many networks."""
        return scale(n_networks, self.n_networks)

    def limit(self, sample: ReferenceSample, n_networks: int) -> float:
        """Return the largest D that passes."""
        return self.widening * (sample.D_mean + self.factor * sample.D_sd) * self.scale(n_networks)

    def score_limit(self, n_networks: int) -> float:
        """Return the largest score that passes."""
        return (self.score_mean + SCORE_LIMIT * self.score_sd) * self.scale(n_networks)


def scale(n: int, m: int) -> float:
    """Return the factor by which distances between n and m networks shrink."""
    return math.sqrt(1 / n + 1 / m)


def rules_digest(network: Network) -> str:
    """Return a digest of what decides a network's statistics: not its seed, names for readers, colours, places."""
    content = network.model_dump(
        mode="json",
        include={"populations": True, "projections": True, "inputs": True, "simulation": {"dt"}},
        exclude={"populations": {"__all__": {"color", "geometry"}}},
    )
    return digest_json(content)


def stored_null(network: Network | str) -> Null | None:
    """Return the null distribution that comes with the package for a model, whatever its seed; None: there is none.

    Parameters
    ----------
    network
        The model, or its :func:`rules_digest`.
    """
    wanted = network if isinstance(network, str) else rules_digest(network)
    for file in sorted(resources.files(__package__).joinpath("data").iterdir(), key=str):
        null = _parse(file.read_text(encoding="utf-8"), str(file))
        if null.rules == wanted:
            return null
    return None


def read_null(path: str | Path) -> Null:
    """Read what :func:`write_null` wrote.

    Raises
    ------
    FormatError
        With file and cause.
    """
    try:
        return _parse(Path(path).read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: cannot be read ({error})") from None


def _parse(text: str, place: str) -> Null:
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise FormatError(f"{place}: not a null distribution (not a JSON object)")
        return Null(**content)
    except (ValueError, ModelError) as error:
        raise FormatError(f"{place}: not a null distribution ({error})") from None


def write_null(null: Null, path: str | Path) -> None:
    """Write a null distribution as JSON, lists of numbers on a line each."""
    text = json.dumps(null.model_dump(mode="json"), indent=1)
    lines = re.sub(r"\[[^][{}]*\]", lambda match: " ".join(match[0].split()), text)
    Path(path).write_text(lines + "\n", encoding="utf-8")
