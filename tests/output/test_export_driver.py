"""What `export` does for every format: with a format of the tests' own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
import pytest
import xxhash

from mc_interchange import __version__
from mc_interchange.contracts import Column, Exporter, ExportOptions, Importer, Loss, Written
from mc_interchange.errors import NotRepresentableError, OutputError, UsageError
from mc_interchange.export import default_workers, export
from mc_interchange.instance import EdgeDigest, digest_block, map_blocks, realize
from mc_interchange.manifest import read_manifest
from mc_interchange.network import read_network


class Options(ExportOptions):
    note: str = "none"
    bytes_needed: int = 0


class ColumnsExporter(Exporter):
    """Writes one HDF5 file of columns."""

    format = "columns"
    title = "columns for tests"
    Options = Options
    found: ClassVar[list[Loss]] = []
    fails = False

    def losses(self, instance, options):
        return list(self.found)

    def estimate(self, instance, options):
        return options.bytes_needed

    def write(self, instance, directory, options, *, workers, progress):
        edges, columns = {}, []
        (directory / "nodes").mkdir()
        (directory / "nodes" / "names.txt").write_text("\n".join(instance.populations))
        with h5py.File(directory / "edges.h5", "w") as file:
            for name, projection in instance.projections.items():
                progress.task(name, projection.n_edges, "synapses")
                blocks = list(map_blocks(projection, lambda block: block, workers=workers))
                total = sum((digest_block(b) for b in blocks), EdgeDigest())
                key = f"{projection.source} -> {projection.target}"
                edges[key] = edges.get(key, EdgeDigest()) + total
                for column in ("source", "target", "weight", "delay"):
                    values = np.concatenate([getattr(b, column) for b in blocks])
                    file[f"{name}/{column}"] = values
                    checksum = xxhash.xxh3_64(values.tobytes()).hexdigest()
                    columns.append(Column("edges.h5", f"{name}/{column}", values.dtype.name, len(values), checksum))
                progress.advance(projection.n_edges)
                if self.fails:
                    raise RuntimeError("half-way")
        return Written(edges, columns)


@pytest.fixture
def instance(small_network):
    return realize(small_network)


def test_result_and_files(instance, tmp_path):
    result = export(instance, ColumnsExporter(), tmp_path / "out")
    assert result.path == tmp_path / "out"
    assert result.digest.all == instance.digest().all
    assert (result.n_neurons, result.n_edges) == (50, instance.n_edges)
    assert sorted(p.name for p in result.path.iterdir()) == [
        "edges.h5",
        "export_report.json",
        "manifest.json",
        "model.yaml",
        "nodes",
    ]
    assert read_network(result.path / "model.yaml") == instance.network
    manifest = read_manifest(result.path)
    assert manifest["digest"]["all"] == result.digest.all
    assert manifest["n_synapses"] == instance.n_edges
    assert manifest["options"] == {"note": "none", "bytes_needed": 0}
    assert len(manifest["columns"]) == 12


def test_same_call_same_bytes_wherever(instance, tmp_path):
    here = export(instance, ColumnsExporter(), tmp_path / "a", workers=1).path
    there = export(instance, ColumnsExporter(), tmp_path / "sub" / "b", workers=3).path
    files = sorted(p.relative_to(here) for p in here.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(there) for p in there.rglob("*") if p.is_file())
    for file in files:
        assert (here / file).read_bytes() == (there / file).read_bytes(), file
        assert os.fsencode(tmp_path) not in (here / file).read_bytes(), file


def test_losses_are_reported_and_strict_refuses_before_writing(instance, tmp_path, monkeypatch):
    first = Loss("initial potentials", "approximated", "one value for all")
    monkeypatch.setattr(ColumnsExporter, "found", [first, Loss("colours", "dropped", "no place for them")])
    result = export(instance, ColumnsExporter(), tmp_path / "out")
    assert result.losses[0] == first
    report = json.loads((result.path / "export_report.json").read_text())
    assert report["exact"] is False
    assert report["losses"][1] == {"what": "colours", "how": "dropped", "detail": "no place for them"}
    with pytest.raises(NotRepresentableError) as refusal:
        export(instance, ColumnsExporter(), tmp_path / "strict" / "out", strict=True)
    assert str(refusal.value) == (
        "columns cannot hold initial potentials: approximated, one value for all (and 1 more)"
    )
    assert not (tmp_path / "strict").exists()


def test_too_large_for_the_disk(instance, tmp_path):
    with pytest.raises(OutputError, match="the output needs about"):
        export(instance, ColumnsExporter(), tmp_path / "out", Options(bytes_needed=10**18))
    assert list(tmp_path.iterdir()) == []


def test_failure_half_way(instance, tmp_path, monkeypatch):
    export(instance, ColumnsExporter(), tmp_path / "out")
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    monkeypatch.setattr(ColumnsExporter, "fails", True)
    with pytest.raises(RuntimeError, match="half-way"):
        export(instance, ColumnsExporter(), tmp_path / "out", force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before


def test_exporter_that_forgets_edges(instance, tmp_path, monkeypatch):
    write = ColumnsExporter.write

    def forget(*args, **others):
        written = write(*args, **others)
        edges = {name: EdgeDigest(digest.count - 1, digest.value) for name, digest in written.edges.items()}
        return Written(edges, written.columns)

    monkeypatch.setattr(ColumnsExporter, "write", forget)
    n = instance.n_edges
    with pytest.raises(RuntimeError, match=rf"^the exporter columns wrote {n - len(instance.projections)} of {n} syn"):
        export(instance, ColumnsExporter(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(instance, tmp_path):
    with pytest.raises(UsageError, match=r"^only an instance can be exported, got Network: realize\(\) it first$"):
        export(instance.network, ColumnsExporter(), tmp_path / "out")
    with pytest.raises(UsageError, match=r"^options: columns takes Options, got ExportOptions$"):
        export(instance, ColumnsExporter(), tmp_path / "out", ExportOptions())
    assert list(tmp_path.iterdir()) == []


def test_versions_that_the_bytes_depend_on(instance, tmp_path):
    manifest = read_manifest(export(instance, ColumnsExporter(), tmp_path / "out").path)
    assert manifest["created_by"] == {"mc-interchange": __version__, "numpy": np.__version__}


def test_unknown_format(instance, tmp_path):
    with pytest.raises(UsageError, match=r"^unknown exporter 'punchcards'; known: .*sonata"):
        export(instance, "punchcards", tmp_path / "out")


def test_workers_by_default():
    assert 1 <= default_workers() <= 8


def test_importer_contract_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Importer()


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_export_driver import ColumnsExporter
from mc_interchange.export import export
from mc_interchange.instance import realize
from mc_interchange.network import parse_network
sys.path.insert(0, sys.argv[3])
from conftest import SMALL

class Slow(ColumnsExporter):
    def write(self, *args, **options):
        result = super().write(*args, **options)
        print("writing", flush=True)
        time.sleep(60)
        return result

export(realize(parse_network(SMALL)), Slow(), sys.argv[1], force=True)
"""


def test_kill_half_way_then_the_same_command_again(instance, tmp_path):
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "out", here, here.parent], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.kill()
    process.wait()
    process.stdout.close()
    assert [p.name for p in tmp_path.iterdir()] == [".out.partial"]
    export(instance, ColumnsExporter(), tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
