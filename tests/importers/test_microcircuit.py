"""The dictionaries of PyPI's ``microcircuit``, unchanged and changed, against what the package makes of them."""

from __future__ import annotations

import copy
import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nest
import numpy as np
import pytest
from click.testing import CliRunner
from microcircuit import helpers
from microcircuit.network import Network as Microcircuit
from microcircuit.network_params import default_net_dict, get_exc_inh_matrix
from microcircuit.sim_params import default_sim_dict
from microcircuit.stimulus_params import default_stim_dict

from mc_interchange import Network, open_model
from mc_interchange.cli.describe import command as describe
from mc_interchange.equivalence.rules import check_rules
from mc_interchange.errors import FormatError, ModelError
from mc_interchange.importers.microcircuit import MicrocircuitWarning, network_of
from mc_interchange.importers.nest import capture
from mc_interchange.network import Constant, Normal, PoissonInput, StepCurrent
from mc_interchange.reference_models.pd14 import POPULATIONS, SubthresholdWarning

Dictionaries = dict[str, dict[str, Any]]
Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object]
STIMULI = {"thalamic_input": True, "dc_transient": True}

pytestmark = pytest.mark.filterwarnings("ignore::mc_interchange.reference_models.pd14.SubthresholdWarning")


def dictionaries(change: Change | None = None) -> Dictionaries:
    """Return the three dictionaries, with all stimuli, after a user has changed them."""
    given = {
        "net_dict": copy.deepcopy(default_net_dict),
        "sim_dict": {**default_sim_dict, "local_num_threads": 1, "print_time": False, "store_metadata": False},
        "stim_dict": {**copy.deepcopy(default_stim_dict), **STIMULI},
    }
    if change is not None:
        change(*given.values())
    return given


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Callable[[Dictionaries], Microcircuit]]:
    def build(given: Dictionaries) -> Microcircuit:
        given = {**given, "sim_dict": {**given["sim_dict"], "data_path": f"{tmp_path}/"}}
        nest.verbosity = nest.VerbosityLevel.ERROR
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own, about the rheobase
            return Microcircuit(given["sim_dict"], given["net_dict"], given["stim_dict"])

    yield build
    nest.ResetKernel()


def matrices(net: dict[str, Any]) -> None:
    """Derive the matrices anew, as the package does when it is imported."""
    net["PSP_matrix_mean"] = get_exc_inh_matrix(net["PSP_exc_mean"], net["PSP_exc_mean"] * net["g"], 8)
    net["PSP_matrix_mean"][0, 2] = 2.0 * net["PSP_exc_mean"]
    net["delay_matrix_mean"] = get_exc_inh_matrix(net["delay_exc_mean"], net["delay_inh_mean"], 8)


def scales(n_scale: float, k_scale: float, background: str) -> Change:
    return lambda net, sim, stim: net.update(N_scaling=n_scale, K_scaling=k_scale, bg_input_type=background)


