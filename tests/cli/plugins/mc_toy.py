"""A package of plug-ins as a third party would write it; the tests put it on the path with its entry points."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import Annotated, Literal

import h5py
import numpy as np
from pydantic import Field, model_validator

from mc_interchange import registry
from mc_interchange.contracts import (
    Column,
    Exporter,
    ExportOptions,
    FileRunner,
    Importer,
    Loss,
    ReferenceModel,
    Runner,
    Written,
)
from mc_interchange.errors import FormatError
from mc_interchange.instance import EdgeDigest, digest_block, realize
from mc_interchange.instance.instance import pair
from mc_interchange.manifest import read_manifest
from mc_interchange.network import Network, parse_network, read_network
from mc_interchange.network.base import Part, Positive
from mc_interchange.runs import Run, Spikes

TOY = """
name: toy
populations:
- {name: E, size: SIZE, neuron: &n {model: iaf_psc_exp, parameters: {C_m: 250, tau_m: 10, tau_syn_ex: 0.5,
     tau_syn_in: 0.5, t_ref: 2, E_L: -65, V_th: -50, V_reset: -65}}}
- {name: I, size: 20, neuron: *n}
- {kind: virtual, name: T, size: 3, activity: {kind: poisson, rate: 8.0}}
projections:
- {source: E, target: I, rule: {rule: fixed_total_number, number: 300}, weight: 87.8, delay: 1.5}
- {source: T, target: E, rule: {rule: fixed_indegree, indegree: 2}, weight: 87.8, delay: 0.2}
simulation: {duration: 100, seed: 3}
"""


class ToyArguments(Part):
    scale: Positive | None = None
    n_scale: Positive = 1.0
    k_scale: Positive = 1.0
    background: Literal["poisson", "dc"] = "poisson"
    rates: tuple[float, ...] = ()
    seed: int = 3

    @model_validator(mode="after")
    def _warn(self) -> ToyArguments:
        if self.background == "dc":
            warnings.warn("the current is\nbelow threshold", UserWarning, stacklevel=2)
        return self


class ToyModel(ReferenceModel):
    name = "toy"
    title = "a toy"
    Arguments = ToyArguments

    def build(self, arguments: ToyArguments) -> Network:
        size = round(100 * (arguments.scale or arguments.n_scale))
        text = TOY.replace("SIZE", str(size)).replace("seed: 3", f"seed: {arguments.seed}")
        return parse_network(text)


class ToyOptions(ExportOptions):
    level: Literal["low", "high"] = Field("low", description="how much")
    compress: bool = Field(False, description="smaller files")
    parts: Annotated[int, Field(ge=1)] = Field(1, description="number of parts")
    tag: str | None = Field(None, description="a word")
    sizes: tuple[int, ...] = Field((), description="some numbers")


class ToyExporter(Exporter):
    """HDF5 with one dataset per projection."""

    format = "toyhdf"
    title = "a toy format"
    Options = ToyOptions
    model_defaults = {"scale": 0.5}

    def losses(self, instance, options):
        return [Loss("inputs", "dropped", "there is no place for them")] if instance.network.virtual_populations else []

    def estimate(self, instance, options):
        return 1000

    def write(self, instance, directory: Path, options, *, workers, progress):
        digests, columns = {}, []
        progress.task("writing", instance.n_edges, "edges")
        with h5py.File(directory / "edges.h5", "w") as file:
            file.attrs["options"] = options.model_dump_json()
            for edges in instance.projections.values():
                blocks = list(edges.blocks())
                for block in blocks:
                    digests[pair(edges)] = digests.get(pair(edges), EdgeDigest()) + digest_block(block)
                    progress.advance(len(block))
                values = np.concatenate([block.source for block in blocks])
                file[edges.name] = values
                import xxhash

                checksum = xxhash.xxh3_64(values.tobytes()).hexdigest()
                columns.append(Column("edges.h5", edges.name, values.dtype.name, len(values), checksum))
        (directory / "notes.txt").write_text("toy\n")
        return Written(digests, columns)


class SlowExporter(ToyExporter):
    """Writes for a minute, so that it can be interrupted; ``MC_TOY_STARTED`` is made once it writes."""

    format = "slow"
    title = "a slow format"
    Options = ExportOptions

    def write(self, instance, directory: Path, options, *, workers, progress):
        for number in range(600):
            (directory / f"part{number}").write_bytes(bytes(10_000))
            Path(os.environ["MC_TOY_STARTED"]).touch()
            time.sleep(0.1)
        return Written({})


class LargeExporter(ToyExporter):
    """Writes a megabyte into an HDF5 file, after the usual files."""

    format = "large"
    title = "a large format"
    Options = ExportOptions

    def write(self, instance, directory: Path, options, *, workers, progress):
        with h5py.File(directory / "large.h5", "w") as file:
            file["values"] = np.arange(2**17)
        return Written({})


class ClashOptions(ExportOptions):
    seed: int = 1


class ClashExporter(ToyExporter):
    format = "clash"
    title = "wants a flag of mc-export"
    Options = ClashOptions


class ToyImporter(Importer):
    format = "toyhdf"
    title = "the toy format"

    def recognises(self, path: Path) -> bool:
        return (path / "edges.h5").is_file()

    def read(self, path: Path):
        try:
            with h5py.File(path / "edges.h5"):
                pass
        except OSError as error:
            raise FormatError(f"{path / 'edges.h5'}: not a readable HDF5 file\n({error})") from None
        if (path / "model.yaml").exists():
            return realize(read_network(path / "model.yaml"), read_manifest(path)["seed"])
        import dataclasses

        return dataclasses.replace(realize(ToyModel().build(ToyArguments())), network=None, seed=None)


class PulseRunner(Runner):
    """Gives every neuron of E one spike at a step that follows from seed and threads; silent with threads=13."""

    name = "pulse"
    title = "a toy simulator"

    def run(self, instance, *, native=False, threads=None, source_digest=None, progress=None):
        threads = threads or 1
        neurons = np.arange(0 if threads == 13 else instance.populations["E"].size)
        spikes = {
            "E": Spikes.sorted(np.full(len(neurons), 10 + instance.simulation.seed + threads), neurons),
            "I": Spikes.sorted(np.array([], int), np.array([], int)),
        }
        sim = instance.simulation
        sizes = {name: instance.populations[name].size for name in spikes}
        recorded = ",".join(f"{r.population}:{len(r.neurons)}" for r in sim.record_V_m)
        return Run(
            instance.name,
            f"pulse{' (native)' if native else ''}",
            sim.dt,
            sim.duration,
            sim.discard,
            sim.seed,
            threads,
            sizes,
            spikes,
            source_digest=source_digest,
            versions={"pulse": "1", "recorded": recorded},
        )


class ReaderRunner(FileRunner):
    """Gives as many spikes to E as its file has synapses of E, and says where it read and worked."""

    name = "reader"
    title = "a toy that reads files"
    format = "toyhdf"
    export_options = {"tag": "for the reader"}

    def run_files(self, path, scratch, *, threads, progress):
        (scratch / "waste").write_bytes(bytes(1000))
        with h5py.File(path / "edges.h5") as file:
            options, n = file.attrs["options"], sum(len(values) for values in file.values())
        spikes = {"E": Spikes.sorted(np.arange(n) % 100, np.zeros(n, int))}
        versions = {"path": str(path), "scratch": str(scratch), "options": options}
        return Run(path.name, "reader", 0.1, 100.0, 0.0, 1, threads or 1, {"E": 1}, spikes, versions=versions)


ENTRY_POINTS = {
    "exporter": {
        "toyhdf": "ToyExporter",
        "slow": "SlowExporter",
        "large": "LargeExporter",
        "clash": "ClashExporter",
        "broken": "Missing",
    },
    "importer": {"toyhdf": "ToyImporter"},
    "runner": {"pulse": "PulseRunner", "reader": "ReaderRunner"},
    "reference model": {"toy": "ToyModel"},
}


def write_metadata(directory: Path) -> None:
    """Write what an installed distribution has: its entry points."""
    info = directory / "mc_toy-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mc-toy\nVersion: 1.0\n")
    lines = []
    for kind, points in ENTRY_POINTS.items():
        lines.append(f"[{registry.GROUPS[kind]}]")
        lines += [f"{name} = {'mc_toy_missing' if name == 'broken' else 'mc_toy'}:{c}" for name, c in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
