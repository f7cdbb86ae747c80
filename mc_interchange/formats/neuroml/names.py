"""Names that stand in the files, and identifiers."""

from __future__ import annotations

from .numbers import decimal

__all__ = [
    "CORE_FILES",
    "DISCARD",
    "DT",
    "DURATION",
    "LAYER",
    "LEMS_PREFIX",
    "MATCHED_TO",
    "MODEL",
    "NAMESPACE",
    "NO_END",
    "NO_POSITIONS",
    "N_NEURONS",
    "N_SYNAPSES",
    "SCHEMA_LOCATION",
    "SEED",
    "SOURCE",
    "Identifiers",
    "colour",
    "equation_type",
    "is_equation_type",
    "member_path",
    "synapse_name",
]

NAMESPACE = "http://www.neuroml.org/schema/neuroml2"
SCHEMA_LOCATION = f"{NAMESPACE} https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"
#: Definitions that a LEMS file must include before it can name the types that are used here.
CORE_FILES = ("Cells.xml", "Networks.xml", "Simulation.xml", "PyNN.xml")
LEMS_PREFIX = "LEMS_"
#: Duration of what never ends (11 days of model time): the types with an onset demand a duration too.
NO_END = "1000000000ms"

#: Tag of a population that holds one source of ours: its value is ``POPULATION/INDEX``.
SOURCE = "source"
#: Tag of a population that holds further spikes of a source at times at which it has spikes already.
LAYER = "layer"
#: Tag and value of a population whose cells are listed, but have no locations: all lie at the origin.
NO_POSITIONS = ("positions", "none")
#: Tag of a network whose parameters are adapted to the integration of one simulator, which is its value.
MATCHED_TO = "matched to"
#: Tags of a network: the two that NeuroML recommends, and ours. Times are in ms.
DT, DURATION = "recommended_dt_ms", "recommended_duration_ms"
MODEL, SEED, DISCARD = "model", "seed", "discard_ms"
N_NEURONS, N_SYNAPSES = "neurons", "synapses"
#: End of the names of component types that hold equations of neurons.
_EQUATIONS = "_equations"


def synapse_name(tau_syn: float, receptor: str = "psc_exp") -> str:
    """Return the identifier of the synapse of a kind with this time constant in ms, such as ``psc_0_5``."""
    kind = receptor.removeprefix("psc_exp") or "psc"
    return f"{kind}_{decimal(tau_syn).replace('.', '_')}"


def equation_type(name: str) -> str:
    """Return the name of the component type of neurons that are given by equations."""
    return f"{name}{_EQUATIONS}"


def is_equation_type(name: str) -> bool:
    """Say whether a component type is one of :func:`equation_type` (an identifier may end in underscores)."""
    return name.rstrip("_").endswith(_EQUATIONS)


def member_path(population: str, index: int | str, component: str, listed: bool) -> str:
    """Return the path of one cell below the network.

    Parameters
    ----------
    listed
        Whether the population lists its cells with their locations; else it has a size only.
    """
    return f"{population}/{index}/{component}" if listed else f"{population}[{index}]"


def colour(code: str) -> str:
    """Return ``#rrggbb`` as viewers of NeuroML want it: three numbers from 0 to 1."""
    return " ".join(f"{int(code[i : i + 2], 16) / 255:.3g}" for i in (1, 3, 5))


class Identifiers:
    """Hands out identifiers that are unique in the whole document.

    Names of populations, projections and inputs are unique among themselves only, while NeuroML looks
    things up by identifier alone.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, wanted: str) -> str:
        """Return ``wanted``, or with underscores behind it where that is taken."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted
