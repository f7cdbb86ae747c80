"""The NeuroML exporter against libNeuroML, the schema, and the instance itself (no Java; see tests/consumers)."""

from __future__ import annotations

import re
import tracemalloc
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import neuroml.loaders
import numpy as np
import pytest
from lxml import etree
from neuroml.utils import validate_neuroml2

from mc_interchange.errors import NotRepresentableError
from mc_interchange.export import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.exporters.neuroml.connections import weight_texts
from mc_interchange.exporters.neuroml.xml import element, text_element
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import ArrayEdges, EdgeBlock, MixedNeurons, NetworkInstance, realize
from mc_interchange.network import (
    AllToAll,
    Explicit,
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    OneToOne,
    PairwiseBernoulli,
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
    VoltageRecording,
)
from mc_interchange.reading import build, open_model

NML = f"{{{fmt.NAMESPACE}}}"
BASE = {
    "C_m": 250.0,
    "tau_m": 10.0,
    "tau_syn_ex": 0.5,
    "tau_syn_in": 0.5,
    "t_ref": 2.0,
    "E_L": -65.0,
    "V_th": -50.0,
    "V_reset": -65.0,
}
DELAY = TruncatedNormal(mean=1.5, sd=0.75, min=0.1)
TRAINS = SpikeTrains(times=((5.0, 12.3), (), (7.7,)))


def neuron(**changes: float) -> Neuron:
    return Neuron(model="iaf_psc_exp", parameters={**BASE, **changes})


def population(name: str, size: int, **parts: object) -> Population:
    return Population(**{"name": name, "size": size, "neuron": neuron(), **parts})


def rich_network(**changes: object) -> Network:
    """Make a network with every part that the exporter writes."""
    column = Slab(width=200.0, depth_top=100.0, depth_bottom=300.0)
    e = population(
        "E", 12, neuron=neuron(I_e=420.0), initial_V_m=Normal(mean=-58.0, sd=5.0), geometry=column, color="#ff8000"
    )
    i = population("I", 5, neuron=neuron(tau_syn_in=2.0))
    parts: dict[str, object] = {
        "name": "rich",
        "description": 'a < b & "c" > d\x01, é',
        "populations": (
            e,
            i,
            VirtualPopulation(name="Trains", size=3, activity=TRAINS),
            VirtualPopulation(
                name="Thalamus", size=4, activity=PoissonActivity(rate=15.0, start=10.0, stop=20.0), geometry=column
            ),
            VirtualPopulation(name="Silent", size=2, activity=PoissonActivity(rate=0.0)),
        ),
        "projections": (
            Projection(
                source="E", target="E", rule=FixedTotalNumber(number=90), weight=Normal(mean=87.8, sd=8.8), delay=DELAY
            ),
            # both signs onto two time constants: becomes two projections
            Projection(
                source="E",
                target="I",
                rule=PairwiseBernoulli(probability=0.5),
                weight=Uniform(low=-90, high=90),
                delay=DELAY,
            ),
            Projection(source="I", target="E", rule=AllToAll(), weight=-351.3, delay=0.7),
            Projection(
                source="Trains",
                target="I",
                rule=Explicit(sources=(2, 0, 0, 2, 0), targets=(0, 4, 4, 1, 3)),
                weight=Values(values=(0.1, -2.5, 1e-7, 3.0, 123456.789012345)),
                delay=Values(values=(0.7, 1.5, 3.0, 0.1, 100.0)),
            ),
            Projection(source="Thalamus", target="E", rule=AllToAll(), weight=Normal(mean=80, sd=8), delay=DELAY),
        ),
        "inputs": (
            PoissonInput(name="background", target="E", rate=12_800.0, weight=87.81, delay=1.5),
            PoissonInput(name="burst", target="I", rate=800.0, weight=-10.0, delay=1.5, start=5.0, stop=25.0),
            StepCurrent(name="step", target="I", amplitude=30.0, start=10.0, stop=20.0, delay=1.0),
        ),
        "simulation": Simulation(
            duration=40.0,
            discard=10.0,
            record_spikes=("E", "Trains"),
            record_V_m=(VoltageRecording(population="I", neurons=(0, 3)),),
        ),
        **changes,
    }
    return Network(**parts)


@pytest.fixture(scope="module")
def rich() -> NetworkInstance:
    return realize(rich_network())


