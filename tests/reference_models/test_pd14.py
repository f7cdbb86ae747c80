"""The cortical microcircuit model against PyPI's microcircuit, and its description in tables."""

import copy
import html.parser
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import build
from mc_interchange.describe import FORMATS, describe, tables
from mc_interchange.errors import InterchangeError, ModelError, UsageError
from mc_interchange.instance import realize
from mc_interchange.network import (
    Constant,
    FixedTotalNumber,
    ModelParameter,
    Network,
    Neuron,
    Normal,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    StepCurrent,
    TruncatedNormal,
    Uniform,
    VoltageRecording,
    parse_network,
    serialize_network,
)
from mc_interchange.reference_models.pd14 import POPULATIONS, PD14Arguments, SubthresholdWarning, derive
from mc_interchange.reference_models.pd14.derived import psc_over_psp, synapse_numbers

RATES_OF_OLDER_CODE = (0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523)


def build_quietly(**arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SubthresholdWarning)
        return build("pd14", **arguments)


def original(tmp_path, n_scale, k_scale, background, **net):
    """Return microcircuit's own network, with thalamus, and the dictionaries it was made of."""
    network = pytest.importorskip("microcircuit.network")
    from microcircuit.network_params import default_net_dict, get_exc_inh_matrix
    from microcircuit.sim_params import default_sim_dict
    from microcircuit.stimulus_params import default_stim_dict

    sim = {**default_sim_dict, "data_path": str(tmp_path / "data"), "local_num_threads": 1, "print_time": False}
    net = {**copy.deepcopy(default_net_dict), **net}
    net |= {"N_scaling": n_scale, "K_scaling": k_scale, "bg_input_type": background}
    net["PSP_matrix_mean"] = get_exc_inh_matrix(net["PSP_exc_mean"], net["PSP_exc_mean"] * net["g"], 8)
    net["PSP_matrix_mean"][0, 2] = 2 * net["PSP_exc_mean"]
    stim = {**default_stim_dict, "thalamic_input": True, "dc_transient": True}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = network.Network(sim, net, stim)
    made.low = {str(w.message).split()[1] for w in caught if "sub-threshold" in str(w.message)}
    return made, net, stim


def matrix(network, read):
    """Return an 8 x 8 matrix (target, source) of what ``read`` takes from each projection; 0 where there is none."""
    values = np.zeros((8, 8))
    for p in network.projections:
        if p.source != "TH":
            values[POPULATIONS.index(p.target), POPULATIONS.index(p.source)] = read(p)
    return values


def assert_equals_original(network, made, net, stim):
    close = {"rtol": 1e-12, "atol": 0}
    there = made.num_synapses > 0
    assert [p.size for p in network.neuron_populations] == made.num_neurons.tolist()
    assert np.array_equal(matrix(network, lambda p: p.rule.number), made.num_synapses)
    weights = np.where(there, made.weight_matrix_mean, 0)
    np.testing.assert_allclose(matrix(network, lambda p: p.weight.mean), weights, **close)
    np.testing.assert_allclose(matrix(network, lambda p: p.weight.sd), abs(weights) * net["weight_rel_std"], **close)
    for p in network.projections:
        assert (p.weight.min, p.weight.max) == ((0.0, None) if p.weight.mean > 0 else (None, 0.0))
        assert p.rule.allow_multapses
        assert p.rule.allow_autapses
    delays = np.where(there, net["delay_matrix_mean"], 0)
    np.testing.assert_allclose(matrix(network, lambda p: p.delay.mean), delays, **close)
    np.testing.assert_allclose(matrix(network, lambda p: p.delay.sd), delays * net["delay_rel_std"], **close)

    theirs = net["neuron_params"]
    for i, p in enumerate(network.neuron_populations):
        ours = p.neuron.parameters
        assert ours["I_e"] == pytest.approx(made.DC_amp[i], rel=1e-12, abs=0)
        assert ours["tau_syn_ex"] == ours["tau_syn_in"] == theirs["tau_syn"]
        for name in ("C_m", "tau_m", "t_ref", "E_L", "V_th", "V_reset"):
            assert ours[name] == theirs[name]

    poisson = [i for i in network.inputs if isinstance(i, PoissonInput)]
    if net["bg_input_type"] == "poisson":
        assert [i.rate for i in poisson] == (net["bg_rate"] * made.ext_indegrees).tolist()
        assert [i.weight for i in poisson] == pytest.approx([made.weight_ext] * 8, rel=1e-12, abs=0)
        assert {i.delay for i in poisson} == {net["delay_poisson"]}
    else:
        assert not poisson
    steps = [i for i in network.inputs if isinstance(i, StepCurrent)]
    assert [i.target for i in steps] == list(POPULATIONS)
    np.testing.assert_allclose([i.amplitude for i in steps], stim["dc_transient_amp"] * net["K_ext"], **close)
    assert {(i.start, i.stop, i.delay) for i in steps} == {(650.0, 750.0, 1.0)}

    thalamic = {p.target: p for p in network.projections if p.source == "TH"}
    numbers = [thalamic[name].rule.number if name in thalamic else 0 for name in POPULATIONS]
    assert numbers == made.num_th_synapses.tolist()
    for p in thalamic.values():
        assert p.weight.mean == pytest.approx(made.weight_th, rel=1e-12, abs=0)
        assert p.weight.sd == pytest.approx(made.weight_th * net["weight_rel_std"], rel=1e-12, abs=0)
        assert (p.delay.mean, p.delay.sd, p.delay.min) == (1.5, 0.75, 0.05)


