"""Files that mean no good, and files that end too early: an error of one line, and nothing outside is read."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from neuroml_files import CELLS, CONNECTION, lems, network, projection, put

from mc_interchange.errors import FormatError
from mc_interchange.importers.neuroml import collected
from mc_interchange.importers.neuroml.files import is_neuroml
from mc_interchange.importers.neuroml.reading import check_document, read_document

LAUGHS = "<!DOCTYPE {root} [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SECRET = "what nobody shall read"


def refused(path: Path, message: str) -> None:
    """Check that reading ends with an error of one line that keeps the secret."""
    with pytest.raises(FormatError, match=message) as error:
        read_document(path)
    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)
    assert [finding.level for finding in check_document(path)] == ["error"]


@pytest.mark.parametrize("where", ["text", "attribute"])
@pytest.mark.parametrize("kind", ["neuroml", "Lems"])
def test_billion_laughs(tmp_path: Path, where: str, kind: str) -> None:
    text = network(projection(CONNECTION)) if kind == "neuroml" else lems("a.nml")
    used = "<notes>&i;</notes>" if where == "text" else '<notes x="&i;"/>'
    path = put(tmp_path / "a.xml", LAUGHS.format(root=kind) + "]>" + text.replace(">", ">" + used, 1))
    assert not is_neuroml(path)
    tracemalloc.start()
    refused(path, "a.xml:1: a document type .DOCTYPE. is refused")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE neuroml [<!ENTITY x SYSTEM "secret.txt">]>',
        '<!DOCTYPE neuroml SYSTEM "secret.txt">',
        '<!DOCTYPE neuroml [<!ENTITY % x SYSTEM "http://localhost:1/x"> %x;]>',
    ],
)
def test_entities_of_other_files(tmp_path: Path, declaration: str) -> None:
    put(tmp_path / "secret.txt", SECRET)
    text = network(projection(CONNECTION), head="<notes>&x;</notes>")
    refused(put(tmp_path / "a.nml", declaration + text), "a document type .DOCTYPE. is refused")


def test_entities_in_an_included_file(tmp_path: Path) -> None:
    put(tmp_path / "b.nml", '<!DOCTYPE n [<!ENTITY x "y">]><neuroml id="b"><notes>&x;</notes></neuroml>')
    refused(put(tmp_path / "a.nml", network(head='<include href="b.nml"/>')), "b.nml:1: a document type")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../outside.nml", "'../outside.nml' leaves the directory"),
        ("sub/../../outside.nml", "leaves the directory"),
        ("link.nml", "'link.nml' leaves the directory"),
        ("folder/outside.nml", "'folder/outside.nml' leaves the directory"),
        ("/etc/passwd", "'/etc/passwd' leaves the directory"),
        ("http://localhost:1/x.nml", "'http://localhost:1/x.nml' is on the network"),
        ("file:///etc/passwd", "is on the network"),
        ("absent.nml", "the included file 'absent.nml' is not there"),
        (".", "the included file '.' is not there"),
        ("pipe.nml", "the included file 'pipe.nml' is not there"),
        ("x" * 5000, "is not a path"),
        ("", "include has no attribute 'href'"),
    ],
)
def test_includes_stay_in_the_directory(tmp_path: Path, name: str, message: str) -> None:
    outside = put(tmp_path / "outside.nml", f'<neuroml id="{SECRET}">{CELLS}</neuroml>')
    here = tmp_path / "here"
    path = put(here / "a.nml", network(head=f'<include href="{name}"/>'))
    (here / "link.nml").symlink_to(outside)
    (here / "folder").symlink_to(tmp_path)
    os.mkfifo(here / "pipe.nml")
    refused(path, f"a.nml:2: .*{message}")
    if name:
        run = put(here / "LEMS_a.xml", lems(name))
        refused(run, f"LEMS_a.xml:1: .*{message}")


def test_links_inside_the_directory_are_followed(tmp_path: Path) -> None:
    (tmp_path / "link.nml").symlink_to(put(tmp_path / "cells.nml", f'<neuroml id="c">{CELLS}</neuroml>'))
    path = put(tmp_path / "a.nml", network(head='<include href="link.nml"/><include href="cells.nml"/>', cells=""))
    assert set(read_document(path).components) == {"cell", "psc", "pulse"}


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "deep": (network(head='<a id="a">' * 200 + "</a>" * 200), "elements in elements, more than 100 deep"),
        "deep and skipped": (network(head="<notes>" + "<a>" * 200 + "</a>" * 200 + "</notes>"), "more than 100 deep"),
        "deep connections": (network(projection("<connection>" * 200 + "</connection>" * 200)), "more than 100 deep"),
        "long tag": (network(head=f'<a id="{"x" * 3_000_000}"/>'), "a tag of more than 1048576 bytes"),
        "long comment": (network(f"<!--{'x' * 3_000_000}-->"), "a tag of more than 1048576 bytes"),
        "long notes": (network(f"<notes>{'x' * 3_000_000}</notes>"), "a text of more than 1048576 characters"),
        "unknown encoding": ('<?xml version="1.0" encoding="nonsense"?>' + network(), "unknown encoding|not supported"),
        "encoding of Python": ('<?xml version="1.0" encoding="idna"?>' + network(), "not well-formed|not supported"),
        "control character": (network(head="<notes>\x01</notes>"), "not well-formed"),
        "not XML": ("\x89PNG", "not well-formed"),
        "empty": ("", "not well-formed"),
    }.values(),
)
def test_bounds(tmp_path: Path, text: str, message: str) -> None:
    refused(put(tmp_path / "a.nml", text), message)


def test_a_long_tag_that_never_ends_is_not_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "a.nml", network(head='<a id="' + "x" * 30_000_000))
    tracemalloc.start()
    refused(path, "a tag of more than 1048576 bytes")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_long_leaves_do_not_wait_for_others(tmp_path: Path) -> None:
    row = CONNECTION.replace("delay", f'neuroLexId="{"x" * 500_000}" delay')
    path = put(tmp_path / "a.nml", network(projection(*[row] * 100)))
    tracemalloc.start()
    assert read_document(path).projections[0].edges.n_edges == 100
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_more_elements_than_networks_of_points_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections, spikes and inputs are no elements of this kind: there may be any number of them."""
    monkeypatch.setattr(collected, "_MAX_ELEMENTS", 50)
    spikes = "".join(f'<spike id="{i}" time="{i + 1}ms"/>' for i in range(100))
    inputs = (
        '<inputList id="l" population="E" component="pulse">'
        + '<input id="0" target="../E[0]"/>' * 100
        + "</inputList>"
    )
    many = network(projection(*[CONNECTION] * 100), inputs, cells=f'{CELLS}<spikeArray id="s">{spikes}</spikeArray>')
    assert not check_document(put(tmp_path / "a.nml", many))
    for part in ('<population id="{}" component="cell" size="1"/>', "<region id='{}'/>"):
        text = network("".join(part.format(f"x{i}") for i in range(60)))
        refused(put(tmp_path / "a.nml", text), "a.nml:10: more than 50 elements")
    cell = '<cell id="c">' + "<segment><proximal/></segment>" * 30 + "</cell>"
    refused(put(tmp_path / "a.nml", network(head=cell)), "a.nml:2: more than 50 elements")


