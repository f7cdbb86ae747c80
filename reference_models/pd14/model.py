"""The cortical microcircuit model as a Network."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import ClassVar

from mc_interchange.contracts import ReferenceModel
from mc_interchange.errors import ModelError
from mc_interchange.network import (
    Constant,
    Distribution,
    FixedTotalNumber,
    Input,
    Network,
    Neuron,
    Normal,
    PoissonActivity,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Slab,
    StepCurrent,
    TruncatedNormal,
    VirtualPopulation,
)

from .derived import Derived, derive, mean_delays
from .parameters import POPULATIONS, PD14Arguments, documented

__all__ = ["PD14", "SubthresholdWarning"]

_PAPER = "Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358"
_SCALING = "van Albada et al. 2015, doi:10.1371/journal.pcbi.1004490"
_COLOURS = "Okabe & Ito 2008, https://jfly.uni-koeln.de/color/"

#: Okabe & Ito's colours, which colour-blind people can tell apart; lighter for the inhibitory population of a layer.
_COLOR = dict(
    zip(
        POPULATIONS,
        ("#0072B2", "#7FB8D8", "#009E73", "#7FCEB9", "#D55E00", "#EAAE7F", "#CC79A7", "#E5BCD3"),
        strict=True,
    )
)
#: Depths of the layers' borders in um. Schematic: the model has no space, only viewers use it.
_DEPTH = {"L23": (100.0, 600.0), "L4": (600.0, 950.0), "L5": (950.0, 1250.0), "L6": (1250.0, 1750.0)}
_WIDTH = 1000.0
_LAYER = {"L23": "layer 2/3", "L4": "layer 4", "L5": "layer 5", "L6": "layer 6"}
_KIND = {"E": "excitatory", "I": "inhibitory"}


#: To choose from when another one does not fit, in ms.
_RESOLUTIONS = (0.025, 0.05, 0.1, 0.125, 0.25, 0.5, 1.0)


class SubthresholdWarning(UserWarning):
    """A constant background that does not bring the neurons to their threshold."""


class PD14(ReferenceModel):
    """Cortical microcircuit under 1 mm2 of early sensory cortex.

    Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358. Eight populations of leaky integrate-and-fire neurons with
    exponential currents, in four layers; 77,169 neurons and about 0.3 billion synapses at full scale.
    """

    name: ClassVar[str] = "pd14"
    title: ClassVar[str] = "cortical microcircuit (Potjans & Diesmann 2014)"
    Arguments: ClassVar[type[PD14Arguments]] = PD14Arguments

    def build(self, arguments: PD14Arguments) -> Network:
        """Return the network.

        Parameters
        ----------
        arguments
            Scale, background and stimuli, and every published parameter.

        Warns
        -----
        SubthresholdWarning
            A background of constant current leaves populations below their threshold.

        Raises
        ------
        ModelError
            A population is left without neurons, or the resolution does not divide a time.
        """
        _check_times(arguments)
        derived = derive(arguments)
        _check_sizes(arguments, derived)
        if not derived.num_synapses.any():
            warnings.warn(f"k_scale = {arguments.k_scale!r} leaves no recurrent synapses", UserWarning, stacklevel=2)
        if arguments.background == "dc" and derived.subthreshold:
            warnings.warn(_subthreshold(arguments, derived), SubthresholdWarning, stacklevel=2)
        populations: list[Population | VirtualPopulation] = [*_populations(arguments, derived)]
        projections = [*_recurrent(arguments, derived)]
        inputs: list[Input] = []
        if arguments.background == "poisson":
            inputs += _background(arguments, derived)
        if arguments.dc_transient:
            inputs += _steps(arguments, derived)
        if arguments.thalamus:
            populations.append(_thalamus(arguments))
            projections += _thalamic(arguments, derived)
        return Network(
            name="pd14",
            description=(
                "Cortical microcircuit under 1 mm2 of early sensory cortex: four layers with an excitatory and an "
                f"inhibitory population each; n_scale = {arguments.n_scale!r}, k_scale = {arguments.k_scale!r}, "
                f"background {arguments.background}"
            ),
            references=(_PAPER, *((_SCALING,) if arguments.k_scale != 1 else ()), f"colours: {_COLOURS}"),
            parameters=documented(arguments),
            populations=tuple(populations),
            projections=tuple(projections),
            inputs=tuple(inputs),
            simulation=Simulation(
                dt=arguments.dt, duration=arguments.duration, discard=arguments.discard, seed=arguments.seed
            ),
        )


def _check_times(p: PD14Arguments) -> None:
    """Name the argument whose time is not on the grid: the network knows only the input made of it."""
    names = ["discard", "duration"]
    if p.background == "poisson":
        names.append("delay_poisson")
    if p.thalamus:
        names += ["th_start", "th_duration"]
    if p.dc_transient:
        names += ["dc_transient_start", "dc_transient_dur", "dc_transient_delay"]
    times = {name: getattr(p, name) for name in names}
    wrong = [name for name, time in times.items() if not _fits(time, p.dt)]
    if wrong and p.dt >= 0.001 and _fits(p.dt, 0.001):  # else dt itself is refused
        fitting = [f"{dt:g}" for dt in _RESOLUTIONS if all(_fits(time, dt) for time in times.values())]
        hint = f"; dt can be {', '.join(fitting[:-1])} or {fitting[-1]} ms" if fitting else ""
        raise ModelError(f"{wrong[0]}: must be a multiple of dt ({p.dt:g} ms), got {times[wrong[0]]:g} ms{hint}")


def _fits(time: float, dt: float) -> bool:
    return abs(time / dt - round(time / dt)) <= 1e-6


def _check_sizes(p: PD14Arguments, derived: Derived) -> None:
    empty = [name for name, size in zip(POPULATIONS, derived.num_neurons, strict=True) if size < 1]
    if empty:
        raise ModelError(
            f"n_scale: {p.n_scale!r} leaves {', '.join(empty)} without neurons; "
            f"give at least {0.51 / min(p.full_num_neurons):.2g}"
        )


def _subthreshold(p: PD14Arguments, derived: Derived) -> str:
    low = derived.subthreshold
    currents = ", ".join(f"{name} {current:.1f} pA" for name, current in low.items())
    return (
        f"background dc at k_scale = {p.k_scale!r}: {len(low)} of {len(POPULATIONS)} populations get less than the "
        f"{derived.I_rheobase:.1f} pA that reach the threshold and may stay silent ({currents}); "
        "use background poisson, or a larger k_scale"
    )


def _populations(p: PD14Arguments, derived: Derived) -> Iterator[Population]:
    membrane = {
        "C_m": p.C_m,
        "tau_m": p.tau_m,
        "tau_syn_ex": p.tau_syn,
        "tau_syn_in": p.tau_syn,
        "t_ref": p.t_ref,
        "E_L": p.E_L,
        "V_th": p.V_th,
        "V_reset": p.V_reset,
    }
    for i, name in enumerate(POPULATIONS):
        layer, kind = name[:-1], name[-1]
        if p.initial_V == "optimized":
            mean, sd = p.V0_mean_optimized[i], p.V0_std_optimized[i]
        else:
            mean, sd = p.V0_mean_original, p.V0_std_original
        yield Population(
            name=name,
            size=int(derived.num_neurons[i]),
            neuron=Neuron(model="iaf_psc_exp", parameters={**membrane, "I_e": float(derived.I_e[i])}),
            initial_V_m=Normal(mean=mean, sd=sd) if sd > 0 else Constant(value=mean),
            geometry=Slab(width=_WIDTH, depth_top=_DEPTH[layer][0], depth_bottom=_DEPTH[layer][1]),
            color=_COLOR[name],
            meaning=f"{_KIND[kind]} neurons of {_LAYER[layer]}",
            source=_PAPER,
        )


def _weight(mean: float, relative_sd: float) -> Distribution:
    """Make weights of one sign: a draw on the other side of 0 is repeated."""
    sd = abs(mean * relative_sd)
    if sd == 0:
        return Constant(value=mean)
    return TruncatedNormal(mean=mean, sd=sd, max=0.0) if mean < 0 else TruncatedNormal(mean=mean, sd=sd, min=0.0)


def _delay(mean: float, relative_sd: float, dt: float) -> Distribution:
    """Make delays that are at least one step after rounding; without spread the mean is rounded too."""
    return TruncatedNormal(mean=mean, sd=mean * relative_sd, min=0.5 * dt)


def _recurrent(p: PD14Arguments, derived: Derived) -> Iterator[Projection]:
    delays = mean_delays(p)
    for i, target in enumerate(POPULATIONS):
        for j, source in enumerate(POPULATIONS):
            number = int(derived.num_synapses[i, j])
            if number == 0:
                continue
            mean = float(derived.weight_mean[i, j])
            yield Projection(
                name=f"{source}_to_{target}",
                source=source,
                target=target,
                rule=FixedTotalNumber(number=number),
                weight=_weight(mean, p.weight_rel_std),
                delay=_delay(float(delays[i, j]), p.delay_rel_std, p.dt),
                meaning=f"{_KIND[source[-1]]} synapses",
                reference=_PAPER,
            )


def _background(p: PD14Arguments, derived: Derived) -> Iterator[PoissonInput]:
    for i, target in enumerate(POPULATIONS):
        rate = p.bg_rate * int(derived.ext_indegrees[i])
        if rate > 0:
            yield PoissonInput(
                name=f"background_{target}",
                target=target,
                rate=rate,
                weight=derived.weight_ext,
                delay=p.delay_poisson,
                meaning=f"{int(derived.ext_indegrees[i])} external sources of {p.bg_rate:g} spikes/s each",
                source=_PAPER,
            )


def _steps(p: PD14Arguments, derived: Derived) -> Iterator[StepCurrent]:
    for i, target in enumerate(POPULATIONS):
        if derived.step_current[i]:
            yield StepCurrent(
                name=f"dc_transient_{target}",
                target=target,
                amplitude=float(derived.step_current[i]),
                start=p.dc_transient_start,
                stop=p.dc_transient_start + p.dc_transient_dur,
                delay=p.dc_transient_delay,
                meaning="transient current",
                source="PyPI microcircuit 1.0",
            )


def _thalamus(p: PD14Arguments) -> VirtualPopulation:
    return VirtualPopulation(
        name="TH",
        size=p.num_th_neurons,
        activity=PoissonActivity(rate=p.th_rate, start=p.th_start, stop=p.th_start + p.th_duration),
        geometry=Slab(width=_WIDTH, depth_top=2000.0, depth_bottom=2100.0),
        color="#555555",
        meaning="thalamic relay neurons, active for a short time",
        source=_PAPER,
    )


def _thalamic(p: PD14Arguments, derived: Derived) -> Iterator[Projection]:
    for i, target in enumerate(POPULATIONS):
        number = int(derived.num_th_synapses[i])
        if number == 0:
            continue
        yield Projection(
            name=f"TH_to_{target}",
            source="TH",
            target=target,
            rule=FixedTotalNumber(number=number),
            weight=_weight(derived.weight_th, p.weight_rel_std),
            delay=_delay(p.delay_th_mean, p.delay_th_rel_std, p.dt),
            meaning="thalamic synapses",
            reference=_PAPER,
        )