@pytest.mark.parametrize("background", ["poisson", "dc"])
@pytest.mark.parametrize("scale", [0.02, 0.1, 0.2, 0.5, 1.0])
def test_equals_microcircuit(tmp_path, scale, background):
    network = build_quietly(scale=scale, background=background, thalamus=True, dc_transient=True)
    made, net, stim = original(tmp_path, scale, scale, background)
    assert_equals_original(network, made, net, stim)


@pytest.mark.parametrize("background", ["poisson", "dc"])
def test_equals_microcircuit_when_parameters_differ(tmp_path, background):
    network = build_quietly(
        n_scale=0.05,
        k_scale=0.3,
        background=background,
        thalamus=True,
        dc_transient=True,
        full_mean_rates=RATES_OF_OLDER_CODE,
        g=-4.5,
        bg_rate=8.5,
    )
    made, net, stim = original(
        tmp_path, 0.05, 0.3, background, full_mean_rates=np.array(RATES_OF_OLDER_CODE), g=-4.5, bg_rate=8.5
    )
    assert_equals_original(network, made, net, stim)


@pytest.mark.parametrize("k_scale", [0.0333, 0.00125, 0.123])
def test_external_indegrees_are_rounded_as_in_microcircuit(tmp_path, k_scale):
    network = build("pd14", n_scale=0.02, k_scale=k_scale, thalamus=True, dc_transient=True)
    assert_equals_original(network, *original(tmp_path, 0.02, k_scale, "poisson"))


def test_each_delay_is_an_argument_of_its_own():
    network = build(
        "pd14",
        scale=0.1,
        thalamus=True,
        dc_transient=True,
        delay_exc_mean=1.1,
        delay_inh_mean=0.6,
        delay_rel_std=0.2,
        delay_th_mean=2.3,
        delay_th_rel_std=0.4,
        delay_poisson=1.7,
        dc_transient_delay=0.9,
    )
    delays = {"E": set(), "I": set(), "H": set()}
    for p in network.projections:
        delays[p.source[-1]].add((p.delay.mean, p.delay.sd))
    assert delays == {"E": {(1.1, 1.1 * 0.2)}, "I": {(0.6, 0.6 * 0.2)}, "H": {(2.3, 2.3 * 0.4)}}
    assert {i.delay for i in network.inputs if isinstance(i, PoissonInput)} == {1.7}
    assert {i.delay for i in network.inputs if isinstance(i, StepCurrent)} == {0.9}


def test_no_synapses_left_is_a_warning():
    with pytest.warns(UserWarning, match=r"^k_scale = 1e-09 leaves no recurrent synapses$"):
        build("pd14", n_scale=0.1, k_scale=1e-9)


