"""The file of components: inputs, cells, synapses and sources, in the order that the schema demands."""

from __future__ import annotations

from collections.abc import Iterator

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import NetworkInstance, Trains
from mc_interchange.network import PoissonActivity, PoissonInput, StepCurrent

from .plan import Plan, PlannedInput, PlannedPopulation, neuron_of
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
    populations = list(planned.populations.values())
    yield document_start(f"{instance.name}_cells")
    yield from _pulses(planned, instance.simulation.dt)
    yield from _spike_arrays(populations)
    yield from _plain_poisson(populations)
    yield from _poisson_inputs(planned)
    for population in populations:
        if population.nodes.neuron is not None:
            yield "  " + _cell(population) + "\n"
    for tau_syn, identifier in planned.synapses.items():
        yield "  " + element("expCurrSynapse", id=identifier, tau_syn=fmt.decimal(tau_syn)) + "\n"
    yield from _windowed_poisson(populations)
    yield "</neuroml>\n"


def _cell(population: PlannedPopulation) -> str:
    neuron = neuron_of(population.nodes)
    model = neuron.entry.elsewhere["neuroml"]
    attributes = {
        theirs: fmt.decimal(neuron.parameters[ours], power) for theirs, (ours, power) in fmt.PARAMETERS[model].items()
    }
    return element(model, id=population.components[0], **attributes, v_init=fmt.decimal(population.v_init or 0.0))


def _pulses(planned: Plan, dt: float) -> Iterator[str]:
    if planned.pulse:
        # one and a half steps: the sums of floating-point steps may fall to either side of a whole one
        yield _line("pulseGenerator", id=planned.pulse, delay="0ms", duration=_sum(dt, dt / 2), amplitude="1nA")
    for item in planned.inputs:
        if isinstance(item.input, StepCurrent):
            step = item.input
            yield _line(
                "pulseGenerator",
                id=item.component,
                delay=_sum(step.start, step.delay),
                duration=_sum(step.stop, -step.start),
                amplitude=f"{fmt.decimal(step.amplitude, -3)}nA",
            )


def _spike_arrays(populations: list[PlannedPopulation]) -> Iterator[str]:
    for population in populations:
        activity = population.nodes.activity
        if isinstance(activity, Trains):
            trains = (train.tolist() for block in activity.blocks() for train in block.trains())
            for component, train in zip(population.components, trains, strict=True):
                yield "  " + start("spikeArray", id=component) + "\n"
                for index, time in enumerate(train):
                    yield f'    <spike id="{index}" time="{fmt.decimal(time)}ms"/>\n'
                yield "  </spikeArray>\n"
        elif isinstance(activity, PoissonActivity) and activity.rate == 0:
            yield _line("spikeArray", id=population.components[0])  # a rate of 0 would be divided by


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
            if isinstance(item.input, PoissonInput) and _windowed(item.input) == windowed:
                yield _poisson_input(planned, item, item.input)


def _poisson_input(planned: Plan, item: PlannedInput, source: PoissonInput) -> str:
    synapse = planned.synapses[planned.tau_syn(source.target, excitatory=source.weight >= 0)]
    common = {"synapse": synapse, "spikeTarget": f"./{synapse}"}
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