@pytest.fixture(scope="module")
def rich_export(rich: NetworkInstance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(rich, "neuroml", tmp_path_factory.mktemp("neuroml") / "rich").path


def expected_edges(instance: NetworkInstance) -> Counter[tuple[object, ...]]:
    """Return the multiset of (source, index, target, index, weight in pA, delay in steps)."""
    return Counter(
        (edges.source, s, edges.target, t, w, d)
        for edges in instance.projections.values()
        for block in edges.blocks()
        for s, t, w, d in zip(
            block.source.tolist(), block.target.tolist(), block.weight.tolist(), block.delay.tolist(), strict=True
        )
    )


def read_edges(path: Path, instance: NetworkInstance) -> Counter[tuple[object, ...]]:
    """Return the same multiset as libNeuroML reads it."""
    document = neuroml.loaders.read_neuroml2_file(str(path), include_includes=True)
    found: Counter[tuple[object, ...]] = Counter()
    dtype = {(e.source, e.target): e.weight_dtype for e in instance.projections.values()}
    for projection in document.networks[0].projections:
        # a spike train is a population of its own: Trains_2
        source, _, member = projection.presynaptic_population.partition("_")
        target = projection.postsynaptic_population
        for c in projection.connection_wds:
            assert f"../{projection.presynaptic_population}" in c.pre_cell_id
            assert c.post_cell_id.startswith(f"../{target}")
            index = int(member) if member else c.get_pre_cell_id()
            weight = float(dtype[source, target].type(round(float(c.weight) * 1000, 12)))
            steps = float(c.delay.removesuffix("ms")) / instance.simulation.dt
            assert steps == pytest.approx(round(steps), abs=1e-9)
            found[source, index, target, c.get_post_cell_id(), weight, round(steps)] += 1
    return found


def test_libneuroml_reads_every_connection(rich: NetworkInstance, rich_export: Path) -> None:
    assert read_edges(rich_export / "rich.net.nml", rich) == expected_edges(rich)
    assert sum(expected_edges(rich).values()) == rich.n_edges > 200


def test_pd14_connections_cells_and_schema(tmp_path: Path) -> None:
    instance = realize(build("pd14", n_scale=0.002, k_scale=0.01))
    result = export(instance, "neuroml", tmp_path / "pd14")
    assert read_edges(result.path / "pd14.net.nml", instance) == expected_edges(instance)
    for name in ("pd14.net.nml", "pd14.cells.nml"):
        validate_neuroml2(str(result.path / name))
    network = neuroml.loaders.read_neuroml2_file(str(result.path / "pd14.net.nml")).networks[0]
    assert {p.id: p.get_size() for p in network.populations} == {n: p.size for n, p in instance.populations.items()}
    assert result.digest == instance.digest()


@pytest.mark.parametrize("name", ["rich.net.nml", "rich.cells.nml"])
def test_libneuroml_validates_against_the_schema(rich_export: Path, name: str) -> None:
    validate_neuroml2(str(rich_export / name))  # raises where it does not


def test_schema_validation_can_fail(rich_export: Path, tmp_path: Path) -> None:
    text = (rich_export / "rich.cells.nml").read_text(encoding="utf-8").replace("tau_m=", "taum=", 1)
    (tmp_path / "bad.nml").write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match=r"taum|tau_m"):
        validate_neuroml2(str(tmp_path / "bad.nml"))


def test_cells_have_nf_na_mv_ms(rich_export: Path) -> None:
    cells = etree.parse(rich_export / "rich.cells.nml").getroot()
    e = cells.find(f"{NML}IF_curr_exp[@id='E_cell']").attrib
    assert {k: float(e[k]) for k in e if k not in ("id", "v_init")} == {
        "cm": 0.25,
        "i_offset": 0.42,
        "tau_m": 10,
        "tau_refrac": 2,
        "tau_syn_E": 0.5,
        "tau_syn_I": 0.5,
        "v_reset": -65,
        "v_rest": -65,
        "v_thresh": -50,
    }
    assert [(s.get("id"), s.get("tau_syn")) for s in cells.findall(f"{NML}expCurrSynapse")] == [
        ("psc_0_5", "0.5"),
        ("psc_2", "2"),
    ]


