"""What is held against what: two networks, or two sets of runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mc_interchange.errors import FormatError, UsageError
from mc_interchange.instance import NetworkInstance, freeze_inputs, realize
from mc_interchange.network import Network, PoissonActivity
from mc_interchange.reading import import_path, open_model
from mc_interchange.runs import RUN_FILE, Run, read_run

__all__ = ["Kind", "Side", "are_runs", "open_sides"]

Kind = Literal["export", "rules", "runs"]


@dataclass(frozen=True)
class Side:
    """One of the two.

    Parameters
    ----------
    kind
        ``export``: a network that was read; ``rules``: one that is drawn of its rules; ``runs``: one run or several.
    instance
        The network; None for runs.
    runs
        What was read of them; none for a network.
    """

    kind: Kind
    instance: NetworkInstance | None = None
    runs: tuple[Run, ...] = ()

    @property
    def label(self) -> str:
        """What it is, in a word."""
        return {"export": "export", "rules": "model file", "runs": "run"}[self.kind]

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.instance.name if self.instance else self.runs[0].model

    @property
    def network(self) -> Network | None:
        """The rules of a network, where it has any."""
        return self.instance.network if self.instance else None

    @property
    def seeds(self) -> tuple[int, ...]:
        """With which the network was drawn, or with which the runs were made."""
        if self.instance:
            return () if self.instance.seed is None else (self.instance.seed,)
        return tuple(run.seed for run in self.runs)

    @property
    def sizes(self) -> dict[str, int]:
        """Number of neurons by population."""
        if self.instance:
            return {p.name: p.size for p in self.instance.populations.values() if not p.virtual}
        return dict(self.runs[0].sizes)

    @property
    def dt(self) -> float:
        """Resolution in ms."""
        return self.instance.simulation.dt if self.instance else self.runs[0].dt


def are_runs(a: Path, b: Path) -> bool:
    """Whether two paths are runs, or directories of runs; else both are networks.

    Raises
    ------
    FormatError
        One of them does not exist.
    UsageError
        They are not of a kind.
    """
    for path in (a, b):
        if not path.exists():
            raise FormatError(f"{path}: no such file or directory")
    kinds = [bool(_runs_in(path)) for path in (a, b)]
    if kinds[0] != kinds[1]:
        run, model = (a, b) if kinds[0] else (b, a)
        what = "is a run" if (run / RUN_FILE).is_file() else "holds runs"
        raise UsageError(f"{run} {what}, {model} is a model: compare two of a kind (mc-run {model} makes a run)")
    return kinds[0]


def open_sides(path: Path, reference: Path | None = None) -> tuple[Side | None, Side]:
    """Open what is tested, and what it is held against.

    Parameters
    ----------
    path
        An export, a model file, a run, or a directory of runs.
    reference
        Likewise, and of the same kind; None: the rules of the export, drawn with its seed, or None where it has none.
        A model file on either side is drawn with the seed of the other side, where that has one.

    Returns
    -------
    reference, tested

    Raises
    ------
    FormatError
        One of them cannot be read.
    UsageError
        They are not of a kind, not of the same populations, or have another resolution.
    """
    if reference is None:
        tested = _open(path)
        if tested.kind != "export":
            needs = "runs are held against other runs" if tested.kind == "runs" else "it is the rules themselves"
            raise UsageError(f"{path}: {needs}; name a reference before it")
        network, seed = tested.network, tested.seeds
        return (_as_frozen(Side("rules", realize(network, *seed)), tested) if network and seed else None), tested
    are_runs(reference, path)
    if _is_rules(reference) and not _is_rules(path):
        tested = _open(path)
        wanted = _open(reference, tested.seeds)
    else:
        wanted = _open(reference)
        tested = _open(path, wanted.seeds)
    for what, a, b in (("populations", wanted.sizes, tested.sizes), ("resolution", wanted.dt, tested.dt)):
        if a != b:
            raise UsageError(f"{reference} and {path} cannot be compared: {what} {_named(a, b)} against {_named(b, a)}")
    return _as_frozen(wanted, tested), _as_frozen(tested, wanted)


def _as_frozen(rules: Side, export: Side) -> Side:
    """Return rules with their Poisson spikes drawn, where those of the export were drawn (``--freeze-input``).

    They are the same if the seed is. Beside such an export, the rules still say that the activity is Poisson's.
    """
    if rules.kind != "rules" or rules.instance is None or export.instance is None:
        return rules
    drawn = export.instance.populations
    replayed = any(
        isinstance(nodes.activity, PoissonActivity) and not isinstance(drawn[name].activity, PoissonActivity)
        for name, nodes in rules.instance.populations.items()
        if name in drawn
    )
    return replace(rules, instance=freeze_inputs(rules.instance)) if replayed else rules


def _open(path: Path, seeds: tuple[int, ...] = ()) -> Side:
    runs = _runs_in(path)
    if runs:
        found = tuple(read_run(run) for run in runs)
        for run, place in zip(found, runs, strict=True):
            if dict(run.sizes) != dict(found[0].sizes) or run.dt != found[0].dt:
                raise UsageError(f"{place}: has other populations or another resolution than {runs[0]}")
        return Side("runs", runs=found)
    if _is_rules(path):
        return Side("rules", open_model(path, *seeds))
    return Side("export", import_path(path))


def _runs_in(path: Path) -> list[Path]:
    """Return a run, or the runs in a directory; none where the path is something else."""
    if (path / RUN_FILE).is_file():
        return [path]
    return sorted(inside.parent for inside in path.glob(f"*/{RUN_FILE}")) if path.is_dir() else []


def _is_rules(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml") and path.is_file()


def _named(value: dict[str, int] | float, other: dict[str, int] | float) -> str:
    """Write a resolution, or those of the sizes that the other side does not have."""
    if not isinstance(value, dict) or not isinstance(other, dict):
        return f"{value:g} ms"
    differing = [f"{name} ({size})" for name, size in value.items() if other.get(name) != size]
    return ", ".join(differing[:3]) + (f" and {len(differing) - 3} more" if len(differing) > 3 else "") or "none"