FITTING = r"dt can be 0\.025, 0\.05, 0\.1, 0\.125, 0\.25 or 0\.5 ms$"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dt": 0.2}, rf"^pd14: delay_poisson: must be a multiple of dt \(0\.2 ms\), got 1\.5 ms; {FITTING}"),
        ({"dt": 1.0}, rf"^pd14: delay_poisson: must be a multiple of dt \(1 ms\), got 1\.5 ms; {FITTING}"),
        ({"dt": 0.15, "discard": 0.0, "duration": 1.5}, None),
        ({"dt": 0.15}, rf"^pd14: discard: must be a multiple of dt \(0\.15 ms\), got 500 ms; {FITTING}"),
        ({"dt": 0.2, "background": "dc"}, None),
        ({"dt": 1e-9}, r"^pd14: dt: must be a multiple of 0\.001 ms, got 1e-09$"),
        (
            {"thalamus": True, "th_start": 700.03},
            r"^pd14: th_start: must be a multiple of dt \(0\.1 ms\), got 700\.03 ms",
        ),
        ({"dc_transient": True, "dc_transient_dur": 0.25}, r"^pd14: dc_transient_dur: .* or 0\.25 ms$"),
        *(({"dt": dt, "thalamus": True, "dc_transient": True}, None) for dt in (0.025, 0.05, 0.1, 0.125, 0.25, 0.5)),
    ],
)
def test_resolution_that_does_not_fit(arguments, message):
    if message is None:
        assert build_quietly(scale=0.1, **arguments).simulation.dt == arguments["dt"]
        return
    with pytest.raises(ModelError, match=message):
        build_quietly(scale=0.1, **arguments)


def test_rates_change_the_compensation():
    now, older = (build("pd14", scale=0.1, **rates) for rates in ({}, {"full_mean_rates": RATES_OF_OLDER_CODE}))
    for a, b in zip(now.neuron_populations, older.neuron_populations, strict=True):
        assert abs(a.neuron.parameters["I_e"] - b.neuron.parameters["I_e"]) > 0.1
    assert now.projections == older.projections


@pytest.mark.parametrize("initial_V", ["optimized", "original"])
def test_initial_potentials_equal_microcircuit(initial_V):
    theirs = pytest.importorskip("microcircuit.network_params").default_net_dict["neuron_params"]
    network = build("pd14", scale=0.1, initial_V=initial_V)
    mean, sd = np.broadcast_arrays(theirs["V0_mean"][initial_V], theirs["V0_std"][initial_V], np.zeros(8))[:2]
    assert [p.initial_V_m for p in network.neuron_populations] == [
        Normal(mean=float(m), sd=float(s)) for m, s in zip(mean, sd, strict=True)
    ]


def test_full_scale_without_arguments():
    network = build("pd14")
    assert tuple(p.name for p in network.populations) == POPULATIONS
    assert sum(p.size for p in network.populations) == 77169
    assert len(network.projections) == 55
    assert {p.name for p in network.projections} == {f"{p.source}_to_{p.target}" for p in network.projections}
    assert sum(p.rule.number for p in network.projections) == 298880968
    assert [p.neuron.parameters["I_e"] for p in network.neuron_populations] == [0] * 8
    assert [(i.target, i.rate) for i in network.inputs][:2] == [("L23E", 12800.0), ("L23I", 12000.0)]
    assert len(network.inputs) == 8
    simulation = network.simulation
    assert (simulation.dt, simulation.duration, simulation.discard) == (0.1, 1500.0, 500.0)


def test_numbers_of_synapses_follow_the_probability():
    # One pair of sizes by hand; and drawing so many synapses connects a pair with the probability asked for.
    number = synapse_numbers(0.1009, 20683, 20683)[0, 0]
    assert number == pytest.approx(math.log1p(-0.1009) / math.log1p(-1 / 20683**2), rel=1e-6)
    small = synapse_numbers([[0.3]], 7, 11)[0, 0]
    assert 1 - (1 - 1 / 77) ** small == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize(("tau_m", "tau_syn"), [(10.0, 0.5), (10.0, 10.0), (5.0, 9.0)])
def test_weight_gives_the_wanted_peak(tau_m, tau_syn):
    weight = psc_over_psp(250.0, tau_m, tau_syn)
    t = np.linspace(0, 60, 600_001)
    if tau_m == tau_syn:
        potential = weight / 250.0 * t * np.exp(-t / tau_m)
    else:
        difference = np.exp(-t / tau_syn) - np.exp(-t / tau_m)
        potential = weight * tau_m * tau_syn / (250.0 * (tau_syn - tau_m)) * difference
    assert potential.max() == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize(
    ("k_scale", "low"),
    [(1.0, set()), (0.5, set()), (0.4, {"L23E"}), (0.1, set(POPULATIONS) - {"L6I"}), (0.05, set(POPULATIONS))],
)
def test_subthreshold_dc_warns(tmp_path, k_scale, low):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build("pd14", n_scale=0.02, k_scale=k_scale, background="dc")
    messages = [str(w.message) for w in caught if w.category is SubthresholdWarning]
    assert len(messages) == bool(low)
    assert {name for name in POPULATIONS if any(name + " " in m for m in messages)} == low
    assert original(tmp_path, 0.02, k_scale, "dc")[0].low == low
    if low:
        assert "375.0 pA" in messages[0]
        current = derive(PD14Arguments(n_scale=0.02, k_scale=k_scale, background="dc")).subthreshold["L23E"]
        assert f"L23E {current:.1f} pA" in messages[0]


