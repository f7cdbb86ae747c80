"""The HDF5 form of NeuroML: the same content as the XML, read by libNeuroML, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections import Counter as Counts
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import h5py
import neuroml.loaders
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuroml_content import Content, of_hdf5, of_xml

from mc_interchange import open_model
from mc_interchange.errors import FormatError, NotRepresentableError
from mc_interchange.export import ExportResult, export
from mc_interchange.exporters.neuroml import NeuroMLExporter, exporter
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.formats.neuroml import hdf5 as layout
from mc_interchange.instance import ArrayEdges, EdgeBlock, Edges, NetworkInstance, Nodes, Piece, realize
from mc_interchange.manifest import check_manifest
from mc_interchange.network import (
    AllToAll,
    Explicit,
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    PoissonActivity,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Slab,
    SpikeTrains,
    StepCurrent,
    TruncatedNormal,
    Uniform,
    Values,
    VirtualPopulation,
)

BASE = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
BASE |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}
DT = 0.1
DELAY = TruncatedNormal(mean=1.5, sd=0.75, min=DT)
COLUMN = Slab(width=200.0, depth_top=100.0, depth_bottom=1300.0)
ENCODINGS = ("xml", "hdf5")


def neuron(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})


def rich() -> NetworkInstance:
    """Return a network with every kind of part, and weights that float32 nA do not all hold."""
    return realize(
        Network(
            name="rich",
            description='a < b & "c" > d\x01, é',
            populations=(
                # not in alphabetical order
                Population(
                    name="Z",
                    size=12,
                    neuron=neuron(I_e=420.0),
                    initial_V_m=Normal(mean=-58.0, sd=5.0),
                    geometry=COLUMN,
                    color="#ff8000",
                ),
                Population(name="I", size=5, neuron=neuron(tau_syn_in=2.0)),
                VirtualPopulation(name="Trains", size=3, activity=SpikeTrains(times=((5.0, 5.0, 12.3), (), (7.7,)))),
                VirtualPopulation(name="B", size=4, activity=PoissonActivity(rate=15.0), geometry=COLUMN),
            ),
            projections=(
                Projection(
                    source="Z",
                    target="Z",
                    rule=FixedTotalNumber(number=90),
                    weight=Normal(mean=87.8, sd=8.8),
                    delay=DELAY,
                ),
                Projection(
                    source="Z",
                    target="I",
                    rule=FixedTotalNumber(number=40),
                    weight=Uniform(low=-90, high=90),
                    delay=DELAY,
                ),
                # constant, with more digits than float32 has
                Projection(source="I", target="Z", rule=AllToAll(), weight=-351.2345678901234, delay=0.7),
                Projection(
                    source="Trains",
                    target="I",
                    rule=Explicit(sources=(2, 0, 0, 2, 0), targets=(0, 4, 4, 1, 3)),
                    weight=Values(values=(0.1, -2.5, 1e-7, 3.0, 123456.789012345)),
                    delay=Values(values=(0.7, 1.5, 3.0, 0.1, 100.0)),
                ),
                Projection(source="B", target="Z", rule=AllToAll(), weight=87.81, delay=DELAY),
            ),
            inputs=(
                PoissonInput(name="background", target="Z", rate=12_800.0, weight=87.8123456789, delay=1.5),
                PoissonInput(name="burst", target="I", rate=800.0, weight=-10.0, delay=1.5, start=5.0, stop=25.0),
                StepCurrent(name="step", target="I", amplitude=30.0, start=10.0, stop=20.0, delay=1.0),
            ),
            simulation=Simulation(dt=DT, duration=40.0),
        )
    )


def write(instance: NetworkInstance, directory: Path, encoding: str, **how: Any) -> ExportResult:
    return export(instance, "neuroml", directory, NeuroMLOptions(encoding=encoding), **how)


def content(path: Path) -> Content:
    (file,) = [p for p in path.iterdir() if ".net.nml" in p.name]
    return of_hdf5(file, DT) if file.suffix == ".h5" else of_xml(file, DT)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportResult]:
    directory = tmp_path_factory.mktemp("neuroml")
    return {encoding: write(rich(), directory / encoding, encoding) for encoding in ENCODINGS}


def assert_same(xml: Content, hdf5: Content, *, changed: tuple[str, ...] = ()) -> None:
    """Compare two contents; weights of lists whose identifier begins with one of ``changed`` are equal as float32."""
    assert hdf5.heading == xml.heading
    assert hdf5.properties == xml.properties
    assert list(hdf5.populations) == list(xml.populations)
    assert hdf5.populations == xml.populations
    for part in ("projections", "inputs"):
        ours, theirs = getattr(hdf5, part), getattr(xml, part)
        assert list(ours) == list(theirs)
        for name, (ends, rows) in theirs.items():
            assert ours[name][0] == ends
            if name.startswith(changed) and changed:
                at = 2 if part == "projections" else 1
                for row, found in zip(rows, ours[name][1], strict=True):
                    assert found[:at] + found[at + 1 :] == row[:at] + row[at + 1 :]
                    assert np.float32(found[at] / 1000) == np.float32(row[at] / 1000)
            else:
                assert ours[name][1] == rows


# --- content


def test_both_encodings_hold_the_same(exports: dict[str, ExportResult]) -> None:
    xml, hdf5 = (content(exports[encoding].path) for encoding in ENCODINGS)
    assert_same(xml, hdf5, changed=("Trains_to_I", "initial_V_m_Z"))
    assert sum(len(rows) for _, rows in hdf5.projections.values()) > rich().n_edges  # a layer repeats them
    assert exports["hdf5"].digest == exports["xml"].digest == rich().digest()


def test_order_positions_and_properties(exports: dict[str, ExportResult]) -> None:
    with h5py.File(exports["hdf5"].path / "rich.net.nml.h5") as file:
        network = file["neuroml/network"]
        names = [g.attrs["id"] for k, g in network.items() if k.startswith("population_")]
        assert names == ["Z", "I", "Trains_0", "Trains_1", "Trains_2", "Trains_0_layer_1", "B"]
        about = {name: dict(network[f"population_{name}"].attrs) for name in names}
        assert about["Z"]["property:color"] == "1 0.502 0"
        assert "property:positions" not in about["Z"]
        assert about["I"]["property:positions"] == "none"
        assert about["Trains_0_layer_1"]["property:source"] == "Trains/0"
        assert {a["type"] for a in about.values()} == {"populationList"}
        assert network["population_Z/Z"].shape == (12, 3)


def test_what_float32_changes_is_reported_with_the_figure(exports: dict[str, ExportResult]) -> None:
    losses = {loss.what: loss for loss in exports["hdf5"].losses}
    assert not any(what.startswith("weights") for what in (loss.what for loss in exports["xml"].losses))
    (what,) = [what for what in losses if what.startswith("weights")]
    assert what == "weights of Trains_to_I, initial_V_m_Z"
    found = of_hdf5(exports["hdf5"].path / "rich.net.nml.h5", DT).projections
    given = of_xml(exports["xml"].path / "rich.net.nml", DT).projections
    pulses = [c.inputs["initial_V_m_Z"][1] for c in (content(exports[e].path) for e in ENCODINGS)]
    pairs = [
        (row[2], was[2])
        for name, (_, rows) in found.items()
        if name.startswith("Trains_to_I")
        for row, was in zip(rows, given[name][1], strict=True)
    ] + [(row[1], was[1]) for was, row in zip(*pulses, strict=True)]
    deviations = [abs(a / b - 1) for a, b in pairs if a != b]
    assert 0 < len(deviations) < len(pairs)
    assert losses[what].how == "approximated"
    assert f" {len(deviations)} of " in losses[what].detail
    assert f"up to {max(deviations):.2g} of their size" in losses[what].detail
    assert max(deviations) < 2**-23


def test_constant_weights_come_back_whatever_their_digits(exports: dict[str, ExportResult]) -> None:
    hdf5 = content(exports["hdf5"].path)
    assert {row[2] for row in hdf5.projections["I_to_Z"][1]} == {-351.2345678901234}
    assert {row[2] for row in hdf5.projections["B_to_Z"][1]} == {87.81}
    assert {weight for _, weight in hdf5.inputs["background_list"][1]} == {87.8123456789}


def test_constant_weights_come_back_by_the_importer_without_rules(tmp_path: Path) -> None:
    instance = replace(rich(), network=None)
    path = write(instance, tmp_path / "rich", "hdf5").path
    back = open_model(path)
    assert back.network is None
    for name, weight in (("I_to_Z", -351.2345678901234), ("B_to_Z", 87.81)):
        assert {w for block in back.projections[name].blocks() for w in block.weight.tolist()} == {weight}
    assert back.inputs[0] == instance.inputs[0]
    # the attribute says what the stored number stands for, not that all others are wrong
    with h5py.File(path / "rich.net.nml.h5", "r+") as file:
        file["neuroml/network/projection_B_to_Z/B_to_Z"][5, 2] = 0.5
    changed = [w for block in open_model(path).projections["B_to_Z"].blocks() for w in block.weight.tolist()]
    assert Counts(changed) == {87.81: 47, 500.0: 1}
    with h5py.File(path / "rich.net.nml.h5", "r+") as file:
        file["neuroml/network/projection_B_to_Z/B_to_Z"].attrs["constant_weight"] = "much"
    with pytest.raises(FormatError, match="B_to_Z: constant_weight must be"):
        open_model(path)


def test_strict_refuses_what_only_writing_shows(tmp_path: Path) -> None:
    values = EdgeBlock(
        np.zeros(2, np.uint32), np.zeros(2, np.uint32), np.array([1.0, 87.812345678]), np.ones(2, np.int32)
    )
    instance = single(ArrayEdges("A_to_A", "A", "A", values))
    write(instance, tmp_path / "xml", "xml", strict=True)
    with pytest.raises(NotRepresentableError, match=r"weights of A_to_A: approximated, HDF5 holds .* 1 of 2"):
        write(instance, tmp_path / "hdf5", "hdf5", strict=True)
    assert [p.name for p in tmp_path.iterdir()] == ["xml"]


def test_positions_that_float32_changes_are_reported(tmp_path: Path) -> None:
    block = EdgeBlock(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.ones(1, np.float32), np.ones(1, np.int32))
    instance = single(ArrayEdges("A_to_A", "A", "A", block))
    for x, expected in ((123.4, []), (1234.56789012, ["positions"])):
        nodes = replace(instance.populations["A"], positions=np.array([[x, -1.5, 0.0]]))
        result = write(replace(instance, populations={"A": nodes}), tmp_path / str(x), "hdf5")
        assert [loss.what for loss in result.losses] == expected
    deviation = abs(float(str(np.float32(x))) - x)
    assert f"up to {deviation:.2g} um" in result.losses[0].detail


def single(*projections: Edges, size: int = 1) -> NetworkInstance:
    base = realize(Network(name="one", populations=(Population(name="A", size=size, neuron=neuron()),)))
    return replace(base, projections={p.name: p for p in projections}, network=None)


# --- numbers


@given(st.floats(min_value=1e-6, max_value=1e6), st.sampled_from([-1, 1]))
def test_weights_with_20_bits_come_back(value: float, sign: int) -> None:
    bits = np.array([sign * value], np.float32).view(np.uint32)
    drawn = ((bits + np.uint32(8)) & np.uint32(0xFFFFFFF0)).view(np.float32)
    assert layout.from_single(layout.to_single(drawn)) == drawn


@given(st.integers(1, 10**9 - 1), st.integers(-12, 6))
def test_shortest_decimals(digits: int, exponent: int) -> None:
    stored = np.array([float(f"{digits}e{exponent}")], np.float32)
    assert layout.shortest(stored)[0] == float(str(stored[0]))
    assert layout.shortest(-stored, 3)[0] == float(Decimal(str(-stored[0])).scaleb(3))


def test_numbers_that_are_none_of_both() -> None:
    odd = np.array([0.0, -0.0, 1e-40, 3e38], np.float32)
    np.testing.assert_array_equal(layout.shortest(odd), odd.astype(float))
    np.testing.assert_array_equal(layout.from_single(np.zeros(2, np.float32)), [0, 0])


# --- other readers


def test_libneuroml_reads_both_and_finds_the_same(exports: dict[str, ExportResult]) -> None:
    names = {"xml": "rich.net.nml", "hdf5": "rich.net.nml.h5"}
    documents = {e: neuroml.loaders.read_neuroml2_file(str(exports[e].path / n)) for e, n in names.items()}
    xml, hdf5 = (documents[e].networks[0] for e in ENCODINGS)
    assert hdf5.id == xml.id
    assert hdf5.notes == xml.notes

    def populations(network: Any) -> dict[str, Any]:
        places = {}
        for p in network.populations:
            where = [(i.id, np.float32(i.location.x), np.float32(i.location.y)) for i in p.instances]
            properties = {q.tag: q.value for q in p.properties}
            if properties.pop("positions", None):
                where = []
            places[p.id] = (p.component, p.get_size(), where, properties)
        return places

    def connections(network: Any) -> dict[str, Any]:
        return {
            p.id: [
                (p.presynaptic_population, p.postsynaptic_population, p.synapse),
                [
                    (c.get_pre_cell_id(), c.get_post_cell_id(), np.float32(c.weight), np.float32(c.get_delay_in_ms()))
                    for c in p.connection_wds
                ],
            ]
            for p in network.projections
        }

    def inputs(network: Any) -> dict[str, Any]:
        return {
            i.id: [
                (i.component, i.populations),
                [(k.id, k.get_target_cell_id(), np.float32(getattr(k, "weight", 1))) for k in i.input + i.input_ws],
            ]
            for i in network.input_lists
        }

    assert populations(hdf5) == populations(xml)
    assert connections(hdf5) == connections(xml)
    assert inputs(hdf5) == inputs(xml)
    # what is included stands in the attribute with the XML around the network
    assert {c.id for c in documents["hdf5"].IF_curr_exp} == {"Z_cell", "I_cell"}


def test_libneuroml_reads_arrays(exports: dict[str, ExportResult]) -> None:
    path = str(exports["hdf5"].path / "rich.net.nml.h5")
    network = neuroml.loaders.read_neuroml2_file(path, optimized=True).networks[0]
    expected = content(exports["hdf5"].path)
    for projection in network.projections:
        found = [(c.get_pre_cell_id(), c.get_post_cell_id()) for c in projection.connections]
        assert found == [row[:2] for row in expected.projections[projection.id][1]]
        indices = projection.connections.indices
        assert [indices[name] for name in layout.CONNECTIONS] == [0, 1, 2, 3]
    for inputs in network.input_lists:
        assert [i.get_target_cell_id() for i in inputs.input] == [row[0] for row in expected.inputs[inputs.id][1]]
    assert {p.id: p.size for p in network.populations} == {k: p[1] for k, p in expected.populations.items()}


# --- streams


def many(n: int, size: int = 50) -> NetworkInstance:
    """Return a network with ``n`` synapses of both signs onto cells that have two time constants."""
    rng = np.random.default_rng(5)
    block = EdgeBlock(
        rng.integers(0, size, n).astype(np.uint32),
        rng.integers(0, size, n).astype(np.uint32),
        (rng.integers(-(2**19), 2**19, n) / 1024).astype(np.float32),
        rng.integers(1, 30, n).astype(np.int32),
    )
    instance = single(ArrayEdges("A_to_A", "A", "A", block), size=size)
    nodes = replace(instance.populations["A"], neuron=neuron(tau_syn_in=2.0))
    return replace(instance, populations={"A": nodes})


@pytest.mark.parametrize("split", [False, True])
def test_memory_does_not_grow_with_synapses(tmp_path: Path, split: bool) -> None:
    peaks = []
    for n in (2_000_000, 4_000_000):
        instance = many(n)
        if not split:
            one = replace(instance.populations["A"], neuron=neuron())
            instance = replace(instance, populations={"A": one})
        (tmp_path / str(n)).mkdir()
        tracemalloc.start()
        NeuroMLExporter().write(
            instance, tmp_path / str(n), NeuroMLOptions(encoding="hdf5"), workers=2, progress=Counter()
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        size = (tmp_path / str(n) / "one.net.nml.h5").stat().st_size
        assert 16 * n < size < 16 * n + 20_000
    # threads are not always equally far, by up to a few blocks of 4 MB; the synapses grew by 32 MB
    assert peaks[1] < peaks[0] + 16e6


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_both_signs_are_drawn_once_and_come_in_order(tmp_path: Path, encoding: str) -> None:
    instance = many(300_000, size=7)
    (block,) = instance.projections["A_to_A"].blocks()
    files = []
    for workers in (1, 3):
        progress = Counter()
        result = write(instance, tmp_path / str(workers), encoding, workers=workers, progress=progress)
        assert progress.done == progress.total == 300_000
        files.append(next(result.path.glob("*.net.nml*")).read_bytes())
    assert files[0] == files[1]
    found = content(result.path).projections
    assert list(found) == ["A_to_A", "A_to_A_inhibitory"]
    for name, chosen in (("A_to_A", block.weight >= 0), ("A_to_A_inhibitory", block.weight < 0)):
        columns = [x[chosen].tolist() for x in (block.source, block.target, block.weight.astype(float), block.delay)]
        assert found[name][1] == list(zip(*columns, strict=True))
    assert result.digest.edges == instance.digest().edges


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_interruption_leaves_nothing(tmp_path: Path, encoding: str) -> None:
    class Interrupted(ArrayEdges):
        def pieces(self, max_edges: int = 1) -> Iterator[Piece]:
            yield from list(super().pieces(100_000))[:2]
            raise KeyboardInterrupt

    instance = many(300_000)
    (block,) = instance.projections["A_to_A"].blocks()
    instance = replace(instance, projections={"A_to_A": Interrupted("A_to_A", "A", "A", block)})
    with pytest.raises(KeyboardInterrupt):
        write(instance, tmp_path / "out", encoding)
    assert list(tmp_path.iterdir()) == []


class Counter:
    done = total = 0.0

    def task(self, label: str, total: float, unit: str) -> None:
        self.total = total

    def advance(self, amount: float) -> None:
        self.done += amount


def test_the_manifest_knows_every_column(tmp_path: Path) -> None:
    path = write(many(200_000), tmp_path / "out", "hdf5").path
    assert check_manifest(path) == []
    for name, row in (("projection_A_to_A/A_to_A", 7), ("population_A/A", 3)):
        with h5py.File(path / "one.net.nml.h5", "r+") as file:
            dataset = file[f"neuroml/network/{name}"]
            before = dataset[row, 1]
            dataset[row, 1] = before + 1
        assert [f.file for f in check_manifest(path)] == ["one.net.nml.h5"]
        with h5py.File(path / "one.net.nml.h5", "r+") as file:
            file[f"neuroml/network/{name}"][row, 1] = before
    assert check_manifest(path) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_estimate_is_about_right(tmp_path: Path, encoding: str) -> None:
    spooled = 20 * 100_000
    for instance, aside in ((many(100_000), spooled), (rich(), 0)):
        path = write(instance, tmp_path / instance.name, encoding).path
        written = sum(p.stat().st_size for p in path.glob("*n*ml*") if p.name != "model.yaml")
        estimate = NeuroMLExporter().estimate(instance, NeuroMLOptions(encoding=encoding)) - aside
        assert 0.8 * written < estimate < 1.6 * written


# --- the choice, and refusals


def test_auto_takes_xml_up_to_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = many(1000)
    for limit, name in ((1000, "one.net.nml"), (999, "one.net.nml.h5")):
        monkeypatch.setattr(exporter, "MOST_AS_XML", limit)
        path = write(instance, tmp_path / str(limit), "auto").path
        assert [p.name for p in path.iterdir() if ".net.nml" in p.name] == [name]
        assert f'<Include file="{name}"/>' in (path / "LEMS_one.xml").read_text()
    assert NeuroMLOptions().encoding == "auto"


def test_numbers_that_float32_does_not_tell_apart_are_refused(tmp_path: Path) -> None:
    crowd = Nodes("crowd", layout.MAX_ID + 1, activity=PoissonActivity(rate=1.0))
    instance = single()
    crowded = replace(instance, populations={**instance.populations, "crowd": crowd})
    with pytest.raises(NotRepresentableError, match=r"population crowd: 16777217 cells are more than .*--encoding xml"):
        write(crowded, tmp_path / "a", "hdf5")
    background = PoissonInput(name="background", target="A", rate=5e7, weight=1.0, delay=1.0)
    large = replace(single(size=300), inputs=(background,))
    with pytest.raises(NotRepresentableError, match=r"input background: 18750000 inputs are more than"):
        write(large, tmp_path / "b", "hdf5")
    block = EdgeBlock(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.full(1, 1e45), np.ones(1, np.int32))
    with pytest.raises(NotRepresentableError, match="A_to_A: weights are too large"):
        write(single(ArrayEdges("A_to_A", "A", "A", block)), tmp_path / "c", "hdf5")
    late = EdgeBlock(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.ones(1), np.full(1, 2**30 + 1, np.int32))
    with pytest.raises(NotRepresentableError, match="A_to_A: HDF5's float32 delays cannot hold"):
        write(single(ArrayEdges("A_to_A", "A", "A", late)), tmp_path / "d", "hdf5")
    assert list(tmp_path.iterdir()) == []


def test_names_that_clash_stay_apart(tmp_path: Path) -> None:
    network = Network(
        name="clash",
        populations=(
            VirtualPopulation(name="T", size=2, activity=SpikeTrains(times=((1.0,), (2.0,)))),
            Population(name="A", size=2, neuron=neuron()),
        ),
        projections=(
            Projection(name="p", source="T", target="A", rule=AllToAll(), weight=1.0, delay=1.0),
            Projection(name="p_from_1", source="A", target="A", rule=AllToAll(), weight=1.0, delay=1.0),
        ),
    )
    for encoding in ENCODINGS:
        found = content(write(realize(network), tmp_path / encoding, encoding).path).projections
        assert sorted(len(rows) for _, rows in found.values()) == [2, 2, 4]


# --- anything


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw a small network of any parts."""
    number = st.floats(-500, 500).map(lambda x: round(x, 3))
    populations: list[Any] = []
    for name in draw(st.sampled_from(["BA", "AB", "A"])):
        populations.append(
            Population(
                name=name,
                size=draw(st.integers(1, 4)),
                neuron=neuron(tau_syn_in=draw(st.sampled_from([0.5, 2.0]))),
                initial_V_m=draw(st.sampled_from([-60.0, Normal(mean=-58.0, sd=2.0)])),
                geometry=draw(st.sampled_from([None, COLUMN])),
                color=draw(st.sampled_from([None, "#123456"])),
            )
        )
    trains = draw(st.lists(st.lists(st.sampled_from([1.0, 2.5, 7.3]), max_size=4).map(sorted), min_size=1, max_size=3))
    populations.append(
        VirtualPopulation(
            name="T",
            size=len(trains),
            activity=SpikeTrains(times=tuple(map(tuple, trains))),
            geometry=draw(st.sampled_from([None, COLUMN])),
        )
    )
    names = [p.name for p in populations]
    weights = st.one_of(number, st.sampled_from([Normal(mean=80.0, sd=100.0), Uniform(low=-1.0, high=90.0)]))
    projections = [
        Projection(
            name=f"p{k}",
            source=draw(st.sampled_from(names)),
            target=draw(st.sampled_from(names[:-1])),
            rule=draw(st.sampled_from([AllToAll(), FixedTotalNumber(number=7)])),
            weight=draw(weights),
            delay=draw(st.sampled_from([DELAY, 0.7, 12.3])),
        )
        for k in range(draw(st.integers(0, 3)))
    ]
    inputs = draw(
        st.lists(
            st.sampled_from(
                [
                    StepCurrent(name="step", target="A", amplitude=30.0, start=1.0, stop=2.0),
                    PoissonInput(name="noise", target="A", rate=2000.0, weight=87.81, delay=1.0),
                ]
            ),
            unique_by=lambda i: i.name,
        )
    )
    return Network(
        name="any",
        populations=tuple(populations),
        projections=tuple(projections),
        inputs=tuple(inputs),
        simulation=Simulation(dt=DT, duration=20.0),
    )


@settings(max_examples=25, deadline=None)
@given(networks(), st.booleans(), st.sampled_from([1, 2]))
def test_any_network_is_the_same_in_both(
    tmp_path_factory: pytest.TempPathFactory, network: Network, pulse: bool, workers: int
) -> None:
    instance = realize(network)
    directory = tmp_path_factory.mktemp("any")
    found = {}
    for encoding in ENCODINGS:
        options = NeuroMLOptions(encoding=encoding, initial_pulse=pulse)
        result = export(instance, "neuroml", directory / encoding, options, workers=workers)
        assert result.digest == instance.digest()
        found[encoding] = content(result.path)
        text = (result.path / "LEMS_any.xml").read_text()
        for name, (component, size, places, properties) in found[encoding].populations.items():
            listed = encoding == "hdf5" or places or properties
            last = f"{name}/{size - 1}/{component}" if listed else f"{name}[{size - 1}]"
            assert f'select="{last}"' in text or "layer" in properties
        assert check_manifest(result.path) == []
    assert_same(found["xml"], found["hdf5"], changed=tuple(k for k in found["xml"].inputs if k.startswith("initial")))
