"""The Brian2 exporter."""

from __future__ import annotations

from collections.abc import Mapping

from mc_interchange.contracts import ExportOptions, Loss
from mc_interchange.exporters.programs import ProgramExporter, templates
from mc_interchange.exporters.sonata import SonataExporter, SonataOptions
from mc_interchange.instance import NetworkInstance

from .groups import groups_of
from .program import model_text

__all__ = ["Brian2Exporter"]


class Brian2Exporter(ProgramExporter[ExportOptions]):
    """Writes the equations, parameters and inputs as a module, the program that runs it, and a SONATA circuit.

    Not representable
    -----------------
    Foreign neuron models, several models in one population, synapse models that the catalogue lacks
        Refused: there are no equations for them.
    Synapses that change, from sources without dynamics
        Refused: a source with several spikes in one step is several rows in Brian2.
    ``refractory_input``, published integration of ``izhikevich``, ``Delta_T`` of 0, nearly equal time constants
        Refused likewise, with what can be done.
    Poisson input to ``glif_psc``
        Refused: it names no receptor.
    The adaptive integration of conductance-based models in NEST
        Approximated: Brian2 integrates them with the Runge-Kutta method of fourth order in steps of the resolution,
        ``hh_psc_alpha`` in parts of them.
    Colours of a network without rules
        Dropped: neither SONATA nor Brian2 has them.
    """

    format = "brian2"
    title = "Brian2: equations and a program, with the network in SONATA's arrays"
    Options = ExportOptions

    def losses(self, instance: NetworkInstance, options: ExportOptions) -> list[Loss]:  # noqa: ARG002
        """Name the models that are integrated in another way."""
        found = [
            Loss(
                f"integration of {group.model} ({', '.join(nodes.name for nodes in group.populations)})",
                "approximated",
                "NEST chooses the size of its steps; Brian2 integrates with rk4 in steps of dt"
                + (f" / {parts}" if (parts := group.equations.substeps(instance.simulation.dt)) > 1 else "")
                + ", and notices spikes at the end of dt",
            )
            for group in groups_of(instance)
            if group.equations.method == "rk4"
        ]
        circuit = SonataExporter().losses(instance, SonataOptions())
        return found + [loss for loss in circuit if loss.how == "dropped"]

    def files(self, instance: NetworkInstance, options: ExportOptions) -> Mapping[str, str]:  # noqa: ARG002
        """Return the model and the program."""
        return {"model.py": model_text(instance, groups_of(instance)), **templates(__package__)}
