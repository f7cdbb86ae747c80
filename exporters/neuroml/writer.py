"""Where the parts of a network go: the interface of the two encodings.

The walk over an instance (:mod:`.network`) decides what is written and hands it over in terms of NeuroML; a writer
knows how its encoding says it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mc_interchange.contracts import Column, Loss
from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import EdgeBlock

from .plan import Plan

__all__ = ["Cells", "Connections", "Head", "NetworkWriter"]


@dataclass(frozen=True)
class Cells:
    """A population of NeuroML, as projections and lists of inputs refer to it.

    Parameters
    ----------
    identifier
        Its own.
    component
        Identifier of what all its cells are.
    size
        Number of cells.
    listed
        Whether the cells are listed with their locations; else there is a size only.
    """

    identifier: str
    component: str
    size: int
    listed: bool

    def path(self, index: int) -> str:
        """Return the path of one cell below the network."""
        return fmt.member_path(self.identifier, index, self.component, self.listed)


@dataclass(frozen=True)
class Head:
    """What a document says before its first population.

    Parameters
    ----------
    document_id, network_id
        Identifiers.
    notes
        Text for people.
    properties
        Of the network: value by tag.
    include
        Name of the file of components.
    """

    document_id: str
    network_id: str
    notes: str
    properties: Mapping[str, str]
    include: str


class Connections(ABC):
    """The connections of one projection, while they are written."""

    @abstractmethod
    def encode(self, block: EdgeBlock) -> Any:
        """Turn a block into what is appended; may be called in any thread."""

    @abstractmethod
    def append(self, encoded: Any) -> None:
        """Write what :meth:`encode` returned, in the order of the stream."""

    def close(self) -> None:  # noqa: B027  # not every encoding has an end to write
        """End the projection."""


@dataclass
class NetworkWriter(ABC):
    """Writes the parts of one network, in the order of the methods.

    Parameters
    ----------
    dt
        Resolution in ms.
    """

    #: End of the name of the file.
    suffix: ClassVar[str]
    #: Whether every population must list its cells.
    lists_all: ClassVar[bool]
    #: Bytes of a cell with its location, of an input, and of a population or projection.
    sizes: ClassVar[tuple[int, int, int]]

    dt: float

    @property
    def columns(self) -> Sequence[Column]:
        """Checksums of large datasets, when all is written."""
        return ()

    @classmethod
    @abstractmethod
    def new(cls, path: Path, dt: float, planned: Plan) -> AbstractContextManager[NetworkWriter]:
        """Make a file, and give what writes it; it is complete when the context ends without an exception."""

    @staticmethod  # noqa: B027  # not every encoding has limits
    def check(planned: Plan) -> None:
        """Refuse what the encoding cannot hold.

        Raises
        ------
        NotRepresentableError
        """

    @staticmethod
    @abstractmethod
    def connection_bytes(source: Cells, target: Cells) -> int:
        """Return about how many bytes one connection takes."""

    @abstractmethod
    def begin(self, head: Head) -> None:
        """Open the network."""

    @abstractmethod
    def population(self, cells: Cells, positions: NDArray[np.float64] | None, properties: Mapping[str, str]) -> None:
        """Write a population.

        Parameters
        ----------
        positions : ndarray, shape (size, 3), um
            Given only where the cells are listed.
        properties
            Value by tag.
        """

    @abstractmethod
    def projection(self, name: str, identifier: str, synapse: str, source: Cells, target: Cells, n: int) -> Connections:
        """Open a projection of ``n`` connections, at least one.

        Parameters
        ----------
        name
            Of our projection, of which it may be a part.
        identifier, synapse
            Its own, and that of its component.
        """

    @abstractmethod
    def input_list(
        self,
        identifier: str,
        component: str,
        cells: Cells,
        targets: NDArray[np.int64],
        weights: NDArray[np.float64] | None,
    ) -> None:
        """Write a list of inputs.

        Parameters
        ----------
        targets : ndarray, shape (n,), int64
            Index of each cell.
        weights : ndarray, shape (n,), float64, pA
            None: the amplitude of the component counts.
        """

    @abstractmethod
    def end(self) -> None:
        """Close the network."""

    def losses(self) -> list[Loss]:
        """Name what the encoding has changed, as far as only writing tells."""
        return []
