"""What another package needs to write in order to add a format and a model: this much."""

from pathlib import Path
from typing import Any

from mc_interchange.contracts import Exporter, ExportOptions, Loss, ReferenceModel, Written
from mc_interchange.instance import EdgeDigest, NetworkInstance, digest_block
from mc_interchange.network import AllToAll, Network, Neuron, Population, Projection
from mc_interchange.network.base import Count, Part
from mc_interchange.progress import Progress


class CsvOptions(ExportOptions):
    """Options of the table."""

    separator: str = ","


class CsvExporter(Exporter):
    """Writes all synapses into one table.

    Not representable
    -----------------
    Everything but the synapses.
    """

    format = "fake-csv"
    title = "one table of synapses"
    Options = CsvOptions

    def losses(self, instance: NetworkInstance, options: ExportOptions) -> list[Loss]:
        """Name what a table of synapses leaves out."""
        return [Loss("neuron parameters", "beside", "a table of synapses holds no neurons")]

    def estimate(self, instance: NetworkInstance, options: ExportOptions) -> int:
        """Return about 40 bytes per synapse."""
        return 40 * instance.n_edges

    def write(
        self, instance: NetworkInstance, directory: Path, options: Any, *, workers: int, progress: Progress
    ) -> Written:
        """Write ``synapses.csv``."""
        edges: dict[str, EdgeDigest] = {}
        with (directory / "synapses.csv").open("w", encoding="utf-8") as file:
            for projection in instance.projections.values():
                key = f"{projection.source} -> {projection.target}"
                for block in projection.blocks():
                    rows = zip(block.source, block.target, block.weight, block.delay, strict=True)
                    file.writelines(options.separator.join(map(str, row)) + "\n" for row in rows)
                    edges[key] = edges.get(key, EdgeDigest()) + digest_block(block)
        return Written(edges)


class PairArguments(Part):
    """Arguments of the model."""

    size: Count = 2


class Pair(ReferenceModel):
    """Two neurons, or more, all connected."""

    name = "fake-pair"
    title = "a few neurons, all connected"
    Arguments = PairArguments

    def build(self, arguments: Any) -> Network:
        """Return the network."""
        times = {"tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0}
        neuron = Neuron(
            model="iaf_psc_exp", parameters={"C_m": 250.0, **times, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0}
        )
        population = Population(name="P", size=arguments.size, neuron=neuron, initial_V_m=-65.0)
        projection = Projection(source="P", target="P", rule=AllToAll(), weight=1.5, delay=1.0)
        return Network(name="pair", populations=(population,), projections=(projection,))


class Stranger:
    """Not an exporter."""
