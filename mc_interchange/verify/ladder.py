"""Climbing the rungs that two sides allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mc_interchange.equivalence.null import Null, rules_digest, stored_null
from mc_interchange.equivalence.null_distribution import MIN_NETWORKS, null_of
from mc_interchange.equivalence.observations import Observation, observe
from mc_interchange.equivalence.potentials import compare_potentials
from mc_interchange.equivalence.probes import TOLERANCE, check_probe, probe
from mc_interchange.equivalence.rules import judge_stock
from mc_interchange.equivalence.rungs import RUNGS, Figure, Rung
from mc_interchange.equivalence.spikes import compare_spikes
from mc_interchange.equivalence.statistical import compare_statistics, pooled_samples
from mc_interchange.equivalence.structure import compare_digests
from mc_interchange.equivalence.tally import take_stock
from mc_interchange.errors import UsageError
from mc_interchange.export import default_workers
from mc_interchange.instance import InstanceDigest, NetworkInstance, Nodes
from mc_interchange.network import Neuron
from mc_interchange.progress import Progress, Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

from .found import Probe, Samples, Settings, Verification
from .short import for_seed, short_run
from .sides import Side, open_sides
from .summary import summary_of_rules

__all__ = ["verify"]

#: Model whose course is known in closed form.
CLOSED_FORM = "iaf_psc_exp"
#: Differences that are named.
MAX_NAMED = 5


def verify(
    path: Path,
    settings: Settings = Settings(),  # noqa: B008  # immutable
    *,
    reference: Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Climb the ladder.

    Parameters
    ----------
    path
        What is tested: an export that an importer reads, a model file, a run, or a directory of runs.
    reference
        What it is held against, of the same kind; None: the rules of the export, drawn with its seed.

    Raises
    ------
    UsageError, FormatError, MissingDependencyError, SimulationError
    """
    return _Ladder(*open_sides(path, reference), settings, progress or Silent()).climb()


class _DoesNotApplyError(Exception):
    """Why a rung cannot be climbed."""


