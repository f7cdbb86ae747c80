"""The main job in three minutes: export PD14 twice, and show that an export is the same model.

    python examples/demo.py [DIRECTORY]

Writes PD14 as SONATA and as NeuroML2. Then lets the PyPI package ``microcircuit`` build and run its own
network in NEST, captures that network from the kernel, exports it to SONATA, loads the files again, runs
them, and compares every spike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mc_interchange import build, export, open_model, realize
from mc_interchange.analysis.plots import raster_and_rates
from mc_interchange.contracts import Loss
from mc_interchange.equivalence import SpikeComparison, compare_spikes
from mc_interchange.importers.nest import capture
from mc_interchange.progress import TerminalProgress
from mc_interchange.reference_models.pd14.native import NativeMicrocircuit
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

DURATION = 500.0  # ms
N_SCALE, K_SCALE = 0.02, 0.5  # with direct current, PD14 needs K >= 0.5 to be active

console = Console()


@contextmanager
def step(text: str) -> Iterator[None]:
    start = time.perf_counter()
    console.print(f"{text} ...")
    yield
    console.print(f"  [dim]{time.perf_counter() - start:.1f} s[/dim]")


def main() -> int:
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    progress = TerminalProgress()
    for name, scale in (("sonata", 0.1), ("neuroml", 0.02)):
        out = directory / f"pd14-{name}"
        with step(f"PD14 at scale {scale:g} -> {out}"), progress.shown():
            result = export(realize(build("pd14", scale=scale)), name, out, force=True, progress=progress)
        console.print(f"  {result.n_neurons:,} neurons, {result.n_edges:,} synapses, digest {result.digest.all}")
        console.print(f"  {_summary(result.losses)}")

    with step(f"microcircuit builds its own network in NEST (N = {N_SCALE:g}, K = {K_SCALE:g}, DC)"):
        reference = NativeMicrocircuit(directory / "microcircuit", n_scale=N_SCALE, k_scale=K_SCALE)
    captured = capture(reference.populations, name="pd14", duration=DURATION)
    out = directory / "captured-sonata"
    with step(f"the network in NEST's kernel -> {out}"), progress.shown():
        result = export(captured, "sonata", out, force=True, progress=progress)
    console.print(f"  {result.n_neurons:,} neurons, {result.n_edges:,} synapses, digest {result.digest.all}")
    with step(f"microcircuit runs its own network for {DURATION:g} ms"):
        native = reference.run(DURATION)
    with step(f"{out} -> NEST, {DURATION:g} ms"), progress.shown():
        loaded = NestRunner().run(open_model(out), source_digest=result.digest.all, progress=progress)

    comparison = compare_spikes(native, loaded)
    console.print(_table(native, loaded))
    console.print(
        f"spikes: {comparison.n_spikes[0]:,} and {comparison.n_spikes[1]:,}, {comparison.n_common:,} in common"
    )
    picture = directory / "pd14.png"
    colors = {p.name: p.color for p in build("pd14").populations if p.color}
    title = (
        f"PD14, N = {N_SCALE:g}, K = {K_SCALE:g}, direct current, {DURATION:g} ms: "
        f"{comparison.n_common:,} of {comparison.n_spikes[0]:,} spikes are the same"
    )
    raster_and_rates({"microcircuit": native, "from its SONATA export": loaded}, picture, colors=colors, title=title)
    console.print(f"picture: {picture}")
    return _verdict(comparison)


def _summary(losses: tuple[Loss, ...]) -> str:
    counts = {how: sum(loss.how == how for loss in losses) for how in ("approximated", "beside", "dropped")}
    kinds = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
    return f"not held by the format itself: {kinds or 'nothing'} (see export_report.json)"


def _table(native: Run, loaded: Run) -> Table:
    table = Table(title="mean rates (spikes/s)")
    table.add_column("population")
    table.add_column("microcircuit", justify="right")
    table.add_column("from SONATA", justify="right")
    a, b = native.rates(), loaded.rates()
    for name in a:
        table.add_row(name, f"{a[name]:.3f}", f"{b[name]:.3f}")
    return table


def _verdict(comparison: SpikeComparison) -> int:
    if comparison.n_spikes[0] < 5000:
        console.print("too few spikes to prove anything")
        return 1
    console.print(f"identical: {'yes' if comparison.identical else 'no'}")
    if comparison.divergence:
        console.print(f"first difference: {comparison.divergence}")
    return 0 if comparison.identical else 1


if __name__ == "__main__":
    sys.exit(main())
