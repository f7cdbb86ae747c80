"""The network as HDF5, in the layout that jNeuroML and libNeuroML read (:mod:`mc_interchange.formats.neuroml.hdf5`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.contracts import Column, Loss
from mc_interchange.errors import NotRepresentableError
from mc_interchange.formats import neuroml as fmt
from mc_interchange.formats.hdf5 import NewFile, StreamedDataset, delays_in_ms, new_hdf5
from mc_interchange.formats.neuroml import hdf5 as layout
from mc_interchange.instance import EdgeBlock

from .cells import document_start
from .plan import Plan
from .writer import Cells, Connections, Head, NetworkWriter
from .xml import DECLARATION, element, printable

__all__ = ["Hdf5Writer"]

#: Datasets of at least so many bytes have a checksum of their own; the others belong to that of their file.
_LARGE = 2**20
#: Bits behind the 20 significant ones of a float32.
_BEHIND = np.uint32(0xF)


@dataclass(frozen=True)
class _Rounding:
    """What float32 did to some numbers.

    Parameters
    ----------
    n, changed
        How many there are, and how many do not come back.
    largest
        The largest deviation, of weights relative to them.
    low, high
        The range of those that were together with a changed one.
    """

    n: int = 0
    changed: int = 0
    largest: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def __add__(self, other: _Rounding) -> _Rounding:
        return _Rounding(
            self.n + other.n,
            self.changed + other.changed,
            max(self.largest, other.largest),
            min(self.low, other.low),
            max(self.high, other.high),
        )

    @property
    def constant(self) -> bool:
        """Whether one and the same number is changed everywhere."""
        return self.changed == self.n and self.low == self.high


@dataclass
class Hdf5Writer(NetworkWriter):
    """Writes ``NAME.net.nml.h5``.

    Parameters
    ----------
    hdf5
        The new file.
    name
        Its name.
    """

    suffix: ClassVar[str] = layout.SUFFIX
    lists_all: ClassVar[bool] = True
    sizes: ClassVar[tuple[int, int, int]] = (12, 20, 4000)

    hdf5: NewFile
    name: str

    def __post_init__(self) -> None:
        self._weights: dict[str, _Rounding] = {}
        self._positions = _Rounding()
        self._columns: list[Column] = []

    @classmethod
    @contextmanager
    def new(cls, path: Path, dt: float, planned: Plan) -> Iterator[Hdf5Writer]:  # noqa: ARG003  # physical values only
        """Make a file."""
        with new_hdf5(path) as file:
            yield cls(dt, file, path.name)

    @staticmethod
    def check(planned: Plan) -> None:
        """Refuse what has numbers that float32 does not tell apart."""
        if planned.matching:
            raise NotRepresentableError("--matched-to needs all digits, and HDF5 has float32: use --encoding xml")
        found = [
            (f"population {p.nodes.name}: {p.nodes.size} cells", p.nodes.size) for p in planned.populations.values()
        ]
        for item in planned.inputs:
            chosen = item.input.neurons
            n = (planned.populations[item.input.target].nodes.size if chosen is None else len(chosen)) * item.n_sources
            found.append((f"input {item.component}: {n} inputs", n))
        for what, n in found:
            if n > layout.MAX_ID:
                raise NotRepresentableError(
                    f"{what} are more than the {layout.MAX_ID} that HDF5's float32 tells apart; use --encoding xml"
                )

    @staticmethod
    def connection_bytes(source: Cells, target: Cells) -> int:  # noqa: ARG004  # the same for all
        """Return how many bytes one connection takes."""
        return len(layout.CONNECTIONS) * layout.VALUES.itemsize

    def begin(self, head: Head) -> None:
        """Make the groups around everything."""
        root = self.hdf5.hdf5.create_group(layout.ROOT)
        # without the declaration, since the encoding of an attribute is not that of the text in it
        start = document_start(head.document_id).removeprefix(DECLARATION)
        document = start + "  " + element("include", href=head.include) + "\n</neuroml>\n"
        _describe(root, {"id": head.document_id, "notes": head.notes, layout.TOP_LEVEL: document})
        # populations have an order, and names in HDF5 have none of their own
        self._network = root.create_group(layout.NETWORK, track_order=True)
        _describe(self._network, {"id": head.network_id, "notes": head.notes}, head.properties)

    def population(self, cells: Cells, positions: NDArray[np.float64] | None, properties: Mapping[str, str]) -> None:
        """Write a population with the locations of its cells."""
        group = self._network.create_group(layout.POPULATION + cells.identifier)
        attributes = {"id": cells.identifier, "component": cells.component, "type": "populationList"}
        _describe(group, attributes, properties)
        group.attrs["size"] = cells.size
        if positions is not None:
            places = positions.astype(layout.VALUES)
            self._dataset(group, cells.identifier, cells.size, layout.LOCATIONS).append(places)
            deviation = np.abs(layout.shortest(places.reshape(-1)) - positions.reshape(-1))
            largest = float(deviation.max(initial=0.0))
            self._positions += _Rounding(deviation.size, int(np.count_nonzero(deviation)), largest)

    def projection(self, name: str, identifier: str, synapse: str, source: Cells, target: Cells, n: int) -> Connections:
        """Make a projection, with a place for its connections."""
        group = self._network.create_group(layout.PROJECTION + identifier)
        ends = {"presynapticPopulation": source.identifier, "postsynapticPopulation": target.identifier}
        _describe(group, {"id": identifier, "type": "projection", **ends, "synapse": synapse})
        dataset = self._dataset(group, identifier, n, layout.CONNECTIONS)
        return _Hdf5Connections(self, name, dataset)

    def input_list(
        self,
        identifier: str,
        component: str,
        cells: Cells,
        targets: NDArray[np.int64],
        weights: NDArray[np.float64] | None,
    ) -> None:
        """Write a list of inputs."""
        group = self._network.create_group(layout.INPUT_LIST + identifier)
        _describe(group, {"id": identifier, "component": component, "population": cells.identifier})
        names = layout.INPUTS if weights is None else layout.WEIGHTED_INPUTS
        rows = np.empty((len(targets), len(names)), layout.VALUES)
        rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = np.arange(len(targets)), targets, 0, 0.5
        dataset = self._dataset(group, identifier, len(rows), names)
        if weights is not None:
            rows[:, 4] = layout.to_single(weights)
            self.compared(identifier, dataset, _compare(identifier, weights, rows[:, 4].copy()))
        dataset.append(rows)

    def end(self) -> None:
        """Take the checksums of what is large."""
        self._columns = [
            Column(self.name, stream.dataset.name, stream.dtype.name, stream.end, stream.checksum)
            for stream in self.hdf5.streams
            if stream.dataset.nbytes >= _LARGE
        ]

    @property
    def columns(self) -> list[Column]:
        """Checksums of large datasets."""
        return self._columns

    def losses(self) -> list[Loss]:
        """Name the numbers that do not come back."""
        found = []
        if self._weights:
            total = sum(self._weights.values(), _Rounding())
            detail = (
                f"HDF5 holds float32: {total.changed} of {total.n} weights come back changed, by up to "
                f"{total.largest:.2g} of their size"
            )
            found.append(Loss(f"weights of {', '.join(self._weights)}", "approximated", detail))
        if self._positions.changed:
            detail = f"HDF5 holds float32: they come back changed by up to {self._positions.largest:.2g} um"
            found.append(Loss("positions", "approximated", detail))
        return found

    def compared(self, name: str, dataset: StreamedDataset, rounding: _Rounding) -> None:
        """Take up what float32 did to the weights of a dataset; if it is one weight, put it beside."""
        if rounding.changed and rounding.constant:
            _describe(dataset.dataset, {layout.CONSTANT_WEIGHT: fmt.decimal(rounding.low, -3)})
        elif rounding.changed:
            self._weights[name] = self._weights.get(name, _Rounding()) + rounding

    def _dataset(self, group: h5py.Group, name: str, n: int, columns: tuple[str, ...]) -> StreamedDataset:
        stream = self.hdf5.streamed(group, name, (n, len(columns)), layout.VALUES)
        _describe(stream.dataset, {f"{layout.COLUMN}{index}": column for index, column in enumerate(columns)})
        return stream


class _Hdf5Connections(Connections):
    def __init__(self, writer: Hdf5Writer, name: str, dataset: StreamedDataset) -> None:
        self._writer, self._name, self._dataset = writer, name, dataset
        self._rounding = _Rounding()

    def encode(self, block: EdgeBlock) -> tuple[NDArray[np.float32], _Rounding]:
        rows = np.empty((len(block), len(layout.CONNECTIONS)), layout.VALUES)
        rows[:, 0] = block.source
        rows[:, 1] = block.target
        weight = layout.to_single(block.weight)
        rows[:, 2] = weight
        rows[:, 3] = delays_in_ms(block.delay, self._writer.dt, f"{self._name}: HDF5's")
        return rows, _compare(self._name, block.weight, weight)

    def append(self, encoded: tuple[NDArray[np.float32], _Rounding]) -> None:
        rows, rounding = encoded
        self._dataset.append(rows)
        self._rounding += rounding

    def close(self) -> None:
        self._writer.compared(self._name, self._dataset, self._rounding)


def _compare(name: str, weight: NDArray[np.float32 | np.float64], stored: NDArray[np.float32]) -> _Rounding:
    # most weights are drawn ones, which come back because they have 20 bits
    if weight.dtype == np.float32 and not np.any(weight.view(np.uint32) & _BEHIND):
        return _Rounding(len(weight))
    if not np.all(np.isfinite(stored)):
        raise NotRepresentableError(f"{name}: weights are too large for HDF5's float32; use --encoding xml")
    deviation = np.abs(layout.from_single(stored) - weight)
    changed = np.flatnonzero(deviation)
    if not len(changed):
        return _Rounding(len(weight))
    largest = np.max(deviation[changed] / np.abs(weight[changed].astype(np.float64)))
    return _Rounding(len(weight), len(changed), float(largest), float(weight.min()), float(weight.max()))


def _describe(
    item: h5py.Group | h5py.Dataset, attributes: Mapping[str, str], properties: Mapping[str, str] | None = None
) -> None:
    tagged = {layout.PROPERTY + tag: value for tag, value in (properties or {}).items()}
    for name, text in {**attributes, **tagged}.items():
        item.attrs[name] = printable(text)
