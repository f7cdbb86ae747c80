"""mc-export: what it takes, what it says, what it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import pytest

from mc_interchange import read_network


def manifest(directory: str | Path) -> dict:
    return json.loads((Path(directory) / "manifest.json").read_text())


def test_writes_an_export_and_says_what_was_lost(tools):
    result = tools("mc-export", "toy", "--format", "toyhdf")
    assert result.exit_code == 0
    assert "inputs: dropped, there is no place for them" in result.stderr
    assert result.stdout.startswith("toy-toyhdf: 70 neurons, 400 synapses in ")
    assert manifest("toy-toyhdf")["digest"]["all"] in result.stdout
    assert sorted(p.name for p in tools.directory.iterdir()) == ["toy-toyhdf"]


def test_quiet_leaves_the_result(tools):
    result = tools("mc-export", "toy", "--format", "toyhdf", "--quiet")
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1


def test_json_is_the_only_output(tools):
    result = tools("mc-export", "toy", "--format", "toyhdf", "--json", "--out", "x/y")
    document = json.loads(result.stdout)
    assert document["path"] == "x/y"
    assert document["n_neurons"] == 70
    assert document["n_synapses"] == 400
    assert document["digest"] == manifest("x/y")["digest"]
    assert document["losses"] == [{"what": "inputs", "how": "dropped", "detail": "there is no place for them"}]
    assert document["bytes"] == sum(p.stat().st_size for p in Path("x/y").iterdir())


def test_the_same_call_writes_the_same_bytes(tools):
    for name in ("a", "b"):
        tools("mc-export", "toy", "--format", "toyhdf", "--out", name)
    assert tools.contents("a") == tools.contents("b")


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ([], 50),  # the format's own default
        (["--scale", "0.2"], 20),
        (["--n-scale", "0.3"], 30),
        (["--k-scale", "0.3"], 100),
        (["-p", "scale=0.4"], 40),
        (["--param", "n_scale=0.6", "--param", "rates=[1, 2.5]"], 60),
    ],
)
def test_scale_and_parameters_reach_the_reference_model(tools, arguments, size):
    assert tools("mc-export", "toy", "-f", "toyhdf", *arguments).exit_code == 0
    assert read_network("toy-toyhdf/model.yaml").population("E").size == size


def test_simulation_parameters_reach_a_reference_model(tools):
    arguments = ["--seed", "9", "--dt", "0.05", "--duration", "50"]
    tools("mc-export", "toy", "-f", "toyhdf", "-p", "n_scale=1", *arguments)
    simulation = read_network("toy-toyhdf/model.yaml").simulation
    assert (simulation.seed, simulation.dt, simulation.duration) == (9, 0.05, 50)
    assert manifest("toy-toyhdf")["seed"] == 9


def test_simulation_parameters_reach_a_model_file(tools, toy_yaml):
    assert tools("mc-export", toy_yaml, "-f", "toyhdf", "--seed", "9", "--duration", "50").exit_code == 0
    assert manifest("toy-toyhdf")["seed"] == 9
    assert read_network("toy-toyhdf/model.yaml").simulation.duration == 50
    assert read_network(toy_yaml).simulation.duration == 100


def test_an_export_can_be_exported_again(tools, toy_export):
    result = tools("mc-export", toy_export, "-f", "toyhdf", "--out", "again", "--duration", "20")
    assert result.exit_code == 0, result.stderr
    assert manifest("again")["digest"] == manifest(toy_export)["digest"]
    assert read_network("again/model.yaml").simulation.duration == 20


def test_options_of_a_plug_in_are_flags(tools):
    arguments = ["--level", "high", "--compress", "--parts", "3", "--tag", "x", "--sizes", "[1, 2]"]
    assert tools("mc-export", "toy", "-f", "toyhdf", *arguments).exit_code == 0
    expected = {"level": "high", "compress": True, "parts": 3, "tag": "x", "sizes": [1, 2]}
    assert manifest("toy-toyhdf")["options"] == expected
    with h5py.File("toy-toyhdf/edges.h5") as file:
        assert json.loads(file.attrs["options"]) == expected
    tools("mc-export", "toy", "--format=toyhdf", "--no-compress", "--out", "b")
    assert manifest("b")["options"] == {"level": "low", "compress": False, "parts": 1, "tag": None, "sizes": []}


def test_help_lists_formats_even_when_one_cannot_be_loaded(tools):
    result = tools("mc-export", "--help")
    assert result.exit_code == 0
    assert "toyhdf" in result.stdout
    assert "a toy format" in result.stdout
    assert "broken" in result.stdout
    assert "not usable" in result.stdout
    assert "--compress" not in result.stdout


@pytest.mark.parametrize(
    "where",
    [
        ["--format", "toyhdf", "--help"],
        ["--help", "--format=toyhdf"],
        ["-ftoyhdf", "-h"],
        ["-qf", "toyhdf", "-h"],
        ["-qftoyhdf", "-h"],
    ],
)
def test_help_of_a_format_shows_its_options(tools, where):
    result = tools("mc-export", *where)
    assert result.exit_code == 0
    assert "--compress / --no-compress" in result.stdout
    assert "[low|high]" in result.stdout
    assert "how much" in result.stdout
    assert "[default: no-compress]" in " ".join(result.stdout.split())


def test_warnings_are_one_line(tools):
    result = tools("mc-export", "toy", "-f", "toyhdf", "--background", "dc")
    assert result.exit_code == 0
    assert "mc-export: warning: the current is below threshold\n" in result.stderr
    assert "mc_toy.py" not in result.stderr
    assert tools("mc-export", "toy", "-f", "toyhdf", "--background", "dc", "-q", "-o", "b").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["toy"], "--format is missing; known: "),
        (["toy", "--format"], "--format"),
        (
            ["toy", "--format", "nothing"],
            "known: brian2, broken, clash, large, neuroml, neuron, pynn, slow, sonata, toyhdf",
        ),
        (["toy", "--format", "broken"], "cannot be loaded"),
        (["toy", "--format", "clash"], "has an option --seed"),
        (["toy", "--format", "slow", "--compress"], "--compress is an option of toyhdf, not of slow"),
        (["toy", "--compress"], "--compress is an option of toyhdf"),
        (["toy", "--format", "toyhdf", "--nothing"], "--nothing"),
        (["toy", "more", "--format", "toyhdf"], "more"),
        (["toy", "--format", "toyhdf", "--level", "middle"], "'low', 'high'"),
        (["toy", "--format", "toyhdf", "--parts", "many"], "'many' is not a valid integer"),
        (["toy", "--format", "toyhdf", "--parts", "0"], "parts: "),
        (["toy", "--format", "toyhdf", "--sizes", "[1, x]"], "sizes[1]"),
        (["toy", "--format", "toyhdf", "--sizes", "[1"], "not a YAML value"),
        (["toy", "--format", "toyhdf", "--seed", "0"], "--seed"),
        (["toy", "--format", "toyhdf", "--seed", "x"], "--seed"),
        (["toy", "--format", "toyhdf", "--workers", "0"], "--workers"),
        (["toy", "--format", "toyhdf", "--dt", "nan"], "dt: "),
        (["toy", "--format", "toyhdf", "--dt", "0.8"], "toy: projections[0].delay: "),
        (["toy", "--format", "toyhdf", "--duration", "-1"], "toy: duration: "),
        (["toy", "--format", "toyhdf", "--scale", "big"], "--scale"),
        (["toy", "--format", "toyhdf", "--scale", "-1"], "scale: "),
        (["toy", "--format", "toyhdf", "--scale", "1", "--n-scale", "1"], "give either"),
        (["toy", "--format", "toyhdf", "--scale", "1", "--param", "k_scale=1"], "give either"),
        (["toy", "--format", "toyhdf", "--scale", "1", "--param", "scale=1"], "given twice"),
        (["toy", "--format", "toyhdf", "--seed", "1", "--param", "seed=1"], "given twice"),
        (["toy", "--format", "toyhdf", "--param", "scale"], "KEY=VALUE"),
        (["toy", "--format", "toyhdf", "--param", "n-scale=1"], "did you mean n_scale?"),
        (["toy", "--format", "toyhdf", "--param", "x=1"], "known: scale, n_scale, k_scale, background, rates, seed"),
        (["toy", "--format", "toyhdf", "--param", "rates=[1, x]"], "rates[1]"),
        (["toy", "--format", "toyhdf", "--param", "rates=[1"], "not a YAML value"),
        (["toy", "--format", "toyhdf", "--background", "rain"], "'poisson' or 'dc'"),
        (["toy", "--format", "toyhdf", "--strict"], "toyhdf cannot hold inputs"),
        (
            ["nowhere", "--format", "toyhdf"],
            "nowhere: neither a file or directory nor a reference model (brunel2000, pd14, toy)",
        ),
        (["no/where.yaml", "--format", "toyhdf"], "no/where.yaml"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(tools, arguments, says):
    tools.refused("mc-export", *arguments, says=says)
    assert list(tools.directory.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "bad.yaml: line 1"),
        ("a: 1\na: 2\n", "bad.yaml: line"),
        ("just text", "bad.yaml: not a model description"),
        ("name: x\npopulations: []\n", "bad.yaml: populations"),
        ("\x00", "bad.yaml"),
        ("", "bad.yaml"),
    ],
)
def test_a_wrong_model_file_is_named_with_the_place(tools, text, says):
    Path("bad.yaml").write_text(text)
    tools.refused("mc-export", "bad.yaml", "--format", "toyhdf", says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scale", "1"], "--scale is for reference models (brunel2000, pd14, toy); toy.yaml"),
        (["--background", "dc"], "--background is for reference models"),
        (["--param", "rates=[]"], "--param rates is for reference models"),
        (["--dt", "0.4"], "toy.yaml: "),
    ],
)
def test_a_model_file_takes_no_arguments_of_reference_models(tools, toy_yaml, arguments, says):
    tools.refused("mc-export", toy_yaml, "--format", "toyhdf", *arguments, says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scale", "1"], "--scale is for reference models"),
        (["--seed", "1"], "--seed cannot be changed in toy-toyhdf: its synapses are drawn already"),
        (["--dt", "1"], "--dt cannot be changed in toy-toyhdf"),
        (["--duration", "0.05"], "toy-toyhdf: "),
    ],
)
def test_an_export_takes_no_new_seed(tools, toy_export, arguments, says):
    tools.refused("mc-export", toy_export, "--format", "toyhdf", "--out", "x", *arguments, says=says)


def test_input_that_is_no_export(tools):
    Path("empty").mkdir()
    Path("text.txt").write_text("hello")
    for path in ("empty", "text.txt"):
        tools.refused("mc-export", path, "--format", "toyhdf", says=f"{path}: not a model file (.yaml) and not")


def test_unreadable_hdf5(tools, toy_export):
    (toy_export / "edges.h5").write_bytes(b"no HDF5 at all")
    tools.refused("mc-export", toy_export, "--format", "toyhdf", "--out", "x", says="edges.h5: not a readable HDF5")
    assert not Path("x").exists()


class TestOutputInTheWay:
    def test_an_earlier_export_stays(self, tools, toy_export):
        before = tools.contents(".")
        tools.refused("mc-export", "toy", "--format", "toyhdf", "--scale", "1", says="exists already")
        assert tools.contents(".") == before

    def test_force_replaces_it(self, tools, toy_export):
        assert tools("mc-export", "toy", "--format", "toyhdf", "--scale", "1", "--force").exit_code == 0
        assert manifest(toy_export)["n_neurons"] == 120
        assert sorted(p.name for p in tools.directory.iterdir()) == ["toy-toyhdf"]

    def test_force_with_a_refusal_keeps_it(self, tools, toy_export):
        before = tools.contents(".")
        tools.refused("mc-export", "toy", "--format", "toyhdf", "--force", "--strict", says="cannot hold")
        assert tools.contents(".") == before

    @pytest.mark.parametrize("force", [[], ["--force"]])
    def test_a_foreign_directory_is_never_touched(self, tools, force):
        Path("mine").mkdir()
        Path("mine/thesis.tex").write_text("years of work")
        before = tools.contents(".")
        tools.refused("mc-export", "toy", "--format", "toyhdf", "--out", "mine", *force, says="not written by")
        assert tools.contents(".") == before

    @pytest.mark.parametrize("force", [[], ["--force"]])
    def test_a_file_is_never_touched(self, tools, force):
        Path("mine").write_text("years of work")
        tools.refused("mc-export", "toy", "--format", "toyhdf", "--out", "mine", *force, says="mine")
        tools.refused("mc-export", "toy", "--format", "toyhdf", "--out", "mine/below", *force, says="mine")
        assert tools.contents(".") == {"mine": b"years of work"}

    def test_an_export_may_replace_itself(self, tools, toy_export):
        before = manifest(toy_export)["digest"]
        result = tools("mc-export", toy_export, "--format", "toyhdf", "--out", toy_export, "--force")
        assert result.exit_code == 0, result.stderr
        assert manifest(toy_export)["digest"] == before


def test_a_name_that_is_a_path_is_no_reference_model(tools, toy_export):
    shutil.move(toy_export, "toy")
    tools.refused("mc-export", "./toy", "--format", "toyhdf", "--scale", "1", says="--scale is for reference models")


@pytest.mark.parametrize("flags", [["--duration", "20"], ["--param", "duration=20"]])
def test_a_duration_within_the_discarded_start_of_a_reference_model(tools, flags):
    result = tools("mc-export", "pd14", "--format", "toyhdf", "--scale", "0.002", *flags)
    assert result.exit_code == 0, result.stderr
    line = "mc-export: warning: pd14 discards its first 500 ms; with this duration nothing is discarded\n"
    assert line in result.stderr
    simulation = read_network("pd14-toyhdf/model.yaml").simulation
    assert (simulation.duration, simulation.discard) == (20, 0)
    wrong = ["--duration", "20", "--param", "discard=30", "--out", "x"]
    tools.refused("mc-export", "pd14", "--format", "toyhdf", *wrong, says="pd14: discard: must be less than duration")


def test_the_default_place_follows_the_path(tools, toy_yaml):
    toy_yaml.rename("mine.yaml")
    assert tools("mc-export", "mine.yaml", "--format", "toyhdf").exit_code == 0
    assert tools("mc-export", "mine-toyhdf", "--format", "toyhdf").exit_code == 0
    assert sorted(p.name for p in Path().iterdir()) == ["mine-toyhdf", "mine-toyhdf-toyhdf", "mine.yaml"]
