"""Climbing the rungs that an export allows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from mc_interchange.equivalence import SpikeComparison, compare_spikes, compare_structure
from mc_interchange.equivalence.null import stored_null
from mc_interchange.equivalence.observations import observe
from mc_interchange.equivalence.probes import check_probe, probe
from mc_interchange.equivalence.rules import FALSE_ALARM, check_rules
from mc_interchange.equivalence.rungs import RUNGS, Figure, Rung, RungName
from mc_interchange.equivalence.statistical import compare_statistics
from mc_interchange.export import default_workers
from mc_interchange.instance import NetworkInstance, freeze_inputs, realize
from mc_interchange.network import Network, Neuron, PoissonActivity, PoissonInput
from mc_interchange.progress import Progress, Silent
from mc_interchange.reading import import_path
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

__all__ = ["Settings", "Verification", "verify"]

#: Model whose course is known in closed form.
CLOSED_FORM = "iaf_psc_exp"


@dataclass(frozen=True)
class Settings:
    """What is done, and how long.

    Parameters
    ----------
    rungs
        Which ones.
    spikes_duration
        Length of the runs that are compared spike by spike, ms.
    min_spikes
        Fewest spikes there.
    seeds
        Of the runs whose statistics are compared.
    """

    rungs: tuple[RungName, ...] = RUNGS
    spikes_duration: float = 200.0
    min_spikes: int = 100
    seeds: tuple[int, ...] = (101, 102)


@dataclass(frozen=True)
class Verification:
    """What was found.

    Parameters
    ----------
    path
        The export.
    instance
        What was read from it.
    rungs
        Results, in order.
    settings
        As given.
    digest
        Of what was read; None where it was not computed.
    runs
        By label, for pictures: the reference and the export.
    divergence
        The first spike that differs, in words.
    """

    path: Path
    instance: NetworkInstance
    rungs: tuple[Rung, ...]
    settings: Settings
    digest: str | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    divergence: str | None = None

    @property
    def passed(self) -> bool:
        """Whether at least one rung could be climbed, and none failed."""
        results = [rung.passed for rung in self.rungs]
        return False not in results and True in results


def verify(path: Path, settings: Settings = Settings(), *, progress: Progress | None = None) -> Verification:
    """Climb the ladder.

    Parameters
    ----------
    path
        An export that an importer reads.

    Raises
    ------
    FormatError, MissingDependencyError, SimulationError
    """
    return _Ladder(path, settings, progress or Silent()).climb()


class _Ladder:
    def __init__(self, path: Path, settings: Settings, progress: Progress) -> None:
        self._path, self._settings, self._progress = path, settings, progress
        self._instance = import_path(path)
        network, seed = self._instance.network, self._instance.seed
        self._reference = realize(network, seed) if network is not None and seed is not None else None
        self._digest: str | None = None
        self._identical: bool | None = None
        self._runs: dict[str, Run] = {}
        self._divergence: str | None = None

    def climb(self) -> Verification:
        rungs = {
            "structure": self._structure,
            "single neuron": self._single_neuron,
            "spikes": self._spikes,
            "statistics": self._statistics,
        }
        found = tuple(rungs[name]() for name in RUNGS if name in self._settings.rungs)
        return Verification(
            self._path, self._instance, found, self._settings, self._digest, self._runs, self._divergence
        )

    def _structure(self) -> Rung:
        if self._reference is None or self._instance.network is None:
            return Rung("structure", why_not="there are no rules beside it (no model.yaml)")
        workers = default_workers()
        found = compare_structure(self._reference, self._instance, workers=workers, progress=self._progress)
        self._digest, self._identical = found.digests[1].all, found.identical
        n_parts = len(found.differences)
        detail = "; ".join(found.differences) or f"exact; {found.n_edges} synapses, digest {self._digest}"
        parts = Figure("parts that differ from the reference", n_parts, 0, found.identical, detail)
        figures = check_rules(self._instance, self._instance.network, workers=workers, progress=self._progress)
        return Rung("structure", (parts, *_summary(figures)))

    def _single_neuron(self) -> Rung:
        wanted = self._instance.network
        pairs: dict[tuple[str, str], tuple[str, Neuron, Neuron]] = {}
        others = set()
        for nodes in self._instance.populations.values():
            neuron = nodes.neuron
            if neuron is None:
                continue
            if not isinstance(neuron, Neuron) or neuron.model != CLOSED_FORM or nodes.varying:
                others.add(nodes.name)
                continue
            reference = _neuron_of(wanted, nodes.name) or neuron
            pairs.setdefault((str(neuron), str(reference)), (nodes.name, neuron, reference))
        if not pairs:
            return Rung(
                "single neuron", why_not=f"no closed form is known of the neurons of {', '.join(sorted(others))}"
            )
        self._progress.task("single neurons", len(pairs), "neurons")
        figures: list[Figure] = []
        for name, neuron, reference in pairs.values():
            run = NestRunner().run(probe(neuron, self._instance.simulation.dt))
            figures += check_probe(run, reference, neuron, name)
            self._progress.advance(1)
        return Rung("single neuron", tuple(figures))

    def _spikes(self) -> Rung:
        if self._reference is None:
            return Rung("spikes", why_not="there are no rules beside it (no model.yaml)")
        if self._identical is None:
            self._identical = compare_structure(self._reference, self._instance, workers=default_workers()).identical
        if not self._identical:
            return Rung("spikes", why_not="its structure differs from that of the reference")
        duration = min(self._settings.spikes_duration, self._instance.simulation.duration)
        runs = []
        for label, instance in (("reference", self._reference), ("export", self._instance)):
            run = NestRunner().run(_deterministic(instance, duration), progress=self._progress)
            self._runs[label] = run
            runs.append(run)
        found = compare_spikes(*runs)
        self._divergence = found.divergence
        return Rung("spikes", tuple(_spike_figures(found, self._settings.min_spikes)))

    def _statistics(self) -> Rung:
        network = self._instance.network
        null = stored_null(network) if network is not None else None
        if null is None:
            return Rung("statistics", why_not="no reference distributions are stored for this model")
        # for as long as the reference runs, and without what they leave out
        length = {"duration": null.discard + null.duration, "discard": null.discard}
        simulation = self._instance.simulation.model_copy(update={**length, "record_V_m": (), "record_spikes": None})
        runs = []
        for seed in self._settings.seeds:
            changed = replace(self._instance, simulation=simulation.model_copy(update={"seed": seed}))
            runs.append(NestRunner().run(changed, source_digest=self._digest or "export", progress=self._progress))
        self._runs["export, longer"] = runs[0]
        return compare_statistics(observe(runs), null)


def _neuron_of(network: Network | None, population: str) -> Neuron | None:
    if network is None:
        return None
    neurons = {p.name: getattr(p, "neuron", None) for p in network.populations}
    neuron = neurons.get(population)
    return neuron if isinstance(neuron, Neuron) else None


def _deterministic(instance: NetworkInstance, duration: float) -> NetworkInstance:
    """Return the instance for a short run, with every Poisson spike drawn beforehand."""
    simulation = instance.simulation.model_copy(update={"duration": duration, "discard": 0.0})
    short = replace(instance, simulation=simulation, network=None, seed=None)
    random = any(isinstance(item, PoissonInput) for item in short.inputs) or any(
        isinstance(nodes.activity, PoissonActivity) for nodes in short.populations.values()
    )
    if not random:
        return short
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return freeze_inputs(short)


def _spike_figures(found: SpikeComparison, min_spikes: int) -> Iterator[Figure]:
    n = sum(found.n_spikes)
    odd = n - 2 * found.n_common
    yield Figure("spikes that only one of the two has", odd, 0, found.identical, found.divergence or "exact")
    enough = found.n_spikes[0] >= min_spikes
    detail = "at least" if enough else "at least; so few spikes prove nothing"
    yield Figure("spikes of the reference", found.n_spikes[0], min_spikes, enough, detail)


def _summary(figures: tuple[Figure, ...]) -> Iterator[Figure]:
    """Make two figures of the many of the rules: what must be exact, and the least probable p value."""
    exact = [figure for figure in figures if not figure.detail.startswith("p value")]
    chances = [figure for figure in figures if figure.detail.startswith("p value")]
    wrong = [figure for figure in exact if not figure.passed]
    named = "; ".join(f"{f.name} {f.value:g}, not {f.limit:g}" for f in wrong[:5])
    yield Figure(
        "numbers that are not those of the rules", len(wrong), 0, not wrong, named or f"exact; of {len(exact)}"
    )
    if not chances:
        return
    least = min(chances, key=lambda figure: figure.value)
    failed = [figure for figure in chances if not figure.passed]
    named = f"; {len(failed)} fail: {', '.join(f.name for f in failed[:5])}" if failed else f"; {least.name}"
    yield Figure(
        "smallest p value of what is drawn",
        least.value,
        least.limit,
        not failed,
        f"at least; of {len(chances)} tests, {FALSE_ALARM:g} for a false alarm of all together{named}",
    )
