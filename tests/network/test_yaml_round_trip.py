"""Out and in again: every network comes back equal, and its text is stable."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mc_interchange.network import (
    AllToAll,
    Constant,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    ModelParameter,
    Network,
    Neuron,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    PoissonActivity,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Slab,
    SpikeTrains,
    StepCurrent,
    TruncatedNormal,
    Uniform,
    Values,
    VirtualPopulation,
    VoltageRecording,
    parse_network,
    read_network,
    serialize_network,
    write_network,
)

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))

number = st.floats(-1e6, 1e6, allow_subnormal=False)
positive = st.floats(1e-3, 1e6)
text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=20)
# the words that YAML knows must stay texts
words = text | st.sampled_from(
    ["yes", "null", "~", "1e3", "0x10", "- a", "a: b", "#c", "'", "2020-01-01", "[", "&x", "*x"]
)


def neurons():
    return st.builds(
        lambda c, t, v: Neuron(
            model="iaf_psc_exp",
            parameters={
                "C_m": c,
                "tau_m": t,
                "tau_syn_ex": 0.5,
                "tau_syn_in": 0.5,
                "t_ref": 2.0,
                "E_L": v,
                "V_th": v + 10.0,
                "V_reset": v,
            },
        ),
        positive,
        positive,
        st.floats(-100, 100),
    )


normal = st.builds(Normal, mean=number, sd=st.floats(0, 1e3))
uniform = st.builds(lambda low, width: Uniform(low=low, high=low + width), st.floats(-1e3, 1e3), st.floats(0.1, 1e3))
truncated = st.builds(
    lambda mean, sd, below, above: TruncatedNormal(
        mean=mean, sd=sd, min=None if below is None else mean - below, max=None if above is None else mean + above
    ),
    st.floats(-1e3, 1e3),
    st.floats(0.1, 1e2),
    st.none() | st.floats(1e1, 1e3),
    st.none() | st.floats(1e1, 1e3),
)
drawn = st.builds(Constant, value=number) | normal | uniform | truncated
delays = st.builds(lambda n: Constant(value=n / 10), st.integers(1, 1000)) | st.builds(
    TruncatedNormal, mean=st.floats(0.5, 3.0), sd=st.floats(0.0, 1.0), min=st.just(0.05)
)


@st.composite
def rules(draw, n_sources, n_targets):
    flags = {"allow_autapses": draw(st.booleans())}
    choices = [
        FixedTotalNumber(number=draw(st.integers(0, 1000)), **flags),
        PairwiseBernoulli(probability=draw(st.floats(0, 1)), **flags),
        FixedIndegree(indegree=draw(st.integers(0, n_sources - 1)), allow_multapses=draw(st.booleans()), **flags),
        FixedOutdegree(outdegree=draw(st.integers(0, n_targets - 1)), allow_multapses=draw(st.booleans()), **flags),
        AllToAll(**flags),
    ]
    if n_sources == n_targets:
        choices.append(OneToOne())
    return draw(st.sampled_from(choices))


@st.composite
def networks(draw):
    populations = []
    for index in range(draw(st.integers(1, 3))):
        size = draw(st.integers(2, 5))
        initial = draw(drawn | st.just(Values(values=tuple(float(i) for i in range(size)))))
        populations.append(
            Population(
                name=f"P{index}",
                size=size,
                neuron=draw(neurons()),
                initial_V_m=initial,
                geometry=draw(st.none() | st.just(Slab(width=1000.0, depth_top=-5.0, depth_bottom=300.0))),
                color=draw(st.none() | st.just("#00ff7F")),
                meaning=draw(words),
            )
        )
    trains = SpikeTrains(times=((1.0, 2.5), (), (0.1, 0.1)))
    activity = draw(
        st.sampled_from([PoissonActivity(rate=8.0, start=1.0, stop=2.0), PoissonActivity(rate=0.0), trains])
    )
    virtual = VirtualPopulation(name="TH", size=3, activity=activity, source=draw(words))
    projections = []
    for index in range(draw(st.integers(0, 3))):
        source, target = draw(st.sampled_from([*populations, virtual])), draw(st.sampled_from(populations))
        listed = draw(st.booleans())
        rule = Explicit(sources=(0, 1, 1), targets=(1, 0, 0)) if listed else draw(rules(source.size, target.size))
        projections.append(
            Projection(
                name=f"p{index}",
                source=source.name,
                target=target.name,
                rule=rule,
                weight=Values(values=(0.1, -0.0, 1e-30)) if listed else draw(drawn),
                delay=Values(values=(0.1, 0.15, 3.0)) if listed else draw(delays),
                meaning=draw(words),
            )
        )
    inputs = (
        PoissonInput(name="bg", target="P0", rate=draw(positive), weight=draw(number), delay=0.1, stop=50.0),
        StepCurrent(name="step", target="P0", amplitude=draw(number), start=0.0, stop=5.0, meaning=draw(words)),
    )[: draw(st.integers(0, 2))]
    simulation = Simulation(
        dt=0.1,
        duration=draw(st.integers(2, 10**6)) / 10,
        discard=draw(st.sampled_from([0.0, 0.1])),
        seed=draw(st.integers(1, 2**32 - 1)),
        threads=draw(st.none() | st.integers(1, 8)),
        record_spikes=draw(st.sampled_from([None, (), ("P0",), ("TH", "P0")])),
        record_V_m=(VoltageRecording(population="P0", neurons=(0, 1), interval=0.2),)[: draw(st.integers(0, 1))],
    )
    value = st.booleans() | st.integers(-(2**60), 2**60) | number | words | st.sampled_from([(1.0, 2.0), ((0.1,), ())])
    parameter = ModelParameter(
        name="x", value=draw(value), unit=draw(st.sampled_from(["", "1", "ms"])), symbol="x", meaning="", source=""
    )
    return Network(
        name="n",
        description=draw(words),
        references=tuple(draw(st.lists(words, max_size=2))),
        parameters=(parameter,),
        populations=(*populations, virtual),
        projections=tuple(projections),
        inputs=inputs,
        simulation=simulation,
    )


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(networks())
def test_out_and_in_again(network):
    written = serialize_network(network)
    again = parse_network(written)
    assert again == network
    assert [type(p.value) for p in again.parameters] == [type(p.value) for p in network.parameters]
    assert serialize_network(again) == written


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples(path, tmp_path):
    network = read_network(path)
    write_network(network, tmp_path / "again.yaml")
    assert read_network(tmp_path / "again.yaml") == network


def test_there_are_examples():
    assert {"balanced", "listed"} <= {path.stem for path in EXAMPLES}


def test_units_and_bare_numbers_are_the_same(small_network):
    text = serialize_network(small_network)
    assert "C_m: 250.0" in text
    with_units = text.replace("C_m: 250.0", "C_m: 250.0 pF").replace("duration: 100.0", "duration: '1.0E2 ms'")
    with_units = with_units.replace("mean: -350.0, sd: 35.0", "mean: -350 pA, sd: 35.0pA")
    assert with_units != text
    assert parse_network(with_units) == small_network


def test_derived_defaults():
    network = parse_network(
        "name: x\npopulations: [{name: A, size: 2.0e+1, neuron: {model: iaf_psc_exp, parameters: {C_m: 1, tau_m: 1, "
        "tau_syn_ex: 1, tau_syn_in: 1, t_ref: 0, E_L: -65, V_th: -50, V_reset: -65}}}]\n"
        "projections: [{source: A, target: A, rule: {rule: all_to_all}, weight: 1, delay: 1}]"
    )
    assert network.populations[0].size == 20
    assert network.populations[0].initial_V_m == Constant(value=-65.0)
    assert network.projections[0].name == "A_to_A"
    assert network.populations[0].neuron.parameters["I_e"] == 0.0


def test_file_of_another_encoding(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(serialize_network(read_network(EXAMPLES[0])), encoding="utf-8-sig")
    assert read_network(path) == read_network(EXAMPLES[0])
