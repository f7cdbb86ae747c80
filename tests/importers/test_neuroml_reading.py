"""Reading NeuroML in XML: what stands in files of others, of this package, and in odd ones."""

from __future__ import annotations

import itertools
import re
import tracemalloc
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neuroml_files import (
    CELLS,
    CONNECTION,
    POPULATIONS,
    check_objects,
    connections,
    lems,
    network,
    projection,
    put,
    write_objects,
)

from mc_interchange.errors import FormatError
from mc_interchange.export import export
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.columns import thousandfold
from mc_interchange.importers.neuroml.document import NeuroMLWarning
from mc_interchange.importers.neuroml.files import is_neuroml
from mc_interchange.importers.neuroml.leaves import TOGETHER
from mc_interchange.importers.neuroml.reading import check_document, read_document
from mc_interchange.instance import EdgeDigest, digest_block, realize, spool
from mc_interchange.network import Network

quiet = pytest.mark.filterwarnings("ignore::mc_interchange.importers.neuroml.document.NeuroMLWarning")


@quiet
def test_file_of_libneuroml(tmp_path: Path) -> None:
    check_objects(read_document(write_objects(tmp_path)))


@pytest.mark.parametrize("encoding", ["xml", "hdf5"])
def test_own_export(tmp_path: Path, small_network: Network, encoding: str) -> None:
    instance = realize(small_network)
    exporter = NeuroMLExporter()
    export(instance, exporter, tmp_path / "x", exporter.Options(encoding=encoding))
    document = read_document(tmp_path / "x")
    assert (document.name, document.dt) == ("small", 0.1)
    assert document.simulation is not None
    assert document.simulation.duration == 100.0
    assert document.properties["model"] == "small"
    assert [p.id for p in document.populations][:2] == ["E", "I"]
    assert not document.unknown
    digests = {
        item.id: sum((digest_block(b) for b in item.edges.blocks()), EdgeDigest()) for item in document.projections
    }
    expected = {name: sum(map(digest_block, e.blocks()), EdgeDigest()) for name, e in instance.projections.items()}
    assert digests == expected


@pytest.mark.parametrize(
    "text",
    [
        network(projection(CONNECTION)),
        network(projection(CONNECTION)).replace(f' xmlns="{fmt.NAMESPACE}"', ""),
        re.sub(r"<(/?)(\w)", r"<\1n:\2", network(projection(CONNECTION))).replace("xmlns=", "xmlns:n="),
        '<?xml version="1.0" encoding="UTF-16"?>' + network(projection(CONNECTION)),
    ],
    ids=["default namespace", "none", "prefix", "UTF-16"],
)
def test_ways_to_write_a_document(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.nml"
    path.write_text(text, encoding="utf-16" if "UTF-16" in text else "utf-8")
    document = read_document(path)
    assert list(connections(document)) == [("p", 3, 1, 500.0, 15)]
    assert set(document.components) == {"cell", "psc", "pulse"}


def test_network_inside_a_lems_file(tmp_path: Path) -> None:
    inside = f'<Component id="psc2" type="expCurrSynapse" tau_syn="2"/>{CELLS}'
    inside += '<network id="other"><population id="X" component="cell" size="1"/></network>'
    inside += f'<network id="net">{POPULATIONS}{projection(CONNECTION)}</network>'
    put(tmp_path / "LEMS_a.xml", lems(inside=inside))
    with pytest.warns(NeuroMLWarning, match="network 'other' is not read, but 'net'"):
        document = read_document(tmp_path)
    assert (document.name, document.dt) == ("net", 0.05)
    assert [p.id for p in document.populations] == ["E", "I"]
    assert list(connections(document)) == [("p", 3, 1, 500.0, 30)]
    assert document.components["psc2"].type == "expCurrSynapse"
    assert document.components["psc2"].attributes == {"tau_syn": "2"}


def test_includes_are_read_once_wherever_they_come_from(tmp_path: Path) -> None:
    put(tmp_path / "LEMS_a.xml", lems("sub/net.nml", "cells.nml"))
    head = '<include href="../cells.nml"/><include href="own.nml"/>'
    put(tmp_path / "sub" / "net.nml", network(projection(CONNECTION), cells="", head=head))
    put(tmp_path / "sub" / "own.nml", '<neuroml id="o"><include href="net.nml"/><include href="own.nml"/></neuroml>')
    put(tmp_path / "cells.nml", f'<neuroml id="c"><include href="PyNN.xml"/>{CELLS}</neuroml>')
    document = read_document(tmp_path)
    assert document.path == tmp_path / "sub" / "net.nml"
    assert set(document.components) == {"cell", "psc", "pulse"}
    assert document.components["cell"].place == f"{tmp_path / 'cells.nml'}:1"


def test_findings_in_included_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "x" / "LEMS_a.xml", lems("sub/a.nml"))
    put(tmp_path / "x" / "sub" / "a.nml", network("<region/>", head='<include href="../b.nml"/>'))
    broken = put(tmp_path / "x" / "b.nml", "<neuroml>\n<expCurrSynapse/></neuroml>")
    monkeypatch.chdir(tmp_path)
    (finding,) = check_document(Path("x"))
    assert (finding.level, finding.file, finding.place) == ("error", "b.nml", "line 2")
    broken.write_text("<neuroml/>")
    (finding,) = check_document(Path("x"))
    assert (finding.level, finding.file, finding.place) == ("warning", "sub/a.nml", "line 10")