def test_the_sign_chooses_the_synapse(rich_export: Path) -> None:
    net = etree.parse(rich_export / "rich.net.nml").getroot().find(f"{NML}network")
    signs = {}
    for projection in net.findall(f"{NML}projection"):
        if projection.get("postsynapticPopulation") == "I":
            weights = [float(c.get("weight")) for c in projection]
            signs.setdefault(projection.get("synapse"), set()).update(w > 0 for w in weights)
            assert [int(c.get("id")) for c in projection] == list(range(len(weights)))
    assert signs == {"psc_0_5": {True}, "psc_2": {False}}
    # where one synapse serves both signs, there is one projection
    onto_e = [p.get("id") for p in net.findall(f"{NML}projection") if p.get("postsynapticPopulation") == "E"]
    assert onto_e == ["E_to_E", "I_to_E", "Thalamus_to_E"]


def test_spike_trains_become_one_population_each(rich_export: Path) -> None:
    cells = etree.parse(rich_export / "rich.cells.nml").getroot()
    times = [[s.get("time") for s in array] for array in cells.findall(f"{NML}spikeArray")]
    assert times == [["5ms", "12.3ms"], [], ["7.7ms"], []]  # the last one is Silent
    net = etree.parse(rich_export / "rich.net.nml").getroot().find(f"{NML}network")
    sources = [p.get("presynapticPopulation") for p in net.findall(f"{NML}projection")]
    assert [s for s in sources if s.startswith("Trains")] == ["Trains_0", "Trains_2", "Trains_0"]
    assert not list(rich_export.glob("*scratch*"))


def test_inputs(rich_export: Path) -> None:
    cells = etree.parse(rich_export / "rich.cells.nml").getroot()
    assert dict(cells.find(f"{NML}poissonFiringSynapse").attrib) == {
        "id": "background",
        "averageRate": "800Hz",
        "synapse": "psc_0_5",
        "spikeTarget": "./psc_0_5",
    }
    assert dict(cells.find(f"{NML}transientPoissonFiringSynapse").attrib) == {
        "id": "burst",
        "averageRate": "800Hz",
        "delay": "6.5ms",
        "duration": "20ms",
        "synapse": "psc_2",
        "spikeTarget": "./psc_2",
    }
    pulse = cells.find(f"{NML}pulseGenerator[@id='step']").attrib
    assert (pulse["delay"], pulse["duration"], pulse["amplitude"]) == ("11ms", "10ms", "0.03nA")
    thalamus = cells.find(f"{NML}SpikeSourcePoisson").attrib
    assert (thalamus["start"], thalamus["duration"], thalamus["rate"]) == ("10ms", "10ms", "15Hz")
    net = etree.parse(rich_export / "rich.net.nml").getroot().find(f"{NML}network")
    background = net.find(f"{NML}inputList[@id='background_list']")
    assert Counter(i.get("target") for i in background) == {f"../E/{n}/E_cell": 16 for n in range(12)}
    assert {i.get("weight") for i in background} == {"0.08781"}
    assert len({i.get("id") for i in background}) == 192


def test_initial_pulse_restores_each_potential(rich: NetworkInstance, rich_export: Path) -> None:
    cells = etree.parse(rich_export / "rich.cells.nml").getroot()
    v_init = float(cells.find(f"{NML}IF_curr_exp[@id='E_cell']").get("v_init"))
    net = etree.parse(rich_export / "rich.net.nml").getroot().find(f"{NML}network")
    weights = [float(i.get("weight")) for i in net.find(f"{NML}inputList[@id='initial_V_m_E']")]
    V_m = rich.populations["E"].V_m
    assert V_m is not None
    euler = {start: start + 0.1 * (420 / 250 + (-65 - start) / 10) for start in (v_init, *V_m)}
    pulsed = [euler[v_init] + 0.1 * 1000 * w / 250 for w in weights]
    np.testing.assert_allclose(pulsed, [euler[v] for v in V_m], atol=1e-9)
    # neurons of I all start at E_L: no pulse for them
    assert net.find(f"{NML}inputList[@id='initial_V_m_I']") is None


def test_positions_and_colours(rich: NetworkInstance, rich_export: Path) -> None:
    net = neuroml.loaders.read_neuroml2_file(str(rich_export / "rich.net.nml")).networks[0]
    e, i = net.populations[:2]
    places = [(n.location.x, n.location.y, n.location.z) for n in e.instances]
    np.testing.assert_array_equal(places, rich.populations["E"].positions)
    assert all(-300 <= y <= -100 for _, y, _ in places)
    assert {p.tag: p.value for p in e.properties} == {"color": "1 0.502 0", "radius": "5"}
    assert (i.type, i.size, len(i.instances)) == (None, 5, 0)


