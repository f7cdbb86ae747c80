"""Datasets that are written from front to back at the speed of the disk."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import xxhash
from numpy.typing import NDArray

__all__ = ["StreamedDataset", "StreamedFile"]


class StreamedDataset:
    """A contiguous dataset that grows from the front, and the checksum of what is in it.

    HDF5 allots the space; the values go straight to their place in the file. That leaves the interpreter
    free for the threads that draw the next blocks, which HDF5's own writing does not.

    Parameters
    ----------
    group, name, shape, dtype
        The dataset to make.
    file
        File descriptor of the group's file.
    """

    def __init__(
        self, group: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | type, file: int
    ) -> None:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.CONTIGUOUS)
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        self.dataset = group.create_dataset(name, shape, dtype, dcpl=properties)
        self.end = 0
        self._hasher = xxhash.xxh3_64()
        self._file = file
        self._offset = self.dataset.id.get_offset()

    def append(self, values: NDArray[Any]) -> None:
        """Write values behind those that are there."""
        if self.end + len(values) > len(self.dataset):
            raise RuntimeError(f"{self.dataset.name}: more values than the {len(self.dataset)} announced")
        data = np.ascontiguousarray(values, self.dataset.dtype).data.cast("B")
        self._hasher.update(data)
        self.end += len(values)
        while data:
            written = os.pwrite(self._file, data, self._offset)
            self._offset += written
            data = data[written:]

    @property
    def checksum(self) -> str:
        """XXH3 checksum of all values so far."""
        return str(self._hasher.hexdigest())


class StreamedFile:
    """A new HDF5 file some of whose datasets are :class:`StreamedDataset`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.hdf5 = h5py.File(path, "w")
        self._descriptor = os.open(path, os.O_WRONLY)

    def dataset(self, group: h5py.Group, name: str, shape: tuple[int, ...], dtype: Any) -> StreamedDataset:
        """Make a dataset to be filled from the front."""
        return StreamedDataset(group, name, shape, np.dtype(dtype), self._descriptor)

    def __enter__(self) -> StreamedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        self.hdf5.close()
