"""Which files a tool gets to see, where it may write, and whose spikes are in its files."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from mc_interchange import export, realize
from mc_interchange.errors import FormatError, NotRepresentableError
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.formats.neuroml import read_lems
from mc_interchange.network import Network
from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runners.neuroml.lems_results import read_spikes, sizes_of
from mc_interchange.runners.neuroml.sources import read_quietly, refuse_other_match
from mc_interchange.runners.neuroml.staging import staged

LEMS = """<Lems>
 <Target component="sim"{target}/>
 <Include file="Cells.xml"/>
 <Include file='parts/one.net.nml'/>
 <Simulation id="sim" length="10ms" step="0.1ms" target="net">
  <EventOutputFile id="spikes_all" fileName="all.spikes" format="ID_TIME"{file}>
   <EventSelection id="0" select="B[0]" eventPort="spike"/>
   <EventSelection id="1" select="A[3]" eventPort="spike"/>
  </EventOutputFile>
 </Simulation>
</Lems>
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A LEMS file, a network in a directory below, and what that includes."""
    directory = tmp_path / "a model"
    (directory / "parts").mkdir(parents=True)
    (directory / "LEMS_x.xml").write_text(LEMS.format(target="", file=""))
    (directory / "parts" / "one.net.nml").write_text('<neuroml>\n<include\n href="../cells &amp; more.nml"/></neuroml>')
    (directory / "cells & more.nml").write_text("<neuroml/>")
    return directory


def shown(directory: Path) -> set[str]:
    return {file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file()}


def stage(path: Path, scratch: Path) -> set[str]:
    scratch.mkdir()
    staged(path, scratch)
    return shown(scratch)


@pytest.mark.parametrize("start", ["", "LEMS_x.xml"])
def test_the_model_and_nothing_else(model: Path, tmp_path: Path, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (model / "other.nml.h5").write_bytes(b"not a file of HDF5")
    (model / "other.net.nml").write_text("<neuroml/>")
    expected = {"LEMS_x.xml", "parts/one.net.nml", "cells & more.nml"}
    assert stage(model / start, tmp_path / "1") == expected
    monkeypatch.chdir(model)
    assert stage(Path(start), tmp_path / "2") == expected


@pytest.mark.parametrize("encoding", ["xml", "hdf5"])
def test_an_export(small_network: Network, tmp_path: Path, encoding: str) -> None:
    path = export(realize(small_network), "neuroml", tmp_path / "a", NeuroMLExporter.Options(encoding=encoding)).path
    with h5py.File(path / "edges.h5", "w") as file:
        file["of another format"] = 1
    network = "small.net.nml" + (".h5" if encoding == "hdf5" else "")
    assert stage(path, tmp_path / "1") == {"LEMS_small.xml", network, "small.cells.nml"}
    with pytest.raises(FormatError, match=r"a network does not say what to simulate; name its LEMS_\*\.xml"):
        staged(path / network, tmp_path / "2")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../../elsewhere.nml", r"one\.net\.nml:1: '../../elsewhere\.nml' leaves the directory"),
        ("absent.nml", r"one\.net\.nml:1: the included file 'absent\.nml' is not there"),
    ],
)
def test_files_that_are_elsewhere(model: Path, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "elsewhere.nml").write_text("<neuroml/>")
    network = model / "parts" / "one.net.nml"
    network.write_text(f'<neuroml><!-- <include href="{name}"/> --></neuroml>')
    assert stage(model, tmp_path / "1") == {"LEMS_x.xml", "parts/one.net.nml"}
    network.write_text(f'<neuroml><include href="{name}"/></neuroml>')
    (tmp_path / "2").mkdir()
    with pytest.raises(FormatError, match=message):
        JLemsRunner().run_files(model, tmp_path / "2", threads=None, progress=Silent())
    assert shown(tmp_path / "2") == {"LEMS_x.xml", "parts/one.net.nml"}


@pytest.mark.parametrize(
    ("target", "file", "name"),
    [
        (' reportFile="../r.txt"', "", r"\.\./r\.txt"),
        (' timesFile="/tmp/t.txt"', "", "/tmp/t.txt"),
        ("", ' path="/tmp"', "/tmp/all.spikes"),
        ("", ' path="x/.."', r"x/\.\./all\.spikes"),
    ],
)
def test_nothing_is_written_elsewhere(model: Path, tmp_path: Path, target: str, file: str, name: str) -> None:
    (model / "LEMS_x.xml").write_text(LEMS.format(target=target, file=file))
    with pytest.raises(FormatError, match=f"{name} lies outside the directory"):
        stage(model, tmp_path / "1")


def test_results_in_a_directory_of_their_own(model: Path, tmp_path: Path) -> None:
    (model / "LEMS_x.xml").write_text(LEMS.format(target="", file=' path="./results"'))
    stage(model, tmp_path / "1")
    (tmp_path / "1" / "results" / "all.spikes").write_text("")  # there is a place for it
    lems = read_lems(model / "LEMS_x.xml")
    assert lems.events[0].file == "results/all.spikes"
    (tmp_path / "1" / "results" / "all.spikes").write_text("0 0.001\n")
    assert read_spikes(lems, tmp_path / "1")["B"].steps.tolist() == [10]
    (tmp_path / "1" / "results" / "all.spikes").rename(tmp_path / "1" / "all.spikes")
    assert read_spikes(lems, tmp_path / "1")["B"].steps.tolist() == [10]


def test_cells_of_others_are_known_by_their_paths(model: Path) -> None:
    """Not by the names of files and columns, even where these look like ours."""
    lems = read_lems(model / "LEMS_x.xml")
    (model / "all.spikes").write_text("0 0.001\n1 0.002\n")
    assert sizes_of(lems) == {"A": 4, "B": 1}
    spikes = read_spikes(lems, model)
    assert (spikes["A"].neurons.tolist(), spikes["A"].steps.tolist()) == ([3], [20])
    assert (spikes["B"].neurons.tolist(), spikes["B"].steps.tolist()) == ([0], [10])


def test_a_match_holds_in_one_simulator(tmp_path: Path) -> None:
    (tmp_path / "a.nml").write_text(
        '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2"><network id="net">'
        '<property tag="matched to" value="neuron"/></network></neuroml>'
    )
    document = read_quietly(tmp_path / "a.nml")
    refuse_other_match(document, "NetPyNE", "neuron")
    with pytest.raises(
        NotRepresentableError, match=r"matched to neuron, and in jLEMS .* export --matched-to jlems, or"
    ):
        refuse_other_match(document, "jLEMS", "jlems")
    with pytest.raises(NotRepresentableError, match=r"in EDEN they are .* export without --matched-to$"):
        refuse_other_match(document, "EDEN", None)
