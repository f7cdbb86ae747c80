"""Shards: together they are what one machine writes, and nothing else passes for that."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange import NetworkInstance, build, export, open_model, realize, shards
from mc_interchange.errors import FormatError, InterchangeError, UsageError
from mc_interchange.exporters.sonata import SonataOptions
from mc_interchange.instance import ArrayEdges, EdgeBlock, EdgeDigest, freeze_inputs
from mc_interchange.join import join_shards
from mc_interchange.network import Network, parse_network
from mc_interchange.shards import Shard, share_of

realisation = importlib.import_module("mc_interchange.instance.realize")

ALL_RULES = """
name: rules
populations:
- {name: A, size: 30, neuron: &neuron {model: iaf_psc_exp, parameters: {C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms,
   tau_syn_in: 0.5 ms, t_ref: 2 ms, E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV}},
   initial_V_m: {distribution: normal, mean: -58.0, sd: 5.0},
   geometry: {width: 100.0, depth_top: 0.0, depth_bottom: 50.0}}
- {name: B, size: 30, neuron: *neuron}
- {name: C, size: 4, neuron: *neuron}
- {kind: virtual, name: TH, size: 5, activity: {kind: spike_trains, times: [[1.0, 2.0], [], [3.0], [], [5.5]]}}
projections:
- {name: total, source: A, target: B, rule: {rule: fixed_total_number, number: 700}, weight: &drawn
   {distribution: truncated_normal, mean: 80.0, sd: 8.0, min: 0.0}, delay: &delays
   {distribution: uniform, low: 0.5, high: 2.0}}
- {name: total_once, source: A, target: A, rule: {rule: fixed_total_number, number: 300, allow_multapses: false,
   allow_autapses: false}, weight: 10.0, delay: 1.5}
- {name: pairs, source: B, target: A, rule: {rule: pairwise_bernoulli, probability: 0.3}, weight: *drawn, delay: 0.8}
- {name: into, source: A, target: C, rule: {rule: fixed_indegree, indegree: 60}, weight: 0.1, delay: *delays}
- {name: into_once, source: B, target: B, rule: {rule: fixed_indegree, indegree: 3, allow_multapses: false},
   weight: 1.0, delay: *delays}
- {name: out_of, source: A, target: B, rule: {rule: fixed_outdegree, outdegree: 5}, weight: *drawn, delay: 1.0}
- {name: all, source: C, target: C, rule: {rule: all_to_all, allow_autapses: false}, weight: 1.0, delay: *delays}
- {name: each, source: A, target: B, rule: {rule: one_to_one}, weight: *drawn, delay: 1.0}
- {name: listed, source: TH, target: A, rule: {rule: explicit, sources: [4, 0, 3], targets: [2, 29, 2]},
   weight: {distribution: values, values: [0.1, 0.2, 0.3]}, delay: {distribution: values, values: [1.0, 2.5, 0.1]}}
- {name: none, source: C, target: A, rule: {rule: fixed_indegree, indegree: 0}, weight: 1.0, delay: 1.0}
inputs:
- {kind: poisson, name: background, target: A, rate: 800.0, weight: 87.8, delay: 0.1}
simulation: {duration: 50.0, seed: 3}
"""


@pytest.fixture(scope="module")
def rules() -> Network:
    return parse_network(ALL_RULES)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every projection of more than a few synapses consist of many chunks, and these of several blocks."""
    monkeypatch.setattr(realisation, "CHUNK_EDGES", 37)
    monkeypatch.setattr(shards, "BLOCK", 50)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def write(
    instance: NetworkInstance, directory: Path, of: int, options: SonataOptions | None = None, workers: int = 1
) -> list[Path]:
    """Write all shards into a directory."""
    numbers = range(1, of + 1)
    return [
        export(instance, "sonata", directory / str(i), options, shard=Shard(i, of), workers=workers).path
        for i in numbers
    ]


