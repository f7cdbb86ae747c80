"""Synapses that change, in NEST and in NEURON: the mechanisms are those by which PyNN makes them in NEURON.

They are "weight adjusters": each spike of the source sets the weight with which a connection of NEURON then sends it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_synapse_models import DELAY, DT, FURTHER, SYNAPSES, network, sent

from mc_interchange import realize
from mc_interchange.network import SynapseModel

pytest.importorskip("nest")
pytest.importorskip("neuron")
pytest.importorskip("pyNN")
pytestmark = pytest.mark.slow  # a compiler is needed

WEIGHT = 2.0
IN_NEURON = """
import json, sys
import numpy as np
from neuron import h
given = json.loads(sys.argv[1])
h.nrn_load_dll(given["library"])
soma = h.Section(name="soma")
adjuster = getattr(h, given["mechanism"])(soma(0.5))
for name, value in given["values"].items():
    setattr(adjuster, name, value)
sends = h.NetCon(None, h.ExpSyn(soma(0.5)))
h.setpointer(sends._ref_weight[0], "wsyn", adjuster)
spikes = {kind: h.NetCon(None, adjuster) for kind in ("pre", "post")}
spikes["pre"].weight[0], spikes["post"].weight[0] = given["weight"], -1.0
def start():
    sends.weight[0] = given["weight"]
    for kind, connection in spikes.items():
        connection.delay = 0
        for time in given[kind]:
            connection.event(time)
handler = h.FInitializeHandler(start)
h.load_file("stdrun.hoc")
h.dt, h.steps_per_ms = 0.025, 40
V, t = h.Vector().record(sends._ref_weight[0]), h.Vector().record(h._ref_t)
h.finitialize(-65)
h.continuerun(150)
weights, times = np.array(V), np.array(t)
print("RESULT" + json.dumps([float(weights[np.searchsorted(times, time + 0.06)]) for time in given["pre"]]))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile what is needed of PyNN's mechanisms."""
    directory = tmp_path_factory.mktemp("mechanisms")
    theirs = Path(find_spec("pyNN").submodule_search_locations[0]) / "neuron" / "nmodl"
    for name in ("tsodyksmarkram.mod", "stdwa_guetig.mod"):
        shutil.copy(theirs / name, directory)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["nrnivmodl"], cwd=directory, check=True, capture_output=True, env=environment, timeout=300)
    return next(path for path in directory.rglob("libnrnmech.*") if path.is_file())


def in_neuron(library: Path, synapse: SynapseModel, pre: NDArray, post: NDArray) -> NDArray[np.float64]:
    """Return the weight with which each spike of the source is sent."""
    p = synapse.parameters
    given = {"library": str(library), "pre": pre.tolist(), "post": (post + DELAY).tolist(), "weight": WEIGHT}
    if synapse.model == "tsodyks_synapse":
        values = {
            "tau_rec": p["tau_rec"],
            "tau_facil": p["tau_fac"],
            "U": p["U"],
            "u0": p["u"],
            "tau_syn": p["tau_psc"],
        }
        given |= {"mechanism": "TsodyksMarkramWA", "values": values, "post": []}
        scale = 1.0
    else:  # weights relative to the largest: their rule does not divide by it
        values = {"tauLTP": p["tau_plus"], "tauLTD": 20.0, "aLTP": p["lambda"], "aLTD": p["alpha"] * p["lambda"]}
        values |= {"muLTP": p["mu_plus"], "muLTD": p["mu_minus"], "wmax": 1.0, "wmin": 0.0}
        scale = p["Wmax"]
        given |= {"mechanism": "StdwaGuetig", "values": values, "weight": WEIGHT / scale}
    command = [sys.executable, "-c", IN_NEURON, json.dumps(given)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    return scale * np.array(json.loads(answer.stdout.split("RESULT")[1]))


@pytest.mark.parametrize(
    "text",
    [
        SYNAPSES["tsodyks_synapse"],
        FURTHER["depression alone"],
        SYNAPSES["stdp_synapse"],
        FURTHER["multiplicative"].replace(", Kplus: 0.5", ""),
    ],
)
def test_nest_and_neuron_send_the_same_weights(library: Path, text: str) -> None:
    from test_synapse_models import POST

    from mc_interchange.runners.nest import NestRunner

    described = network(text, WEIGHT, post=POST if "stdp" in text else ())
    run = NestRunner().run(realize(described))
    synapse = described.projections[-1].synapse
    theirs = in_neuron(library, synapse, run.spikes["P"].steps * DT, run.spikes["N"].steps * DT)
    np.testing.assert_allclose(sent(run), theirs, rtol=1e-9)
    assert np.ptp(theirs) > 0.1
