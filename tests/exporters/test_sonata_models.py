"""SONATA exports of mixed populations, foreign models and other synapses: nothing takes the place of anything else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mc_interchange import export, open_model, realize
from mc_interchange.errors import FormatError, ModelError, NotRepresentableError
from mc_interchange.formats.nest import neuron_from_nest
from mc_interchange.instance import (
    ArrayEdges,
    EdgeBlock,
    Edges,
    MixedNeurons,
    NetworkInstance,
    Nodes,
    Synapse,
    freeze_inputs,
)
from mc_interchange.network import ForeignModel, Network, PoissonInput, Simulation, StepCurrent, VoltageRecording


def lif(C_m: float) -> Any:
    return neuron_from_nest("iaf_psc_exp", {"C_m": C_m})[0]


def nodes(name: str, C_m: float, size: int = 2) -> Nodes:
    return Nodes(name, size, neuron=lif(C_m), V_m=np.full(size, -70.0))


def edges(name: str, source: str, target: str, **others: Any) -> ArrayEdges:
    ids = np.array([0, 1], np.uint32)
    return ArrayEdges(name, source, target, EdgeBlock(ids, ids, np.ones(2), np.full(2, 15, np.int32)), **others)


def instance(populations: list[Nodes], projections: Sequence[Edges] = (), **others: Any) -> NetworkInstance:
    return NetworkInstance(
        **{
            "name": "test",
            "populations": {p.name: p for p in populations},
            "projections": {p.name: p for p in projections},
            "inputs": (),
            "simulation": Simulation(duration=50.0),
            **others,
        }
    )


def test_files_of_models_never_collide(tmp_path: Path) -> None:
    alpha = neuron_from_nest("iaf_psc_alpha", {"C_m": 222.0})[0]
    mixed = Nodes("A", 2, neuron=MixedNeurons((lif(111.0), alpha), np.array([0, 1])), V_m=np.full(2, -70.0))
    original = instance(
        [mixed, nodes("A_0", 999.0), nodes("A_1", 888.0)],
        [
            edges("plain", "A_0", "A_1"),
            edges("static_synapse", "A_1", "A_0", synapse=Synapse("tsodyks_synapse", parameters={"U": 0.3})),
            edges("ported", "A_0", "A_1", synapse=Synapse(receptor=2)),
        ],
    )
    imported = open_model(export(original, "sonata", tmp_path / "out").path)
    assert [neuron["C_m"] for neuron in imported.populations["A"].models] == [111.0, 222.0]
    assert imported.populations["A_0"].neuron["C_m"] == 999.0
    assert {e.name: e.synapse for e in imported.projections.values()} == {
        e.name: e.synapse for e in original.projections.values()
    }
    assert imported.digest() == original.digest()


def test_names_with_spaces_stay_whole(tmp_path: Path) -> None:
    foreign = Nodes(
        "F", 2, neuron=ForeignModel(format="nest", name="my neuron", parameters={"a": [1.0, 2.0], "b": True})
    )
    original = instance([foreign], [edges("to", "F", "F", synapse=Synapse("my synapse"))])
    imported = open_model(export(original, "sonata", tmp_path / "out").path)
    assert imported.populations["F"].neuron == foreign.neuron
    assert imported.projections["to"].synapse == Synapse("my synapse")


def test_parameters_that_json_cannot_hold_are_refused(tmp_path: Path) -> None:
    foreign = Nodes("F", 2, neuron=ForeignModel(format="nest", name="x", parameters={"V_min": -np.inf}))
    with pytest.raises(NotRepresentableError, match=r"^population F: a parameter is infinite or not a number"):
        export(instance([foreign]), "sonata", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stream_that_is_not_sorted_as_it_says_is_refused(tmp_path: Path) -> None:
    n = 2**18
    target = np.repeat(np.array([1, 0], np.uint32), n)
    block = EdgeBlock(np.zeros(2 * n, np.uint32), target, np.ones(2 * n), np.full(2 * n, 15, np.int32))
    lying = ArrayEdges("E", "A", "A", block)
    lying.order = "target"
    with pytest.raises(FormatError, match=r"^E: its synapses are not sorted by target, as is said of them$"):
        export(instance([nodes("A", 250.0)], [lying]), "sonata", tmp_path / "out")


@pytest.mark.parametrize("neurons", [(2, 0), (1, 1), (0, 1, 2, 3)])
def test_inputs_onto_some_neurons_come_back(tmp_path: Path, neurons: tuple[int, ...]) -> None:
    step = StepCurrent(name="c", target="A", amplitude=10.0, start=5.0, stop=9.0, neurons=neurons)
    assert step.neurons == tuple(sorted(set(neurons)))
    noise = PoissonInput(name="p", target="A", rate=10.0, weight=1.0, delay=1.0, neurons=neurons)
    original = instance([nodes("A", 250.0, size=4)], inputs=(step, noise))
    imported = open_model(export(original, "sonata", tmp_path / "out").path)
    assert imported.inputs == original.inputs
    assert imported.digest() == original.digest()
    assert freeze_inputs(original).populations["p"].size == len(set(neurons))


def test_frozen_names_keep_clear_of_rules_without_synapses(small_network: Network, tmp_path: Path) -> None:
    data = small_network.model_dump()
    data["projections"] = list(data["projections"])
    data["projections"][0] |= {"name": "background_to_E", "rule": {"rule": "fixed_total_number", "number": 0}}
    drawn = realize(Network.model_validate(data), 5)
    assert "background_to_E" not in drawn.projections
    imported = open_model(export(freeze_inputs(drawn), "sonata", tmp_path / "out").path)
    assert "background_to_E_2" in imported.projections


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"inputs": (StepCurrent(name="c", target="B", amplitude=1.0, start=0.0, stop=1.0),)},
            "input c: there is no population B of neurons",
        ),
        (
            {"inputs": (StepCurrent(name="c", target="A", amplitude=1.0, start=0.0, stop=1.0, neurons=(2,)),)},
            "input c: neurons of A must be below 2, got 2",
        ),
        ({"simulation": Simulation(record_spikes=("B",))}, "recording of spikes: there is no population B"),
        (
            {"simulation": Simulation(record_V_m=(VoltageRecording(population="A", neurons=(5,)),))},
            "recording of V_m: neurons of A must be below 2, got 5",
        ),
    ],
)
def test_inputs_and_recordings_of_what_is_not_there(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        instance([nodes("A", 250.0)], **wrong)
    assert str(caught.value) == message