def test_simulation_file(rich_export: Path) -> None:
    root = etree.parse(rich_export / "LEMS_rich.xml").getroot()
    simulation = root.find("Simulation")
    assert root.find("Target").get("component") == simulation.get("id")
    assert [i.get("file") for i in root.findall("Include")] == [*fmt.CORE_FILES, "rich.net.nml"]
    assert dict(simulation.attrib) == {
        "id": "sim_rich",
        "length": "40ms",
        "step": "0.1ms",
        "target": "rich",
        "seed": "1",
    }
    spikes = {f.get("fileName"): [s.get("select") for s in f] for f in simulation.findall("EventOutputFile")}
    assert spikes == {
        "rich.E.spikes": [f"E/{n}/E_cell" for n in range(12)],
        "rich.Trains.spikes": [f"Trains_{n}/0/Trains_{n}_source" for n in range(3)],
    }
    columns = [c.get("quantity") for c in simulation.find("OutputFile")]
    assert columns == ["I[0]/v", "I[3]/v"]


def test_no_prefix_and_escaped_text(rich_export: Path) -> None:
    for path in rich_export.glob("*ml"):
        assert not re.findall(r"<\w+:\w+", path.read_text(encoding="utf-8")), path.name
    notes = etree.parse(rich_export / "rich.net.nml").getroot().find(f"{NML}network/{NML}notes").text
    assert notes.splitlines()[1] == 'a < b & "c" > d\ufffd, é'
    assert "seed 1" in notes


def test_xml_helpers_escape() -> None:
    tricky = "a\"b'<&>\x00\ud800"
    text = element("x", y=tricky)
    assert etree.fromstring(text).get("y") == "a\"b'<&>\ufffd\ufffd"
    assert etree.fromstring(text_element("x", tricky)).text == "a\"b'<&>\ufffd\ufffd"


def test_bytes_do_not_depend_on_workers(tmp_path: Path) -> None:
    network = Network(
        name="many",
        populations=(population("A", 100), population("B", 80, neuron=neuron(tau_syn_in=1.0))),
        projections=(
            Projection(
                source="A",
                target="B",
                rule=FixedTotalNumber(number=300_000),
                weight=Normal(mean=0, sd=50),
                delay=DELAY,
            ),
        ),
    )
    files = []
    for workers in (1, 3):
        result = export(realize(network), "neuroml", tmp_path / str(workers), workers=workers)
        files.append((result.path / "many.net.nml").read_bytes())
        assert result.digest.edges["A -> B"].count == 300_000
    assert files[0] == files[1]
    # both signs, in two projections that count from 0
    assert files[0].count(b"<connectionWD ") == 300_000
    assert files[0].count(b'<connectionWD id="0"') == files[0].count(b"<projection ") == 2


def test_memory_is_bounded(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 400_000
    block = EdgeBlock(
        rng.integers(0, 50, n).astype(np.uint32),
        rng.integers(0, 50, n).astype(np.uint32),
        rng.normal(80, 8, n),
        rng.integers(1, 30, n).astype(np.int32),
    )
    base = realize(Network(name="big", populations=(population("A", 50),)))
    edges = ArrayEdges("AA", "A", "A", block)
    instance = NetworkInstance("big", base.populations, {"AA": edges}, (), base.simulation)
    (tmp_path / "big").mkdir()
    exporter = NeuroMLExporter()
    tracemalloc.start()
    written = exporter.write(instance, tmp_path / "big", exporter.Options(), workers=1, progress=_Progress())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = (tmp_path / "big" / "big.net.nml").stat().st_size
    assert written.edges == instance.digest().edges
    assert peak < 25e6 < size / 1.5
    estimate = exporter.estimate(instance, exporter.Options())
    assert 0.8 * size < estimate < 1.5 * size


class _Progress:
    def __init__(self) -> None:
        self.done = 0.0

    def task(self, label: str, total: float, unit: str) -> None:
        self.total = total

    def advance(self, amount: float) -> None:
        self.done += amount


def test_progress_reaches_its_total(rich: NetworkInstance, tmp_path: Path) -> None:
    progress = _Progress()
    export(rich, "neuroml", tmp_path / "rich", progress=progress)
    assert progress.done == progress.total == rich.n_edges


# --- numbers


def test_drawn_weights_come_back_exactly_even_through_float32_na() -> None:
    drawn = next(
        realize(
            Network(
                name="w",
                populations=(population("A", 100),),
                projections=(
                    Projection(
                        source="A",
                        target="A",
                        rule=FixedTotalNumber(number=50_000),
                        weight=Normal(mean=87.81, sd=40),
                        delay=1.5,
                    ),
                ),
            )
        )
        .projections["A_to_A"]
        .blocks()
    ).weight
    texts = weight_texts(drawn)
    assert len(set(texts)) > 40_000
    as_double = np.array(texts, float) * 1000
    np.testing.assert_array_equal(as_double.astype(np.float32), drawn)
    narrow = np.array(texts, np.float32) * np.float32(1000)
    bits = narrow.view(np.uint32) + np.uint32(8) & np.uint32(0xFFFFFFF0)
    np.testing.assert_array_equal(bits.view(np.float32), drawn)


def test_any_float32_comes_back_exactly() -> None:
    weights = np.random.default_rng(3).integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32)
    weights = weights[np.isfinite(weights) & (np.abs(weights) > 1e-30)]
    np.testing.assert_array_equal((np.array(weight_texts(weights), float) * 1000).astype(np.float32), weights)


