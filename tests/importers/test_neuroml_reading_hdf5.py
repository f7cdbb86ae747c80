"""Reading NeuroML in HDF5: files of libNeuroML, tables with columns in any order, damage."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import neuroml
import numpy as np
import pytest
from neuroml_files import CELLS, check_objects, connections, lems, objects, put, write_objects

from mc_interchange.errors import FormatError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import NeuroMLWarning
from mc_interchange.importers.neuroml.files import is_neuroml
from mc_interchange.importers.neuroml.reading import check_document, read_document

quiet = pytest.mark.filterwarnings(
    "ignore::mc_interchange.importers.neuroml.document.NeuroMLWarning", "ignore::tables.NaturalNameWarning"
)
PROJECTION = "neuroml/network/projection_p"
POPULATION = "neuroml/network/population_E"
INPUTS = "neuroml/network/inputList_l"


def table(group: h5py.Group, name: str, columns: dict[str, Any], dtype: Any = np.float32, **how: Any) -> None:
    """Write a table whose columns are named by attributes."""
    data = np.array(list(columns.values()), dtype).T
    dataset = group.create_dataset(name, data=data, **how)
    for index, column in enumerate(columns):
        dataset.attrs[f"column_{index}"] = np.bytes_(column)


def write(path: Path, change: Callable[[h5py.File], None] | None = None, **edges: Any) -> Path:
    """Write populations E (4 cells) and I (2), one projection and one list of inputs."""
    with h5py.File(path, "w") as file:
        root = file.create_group("neuroml")
        root.attrs["id"] = "doc"
        root.attrs["neuroml_top_level"] = f'<neuroml id="doc">{CELLS}</neuroml>'
        net = root.create_group("network")
        net.attrs["id"] = "net"
        for name, size in (("E", 4), ("I", 2)):
            group = net.create_group(f"population_{name}")
            group.attrs.update({"id": name, "component": "cell", "size": size})
        group = net.create_group("projection_p")
        ends = {"presynapticPopulation": "E", "postsynapticPopulation": "I"}
        group.attrs.update({"id": "p", "type": "projection", "synapse": "psc", **ends})
        columns = {"pre_cell_id": [3, 0], "post_cell_id": [1, 0], "weight": [0.5, -0.25], "delay": [1.5, 0.7]}
        how = {key: edges.pop(key) for key in ("dtype", "chunks", "compression") if key in edges}
        table(group, "p", {k: v for k, v in (columns | edges).items() if v is not None}, **how)
        group = net.create_group("inputList_l")
        group.attrs.update({"id": "l", "component": "pulse", "population": "E"})
        columns = {"id": [0, 1], "target_cell_id": [2, 3], "segment_id": [0, 0], "fraction_along": [0.5, 0.5]}
        table(group, "l", columns | {"weight": [1.0, 0.0878]})
        if change is not None:
            change(file)
    return path


@quiet
@pytest.mark.parametrize("compress", [True, False])
def test_file_of_libneuroml(tmp_path: Path, compress: bool) -> None:
    path = tmp_path / "objects.net.nml.h5"
    neuroml.writers.NeuroMLHdf5Writer.write(objects(), str(path), compress=compress)
    assert is_neuroml(path)
    check_objects(read_document(path))


@quiet
def test_file_of_libneuroml_without_notes_and_document(tmp_path: Path) -> None:
    document = objects()
    document.notes = document.networks[0].notes = None
    path = tmp_path / "objects.net.nml.h5"
    neuroml.writers.NeuroMLHdf5Writer.write(document, str(path), embed_xml=False)
    found = read_document(path)
    assert (found.notes, dict(found.components)) == ("", {})


@quiet
def test_in_a_lems_file(tmp_path: Path) -> None:
    write_objects(tmp_path, encoding="hdf5")
    put(tmp_path / "LEMS_a.xml", lems("objects.net.nml.h5"))
    document = read_document(tmp_path)
    assert document.dt == 0.05
    assert next(connections(document)) == ("E_I", 0, 1, 87.805, 30)


def test_document_around_the_network_includes_files(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["neuroml"].attrs["neuroml_top_level"] = '<neuroml id="doc"><include href="cells.nml"/></neuroml>'

    put(tmp_path / "cells.nml", f'<neuroml id="c">{CELLS}</neuroml>')
    assert set(read_document(write(tmp_path / "a.nml.h5", change)).components) == {"cell", "psc", "pulse"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_in_any_order(tmp_path: Path, dtype: Any) -> None:
    columns = {
        "delay": [1.5, 0.7],
        "post_segment_id": [0, 0],
        "post_cell_id": [1, 0],
        "pre_fraction_along": [0.1, 0.5],
        "weight": [0.0878, -1e-4],
        "pre_cell_id": [3, 0],
    }

    def change(file: h5py.File) -> None:
        del file[f"{PROJECTION}/p"]
        table(file[PROJECTION], "p", columns, dtype)

    document = read_document(write(tmp_path / "a.nml.h5", change))
    assert list(connections(document)) == [("p", 3, 1, 87.8, 15), ("p", 0, 0, -0.1, 7)]


def test_missing_columns_have_defaults(tmp_path: Path) -> None:
    document = read_document(write(tmp_path / "a.nml.h5", weight=None, delay=None))
    with pytest.warns(NeuroMLWarning, match="such as 0 ms, are below half of dt"):
        assert list(connections(document)) == [("p", 3, 1, 1000.0, 1), ("p", 0, 0, 1000.0, 1)]


def test_empty_projection(tmp_path: Path) -> None:
    document = read_document(write(tmp_path / "a.nml.h5", lambda file: file[PROJECTION].__delitem__("p")))
    assert document.projections[0].edges.n_edges == 0


def test_inputs(tmp_path: Path) -> None:
    (inputs,) = read_document(write(tmp_path / "a.nml.h5")).inputs
    assert (inputs.id, inputs.population, inputs.component) == ("l", "E", "pulse")
    assert inputs.targets.tolist() == [2, 3]
    assert inputs.weights is not None
    assert inputs.weights.tolist() == [1000.0, 87.8]


def test_attributes_that_are_lists_of_one_text(tmp_path: Path) -> None:
    """As jNeuroML's library writes them."""

    def change(file: h5py.File) -> None:
        def listed(_: str, item: h5py.Group | h5py.Dataset) -> None:
            for key, value in list(item.attrs.items()):
                if isinstance(value, str | bytes):
                    item.attrs[key] = np.array([value.encode() if isinstance(value, str) else value])

        file.visititems(listed)

    document = read_document(write(tmp_path / "a.nml.h5", change))
    assert set(document.components) == {"cell", "psc", "pulse"}
    assert list(connections(document)) == [("p", 3, 1, 500.0, 15), ("p", 0, 0, -250.0, 7)]