def test_every_cut(tmp_path: Path) -> None:
    text = network(projection(CONNECTION, CONNECTION), '<explicitInput target="E[0]" input="pulse"/>').encode()
    path = tmp_path / "a.nml"
    path.write_bytes(text)
    assert not check_document(path)
    for end in range(0, len(text.rstrip()), 3):
        path.write_bytes(text[:end])
        (finding,) = check_document(path)
        assert finding.level == "error"
        assert "\n" not in finding.message


def test_changed_bytes_give_no_other_exception(tmp_path: Path) -> None:
    text = network(projection(CONNECTION), '<explicitInput target="E[0]" input="pulse"/>').encode()
    path = tmp_path / "a.nml"
    rng = np.random.default_rng(1)
    for place, byte in zip(
        rng.integers(len(text), size=300).tolist(), rng.integers(256, size=300).tolist(), strict=True
    ):
        path.write_bytes(text[:place] + bytes([byte]) + text[place + 1 :])
        for finding in check_document(path):
            assert "\n" not in finding.message


def test_every_cut_of_a_lems_file(tmp_path: Path) -> None:
    put(tmp_path / "a.nml", network(projection(CONNECTION)))
    text = lems("a.nml").encode()
    path = tmp_path / "LEMS_a.xml"
    for end in range(0, len(text), 3):
        path.write_bytes(text[:end])
        (finding,) = check_document(tmp_path)
        assert finding.level == "error"
        assert "\n" not in finding.message


def test_cannot_be_read(tmp_path: Path) -> None:
    refused(tmp_path / "absent.nml", "no such file")
    os.mkfifo(tmp_path / "pipe.nml")
    refused(tmp_path / "pipe.nml", "no such file")
    assert not is_neuroml(tmp_path / "pipe.nml")
