"""NeuroML networks for the tests of reading: written by hand, and made of libNeuroML's own objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import neuroml
import neuroml.utils  # its HDF5 writer uses it without importing it
import numpy as np
from neuroml.writers import NeuroMLHdf5Writer, NeuroMLWriter

from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml.document import Document

CELLS = """<IF_curr_exp id="cell" cm="0.25" i_offset="0.3" tau_syn_E="0.5" tau_syn_I="0.5" v_init="-60" tau_m="10"
 tau_refrac="2" v_reset="-65" v_rest="-65" v_thresh="-50"/>
<expCurrSynapse id="psc" tau_syn="0.5"/>
<pulseGenerator id="pulse" delay="1ms" duration="2ms" amplitude="1nA"/>
"""
POPULATIONS = '<population id="E" component="cell" size="4"/>\n<population id="I" component="cell" size="2"/>\n'
CONNECTION = '<connectionWD id="0" preCellId="../E[3]" postCellId="../I[1]" weight="0.5" delay="1.5ms"/>'


def projection(*connections: str, name: str = "p") -> str:
    """Return a projection from E to I."""
    ends = 'presynapticPopulation="E" postsynapticPopulation="I"'
    return f'<projection id="{name}" {ends} synapse="psc">\n' + "\n".join(connections) + "\n</projection>\n"


def network(*parts: str, populations: str = POPULATIONS, cells: str = CELLS, head: str = "") -> str:
    """Return a document; its first line is that of ``neuroml``."""
    body = "\n".join([populations, *parts])
    return (
        f'<neuroml xmlns="{fmt.NAMESPACE}" id="doc">\n{head}{cells}<network id="net">\n{body}\n</network>\n</neuroml>\n'
    )


def lems(*includes: str, target: str = "net", inside: str = "") -> str:
    """Return a LEMS file that runs a network for 10 ms at 0.05 ms."""
    files = "".join(f'<Include file="{name}"/>' for name in (*fmt.CORE_FILES, *includes))
    return (
        f'<Lems><Target component="sim"/>{files}{inside}\n'
        f'<Simulation id="sim" length="10ms" step="0.05ms" target="{target}" seed="7"/></Lems>'
    )


def put(path: Path, text: str) -> Path:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def connections(document: Document) -> Iterator[tuple[str, int, int, float, int]]:
    """Yield all connections: projection, source, target, weight, delay in steps."""
    for item in document.projections:
        for block in item.edges.blocks(3):
            columns = (block.source, block.target, block.weight, block.delay)
            yield from ((item.id, *row) for row in zip(*(c.tolist() for c in columns), strict=True))


def objects() -> neuroml.NeuroMLDocument:
    """Return a network of libNeuroML's objects, with each of the elements that are read."""
    document = neuroml.NeuroMLDocument(id="doc", notes="around")
    times = {"tau_m": 10, "tau_refrac": 2, "tau_syn_E": 0.5, "tau_syn_I": 0.5}
    document.IF_curr_exp.append(
        neuroml.IF_curr_exp(
            id="cell", cm=0.25, i_offset=0.3, v_init=-60, v_reset=-65, v_rest=-65, v_thresh=-50, **times
        )
    )
    document.exp_curr_synapses.append(neuroml.ExpCurrSynapse(id="psc", tau_syn=0.5))
    document.pulse_generators.append(neuroml.PulseGenerator(id="pulse", delay="1ms", duration="2ms", amplitude="1nA"))
    net = neuroml.Network(id="net", notes="inside")
    document.networks.append(net)
    listed = neuroml.Population(id="E", component="cell", size=3, type="populationList")
    listed.properties.append(neuroml.Property(tag="color", value="0 0.1 1"))
    for index in range(3):
        location = neuroml.Location(x=index, y=-65.8, z=0.1)
        listed.instances.append(neuroml.Instance(id=index, location=location))
    net.populations += [listed, neuroml.Population(id="I", component="cell", size=2)]
    weighted = neuroml.Projection(id="E_I", presynaptic_population="E", postsynaptic_population="I", synapse="psc")
    for index, (source, target, weight, delay) in enumerate(
        [(0, 1, 0.087805, "1.5ms"), (2, 0, -1e-05, "0.002 s"), (2, 0, 0.25, "0.1ms")]
    ):
        ends = {"pre_cell_id": f"../E/{source}/cell", "post_cell_id": f"../I[{target}]"}
        weighted.connection_wds.append(neuroml.ConnectionWD(id=index, weight=weight, delay=delay, **ends))
    plain = neuroml.Projection(id="I_E", presynaptic_population="I", postsynaptic_population="E", synapse="psc")
    plain.connections.append(neuroml.Connection(id=0, pre_cell_id="../I[1]", post_cell_id="../E/2/cell"))
    net.projections += [weighted, plain]
    inputs = neuroml.InputList(id="pulses", component="pulse", populations="E")
    inputs.input_ws.append(neuroml.InputW(id=0, target="../E/1/cell", destination="synapses", weight=0.5))
    inputs.input_ws.append(neuroml.InputW(id=1, target="../E/1/cell", destination="synapses", weight=-0.25))
    net.input_lists.append(inputs)
    return document


def write_objects(directory: Path, *, encoding: str = "xml", document: neuroml.NeuroMLDocument | None = None) -> Path:
    """Write a network with libNeuroML's own writers."""
    if encoding == "xml":
        path = directory / "objects.net.nml"
        NeuroMLWriter.write(document or objects(), str(path))
    else:
        path = directory / "objects.net.nml.h5"
        NeuroMLHdf5Writer.write(document or objects(), str(path))
    return path


def check_objects(document: Document) -> None:
    """Compare with what :func:`objects` says; single precision where it was written with that."""
    assert document.name == "net"
    assert document.notes == "inside"
    assert set(document.components) == {"cell", "psc", "pulse"}
    assert document.components["psc"].attributes == {"tau_syn": "0.5"}
    listed, plain = document.populations
    assert (listed.id, listed.component, listed.size, listed.properties) == ("E", "cell", 3, {"color": "0 0.1 1"})
    assert listed.positions is not None
    np.testing.assert_array_equal(listed.positions, [[x, -65.8, 0.1] for x in range(3)])
    assert (plain.id, plain.size, plain.positions, plain.properties) == ("I", 2, None, {})
    assert [(p.id, p.source, p.target, p.synapse) for p in document.projections] == [
        ("E_I", "E", "I", "psc"),
        ("I_E", "I", "E", "psc"),
    ]
    assert list(connections(document)) == [
        ("E_I", 0, 1, 87.805, 15),
        ("E_I", 2, 0, -0.01, 20),
        ("E_I", 2, 0, 250.0, 1),
        ("I_E", 1, 2, 1000.0, 1),
    ]
    (inputs,) = document.inputs
    assert (inputs.id, inputs.population, inputs.component) == ("pulses", "E", "pulse")
    assert inputs.targets.tolist() == [1, 1]
    assert inputs.weights is not None
    assert inputs.weights.tolist() == [500.0, -250.0]
