"""Circuits that bmtk's NetworkBuilder writes: our runner's spikes are those of bmtk's PointNet on the same files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest
from bmtk_networks import CASES

from mc_interchange import NetworkInstance, export, open_model
from mc_interchange.importers.sonata import SonataWarning
from mc_interchange.instance import MixedNeurons
from mc_interchange.network import ForeignModel
from mc_interchange.runners.nest import NestRunner

Built = Callable[[str], Path]


def bmtk(case: str, path: Path) -> None:
    """Call the script in a process of its own, since bmtk and our runner do not share a NEST."""
    command = [sys.executable, Path(__file__).with_name("bmtk_networks.py"), case, path]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build a case and run it with bmtk, once each; return its directory."""
    made: dict[str, Path] = {}

    def build(case: str) -> Path:
        if case not in made:
            directory = tmp_path_factory.mktemp("bmtk") / case
            bmtk(case, directory)
            made[case] = directory
        return made[case]

    return build


def read(directory: Path) -> tuple[NetworkInstance, list[str]]:
    """Open a circuit and return it with all warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        instance = open_model(directory)
    assert all(issubclass(w.category, SonataWarning) for w in caught)
    return instance, [str(w.message) for w in caught]


def spikes_of_bmtk(directory: Path, per_ms: int = 10) -> dict[str, list[tuple[int, int]]]:
    """Return sorted pairs (step, neuron) by bmtk's population; there are so many steps per ms."""
    found = {}
    with h5py.File(directory / "output/spikes.h5") as file:
        for name, group in file["spikes"].items():
            steps = np.rint(group["timestamps"][:] * per_ms).astype(int)
            assert np.abs(steps / per_ms - group["timestamps"][:]).max() < 1e-9
            found[name] = sorted(zip(steps.tolist(), group["node_ids"][:].tolist(), strict=True))
    return found


def spikes_of_each_type(directory: Path, spikes: dict[str, list[tuple[int, int]]]) -> dict[str, int]:
    """Count spikes by population and node type."""
    counts = {}
    for name, pairs in spikes.items():
        for file in (directory / "network").glob("*_nodes.h5"):
            with h5py.File(file) as nodes:
                if name in nodes["nodes"]:
                    types = nodes[f"nodes/{name}/node_type_id"][:]
        fired = types[[neuron for _, neuron in pairs]]
        counts |= {f"{name} {t}": int(np.count_nonzero(fired == t)) for t in np.unique(types)}
    return counts


