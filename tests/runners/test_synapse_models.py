"""Each synapse model in NEST, one synapse at a time, against the recursion that was published.

The target is a neuron whose potential jumps by the weight, so that every spike shows the weight it was sent with. The
source is a neuron that repeats given spikes, since NEST's generators take static synapses only.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mc_interchange import export, open_model, realize
from mc_interchange.describe import describe
from mc_interchange.errors import ModelError, NotRepresentableError, SimulationError
from mc_interchange.importers.nest import capture
from mc_interchange.network import SYNAPSE_CATALOGUE, Network, parse_network, serialize_network
from mc_interchange.runs import Run

nest = pytest.importorskip("nest")

from mc_interchange.runners.nest import NestRunner  # noqa: E402

DT, DELAY = 0.1, 1.5
PRE = (10.0, 13.1, 22.3, 31.0, 47.7, 60.2, 63.3, 66.4, 75.5, 90.1, 101.0, 130.0)
POST = (15.1, 25.8, 29.3, 45.2, 50.6, 70.4, 78.9, 99.3, 104.4)
MODEL = """
name: one_synapse
populations:
- {{kind: virtual, name: S, size: 2, activity: {{kind: spike_trains, times: [{pre}, {post}]}}}}
- {{name: P, size: 1, neuron: &relay {{model: iaf_psc_delta, parameters: {{C_m: 250, tau_m: 10, t_ref: 1, E_L: 0,
   V_th: 20, V_reset: 0}}}}}}
