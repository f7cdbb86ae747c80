"""Models, synapses, layers and properties in NeuroML files (no Java; see tests/consumers for simulations)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree
from neuroml.utils import validate_neuroml2

from mc_interchange.errors import NotRepresentableError
from mc_interchange.export import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.formats import neuroml as fmt
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes, realize
from mc_interchange.network import CATALOGUE, PoissonInput, Simulation, StepCurrent
from mc_interchange.reading import build

NML = f"{{{fmt.NAMESPACE}}}"
TRAINS = [[5.0, 5.0, 5.0, 12.3], [], [7.66, 7.7, 9.0]]
WRITTEN = [name for name, entry in CATALOGUE.items() if "neuroml" in entry.elsewhere]


def neurons(name: str, model: str, size: int = 2, **parameters: Any) -> Nodes:
    neuron, V_m = neuron_from_nest(model, parameters)
    return Nodes(name, size, neuron=neuron, V_m=np.full(size, -65.0 if V_m is None else V_m))


def edges(name: str, source: str, target: str, rows: list[tuple[int, int, float, int]]) -> ArrayEdges:
    columns = zip(*rows, strict=True)
    dtypes = (np.uint32, np.uint32, np.float64, np.int32)
    return ArrayEdges(name, source, target, EdgeBlock(*(np.array(c, d) for c, d in zip(columns, dtypes, strict=True))))


def instance(*nodes: Nodes, projections: tuple[ArrayEdges, ...] = (), inputs: tuple[Any, ...] = ()) -> NetworkInstance:
    sources = Nodes("S", 3, activity=ArrayTrains.from_lists(TRAINS))
    return NetworkInstance(
        "models",
        {p.name: p for p in (sources, *nodes)},
        {p.name: p for p in projections},
        inputs,
        Simulation(duration=20.0),
    )


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[NetworkInstance, Path]:
    """Every model that is written, with synapses of both signs where it takes some."""
    populations = [neurons(name, name, I_e=7.5) for name in WRITTEN]
    rows = [(0, 0, 2.5, 15), (0, 1, -1.25, 3), (2, 1, 0.1, 7)]
    projections = tuple(edges(f"S_to_{name}", "S", name, rows) for name in WRITTEN if name != "izhikevich")
    inputs = (
        PoissonInput(name="excitation", target="iaf_cond_exp", rate=100.0, weight=2.0, delay=1.0),
        PoissonInput(name="inhibition", target="iaf_cond_exp", rate=100.0, weight=-3.0, delay=1.0),
        PoissonInput(name="current", target="iaf_psc_alpha", rate=100.0, weight=-3.0, delay=1.0),
        StepCurrent(name="step", target="izhikevich", amplitude=2.5, start=5.0, stop=10.0),
        StepCurrent(name="other_step", target="iaf_cond_alpha", amplitude=2.5, start=5.0, stop=10.0),
    )
    network = instance(*populations, projections=projections, inputs=inputs)
    return network, export(network, "neuroml", tmp_path_factory.mktemp("models") / "models").path


def cell_of(path: str) -> tuple[str, int]:
    """Return population and index of a path without a list: ``../A[3]``."""
    population, _, rest = path.removeprefix("../").partition("[")
    return population, int(rest.removesuffix("]"))


def tree(path: Path, part: str) -> Any:
    return etree.parse(path / f"models.{part}.nml").getroot()


# --- the table


def test_all_types_that_are_written_have_an_entry() -> None:
    for name in WRITTEN:
        cell = fmt.CELLS[CATALOGUE[name].elsewhere["neuroml"]]
        assert fmt.model_name(cell.membrane, cell.receptor) == name
    assert fmt.model_name("izhikevich", "psc_exp") is None
    assert set(fmt.WRITTEN_SYNAPSES) == {"psc_exp", "psc_alpha", "cond_exp", "cond_alpha"}


def test_names_and_units_are_those_of_pynn() -> None:
    models = pytest.importorskip("pyNN.standardmodels.cells")
    for entry in CATALOGUE.values():
        if (name := entry.elsewhere.get("pynn")) is None:
            continue
        theirs = getattr(models, name)
        if entry.elsewhere.get("neuroml") == name:
            units = {a.name: a.unit for a in fmt.CELLS[name].attributes if a.ours != "V_m"}
            units |= {"a": "nS"} if "a" in units else {}  # the one that differs
            assert units == {parameter: theirs.units[parameter] for parameter in theirs.default_parameters}


@pytest.mark.parametrize("name", WRITTEN)
def test_parameters_come_back_to_the_last_bit(name: str) -> None:
    generator = np.random.default_rng(5)
    entry = CATALOGUE[name]
    cell = fmt.CELLS[entry.elsewhere["neuroml"]]
    for _ in range(200):
        drawn = generator.uniform(0.01, 300, len(entry.parameters)) * 10.0 ** generator.integers(-3, 3)
        values = dict(zip((p.name for p in entry.parameters), drawn.tolist(), strict=True))
        values["V_m"] = -values["C_m"] if "C_m" in values else -65.4321
        texts = fmt.cell_attributes(cell, values)
        assert all("e" not in text.removesuffix("mV") for text in texts.values())
        back = fmt.cell_parameters(cell, texts)
        kept = set(values) - {"w", "gsl_error_tol", "U_m", "consistent_integration"}
        kept -= {"I_e"} if cell.dimensionless else set()
        assert {key: back[key] for key in kept} == {key: values[key] for key in kept}


def test_quotients_are_short_where_they_can_be() -> None:
    neuron, _ = neuron_from_nest("iaf_cond_exp", {"C_m": 250.0, "g_L": 12.5})
    assert fmt.cell_attributes(fmt.CELLS["IF_cond_exp"], {**neuron.parameters, "V_m": -65.0})["tau_m"] == "20"


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("0.2nF", "pF", 200.0), ("-65 mV", "mV", -65.0), ("-.065V", "mV", -65.0), ("1e-2uS", "nS", 10.0), ("3", "", 3.0)],
)
def test_quantities(text: str, unit: str, value: float) -> None:
    assert float(fmt.exact(text, unit)) == value


@pytest.mark.parametrize(
    ("text", "unit"), [("1", "mV"), ("1ms", "mV"), ("1e400", ""), ("nan", ""), ("1.2.3", ""), ("", "")]
)
def test_quantities_that_are_none(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        fmt.exact(text, unit)


def test_missing_and_wrong_attributes_are_named() -> None:
    parameters = {**neurons("A", "iaf_psc_exp").neuron.parameters, "V_m": -65.0}
    texts = fmt.cell_attributes(fmt.CELLS["IF_curr_exp"], parameters)
    with pytest.raises(ValueError, match="attribute 'cm' is missing"):
        fmt.cell_parameters(fmt.CELLS["IF_curr_exp"], {k: v for k, v in texts.items() if k != "cm"})
    with pytest.raises(ValueError, match="v_rest must be a number, got 'low'"):
        fmt.cell_parameters(fmt.CELLS["IF_curr_exp"], {**texts, "v_rest": "low"})
    with pytest.raises(ValueError, match="must be greater than 0"):
        fmt.cell_parameters(fmt.CELLS["IF_curr_exp"], {**texts, "tau_m": "0"})


# --- cells and synapses in the files


def test_the_files_are_valid(everything: tuple[NetworkInstance, Path]) -> None:
    for part in ("net", "cells"):
        validate_neuroml2(str(everything[1] / f"models.{part}.nml"))  # raises where it is not


def test_cells_have_the_units_of_their_types(everything: tuple[NetworkInstance, Path]) -> None:
    cells = tree(everything[1], "cells")
    found = {name: cells.find(NML + CATALOGUE[name].elsewhere["neuroml"]).attrib for name in WRITTEN}
    for name in WRITTEN:
        assert found[name]["id"] == f"{name}_cell"
    aeif = found["aeif_cond_exp"]
    assert (aeif["cm"], aeif["i_offset"]) == ("0.281", "0.0075")  # nF, nA
    assert (aeif["a"], aeif["b"]) == ("0.004", "0.0805")  # uS (w is in nA), nA
    assert 281 / float(aeif["tau_m"]) == pytest.approx(30, rel=1e-15)  # g_L
    assert (aeif["v_spike"], aeif["v_thresh"], aeif["delta_T"]) == ("0", "-50.4", "2")
    assert found["izhikevich"]["v0"] == "-65mV"
    assert {"e_rev_E": "0", "e_rev_I": "-85"}.items() <= dict(found["iaf_cond_alpha"]).items()


def test_synapses_go_by_sign(everything: tuple[NetworkInstance, Path]) -> None:
    cells, network = (tree(everything[1], part) for part in ("cells", "net"))
    synapses = {s.get("id"): s for name in fmt.SYNAPSES for s in cells.iter(f"{NML}{name}")}
    for name in WRITTEN:
        if name == "izhikevich":
            continue
        neuron = everything[0].populations[name].neuron
        conductances = CATALOGUE[name].weight_unit == "nS"
        found = Counter()
        for projection in network.iter(f"{NML}projection"):
            if projection.get("postsynapticPopulation") != name:
                continue
            synapse = synapses[projection.get("synapse")]
            assert etree.QName(synapse).localname == fmt.WRITTEN_SYNAPSES[name.split("_", 1)[1]].name
            for connection in projection:
                weight = float(fmt.exact(connection.get("weight")).scaleb(3))
                inhibitory = "_inhibitory" in projection.get("id")
                assert synapse.get("tau_syn") == fmt.decimal(neuron["tau_syn_in" if inhibitory else "tau_syn_ex"])
                if conductances:
                    assert weight > 0
                    assert synapse.get("e_rev") == ("-85" if inhibitory else "0")
                    weight *= -1 if inhibitory else 1
                _, index = cell_of(connection.get("postCellId"))
                found[projection.get("presynapticPopulation"), index, weight] += 1
        # what source 0 emits comes from itself and from its two layers
        expected = {("S_0", 0, 2.5), ("S_0", 1, -1.25), ("S_2", 1, 0.1), ("S_2_layer_1", 1, 0.1)}
        expected |= {(f"S_0_layer_{k}", i, w) for k in (1, 2) for i, w in ((0, 2.5), (1, -1.25))}
        assert found == Counter(expected)


def test_poisson_inputs_onto_conductances(everything: tuple[NetworkInstance, Path]) -> None:
    cells, network = (tree(everything[1], part) for part in ("cells", "net"))
    sources = {s.get("id"): s.get("synapse") for s in cells.iter(f"{NML}poissonFiringSynapse")}
    assert sources == {"excitation": "cond_exp_0_2", "inhibition": "cond_exp_2", "current": "psc_alpha_2"}
    weights = {
        items.get("component"): {item.get("weight") for item in items} for items in network.iter(f"{NML}inputList")
    }
    assert weights["excitation"] == {"0.002"}
    assert weights["inhibition"] == {"0.003"}
    assert weights["current"] == {"-0.003"}


def test_izhikevich_gets_its_currents_without_unit(everything: tuple[NetworkInstance, Path]) -> None:
    cells, network = (tree(everything[1], part) for part in ("cells", "net"))
    found = {p.get("id"): dict(p.attrib) for p in cells.iter(f"{NML}pulseGeneratorDL")}
    assert found["I_e_izhikevich"] == {
        "id": "I_e_izhikevich",
        "delay": "0ms",
        "duration": fmt.NO_END,
        "amplitude": "7.5",
    }
    assert found["step"]["amplitude"] == "2.5"
    assert next(cells.iter(f"{NML}pulseGenerator")).get("amplitude") == "0.0025nA"
    lists = {items.get("component"): len(items) for items in network.iter(f"{NML}inputList")}
    assert lists["I_e_izhikevich"] == lists["step"] == 2


# --- layers


def test_spikes_of_one_step_are_divided_over_layers(everything: tuple[NetworkInstance, Path]) -> None:
    cells, network = (tree(everything[1], part) for part in ("cells", "net"))
    arrays = {a.get("id"): [s.get("time") for s in a] for a in cells.iter(f"{NML}spikeArray")}
    assert arrays == {
        "S_0_source": ["5ms", "12.3ms"],
        "S_0_layer_1_source": ["5ms"],
        "S_0_layer_2_source": ["5ms"],
        "S_1_source": [],
        # 7.66 and 7.7 ms are the same step of 0.1 ms
        "S_2_source": ["7.66ms", "9ms"],
        "S_2_layer_1_source": ["7.7ms"],
    }
    found = {}
    for population in network.iter(f"{NML}population"):
        properties = {p.get("tag"): p.get("value") for p in population.iter(f"{NML}property")}
        if fmt.SOURCE in properties:
            found[population.get("id")] = properties[fmt.SOURCE], properties.get(fmt.LAYER)
            assert population.get("size") == "1"
    assert found == {
        "S_0": ("S/0", None),
        "S_1": ("S/1", None),
        "S_2": ("S/2", None),
        "S_0_layer_1": ("S/0", "1"),
        "S_0_layer_2": ("S/0", "2"),
        "S_2_layer_1": ("S/2", "1"),
    }
    losses = NeuroMLExporter().losses(everything[0], NeuroMLExporter.Options())
    assert not [loss for loss in losses if "same" in loss.what]


def test_layers_do_not_take_names(tmp_path: Path) -> None:
    network = instance(*(neurons(name, "iaf_psc_exp") for name in ("A", "S_0", "S_0_layer_1")))
    path = export(network, "neuroml", tmp_path / "models").path
    names = [p.get("id") for p in tree(path, "net").iter(f"{NML}population")]
    assert len(names) == len(set(names)) == 6 + 3


# --- what the network says about itself


def test_properties_and_notes(tmp_path: Path) -> None:
    made = realize(build("pd14", n_scale=0.002, k_scale=0.01, duration=300.0, discard=50.0), seed=7)
    path = export(made, "neuroml", tmp_path / "pd14").path
    network = etree.parse(path / "pd14.net.nml").getroot().find(f"{NML}network")
    found = {p.get("tag"): p.get("value") for p in network.iterchildren(f"{NML}property")}
    expected = {
        "model": "pd14",
        "seed": "7",
        "recommended_dt_ms": "0.1",
        "recommended_duration_ms": "300",
        "discard_ms": "50",
        "neurons": str(made.n_neurons),
        "synapses": str(made.n_edges),
        "n_scale": "0.002",
        "background": "poisson",
        "thalamus": "false",
        "tau_m": "10 ms",
    }
    assert expected.items() <= found.items()
    assert "conn_probs" not in found
    notes = network.find(f"{NML}notes").text
    for part in (
        "seed 7",
        f"{made.n_edges} synapses",
        "Cortical microcircuit",
        "Potjans & Diesmann 2014",
    ):
        assert part in notes


# --- losses and refusals


def losses(*nodes: Nodes, **parts: Any) -> dict[str, str]:
    found = NeuroMLExporter().losses(instance(*nodes, **parts), NeuroMLExporter.Options())
    return {loss.what: loss.detail for loss in found}


def test_what_cells_do_otherwise_is_reported() -> None:
    aeif = neurons("A", "aeif_cond_exp", w=3.0, gsl_error_tol=1e-3)
    found = losses(aeif)
    assert found["adaptation current at t = 0 of A"] == "cells start with none, not with 3 pA"
    assert "one step of 0.1 ms" in found["refractory time of A"]
    assert "tolerances" in found["gsl_error_tol of A"]
    assert "overshoots V_peak" in found["the exponential of the potential of A"]
    assert losses(neurons("A", "aeif_cond_exp", t_ref=2.0, V_peak=-40.0)) == {}
    assert losses(neurons("A", "aeif_cond_exp", t_ref=2.0, a=0.0)) == {}
    assert losses(neurons("A", "aeif_cond_exp", t_ref=2.0, Delta_T=0.0)) == {}
    assert losses(neurons("I", "izhikevich")) == {}
    found = losses(neurons("I", "izhikevich", U_m=-10.0, consistent_integration=False))
    assert "not with U_m = -10" in found["recovery variable at t = 0 of I"]
    assert "as published" in found["integration of I"]
    uneven = replace(neurons("I", "izhikevich"), V_m=np.array([-65.0, -64.0]))
    assert "initial membrane potentials of I" in losses(uneven)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            neurons("A", "izhikevich"),
            "projection S_to_A: NeuroML has no synapse by which the potential jumps",
        ),
        (neurons("A", "iaf_psc_delta"), "population A: .* no equal of the neuron model iaf_psc_delta"),
        (neurons("A", "glif_psc"), "population A: .* no equal of the neuron model glif_psc"),
        (neurons("A", "aeif_cond_alpha", Delta_T=1e-8), "population A: Delta_T must be 0 or at least 1e-06 mV"),
        (neurons("A", "hh_psc_alpha"), "population A: .* no equal of the neuron model hh_psc_alpha"),
    ],
)
def test_refusals(nodes: Nodes, message: str, tmp_path: Path) -> None:
    network = instance(nodes, projections=(edges("S_to_A", "S", "A", [(0, 0, 1.0, 10)]),))
    with pytest.raises(NotRepresentableError, match=message):
        export(network, "neuroml", tmp_path / "refused")
    assert not list(tmp_path.iterdir())


def test_poisson_onto_izhikevich_is_refused() -> None:
    noise = PoissonInput(name="noise", target="A", rate=100.0, weight=1.0, delay=1.0)
    with pytest.raises(NotRepresentableError, match="input noise: NeuroML has no synapse by which the potential jumps"):
        losses(neurons("A", "izhikevich"), inputs=(noise,))