def test_own_types_are_named(tmp_path: Path) -> None:
    put(tmp_path / "types.xml", '<Lems>\n<ComponentType name="myCell" extends="baseCell"/></Lems>')
    path = put(tmp_path / "a.nml", network(head='<include href="types.xml"/><myCell id="m"/>'))
    document = read_document(path)
    assert document.own_types == {"myCell": f"{tmp_path / 'types.xml'}:2"}
    assert document.components["m"].type == "myCell"


def test_components_with_parts(tmp_path: Path) -> None:
    cells = """<izhikevich2007Cell id="a" C="100 pF"><notes>x</notes><property tag="t" value="v"/>
    <part id="b" q="1"><deep/></part></izhikevich2007Cell>
    <spikeArray id="s"><spike id="0" time="1.5ms"/><spike id="1" time="0.0125 s"/>
    <spike id="2" time="1e1ms"/></spikeArray>
    <spikeArray id="silent"/>"""
    components = read_document(put(tmp_path / "a.nml", network(cells=cells))).components
    assert components["a"].attributes == {"C": "100 pF"}
    (part,) = components["a"].children
    assert (part.type, part.id, part.attributes, part.children[0].type) == ("part", "b", {"q": "1"}, "deep")
    assert components["a"].times is None
    for name, expected in (("s", [1.5, 12.5, 10.0]), ("silent", [])):
        times = components[name].times
        assert times is not None
        assert times.tolist() == expected


def test_instances_in_any_order(tmp_path: Path) -> None:
    def instances(ids: str) -> str:
        listed = "".join(f'<instance id="{i}"><location x="{i}.5" y="0" z="-1e-3"/></instance>' for i in ids)
        return f'<population id="E" component="cell" type="populationList">{listed}</population>'

    (population,) = read_document(put(tmp_path / "a.nml", network(populations=instances("2031")))).populations
    assert population.size == 4
    assert population.positions is not None
    assert population.positions.tolist() == [[i + 0.5, 0.0, -0.001] for i in range(4)]
    for wrong in ("2032", "124", "0134"):
        with pytest.raises(FormatError, match=r"a.nml:\d+: the ids of the instances of population E must be 0 to"):
            read_document(put(tmp_path / "a.nml", network(populations=instances(wrong))))