- {{name: N, size: 1, neuron: *relay}}
projections:
- {{source: S, target: P, rule: {{rule: explicit, sources: [0], targets: [0]}}, weight: 1000 mV, delay: 0.1}}
- {{source: S, target: N, rule: {{rule: explicit, sources: [1], targets: [0]}}, weight: 1000 mV, delay: 0.1}}
- {{source: P, target: N, rule: {{rule: {rule}}}, weight: {weight}, delay: 1.5, synapse: {synapse}}}
simulation: {{dt: 0.1, duration: 150, record_V_m: [{{population: N, neurons: [0], interval: 0.1}}]}}
"""
SYNAPSES = {
    "static_synapse": "static_synapse",
    "tsodyks_synapse": "{model: tsodyks_synapse, parameters: {U: 0.4, tau_rec: 80 ms, tau_fac: 30 ms, tau_psc: 3 ms}}",
    "tsodyks2_synapse": "{model: tsodyks2_synapse, parameters: {U: 0.4, tau_rec: 80, tau_fac: 30, u: 0.4}}",
    "stdp_synapse": "{model: stdp_synapse, parameters: {tau_plus: 15, lambda: 0.1, alpha: 1.1, mu_plus: 0.6, "
    "mu_minus: 0.4, Wmax: 5 mV}}",
}
FURTHER = {
    "depression alone": "{model: tsodyks_synapse, parameters: {U: 0.5, tau_rec: 200, tau_fac: 0, tau_psc: 2}}",
    "depression alone, 2": "{model: tsodyks2_synapse, parameters: {U: 0.5, tau_rec: 200, tau_fac: 0}}",
    "started": "{model: tsodyks_synapse, parameters: {U: 0.3, tau_rec: 90, tau_fac: 50, tau_psc: 3, x: 0.5, y: 0.2, "
    "u: 0.1}}",
    "additive": "{model: stdp_synapse, parameters: {tau_plus: 15, lambda: 0.2, alpha: 0.9, mu_plus: 0, mu_minus: 0, "
    "Wmax: 2.5}}",
    "multiplicative": "{model: stdp_synapse, parameters: {tau_plus: 25, lambda: 0.1, alpha: 1, mu_plus: 1, mu_minus: 1,"
    " Wmax: 6, Kplus: 0.5}}",
}


def network(synapse: str, weight: float = 2.0, rule: str = "all_to_all", post: tuple[float, ...] = ()) -> Network:
    text = MODEL.format(synapse=synapse, weight=f"{weight} mV", rule=rule, pre=list(PRE), post=list(post))
    return parse_network(text)


def model(name: str) -> Network:
    """Return the network of a synapse; only plasticity by timing needs a target that fires."""
    text = {**SYNAPSES, **FURTHER}[name]
    return network(text, post=POST if "stdp" in text else ())


def sent(run: Run) -> NDArray[np.float64]:
    """Return the weight with which each spike of P arrived, from the jumps of the potential of N, mV."""
    report = run.voltages["N"]
    V = np.concatenate([[0.0], report.values[:, 0]])
    jumps = V[1:] - V[:-1] * math.exp(-DT / 10.0)
    arrivals = run.spikes["P"].steps + round(DELAY / DT)
    first = round(float(report.times[0]) / DT)
    fired = run.spikes["N"].steps
    # a spike that arrives while the target is refractory would not show
    assert not np.isin(arrivals, fired + np.arange(round(1.0 / DT) + 1)[:, np.newaxis]).any()
    return jumps[arrivals - first]


def expected(run: Run, synapse: str, parameters: dict[str, float], weight: float = 2.0) -> NDArray[np.float64]:
    pre = run.spikes["P"].steps * DT
    if synapse == "static_synapse":
        return np.full(len(pre), weight)
    if synapse == "stdp_synapse":
        return by_pairs(pre, run.spikes["N"].steps * DT, parameters, weight)
    rule = by_resources if synapse == "tsodyks_synapse" else by_recovery
    return weight * rule(pre, parameters)


def by_recovery(spikes: NDArray[np.float64], p: dict[str, float]) -> NDArray[np.float64]:
    """Maass & Markram 2002: the use u and the resources R of each spike from those of the one before."""
    u, R, found = p["u"], p["x"], []
    for k, time in enumerate(spikes):
        if k:
            wait = time - spikes[k - 1]
            R = 1 + (R - R * u - 1) * math.exp(-wait / p["tau_rec"])
            u = p["U"] + u * (1 - p["U"]) * (math.exp(-wait / p["tau_fac"]) if p["tau_fac"] else 0.0)
        found.append(u * R)
    return np.array(found)


def by_resources(spikes: NDArray[np.float64], p: dict[str, float]) -> NDArray[np.float64]:
    """Tsodyks et al. 2000, equations 3 and 4: the linear system of resources between spikes, by its exponential."""
    from scipy.linalg import expm

    recovery, inactivation = 1 / p["tau_rec"], 1 / p["tau_psc"]
    # recovered, active, inactive
    flow = np.array([[0, 0, recovery], [0, -inactivation, 0], [0, inactivation, -recovery]])
    state = np.array([p["x"], p["y"], 1 - p["x"] - p["y"]])
    u, last, found = p["u"], 0.0, []
    for time in spikes:
        state = expm(flow * (time - last)) @ state
        u *= math.exp(-(time - last) / p["tau_fac"]) if p["tau_fac"] else 0.0
        u += p["U"] * (1 - u)
        used = u * state[0]
        state += [-used, used, 0.0]
        found.append(used)
        last = time
    return np.array(found)


def by_pairs(
    pre: NDArray[np.float64], post: NDArray[np.float64], p: dict[str, float], weight: float
) -> NDArray[np.float64]:
    """Guetig et al. 2003: every pair of spikes, with the delay on the side of the target; no traces.

    A spike of the target is felt at the synapse after the delay, and then strengthens it by all earlier spikes of the
    source; a spike of the source weakens it by all that were felt before, and is sent with the weight it leaves.
    """
    tau_minus = 20.0
    felt = post + DELAY
    events = sorted([(t, "post") for t in felt] + [(t, "pre") for t in pre])
    w, found = weight / p["Wmax"], []
    for time, kind in events:
        if kind == "post":
            traces = np.exp(-(time - pre[pre < time]) / p["tau_plus"]).sum()
            traces += p["Kplus"] * math.exp(-time / p["tau_plus"])
            w = min(w + p["lambda"] * (1 - w) ** p["mu_plus"] * traces, 1.0)
        else:
            traces = np.exp(-(time - felt[felt < time]) / tau_minus).sum()
            w = max(w - p["alpha"] * p["lambda"] * w ** p["mu_minus"] * traces, 0.0)
            found.append(w * p["Wmax"])
    return np.array(found)


def test_every_entry_is_tested() -> None:
    assert set(SYNAPSES) == set(SYNAPSE_CATALOGUE)


@pytest.mark.parametrize("name", [*SYNAPSES, *FURTHER])
def test_weights_follow_the_published_recursion(name: str) -> None:
    described = model(name)
    synapse = described.projections[-1].synapse
    run = NestRunner().run(realize(described))
    wanted = expected(run, synapse.model, synapse.parameters)
    assert len(wanted) == len(PRE)
    np.testing.assert_allclose(sent(run), wanted, rtol=1e-9, atol=1e-12)
    if synapse.model != "static_synapse":
        assert np.ptp(wanted) > 0.1  # they do change
        other = {**synapse.parameters, **({"lambda": 0.11} if "lambda" in synapse.parameters else {"U": 0.41})}
        assert not np.allclose(sent(run), expected(run, synapse.model, other), rtol=1e-3)


@pytest.mark.parametrize("name", SYNAPSES)
def test_one_synapse_by_every_way(name: str, tmp_path: Path) -> None:
    described = model(name)
    assert parse_network(serialize_network(described)) == described
    instance = realize(described)
    reference = NestRunner().run(instance)
    sonata = open_model(export(instance, "sonata", tmp_path / "sonata").path)
    assert sonata.digest() == instance.digest()
    runs = {"native": NestRunner().run(instance, native=True), "sonata": NestRunner().run(sonata)}
    runs["captured"] = NestRunner().run(capture_of(described))
    for way, run in runs.items():
        theirs, ours = (next(iter(r.voltages.values())).values for r in (run, reference))
        np.testing.assert_array_equal(theirs, ours, err_msg=way)


def capture_of(described: Network):
    """Build the network in NEST by its own rules, and take it out again."""
    from mc_interchange.progress import Silent
    from mc_interchange.runners.nest.kernel import reset
    from mc_interchange.runners.nest.native import connect_natively, create_natively

    kernel = reset(described.simulation, 1)
    populations = create_natively(kernel, described)
    connect_natively(kernel, described, populations, Silent())
    meter = kernel.Create("voltmeter", params={"interval": DT})
    kernel.Connect(meter, populations["N"])
    captured = capture(populations, duration=described.simulation.duration)
    (taken,) = (e for e in captured.projections.values() if (e.source, e.target) == ("P", "N"))
    assert taken.synapse == realize(described).projections["P_to_N"].synapse
    return captured


def test_listed_synapses_natively() -> None:
    described = network(SYNAPSES["tsodyks2_synapse"], rule="explicit, sources: [0, 0], targets: [0, 0]")
    explicit, native = (NestRunner().run(realize(described), native=native) for native in (False, True))
    np.testing.assert_array_equal(explicit.voltages["N"].values, native.voltages["N"].values)


@pytest.mark.parametrize("native", [False, True])
def test_spike_generators_take_static_synapses_only(native: bool) -> None:
    text = serialize_network(network(SYNAPSES["tsodyks2_synapse"]))
    text = text.replace("name: P_to_N, source: P", "name: P_to_N, source: S").replace("source: P\n", "source: S\n")
    described = parse_network(text)
    assert described.projections[-1].source == "S"
    says = r"projection P_to_N: NEST refused tsodyks2_synapse from spike generators, which take static synapses; put"
    with pytest.raises(SimulationError, match=says):
        NestRunner().run(realize(described), native=native)


def test_neuroml_refuses_by_name(tmp_path: Path) -> None:
    text = serialize_network(network(SYNAPSES["tsodyks2_synapse"]))
    text = text.replace("iaf_psc_delta", "iaf_psc_exp").replace("C_m:", "tau_syn_ex: 2, tau_syn_in: 2, C_m:")
    text = re.sub(r"refractory_input: false,? ?", "", text)
    with pytest.raises(NotRepresentableError, match=r"projection P_to_N: NeuroML.* synapse model tsodyks2_synapse"):
        export(realize(parse_network(text)), "neuroml", tmp_path / "out")


def test_tables_name_the_synapse() -> None:
    text = " ".join(describe(model("tsodyks_synapse"), "text").split())
    assert "tsodyks synapse: short-term depression and facilitation" in text
    assert "U 0.4, tau_rec 80 ms, tau_fac 30 ms, tau_psc 3 ms, x 1, y 0, u 0" in text


@pytest.mark.parametrize(
    ("synapse", "line"),
    [
        ("stdp", "synapse.model: must be one of static_synapse, tsodyks_synapse, tsodyks2_synapse, stdp_synapse, got"),
        ("tsodyks2_synapse", "synapse.parameters.U: part of the resources that a spike uses in 1: this key is missing"),
        ("{model: static_synapse, parameters: {U: 1}}", "synapse.parameters.U: not a parameter of static_synapse; it"),
        (
            "{model: tsodyks2_synapse, parameters: {U: 1.5, tau_rec: 1, tau_fac: 1}}",
            "synapse.parameters.U: must be at most 1, got 1.5",
        ),
        (
            "{model: tsodyks2_synapse, parameters: {U: 0.5, tau_rec: 1 s, tau_fac: 1}}",
            "synapse.parameters.tau_rec: must be in ms, got '1 s'",
        ),
        (FURTHER["started"].replace("x: 0.5", "x: 0.9"), "synapse.parameters.x: x and y together must be at most 1"),
        (SYNAPSES["stdp_synapse"].replace("5 mV", "5 pA"), "synapse.parameters.Wmax: must be in mV, got '5 pA'"),
        (
            SYNAPSES["stdp_synapse"].replace("5 mV", "-5 mV"),
            "synapse.parameters.Wmax: must have the sign of the weight",
        ),
        ("{model: stdp_synapse, parameters: 3}", "synapse.parameters: must be a mapping"),
    ],
)
def test_refused(synapse: str, line: str) -> None:
    with pytest.raises(ModelError) as refusal:
        network(synapse)
    assert str(refusal.value).startswith(f"model: projections[2].{line}")
