"""Writing the edges of one projection, block by block, with checksums and indices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mc_interchange.contracts import Column
from mc_interchange.errors import FormatError
from mc_interchange.formats import sonata
from mc_interchange.formats.hdf5 import NewFile, StreamedDataset, delays_in_ms, new_hdf5
from mc_interchange.formats.sonata_output import stamp
from mc_interchange.instance import EdgeBlock, EdgeDigest, Edges, digest_block, map_blocks
from mc_interchange.progress import Progress

from .indices import write_index

__all__ = ["write_edges"]

#: Edges per block: few enough that projections of average size keep several workers busy.
_BLOCK = 2**18


@dataclass(frozen=True)
class _Encoded:
    """A block as it goes into the file, made in a worker thread."""

    columns: tuple[NDArray[Any], ...]
    digest: EdgeDigest
    source_counts: NDArray[np.int64]
    target_counts: NDArray[np.int64]


def write_edges(
    edges: Edges,
    directory: Path,
    *,
    edge_type_id: int,
    sizes: tuple[int, int],
    dt: float,
    index: tuple[str, ...],
    workers: int,
    progress: Progress,
) -> tuple[EdgeDigest, list[Column]]:
    """Write one edge file.

    Parameters
    ----------
    edges
        At least one synapse: an empty edge population crashes NEST's SONATA reader.
    sizes
        Sizes of the source and target populations.
    dt
        Resolution in ms.
    index
        Which of ``source_to_target`` and ``target_to_source`` to write.

    Returns
    -------
    tuple
        The digest of what was written, and the checksum of each column.

    Raises
    ------
    FormatError
        The stream is not in the order that it announces.
    NotRepresentableError
        Delays are too long for float32 at this resolution.
    RuntimeError
        The stream holds another number of edges than it announced.
    """
    name = sonata.edges_file(edges.name)
    with new_hdf5(directory / name) as file:
        stamp(file.hdf5)
        group = file.hdf5.create_group(f"edges/{edges.name}")
        datasets = _create(file, group, edges, edge_type_id)
        numbers = datasets.pop("edge_group_index")
        digest, source_counts, target_counts = EdgeDigest(), np.zeros(sizes[0], int), np.zeros(sizes[1], int)

        def encode(block: EdgeBlock) -> _Encoded:
            return _encode(edges.name, block, edges.weight_dtype, dt, sizes)

        ordered = {"source": 0, "target": 1}.get(edges.order)
        last = 0
        for encoded in map_blocks(edges, encode, max_edges=_BLOCK, workers=workers):
            if ordered is not None and encoded.digest.count:
                sorted_ids = encoded.columns[ordered]
                if sorted_ids[0] < last:
                    raise FormatError(f"{edges.name}: its synapses are not sorted by {edges.order}, as is said of them")
                last = sorted_ids[-1]
            for dataset, values in zip(datasets.values(), encoded.columns, strict=True):
                dataset.append(values)
            numbers.append(np.arange(numbers.end, numbers.end + encoded.digest.count, dtype=numbers.dtype))
            digest += encoded.digest
            source_counts += encoded.source_counts
            target_counts += encoded.target_counts
            progress.advance(encoded.digest.count)
        if digest.count != edges.n_edges:
            raise RuntimeError(f"{edges.name}: {edges.n_edges} edges were announced, {digest.count} came")
        for kind in index:
            ids, counts = ("source", source_counts) if kind == "source_to_target" else ("target", target_counts)
            index_group = group.create_group(f"indices/{kind}")
            column = datasets[f"{ids}_node_id"]
            write_index(file, index_group, column, counts, is_sorted=edges.order == ids, workers=workers)
        columns = [Column(name, d.dataset.name, d.dtype.name, d.end, d.checksum) for d in file.streams]
    return digest, columns


def _create(file: NewFile, group: h5py.Group, edges: Edges, edge_type_id: int) -> dict[str, StreamedDataset]:
    shape = (edges.n_edges,)
    datasets = {}
    for end, population in (("source", edges.source), ("target", edges.target)):
        name = f"{end}_node_id"
        datasets[name] = file.streamed(group, name, shape, sonata.EDGE_ID)
        datasets[name].dataset.attrs["node_population"] = population
    # Constant columns take no space: HDF5 gives the fill value for what was never written.
    group.create_dataset("edge_type_id", shape, np.uint32, fillvalue=edge_type_id)
    group.create_dataset("edge_group_id", shape, np.uint32, fillvalue=0)
    properties = group.create_group("0")
    datasets["syn_weight"] = file.streamed(properties, "syn_weight", shape, edges.weight_dtype)
    datasets["delay"] = file.streamed(properties, "delay", shape, np.float32)
    # A second name of the same data, since PyNN looks for delays here.
    properties.create_group("dynamics_params")["delay"] = properties["delay"]
    index_type = np.uint32 if edges.n_edges <= 2**32 else np.uint64
    datasets["edge_group_index"] = file.streamed(group, "edge_group_index", shape, index_type)
    return datasets


def _encode(name: str, block: EdgeBlock, weight_dtype: np.dtype[Any], dt: float, sizes: tuple[int, int]) -> _Encoded:
    return _Encoded(
        (
            np.ascontiguousarray(block.source, sonata.EDGE_ID),
            np.ascontiguousarray(block.target, sonata.EDGE_ID),
            np.ascontiguousarray(block.weight, weight_dtype),
            delays_in_ms(block.delay, dt, f"{name}: SONATA's"),
        ),
        digest_block(block),
        np.bincount(block.source, minlength=sizes[0]),
        np.bincount(block.target, minlength=sizes[1]),
    )
