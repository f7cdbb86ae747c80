"""The check names exactly what was changed, and nothing else."""

import json

import h5py
import numpy as np
import pytest
import xxhash

from mc_interchange.contracts import Column, Finding
from mc_interchange.errors import FormatError
from mc_interchange.manifest import check_manifest, read_manifest, write_manifest


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "notes.txt").write_text("ten neurons")
    (tmp_path / "model.yaml").write_text("name: x\n")
    columns = []
    with h5py.File(tmp_path / "edges.h5", "w") as file:
        for name, values in {"weight": np.linspace(0, 1, 1000), "source": np.arange(1000, dtype=np.uint32)}.items():
            file[f"edges/{name}"] = values
            checksum = xxhash.xxh3_64(values.tobytes()).hexdigest()
            file[f"edges/{name}"].attrs["unit"] = "pA"
            path = {"weight": "edges/weight", "source": "/edges/source"}[name]  # both forms are in use
            columns.append(Column("edges.h5", path, values.dtype.name, 1000, checksum))
        file["edges"].attrs["magic"] = 0x0A7A
        file["edges/types"] = ["one", "two"]
        file["edges/number"] = 3
        file["edges/table"] = np.eye(2)
        file.create_dataset("edges/never_written", (10,), "u4")
    write_manifest(tmp_path, {"format": "test"}, columns)
    return tmp_path


def change_text(directory):
    (directory / "sub" / "notes.txt").write_text("two neurons")


def remove_file(directory):
    (directory / "model.yaml").unlink()


def add_file(directory):
    (directory / "sub" / "extra.txt").write_text("mine")


def change_one_value(directory):
    with h5py.File(directory / "edges.h5", "r+") as file:
        file["edges/weight"][500] = np.nextafter(file["edges/weight"][500], 2)


def swap_two_values(directory):
    with h5py.File(directory / "edges.h5", "r+") as file:
        file["edges/source"][:2] = [1, 0]


def in_file(edit):
    def change(directory):
        with h5py.File(directory / "edges.h5", "r+") as file:
            edit(file)

    change.__name__ = edit.__name__
    return change


def change_attribute(file):
    file["edges"].attrs.modify("magic", 0x0A7B)


def change_text_attribute(file):
    file["edges/weight"].attrs["unit"] = "nA"


def change_small_dataset(file):
    file["edges/types"][1] = "owt"


def change_number(file):
    file["edges/number"][()] = 4


def change_table(file):
    file["edges/table"][0, 1] = 1.0


def remove_columns_file(directory):
    (directory / "edges.h5").unlink()


REST = Finding("error", "edges.h5", "", "groups, attributes or small datasets differ from what was written")
CHANGES = [
    *((in_file(edit), [REST]) for edit in (change_attribute, change_small_dataset, change_number, change_table)),
    (change_text, [Finding("error", "sub/notes.txt", "", "differs from what was written")]),
    (remove_file, [Finding("error", "model.yaml", "", "is missing")]),
    (add_file, [Finding("warning", "sub/extra.txt", "", "is not part of the export")]),
    (change_one_value, [Finding("error", "edges.h5", "edges/weight", "values differ from what was written")]),
    (swap_two_values, [Finding("error", "edges.h5", "/edges/source", "values differ from what was written")]),
    (remove_columns_file, [Finding("error", "edges.h5", "", "is missing")]),
]


def test_untouched(directory):
    assert check_manifest(directory) == []


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[c.__name__ for c, _ in CHANGES])
def test_one_change(directory, change, expected):
    change(directory)
    assert check_manifest(directory) == expected


def replace(directory, name, values):
    with h5py.File(directory / "edges.h5", "r+") as file:
        del file[name]
        if values is not None:
            file[name] = values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "cannot be read"),
        (np.linspace(0, 1, 999), "holds (999,) float64, 1000 float64 were written"),
        (np.linspace(0, 1, 1000, dtype=np.float32), "holds (1000,) float32, 1000 float64 were written"),
        (3.0, "cannot be read"),
    ],
)
def test_dataset_of_another_kind(directory, values, message):
    replace(directory, "edges/weight", values)
    found = [f for f in check_manifest(directory) if f.where != "edges.h5"]
    assert [f.where for f in found] == ["edges.h5:edges/weight"]
    assert found[0].message.startswith(message)