def test_poisson_background_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build("pd14", scale=0.02)


def test_thalamus():
    network = build("pd14", scale=0.1, thalamus=True, th_start=600.0, th_duration=20.0)
    (thalamus,) = network.virtual_populations
    assert (thalamus.name, thalamus.size) == ("TH", 902)  # not scaled
    assert (thalamus.activity.rate, thalamus.activity.start, thalamus.activity.stop) == (120.0, 600.0, 620.0)
    projections = [p for p in network.projections if p.source == "TH"]
    assert [p.name for p in projections] == ["TH_to_L4E", "TH_to_L4I", "TH_to_L6E", "TH_to_L6I"]
    fewer_neurons = build("pd14", n_scale=0.05, k_scale=0.1, thalamus=True)
    assert projections == [p for p in fewer_neurons.projections if p.source == "TH"]  # by k_scale only


def test_stimuli_are_off_by_default():
    network = build("pd14", scale=0.1)
    assert not network.virtual_populations
    assert all(isinstance(i, PoissonInput) for i in network.inputs)


def test_realises_with_signs_delays_and_spread():
    instance = realize(build("pd14", scale=0.02), seed=3)
    for name, edges in instance.projections.items():
        number = next(p.rule.number for p in instance.network.projections if p.name == name)
        blocks = list(edges.blocks())
        weight = np.concatenate([b.weight for b in blocks])
        delay = np.concatenate([b.delay for b in blocks])
        assert len(weight) == number
        assert (weight > 0).all() if name[name.index("_") - 1] == "E" else (weight < 0).all()
        assert delay.min() >= 1
        if name == "L4E_to_L23E":
            ordinary = derive(PD14Arguments(scale=0.02)).weight_mean[0, 0]
            assert weight.mean() == pytest.approx(2 * ordinary, rel=0.01)
            assert weight.std() == pytest.approx(0.1 * 2 * ordinary, rel=0.05)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"scale": 0.02, "background": "dc", "thalamus": True, "dc_transient": True},
        {"n_scale": 1.5, "k_scale": 0.7, "initial_V": "original", "full_mean_rates": np.full(8, 4.0), "seed": 9},
    ],
)
def test_yaml_gives_back_an_equal_network(arguments):
    network = build_quietly(**arguments)
    assert parse_network(serialize_network(network)) == network


def test_every_parameter_is_documented():
    parameters = {p.name: p for p in build("pd14", scale=0.1, g=-4.5, C_m="240 pF").parameters}
    fields = set(PD14Arguments.model_fields) - {"scale", "dt", "duration", "discard", "seed"}
    matrices = {"PSP_matrix_mean", "delay_matrix_mean"}
    with_matrices = build("pd14", scale=0.1, PSP_matrix_mean=((0.2,) * 8,) * 8, delay_matrix_mean=((1.0,) * 8,) * 8)
    replaced = {"g", "PSP_factor_L4E_to_L23E", "delay_exc_mean", "delay_inh_mean"}
    assert {p.name for p in with_matrices.parameters} == fields - replaced
    fields -= matrices
    assert set(parameters) == fields
    for p in parameters.values():
        assert p.meaning
        assert p.source
        if not isinstance(p.value, bool | str):
            assert p.unit
            assert p.symbol
    assert parameters["g"].value == -4.5
    assert parameters["g"].source == "chosen by the user"
    assert parameters["C_m"].value == 240.0
    assert parameters["C_m"].unit == "pF"
    assert parameters["n_scale"].value == parameters["k_scale"].value == 0.1
    assert parameters["full_mean_rates"].value[0] == 0.903
    assert parameters["conn_probs"].value[7][6] == 0.0658
    properties = PD14Arguments.model_json_schema()["properties"]
    assert all(properties[name].get("source") for name in fields)
    assert all(properties[name].get("description") for name in fields)


