"""mc-interchange: one description of a spiking network, every tool's files, proof that they are the same.

The two levels::

    Network          rules: populations, projections, distributions     mc_interchange.network
    NetworkInstance  every neuron and synapse, streamed                  mc_interchange.instance

    network = build("pd14", scale=0.1)
    instance = realize(network, seed=1)
    export(instance, "sonata", "pd14-sonata")
"""

from ._version import __version__
from .errors import InterchangeError
from .export import ExportResult, export
from .instance import NetworkInstance, realize
from .network import Network, read_network, write_network
from .reading import build, open_model

__all__ = [
    "ExportResult",
    "InterchangeError",
    "Network",
    "NetworkInstance",
    "__version__",
    "build",
    "export",
    "open_model",
    "read_network",
    "realize",
    "write_network",
]
