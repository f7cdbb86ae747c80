"""Capturing the network that is in NEST's kernel.

Nodes are read population by population. Then every connection is read once and goes where it belongs: into the
stream of a projection, to an input, or to a recording. At the end they are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mc_interchange.errors import FormatError, ModelError
from mc_interchange.instance import NetworkInstance, Spool, check_name
from mc_interchange.network import Simulation
from mc_interchange.progress import Progress, Silent

from .inputs import current_inputs, poisson_inputs
from .kernel import open_kernel
from .names import Names
from .nodes import Kernel
from .parameters import Settable
from .recorders import record_spikes, record_V_m
from .sorting import Sorter
from .synapses import synapses_in_use

__all__ = ["capture"]


def capture(
    populations: Mapping[str, Any] | None = None,
    *,
    name: str = "captured",
    duration: float = 1000.0,
    discard: float = 0.0,
    directory: str | Path | None = None,
    progress: Progress | None = None,
) -> NetworkInstance:
    """Turn what is in the NEST kernel into a NetworkInstance.

    Call it before simulating: the membrane potentials are captured as they are now. Connections are copied
    into a temporary file (20 bytes each), which vanishes with the instance; the kernel may be reset then.

    Parameters
    ----------
    populations
        NEST's NodeCollections (of neurons, or of spike generators) by the names they shall have: letters,
        digits, underscores. Neurons in none of them make populations of their own: those that were created
        in a row with the same model and parameters, named after the model.
    name
        Name of the model.
    duration, discard
        Simulation parameters of the instance, ms; resolution, seed and threads are the kernel's.
    directory
        Where the temporary file is made; default: where the system has such files.
    progress
        Is told of the connections read.

    Returns
    -------
    NetworkInstance

    Raises
    ------
    FormatError
        The kernel holds nodes, synapses or states that cannot be captured; they are named.
    OutputError
        There is no place for the temporary file.

    Warns
    -----
    CaptureWarning
        What has no influence on spikes and is left out is named: unconnected generators, and recordings in a
        form that the instance does not have.
    """
    nest = open_kernel()
    named = dict(populations or {})
    try:
        for kind_of_name, given in (("model", name), *(("population", key) for key in named)):
            check_name(kind_of_name, given)
    except ModelError as error:
        raise FormatError(str(error)) from None
    names = Names(named)
    kinds = synapses_in_use(nest)
    kernel = Kernel(nest, named, names, Settable(nest, plastic=any(kind.plastic for kind in kinds)))
    if not any(part.nodes is not None and not part.nodes.virtual for part in kernel.parts):
        raise FormatError("NEST's kernel holds no neurons")
    sorter = Sorter(nest, kernel, Spool(directory))
    progress = progress or Silent()
    progress.task("reading connections", sum(kind.n for kind in kinds), "edges")
    for kind in kinds:
        sorter.read(kind, progress)
    kernel.warn_of_idle(sorter.connected)
    edge_names = Names()
    projections = sorter.projections(edge_names)
    nodes = {part.nodes.name: part.nodes for part in kernel.parts if part.nodes is not None}
    currents = current_inputs(nest, sorter.arrivals("current"), names)
    poisson, processes = poisson_inputs(nest, sorter.arrivals("poisson"), names, edge_names)
    for sources, edges in processes:
        nodes[sources.name], projections[edges.name] = sources, edges
    try:
        simulation = Simulation(
            dt=nest.resolution,
            duration=duration,
            discard=discard,
            seed=nest.rng_seed,
            threads=nest.local_num_threads,
            record_spikes=record_spikes(nest, kernel, *sorter.ends("spike_recorder")),
            record_V_m=record_V_m(nest, kernel, *sorter.ends("meter")),
        )
        return NetworkInstance(name, nodes, projections, (*currents, *poisson), simulation)
    except ModelError as error:
        raise FormatError(str(error)) from None
