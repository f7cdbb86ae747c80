"""The file of components: inputs, cells, synapses and sources, in the order that the schema demands."""

from __future__ import annotations

from collections.abc import Iterator

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance, Trains
from mc_interchange.network import PoissonActivity, PoissonInput, StepCurrent

from .plan import ConstantCurrent, Plan, PlannedInput
from .populations import PlannedPopulation, cell_type, has_core_cells, neuron_of, train_layers
from .xml import DECLARATION, element, start

__all__ = ["component_lines", "document_start"]


def document_start(identifier: str) -> str:
    """Return the head of a NeuroML document."""
    return (
        DECLARATION
        + start(
            "neuroml",
            xmlns=fmt.NAMESPACE,
            xmlns__xsi="http://www.w3.org/2001/XMLSchema-instance",
            xsi__schemaLocation=fmt.SCHEMA_LOCATION,
            id=identifier,
        )
        + "\n"
    )


def component_lines(instance: NetworkInstance, planned: Plan) -> Iterator[str]:
    """Yield the lines of the file of components."""
    dt = instance.simulation.dt
    populations = list(planned.populations.values())
    yield document_start(f"{instance.name}_cells")
    cells = sorted(_cells(populations), key=lambda cell: _CELL_ORDER.index(cell[0]))
    yield from (line for name, line in cells if not name[0].isupper())
    yield from _pulses(planned, dt)
    yield from _spike_arrays(populations, dt)
    yield from _plain_poisson(populations)
    yield from _poisson_inputs(planned)
    yield from (line for name, line in cells if name[0].isupper())
    for written in fmt.WRITTEN_SYNAPSES.values():
        for key, identifier in planned.synapses.items():
            if key.receptor == written.receptor:
                yield _line(written.name, id=identifier, **written.write(key.tau_syn, key.E_rev))
    yield from _windowed_poisson(populations)
    yield "</neuroml>\n"


#: The order that the schema demands: the core's cells before all inputs, PyNN's (in capitals) behind them.
_CELL_ORDER = (
    "izhikevichCell",
    "IF_curr_alpha",
    "IF_curr_exp",
    "IF_cond_alpha",
    "IF_cond_exp",
    "EIF_cond_exp_isfa_ista",
    "EIF_cond_alpha_isfa_ista",
)


def _cells(populations: list[PlannedPopulation]) -> Iterator[tuple[str, str]]:
    """Yield the type and the line of each cell."""
    for population in populations:
        if has_core_cells(population.nodes):
            cell = cell_type(population.nodes)
            parameters = {**neuron_of(population.nodes).parameters, "V_m": population.v_init or 0.0}
            yield cell.name, _line(cell.name, id=population.components[0], **fmt.cell_attributes(cell, parameters))


def _pulses(planned: Plan, dt: float) -> Iterator[str]:
    if planned.pulse:
        # one and a half steps: the sums of floating-point steps may fall to either side of a whole one
        yield _line("pulseGenerator", id=planned.pulse, delay="0ms", duration=_sum(dt, dt / 2), amplitude="1nA")
    # the schema wants those with a unit first
    for dimensionless in (False, True):
        for item in planned.inputs:
            if item.dimensionless == dimensionless and not isinstance(item.input, PoissonInput) and not item.equations:
                yield _pulse(item, item.input)


def _pulse(item: PlannedInput, current: StepCurrent | ConstantCurrent) -> str:
    if isinstance(current, StepCurrent):
        window = {"delay": _sum(current.start, current.delay), "duration": _sum(current.stop, -current.start)}
    else:
        window = {"delay": "0ms", "duration": fmt.NO_END}
    if item.dimensionless:
        return _line("pulseGeneratorDL", id=item.component, **window, amplitude=fmt.decimal(current.amplitude))
    return _line("pulseGenerator", id=item.component, **window, amplitude=f"{fmt.decimal(current.amplitude, -3)}nA")


def _spike_arrays(populations: list[PlannedPopulation], dt: float) -> Iterator[str]:
    for population in populations:
        activity = population.nodes.activity
        if isinstance(activity, Trains):
            for block in activity.blocks():
                for source, train in enumerate(block.trains(), block.first):
                    layers = train_layers(train, dt, population.apart)
                    for layer, member in enumerate(population.copies(source)):
                        yield from _spike_array(population.components[member], train[layers == layer].tolist())
        elif isinstance(activity, PoissonActivity) and activity.rate == 0:
            yield _line("spikeArray", id=population.components[0])  # a rate of 0 would be divided by


def _spike_array(component: str, times: list[float]) -> Iterator[str]:
    yield "  " + start("spikeArray", id=component) + "\n"
    for index, time in enumerate(times):
        yield f'    <spike id="{index}" time="{fmt.decimal(time)}ms"/>\n'
    yield "  </spikeArray>\n"


def _plain_poisson(populations: list[PlannedPopulation]) -> Iterator[str]:
    for population in populations:
        activity = population.nodes.activity
        if isinstance(activity, PoissonActivity) and activity.rate > 0 and not _windowed(activity):
            rate = f"{fmt.decimal(activity.rate)}Hz"
            yield _line("spikeGeneratorPoisson", id=population.components[0], averageRate=rate)


def _windowed_poisson(populations: list[PlannedPopulation]) -> Iterator[str]:
    for population in populations:
        activity = population.nodes.activity
        if isinstance(activity, PoissonActivity) and activity.rate > 0 and _windowed(activity):
            yield _line(
                "SpikeSourcePoisson",
                id=population.components[0],
                start=f"{fmt.decimal(activity.start)}ms",
                duration=fmt.NO_END if activity.stop is None else _sum(activity.stop, -activity.start),
                rate=f"{fmt.decimal(activity.rate)}Hz",
            )


def _windowed(part: PoissonActivity | PoissonInput) -> bool:
    return part.start > 0 or part.stop is not None


def _poisson_inputs(planned: Plan) -> Iterator[str]:
    # the schema wants all of the endless ones first
    for windowed in (False, True):
        for item in planned.inputs:
            if isinstance(item.input, PoissonInput) and _windowed(item.input) == windowed and not item.equations:
                yield _poisson_input(item, item.input)


def _poisson_input(item: PlannedInput, source: PoissonInput) -> str:
    common = {"synapse": item.synapse, "spikeTarget": f"./{item.synapse}"}
    rate = f"{fmt.decimal(source.rate / item.n_sources)}Hz"
    if not _windowed(source):
        return _line("poissonFiringSynapse", id=item.component, averageRate=rate, **common)
    return _line(
        "transientPoissonFiringSynapse",
        id=item.component,
        averageRate=rate,
        delay=_sum(source.start, source.delay),
        duration=fmt.NO_END if source.stop is None else _sum(source.stop, -source.start),
        **common,
    )


def _sum(first: float, second: float) -> str:
    """Return the sum of two times in ms without the noise of binary fractions."""
    return f"{fmt.decimal(round(first + second, 9))}ms"


def _line(name: str, **attributes: str) -> str:
    return "  " + element(name, **attributes) + "\n"
