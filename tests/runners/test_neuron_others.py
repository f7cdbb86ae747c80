"""Networks that are not ours in NEURON: cells with channels, and inputs that we do not write, against jLEMS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from neuron_runs import compiled

from mc_interchange.progress import Silent
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runners.neuroml.neuron import NeuronRunner
from mc_interchange.runs import Run

pytestmark = [compiled, pytest.mark.slow]

NETWORK = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="others_net">
%s
</neuroml>
"""
LEMS = """<Lems>
 <Target component="simulation"/>
 <Include file="Cells.xml"/> <Include file="Networks.xml"/> <Include file="Simulation.xml"/>
 <Include file="others.net.nml"/>
 <Simulation id="simulation" length="100ms" step="%gms" target="others" seed="7">
  <OutputFile id="potentials" fileName="v.dat">%s</OutputFile>
  <EventOutputFile id="spikes_E" fileName="E.spikes" format="ID_TIME">%s</EventOutputFile>
 </Simulation>
</Lems>
"""

CHANNELS = """
<ionChannelHH id="leak" conductance="10pS"/>
<ionChannelHH id="sodium" conductance="10pS" species="na">
 <gateHHrates id="m" instances="3">
  <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
  <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
 </gateHHrates>
 <gateHHrates id="h" instances="1">
  <forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
  <reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/>
 </gateHHrates>
</ionChannelHH>
<ionChannelHH id="potassium" conductance="10pS" species="k">
 <gateHHrates id="n" instances="4">
  <forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
  <reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/>
 </gateHHrates>
</ionChannelHH>
<expTwoSynapse id="synapse" gbase="2nS" erev="0mV" tauRise="0.5ms" tauDecay="3ms"/>
<cell id="hodgkin_huxley">
 <morphology id="morphology">
  <segment id="0" name="soma">
   <proximal x="0" y="0" z="0" diameter="17.841242"/> <distal x="0" y="0" z="0" diameter="17.841242"/>
  </segment>
  <segmentGroup id="soma_group"><member segment="0"/></segmentGroup>
 </morphology>
 <biophysicalProperties id="properties">
  <membraneProperties>
   <channelDensity id="leaks" ionChannel="leak" condDensity="3 S_per_m2" erev="-54.3mV" ion="non_specific"/>
   <channelDensity id="na" ionChannel="sodium" condDensity="1200 S_per_m2" erev="50mV" ion="na"/>
   <channelDensity id="k" ionChannel="potassium" condDensity="360 S_per_m2" erev="-77mV" ion="k"/>
   <spikeThresh value="-20mV"/> <specificCapacitance value="1uF_per_cm2"/> <initMembPotential value="-65mV"/>
  </membraneProperties>
  <intracellularProperties><resistivity value="0.03kohm_cm"/></intracellularProperties>
 </biophysicalProperties>
</cell>
<pulseGenerator id="pulse" delay="20ms" duration="50ms" amplitude="0.08nA"/>
<network id="others">
 <population id="E" component="hodgkin_huxley" type="populationList" size="2">
  <instance id="0"><location x="0" y="0" z="0"/></instance>
  <instance id="1"><location x="50" y="0" z="0"/></instance>
 </population>
 <projection id="EE" presynapticPopulation="E" postsynapticPopulation="E" synapse="synapse">
  <connectionWD id="0" preCellId="../E/0/hodgkin_huxley" postCellId="../E/1/hodgkin_huxley" weight="1.2345678901"
   delay="2ms"/>
 </projection>
 <inputList id="pulses" population="E" component="pulse">
  <input id="0" target="../E/0/hodgkin_huxley" destination="synapses"/>
 </inputList>
</network>
"""

PATHS = [f"E/{i}/hodgkin_huxley" for i in range(2)]