def test_group_in_place_of_a_dataset(directory):
    with h5py.File(directory / "edges.h5", "r+") as file:
        del file["edges/weight"]
        file.create_group("edges/weight")
    assert "edges.h5:edges/weight" in [f.where for f in check_manifest(directory)]


def test_damaged_hdf5(directory):
    size = (directory / "edges.h5").stat().st_size
    (directory / "edges.h5").write_bytes(bytes(size))
    assert {f.where for f in check_manifest(directory)} == {"edges.h5:edges/weight", "edges.h5:/edges/source"}


def test_cut_hdf5(directory):
    content = (directory / "edges.h5").read_bytes()
    (directory / "edges.h5").write_bytes(content[: len(content) // 2])
    found = check_manifest(directory)
    assert found[0].where == "edges.h5"
    assert "bytes" in found[0].message


def write_what_was_not(file):
    file["edges/never_written"][3] = 1


def change_fill_value(file):
    del file["edges/never_written"]
    file.create_dataset("edges/never_written", (10,), "u4", fillvalue=7)


def rename_attribute(file):
    del file["edges"].attrs["magic"]
    file["edges"].attrs["magik"] = 0x0A7A


def rename_dataset(file):
    file.move("edges/table", "edges/chair")


@pytest.mark.parametrize(
    "edit", [change_text_attribute, write_what_was_not, change_fill_value, rename_attribute, rename_dataset]
)
def test_changes_that_let_the_file_grow(directory, edit):
    in_file(edit)(directory)
    size = (directory / "edges.h5").stat().st_size
    edited(directory, lambda manifest: manifest["files"]["edges.h5"].update(bytes=size))
    assert check_manifest(directory) == [REST]


def edited(directory, edit):
    manifest = json.loads((directory / "manifest.json").read_text())
    edit(manifest)
    (directory / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read (No such file or directory); is this an export?"),
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "not a manifest of version 1"),
        ('{"manifest_version": 2}', "not a manifest of version 1"),
        ('{"manifest_version": 1}', "'files' or 'columns' is missing"),
        ('{"manifest_version": 1, "files": {"a": 3}, "columns": []}', "files: the entry 'a' is not valid"),
        (
            '{"manifest_version": 1, "files": {"/dev/zero": {"bytes": 1, "xxh3": ""}}, "columns": []}',
            "files: the entry '/dev/zero' is not valid",
        ),
        (
            '{"manifest_version": 1, "files": {"../x": {"bytes": 1}}, "columns": []}',
            "files: the entry '../x' is not valid",
        ),
        ('{"manifest_version": 1, "files": {}, "columns": [{"file": "x"}]}', "columns[0] is not valid"),
        ('{"manifest_version": 1, "files": {}, "columns": [7]}', "columns[0] is not valid"),
    ],
)
def test_bad_manifest(tmp_path, text, message):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FormatError) as refusal:
        check_manifest(tmp_path)
    line = str(refusal.value)
    assert line.startswith(f"{tmp_path / 'manifest.json'}: {message}")
    assert "\n" not in line


def test_binary_manifest(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"\x89HDF\r\n\x1a\n\xff")
    with pytest.raises(FormatError, match="not valid JSON"):
        read_manifest(tmp_path)


def test_not_a_directory(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FormatError, match=r"cannot be read \(Not a directory\)"):
        read_manifest(tmp_path / "file")


def test_holds_facts_first_and_no_trace_of_the_place(directory):
    text = (directory / "manifest.json").read_text()
    assert list(json.loads(text))[:2] == ["manifest_version", "format"]
    assert str(directory) not in text
    edited(directory, lambda manifest: manifest.update(format="other"))  # facts have no checksum of their own
    assert check_manifest(directory) == []