@pytest.mark.parametrize("case", CASES)
def test_spikes_are_those_of_pointnet(built: Built, case: str) -> None:
    directory = built(case)
    expected = spikes_of_bmtk(directory)
    assert min(spikes_of_each_type(directory, expected).values()) >= 20  # nothing may agree by being silent
    instance, _ = read(directory)
    ours = {"CA1-pyr": "CA1_pyr", "CA1.pyr": "CA1_pyr_2"}
    run = NestRunner().run(instance)
    for name, pairs in expected.items():
        spikes = run.spikes[ours.get(name, name)]
        assert sorted(zip(spikes.steps.tolist(), spikes.neurons.tolist(), strict=True)) == pairs
    assert {ours.get(name, name) for name in expected} == {
        p.name for p in instance.populations.values() if not p.virtual
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::mc_interchange.importers.sonata.SonataWarning")
def test_what_was_read_can_be_written(built: Built, case: str, tmp_path: Path) -> None:
    instance = open_model(built(case))
    again = open_model(export(instance, "sonata", tmp_path / "again").path)
    assert again.digest().differences(instance.digest()) == []
    assert again.inputs == instance.inputs


def test_the_public_example_that_comes_with_nest(tmp_path: Path) -> None:
    installed = Path(str(find_spec("nest").origin)).parent
    directory = shutil.copytree(
        installed / "doc/examples/pynest/sonata_example/300_pointneurons", tmp_path / "300_pointneurons"
    )
    config = directory / "simulation_config.json"
    content = json.loads(config.read_text())
    content["run"] |= {"tstop": 500.0}
    config.write_text(json.dumps(content))
    instance, messages = read(directory)
    for part in (
        "node_sets_file $BASE_DIR/node_sets.json does not exist",
        "edges of external_to_internal (type 100, 101) have no delay; 1 ms is taken",
        "spike times are not multiples of dt = 0.01 ms; they are rounded up",
        "not used: conditions.v_init (neurons start at the V_m of their parameters), reports",
    ):
        assert sum(part in message for message in messages) == 1
    assert len(messages) == 4
    # what bmtk cannot find
    del content["node_sets_file"], content["reports"]
    config.write_text(json.dumps(content))
    bmtk("run", config)
    expected = spikes_of_bmtk(directory, per_ms=100)["internal"]
    assert len({neuron for _, neuron in expected}) >= 290
    spikes = NestRunner().run(instance).spikes["internal"]
    assert sorted(zip(spikes.steps.tolist(), spikes.neurons.tolist(), strict=True)) == expected


def test_the_command_line_runs_such_a_circuit(built: Built, tmp_path: Path) -> None:
    directory = built("types")
    for number, path in enumerate((directory, directory / "config.simulation.json", directory / "config.circuit.json")):
        out = tmp_path / str(number)
        command = [Path(sys.executable).with_name("mc-run"), path, "--out", out, "--quiet"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        with h5py.File(out / "spikes.h5") as file:
            group = file["spikes/cortex"]
            steps = np.rint(group["timestamps"][:] * 10).astype(int).tolist()
            found = sorted(zip(steps, group["node_ids"][:].tolist(), strict=True))
        assert found == spikes_of_bmtk(directory)["cortex"]


def test_what_the_types_become(built: Built) -> None:
    instance, messages = read(built("types"))
    cortex, thalamus = instance.populations["cortex"], instance.populations["thalamus"]
    assert sorted(cortex.varying) == ["tau_m", "tau_syn_in"]
    assert cortex.varying["tau_m"].tolist() == [15.0] * 30 + [8.0] * 10
    assert thalamus.virtual
    assert thalamus.activity.n_spikes > 100
    (message,) = messages
    assert "spike times are not multiples of dt = 0.1 ms; they are rounded up" in message


def test_what_groups_and_models_become(built: Built) -> None:
    mixed = read(built("groups"))[0].populations["mixed"]
    assert isinstance(mixed.neuron, MixedNeurons)
    assert [model.model for model in mixed.neuron.models] == ["iaf_cond_exp", "iaf_cond_alpha", "iaf_psc_alpha"]
    assert np.bincount(mixed.neuron.which).tolist() == [12, 8, 10]
    assert mixed.V_m.tolist() == [-66.0] * 30
    zoo = read(built("models"))[0].populations["zoo"]
    foreign = [model for model in zoo.models if isinstance(model, ForeignModel)]
    assert [(m.format, m.name, m.parameters) for m in foreign] == [
        ("nest", "aeif_psc_exp", {"I_e": 900.0, "V_peak": 5.0}),
    ]
    assert [model["I_e"] for model in zoo.models if getattr(model, "model", "") == "hh_psc_alpha"] == [650.0]


def test_each_kind_of_synapse_becomes_a_projection(built: Built) -> None:
    projections = read(built("receptors"))[0].projections
    assert {name: (e.synapse.model, e.synapse.receptor) for name, e in projections.items()} == {
        "lgn_to_v1": ("static_synapse", 3),
        "v1_to_v1_100": ("tsodyks2_synapse", 1),
        "v1_to_v1_101": ("static_synapse", 2),
    }
    assert projections["v1_to_v1_100"].synapse.parameters == {"U": 0.6, "tau_rec": 90.0, "tau_fac": 5.0}


def test_what_clamps_become(built: Built) -> None:
    instance, _ = read(built("clamps"))
    currents = [(c.name, c.target, c.amplitude, c.start, c.stop, c.neurons) for c in instance.inputs]
    assert currents == [
        ("layer_4", "net", 250.0, 20.0, 170.0, tuple(range(10))),
        ("steps_0", "net", 90.0, 50.0, 120.0, (1, 3, 12)),
        ("steps_1", "net", 400.0, 120.0, 180.5, (1, 3, 12)),
        ("whole", "other", 230.0, 0.2, 1000.2, None),
        ("inline", "net", 260.0, 100.0, 200.0, tuple(range(10, 16))),
        ("table_0", "other", 100.0, 40.0, 80.5, (2,)),
        ("table_1", "other", -300.0, 80.5, 130.0, (2,)),
        ("table_2", "other", 20.0, 130.0, 1e9, (2,)),
    ]


def test_counts_of_synapses_and_delays_that_are_not_given(built: Built) -> None:
    directory = built("counts")
    instance, messages = read(directory)
    assert [m for m in messages if "have no delay" in m] == [
        f"{directory}/network/{a}_net_edges.h5: edges of {a}_to_net (type 100) have no delay; 1 ms is taken, NEST's "
        "default"
        for a in ("fibres", "net")
    ]
    blocks = list(instance.projections["net_to_net"].blocks())
    weights, delays = (np.concatenate([getattr(b, key) for b in blocks]) for key in ("weight", "delay"))
    autapses = np.concatenate([b.source == b.target for b in blocks]) & (weights < 0)
    assert set(weights[~autapses]) == {11.0, 33.0, 55.0}
    assert set(delays[~autapses]) == {10}
    assert set(weights[autapses]) == {-80.0}
    assert set(delays[autapses]) == {25}


def test_names_are_changed_openly(built: Built) -> None:
    messages = read(built("names"))[1]
    assert any("'CA1-pyr' is CA1_pyr, 'CA1.pyr' is CA1_pyr_2" in message for message in messages)


def test_a_current_at_the_beginning_is_used_and_reported(built: Built) -> None:
    directory = built("clamps")
    config = directory / "early.json"
    content = json.loads((directory / "config.simulation.json").read_text())
    content["inputs"] = {"now": content["inputs"]["whole"] | {"delay": 0}}
    config.write_text(json.dumps(content))
    instance, messages = read(config)
    assert any("inputs.now begins at or before dt = 0.1 ms; it is used from its beginning" in m for m in messages)
    assert (instance.inputs[0].start, instance.inputs[0].stop) == (0.0, 1000.0)