class _Ladder:
    def __init__(self, reference: Side | None, tested: Side, settings: Settings, progress: Progress) -> None:
        self._reference, self._tested = reference, tested
        self._settings, self._progress = settings, progress
        self._digests: tuple[InstanceDigest, InstanceDigest] | None = None
        self._runs: dict[str, Run] = {}
        self._longer: dict[str, Run] = {}
        self._divergence: str | None = None
        self._probes: list[Probe] = []
        self._samples: Samples | None = None

    def climb(self) -> Verification:
        rungs = {
            "structure": self._structure,
            "single neuron": self._single_neuron,
            "spikes": self._spikes,
            "statistics": self._statistics,
        }
        found = []
        for name in RUNGS:
            if name in self._settings.rungs:
                try:
                    found.append(Rung(name, tuple(rungs[name]())))
                except _DoesNotApplyError as reason:
                    found.append(Rung(name, why_not=str(reason)))
        return Verification(
            self._reference,
            self._tested,
            tuple(found),
            self._settings,
            self._all_digests(),
            self._runs,
            self._divergence,
            tuple(self._probes),
            self._samples,
            self._longer,
        )

    def _all_digests(self) -> tuple[str | None, str | None]:
        """Return the digests; what a certificate is of must have one, and so must an export that it is held against."""
        if self._digests is not None:
            return self._digests[0].all, self._digests[1].all
        workers = default_workers()
        a, b = (
            side.instance.digest(workers=workers).all if side and side.instance and side.kind == "export" else None
            for side in (self._reference, self._tested)
        )
        return a, b

    def _networks(self) -> tuple[NetworkInstance, NetworkInstance]:
        if self._tested.instance is None:
            raise _DoesNotApplyError("runs do not tell of it")
        if self._reference is None or self._reference.instance is None:
            raise _DoesNotApplyError("there are no rules beside it (no model.yaml)")
        return self._reference.instance, self._tested.instance

    def _structure(self) -> list[Figure]:
        reference, tested = self._networks()
        workers = default_workers()
        self._progress.task("comparing", reference.n_edges + tested.n_edges, "synapses")
        stock = take_stock(tested, reference.network, workers=workers, progress=self._progress)
        self._digests = (reference.digest(workers=workers, progress=self._progress.advance), stock.digest)
        found = compare_digests((reference, self._digests[0]), (tested, self._digests[1]))
        detail = _listed(found.differences, reference, tested) or f"{found.n_edges} synapses, digest {stock.digest.all}"
        figures = [Figure("parts that differ from the reference", len(found.differences), "exactly", 0, detail)]
        if reference.network is not None:
            figures += summary_of_rules(judge_stock(tested, reference.network, stock.tallies))
        return figures

    def _single_neuron(self) -> list[Figure]:
        tested = self._tested.instance
        if tested is None:
            raise _DoesNotApplyError("runs do not tell of it")
        reference = self._reference.instance if self._reference else None
        pairs: dict[tuple[str, str], tuple[str, Neuron, Neuron]] = {}
        others = []
        for nodes in tested.populations.values():
            neuron = _common_neuron(nodes)
            if neuron is None or neuron.model != CLOSED_FORM:
                others += [] if nodes.virtual else [nodes.name]
                continue
            wanted = _common_neuron(reference.populations.get(nodes.name)) if reference else None
            wanted = neuron if wanted is None else wanted
            pairs.setdefault((str(neuron), str(wanted)), (nodes.name, neuron, wanted))
        if not pairs:
            raise _DoesNotApplyError(f"no closed form is known of the neurons of {', '.join(sorted(others))}")
        self._progress.task("single neurons", len(pairs), "neurons")
        figures: list[Figure] = []
        for name, neuron, wanted in pairs.values():
            run = NestRunner().run(probe(neuron, tested.simulation.dt))
            figures += check_probe(run, wanted, neuron, name)
            self._probes.append(Probe(name, run, wanted, neuron))
            self._progress.advance(1)
        return figures

    def _spikes(self) -> list[Figure]:
        a, b = self._short_runs() if self._tested.instance else self._given_runs()
        self._runs = {"reference": a, self._tested.label: b}
        found = compare_spikes(a, b)
        self._divergence = found.divergence
        odd = sum(found.n_spikes) - 2 * found.n_common
        few = "" if found.n_spikes[0] >= self._settings.min_spikes else "so few spikes prove nothing"
        figures = [
            Figure("spikes that only one of the two has", odd, "exactly", 0, found.divergence or ""),
            Figure("spikes of the reference", found.n_spikes[0], "at least", self._settings.min_spikes, few),
        ]
        apart = compare_potentials(a, b)
        if apart:
            name = f"membrane potentials of {apart.n_neurons} neurons"
            where = f", {apart.where}" if apart.largest else ""
            figures.append(Figure(name, apart.largest, "at most", TOLERANCE, f"mV, largest difference{where}"))
        return figures

    def _short_runs(self) -> tuple[Run, Run]:
        reference, tested = self._networks()
        if self._digests is None:
            workers = default_workers()
            self._digests = (reference.digest(workers=workers), tested.digest(workers=workers))
        if self._digests[0].all != self._digests[1].all:
            raise _DoesNotApplyError("its structure differs from that of the reference")
        duration = min(self._settings.spikes_duration, tested.simulation.duration)
        a, b = (NestRunner().run(short_run(i, duration), progress=self._progress) for i in (reference, tested))
        return a, b

    def _given_runs(self) -> tuple[Run, Run]:
        """Return the two runs, where nothing but a difference of models or simulators can make them differ."""
        a, b = self._given()
        if len(a) > 1 or len(b) > 1:
            raise _DoesNotApplyError("there are several runs: of one and one, every spike can be compared")
        if a[0].source_digest is None or a[0].source_digest != b[0].source_digest:
            digests = f"{a[0].source_digest or 'unknown'} and {b[0].source_digest or 'unknown'}"
            raise _DoesNotApplyError(f"the runs are not of the same network, synapse by synapse (digests {digests})")
        if a[0].random_input or b[0].random_input:
            raise _DoesNotApplyError("the simulator drew their input (mc-export --freeze-input draws it beforehand)")
        if a[0].duration != b[0].duration:
            raise UsageError(
                f"the runs are of {a[0].duration:g} ms and of {b[0].duration:g} ms: they cannot be compared"
            )
        return a[0], b[0]

    def _given(self) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
        assert self._reference is not None  # runs are opened with a reference
        return self._reference.runs, self._tested.runs

    def _statistics(self) -> list[Figure]:
        null, own = self._yardstick()
        if self._tested.instance:
            simulated = for_seed(self._tested.instance, null, self._settings.seeds)
            digest = self._all_digests()[1] or self._tested.label
            runs = [NestRunner().run(i, source_digest=digest, progress=self._progress) for i in simulated]
            self._longer = {self._tested.label: runs[0]}
        else:
            reference, tested = self._given()
            runs = list(tested)
            self._longer = {"reference": reference[0], self._tested.label: tested[0]}
        observations = observe(runs)
        figures = list(compare_statistics(observations, null).figures)
        # few runs do not tell how far others may be from them; but they have to be within the same limits
        for figure in compare_statistics(own, null).figures if own else ():
            if figure.kind != "stated":
                figures.append(replace(figure, name=f"reference, {figure.name}"))
        wanted = {cell: sample.histogram for cell, sample in null.cells()}
        if dict(observations[0].sizes) == {name: p.size for name, p in null.populations.items()}:
            self._samples = Samples(wanted, pooled_samples(observations), (null.n_networks, len(observations)))
        return figures

    def _yardstick(self) -> tuple[Null, list[Observation] | None]:
        """Return what runs of the model look like, and the reference's own runs where these are too few to tell."""
        side = self._reference
        own = observe(side.runs) if side and side.runs else None
        if own and len(own) >= MIN_NETWORKS:
            return null_of(own), None
        rules = rules_digest(side.network) if side and side.network else None
        if side and side.runs:
            rules = side.runs[0].rules
        null = stored_null(rules) if rules else None
        if null is None:
            have = f"; there are {len(own)}" if own else ""
            raise _DoesNotApplyError(
                f"no reference distributions are stored for this model; a directory of runs of at least {MIN_NETWORKS} "
                f"networks drawn with different seeds (mc-run MODEL.yaml --seed N) as the reference gives some{have}"
            )
        return null, own


def _listed(differences: Sequence[str], reference: NetworkInstance, tested: NetworkInstance) -> str:
    """Write the first differences, and the cause that is likely where all synapses differ."""
    if not differences:
        return ""
    seeds = reference.seed, tested.seed
    other = f"drawn with the seeds {seeds[0]} and {seeds[1]}; " if None not in seeds and seeds[0] != seeds[1] else ""
    more = f"; and {len(differences) - MAX_NAMED} more" if len(differences) > MAX_NAMED else ""
    return f"{other}{'; '.join(differences[:MAX_NAMED])}{more}"


def _common_neuron(nodes: Nodes | None) -> Neuron | None:
    """Return the model of a population in which all neurons are alike."""
    if nodes is None:
        return None
    return nodes.neuron if isinstance(nodes.neuron, Neuron) and not nodes.varying else None
