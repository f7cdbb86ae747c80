"""Brunel's network as a Network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from mc_interchange.contracts import ReferenceModel
from mc_interchange.errors import ModelError
from mc_interchange.network import (
    FixedIndegree,
    Network,
    Neuron,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Uniform,
)

from .parameters import REGIMES, Brunel2000Arguments, documented

__all__ = ["Brunel2000"]

_PAPER = "Brunel 2000, doi:10.1023/A:1008925309027"
#: Blue and vermilion of Okabe & Ito 2008, which colour-blind people can tell apart.
_POPULATIONS = {"E": ("excitatory", "#0072B2"), "I": ("inhibitory", "#D55E00")}

#: Of a neuron or synapse, so much more that two digits of it are enough for one after rounding.
_HALF = 0.53


class Brunel2000(ReferenceModel):
    """Sparsely connected excitatory and inhibitory integrate-and-fire neurons, model A.

    Brunel 2000, J Comput Neurosci 8:183-208, doi:10.1023/A:1008925309027. 12,500 neurons with 1,250 synapses each, in
    four regimes of activity.
    """

    name: ClassVar[str] = "brunel2000"
    title: ClassVar[str] = "sparse random network in four regimes (Brunel 2000)"
    Arguments: ClassVar[type[Brunel2000Arguments]] = Brunel2000Arguments

    def build(self, arguments: Brunel2000Arguments) -> Network:
        """Return the network.

        Parameters
        ----------
        arguments
            Regime, scale, and every published parameter.

        Raises
        ------
        ModelError
            A population is left without neurons, or neurons without synapses of one kind.
        """
        _check_sizes(arguments)
        regime = REGIMES[arguments.regime]
        moved = "" if (arguments.g, arguments.eta) == (None, None) else ", with g or eta of the user's choice"
        return Network(
            name="brunel2000",
            description=(
                f"Sparsely connected network of excitatory and inhibitory neurons, model A; {arguments.regime}{moved}: "
                f"{regime.meaning}; scale = {arguments.scale!r}"
            ),
            references=(_PAPER,),
            parameters=documented(arguments),
            populations=tuple(_populations(arguments)),
            projections=tuple(_projections(arguments)),
            inputs=tuple(_external(arguments)),
            simulation=Simulation(
                dt=arguments.dt, duration=arguments.duration, discard=arguments.discard, seed=arguments.seed
            ),
        )


def _check_sizes(p: Brunel2000Arguments) -> None:
    for name, size, indegree in zip(_POPULATIONS, p.num_neurons, p.indegrees, strict=True):
        if size < 1:
            raise ModelError(f"scale: {p.scale!r} leaves {name} without neurons; give at least {_HALF / 2500:.2g}")
        if indegree < 1:
            raise ModelError(
                f"epsilon: {p.epsilon!r} of {size} neurons leaves no synapses from {name}; "
                f"give at least {_HALF / size:.2g}"
            )


def _populations(p: Brunel2000Arguments) -> Iterator[Population]:
    parameters = {"C_m": p.C_m, "tau_m": p.tau_m, "t_ref": p.t_ref, "E_L": p.E_L, "V_th": p.V_th, "V_reset": p.V_reset}
    if p.neuron != "iaf_psc_delta":
        parameters |= {"tau_syn_ex": p.tau_syn, "tau_syn_in": p.tau_syn}
    for (name, (kind, color)), size in zip(_POPULATIONS.items(), p.num_neurons, strict=True):
        yield Population(
            name=name,
            size=size,
            neuron=Neuron(model=p.neuron, parameters=parameters),
            # free choice: neurons that start at one potential fire in step
            initial_V_m=Uniform(low=p.E_L, high=p.V_th),
            color=color,
            meaning=f"{kind} neurons",
            source=_PAPER,
        )


def _projections(p: Brunel2000Arguments) -> Iterator[Projection]:
    weights = {"E": p.weight, "I": -p.g_used * p.weight}
    for target in _POPULATIONS:
        for source, indegree in zip(_POPULATIONS, p.indegrees, strict=True):
            yield Projection(
                name=f"{source}_to_{target}",
                source=source,
                target=target,
                rule=FixedIndegree(indegree=indegree),
                weight=weights[source],
                delay=p.delay,
                meaning=f"{_POPULATIONS[source][0]} synapses",
                reference=_PAPER,
            )


def _external(p: Brunel2000Arguments) -> Iterator[PoissonInput]:
    if p.external_rate == 0:
        return
    for target in _POPULATIONS:
        yield PoissonInput(
            name=f"external_{target}",
            target=target,
            rate=p.external_rate,
            weight=p.weight,
            delay=p.delay,
            meaning=f"{p.indegrees[0]} external sources of {p.external_rate / p.indegrees[0]:g} spikes/s each",
            source=_PAPER,
        )