def join(paths: list[Path], out: Path, workers: int = 1) -> Path:
    job = join_shards(paths)
    return export(job.instance, job.format, out, job.options, workers=workers).path


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("index", ["both", "target", "none"])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_joined_shards_are_byte_for_byte_what_one_machine_writes(
    rules: Network, tmp_path: Path, index: str, of: int
) -> None:
    options = SonataOptions(index=index)
    whole = export(realize(rules), "sonata", tmp_path / "whole", options).path
    paths = write(realize(rules), tmp_path / "shards", of, options, workers=1 + of % 2)
    assert contents(join(paths[::-1], tmp_path / "joined", workers=3)) == contents(whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["joined", "shards", "whole"]


def test_more_shards_than_synapses(small_network: Network, tmp_path: Path) -> None:
    few = small_network.model_copy(update={"projections": small_network.projections[2:]})  # 80 synapses
    paths = write(realize(few), tmp_path / "shards", 90)
    sizes = [json.loads((path / "shard.json").read_text())["n_synapses"] for path in paths]
    assert set(sizes) == {0, 1}
    assert sum(sizes) == 80
    whole = export(realize(few), "sonata", tmp_path / "whole").path
    assert contents(join(paths, tmp_path / "joined")) == contents(whole)


def test_what_is_decided_when_joining_is_written_as_by_one_machine(rules: Network, tmp_path: Path) -> None:
    whole = export(freeze_inputs(realize(rules)), "sonata", tmp_path / "whole").path
    job = join_shards(write(realize(rules), tmp_path / "shards", 2))
    joined = export(freeze_inputs(job.instance), job.format, tmp_path / "joined", job.options).path
    assert contents(joined) == contents(whole)
    assert any(name.startswith("inputs/background") for name in contents(whole))


def test_a_seed_that_was_given_is_kept(rules: Network, tmp_path: Path) -> None:
    whole = export(realize(rules, 11), "sonata", tmp_path / "whole").path
    assert contents(join(write(realize(rules, 11), tmp_path / "shards", 2), tmp_path / "joined")) == contents(whole)


@pytest.mark.usefixtures("small_chunks")
def test_any_range_of_synapses_is_that_part_of_all_of_them(rules: Network) -> None:
    rng = np.random.default_rng(1)
    for name, edges in realize(rules).projections.items():
        everything = list(edges.blocks(10_000))
        columns = {
            c: np.concatenate([getattr(b, c) for b in everything]) for c in ("source", "target", "weight", "delay")
        }
        ends = [(0, edges.n_edges), (0, 1), (edges.n_edges - 1, edges.n_edges), (2, 2)]
        ends += [tuple(sorted(rng.integers(0, edges.n_edges + 1, 2))) for _ in range(20)]
        for first, last in ends:
            part = edges.part(range(int(first), int(last)))
            assert (part.name, part.n_edges, part.order) == (name, last - first, edges.order)
            for max_edges in (1, 30, 10_000):
                blocks = list(part.blocks(max_edges))
                assert all(0 < len(block) <= max_edges for block in blocks)
                for column, values in columns.items():
                    got = np.concatenate([getattr(b, column) for b in blocks] or [values[:0]])
                    assert np.array_equal(got, values[first:last])


@pytest.mark.usefixtures("small_chunks")
def test_shards_are_equal_and_draw_little_more_than_their_share(
    rules: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = realize(rules)
    drawn: list[tuple[str, int]] = []
    real = realisation.RealizedEdges._draw_chunk

    def noted(self: realisation.RealizedEdges, chunk: int) -> EdgeBlock:
        drawn.append((self.name, chunk))
        return real(self, chunk)

    monkeypatch.setattr(realisation.RealizedEdges, "_draw_chunk", noted)
    whole = instance.digest()
    chunks = sorted(drawn)
    drawn.clear()
    together = {name: EdgeDigest() for name in whole.edges}
    for number in range(1, 8):
        share = share_of(instance, Shard(number, 7))
        assert abs(share.n_edges - instance.n_edges / 7) < 1
        for name, digest in share.digest().edges.items():
            together[name] += digest
    assert together == whole.edges
    assert sorted(set(drawn)) == chunks
    assert len(drawn) <= len(chunks) + 6  # one at each cut belongs to two shards


@pytest.fixture(scope="module")
def three(rules: Network, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three shards; not to be changed."""
    return write(realize(rules), tmp_path_factory.mktemp("shards"), 3)


def refused(paths: list[Path], out: Path, says: str) -> None:
    before = sorted(out.parent.iterdir())
    with pytest.raises(InterchangeError, match=says) as error:
        join(paths, out)
    assert "\n" not in str(error.value)
    assert sorted(out.parent.iterdir()) == before


def test_shards_that_are_not_all_there_once(three: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "joined"
    refused([], out, "no shards are given")
    refused(three[1:], out, "^shard 1/3 is missing: there are 2 of 3$")
    refused(three[:1], out, "^shard 2/3 and 1 more is missing: there are 1 of 3$")
    again = shutil.copytree(three[1], tmp_path / "again")
    refused([*three, again], out, r"again: is shard 2/3, as is .*/2$")
    refused([three[0], *three], out, r"1: is shard 1/3, as is .*/1$")


def test_shards_of_different_exports(three: list[Path], rules: Network, tmp_path: Path) -> None:
    other = rules.model_copy(update={"name": "other"})
    longer = rules.model_copy(update={"simulation": rules.simulation.model_copy(update={"duration": 60.0})})
    cases: list[tuple[str, NetworkInstance, SonataOptions, Shard, str]] = [
        ("seed", realize(rules, 4), SonataOptions(), Shard(2, 3), "seed: 4, but 3 in .*/1"),
        ("options", realize(rules), SonataOptions(index="none"), Shard(2, 3), "options: index none, but index both"),
        ("model", realize(other), SonataOptions(), Shard(2, 3), "model: other, but rules in "),
        ("rules", realize(longer), SonataOptions(), Shard(2, 3), "model.yaml: not that of .*/1"),
        ("number", realize(rules), SonataOptions(), Shard(2, 4), r"is shard 2/4, but .* is shard 1/3"),
    ]
    for name, instance, options, shard, says in cases:
        path = export(instance, "sonata", tmp_path / name, options, shard=shard).path
        refused([three[0], path, three[2]], tmp_path / "joined", f"/{name}: {says}")


def test_directories_that_are_no_shards(three: list[Path], rules: Network, tmp_path: Path) -> None:
    whole = export(realize(rules), "sonata", tmp_path / "whole").path
    for wrong in (whole, tmp_path / "nothing"):
        refused([*three[:2], wrong], tmp_path / "joined", f"{wrong.name}/shard.json: cannot be read .*is this a shard?")


def edited(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        manifest = json.loads((path / "shard.json").read_text())
        change(manifest)
        (path / "shard.json").write_text(json.dumps(manifest))

    return edit


def changed_value(path: Path) -> None:
    with h5py.File(path / "edges.h5") as file:
        projection = file[next(iter(file))]
        offset = next(iter(projection.values())).id.get_offset()
    flip(path / "edges.h5", offset + 5)


def flip(path: Path, byte: int) -> None:
    with path.open("r+b") as file:
        file.seek(byte)
        value = file.read(1)[0]
        file.seek(byte)
        file.write(bytes([value ^ 128]))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "value": (changed_value, "edges.h5: .*: values differ from what was written"),
    "truncated": (lambda p: (p / "edges.h5").write_bytes((p / "edges.h5").read_bytes()[:-1]), "edges.h5 has .* bytes"),
    "gone": (lambda p: (p / "edges.h5").unlink(), "edges.h5 is missing"),
    "rules": (lambda p: flip(p / "model.yaml", 3), "model.yaml differs from what was written"),
    "manifest": (lambda p: (p / "shard.json").write_text("{"), "shard.json: not valid JSON"),
    "unfinished": (lambda p: (p / "shard.json").unlink(), "shard.json: cannot be read"),
    "versions": (edited(lambda m: m["created_by"].update(numpy="1.0")), "created_by: .*numpy 1.0, but .* in .*s0"),
    "neurons": (edited(lambda m: m["digest"]["nodes"].update(A="0")), "nodes: not that of .*s0"),
    "number": (edited(lambda m: m.update(shard="0/3")), "shard.json: shard 0/3: must be I/N"),
    "no number": (edited(lambda m: m.pop("shard")), "shard.json: shard 'None': must be I/N"),
    "block": (edited(lambda m: m["columns"].pop()), "edges.h5 groups, attributes or small datasets differ"),
    "length": (edited(lambda m: m["columns"][0].update(n=1)), "comes after|are in the shards"),
    "digests": (edited(lambda m: m.update(digest="none")), "shard.json: not what a shard says of itself"),
    "options": (edited(lambda m: m.update(options=[])), "options: "),
}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_named(three: list[Path], tmp_path: Path, damage: str, number: int) -> None:
    paths = [shutil.copytree(path, tmp_path / "shards" / f"s{i}") for i, path in enumerate(three)]
    change, says = DAMAGES[damage]
    change(paths[number])
    before = contents(tmp_path)
    with pytest.raises(FormatError, match=says) as error:
        join(paths, tmp_path / "joined")
    assert "\n" not in str(error.value)
    assert f"s{number}" in str(error.value) or damage == "length"
    assert contents(tmp_path) == before


def test_shards_of_another_version_or_another_processor(three: list[Path], tmp_path: Path) -> None:
    for name, change, says in (
        ("v", edited(lambda m: m["created_by"].update(numpy="1.0")), "v1: was written with .*, numpy 1.0, this is "),
        ("n", edited(lambda m: m["digest"]["nodes"].update(A="0")), "n1: nodes: not what its model.yaml gives here"),
    ):
        paths = [shutil.copytree(path, tmp_path / f"{name}{path.name}") for path in three]
        for path in paths:
            change(path)
        refused(paths, tmp_path / "joined", says)


@pytest.mark.parametrize("byte", range(0, 16, 3))
def test_no_value_is_used_before_it_was_checked(three: list[Path], tmp_path: Path, byte: int) -> None:
    """An id far beyond the population would otherwise end in an error of numpy's, or fill the memory."""
    damaged = shutil.copytree(three[0], tmp_path / "damaged")
    with h5py.File(damaged / "edges.h5") as file:
        offset = file["total/0"].id.get_offset()
    flip(damaged / "edges.h5", offset + byte)
    refused([damaged, *three[1:]], tmp_path / "joined", "damaged/edges.h5: total/0: values differ")


def test_an_interrupted_shard_leaves_nothing(rules: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shards._packed

    def interrupted(dtype: np.dtype, block: EdgeBlock) -> object:
        if dtype.itemsize == 20:
            raise KeyboardInterrupt
        return real(dtype, block)

    monkeypatch.setattr(shards, "_packed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export(realize(rules), "sonata", tmp_path / "out", shard=Shard(1, 1))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_shard_is_no_shard(tmp_path: Path) -> None:
    code = """
import os, sys
from mc_interchange import build, export, realize, shards
real, done = shards._packed, []
def killed(*arguments):
    done.append(1)
    if len(done) == 5:
        os.kill(os.getpid(), 9)
    return real(*arguments)
shards._packed = killed
export(realize(build("pd14", scale=0.01)), "sonata", sys.argv[1], shard=shards.Shard(1, 2))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "out"], check=False)
    assert done.returncode == -9
    left = list(tmp_path.iterdir())
    assert [path.name for path in left] == [".out.partial"]
    refused(left, tmp_path / "joined", "shard.json: cannot be read")


def test_a_shard_is_no_export(three: list[Path], tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"1: one shard of an export; join all of them first \(mc-export --join\)"):
        open_model(three[0])
    assert not (three[0] / "manifest.json").exists()
    assert not list(three[0].rglob("circuit_config*"))
    copy = shutil.copytree(three[0], tmp_path / "copy")
    with pytest.raises(InterchangeError, match="is a shard, not an export"):
        export(realize(build("pd14", scale=0.01)), "sonata", copy, force=True)


def test_only_what_is_drawn_from_rules_is_shared_out(rules: Network, tmp_path: Path) -> None:
    block = EdgeBlock(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.ones(1, np.float32), np.ones(1, np.int32))
    by_hand = replace(realize(rules), projections={"mine": ArrayEdges("mine", "A", "B", block)})
    imported = open_model(export(realize(rules), "sonata", tmp_path / "whole").path)
    for instance, name in ((by_hand, "mine"), (imported, "total"), (freeze_inputs(realize(rules)), "background_to_A")):
        with pytest.raises(UsageError, match=f"projection {name}: only synapses that are drawn from rules"):
            export(instance, "sonata", tmp_path / "out", shard=Shard(1, 2))


@pytest.mark.parametrize(
    ("text", "says"), [("0/3", "from 1 to N"), ("4/3", "from 1 to N"), ("1", "1/8"), ("a/b", "1/8")]
)
def test_shards_that_do_not_exist(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Shard.parse(text)


TEN_TIMES = """
import sys, time
from pathlib import Path
from mc_interchange import build, export, realize
from mc_interchange.exporters.sonata import SonataExporter, SonataOptions
from mc_interchange.shards import Shard

start = time.perf_counter()
instance = realize(build("pd14", n_scale=10.0, k_scale=1.0))
n_bytes = [SonataExporter().estimate(instance, SonataOptions(index=index)) for index in ("none", "both")]
planned = time.perf_counter() - start
result = export(instance, "sonata", sys.argv[1], shard=Shard(77, 200), workers=2)
peak = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
seconds = time.perf_counter() - start
print(instance.n_edges, *(n / instance.n_edges for n in n_bytes), planned, result.n_edges, seconds, peak / 2**10)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_three_billion_synapses_are_planned_and_a_share_of_them_is_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TEN_TIMES, tmp_path / "shard"], check=True, capture_output=True, text=True
    )
    n_edges, none, both, planned, share, seconds, peak = map(float, done.stdout.split())
    assert 2.9e9 < n_edges < 3.1e9
    assert 20 < none < 20.1
    assert 36 < both < 36.1
    assert abs(share - n_edges / 200) < 1
    assert planned < 20
    assert seconds < 60  # measured: 1 to 2 s
    assert peak < 300
