"""What a network says about itself: its notes for people, and its properties for programs."""

from __future__ import annotations

from collections.abc import Iterator

from mc_interchange._version import __version__
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance

from .plan import Plan

__all__ = ["notes", "properties"]


def notes(instance: NetworkInstance, planned: Plan) -> str:
    """Return one paragraph per topic."""
    return "\n".join(_paragraphs(instance, planned))


def _paragraphs(instance: NetworkInstance, planned: Plan) -> Iterator[str]:
    if planned.matching:
        yield planned.matching.label
    seed = "" if instance.seed is None else f", realised with seed {instance.seed}"
    yield f"{instance.name}, written by mc-interchange {__version__}{seed}"
    if instance.network is not None and instance.network.description:
        yield instance.network.description
    simulation = instance.simulation
    yield (
        f"{instance.n_neurons} neurons, {instance.n_edges} synapses, {len(instance.inputs)} inputs; resolution "
        f"{simulation.dt:g} ms, {simulation.duration:g} ms of model time, of which the first {simulation.discard:g} ms "
        "are to be left out of statistics"
    )
    if instance.network is not None and instance.network.references:
        yield f"References: {'; '.join(instance.network.references)}"


def properties(instance: NetworkInstance, planned: Plan) -> dict[str, str]:
    """Return value by tag: what an instance needs to be made again, and the parameters of its model.

    Parameters that are lists or tables stand in the model file only.
    """
    simulation = instance.simulation
    found: dict[str, str] = {fmt.MATCHED_TO: planned.matching.solver} if planned.matching else {}
    found |= {
        fmt.MODEL: instance.name,
        fmt.DT: fmt.decimal(simulation.dt),
        fmt.DURATION: fmt.decimal(simulation.duration),
        fmt.DISCARD: fmt.decimal(simulation.discard),
        fmt.N_NEURONS: str(instance.n_neurons),
        fmt.N_SYNAPSES: str(instance.n_edges),
    }
    if instance.seed is not None:
        found[fmt.SEED] = str(instance.seed)
    for parameter in instance.network.parameters if instance.network else ():
        if isinstance(parameter.value, tuple) or parameter.name in found:
            continue
        unit = "" if parameter.unit in ("", "1") else f" {parameter.unit}"
        found[parameter.name] = f"{_text(parameter.value)}{unit}"
    return found


def _text(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else fmt.decimal(value)