def test_documented_tables_are_the_defaults():
    rows = {}
    for line in (Path(__file__).parents[2] / "docs" / "pd14.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) >= 9:
            rows[cells[0].split("`")[1] if "`" in cells[0] else cells[0]] = cells[1:9]
    defaults = PD14Arguments()
    for name in ("full_num_neurons", "K_ext", "full_mean_rates", "V0_mean_optimized", "V0_std_optimized"):
        assert tuple(map(float, rows[name])) == getattr(defaults, name)
    assert tuple(tuple(map(float, rows[name])) for name in POPULATIONS) == defaults.conn_probs


def test_finer_resolution_moves_the_truncation():
    network = build("pd14", scale=0.02, dt=0.025, thalamus=True)
    assert {p.delay.min for p in network.projections} == {0.0125}
    assert network.simulation.dt == 0.025


def test_no_spread_and_no_background():
    network = build("pd14", scale=0.1, weight_rel_std=0.0, delay_rel_std=0.0, bg_rate=0.0, V0_std_original=0.0)
    assert not network.inputs
    assert isinstance(network.projections[0].weight, Constant)
    edges = next(iter(realize(network).projections.values()))
    block = next(iter(edges.blocks()))
    assert set(block.delay.tolist()) == {15}
    assert len(set(block.weight.tolist())) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, "scale"),
        ({"n_scale": -1.0}, "n_scale: must be greater than 0, got -1"),
        ({"k_scale": float("nan")}, "k_scale"),
        ({"k_scale": True}, "k_scale"),
        ({"scale": 0.1, "k_scale": 0.2}, "either scale, or n_scale and k_scale"),
        ({"n_scale": 0.0002}, "n_scale: 0.0002 leaves L5I without neurons"),
        ({"background": "none"}, "background: must be 'poisson' or 'dc', got 'none'"),
        ({"initial_V": "random"}, "initial_V"),
        ({"thalamus": "yes"}, "thalamus"),
        ({"full_mean_rates": [1.0]}, "^pd14: full_mean_rates: must have 8 values, got 1$"),
        ({"full_mean_rates": np.ones(9)}, "^pd14: full_mean_rates: must have 8 values, got 9$"),
        ({"scale": float("nan")}, "^pd14: scale: must be a finite number, got nan"),
        ({"full_mean_rates": (-1.0,) * 8}, "full_mean_rates"),
        ({"conn_probs": ((0.1,) * 8,) * 7}, "^pd14: conn_probs: must have 8 values, got 7$"),
        ({"conn_probs": ((0.1,) * 7,) * 8}, r"^pd14: conn_probs\[0\]: must have 8 values, got 7"),
        ({"conn_probs": ((1.0,) * 8,) * 8}, r"conn_probs\[0\]\[0\]: must be less than 1"),
        ({"C_m": "250 nF"}, r"C_m: .*pF.*nF"),
        ({"V_reset": -40.0}, r"^pd14: parameters\.V_reset: must be below V_th"),
        ({"G": -4.0}, "G: unknown key"),
        ({"PSP_matrix_mean": ((0.1,) * 8,) * 7}, "^pd14: PSP_matrix_mean: must have 8 values, got 7$"),
        ({"delay_matrix_mean": ((0.0,) * 8,) * 8}, r"delay_matrix_mean\[0\]\[0\]: must be greater than 0"),
        ({"PSP_matrix_mean": ((0.1,) * 8,) * 8, "g": -4.0}, "^pd14: PSP_matrix_mean: give either .*, got also g$"),
        ({"duration": 400.0}, "discard"),
        ({"seed": 0}, "seed"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ModelError, match=message) as raised:
        build("pd14", **arguments)
    assert "\n" not in str(raised.value)


def test_smallest_scale_in_the_message_is_enough():
    with pytest.raises(ModelError, match=r"give at least 0\.00048$"):
        build("pd14", n_scale=0.0001)
    assert min(p.size for p in build("pd14", n_scale=0.00048, k_scale=0.1).populations) == 1


HOSTILE = "<script>alert(1)</script> & a|b \\evil{x} $x$ `c` *d* _e_ [f](g) 100% #h ~i^j\n\x1b[2Jk"


