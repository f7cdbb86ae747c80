"""PD14 at full scale: what comes out of the files is the network that went in.

    python benchmarks/full_scale_equivalence.py --out full-scale

``microcircuit`` builds all of PD14 with direct current in NEST (N = K = 1). Its network is captured from the kernel,
exported to SONATA, and simulated; then the files are loaded and simulated too: every spike is compared. A network that
this package draws itself is exported and run as well, and held against the native one by the distributions of rates,
irregularity and correlations, beside the distances between two native seeds, and the published ones.

Each part is a process of its own, and what is there already in ``--out`` is not made again. Needs 16 GB of memory,
25 GB of disk and about an hour on two cores, most of it for the capture of 300 million connections.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np

#: The start that is left out, ms.
DISCARD = 500.0
#: Mean distance D between seeds, L23E to L6I: full scale, direct current, 900 s, 10 seeds (Dasbach et al. 2021,
#: doi:10.3389/fninf.2021.609147, reference data).
PUBLISHED = {
    "rate": (0.02, 0.02, 0.01, 0.01, 0.02, 0.03, 0.02, 0.02),
    "CV": (0.01, 0.02, 0.01, 0.01, 0.02, 0.03, 0.01, 0.02),
    "correlation": (0.05, 0.04, 0.05, 0.02, 0.06, 0.02, 0.04, 0.02),
}


def native(out: str, scale: float, duration: float, threads: int) -> dict[str, Any]:
    """Let ``microcircuit`` build its network, capture and export it, and simulate it."""
    from mc_interchange import export
    from mc_interchange.importers.nest import capture
    from mc_interchange.progress import TerminalProgress
    from mc_interchange.reference_models.pd14.native import NativeMicrocircuit

    directory = Path(out)
    marks = [time.perf_counter()]
    network = NativeMicrocircuit(directory / "data", n_scale=scale, k_scale=scale, threads=threads)
    marks.append(time.perf_counter())
    progress = TerminalProgress()
    instance = capture(network.populations, name="pd14", duration=DISCARD + duration, progress=progress)
    marks.append(time.perf_counter())
    built_MB = measure.peak()
    result = export(instance, "sonata", directory / "captured", _without_index(), force=True)
    marks.append(time.perf_counter())
    run = network.run(DISCARD + duration)
    marks.append(time.perf_counter())
    _keep(run, directory / "native-run")
    build, captured, exported, simulated = np.diff(marks).tolist()
    return {
        "synapses": result.n_edges,
        "digest": result.digest.all,
        "build s": build,
        "capture s": captured,
        "export s": exported,
        "simulate s": simulated,
        "peak_MB before simulating": built_MB,
        "spikes": run.n_spikes,
    }


def another_native(out: str, scale: float, duration: float, threads: int) -> dict[str, Any]:
    """Let ``microcircuit`` build and simulate its network with another seed: so far native runs are from each other."""
    from mc_interchange.reference_models.pd14.native import NativeMicrocircuit

    directory = Path(out)
    network = NativeMicrocircuit(directory / "data-2", n_scale=scale, k_scale=scale, threads=threads, seed=56)
    run = network.run(DISCARD + duration)
    _keep(run, directory / "native-2-run")
    return {"spikes": run.n_spikes}


def drawn(out: str, scale: float, duration: float) -> dict[str, Any]:
    """Export a network of our own drawing."""
    from mc_interchange import build, export, realize

    network = build("pd14", scale=scale, background="dc", duration=DISCARD + duration, discard=DISCARD)
    result = export(realize(network, seed=1), "sonata", Path(out) / "drawn", _without_index(), force=True)
    return {"synapses": result.n_edges, "digest": result.digest.all}


def from_files(out: str, name: str, threads: int) -> dict[str, Any]:
    """Load an export and simulate it."""
    from mc_interchange import open_model
    from mc_interchange.manifest import read_manifest
    from mc_interchange.runners.nest import NestRunner

    path = Path(out) / name
    instance = open_model(path)
    run = NestRunner().run(instance, threads=threads, source_digest=read_manifest(path)["digest"]["all"])
    _keep(run, Path(out) / f"{name}-run")
    return {"spikes": run.n_spikes}


def _without_index() -> Any:
    from mc_interchange.exporters.sonata import SonataOptions

    return SonataOptions(index="none")


def _keep(run: Any, path: Path) -> None:
    from mc_interchange.output import staged_directory
    from mc_interchange.runs import RUN_FILE, write_run

    with staged_directory(path, force=True, marker=RUN_FILE) as directory:
        write_run(run, directory)


def _once(out: Path, part: str, function: str, **arguments: Any) -> dict[str, Any]:
    """Do a part that is not there yet, and print what it gave."""
    kept = out / f"{part}.json"
    if not kept.exists():
        row = measure.in_process("full_scale_equivalence", function, out=str(out), **arguments)
        kept.write_text(json.dumps(row, indent=1) + "\n")
    row = dict(json.loads(kept.read_text()))
    shown = (
        f"{key} {value:,.0f}" if isinstance(value, int | float) else f"{key} {value}" for key, value in row.items()
    )
    print(f"{part}: {', '.join(shown)}", flush=True)
    return row


def _distributions(out: Path) -> None:
    from dataclasses import replace

    from mc_interchange.analysis.statistics import MEASURES, activity_of
    from mc_interchange.runs import read_run

    runs = {name: replace(read_run(out / f"{name}-run"), discard=DISCARD) for name in ("native", "native-2", "drawn")}
    activity = {name: activity_of(run) for name, run in runs.items()}
    print(f"{'':22}" + "".join(f"{name:>8}" for name in runs["native"].sizes))
    for name, run in runs.items():
        print(f"{f'rate of {name} (1/s)':>22}" + "".join(f"{rate:>8.3f}" for rate in run.rates().values()))
    for measure_name in MEASURES:
        distances = {other: _distances(activity["native"], activity[other], measure_name) for other in runs}
        for label, values in (
            (f"{measure_name}, drawn", distances["drawn"]),
            ("another native seed", distances["native-2"]),
            ("published, 900 s", PUBLISHED[measure_name]),
        ):
            print(f"{label:>22}" + "".join(f"{value:>8.3f}" for value in values))


def _distances(a: Any, b: Any, measure_name: str) -> list[float]:
    """Return D of each population."""
    from scipy.stats import ks_2samp

    samples = [(a[name][measure_name], b[name][measure_name]) for name in a]
    return [ks_2samp(x, y).statistic if len(x) and len(y) else np.nan for x, y in samples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where networks and runs are kept")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--duration", type=float, default=1000.0, metavar="MS", help="after the 500 ms left out")
    parser.add_argument("--threads", type=int, default=4, help="at full scale NEST needs three at least")
    parser.add_argument("--keep", action="store_true", help="keep the networks, not only the runs")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    print(f"PD14 at scale {arguments.scale:g}, {arguments.threads} threads; {measure.machine()}", flush=True)
    common = {"scale": arguments.scale, "duration": arguments.duration}
    _once(out, "native", "native", threads=arguments.threads, **common)
    _once(out, "native-2", "another_native", threads=arguments.threads, **common)
    for name in ("captured", "drawn"):
        if name == "drawn":
            _once(out, "drawn", "drawn", **common)
        _once(out, f"{name}-run", "from_files", name=name, threads=arguments.threads)
        if not arguments.keep:
            shutil.rmtree(out / name, ignore_errors=True)

    from mc_interchange.equivalence import compare_spikes
    from mc_interchange.runs import read_run

    found = compare_spikes(read_run(out / "native-run"), read_run(out / "captured-run"))
    print(f"spikes, native and from the files: {found.n_spikes[0]:,} and {found.n_spikes[1]:,}", flush=True)
    print(found.divergence or "no spike differs")
    print(f"identical: {'yes' if found.identical else 'no'}", flush=True)
    _distributions(out)


if __name__ == "__main__":
    main()
