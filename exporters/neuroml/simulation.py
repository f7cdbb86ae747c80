"""The LEMS file: what to run, for how long, and what to record."""

from __future__ import annotations

from collections.abc import Iterator

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance

from .plan import Plan
from .xml import DECLARATION, element, start

__all__ = ["simulation_lines"]


def simulation_lines(instance: NetworkInstance, planned: Plan, *files: str) -> Iterator[str]:
    """Yield the lines of the LEMS file.

    Parameters
    ----------
    files
        Names of the files that it runs: the network behind what it needs.
    """
    simulation = instance.simulation
    yield DECLARATION + "<Lems>\n"
    if planned.matching:
        yield f" <!-- {planned.matching.label} -->\n"
    yield " " + element("Target", component=planned.simulation_id) + "\n"
    for name in (*fmt.CORE_FILES, *files):
        yield " " + element("Include", file=name) + "\n"
    yield (
        " "
        + start(
            "Simulation",
            id=planned.simulation_id,
            length=f"{fmt.milliseconds(simulation.n_steps, simulation.dt)}ms",
            step=f"{fmt.decimal(simulation.dt)}ms",
            target=planned.network_id,
            seed=str(simulation.seed),
        )
        + "\n"
    )
    yield from _potentials(instance, planned)
    yield from _spikes(instance, planned)
    yield " </Simulation>\n</Lems>\n"


def _potentials(instance: NetworkInstance, planned: Plan) -> Iterator[str]:
    for index, recording in enumerate(instance.simulation.record_V_m):
        file_name = f"{instance.name}.{recording.population}.{index}.V_m.dat"
        yield "  " + start("OutputFile", id=f"V_m_{index}_{recording.population}", fileName=file_name) + "\n"
        population = planned.populations[recording.population]
        for neuron in recording.neurons:
            yield f'   <OutputColumn id="{neuron}" quantity="{population.path(neuron)}/v"/>\n'
        yield "  </OutputFile>\n"


def _spikes(instance: NetworkInstance, planned: Plan) -> Iterator[str]:
    chosen = instance.simulation.record_spikes
    for name, population in planned.populations.items():
        if chosen is not None and name not in chosen:
            continue
        # the copies of a source have its index, and EDEN takes an index once in a file
        by_layer: dict[int, list[str]] = {0: []}
        for cell in range(population.n_cells):
            index, layer = population.origin(cell) if population.divided else (cell, 0)
            selection = f'   <EventSelection id="{index}" select="{population.path(cell)}" eventPort="spike"/>\n'
            by_layer.setdefault(layer, []).append(selection)
        for layer, selections in sorted(by_layer.items()):
            identifier, part = (f"layer_{layer}_spikes_{name}", f".layer_{layer}") if layer else (f"spikes_{name}", "")
            attributes = {"fileName": f"{instance.name}.{name}{part}.spikes", "format": "ID_TIME"}
            yield "  " + start("EventOutputFile", id=identifier, **attributes) + "\n"
            yield from selections
            yield "  </EventOutputFile>\n"