def test_locations_with_ids(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        table(file[POPULATION], "E", {"id": [3, 1, 0, 2], "z": [3, 1, 0, 2], "x": [0.1] * 4, "y": [-65.8] * 4})

    population = read_document(write(tmp_path / "a.nml.h5", change)).populations[0]
    assert population.positions is not None
    assert population.positions.tolist() == [[0.1, -65.8, z] for z in range(4)]


def test_order_of_populations(tmp_path: Path) -> None:
    """By name, unless the file keeps the order in which they were made."""
    for tracked, expected in ((True, ["Z", "A"]), (False, ["A", "Z"])):
        path = tmp_path / f"{tracked}.nml.h5"
        with h5py.File(path, "w") as file:
            net = file.create_group("neuroml").create_group("network", track_order=tracked)
            net.attrs["id"] = "net"
            for name in "ZA":
                net.create_group(f"population_{name}").attrs.update({"id": name, "component": "c", "size": 1})
        assert [p.id for p in read_document(path).populations] == expected


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file[PROJECTION].attrs["type"] = "electricalProjection"
        file["neuroml/network"].create_group("region_r")

    path = write(tmp_path / "a.nml.h5", change)
    assert [(f.level, f.file, f.place, f.message) for f in check_document(path)] == [
        ("warning", "a.nml.h5", "/neuroml/network/projection_p", "electricalProjection p is not read"),
        ("warning", "a.nml.h5", "/neuroml/network", "region_r is not read"),
    ]


@pytest.mark.parametrize(
    ("edges", "message"),
    {
        "too large": ({"pre_cell_id": [4, 0]}, "pre_cell_id must be a whole number below 4, got 4"),
        "negative": ({"post_cell_id": [-1, 0]}, "post_cell_id must be a whole number below 2, got -1"),
        "fraction": ({"post_cell_id": [0.5, 0]}, "post_cell_id must be a whole number below 2, got 0.5"),
        "not a number": ({"post_cell_id": [np.nan, 0]}, "post_cell_id is not a finite number"),
        "weight": ({"weight": [np.inf, 0]}, "weight is not a finite number"),
        "delay": ({"delay": [-1, 0]}, "delay must be from 0 to 1e.06 ms, got -1 ms"),
        "long delay": ({"delay": [2e6, 0]}, "delay must be from 0 to 1e.06 ms"),
        "segment": ({"pre_segment_id": [1, 0]}, "pre_segment_id is not 0; only cells that are points"),
    }.values(),
)
def test_wrong_connections(tmp_path: Path, edges: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "a.nml.h5", **edges)
    document = read_document(path)
    with pytest.raises(FormatError, match=f"{re.escape(str(path))}:/{PROJECTION}/p: rows 0 to 1: {message}"):
        list(document.projections[0].edges.blocks())
    (finding,) = check_document(tmp_path)
    assert (finding.level, finding.file, finding.place) == ("error", "a.nml.h5", f"/{PROJECTION}/p")


def _external(file: h5py.File) -> None:
    del file[PROJECTION]
    file[PROJECTION] = h5py.ExternalLink("other.h5", "/p")


def _soft(file: h5py.File) -> None:
    file[f"{POPULATION}/E"] = h5py.SoftLink(f"/{PROJECTION}/p")


def _external_values(file: h5py.File) -> None:
    del file[f"{PROJECTION}/p"]
    file[PROJECTION].create_dataset("p", (1, 4), np.float32, external=[("/etc/hostname", 0, 16)])


def _claim(file: h5py.File) -> None:
    del file[f"{PROJECTION}/p"]
    dataset = file[PROJECTION].create_dataset("p", (10**12, 2), np.float32, chunks=(1024, 2))
    dataset.attrs.update({"column_0": "pre_cell_id", "column_1": "post_cell_id"})


@pytest.mark.parametrize(
    ("change", "message"),
    {
        "external link": (_external, "/neuroml/network: projection_p is a link, which is refused"),
        "soft link": (_soft, f"{POPULATION}: E is a link, which is refused"),
        "external values": (_external_values, "its values are in another file, which is refused"),
        "more than it holds": (_claim, "claims 1000000000000 rows; the file does not hold them"),
        "no root": (lambda file: file.move("neuroml", "x"), "there is no group neuroml"),
        "no network": (lambda file: file["neuroml"].move("network", "x"), "hold a network"),
        "no id": (lambda file: file[PROJECTION].attrs.__delitem__("id"), "p: there is no attribute id"),
        "no size": (lambda file: file[POPULATION].attrs.__delitem__("size"), "the size is None, with no locations"),
        "huge size": (lambda file: file[POPULATION].attrs.modify("size", 10**12), "1000000000000 cells"),
        "other population": (
            lambda file: file[PROJECTION].attrs.modify("presynapticPopulation", "X"),
            "there is no population 'X'",
        ),
        "no source": (lambda file: file[f"{PROJECTION}/p"].attrs.__delitem__("column_0"), "column 0 is None"),
        "unknown column": (lambda file: file[f"{PROJECTION}/p"].attrs.modify("column_2", "w"), "column 2 is 'w'"),
        "twice": (lambda file: file[f"{PROJECTION}/p"].attrs.modify("column_0", "weight"), "column 2 is 'weight'"),
        "no target": (lambda file: file[f"{PROJECTION}/p"].attrs.modify("column_1", "id"), "no column post_cell_id"),
        "two tables": (lambda file: table(file[PROJECTION], "q", {"weight": [1]}), "must be the only table"),
        "texts": (lambda file: file[POPULATION].create_dataset("E", data=[["a"]]), "columns of numbers"),
        "input": (lambda file: file[f"{INPUTS}/l"].__setitem__((0, 1), 9), "target_cell_id must be a whole number"),
        "document": (
            lambda file: file["neuroml"].attrs.modify("neuroml_top_level", "<neuroml>\n<notes></neuroml>"),
            "/neuroml/neuroml_top_level:2: not well-formed XML",
        ),
        "entities": (
            lambda file: file["neuroml"].attrs.modify("neuroml_top_level", "<!DOCTYPE a><neuroml/>"),
            r"a document type .DOCTYPE. is refused",
        ),
        "include": (
            lambda file: file["neuroml"].attrs.modify("neuroml_top_level", "<neuroml><include href='/x'/></neuroml>"),
            "'/x' leaves the directory",
        ),
    }.values(),
)
def test_wrong_files(tmp_path: Path, change: Callable[[h5py.File], None], message: str) -> None:
    path = write(tmp_path / "a.nml.h5", change)
    with pytest.raises(FormatError, match=f"{re.escape(str(path))}.*{message}") as error:
        read_document(path)
    assert "\n" not in str(error.value)


def test_more_cells_than_float32_can_number(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file[POPULATION].attrs.modify("size", fmt.hdf5.MAX_ID + 1)

    with pytest.raises(FormatError, match="float32 cannot number 16777217 cells"):
        read_document(write(tmp_path / "a.nml.h5", change))
    document = read_document(write(tmp_path / "a.nml.h5", change, dtype=np.float64))
    assert len(list(connections(document))) == 2


def test_cut_files(tmp_path: Path) -> None:
    """Every file that ends too early gives an error of one line, at the latest when everything is read."""
    whole = write(tmp_path / "a.nml.h5").read_bytes()
    path = tmp_path / "cut.nml.h5"
    for end in range(0, len(whole), 61):
        path.write_bytes(whole[:end])
        findings = check_document(path)
        assert [f.level for f in findings] == ["error"]
        assert "\n" not in findings[0].message


def test_memory_does_not_grow_with_the_number_of_connections(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        rng = np.random.default_rng(1)
        ids = {"pre_cell_id": rng.integers(0, 4, n), "post_cell_id": rng.integers(0, 2, n)}
        columns = {**ids, "weight": rng.random(n), "delay": rng.integers(1, 20, n) / 10}
        path = write(tmp_path / "a.nml.h5", **columns, chunks=(1024, 4), compression="gzip")
        tracemalloc.start()
        edges = read_document(path).projections[0].edges
        assert sum(map(len, edges.blocks(2**14))) == n
        _, largest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return largest

    peak(1024)  # what is made once
    few, many = peak(2**16), peak(2**19)
    assert many - few < 500_000  # a byte each