def synapses(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net.update(K_scaling=0.7, g=-5.5, PSP_exc_mean=0.17, weight_rel_std=0.2, delay_rel_std=0.3)
    net.update(delay_exc_mean=1.7, delay_inh_mean=0.9, delay_poisson=0.4, bg_input_type="poisson")
    matrices(net)


def neurons(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net["neuron_params"].update(tau_syn=0.8, t_ref=1.5, E_L=-66.0, V_th=-51.0, V_reset=-67.0)
    net["neuron_params"]["V0_mean"]["original"] = -59.5
    net["neuron_params"]["V0_std"]["original"] = 3.0
    net.update(V0_type="original", K_scaling=0.6)


def membrane(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net["neuron_params"].update(C_m=300.0, tau_m=12.0)
    net.update(K_scaling=0.5)


def potentials(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net["neuron_params"]["V0_mean"]["optimized"] = [-60.0 - i for i in range(8)]
    net["neuron_params"]["V0_std"]["optimized"] = np.arange(8) / 2


def connectivity(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net["conn_probs"] = net["conn_probs"][::-1] * 0.9
    net["full_num_neurons"] = net["full_num_neurons"] // 3 + np.arange(8)
    net.update(N_scaling=np.float64(0.3), K_scaling=0.2)


def background(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net["full_mean_rates"] = np.array([0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523])
    net["K_ext"] = np.arange(8) * 123 + 500
    net.update(bg_rate=11.5, bg_input_type="poisson", K_scaling=0.35)


def one_weight(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    net["PSP_matrix_mean"][3, 4] = 0.31
    net["PSP_matrix_mean"][5, 5] = 0.05  # an inhibitory population that excites
    net["delay_matrix_mean"][1, 2] = 2.4
    net.update(K_scaling=0.5)


def stimuli(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    stim.update(th_start=300.0, th_duration=25.0, th_rate=80.0, num_th_neurons=np.int64(500), PSP_th=0.2)
    stim.update(delay_th_mean=2.0, delay_th_rel_std=0.25, conn_probs_th=np.linspace(0.0, 0.2, 8))
    stim.update(dc_transient_start=100.0, dc_transient_dur=50.0, dc_transient_amp=-0.7)
    net.update(K_scaling=0.45)


def simulation(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    sim.update(t_presim=100.0, t_sim=250.0, sim_resolution=0.05, rng_seed=np.int64(4711), rec_V_int=0.5)
    sim.update(local_num_threads=3, rec_dev=["voltmeter"])
    net.update(N_scaling=0.01)


CHANGES = {
    "unchanged": None,
    "scaled, dc": scales(0.02, 0.5, "dc"),
    "scaled, poisson": scales(0.1, 0.123, "poisson"),
    "K alone": scales(1.0, 0.05, "poisson"),
    "N alone": scales(0.05, 1, "dc"),
    **{f.__name__: f for f in (synapses, neurons, potentials, connectivity, background, stimuli, simulation)},
    "membrane": membrane,
    "one weight": one_weight,
}


def matrix(network: Network, read: Callable[[Any], float]) -> np.ndarray:
    """Return an 8 x 8 matrix (target, source) of what ``read`` takes from each projection; 0 where there is none."""
    values = np.zeros((8, 8))
    for p in network.projections:
        if p.source != "TH":
            values[POPULATIONS.index(p.target), POPULATIONS.index(p.source)] = read(p)
    return values


def assert_close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=0)


@pytest.mark.filterwarnings("ignore::mc_interchange.importers.microcircuit.MicrocircuitWarning")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_derived_quantities_are_those_of_the_package(built: Callable[..., Microcircuit], change: Change | None) -> None:
    given = dictionaries(change)
    net, sim, _ = given.values()
    made, network = built(given), network_of(**given)
    there = made.num_synapses > 0
    assert [p.size for p in network.neuron_populations] == made.num_neurons.tolist()
    assert np.array_equal(matrix(network, lambda p: p.rule.number), made.num_synapses)
    weights = np.where(there, made.weight_matrix_mean, 0)
    assert_close(matrix(network, lambda p: p.weight.mean), weights)
    assert_close(matrix(network, lambda p: p.weight.sd), abs(weights) * net["weight_rel_std"])
    delays = np.where(there, net["delay_matrix_mean"], 0)
    assert_close(matrix(network, lambda p: p.delay.mean), delays)
    assert_close(matrix(network, lambda p: p.delay.sd), delays * net["delay_rel_std"])
    assert_close([p.neuron["I_e"] for p in network.neuron_populations], made.DC_amp)
    assert_thalamus(network, made, given)
    assert_inputs(network, made, given)
    for index, p in enumerate(network.neuron_populations):
        theirs = net["neuron_params"]
        assert p.neuron["tau_syn_ex"] == p.neuron["tau_syn_in"] == theirs["tau_syn"]
        assert all(p.neuron[name] == theirs[name] for name in ("C_m", "tau_m", "t_ref", "E_L", "V_th", "V_reset"))
        kind = net["V0_type"]
        mean, sd = (np.broadcast_to(theirs[name][kind], 8)[index] for name in ("V0_mean", "V0_std"))
        assert p.initial_V_m == (Normal(mean=float(mean), sd=float(sd)) if sd > 0 else Constant(value=float(mean)))
    ours = network.simulation
    assert (ours.dt, ours.discard, ours.duration) == (
        *(sim["sim_resolution"], sim["t_presim"]),
        sim["t_presim"] + sim["t_sim"],
    )
    assert (ours.seed, ours.threads) == (sim["rng_seed"], sim["local_num_threads"])
    assert ours.record_spikes == (POPULATIONS if "spike_recorder" in sim["rec_dev"] else ())
    recorded = {r.population: (len(r.neurons), r.interval) for r in ours.record_V_m}
    expected = dict(zip(POPULATIONS, made.num_neurons, strict=True)) if "voltmeter" in sim["rec_dev"] else {}
    assert recorded == {name: (size, sim["rec_V_int"]) for name, size in expected.items()}


def assert_thalamus(network: Network, made: Microcircuit, given: Dictionaries) -> None:
    stim = given["stim_dict"]
    (thalamus,) = network.virtual_populations
    start = stim["th_start"] + 1.0  # over the relays
    activity = thalamus.activity
    assert (thalamus.size, activity.rate) == (stim["num_th_neurons"], stim["th_rate"])
    assert (activity.start, activity.stop) == (start, start + stim["th_duration"])
    thalamic = {p.target: p for p in network.projections if p.source == "TH"}
    numbers = [thalamic[name].rule.number if name in thalamic else 0 for name in POPULATIONS]
    assert numbers == made.num_th_synapses.tolist()
    for p in thalamic.values():
        assert_close(p.weight.mean, made.weight_th)
        assert_close(p.weight.sd, made.weight_th * given["net_dict"]["weight_rel_std"])
        assert_close(p.delay.mean, stim["delay_th_mean"])
        assert_close(p.delay.sd, stim["delay_th_mean"] * stim["delay_th_rel_std"])


def assert_inputs(network: Network, made: Microcircuit, given: Dictionaries) -> None:
    net, stim = given["net_dict"], given["stim_dict"]
    poisson = [i for i in network.inputs if isinstance(i, PoissonInput)]
    assert len(poisson) == (8 if net["bg_input_type"] == "poisson" else 0)
    for i, rate in zip(poisson, net["bg_rate"] * made.ext_indegrees, strict=False):
        assert (i.rate, i.delay) == (rate, net["delay_poisson"])
        assert_close(i.weight, made.weight_ext)
    steps = [i for i in network.inputs if isinstance(i, StepCurrent)]
    assert_close([i.amplitude for i in steps], stim["dc_transient_amp"] * net["K_ext"])
    start = stim["dc_transient_start"]
    assert {(i.start, i.stop, i.delay) for i in steps} == {(start, start + stim["dc_transient_dur"], 1.0)}


def everything(net: dict[str, Any], sim: dict[str, Any], stim: dict[str, Any]) -> None:
    """Change a bit of each, for a network that is built."""
    stim.update(default_stim_dict)
    synapses(net, sim, stim)
    neurons(net, sim, stim)
    net["conn_probs"] = net["conn_probs"] * 0.8
    net["PSP_matrix_mean"][2, 0] = 0.4
    net["delay_matrix_mean"][0, 1] = 1.2
    net.update(N_scaling=0.01, K_scaling=0.4, bg_input_type="dc")
    sim.update(rec_dev=["spike_recorder"])


def test_a_network_that_the_package_built_follows_the_rules(built: Callable[..., Microcircuit]) -> None:
    given = dictionaries(everything)
    circuit = built(given)
    circuit.create()
    circuit.connect()
    instance = capture(dict(zip(POPULATIONS, circuit.pops, strict=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MicrocircuitWarning)
        network = network_of(**given)
    figures = check_rules(instance, network)
    assert [f for f in figures if not f.passed] == []
    assert len(figures) > 300
    for rules in network.neuron_populations:
        captured = instance.populations[rules.name]
        for name, value in rules.neuron.parameters.items():
            assert captured.neuron.parameters[name] == pytest.approx(value, rel=1e-12, abs=0)
    # and the dictionaries as they were before are told from it
    default = dictionaries(scales(0.01, 0.4, "dc"))
    failed = [f.name for f in check_rules(instance, network_of(**{**default, "stim_dict": None})) if not f.passed]
    assert len(failed) > 100


def test_without_a_third_dictionary_there_are_no_stimuli() -> None:
    given = dictionaries()
    network = network_of(given["net_dict"], given["sim_dict"])
    assert not network.virtual_populations
    assert not network.inputs


def warned(change: Change) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", SubthresholdWarning)
        network_of(**dictionaries(change))
    return [str(w.message) for w in caught]


def test_what_the_package_does_not_use_is_told() -> None:
    assert warned(synapses) == []  # the matrices were made anew
    (text,) = warned(lambda net, sim, stim: net.update(g=-5.0))
    assert text.startswith("net_dict['g']: no effect beside a PSP_matrix_mean that was not made of it")
    (text,) = warned(lambda net, sim, stim: net["delay_matrix_mean"].fill(1.0))
    assert text.startswith("net_dict['delay_exc_mean'] and net_dict['delay_inh_mean']: no effect beside a delay_matrix")
    first, second = warned(membrane)
    assert "net_dict['neuron_params']['C_m'] is 300.0 here" in first
    assert "leaves its neurons with NEST's 10.0" in second


def pop(dictionary: int, key: str) -> Change:
    return lambda *given: given[dictionary].pop(key)


REFUSED = [
    (lambda net, sim, stim: net.update(G=1), r"^net_dict\['G'\]: unknown key.*microcircuit 1\.0 has N_scaling"),
    (lambda net, sim, stim: sim.update(t_sims=1), r"^sim_dict\['t_sims'\]: unknown key \(did you mean 't_sim'\?\)"),
    (lambda net, sim, stim: stim.update(a=1, b=2), r"^stim_dict\['a'\]: unknown key.* \(and 1 more\)"),
    (lambda net, sim, stim: net["neuron_params"].update(tau=1), r"^net_dict\['neuron_params'\]\['tau'\]: unknown key"),
    (
        lambda net, sim, stim: net["neuron_params"]["V0_mean"].update(mine=1),
        r"^net_dict\['neuron_params'\]\['V0_mean'\]\['mine'\]: unknown key",
    ),
    (pop(0, "K_ext"), r"^net_dict\['K_ext'\]: this key is missing$"),
    (pop(1, "t_sim"), r"^sim_dict\['t_sim'\]: this key is missing$"),
    (pop(2, "th_rate"), r"^stim_dict\['th_rate'\]: this key is missing$"),
    (lambda net, sim, stim: net.update(N_scaling=-1.0), r"^net_dict\['N_scaling'\]: must be greater than 0, got -1"),
    (lambda net, sim, stim: net.update(V0_type="mine"), r"^net_dict\['V0_type'\]: must be 'optimized' or 'original'"),
    (lambda net, sim, stim: net.update(bg_input_type="none"), r"^net_dict\['bg_input_type'\]: must be 'poisson' or"),
    (lambda net, sim, stim: net.update(bg_rate=np.ones(8)), r"^net_dict\['bg_rate'\]: must be a number"),
    (lambda net, sim, stim: net.update(neuron_model="iaf_psc_alpha"), r"^net_dict\['neuron_model'\]: must be"),
    (lambda net, sim, stim: net.update(populations=["A"]), r"^net_dict\['populations'\]: must be L23E, L23I"),
    (lambda net, sim, stim: net.update(PSP_matrix_mean=np.ones((7, 8))), r"^net_dict\['PSP_matrix_mean'\]: must have"),
    (lambda net, sim, stim: net["conn_probs"].fill(1.5), r"^net_dict\['conn_probs'\]\[0\]\[0\]: must be less than 1"),
    (
        lambda net, sim, stim: net["neuron_params"].update(tau_m=0.0),
        r"^net_dict\['neuron_params'\]\['tau_m'\]: must be greater than 0",
    ),
    (lambda net, sim, stim: sim.update(rec_dev=["multimeter"]), r"^sim_dict\['rec_dev'\]: must be a list of"),
    (lambda net, sim, stim: sim.update(local_num_threads=0), r"^sim_dict\['local_num_threads'\]: must be at least 1"),
    (lambda net, sim, stim: sim.update(rng_seed=0), r"^sim_dict\['rng_seed'\]: must be at least 1, got 0"),
    (lambda net, sim, stim: sim.update(t_sim="long"), r"^sim_dict\['t_sim'\]: must be a number, got 'long'"),
    (lambda net, sim, stim: sim.update(t_presim=0.33), r"^sim_dict\['t_presim'\]: must be a multiple of dt"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
@pytest.mark.filterwarnings("ignore::mc_interchange.importers.microcircuit.MicrocircuitWarning")
def test_refused_by_name(change: Change, message: str) -> None:
    with pytest.raises(ModelError, match=message) as raised:
        network_of(**dictionaries(change))
    assert "\n" not in str(raised.value)


def test_dictionaries_in_exchanged_order_are_refused() -> None:
    given = dictionaries()
    with pytest.raises(ModelError, match=r"^net_dict\['t_presim'\]: unknown key"):
        network_of(given["sim_dict"], given["net_dict"])
    with pytest.raises(ModelError, match=r"^sim_dict: must be a dictionary, got NoneType$"):
        network_of(given["net_dict"], None)  # type: ignore[arg-type]


def written(directory: Path, given: Dictionaries) -> Path:
    """Write the files with the package's own function."""
    directory.mkdir()
    for name, dictionary in given.items():
        helpers.dict2json(dictionary, directory / f"{name}.json")
    return directory


def test_files_that_the_package_wrote(tmp_path: Path) -> None:
    given = dictionaries(scales(0.005, 0.1, "poisson"))
    path = written(tmp_path / "data", given)
    for opened in (open_model(path), open_model(path / "sim_dict.json")):
        assert opened.network == network_of(**given)
        assert opened.simulation.seed == given["sim_dict"]["rng_seed"]
    result = CliRunner().invoke(describe, [str(path)])
    assert result.exit_code == 0, result.output
    assert "8 (L23E, L23I, L4E, L4I, L5E, L5I, L6E, L6I)" in " ".join(result.output.split())
    (path / "net_dict.json").write_text("{")
    with pytest.raises(FormatError, match=r"net_dict\.json: not JSON"):
        open_model(path)
    shutil.rmtree(path)
    given["net_dict"]["extra"] = 1
    path = written(tmp_path / "data", given)
    with pytest.raises(FormatError, match=r"data: net_dict\['extra'\]: unknown key"):
        open_model(path)
    (path / "stim_dict.json").write_text(json.dumps([1]))
    (path / "net_dict.json").write_text(json.dumps({}))
    with pytest.raises(FormatError, match=r"net_dict\['N_scaling'\]: this key is missing"):
        open_model(path)
    (path / "sim_dict.json").unlink()
    with pytest.raises(FormatError, match=r"sim_dict\.json: cannot be read \(No such file or directory\)"):
        open_model(path)
