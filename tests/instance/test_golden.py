"""One fixed realisation, bit by bit: on every platform, processor and numpy.

This file runs twice in ``make test``: on the newest numpy, and on the oldest that is allowed. It needs
nothing but the package and pytest.
"""

from mc_interchange.instance import realize
from mc_interchange.network import (
    AllToAll,
    Constant,
    Explicit,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Population,
    Projection,
    Simulation,
    Slab,
    TruncatedNormal,
    Uniform,
    Values,
    VirtualPopulation,
)
from mc_interchange.network.populations import PoissonActivity

#: Never change these: an export of yesterday and one of tomorrow must be the same network.
GOLDEN_ALL = "15ab5710beda5dde"
GOLDEN_EDGES = {
    "A -> A": "312000:39a9d447f404ca3d",
    "A -> B": "29916:73ad15a6e5760a18",
    "A -> C": "9000:27b084fa30e5980a",
    "B -> A": "12000:51cd6b9d1a2c523e",
    "B -> B": "122750:9c57a5319f6d7087",
    "B -> C": "9300:84149190666af069",
    "C -> C": "95700:ab26c85d0c186bbc",
    "TH -> A": "4:dd062d519b3e5fab",
    "TH -> B": "15000:30a9b424ab7c95d7",
}

NEURON = Neuron(
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
    },
)
DELAY = TruncatedNormal(mean=1.5, sd=0.75, min=0.05)
WEIGHT = TruncatedNormal(mean=87.8, sd=8.78, min=0.0)


def diverse_network() -> Network:
    """Every rule and every distribution; one projection of several chunks."""

    def population(name: str, size: int, initial: object) -> Population:
        slab = Slab(width=1000.0, depth_top=0.0, depth_bottom=400.0)
        return Population(name=name, size=size, neuron=NEURON, initial_V_m=initial, geometry=slab)

    def project(name: str, source: str, target: str, rule: object, weight: object, delay: object) -> Projection:
        return Projection(name=name, source=source, target=target, rule=rule, weight=weight, delay=delay)

    once = {"allow_multapses": False, "allow_autapses": False}
    return Network(
        name="golden",
        populations=(
            population("A", 1000, Normal(mean=-58.0, sd=10.0)),
            population("B", 300, Uniform(low=-70.0, high=-50.0)),
            population("C", 300, TruncatedNormal(mean=-58.0, sd=10.0, max=-50.0)),
            VirtualPopulation(name="TH", size=50, activity=PoissonActivity(rate=10.0)),
        ),
        projections=(
            project("chunks", "A", "A", FixedTotalNumber(number=300_000), WEIGHT, DELAY),
            project("total_once", "B", "C", FixedTotalNumber(number=9_000, **once), WEIGHT, DELAY),
            project("total_once_full", "B", "B", FixedTotalNumber(number=60_000, **once), WEIGHT, DELAY),
            project("bernoulli", "A", "B", PairwiseBernoulli(probability=0.1), Normal(mean=-350.0, sd=35.0), DELAY),
            project("bernoulli_self", "B", "B", PairwiseBernoulli(probability=0.7, allow_autapses=False), WEIGHT, 1.5),
            project("in", "A", "C", FixedIndegree(indegree=30), Uniform(low=10.0, high=20.0), DELAY),
            project("in_once", "C", "C", FixedIndegree(indegree=20, **once), 87.8, Uniform(low=0.5, high=3.0)),
            project("out", "B", "A", FixedOutdegree(outdegree=40), -351.2, DELAY),
            project("out_once", "A", "A", FixedOutdegree(outdegree=12, **once), WEIGHT, DELAY),
            project("one", "B", "C", OneToOne(), 64.0, 0.1),
            project("all", "TH", "B", AllToAll(), WEIGHT, TruncatedNormal(mean=2.0, sd=1.0, min=0.1, max=5.0)),
            project("all_self", "C", "C", AllToAll(allow_autapses=False), Normal(mean=1.0, sd=0.5), DELAY),
            project(
                "listed",
                "TH",
                "A",
                Explicit(sources=(0, 49, 7, 7), targets=(999, 0, 3, 3)),
                Values(values=(0.1, -0.2, 3.0, 1e-3)),
                Values(values=(0.15, 0.25, 0.1, 12.0)),
            ),
            project("listed_drawn", "A", "B", Explicit(sources=(5, 4), targets=(1, 2)), WEIGHT, Constant(value=0.2)),
        ),
        simulation=Simulation(seed=1),
    )


def test_realisation_is_the_golden_one():
    digest = realize(diverse_network()).digest(workers=2)
    assert {name: str(value) for name, value in digest.edges.items()} == GOLDEN_EDGES
    assert digest.all == GOLDEN_ALL
