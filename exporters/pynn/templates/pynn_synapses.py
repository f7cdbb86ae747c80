"""Synapses from arrays."""

from __future__ import annotations

import importlib

import numpy as np
from pyNN.connectors import Connector, FromListConnector
from pyNN.parameters import ParameterSpace


class Synapses(Connector):
    """Synapses from arrays, several between two neurons too.

    PyNN's FromListConnector does the same in NEURON. In NEST it calls Connect for every neuron, and in Brian2 it
    gives all synapses between two neurons the weight of the last.
    """

    parameter_names = ()

    def __init__(self, simulator: str, sources, targets, weights, delays, unit: float) -> None:
        super().__init__(safe=False)
        self.simulator = simulator
        self.sources, self.targets, self.delays = sources, targets, delays
        self.weights = weights  # in NEST's unit and with its sign
        self.unit = unit  # what makes PyNN's nA, uS or mV of them

    def connect(self, projection) -> None:
        """Connect one projection."""
        if self.simulator == "nest":
            return self._nest(projection)
        weights = self.weights * self.unit
        if projection.post.conductance_based:
            weights = np.abs(weights)
        if self.simulator == "brian2":
            return self._brian2(projection, weights)
        rows = np.column_stack([self.sources, self.targets, weights, self.delays])
        return FromListConnector(rows).connect(projection)

    def _nest(self, projection) -> None:
        nest = importlib.import_module("nest")
        pre, post = (cells.all_cells.astype(int) for cells in (projection.pre, projection.post))
        synapses = {
            "synapse_model": projection.nest_synapse_model,
            "synapse_label": np.full(len(self.weights), projection.nest_synapse_label),
            "weight": self.weights,
            "delay": self.delays,
        }
        kind = type(projection.synapse_type).__name__
        if kind == "TsodyksMarkramSynapse":
            # PyNN's own connectors take it from the target, too
            name = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}[projection.receptor_type]
            name = projection.post.celltype.translations[name]["translated_name"]
            synapses["tau_psc"] = np.array(projection.post.node_collection.get([name])[name], float).ravel()
            synapses["tau_psc"] = np.broadcast_to(synapses["tau_psc"], len(post))[self.targets]
        if kind == "STDPMechanism":
            # PyNN makes pA or nS of it on every target, those with weights in mV too
            limit = projection.synapse_type.weight_dependence.parameter_space["w_max"].base_value
            synapses["Wmax"] = np.full(len(self.weights), limit * 1000 if self.unit != 1 else limit)
        nest.Connect(pre[self.sources], post[self.targets], "one_to_one", synapses)
        projection._sources.update(np.unique(pre[self.sources]).tolist())

    def _brian2(self, projection, weights) -> None:
        synapse, n = projection.synapse_type, len(weights)
        values = ParameterSpace({"weight": weights, "delay": self.delays}, synapse.get_schema(), shape=(n,))
        native = synapse.translate(values)
        native.evaluate()
        synapses = projection._brian2_synapses[0][0]
        synapses.connect(i=self.sources, j=self.targets)
        synapses.weight, synapses.delay = native["weight"], native["delay"]
        projection._n_connections = n