def hostile_network():
    neuron = Neuron(
        model="iaf_psc_exp",
        parameters={
            "C_m": 250.0,
            "tau_m": 10.0,
            "tau_syn_ex": 0.5,
            "tau_syn_in": 0.5,
            "t_ref": 2.0,
            "E_L": -65.0,
            "V_th": -50.0,
            "V_reset": -65.0,
            "I_e": 0.1 + 0.2,
        },
    )
    return Network(
        name="n",
        description=HOSTILE,
        references=(HOSTILE,),
        parameters=(ModelParameter(name=HOSTILE, value=HOSTILE, unit="", symbol=HOSTILE, meaning=HOSTILE, source="s"),),
        populations=(
            Population(
                name="a", size=3, neuron=neuron, initial_V_m=Uniform(low=-70.0, high=-60.0), meaning=HOSTILE, source="s"
            ),
        ),
        projections=(
            Projection(source="a", target="a", rule=FixedTotalNumber(number=5), weight=1 / 3, delay=1.5),  # type: ignore[arg-type, call-arg]
        ),
        simulation=Simulation(record_V_m=(VoltageRecording(population="a", neurons=(0, 2), interval=0.5),)),
    )


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_tables_hold_every_number(format):
    network = build("pd14", scale=0.1, thalamus=True, dc_transient=True)
    text = describe(network, format)
    text = text.replace("$-$", "-").replace("\\_", "_")
    for p in network.populations:
        assert f"{p.size}" in text
    for p in network.projections:
        assert p.name in text
        assert f"number {p.rule.number}" in text
        assert isinstance(p.weight, TruncatedNormal)
        assert repr(p.weight.mean).removesuffix(".0") in text
    for p in network.neuron_populations:
        assert repr(p.neuron.parameters["I_e"]) in text
    for title in ("A Model summary", "B Populations", "C Connectivity", "D Neuron models", "E Input", "F Measurements"):
        assert title in text
    for expected in (
        "0.903; 2.965",
        "0.0658 0.1443",
        "870 pA",
        "120 spikes/s",
        "1280 spikes/s",
        "10.1093/cercor/bhs358",
    ):
        assert expected in text


def test_tables_of_a_small_network():
    content = {t.title: t for t in tables(hostile_network())}
    assert "E Input" in content
    neurons = {row[1]: row[3:5] for row in content["D Neuron models"].rows}
    assert neurons["I_e"] == (repr(0.1 + 0.2), "pA")
    assert neurons["C_m"] == ("250", "pF")
    (projection,) = content["C Connectivity"].rows
    assert projection[3:6] == ("fixed total number, number 5, with multapses, with autapses", repr(1 / 3), "1.5")
    assert content["B Populations"].rows[0][3] == "uniform, from -70 to below -60"
    assert ("V_m", "a, neurons 0, 2, every 0.5 ms") in content["F Measurements"].rows


OUR_TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "ul", "li", "a"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)

    def handle_data(self, data):
        self.text += data


def test_hostile_text_is_escaped():
    network = hostile_network()
    made = {name: describe(network, name) for name in FORMATS}
    for text in made.values():
        assert "\x1b" not in text
    page = Tags()
    page.feed(made["html"])
    assert page.seen == OUR_TAGS
    assert "<script>alert(1)</script> & a|b" in page.text
    assert r"\textbackslash{}evil\{x\} \$x\$" in made["latex"]
    assert r"100\% \#h \textasciitilde{}i\textasciicircum{}j" in made["latex"]
    for raw in ("\\evil", "$x$", "100%", " #h", " & a|b"):
        assert raw not in made["latex"].replace(r"\%", "")
    assert r"a\|b \\evil{x} \$x\$ \`c\` \*d\* \_e\_ \[f\](g)" in made["markdown"]
    lines = [line for line in made["markdown"].splitlines() if line.startswith("|")]
    assert all(line.count(" | ") >= 1 and line.endswith(" |") for line in lines)
    assert "<script" not in made["markdown"].replace("\\<", "")
    assert "<script>alert(1)</script> & a|b" in made["text"]


def test_rows_of_latex_have_as_many_cells_as_the_head():
    for part in describe(build("pd14", scale=0.1), "latex").split(r"\begin{longtable}")[1:]:
        table = part.split(r"\end{longtable}")[0]
        cells = {line.replace(r"\&", "").count("&") for line in table.splitlines() if line.endswith(r"\\")}
        assert len(cells) == 1


def test_unknown_format():
    with pytest.raises(UsageError, match="unknown format 'pdf'; known: text, markdown, latex, html"):
        describe(hostile_network(), "pdf")
    assert issubclass(UsageError, InterchangeError)
