"""How far native runs of PD14 are from each other: the data that the statistical rung holds runs against.

    python benchmarks/null_distributions.py --seeds 24 --runs runs

The PyPI package ``microcircuit`` builds and simulates the network, each seed in a process of its own, with one thread.
Runs are kept in the directory ``--runs``, and those that are there already are not run again. Writes the package's
data file, states how far native seeds that are left out are from the others, and how many of them are rejected.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import measure
import numpy as np

SCALE, DISCARD, DURATION = 0.05, 500.0, 4000.0
DATA = Path(__file__).parents[1] / "mc_interchange/equivalence/data"
#: Native runs that are left out at a time; comparisons of those that are counted.
LEFT_OUT, N_COMPARISONS = (1, 3), 100


def simulate(seed: int, directory: str) -> dict[str, Any]:
    from mc_interchange.output import staged_directory
    from mc_interchange.reference_models.pd14.native import NativeMicrocircuit
    from mc_interchange.runs import RUN_FILE, write_run

    with tempfile.TemporaryDirectory() as data:
        native = NativeMicrocircuit(data, n_scale=SCALE, k_scale=SCALE, background="poisson", seed=seed)
        run = replace(native.run(DISCARD + DURATION), discard=DISCARD)
    with staged_directory(Path(directory) / f"seed-{seed}", marker=RUN_FILE) as staged:
        write_run(run, staged)
    return {"rates": run.rates()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=24, help="number of native runs, with the seeds from 1")
    parser.add_argument("--runs", type=Path, required=True, help="where runs are kept")
    parser.add_argument("--out", type=Path, default=DATA / f"pd14_{SCALE:g}_poisson.json")
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    seeds = range(1, arguments.seeds + 1)
    for seed in seeds:
        if not (arguments.runs / f"seed-{seed}").exists():
            row = measure.in_process("null_distributions", "simulate", seed=seed, directory=str(arguments.runs))
            print(f"seed {seed}: {row['seconds']:.0f} s", flush=True)

    from mc_interchange.equivalence import observe
    from mc_interchange.runs import read_run

    runs = [read_run(arguments.runs / f"seed-{seed}") for seed in seeds]
    observations = observe(runs)
    _write(runs, observations, arguments.out)
    for left_out in LEFT_OUT:
        _false_alarms(observations, left_out)


def _write(runs: list[Any], observations: list[Any], out: Path) -> None:
    from mc_interchange import build
    from mc_interchange.equivalence import null_of, write_null
    from mc_interchange.formats.nest import without_banner

    with without_banner():
        from microcircuit.network_params import default_net_dict

    provenance = {
        "made by": "benchmarks/null_distributions.py",
        "simulator": runs[0].simulator,
        "versions": {name: version(name) for name in ("nest-simulator", "microcircuit", "numpy", "scipy")},
        "n_scale": SCALE,
        "k_scale": SCALE,
        "background": "poisson",
        "full_mean_rates": [float(rate) for rate in default_net_dict["full_mean_rates"]],
        "dt": runs[0].dt,
        "discard": DISCARD,
        "duration": DURATION,
        "threads": runs[0].threads,
        "seeds": [run.seed for run in runs],
    }
    null = null_of(observations, network=build("pd14", scale=SCALE), provenance=provenance)
    out.parent.mkdir(exist_ok=True)
    write_null(null, out)
    print(f"{out}: {len(runs)} runs, factor {null.factor:.3g}, widening {null.widening:.3g}")
    print(f"score between single native runs {null.score_mean * 2**0.5:.3g} +- {null.score_sd * 2**0.5:.2g}")
    for name, reference in null.populations.items():
        distances = ", ".join(f"{measure} {sample.D_mean:.3f}" for measure, sample in reference.samples.items())
        rate = f"{reference.rate_mean:8.3f} +- {reference.rate_sd:.3f} spikes/s, margin {reference.rate_margin:.3f}"
        print(f"{name:>5} {rate}; scaled D of {distances}")


def _false_alarms(native: list[Any], left_out: int) -> None:
    """Hold native runs against those of all other seeds, and count what is rejected."""
    from mc_interchange.equivalence import compare_statistics, null_of

    chosen = list(combinations(range(len(native)), left_out))
    if len(chosen) > N_COMPARISONS:
        rng = np.random.default_rng(1)
        chosen = [tuple(rng.choice(len(native), left_out, replace=False)) for _ in range(N_COMPARISONS)]
    rejected: dict[str, int] = {}
    for tested in chosen:
        null = null_of([observation for i, observation in enumerate(native) if i not in tested])
        rung = compare_statistics([native[i] for i in tested], null)
        kinds = {figure.name.split(",")[0].split(" of ")[0] for figure in rung.failures}
        for kind in kinds | ({"any"} if kinds else set()):
            rejected[kind] = rejected.get(kind, 0) + 1
    print(f"{left_out} left out: {len(chosen)} comparisons, rejected: {rejected or 'none'}", flush=True)


if __name__ == "__main__":
    main()
