"""The network as XML: lines of text, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from mc_interchange.formats import neuroml as fmt
from mc_interchange.instance import EdgeBlock

from .cells import document_start
from .connections import SLICE, ConnectionFormatter, DelayTexts, path_texts, weight_texts
from .plan import Plan
from .writer import Cells, Connections, Head, NetworkWriter
from .xml import element, start, text_element

__all__ = ["XmlWriter"]


@dataclass
class _File:
    file: BinaryIO

    def put(self, text: str) -> None:
        self.file.write(text.encode("utf-8"))


@dataclass
class XmlWriter(NetworkWriter):
    """Writes ``NAME.net.nml``.

    Parameters
    ----------
    file
        Open for writing.
    delay_shift
        Steps that are added to every delay.
    """

    suffix: ClassVar[str] = ".net.nml"
    lists_all: ClassVar[bool] = False
    sizes: ClassVar[tuple[int, int, int]] = (85, 110, 250)

    file: BinaryIO
    delay_shift: float = 0.0

    def __post_init__(self) -> None:
        self._put = _File(self.file).put
        self._delays = DelayTexts(self.dt, self.delay_shift)
        # spike trains project one by one onto the same cells
        self._target: tuple[Cells, NDArray[Any]] | None = None

    @classmethod
    @contextmanager
    def new(cls, path: Path, dt: float, planned: Plan) -> Iterator[XmlWriter]:
        """Make a file."""
        with path.open("wb", buffering=2**20) as file:
            yield cls(dt, file, fmt.DELAY_SHIFT[planned.matching.solver] if planned.matching else 0.0)

    @staticmethod
    def connection_bytes(source: Cells, target: Cells) -> int:
        """Return about how many bytes one connection takes."""
        return 95 + sum(len(end.path(end.size - 1)) for end in (source, target))

    def begin(self, head: Head) -> None:
        """Open the document and the network."""
        self._put(document_start(head.document_id))
        self._put("  " + element("include", href=head.include) + "\n")
        self._put("  " + start("network", id=head.network_id) + "\n")
        self._put("  " + text_element("notes", head.notes) + "\n")
        for tag, value in head.properties.items():
            self._put("   " + element("property", tag=tag, value=value) + "\n")

    def population(self, cells: Cells, positions: NDArray[np.float64] | None, properties: Mapping[str, str]) -> None:
        """Write a population, with its cells where it lists them."""
        attributes = {"id": cells.identifier, "component": cells.component, "size": str(cells.size)}
        if positions is not None:
            attributes["type"] = "populationList"
        self._put("   " + start("population", **attributes) + "\n")
        for tag, value in properties.items():
            self._put("    " + element("property", tag=tag, value=value) + "\n")
        for index, (x, y, z) in enumerate([] if positions is None else positions.tolist()):
            self._put(f'    <instance id="{index}"><location x="{x!r}" y="{y!r}" z="{z!r}"/></instance>\n')
        self._put("   </population>\n")

    def projection(
        self,
        name: str,  # noqa: ARG002  # for messages
        identifier: str,
        synapse: str,
        source: Cells,
        target: Cells,
        n: int,  # noqa: ARG002  # text needs no place
    ) -> Connections:
        """Open a projection."""
        if self._target is None or self._target[0] != target:
            self._target = target, path_texts("", target, '" weight="')
        attributes = {"presynapticPopulation": source.identifier, "postsynapticPopulation": target.identifier}
        self._put("   " + start("projection", id=identifier, **attributes, synapse=synapse) + "\n")
        sources = path_texts('" preCellId="../', source, '" postCellId="../')
        return _XmlConnections(self.file, ConnectionFormatter(sources, self._target[1], self._delays))

    def input_list(
        self,
        identifier: str,
        component: str,
        cells: Cells,
        targets: NDArray[np.int64],
        weights: NDArray[np.float64] | None,
    ) -> None:
        """Write a list of inputs."""
        self._put("   " + start("inputList", id=identifier, population=cells.identifier, component=component) + "\n")
        for first in range(0, len(targets), SLICE):
            some = slice(first, first + SLICE)
            self._put("".join(_inputs(first, cells, targets[some], None if weights is None else weights[some])))
        self._put("   </inputList>\n")

    def end(self) -> None:
        """Close the network and the document."""
        self._put("  </network>\n</neuroml>\n")


def _inputs(first: int, cells: Cells, targets: NDArray[np.int64], weights: NDArray[np.float64] | None) -> Iterator[str]:
    ends = ["/>"] * len(targets) if weights is None else [f' weight="{text}"/>' for text in weight_texts(weights)]
    name = "input" if weights is None else "inputW"
    for index, (target, end) in enumerate(zip(targets.tolist(), ends, strict=True), first):
        yield f'    <{name} id="{index}" target="../{cells.path(target)}" destination="synapses"{end}\n'


class _XmlConnections(Connections):
    """Formatting holds the interpreter, so that threads would only take turns at it: it is done by ``append``."""

    def __init__(self, file: BinaryIO, formatter: ConnectionFormatter) -> None:
        self._file, self._formatter = file, formatter
        self._count = 0

    def encode(self, block: EdgeBlock) -> EdgeBlock:
        return block

    def append(self, encoded: EdgeBlock) -> None:
        for lines in self._formatter.lines(encoded, self._count):
            self._file.write(lines)
        self._count += len(encoded)

    def close(self) -> None:
        self._file.write(b"   </projection>\n")
