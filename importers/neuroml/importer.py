"""The NeuroML importer."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from functools import partial
from pathlib import Path

from mc_interchange.contracts import Finding, Importer
from mc_interchange.errors import ArtefactError, FormatError, InterchangeError, ModelError, one_line
from mc_interchange.formats import neuroml as fmt
from mc_interchange.importers.beside import Beside
from mc_interchange.importers.names import valid_name
from mc_interchange.instance import NetworkInstance
from mc_interchange.progress import Progress, Silent

from .document import Document, NeuroMLWarning
from .files import is_neuroml
from .interpretation import Interpretation
from .reading import check_document, finding_of, read_document
from .recordings import property_dt, recorded, simulation_of
from .rules import effect, is_written, with_drawn

__all__ = ["NeuroMLImporter"]


class NeuroMLImporter(Importer):
    """Reads NeuroML networks of point neurons, as XML or HDF5, whoever wrote them.

    A cell and the synapses on it become one neuron model of the catalogue. What NeuroML cannot say is taken from
    the model file beside the network, or for a network without rules from the experiment file, where there is
    one; where both say something, the network counts and a :class:`NeuroMLWarning` tells. Without such a file,
    the LEMS file says what is recorded. What has no equal is refused, with file and line.
    """

    format = "neuroml"
    title = "NeuroML 2 and LEMS"

    def recognises(self, path: Path) -> bool:
        """Say whether this is a file of NeuroML or LEMS, or a directory with one."""
        return is_neuroml(path)

    def check(
        self,
        path: Path,
        consumers: Collection[str] = (),  # noqa: ARG002  # none are known
        *,
        progress: Progress = Silent(),  # noqa: ARG002, B008  # how much there is is known at the end only
    ) -> list[Finding]:
        """Read everything, and find out what it means."""
        directory = path if path.is_dir() else path.parent
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", NeuroMLWarning)
            try:
                findings = check_document(path, Beside(directory, "the network", NeuroMLWarning).simulation.dt)
                if not any(finding.level == "error" for finding in findings):
                    self.read(path).digest()
            except ArtefactError as error:
                findings += [finding_of(error, directory, "warning")]
            except InterchangeError as error:
                findings = [finding_of(error, directory)]
            except Exception as error:  # whatever a damaged file makes a library raise, the answer is the same
                findings = [Finding.of(error, directory)]
        texts = dict.fromkeys(one_line(str(warning.message)) for warning in caught)
        told = [finding_of(FormatError(text), directory, "warning") for text in texts]
        return [*findings, *(finding for finding in told if finding not in findings)]

    def read(self, path: Path) -> NetworkInstance:
        """Open a network (see :class:`mc_interchange.contracts.Importer`)."""
        beside = Beside(path if path.is_dir() else path.parent, "the network", NeuroMLWarning)
        document = _document(path, beside)
        simulation = simulation_of(document, beside.simulation, alone=not beside.found)
        if document.simulation is not None:
            keys = {"dt": "step", "duration": "length", "seed": "seed"}
            beside.compare_simulation(
                simulation, {field: f"{key} in {document.simulation.path.name}" for field, key in keys.items()}
            )
        meant = Interpretation(document, simulation, beside)
        if not beside.found:
            simulation = recorded(document, simulation, meant.cells, set(meant.neurons))
        populations = with_drawn(meant.populations, meant.pulses, beside, simulation.seed, single=meant.single)
        populations = beside.with_activity(beside.complete(populations))
        beside.compare_projections(meant.projections, simulation.seed)
        sizes = {nodes.name: nodes.size for nodes in populations.values()}
        same = partial(effect, dt=simulation.dt, sizes=sizes, single=meant.single)
        try:
            return NetworkInstance(
                name=beside.name or _name(document),
                populations=populations,
                projections=meant.projections,
                inputs=beside.join_inputs(meant.inputs, same, document.path.name, is_written),
                simulation=simulation,
                network=beside.network,
                seed=simulation.seed if beside.network else None,
            )
        except ModelError as error:
            raise FormatError(f"{document.path}: {error}") from None


def _document(path: Path, beside: Beside) -> Document:
    """Read all files, at the resolution that one of them states."""
    document = read_document(path, beside.simulation.dt)
    if document.simulation is None and not beside.found:
        dt = property_dt(document)
        if dt is not None and dt != document.dt:
            return read_document(path, dt)
    return document


def _name(document: Document) -> str:
    name = document.properties.get(fmt.MODEL, document.name)
    return valid_name(name)
