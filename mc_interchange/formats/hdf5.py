"""Reading and writing HDF5 files so that a fault is an error, and never a crash or half a file.

HDF5 itself does not survive a full disk: closing a file whose metadata cannot be written ends the
process. So new files are laid out in memory, and this module writes them. Large datasets do not pass through
memory: HDF5 allots their place, and their values go there directly (see :class:`StreamedDataset`), which also
leaves the interpreter free for the threads that draw the next values.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xxhash
from numpy.typing import NDArray

from mc_interchange.errors import FormatError, NotRepresentableError, one_line
from mc_interchange.instance.sampling import round_delays

from .behind import PAGE, Behind, Gathered, write_all

__all__ = ["NewFile", "StreamedDataset", "delays_in_ms", "holds", "items_of", "new_hdf5", "open_hdf5"]

#: Steps below which float32, with its 24 bits, is within a quarter of a step.
_ALWAYS_EXACT = 2**22
#: Bytes that a byte on the disk can stand for, at most; deflate reaches about a thousand.
_MAX_COMPRESSION = 10_000
#: Bytes from which on a dataset begins at a page, as direct writing needs it.
_ALIGNED = 2**16


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading, with one-line errors for what HDF5 and missing objects raise."""
    if not path.is_file():
        raise FormatError(f"{path}: no such file")
    try:
        file = h5py.File(path, "r")
    except (OSError, RuntimeError) as error:
        raise FormatError(f"{path}: not a readable HDF5 file ({one_line(error, 160)})") from None
    try:
        yield file
    except (KeyError, OSError, RuntimeError, AttributeError, TypeError, ValueError) as error:
        # the last three: a group where a dataset was expected or the reverse, or a scalar instead of a list
        raise FormatError(f"{path}: cannot be read as expected ({one_line(error, 160)})") from None
    finally:
        file.close()


def items_of(group: h5py.Group) -> list[tuple[str, Any]]:
    """Return what is in a group, with names.

    h5py's own ``items()`` holds its lock from one item to the next: where the loop ends early, by an error or a
    ``yield``, every other thread that reads HDF5 waits until the loop is cleared away.
    """
    return list(group.items())


def holds(dataset: h5py.Dataset) -> bool:
    """Say whether the file can hold what a dataset claims, however well it is compressed."""
    claimed = float(np.prod(dataset.shape, dtype=float)) * dataset.dtype.itemsize
    return bool(claimed <= dataset.id.get_storage_size() * _MAX_COMPRESSION)


