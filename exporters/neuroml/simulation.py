"""The LEMS file: what to run, for how long, and what to record."""

from __future__ import annotations

from collections.abc import Iterator

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance

from .plan import Plan
from .xml import DECLARATION, element, start

__all__ = ["simulation_lines"]


def simulation_lines(instance: NetworkInstance, planned: Plan, network_file: str) -> Iterator[str]:
    """Yield the lines of the LEMS file.

    Parameters
    ----------
    network_file
        Name of the file that it runs.
    """
    simulation = instance.simulation
    yield DECLARATION + "<Lems>\n"
    yield " " + element("Target", component=planned.simulation_id) + "\n"
    for name in (*fmt.CORE_FILES, network_file):
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
        attributes = {"fileName": f"{instance.name}.{name}.spikes", "format": "ID_TIME"}
        yield "  " + start("EventOutputFile", id=f"spikes_{name}", **attributes) + "\n"
        for index in range(population.nodes.size):
            yield f'   <EventSelection id="{index}" select="{population.path(index)}" eventPort="spike"/>\n'
        yield "  </EventOutputFile>\n"