def test_instances_without_ids_are_counted(tmp_path: Path) -> None:
    listed = "".join(f'<instance><location x="{x}" y="0" z="0"/></instance>' for x in (5, 7))
    population = '<population id="E" component="cell" type="populationList" size="{size}">' + listed + "</population>"
    path = put(tmp_path / "a.nml", network(populations=population.format(size=2)))
    positions = read_document(path).populations[0].positions
    assert positions is not None
    assert positions[:, 0].tolist() == [5, 7]
    path = put(tmp_path / "a.nml", network(populations=population.format(size=3)))
    with pytest.raises(FormatError, match=r"a.nml:7: population E has the size 3, and 2 instances"):
        read_document(path)


def test_locations_that_mean_nothing(tmp_path: Path) -> None:
    tag, value = fmt.NO_POSITIONS
    text = f'<population id="E" component="cell"><property tag="{tag}" value="{value}"/><instance id="0">'
    text += '<location x="0" y="0" z="0"/></instance></population>'
    (population,) = read_document(put(tmp_path / "a.nml", network(populations=text))).populations
    assert (population.size, population.positions, population.properties) == (1, None, {})


def test_forms_of_paths_and_inputs(tmp_path: Path) -> None:
    inputs = """<inputList id="l" population="E" component="pulse">
    <input id="0" target="../E/2/cell" destination="synapses"/>
    <inputW id="1" target="E[3]" destination="synapses" weight="0.087805" segmentId="0" fractionAlong="0.5"/>
    </inputList>
    <explicitInput target="E[1]" input="pulse"/><explicitInput target="../I[1]" input="pulse" destination="synapses"/>
    <explicitInput target="E[0]" input="pulse"/><inputList id="none" population="I" component="pulse"/>
    <inputList id="plain" population="I" component="pulse"><input id="0" target="../I/1/cell"/></inputList>"""
    document = read_document(put(tmp_path / "a.nml", network(inputs)))
    found = {
        (i.id, i.population): (i.targets.tolist(), None if i.weights is None else i.weights.tolist())
        for i in document.inputs
    }
    assert found == {
        ("l", "E"): ([2, 3], [1000.0, 87.805]),
        ("none", "I"): ([], None),
        ("plain", "I"): ([1], None),
        ("pulse_E", "E"): ([1, 0], None),
        ("pulse_I", "I"): ([1], None),
    }


@quiet
def test_connections_outside_of_projections(tmp_path: Path) -> None:
    text = """<synapticConnection from="E[0]" to="I[1]" synapse="psc" destination="synapses"/>
    <synapticConnectionWD from="E[1]" to="I[0]" synapse="psc" weight="2" delay="2ms"/>
    <synapticConnectionWD from="I[1]" to="I[0]" synapse="psc" weight="3" delay="3ms"/>"""
    document = read_document(put(tmp_path / "a.nml", network(text)))
    assert [(p.id, p.source, p.target, p.synapse) for p in document.projections] == [
        ("E_I_psc", "E", "I", "psc"),
        ("I_I_psc", "I", "I", "psc"),
    ]
    assert sorted(connections(document)) == [
        ("E_I_psc", 0, 1, 1000.0, 1),
        ("E_I_psc", 1, 0, 2000.0, 20),
        ("I_I_psc", 1, 0, 3000.0, 30),
    ]


def test_any_order_and_number_of_attributes(tmp_path: Path) -> None:
    """Columns are taken together where all have the same attributes; what differs gives the same."""
    fields = {"id": "0", "preCellId": "../E[{s}]", "postCellId": "../I[{t}]", "weight": "{w}", "delay": "{d}ms"}
    rows, expected = [], []
    orders = itertools.cycle(itertools.permutations(fields))
    for row in range(2 * TOGETHER + 5):
        s, t, w, d = row % 4, row % 2, row / 8, 1 + row % 3
        extra = ' preFractionAlong="0.5"' if row % 7 == 0 else ""
        text = " ".join(f'{name}="{fields[name].format(s=s, t=t, w=w, d=d)}"' for name in next(orders))
        rows.append(f"<connectionWD {text}{extra}/>")
        expected.append(("p", s, t, 1000 * w, 10 * d))
    assert list(connections(read_document(put(tmp_path / "a.nml", network(projection(*rows)))))) == expected