@contextmanager
def new_hdf5(path: Path) -> Iterator[NewFile]:
    """Make a new HDF5 file; it is complete when the context ends without an exception, else it is gone.

    Raises
    ------
    OSError
        There is a file of this name (two populations or projections must never share one), the disk is full,
        or something else that the operating system says.
    RuntimeError
        A streamed dataset was not filled to its end.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    behind = Behind(path, descriptor)
    try:
        layout = _Layout()
        with h5py.File(layout, "w", alignment_threshold=_ALIGNED, alignment_interval=PAGE) as file:
            new = NewFile(file, behind)
            yield new
            behind.wait()
            for stream in new.streams:
                if stream.end != len(stream):
                    raise RuntimeError(f"{stream.dataset.name}: {len(stream)} values were announced, {stream.end} came")
        layout.write_to(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        behind.stop()
        os.close(descriptor)


class NewFile:
    """A file that :func:`new_hdf5` makes.

    Parameters
    ----------
    hdf5
        The file as h5py knows it; what is written through it is held in memory until the end.
    behind
        Writes to the disk.
    """

    def __init__(self, hdf5: h5py.File, behind: Behind) -> None:
        self.hdf5 = hdf5
        self._behind = behind
        #: All streamed datasets, in the order in which they were made.
        self.streams: list[StreamedDataset] = []

    def streamed(self, group: h5py.Group, name: str, shape: tuple[int, ...], dtype: Any) -> StreamedDataset:
        """Make a dataset to be filled from the front, past memory."""
        self.streams.append(StreamedDataset(group, name, shape, np.dtype(dtype), self._behind))
        return self.streams[-1]


class StreamedDataset:
    """A contiguous dataset that grows from the front, and the checksum of what is in it.

    Parameters
    ----------
    group, name, shape, dtype
        The dataset to make.
    behind
        Writes to the file.
    """

    def __init__(
        self, group: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], behind: Behind
    ) -> None:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.CONTIGUOUS)
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        self.dataset = group.create_dataset(name, shape, dtype, dcpl=properties)
        self.dtype = dtype
        self.end = 0
        self._size = shape[0]
        self._row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=int))
        self._hasher = xxhash.xxh3_64()
        self._behind = behind
        self._offset = self.dataset.id.get_offset()
        self._gathered = Gathered(behind, self._offset)

    def __len__(self) -> int:
        return self._size

    def append(self, values: NDArray[Any]) -> None:
        """Write values behind those that are there, soon."""
        if self.end + len(values) > self._size:
            raise RuntimeError(f"{self.dataset.name}: more values than the {self._size} announced")
        data = np.ascontiguousarray(values, self.dtype).view(np.uint8).reshape(-1).data
        self._hasher.update(data)
        self._gathered.append(data)
        self.end += len(values)
        if self.end == self._size:
            self._gathered.flush()

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Read rows of a one-dimensional dataset that is complete."""
        if self.end != self._size:
            raise RuntimeError(
                f"{self.dataset.name}: {self._size} values were announced, and only {self.end} are there"
            )
        start, stop, _ = rows.indices(self.end)
        return self.fetch(start * self._row_bytes, stop - start, self.dtype)

    def put_aside(self, offset: int, values: NDArray[Any]) -> None:
        """Keep values for a while in the place of rows that are not filled yet, ``offset`` bytes from the front."""
        data = np.ascontiguousarray(values).data.cast("B")
        if offset < self.end * self._row_bytes or offset + len(data) > self._size * self._row_bytes:
            raise RuntimeError(f"{self.dataset.name}: there is no free place at byte {offset}")
        self._behind.write(data, self._offset + offset)

    def fetch(self, offset: int, n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Read ``n`` values that were put aside there."""
        n_bytes = n * dtype.itemsize
        data = self._behind.read(n_bytes, self._offset + offset)
        if len(data) != n_bytes:
            raise OSError(f"{self.dataset.name}: {n_bytes} bytes were expected, {len(data)} came")
        return np.frombuffer(data, dtype)

    @property
    def checksum(self) -> str:
        """XXH3 checksum of all values so far, hexadecimal."""
        return str(self._hasher.hexdigest())


def delays_in_ms(delay: NDArray[np.int32], dt: float, whose: str) -> NDArray[np.float32]:
    """Return delays in ms, each the float32 nearest to its decimal.

    No rounding to the decimal is needed first: the error of 3 * 0.1 is far below half a float32 spacing.

    Parameters
    ----------
    delay : ndarray, shape (n,), int32, steps of ``dt``
    dt
        Resolution in ms.
    whose
        Projection and format, for errors: ``A_to_B: SONATA's``.

    Raises
    ------
    NotRepresentableError
        They are too long for float32.
    """
    longest = int(delay.max(initial=0))
    if longest < min(len(delay), _ALWAYS_EXACT):
        table: NDArray[np.float32] = (np.arange(longest + 1) * dt).astype(np.float32)
        return table[delay]
    values: NDArray[np.float32] = (delay * dt).astype(np.float32)
    if not np.array_equal(round_delays(values.astype(np.float64), dt), delay):
        raise NotRepresentableError(
            f"{whose} float32 delays cannot hold delays of up to {longest * dt:.12g} ms in steps of {dt:g} ms; use a "
            "larger dt or shorter delays"
        )
    return values


class _Layout(io.RawIOBase):
    """What HDF5 believes to be its file: only what it wrote itself, with the places of the rest."""

    def __init__(self) -> None:
        self._writes: list[tuple[int, bytes]] = []
        self._position = self._size = 0

    def write_to(self, descriptor: int) -> None:
        for offset, data in self._writes:
            write_all(descriptor, memoryview(data), offset)
        os.ftruncate(descriptor, self._size)

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._writes.append((self._position, content))
        self._position += len(content)
        self._size = max(self._size, self._position)
        return len(content)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._size - self._position))
        content = bytearray(wanted)
        for offset, data in self._writes:
            start, stop = max(offset, self._position), min(offset + len(data), self._position + wanted)
            if start < stop:
                content[start - self._position : stop - self._position] = data[start - offset : stop - offset]
        view[:wanted] = content
        self._position += wanted
        return wanted

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        self._size = self._position if size is None else size
        return self._size

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