@pytest.mark.parametrize("n", [1, 2000])
def test_float64_weights_come_back_exactly(n: int) -> None:
    weights = np.random.default_rng(4).normal(87.81, 300, n)
    weights[0] = 87.81
    assert [fmt.picoamperes(t) for t in weight_texts(weights)] == weights.tolist()


def test_constant_weights_are_short() -> None:
    assert weight_texts(np.full(3, 87.81)) == ["0.08781"] * 3
    assert weight_texts(np.full(2, 0.125, np.float32)) == ["0.000125"] * 2
    assert weight_texts(np.zeros(0, np.float32)) == []


@pytest.mark.parametrize(
    ("value", "exponent", "text"),
    [
        (87.81, -3, "0.08781"),
        (-250.0, -3, "-0.25"),
        (0.0, 0, "0"),
        (-0.0, -3, "0"),
        (1e-7, -3, "0.0000000001"),
        (1e22, 0, "1" + "0" * 22),
        (120.0, 0, "120"),
    ],
)
def test_decimal(value: float, exponent: int, text: str) -> None:
    assert fmt.decimal(value, exponent) == text


@pytest.mark.parametrize(
    ("steps", "dt", "text"), [(7, 0.1, "0.7"), (15, 0.1, "1.5"), (3, 0.1, "0.3"), (10, 0.1, "1"), (57, 0.001, "0.057")]
)
def test_milliseconds(steps: int, dt: float, text: str) -> None:
    assert fmt.milliseconds(steps, dt) == text


@pytest.mark.parametrize(("rate", "n", "p"), [(12_800.0, 16, 0.08), (8.0, 1, 0.0008), (800.1, 2, 0.040005)])
def test_poisson_sources(rate: float, n: int, p: float) -> None:
    assert fmt.poisson_sources(rate, 0.1) == (n, pytest.approx(p))


# --- what the format cannot hold


def test_losses(rich: NetworkInstance) -> None:
    exporter = NeuroMLExporter()
    losses = {loss.what: loss for loss in exporter.losses(rich, exporter.Options())}
    assert {what: loss.how for what, loss in losses.items()} == {
        "initial membrane potentials of E": "approximated",
        "Poisson input background": "approximated",
        "delays of Poisson inputs background": "approximated",
        "Poisson input burst": "approximated",
        "end of Poisson input burst": "approximated",
        "Poisson sources of Thalamus": "approximated",
        "the discarded start of the simulation": "beside",
        "sampling interval of membrane potentials of I": "approximated",
    }
    assert "dt = 0.1 ms" in losses["initial membrane potentials of E"].detail
    assert "16 of 800 spikes/s" in losses["Poisson input background"].detail
    assert "0.920 of" in losses["Poisson input background"].detail
    without = exporter.losses(rich, exporter.Options(initial_pulse=False))
    assert [loss.how for loss in without if "initial" in loss.what] == ["dropped"]


def test_without_initial_pulse_none_is_written(rich: NetworkInstance, tmp_path: Path) -> None:
    exporter = NeuroMLExporter()
    path = export(rich, exporter, tmp_path / "rich", exporter.Options(initial_pulse=False)).path
    assert "initial" not in (path / "rich.net.nml").read_text(encoding="utf-8")
    assert "initial" not in (path / "rich.cells.nml").read_text(encoding="utf-8")


