"""mc-validate: break one thing in an export, and read its name."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

from mc_interchange import read_network, realize


def test_an_export_as_it_was_written(tools, toy_export):
    result = tools("mc-validate", toy_export)
    assert (result.exit_code, result.stdout) == (0, "valid: yes\n")
    document = json.loads(tools("mc-validate", toy_export, "--json").stdout)
    assert document == {"path": "toy-toyhdf", "for": [], "valid": True, "findings": []}


def change_value(directory: Path) -> None:
    with h5py.File(directory / "edges.h5", "a") as file:
        file["E_to_I"][7] += 1


def delete_dataset(directory: Path) -> None:
    with h5py.File(directory / "edges.h5", "a") as file:
        del file["E_to_I"]


def cut(directory: Path) -> None:
    data = (directory / "edges.h5").read_bytes()
    (directory / "edges.h5").write_bytes(data[: len(data) // 2])


BREAK = {
    "a text file": (lambda d: (d / "notes.txt").write_text("tox\n"), "error: notes.txt: differs"),
    "a longer text": (lambda d: (d / "notes.txt").write_text("toy toy\n"), "error: notes.txt: differs"),
    "a missing file": (lambda d: (d / "notes.txt").unlink(), "error: notes.txt: is missing"),
    "the rules": (lambda d: (d / "model.yaml").write_text("name: ["), "error: model.yaml: differs"),
    "a value": (change_value, "error: edges.h5:E_to_I: values differ"),
    "a dataset": (delete_dataset, "error: edges.h5:E_to_I: cannot be read"),
    "half a file": (cut, "error: edges.h5"),
    "no HDF5": (lambda d: (d / "edges.h5").write_bytes(b""), "error: edges.h5: not a readable HDF5 file"),
    "not JSON": (lambda d: (d / "manifest.json").write_text("{"), "error: manifest.json: not valid JSON"),
    "not a manifest": (lambda d: (d / "manifest.json").write_text("[]"), "error: manifest.json: not a manifest"),
    "not text": (lambda d: (d / "manifest.json").write_bytes(b"\xff\xfe\x00"), "error: manifest.json"),
    "an odd manifest": (
        lambda d: (d / "manifest.json").write_text(
            '{"manifest_version": 1, "format": [], "files": {"notes.txt": 3}, "columns": [4]}'
        ),
        "error: manifest.json: ",
    ),
}


@pytest.mark.parametrize("name", BREAK)
def test_damage_is_named(tools, toy_export, name):
    damage, says = BREAK[name]
    damage(toy_export)
    result = tools("mc-validate", toy_export)
    assert result.exit_code == 1, result.stderr
    assert says in result.stdout
    assert result.stdout.splitlines()[-1] == "valid: no"
    assert result.stderr == ""
    document = json.loads(tools("mc-validate", toy_export, "--json").stdout)
    assert document["valid"] is False
    assert set(document["findings"][0]) == {"level", "file", "place", "message"}


def test_a_file_too_many_is_a_warning(tools, toy_export):
    (toy_export / "remark.txt").write_text("mine")
    result = tools("mc-validate", toy_export)
    assert (result.exit_code, result.stdout) == (
        0,
        "warning: remark.txt: is not part of the export\nvalid: yes\n",
    )


def test_what_is_no_export(tools, toy_run):
    Path("empty").mkdir()
    Path("file").write_text("")
    tools.refused("mc-validate", "empty", says="empty: not an export (no manifest.json)")
    tools.refused("mc-validate", "file", says="file: not an export")
    tools.refused("mc-validate", "nowhere", says="nowhere: no such file or directory")
    tools.refused("mc-validate", toy_run, says="a run, not an export")
    tools.refused("mc-validate", says="missing argument 'PATH'")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n_neurons": 71}, "error: manifest.json: n_neurons: states 71, there is 70"),
        ({"n_synapses": None}, "error: manifest.json: n_synapses: states None, there is 400"),
        ({"digest": {"all": "0"}}, "error: manifest.json: digest: is not that of what was read (all, dt, edges,"),
        ({"digest": 3}, "error: manifest.json: digest: is not that of what was read"),
    ],
)
def test_what_a_manifest_states_is_compared(tools, toy_export, change, says):
    manifest = json.loads((toy_export / "manifest.json").read_text())
    (toy_export / "manifest.json").write_text(json.dumps(manifest | change))
    result = tools("mc-validate", toy_export)
    assert result.exit_code == 1, result.stderr
    assert result.stdout.startswith(says)
    assert result.stdout.endswith("\nvalid: no\n")
    assert result.stdout.count("\n") == 2


def test_another_seed_in_the_manifest(tools, toy_export, monkeypatch):
    import mc_toy

    instance = mc_toy.ToyImporter().read(toy_export)
    monkeypatch.setattr(mc_toy.ToyImporter, "read", lambda self, path: instance)
    manifest = json.loads((toy_export / "manifest.json").read_text())
    (toy_export / "manifest.json").write_text(json.dumps(manifest | {"seed": 4}))
    result = tools("mc-validate", toy_export)
    assert (result.exit_code, result.stdout) == (1, "error: manifest.json: seed: states 4, there is 3\nvalid: no\n")


@pytest.fixture
def circuit(tools) -> Path:
    """A small SONATA export."""
    result = tools("mc-export", "pd14", "--format", "sonata", "--scale", "0.01", "--out", "circuit", "--quiet")
    assert result.exit_code == 0, result.stderr
    return Path("circuit")


ALL = [argument for name in ("nest", "bmtk", "pynn", "libsonata") for argument in ("--for", name)]


def test_a_circuit_for_every_consumer(tools, circuit):
    result = tools("mc-validate", circuit, *ALL)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "valid: yes\n", "")


def test_a_circuit_without_our_manifest(tools, circuit):
    (circuit / "manifest.json").unlink()
    assert tools("mc-validate", circuit).stdout == "valid: yes\n"
    with h5py.File(circuit / "network/L4I_to_L4E_edges.h5", "r+") as file:
        file["edges/L4I_to_L4E/0/syn_weight"][7] = float("nan")
        del file["edges/L4I_to_L4E/indices/target_to_source/node_id_to_range"]
    finding = {
        "level": "error",
        "file": "network/L4I_to_L4E_edges.h5",
        "place": "/edges/L4I_to_L4E/0/syn_weight",
        "message": "not a finite number: 1 of 1741 rows (first: row 7: nan)",
    }
    result = tools("mc-validate", circuit)
    line = "error: {file}:{place}: {message}\n".format(**finding)
    assert (result.exit_code, result.stdout) == (1, line + "valid: no\n")
    result = tools("mc-validate", circuit, "--for", "bmtk", "--for", "libsonata", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["valid"], document["for"]) == (1, False, ["bmtk", "libsonata"])
    assert document["findings"][0] == finding
    assert [f["message"].split()[0] for f in document["findings"][1:]] == ["bmtk"]


def test_manifest_and_content_are_both_checked(tools, circuit):
    with h5py.File(circuit / "network/L4I_to_L4E_edges.h5", "r+") as file:
        file["edges/L4I_to_L4E/0/syn_weight"][7] = float("inf")
    lines = tools("mc-validate", circuit).stdout.splitlines()
    where = "error: network/L4I_to_L4E_edges.h5:/edges/L4I_to_L4E/0/syn_weight: "
    assert lines == [
        f"{where}values differ from what was written",
        f"{where}not a finite number: 1 of 1741 rows (first: row 7: inf)",
        "valid: no",
    ]


def test_the_changed_synapse_is_named(tools, circuit):
    with h5py.File(circuit / "network/L4I_to_L4E_edges.h5", "r+") as file:
        edges = file["edges/L4I_to_L4E"]
        source, target, weight = (edges[name][123] for name in ("source_node_id", "target_node_id", "0/syn_weight"))
        edges["0/syn_weight"][123] = weight * 2
    result = tools("mc-validate", circuit)
    drawn = next(realize(read_network(circuit / "model.yaml")).projections["L4I_to_L4E"].blocks())
    delay = int(drawn.delay[123])
    assert result.exit_code == 1
    ends = f"{source} -> {target}"
    assert result.stdout.splitlines() == [
        "error: network/L4I_to_L4E_edges.h5:/edges/L4I_to_L4E/0/syn_weight: values differ from what was written",
        f"error: model.yaml:L4I_to_L4E: row 123: its rules draw {ends}, weight {float(weight)!r}, delay {delay} steps, "
        f"the files hold {ends}, weight {float(weight) * 2!r}, delay {delay} steps",
        "valid: no",
    ]
    compared = tools("mc-compare", circuit, circuit / "model.yaml")
    assert compared.exit_code == 1
    assert f"first in row 123: {ends}, weight {float(weight) * 2!r}, delay {delay} steps against " in compared.stdout


def test_warnings_are_no_errors(tools, circuit):
    (circuit / "manifest.json").unlink()
    with h5py.File(circuit / "network/L4I_to_L4E_edges.h5", "r+") as file:
        del file.attrs["magic"]
    result = tools("mc-validate", circuit / "circuit_config.json")
    assert (result.exit_code, result.stdout) == (
        0,
        "warning: network/L4I_to_L4E_edges.h5:/: has no attribute magic (0x0A7A in SONATA files)\nvalid: yes\n",
    )


def test_consumers_that_are_not_known(tools, toy_export, circuit):
    tools.refused("mc-validate", circuit, "--for", "brian", says="consumer 'brian'; known: bmtk, libsonata, nest, pynn")
    says = "--for nest: toy-toyhdf is toyhdf; the consumers known of it: none"
    tools.refused("mc-validate", toy_export, "--for", "nest", says=says)
    assert "[bmtk|libsonata|nest|pynn]" in tools("mc-validate", "--help").stdout


def test_half_a_manifest_does_not_hide_the_rest(tools, circuit):
    (circuit / "manifest.json").write_text("{")
    (circuit / "node_sets.json").write_text("[]")
    lines = tools("mc-validate", circuit).stdout.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == ["manifest.json", "node_sets.json", "no"]
