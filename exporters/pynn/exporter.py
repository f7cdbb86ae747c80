"""The PyNN exporter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from mc_interchange.contracts import ExportOptions, Loss
from mc_interchange.errors import NotRepresentableError
from mc_interchange.exporters.programs import ProgramExporter, templates
from mc_interchange.formats.pynn import PROJECTIONS
from mc_interchange.instance import NetworkInstance
from mc_interchange.network import PoissonActivity, PoissonInput

from .models import cells_of, neuron_of
from .plasticity import plasticity_of
from .program import model_text
from .rules import initial_values, rules_of

__all__ = ["PyNNExporter", "PyNNOptions"]


class PyNNOptions(ExportOptions):
    """Options of the PyNN exporter."""

    level: Literal["instance", "rules"] = Field(
        "instance", description="the synapses as they are, or PyNN's connectors and distributions, which draw their own"
    )
    matched: bool = Field(
        False, description="in NEURON, parameters with which it steps as NEST does (iaf_psc_exp only; for comparisons)"
    )


class PyNNExporter(ProgramExporter[PyNNOptions]):
    """Writes a program for PyNN, run as it is with NEST, NEURON or Brian2, and a SONATA circuit as its data.

    Not representable
    -----------------
    Neuron models that PyNN lacks, populations with several models, synapses with receptors
        Refused by name.
    ``tsodyks2_synapse`` and others, states at t = 0 that PyNN does not set, a ``tau_psc`` other than the target's
        Refused likewise.
    The first step of a Poisson input
        In NEST its spikes come one step later, through a relay.
    Spikes of recorded sources
        The program records neurons only.
    With ``level`` rules: a rule or distribution that PyNN lacks
        Refused by name; what PyNN draws otherwise is named.
    """

    format = "pynn"
    title = "PyNN program (NEST, NEURON, Brian2) with a SONATA circuit"
    Options = PyNNOptions

    def losses(self, instance: NetworkInstance, options: PyNNOptions) -> list[Loss]:
        """Name what the program does otherwise."""
        losses = []
        for nodes in instance.populations.values():
            if nodes.virtual:
                if isinstance(nodes.activity, PoissonActivity):
                    losses.append(_poisson(f"Poisson activity of {nodes.name}", nodes.activity.rate, instance))
                elif nodes.activity is None:
                    losses.append(Loss(f"activity of {nodes.name}", "dropped", "it is not known what they emit"))
                continue
            cells_of(nodes)
            if options.matched and neuron_of(nodes).model != "iaf_psc_exp":
                raise NotRepresentableError(
                    f"--matched: parameters are matched for iaf_psc_exp, population {nodes.name} has "
                    f"{neuron_of(nodes).model}; leave the option out"
                )
            tolerance = neuron_of(nodes).parameters.get("gsl_error_tol", 1e-6)
            if tolerance != 1e-6 or "gsl_error_tol" in nodes.varying:
                text = "PyNN does not set gsl_error_tol, NEST then takes 1e-06"
                losses.append(Loss(f"tolerance of the integration of {nodes.name}", "dropped", text))
        for edges in instance.projections.values():
            if plasticity_of(edges, instance) and options.level == "rules":
                raise NotRepresentableError(
                    f"projection {edges.name}: --level rules writes static synapses only, these are "
                    f"{edges.synapse.model}; use --level instance"
                )
        for item in instance.inputs:
            if isinstance(item, PoissonInput):
                losses.append(_poisson(f"Poisson input {item.name} onto {item.target}", item.rate, instance))
        for name in instance.simulation.record_spikes or ():
            if instance.populations[name].virtual:
                losses.append(Loss(f"recording of the spikes of {name}", "dropped", "it records neurons only"))
        if options.level == "rules":
            losses += rules_of(instance)[1]
            losses += initial_values(instance)[1]
        return losses

    def files(self, instance: NetworkInstance, options: PyNNOptions) -> Mapping[str, str]:
        """Return the program."""
        rules, initial = None, {}
        if options.level == "rules":
            rules, initial = rules_of(instance)[0], initial_values(instance)[0]
        found = templates(__package__)
        from_files, from_rules = found.pop("from_files.py"), found.pop("from_rules.py")
        found[PROJECTIONS] = from_files if rules is None else from_rules
        return {"model.py": model_text(instance, rules, initial, matched=options.matched), **found}


def _poisson(what: str, rate: float, instance: NetworkInstance) -> Loss:
    detail = "its spikes come one step later in NEST"
    if rate * instance.simulation.dt > 0:
        detail += "; in Brian2 it is a sum of Bernoulli processes with up to 0.5 % less variance"
    return Loss(what, "approximated", detail)