def test_plain_network_is_exact_and_strict(tmp_path: Path) -> None:
    network = Network(
        name="plain",
        populations=(population("A", 3, neuron=neuron(I_e=400.0)),),
        projections=(Projection(source="A", target="A", rule=OneToOne(), weight=10.0, delay=1.0),),
    )
    assert export(realize(network), "neuroml", tmp_path / "plain", strict=True).losses == ()
    with pytest.raises(NotRepresentableError, match="initial membrane"):
        export(realize(rich_network()), "neuroml", tmp_path / "rich", strict=True)
    assert not (tmp_path / "rich").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"inputs": (PoissonInput(name="slow", target="E", rate=8.0, weight=1.0, delay=1.0, start=5.0, stop=15.0),)},
            "slow.*late",
        ),
        (
            {"populations": (VirtualPopulation(name="fast", size=1, activity=PoissonActivity(rate=10_000.0)),)},
            "fast.*per step",
        ),
    ],
)
def test_refusals(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    if "populations" in changes:
        changes = {**changes, "projections": (), "inputs": (), "simulation": Simulation()}
    with pytest.raises(NotRepresentableError, match=message):
        export(realize(rich_network(**changes)), "neuroml", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_varying_parameters_and_missing_activity_are_refused_by_name(rich: NetworkInstance) -> None:
    exporter = NeuroMLExporter()
    mixed = MixedNeurons((neuron(), neuron(C_m=100.0)), np.arange(rich.populations["I"].size) % 2)
    for name, change, message in (
        ("E", {"varying": {"I_e": np.arange(12.0)}}, "population E: I_e differs"),
        ("Trains", {"activity": None}, "population Trains: .*activity"),
        ("I", {"V_m": None}, "population I: initial membrane potentials"),
        ("I", {"neuron": mixed}, r"population I: it has several kinds of neurons \(iaf_psc_exp\)"),
    ):
        populations = {**rich.populations, name: replace(rich.populations[name], **change)}
        with pytest.raises(NotRepresentableError, match=message):
            exporter.losses(replace(rich, populations=populations), exporter.Options())


def test_documented_limits_are_those_reported() -> None:
    text = NeuroMLExporter.__doc__ or ""
    section = text[text.index("Not representable") :]
    for words in (
        "initial membrane potentials",
        "Poisson inputs",
        "discarded start",
        "sampling interval",
        "differ between",
    ):
        assert words in section


def test_names_that_clash_stay_apart(tmp_path: Path) -> None:
    network = Network(
        name="A",
        populations=(population("A", 2), population("A_cell", 2), population("psc_0_5", 1)),
        projections=(Projection(name="A_cell", source="A", target="A_cell", rule=OneToOne(), weight=1.0, delay=1.0),),
        inputs=(StepCurrent(name="A", target="A", amplitude=1.0, start=0.0, stop=1.0),),
    )
    instance = realize(network)
    path = export(instance, "neuroml", tmp_path / "A").path
    ids = [
        element.get("id")
        for name in ("A.net.nml", "A.cells.nml")
        for element in etree.parse(path / name).getroot().iter()
        if isinstance(element.tag, str) and not element.get("id", "0").isdigit()
    ]
    assert len(set(ids)) == len(ids)
    assert {"A", "A_cell", "psc_0_5", "A_", "A_cell_"} <= set(ids)
    populations = neuroml.loaders.read_neuroml2_file(str(path / "A.net.nml")).networks[0].populations
    assert [p.id for p in populations] == ["A", "A_cell", "psc_0_5"]


def test_sources_leave_populations_their_names(tmp_path: Path) -> None:
    """The third source of A would be A_2, which is a population."""
    virtual = VirtualPopulation(name="A", size=3, activity=SpikeTrains(times=((1.0,), (2.0,), (3.0,))))
    network = Network(
        name="net",
        populations=(virtual, population("A_2", 2)),
        projections=(Projection(source="A", target="A_2", rule=AllToAll(), weight=1.0, delay=1.0),),
        simulation=Simulation(record_V_m=(VoltageRecording(population="A_2", neurons=(1,)),)),
    )
    instance = realize(network)
    path = export(instance, "neuroml", tmp_path / "net").path
    populations = neuroml.loaders.read_neuroml2_file(str(path / "net.net.nml")).networks[0].populations
    assert [p.id for p in populations] == ["A_0", "A_1", "A_2_", "A_2"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_model(path).digest() == instance.digest()