def test_attributes_that_only_seem_to_be_the_same(tmp_path: Path) -> None:
    """Every second attribute is the target, and there are as many of them as elements."""
    inputs = """<explicitInput target="E[0]" input="a"/><explicitInput target="E[1]" input="b" destination="synapses"/>
    <explicitInput input="c" target="E[2]"/>"""
    document = read_document(put(tmp_path / "a.nml", network(inputs)))
    assert [(i.component, i.targets.tolist()) for i in document.inputs] == [("a", [0]), ("b", [1]), ("c", [2])]


def test_empty_projection(tmp_path: Path) -> None:
    document = read_document(put(tmp_path / "a.nml", network(projection())))
    assert document.projections[0].edges.n_edges == 0
    assert list(connections(document)) == []


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    parts = '<electricalProjection id="gaps"><electricalConnection id="0"/></electricalProjection>\n<region id="r"/>'
    path = put(tmp_path / "a.nml", network("<annotation><x:y xmlns:x='http://z'/></annotation>", parts))
    document = read_document(path)
    assert document.unknown == (("electricalProjection gaps", f"{path}:11"), ("region r", f"{path}:12"))
    assert [(f.level, f.file, f.place, f.message) for f in check_document(path)] == [
        ("warning", "a.nml", "line 11", "electricalProjection gaps is not read"),
        ("warning", "a.nml", "line 12", "region r is not read"),
    ]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), st.sampled_from(["r", "f"]))
def test_weights_are_correctly_rounded(value: float, how: str) -> None:
    text = repr(value) if how == "r" else format(Decimal(value), "f")
    assert thousandfold([text])[0] == float(Fraction(text) * 1000)


def test_weights_come_back(small_network: Network) -> None:
    for edges in realize(small_network).projections.values():
        for block in edges.blocks():
            texts = [fmt.decimal(weight, -3) for weight in block.weight.astype(np.float64).tolist()]
            np.testing.assert_array_equal(thousandfold(texts), block.weight)


def test_delays_off_the_grid_are_told_once(tmp_path: Path) -> None:
    def delayed(delay: str) -> str:
        return CONNECTION.replace("1.5ms", delay)

    rows = [delayed(text) for text in ("0.26ms", "0.24 ms", "0.00025s", "0.04ms", "0ms", "300us")]
    path = put(tmp_path / "a.nml", network(projection(*rows)))
    with pytest.warns(NeuroMLWarning) as found:
        document = read_document(path)
    assert [delay for *_, delay in connections(document)] == [3, 2, 3, 1, 1, 3]
    assert [str(w.message) for w in found] == [
        f"{path}: some delays, such as 0.26 ms, are not multiples of dt and are rounded (dt = 0.1 ms)",
        f"{path}: some delays, such as 0.04 ms, are below half of dt and become dt (dt = 0.1 ms)",
    ]


