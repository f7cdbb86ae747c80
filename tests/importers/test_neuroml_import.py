"""What becomes of what in NeuroML of others, what is refused, and what a file beside the network adds."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import NetworkInstance, export, open_model, realize
from mc_interchange.errors import ArtefactError, FormatError
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.neuroml import NeuroMLImporter, NeuroMLWarning
from mc_interchange.importers.neuroml.inputs import InitialPulses
from mc_interchange.instance import Edges
from mc_interchange.network import Network, PoissonInput, StepCurrent, VoltageRecording

IF = 'cm="0.2" i_offset="0" tau_m="10" tau_refrac="2" v_init="-62" v_reset="-65" v_rest="-65" v_thresh="-50"'
TAUS = 'tau_syn_E="0.5" tau_syn_I="0.5"'
COND = f'{IF} tau_syn_E="1" tau_syn_I="3" e_rev_E="0" e_rev_I="-80"'
IAF = 'C="200pF" leakConductance="10nS" leakReversal="-65mV" thresh="-50mV" reset="-66mV"'
BASE = {
    "components": f'<IF_curr_exp id="lif" {IF} {TAUS}/><expCurrSynapse id="syn" tau_syn="0.5"/>'
    f'<IF_cond_exp id="cond" {COND}/><expCondSynapse id="up" tau_syn="1" e_rev="0"/>'
    '<expCondSynapse id="down" tau_syn="3" e_rev="-80"/><spikeArray id="times"><spike id="0" time="5ms"/></spikeArray>',
    "network": '<population id="A" component="lif" size="3"/><population id="B" component="cond" size="2"/>'
    '<population id="S" component="times" size="2"/>',
}
SIMULATION = '<Simulation id="sim" length="50ms" step="0.1ms" target="net"/>'


def write(
    path: Path, components: str = "", network: str = "", simulation: str | None = None, base: bool = True
) -> Path:
    """Write a network with the parts of ``BASE`` in front, as NeuroML or in a LEMS file with a simulation."""
    if base:
        components, network = BASE["components"] + components, BASE["network"] + network
    inner = f'{components}\n<network id="net">\n{network}\n</network>'
    if simulation is None:
        file = path / "x.net.nml"
        file.write_text(f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="x">\n{inner}\n</neuroml>')
    else:
        file = path / "LEMS_x.xml"
        file.write_text(f'<Lems><Target component="sim"/><Include file="Cells.xml"/>\n{inner}\n{simulation}</Lems>')
    return file


def connect(source: str, target: str, synapse: str, *weights: float, name: str = "") -> str:
    lines = "".join(
        f'<connectionWD id="{i}" preCellId="../{source}[0]" postCellId="../{target}[{i}]" weight="{w}" delay="1ms"/>'
        for i, w in enumerate(weights)
    )
    ends = f'presynapticPopulation="{source}" postsynapticPopulation="{target}"'
    return f'<projection id="{name or f"{source}_{target}_{synapse}"}" {ends} synapse="{synapse}">{lines}</projection>'


def inputs(component: str, population: str, *cells: int, name: str = "list", weights: tuple[float, ...] = ()) -> str:
    rows = "".join(
        f'<input{"W" if weights else ""} id="{i}" target="../{population}[{cell}]" destination="synapses"'
        + (f' weight="{weights[i]}"/>' if weights else "/>")
        for i, cell in enumerate(cells)
    )
    return f'<inputList id="{name}" component="{component}" population="{population}">{rows}</inputList>'


def quietly(path: Path) -> NetworkInstance:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        instance = open_model(path)
        instance.digest()
    return instance


def weights(edges: Edges) -> list[float]:
    return [w for block in edges.blocks() for w in block.weight.tolist()]


# -- cells and synapses


def test_the_synapse_says_what_the_cell_only_repeats(tmp_path: Path) -> None:
    """Two time constants, by the sign of the weights; a synapse that has no weights of a sign does not matter."""
    components = '<expCurrSynapse id="slow" tau_syn="2"/>'
    network = connect("A", "A", "syn", 0.1, 0.0) + connect("S", "A", "slow", -0.1, 0.0, -0.3)
    neuron = quietly(write(tmp_path, components, network)).populations["A"].neuron
    assert neuron.model == "iaf_psc_exp"
    assert (neuron["tau_syn_ex"], neuron["tau_syn_in"]) == (0.5, 2.0)


def test_one_membrane_with_other_synapses_is_another_model(tmp_path: Path) -> None:
    components = (
        '<alphaCurrSynapse id="alpha" tau_syn="2"/>'
        '<alphaSynapse id="cond_alpha" tau="3ms" gbase="0.002uS" erev="-90mV"/>'
        f'<iafRefCell id="iaf" {IAF} refract="3ms"/>'
    )
    network = '<population id="C" component="iaf" size="2"/><population id="D" component="iaf" size="1"/>'
    network += connect("S", "A", "alpha", 0.1) + connect("S", "C", "cond_alpha", 1, 0.5)
    found = quietly(write(tmp_path, components, network))
    assert found.populations["A"].neuron.model == "iaf_psc_alpha"
    iaf = found.populations["C"].neuron
    assert iaf.model == "iaf_cond_alpha"
    assert (iaf["E_in"], iaf["tau_syn_in"], iaf["g_L"], iaf["t_ref"]) == (-90.0, 3.0, 10.0, 3.0)
    # what pulls below the threshold is inhibition, which has negative weights here; a weight counts in gbase
    assert weights(found.projections["S_C_cond_alpha"]) == [-2.0, -1.0]
    assert found.populations["C"].V_m.tolist() == [-65.0, -65.0]
    assert found.populations["D"].neuron.model == "iaf_cond_exp"


def test_a_negative_base_makes_weights_negative(tmp_path: Path) -> None:
    components = (
        f'<iafCell id="iaf" {IAF}/><alphaCurrentSynapse id="push" tau="1ms" ibase="50pA"/>'
        '<alphaCurrentSynapse id="pull" tau="3ms" ibase="-0.04nA"/>'
    )
    network = '<population id="C" component="iaf" size="2"/>'
    network += connect("S", "C", "pull", 1, 2) + connect("S", "C", "push", 1)
    found = quietly(write(tmp_path, components, network))
    neuron = found.populations["C"].neuron
    assert (neuron["tau_syn_ex"], neuron["tau_syn_in"]) == (1.0, 3.0)
    assert weights(found.projections["S_C_pull"]) == [-40.0, -80.0]


def test_cells_without_capacitance_take_no_input(tmp_path: Path) -> None:
    cell = '<iafTauRefCell id="tau" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms" refract="5ms"/>'
    network = '<population id="C" component="tau" size="1"/>'
    neuron = quietly(write(tmp_path, cell, network)).populations["C"].neuron
    assert neuron.model == "iaf_psc_exp"
    assert [neuron[name] for name in ("tau_m", "E_L", "V_th", "V_reset", "t_ref")] == [30.0, -50.0, -55.0, -70.0, 5.0]
    pulse = '<pulseGenerator id="p" delay="1ms" duration="5ms" amplitude="0.1nA"/>'
    for placed in (connect("S", "C", "syn", 1), inputs("p", "C", 0)):
        with pytest.raises(FormatError, match=r"cells of the type iafTauRefCell \(C\) take no input"):
            open_model(write(tmp_path, cell + pulse, network + placed))


def test_conductances_go_to_the_receptor_with_their_reversal_potential(tmp_path: Path) -> None:
    network = connect("S", "B", "down", 0.02, 0.01) + connect("S", "B", "up", 0.001)
    found = quietly(write(tmp_path, "", network))
    neuron = found.populations["B"].neuron
    assert [neuron[n] for n in ("E_ex", "E_in", "tau_syn_ex", "tau_syn_in")] == [0.0, -80.0, 1.0, 3.0]
    assert weights(found.projections["S_B_down"]) == [-20.0, -10.0]
    assert weights(found.projections["S_B_up"]) == [1.0]


def test_synapses_that_the_cell_does_not_have_count(tmp_path: Path) -> None:
    components = '<expCondSynapse id="other" tau_syn="7" e_rev="-10"/>'
    neuron = quietly(write(tmp_path, components, connect("S", "B", "other", 0.02))).populations["B"].neuron
    assert [neuron[n] for n in ("E_ex", "E_in", "tau_syn_ex", "tau_syn_in")] == [-10.0, -80.0, 7.0, 3.0]


# -- inputs


def test_pulses_with_weights_and_in_numbers(tmp_path: Path) -> None:
    components = '<pulseGenerator id="pulse" delay="10ms" duration="5ms" amplitude="0.1nA"/>'
    network = inputs("pulse", "A", 0, 1, 0, 2, weights=(1, 1, 1, -0.3)) + inputs("pulse", "B", 0, 1, name="both")
    found = quietly(write(tmp_path, components, network)).inputs
    common = {"start": 9.9, "stop": 14.9, "delay": 0.1}
    assert found == (
        StepCurrent(name="list_0", target="A", amplitude=-30.0, neurons=(2,), **common),
        StepCurrent(name="list_1", target="A", amplitude=100.0, neurons=(1,), **common),
        StepCurrent(name="list_2", target="A", amplitude=200.0, neurons=(0,), **common),
        StepCurrent(name="both", target="B", amplitude=100.0, **common),
    )


def test_a_current_without_an_end_into_all_is_constant(tmp_path: Path) -> None:
    components = '<pulseGenerator id="pulse" delay="0s" duration="1e9ms" amplitude="0.1nA"/>'
    components += '<pulseGeneratorDL id="free" delay="0ms" duration="1000000000ms" amplitude="4.5"/>'
    components += '<izhikevichCell id="iz" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-50" d="2"/>'
    network = '<population id="Z" component="iz" size="2"/>' + inputs("free", "Z", 1, 0, name="free_list")
    network += inputs("pulse", "A", 0, 1, 2) + inputs("pulse", "A", 2, 0, 1, name="twice")
    found = quietly(write(tmp_path, components, network))
    assert found.inputs == ()
    assert found.populations["A"].neuron["I_e"] == 200.0
    izhikevich = found.populations["Z"].neuron
    assert (izhikevich["I_e"], izhikevich["U_m"], izhikevich.model) == (4.5, -14.0, "izhikevich")


@pytest.mark.filterwarnings("ignore::mc_interchange.importers.neuroml.NeuroMLWarning")
@pytest.mark.parametrize(
    ("delay", "duration", "expected", "message"),
    [
        (
            "0ms",
            "5ms",
            (0.0, 4.9),
            "begins at 0 ms; as a generator's current takes a step to its target, it begins at 0.1",
        ),
        ("1.04ms", "5ms", (1.0, 6.0), "1.04 ms is not a multiple of dt = 0.1 ms and becomes 1.1 ms"),
    ],
)
def test_currents_that_come_earlier_or_between_steps(
    tmp_path: Path, delay: str, duration: str, expected: tuple[float, float], message: str
) -> None:
    components = f'<pulseGenerator id="pulse" delay="{delay}" duration="{duration}" amplitude="0.1nA"/>'
    with pytest.warns(NeuroMLWarning, match=re.escape(message)):
        (step,) = open_model(write(tmp_path, components, inputs("pulse", "A", 1))).inputs
    assert (step.start, step.stop) == pytest.approx(expected)


def test_poisson_inputs_of_several_sources_and_with_a_window(tmp_path: Path) -> None:
    components = (
        '<poissonFiringSynapse id="noise" averageRate="0.8 per_ms" synapse="syn" spikeTarget="./syn"/>'
        '<transientPoissonFiringSynapse id="late" averageRate="100Hz" delay="10ms" duration="20ms" synapse="down" '
        'spikeTarget="./down"/>'
    )
    network = inputs("noise", "A", 0, 0, 1, 1, 2, weights=(0.1, 0.1, 0.1, 0.1, 0.1))
    network += inputs("late", "B", 0, 1, name="lates", weights=(0.01, 0.01))
    found = quietly(write(tmp_path, components, network)).inputs
    common = {"delay": 0.1}
    assert found == (
        PoissonInput(name="noise_0", target="A", rate=800.0, weight=100.0, neurons=(2,), **common),
        PoissonInput(name="noise_1", target="A", rate=1600.0, weight=100.0, neurons=(0, 1), **common),
        PoissonInput(name="late", target="B", rate=100.0, weight=-10.0, start=9.9, stop=29.9, **common),
    )


def test_a_divided_rate_comes_back_whole(tmp_path: Path) -> None:
    """49 times the 49th part of 1 is less than 1 in floating-point numbers."""
    assert 49 * (1 / 49) < 1
    components = f'<poissonFiringSynapse id="noise" averageRate="{1 / 49!r}Hz" synapse="syn" spikeTarget="./syn"/>'
    (item,) = quietly(write(tmp_path, components, inputs("noise", "A", *[1] * 49))).inputs
    assert item.rate == 1.0


def test_spikes_of_an_input_become_a_population(tmp_path: Path) -> None:
    components = '<timedSynapticInput id="timed" synapse="up" spikeTarget="./up"><spike id="0" time="7ms"/>'
    components += '<spike id="1" time="2.5ms"/></timedSynapticInput>'
    found = quietly(write(tmp_path, components, inputs("timed", "B", 1, weights=(0.004,))))
    (block,) = found.populations["timed"].activity.blocks()
    assert block.times.tolist() == [2.4, 6.9]
    edges = found.projections["timed_to_B"]
    (block,) = edges.blocks()
    assert (block.target.tolist(), block.weight.tolist(), block.delay.tolist()) == ([1], [4.0], [1])


def test_spikes_between_the_steps_come_at_the_end_of_theirs(tmp_path: Path) -> None:
    components = '<spikeArray id="odd"><spike id="0" time="1.23ms"/><spike id="1" time="0.3ms"/></spikeArray>'
    with pytest.warns(
        NeuroMLWarning, match=r"1 of 2 spike times are not multiples of dt = 0\.1 ms; they are rounded up"
    ):
        found = open_model(write(tmp_path, components, '<population id="O" component="odd" size="1"/>'))
    (block,) = found.populations["O"].activity.blocks()
    assert block.times.tolist() == [0.3, 1.3]


def test_sources_that_are_populations_of_their_own_come_together_in_any_order(tmp_path: Path) -> None:
    """With further spikes of a source in a layer, whose connections are copies."""
    arrays = "".join(
        f'<spikeArray id="t{i}"><spike id="0" time="{time}ms"/></spikeArray>' for i, time in enumerate((1.0, 2.0, 1.0))
    )
    member = '<population id="{0}" component="{1}" size="1"><property tag="source" value="T/{2}"/>{3}</population>'
    layer = '<property tag="layer" value="1"/>'
    network = member.format("extra", "t2", 0, layer) + member.format("b", "t1", 1, "") + member.format("a", "t0", 0, "")
    for source, name in (("a", "p_from_0"), ("extra", "p_from_2"), ("b", "p_from_1")):
        network += connect(source, "A", "syn", 0.1, 0.2 if source != "b" else -0.5, name=name)
    found = quietly(write(tmp_path, arrays, network))
    (block,) = found.populations["T"].activity.blocks()
    assert (block.counts.tolist(), block.times.tolist()) == ([2, 1], [1.0, 1.0, 2.0])
    (block,) = found.projections["p"].blocks()
    assert block.source.tolist() == [0, 0, 1, 1]
    assert block.weight.tolist() == [100.0, 200.0, 100.0, -500.0]


# -- simulation, recordings and names


def test_the_lems_file_says_what_is_recorded(tmp_path: Path) -> None:
    simulation = (
        '<Simulation id="sim" length="0.05s" step="0.05ms" target="net" seed="77"><Display id="d"/>'
        '<OutputFile id="v" fileName="v.dat"><OutputColumn id="a" quantity="A[2]/v"/><OutputColumn id="b" '
        'quantity="A[0]/v"/><OutputColumn id="g" quantity="B[0]/synapses:up:0/g"/></OutputFile>'
        '<EventOutputFile id="e" fileName="e.spikes" format="TIME_ID"><EventSelection id="0" select="A[0]" '
        'eventPort="spike"/></EventOutputFile></Simulation>'
    )
    with pytest.warns(NeuroMLWarning, match=r"not recorded: g \(B\[0\]/synapses:up:0/g\)"):
        found = open_model(write(tmp_path, simulation=simulation)).simulation
    assert (found.dt, found.duration, found.seed) == (0.05, 50.0, 77)
    assert found.record_spikes == ("A",)
    assert found.record_V_m == (VoltageRecording(population="A", neurons=(0, 2), interval=0.05),)


def test_without_a_lems_file_the_network_recommends(tmp_path: Path) -> None:
    network = '<property tag="recommended_dt_ms" value="0.025"/><property tag="recommended_duration_ms" value="12"/>'
    found = quietly(write(tmp_path, network=network + connect("S", "A", "syn", 0.1)))
    assert (found.simulation.dt, found.simulation.duration) == (0.025, 12.0)
    assert [b.delay.tolist() for b in found.projections["S_A_syn"].blocks()] == [[40]]
    for index, none in enumerate(("inf", "nan", "-1", "soon")):
        (tmp_path / str(index)).mkdir()
        assert quietly(write(tmp_path / str(index), network=network.replace("0.025", none))).simulation.dt == 0.1


def test_names_that_are_none_are_replaced(tmp_path: Path) -> None:
    network = '<population id="CA1-pyr" component="lif" size="2"/><population id="CA1_pyr" component="lif" size="1"/>'
    network += connect("CA1-pyr", "CA1_pyr", "syn", 0.1, name="1st")
    with pytest.warns(NeuroMLWarning) as caught:
        found = open_model(write(tmp_path, network=network))
    told = [str(w.message) for w in caught]
    assert any(
        "population names are made unique, of letters, digits and underscores: 'CA1-pyr' is CA1_pyr_2" in t
        for t in told
    )
    assert any("'1st' is _1st" in t for t in told)
    assert (found.projections["_1st"].source, found.projections["_1st"].target) == ("CA1_pyr_2", "CA1_pyr")


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    components = f'<IF_curr_exp id="named" neuroLexId="x" mystery="1" {IF} {TAUS}/>'
    network = '<region id="column"/><population id="N" component="named" size="1"/>'
    with pytest.warns(NeuroMLWarning) as caught:
        open_model(write(tmp_path, components, network))
    told = [str(w.message) for w in caught]
    assert any(t.endswith("IF_curr_exp 'named': not read: mystery") for t in told)
    assert any(t.endswith("region column is not read") for t in told)


def test_every_pulse_has_a_potential_that_gives_it_again() -> None:
    """Where a quotient alone does not, one of its neighbours does; most potentials come back to the last bit."""
    V_m = np.random.default_rng(0).normal(-58.0, 10.0, 100_000)
    per_mV = fmt.pulse_per_mV({"C_m": 281.0, "tau_m": 9.3667}, 0.1)
    pulses = InitialPulses((V_m + 58.012) * per_mV, -58.012, per_mV)
    found = pulses.potentials()
    assert pulses.agree(found, single=False).all()
    assert not pulses.agree(-58.012 + pulses.currents / per_mV, single=False).all()
    assert np.mean(found == V_m) > 0.998
    assert np.abs(found - V_m).max() < 1e-14


# -- refusals

_TIMES = '<spikeArray id="one"><spike id="0" time="1ms"/></spikeArray>'
_PULSE = '<pulseGenerator id="p" delay="1ms" duration="5ms" amplitude="0.1nA"/>'
_MEMBER = '<population id="T_{0}" component="one" size="1"><property tag="source" value="T/{1}"/>{2}</population>'
_LAYER = '<property tag="layer" value="1"/>'
REFUSALS = {
    "a cell": (
        '<cell id="hh"/>',
        '<population id="H" component="hh" size="1"/>',
        "population H: cells of the type cell are",
    ),
    "a synapse": (
        '<expTwoSynapse id="two"/>',
        connect("S", "A", "two", 1),
        "expTwoSynapse 'two' is not supported as a syn",
    ),
    "no component": ("", '<population id="H" component="gone" size="1"/>', "there is no component 'gone' in this file"),
    "an own type": (
        '<ComponentType name="mine" extends="baseCell"/><mine id="m"/>',
        '<population id="H" component="m" size="1"/>',
        "component 'm' is of the type 'mine', which the files define themselves",
    ),
    "two kinds": (
        "",
        connect("S", "B", "up", 1) + connect("S", "B", "syn", 1),
        "population B gets synapses of different kinds (expCondSynapse up, expCurrSynapse syn)",
    ),
    "two time constants": (
        '<expCurrSynapse id="slow" tau_syn="2"/>',
        connect("S", "A", "syn", 0.1) + connect("S", "A", "slow", 0.1),
        "population A gets more different synapses than a neuron model has receptors for positive weights: syn (time "
        "constant 0.5 ms), slow (time constant 2 ms)",
    ),
    "three conductances": (
        '<expCondSynapse id="nmda" tau_syn="50" e_rev="0"/>',
        connect("S", "B", "up", 1) + connect("S", "B", "nmda", 1) + connect("S", "B", "down", 1),
        "population B gets more different synapses than a neuron model has receptors in all: up (time constant 1 ms, "
        "reversal potential 0 mV), nmda",
    ),
    "a negative conductance": ("", connect("S", "B", "up", -1), "projection S_B_up has a conductance below 0"),
    "no such model": (
        '<izhikevichCell id="iz" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-50" d="2"/>',
        '<population id="Z" component="iz" size="1"/>' + connect("S", "Z", "syn", 1),
        "there is no neuron model of the membrane of izhikevichCell with synapses of the kind psc_exp",
    ),
    "a value": (
        f'<IF_curr_exp id="odd" {IF.replace("-50", "low")} {TAUS}/>',
        '<population id="O" component="odd" size="1"/>',
        "IF_curr_exp 'odd' v_thresh must be a number, got 'low'",
    ),
    "no threshold": (
        f'<IF_curr_exp id="odd" {IF.replace("-50", "-70")} {TAUS}/>',
        '<population id="O" component="odd" size="1"/>',
        "IF_curr_exp 'odd' parameters.V_reset: must be below V_th (-70), got -65",
    ),
    "a projection onto sources": (
        "",
        connect("A", "S", "syn", 1),
        "the target 'S' is a source of spikes and takes no input",
    ),
    "an input onto sources": (_PULSE, inputs("p", "S", 0), "the target 'S' is a source of spikes and takes no input"),
    "an input": (
        '<compoundInput id="c"><sineGenerator id="s" phase="0" delay="0ms" duration="1ms" amplitude="1nA" '
        'period="1ms"/></compoundInput>',
        inputs("c", "A", 0),
        "compoundInput 'c' is not supported as an input, only pulseGenerator,",
    ),
    "a current without a unit": (
        '<pulseGeneratorDL id="p" delay="1ms" duration="5ms" amplitude="3"/>',
        inputs("p", "A", 0),
        "pulseGeneratorDL 'p' is no input of cells of the type IF_curr_exp (population A)",
    ),
    "an input elsewhere": (
        '<poissonFiringSynapse id="n" averageRate="8Hz" synapse="syn" spikeTarget="./up"/>',
        inputs("n", "A", 0),
        "poissonFiringSynapse 'n' must name its synapse, and have it as its spikeTarget",
    ),
    "a unit": (
        '<pulseGenerator id="p" delay="1ms" duration="5ms" amplitude="0.1mV"/>',
        inputs("p", "A", 0),
        "pulseGenerator 'p' amplitude must be a number with a unit such as pA, got '0.1mV'",
    ),
    "gap junctions": ("", '<electricalProjection id="gaps"/>', "electricalProjection gaps is not supported, only"),
    "an early spike": (
        '<spikeArray id="zero"><spike id="0" time="0ms"/></spikeArray>',
        '<population id="O" component="zero" size="1"/>',
        "spikeArray 'zero' has a spike that is not after 0 ms",
    ),
    "random intervals": (
        '<spikeGeneratorRandom id="r" minISI="1ms" maxISI="2ms"/>',
        '<population id="O" component="r" size="1"/>',
        "population O: cells of the type spikeGeneratorRandom are not supported",
    ),
    "a source that is missing": (
        _TIMES,
        _MEMBER.format(0, 0, "") + _MEMBER.format(2, 2, ""),
        "population T_2: its property 'source' says 2, where 1 was expected",
    ),
    "a source of nothing": (_TIMES, _MEMBER.format(0, "first", ""), "the property 'source' must be NAME/NUMBER"),
    "a layer of its own": (
        _TIMES,
        _MEMBER.format(0, 0, "") + _MEMBER.format(1, 0, _LAYER) + connect("T_0", "A", "syn", 1),
        "the connections of layer 1 of source 0 of T are not those of the source itself",
    ),
    "a matched artefact": (
        "",
        '<property tag="matched to" value="jlems"/>',
        "a verification artefact whose parameters are matched to jlems; import the export that was made without",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused(name: str, tmp_path: Path) -> None:
    components, network, message = REFUSALS[name]
    path = write(tmp_path, components, network)
    with pytest.raises(FormatError) as caught:
        open_model(path).digest()
    text = str(caught.value)
    assert message in text
    assert text.startswith(f"{path}:") or message.startswith("the connections")
    assert "\n" not in text
    findings = NeuroMLImporter().check(path)
    # an artefact is sound, though no model
    level = "warning" if caught.type is ArtefactError else "error"
    told = [f for f in findings if f.level == level]
    assert len(told) == 1
    assert message in told[0].message


def test_a_check_tells_what_reading_warns_of(tmp_path: Path) -> None:
    path = write(tmp_path, network='<region id="column"/>' + connect("S", "A", "syn", 0.1).replace("1ms", "1.04ms"))
    found = NeuroMLImporter().check(path)
    assert {f.level for f in found} == {"warning"}
    told = " | ".join(f"{f.where}: {f.message}" for f in found)
    assert told.count("x.net.nml:line 4: region column is not read") == 1
    assert "1.04 ms, are not multiples of dt and are rounded" in told
    assert NeuroMLImporter().check(write(tmp_path)) == []


# -- the file beside a network


@pytest.fixture(scope="module")
def original(small_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = small_network.model_dump()
    step = {"kind": "step_current", "name": "step", "target": "I", "amplitude": 50.5, "start": 5.0, "stop": 9.0}
    network = Network.model_validate({**data, "inputs": [*data["inputs"], step]})
    out = tmp_path_factory.mktemp("neuroml") / "small"
    return export(realize(network, 5), "neuroml", out, NeuroMLOptions(encoding="xml")).path


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "small"))


CHANGES = {
    "parameters": ("small.cells.nml", 'tau_m="10"', 'tau_m="11"', "the neuron parameters of population E differ"),
    "rate of sources": ("small.cells.nml", 'averageRate="10Hz"', 'averageRate="11Hz"', "the activity of population TH"),
    "rate of an input": ("small.cells.nml", 'averageRate="800Hz"', 'averageRate="801Hz"', "input background differs"),
    "amplitude": ("small.cells.nml", 'amplitude="0.0505nA"', 'amplitude="0.0506nA"', "input step differs from that in"),
    "seed": ("LEMS_small.xml", 'seed="5"', 'seed="6"', "seed is 5, seed in LEMS_small.xml is 6"),
    "duration": (
        "LEMS_small.xml",
        'length="100ms"',
        'length="90ms"',
        "duration is 100, length in LEMS_small.xml is 90",
    ),
    "projection": ("small.net.nml", 'id="E_to_I"', 'id="other"', "projection other is in the network only"),
    "potentials": ("small.cells.nml", 'v_init="-65"', 'v_init="-66"', "the initial potentials of population E differ"),
}


@pytest.mark.filterwarnings("ignore::mc_interchange.importers.neuroml.NeuroMLWarning")
@pytest.mark.parametrize("name", CHANGES)
def test_a_conflict_is_reported_and_the_files_win(name: str, directory: Path) -> None:
    file, before, after, message = CHANGES[name]
    text = (directory / file).read_text()
    assert before in text
    (directory / file).write_text(text.replace(before, after))
    with pytest.warns(NeuroMLWarning, match=message) as caught:
        found = open_model(directory)
    assert all(str(w.message).startswith(f"{directory / 'model.yaml'}: ") for w in caught)
    assert all(str(w.message).endswith("; the network is used") for w in caught)
    used = {
        "parameters": lambda: found.populations["E"].neuron["tau_m"] == 11.0,
        "rate of sources": lambda: found.populations["TH"].activity.rate == 11.0,
        "rate of an input": lambda: found.inputs[0].rate == 8010.0,
        "amplitude": lambda: found.inputs[1].amplitude == 50.6,
        "seed": lambda: found.seed == found.simulation.seed == 6,
        "duration": lambda: found.simulation.duration == 90.0,
        "projection": lambda: "other" in found.projections,
        "potentials": lambda: set(found.populations["E"].V_m.tolist()) == {-66.0},
    }
    assert used[name]()


def test_an_input_that_was_taken_out_is_out(directory: Path) -> None:
    text = (directory / "small.net.nml").read_text()
    shorter = re.sub(r'<inputList id="step_list".*?</inputList>', "", text, flags=re.DOTALL)
    assert shorter != text
    (directory / "small.net.nml").write_text(shorter)
    with pytest.warns(NeuroMLWarning, match="input step is not in small.net.nml; the network is used"):
        assert [item.name for item in open_model(directory).inputs] == ["background"]


def test_without_pulses_the_potentials_differ_from_the_rules(small_network: Network, tmp_path: Path) -> None:
    options = NeuroMLOptions(encoding="xml", initial_pulse=False)
    path = export(realize(small_network, 5), "neuroml", tmp_path / "out", options).path
    with pytest.warns(NeuroMLWarning, match="the initial potentials of population I differ"):
        found = open_model(path)
    assert len(np.unique(found.populations["I"].V_m)) == 1


def test_names_that_the_exporter_had_to_change_come_back(tmp_path: Path) -> None:
    """NeuroML's identifiers are unique in all, names of ours among their own kind."""
    data = {
        "name": "E",
        "populations": [
            {
                "name": "E",
                "size": 3,
                "neuron": {
                    "model": "iaf_psc_exp",
                    "parameters": {
                        **{"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0},
                        **{"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0},
                    },
                },
            }
        ],
        "projections": [
            {"name": "E", "source": "E", "target": "E", "rule": {"rule": "all_to_all"}, "weight": 1.0, "delay": 1.0}
        ],
        "inputs": [
            {"kind": "poisson", "name": "E", "target": "E", "rate": 10.0, "weight": 1.0, "delay": 1.0},
        ],
    }
    instance = realize(Network.model_validate(data))
    found = quietly(export(instance, "neuroml", tmp_path / "out", NeuroMLOptions(encoding="xml")).path)
    assert found.digest() == instance.digest()
    assert (found.name, list(found.projections), found.inputs) == ("E", ["E"], instance.inputs)
