"""The export of a program for NEURON: what is in it, and what is refused (no NEURON; see tests/equivalence)."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import export, realize
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.neuron import MODELS, NeuronExporter, NeuronOptions
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import ArrayEdges, EdgeBlock, NetworkInstance, Nodes, Synapse
from mc_interchange.manifest import check_manifest
from mc_interchange.network import CATALOGUE, Network, PoissonInput, Simulation, StepCurrent, VoltageRecording
from mc_interchange.reading import import_path

WINDOWS = (
    PoissonInput(name="some", target="E", rate=10.0, weight=-2.0, delay=0.3, start=5.0, stop=9.0, neurons=(3, 1)),
    StepCurrent(name="step", target="I", amplitude=7.5, start=0.0, stop=20.0, delay=0.1),
    StepCurrent(name="never", target="I", amplitude=7.5, start=0.0, stop=0.1, delay=0.1),
)


@pytest.fixture
def instance(small_network: Network) -> NetworkInstance:
    recording = VoltageRecording(population="I", neurons=(4, 2), interval=0.5)
    simulation = small_network.simulation.model_copy(update={"record_V_m": (recording,)})
    drawn = realize(small_network)
    return replace(drawn, inputs=(*drawn.inputs, *WINDOWS), simulation=simulation)


def test_it_is_a_circuit_a_program_and_a_package(instance: NetworkInstance, tmp_path: Path) -> None:
    path = export(instance, "neuron", tmp_path / "export").path
    assert import_path(path).digest().edges == instance.digest().edges
    names = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    mods = {name for name in names if name.endswith(".mod")}
    assert {"run.py", "neuron.json", "circuit_config.json", "mechanisms/pyproject.toml"} <= names
    assert not {name for name in names if "__pycache__" in name}
    package = tomllib.loads((path / "mechanisms/pyproject.toml").read_text())["project"]
    assert package["entry-points"]["glia.package"] == {"mc_neurons": "mc_neurons:package"}
    init = (path / "mechanisms/mc_neurons/__init__.py").read_text()
    for mod in mods:
        asset = Path(mod).name.removesuffix("__0.mod")
        assert f'"{asset}"' in init
        # Glia's naming
        assert f"POINT_PROCESS glia__mc_neurons__{asset}__0\n" in (path / mod).read_text()
    for file in names - {"manifest.json"}:
        assert str(tmp_path).encode() not in (path / file).read_bytes()
    assert check_manifest(path) == []


def test_what_sonata_cannot_say_is_in_the_settings(instance: NetworkInstance, tmp_path: Path) -> None:
    settings = json.loads((export(instance, "neuron", tmp_path / "export").path / "neuron.json").read_text())
    all_time = {"first": 3, "last": 10**15}
    assert settings == {
        "dt": 0.1,
        "n_steps": 1000,
        "seed": 1,
        "record_spikes": ["E", "I", "TH"],
        "record_V_m": {"I": {"neurons": [2, 4], "every": 5}},
        "poisson_inputs": [
            {"target": "E", "neurons": None, "rate": 8000.0, "weight": 87.8, **all_time},
            {"target": "E", "neurons": [1, 3], "rate": 10.0, "weight": -2.0, "first": 55, "last": 94},
        ],
        "step_currents": [{"target": "I", "neurons": None, "amplitude": 7.5, "begin": 2, "end": 201}],
        "sources": {"TH": {"rate": 10.0, "first": 3, "last": 10**15}},
    }


def test_the_same_call_writes_the_same_bytes(instance: NetworkInstance, tmp_path: Path) -> None:
    contents = []
    for name in "ab":
        path = export(instance, "neuron", tmp_path / name).path
        contents.append({f.relative_to(path): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()})
    assert contents[0] == contents[1]


def test_nothing_is_lost(instance: NetworkInstance) -> None:
    assert NeuronExporter().losses(instance, NeuronOptions()) == []
    painted = replace(instance.populations["E"], color="#ff0000")
    captured = replace(instance, network=None, populations={**instance.populations, "E": painted})
    losses = NeuronExporter().losses(captured, NeuronOptions())
    assert [(loss.what, loss.how) for loss in losses] == [("colours of E", "dropped")]


def test_each_mechanism_is_of_the_catalogue_or_an_input(instance: NetworkInstance) -> None:
    files = NeuronExporter().files(instance, NeuronOptions())
    assets = {Path(name).name.removesuffix("__0.mod") for name in files if name.endswith(".mod")}
    assert assets == {*MODELS, "poisson_input"}


def relay(**others: object) -> NetworkInstance:
    nodes = Nodes("R", 2, neuron=neuron_from_nest("parrot_neuron", {})[0])
    return replace(NetworkInstance("relays", {"R": nodes}, {}, (), Simulation(duration=10.0)), **others)


RECORDED = Simulation(duration=10.0, record_V_m=(VoltageRecording(population="R", neurons=(0,), interval=0.5),))


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (
            relay(inputs=(WINDOWS[0].model_copy(update={"target": "R", "neurons": None}),)),
            "^input some: neurons of R have no membrane",
        ),
        (relay(inputs=(WINDOWS[1].model_copy(update={"target": "R"}),)), "^input step: neurons of R have no membrane"),
        (relay(simulation=RECORDED), "^recording of V_m of R: some of its neurons have no membrane potential"),
    ],
    ids=["poisson", "current", "potential"],
)
def test_what_needs_a_membrane_is_refused_for_relays(instance: NetworkInstance, message: str, tmp_path: Path) -> None:
    with pytest.raises(NotRepresentableError, match=message):
        export(instance, "neuron", tmp_path / "export")


@pytest.mark.parametrize("model", [*sorted(set(CATALOGUE) - set(MODELS)), "iaf_psc_exp_ps"])
def test_other_models_are_refused_by_name(model: str, tmp_path: Path) -> None:
    neuron, V_m = neuron_from_nest(model, {})
    nodes = Nodes("A", 1, neuron=neuron, V_m=None if V_m is None else np.array([V_m]))
    instance = NetworkInstance("one", {"A": nodes}, {}, (), Simulation(duration=10.0))
    with pytest.raises(
        NotRepresentableError, match=f"^population A: .* the neuron model (nest:)?{model}, only of iaf_psc_exp"
    ):
        export(instance, "neuron", tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_other_synapses_are_refused_by_name(small_network: Network, tmp_path: Path) -> None:
    instance = realize(small_network)
    block = EdgeBlock(*(np.array([value], kind) for value, kind in ((0, "u4"), (0, "u4"), (1.0, "f8"), (1, "i4"))))
    plastic = ArrayEdges("plastic", "E", "I", block, synapse=Synapse("stdp_synapse", 0, {"lambda": 0.1}))
    instance = replace(instance, projections={**instance.projections, "plastic": plastic})
    with pytest.raises(NotRepresentableError, match=r"^projection plastic: .* not stdp_synapse onto receptor 0"):
        export(instance, "neuron", tmp_path / "export")