INPUTS = """
<expOneSynapse id="one" gbase="5nS" erev="0mV" tauDecay="3ms"/>
<expTwoSynapse id="two" gbase="5nS" erev="0mV" tauRise="0.5ms" tauDecay="3ms"/>
<alphaCurrentSynapse id="alpha" tau="2ms" ibase="0.1nA"/>
<iafRefCell id="cell" leakReversal="-60mV" thresh="-50mV" reset="-65mV" C="0.2nF" leakConductance="0.01uS"
 refract="5ms"/>
<pulseGenerator id="pulse" delay="10ms" duration="80ms" amplitude="0.25nA"/>
<sineGenerator id="sine" phase="0" delay="10ms" duration="60ms" amplitude="0.1nA" period="30ms"/>
<timedSynapticInput id="timed" synapse="one" spikeTarget="./one">
 <spike id="0" time="20ms"/><spike id="1" time="20.004ms"/><spike id="2" time="40ms"/>
</timedSynapticInput>
<spikeGenerator id="regular" period="15ms"/>
<spikeArray id="array"><spike id="0" time="20ms"/><spike id="1" time="20ms"/><spike id="2" time="40ms"/></spikeArray>
<network id="others">
 <population id="E" component="cell" size="6"/>
 <population id="clock" component="regular" size="1"/>
 <population id="source" component="array" size="2"/>
 <projection id="a" presynapticPopulation="source" postsynapticPopulation="E" synapse="one">
  <connectionWD id="0" preCellId="../source[0]" postCellId="../E[0]" weight="1" delay="2ms"/>
 </projection>
 <projection id="b" presynapticPopulation="clock" postsynapticPopulation="E" synapse="two">
  <connection id="0" preCellId="../clock[0]" postCellId="../E[1]"/>
 </projection>
 <projection id="c" presynapticPopulation="source" postsynapticPopulation="E" synapse="alpha">
  <connection id="0" preCellId="../source[1]" postCellId="../E[2]"/>
  <connectionWD id="1" preCellId="../source[0]" postCellId="../E[2]" weight="0.5" delay="0.33ms"/>
 </projection>
 <explicitInput target="E[3]" input="timed"/>
 <explicitInput target="E[4]" input="sine"/>
 <explicitInput target="E[5]" input="pulse"/>
</network>
"""


def runs(directory: Path, content: str, paths: list[str], dt: float = 0.01) -> tuple[Run, Run]:
    """Return a run of NEURON and one of jLEMS."""
    directory.mkdir(exist_ok=True)
    (directory / "others").mkdir()
    (directory / "others" / "others.net.nml").write_text(NETWORK % content)
    columns = "".join(f'<OutputColumn id="c{i}" quantity="{path}/v"/>' for i, path in enumerate(paths))
    events = "".join(f'<EventSelection id="{i}" select="{path}" eventPort="spike"/>' for i, path in enumerate(paths))
    (directory / "others" / "LEMS_others.xml").write_text(LEMS % (dt, columns, events))
    found = []
    for runner in (NeuronRunner(), JLemsRunner()):
        scratch = directory / runner.name
        scratch.mkdir()
        found.append(runner.run_files(directory / "others", scratch, threads=None, progress=Silent()))
    return found[0], found[1]


def test_cells_with_channels(tmp_path: Path) -> None:
    """Spikes that lie apart by some 0.1 ms come together with the resolution: it is the same model."""
    apart = []
    for dt in (0.01, 0.005):
        ours, theirs = (r.spikes["E"] for r in runs(tmp_path / f"{dt}", CHANNELS, PATHS, dt))
        assert len(theirs) == 8
        np.testing.assert_array_equal(ours.neurons, theirs.neurons)
        apart.append(np.abs(ours.steps - theirs.steps)[2:] * dt)
    assert apart[0].max() < 0.6
    np.testing.assert_allclose(apart[0] / apart[1], 2, atol=0.5)


def test_other_inputs_and_synapses(tmp_path: Path) -> None:
    """Measured: potentials 0.001 to 0.003 mV apart on average, and 0.027 where a neuron fires."""
    ours, theirs = runs(tmp_path, INPUTS, [f"E[{i}]" for i in range(6)])
    np.testing.assert_array_equal(ours.spikes["E"].neurons, theirs.spikes["E"].neurons)
    assert set(theirs.spikes["E"].neurons) == {5}
    assert np.abs(ours.spikes["E"].steps - theirs.spikes["E"].steps).max() <= 5
    n = min(len(r.voltages["E"].values) for r in (ours, theirs))
    deviation = np.abs(ours.voltages["E"].values[:n] - theirs.voltages["E"].values[:n]).mean(axis=0)
    assert np.ptp(theirs.voltages["E"].values, axis=0).min() > 4  # every input does something
    assert deviation[:5].max() < 0.006
    assert deviation[5] < 0.06