def test_delays_on_the_grid_are_silent(tmp_path: Path) -> None:
    rows = [CONNECTION.replace("1.5ms", f"{fmt.milliseconds(n, 0.025)}ms") for n in range(1, 2000)]
    path = put(tmp_path / "a.nml", network(projection(*rows)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = read_document(path, dt=0.025)
    assert [delay for *_, delay in connections(document)] == list(range(1, 2000))


WRONG = {
    "weight='x'": ('weight="0.5"', 'weight="x"', "11: connectionWD weight must be a finite number, got 'x'"),
    "weight=nan": ('weight="0.5"', 'weight="nan"', "11: connectionWD weight must be a finite number"),
    "weight=1_0": ('weight="0.5"', 'weight="1_0"', "11: connectionWD weight must be a finite number"),
    "huge weight": ('weight="0.5"', 'weight="1e999999999"', "11: connectionWD weight must be a finite number"),
    "no weight": ('weight="0.5"', "", "11: connectionWD has no attribute 'weight'"),
    "delay without unit": ("1.5ms", "1.5", "11: connectionWD delay must be"),
    "delay in mV": ("1.5ms", "1.5mV", "11: connectionWD delay must be"),
    "negative delay": ("1.5ms", "-1.5ms", "11: connectionWD delay must be from 0 to 1e.06 ms, got -1.5 ms"),
    "endless delay": ("1.5ms", "1e9s", "11: connectionWD delay must be from 0"),
    "other population": ("../E[3]", "../I[0]", "11: connectionWD preCellId must be a cell of 'E', got '../I.0.'"),
    "no path": ("../E[3]", "3", "11: connectionWD preCellId must be the path of a cell"),
    "too large": ("../E[3]", "../E[4]", "11: connectionWD preCellId is '../E.4.', but 'E' has 4 cells"),
    "negative": ("../E[3]", "../E[-1]", "11: connectionWD preCellId must be the path of a cell"),
    "segment": ("delay=", 'preSegmentId="2" delay=', "11: connectionWD preSegmentId '2' is not supported, only '0'"),
    "unknown attribute": ("delay=", 'colour="2" delay=', "11: connectionWD has the attribute 'colour'"),
    "destination": ("delay=", 'destination="x" delay=', "11: connectionWD destination 'x' is not supported"),
    "population missing": ('"E" postsyn', '"X" postsyn', "11: connectionWD preCellId must be a cell of 'X'"),
    "target missing": ('Population="I"', 'Population="X"', "11: connectionWD postCellId must be a cell of 'X'"),
    "no id": ('projection id="p"', "projection", "10: projection has no attribute 'id'"),
    "no synapse": ('synapse="psc">', ">", "10: projection has no attribute 'synapse'"),
    "size": ('size="4"', 'size="four"', "7: size must be a whole number, got 'four'"),
    "no size": ('size="4"', "", "7: population E has neither a size nor instances"),
    "huge size": ('size="4"', 'size="99999999999"', "7: 99999999999 cells or inputs are more than"),
    "population twice": ('id="I"', 'id="E"', "8: population 'E' is there already"),
    "component twice": ('id="psc"', 'id="cell"', "component 'cell' is there already"),
    "component without id": (' id="psc"', "", "4: expCurrSynapse has no attribute 'id'"),
    "no network": ("network", "netwerk", "neither this file nor those that it includes hold a network"),
    "foreign element": ("<population", '<x:p xmlns:x="http://z"/><population', "element p of the namespace 'http://z'"),
    "another root": ("<neuroml", "<svg", "1: neither NeuroML nor LEMS .its root is svg"),
    "not closed": ("</network>", "", "not well-formed XML .mismatched tag"),
}


@pytest.mark.parametrize(("old", "new", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = network(projection(CONNECTION))
    assert old in text
    path = put(tmp_path / "a.nml", text.replace(old, new))
    with pytest.raises(FormatError, match=re.escape(str(path)) + ".*" + message) as error:
        read_document(path)
    assert "\n" not in str(error.value)
    (finding,) = check_document(tmp_path)
    assert (finding.level, finding.file) == ("error", "a.nml")


def test_the_line_of_a_mistake_among_many(tmp_path: Path) -> None:
    rows = [CONNECTION] * 3 * TOGETHER
    rows[2 * TOGETHER - 7] = CONNECTION.replace("0.5", "half")
    path = put(tmp_path / "a.nml", network(projection(*rows)))
    with pytest.raises(FormatError, match=f"a.nml:{11 + 2 * TOGETHER - 7}: connectionWD weight"):
        read_document(path)
    (finding,) = check_document(path)
    assert finding.place == f"line {11 + 2 * TOGETHER - 7}"


def test_two_networks(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.net.nml", network().replace("</neuroml>", f'<network id="b">{POPULATIONS}</network></neuroml>')
    )
    with pytest.raises(FormatError, match=r"a.net.nml:11: there is a network already \('net'\); name a LEMS file"):
        read_document(path)
    put(tmp_path / "LEMS_a.xml", lems("a.net.nml", target="b"))
    with pytest.warns(NeuroMLWarning, match="network 'net' is not read, but 'b'"):
        assert read_document(tmp_path).name == "b"
    path.write_text(path.read_text().replace('"net"', '"b"'))
    with pytest.raises(FormatError, match="network 'b' is there already"):
        read_document(tmp_path)


def test_networks_of_included_files(tmp_path: Path) -> None:
    put(tmp_path / "b.nml", f'<neuroml><network id="b">{POPULATIONS}</network></neuroml>')
    path = put(tmp_path / "a.net.nml", network(head='<include href="b.nml"/>'))
    with pytest.warns(NeuroMLWarning, match=r"b.nml:1: network 'b' is not read, but 'net'"):
        assert read_document(path).name == "net"


def test_paths_with_another_component(tmp_path: Path) -> None:
    path = put(tmp_path / "a.nml", network(projection(CONNECTION.replace("../E[3]", "../E/3/x"))))
    with pytest.warns(
        NeuroMLWarning, match="a.nml:7: there are paths of cells of 'E' with the component 'x'; it is 'cell'"
    ):
        assert list(connections(read_document(path))) == [("p", 3, 1, 500.0, 15)]


def test_the_file_in_a_directory(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"there is no LEMS_\*\.xml"):
        read_document(tmp_path)
    with pytest.raises(FormatError, match="no such file"):
        read_document(tmp_path / "absent.nml")
    put(tmp_path / "cells.nml", f'<neuroml id="c">{CELLS}</neuroml>')
    put(tmp_path / "a.net.nml", network())
    assert read_document(tmp_path).path.name == "a.net.nml"
    put(tmp_path / "b.net.nml", network())
    with pytest.raises(FormatError, match=r"several files of NeuroML \(a.net.nml, b.net.nml\)"):
        read_document(tmp_path)
    put(tmp_path / "LEMS_b.xml", lems("b.net.nml"))
    assert read_document(tmp_path).path.name == "b.net.nml"


def test_what_is_recognised(tmp_path: Path) -> None:
    network_file = put(tmp_path / "n" / "a.net.nml", network())
    run = put(tmp_path / "l" / "LEMS_a.xml", lems("a.net.nml"))
    for path in (network_file, run, network_file.parent, run.parent):
        assert is_neuroml(path)
    for name, text in {
        "a.xml": "<svg/>",
        "b.nml": "&fortran x = 1 /",
        "c.nml.h5": "no HDF5",
        "circuit_config.json": "{}",
        "d.xml": "<!DOCTYPE neuroml><neuroml/>",
        "e.nml": "",
    }.items():
        assert not is_neuroml(put(tmp_path / "other" / name, text)), name
    assert not is_neuroml(tmp_path / "other")
    assert not is_neuroml(tmp_path)
    assert not is_neuroml(tmp_path / "absent.nml")


def test_steps_that_no_simulation_has(tmp_path: Path) -> None:
    put(tmp_path / "a.nml", network())
    put(tmp_path / "LEMS_a.xml", lems("a.nml").replace("0.05ms", "0.0001ms"))
    with pytest.raises(FormatError, match=r"a step of 0.0001 ms is not a multiple of 0.001 ms"):
        read_document(tmp_path)


def test_memory_does_not_grow_with_the_number_of_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_WAITING", 4096)

    def peak(n: int) -> int:
        path = put(tmp_path / "a.nml", network(projection(*[CONNECTION] * n)))
        tracemalloc.start()
        document = read_document(path)
        _, largest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert document.projections[0].edges.n_edges == n
        return largest

    peak(10)  # what is made once
    few, many = peak(12_000), peak(96_000)
    assert many - few < 500_000  # 6 bytes each; one connection takes 20 on the disk
