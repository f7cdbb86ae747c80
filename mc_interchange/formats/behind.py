"""Writing a large file in a thread of its own, and past the cache of the operating system where that is possible.

Copying into the cache takes as long as drawing the values that are written, and a file that is larger than the
memory drives everything else out of it. So large parts go to the disk directly (``O_DIRECT``): whole pages of the file,
from memory that begins at a page. What is smaller, and all of it where the file system does not know this, is written
the usual way.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

__all__ = ["PAGE", "Behind", "Gathered", "write_all"]

#: What every file system takes as the unit of direct writing.
PAGE = 4096
#: Bytes that are gathered before they are written.
_GATHERED = 2**21
#: Writes that wait for the disk at most: a few megabytes.
_MAX_WAITING = 4


class Behind:
    """Writes in the order of the calls, and a few writes behind.

    Parameters
    ----------
    path
        An existing file.
    descriptor
        The same, open for reading and writing.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._descriptor = descriptor
        self._direct = _open_direct(path)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()
        self._free: list[memoryview] = []

    def write(self, data: memoryview, offset: int) -> None:
        """Write soon, through the cache; raise what an earlier write has raised."""
        self._submit(write_all, self._descriptor, data, offset)

    def write_pages(self, buffer: memoryview, n_bytes: int, offset: int) -> None:
        """Write soon the first bytes of what :meth:`buffer` gave, which is taken back."""
        self._submit(self._write_pages, buffer, n_bytes, offset)

    def buffer(self) -> memoryview:
        """Return memory that begins at a page."""
        return self._free.pop() if self._free else memoryview(mmap.mmap(-1, _GATHERED))

    def wait(self) -> None:
        """Wait until everything is written."""
        while self._waiting:
            self._waiting.popleft().result()

    def read(self, n_bytes: int, offset: int) -> bytes:
        """Read what was written before; may be called in any thread."""
        return self._thread.submit(os.pread, self._descriptor, n_bytes, offset).result()

    def stop(self) -> None:
        """Give up what still waits; nothing is written any more afterwards."""
        self._thread.shutdown(cancel_futures=True)
        if self._direct is not None:
            os.close(self._direct)

    def _submit(self, function: Callable[..., None], *arguments: object) -> None:
        self._waiting.append(self._thread.submit(function, *arguments))
        while len(self._waiting) > _MAX_WAITING:
            self._waiting.popleft().result()

    def _write_pages(self, buffer: memoryview, n_bytes: int, offset: int) -> None:
        done = 0
        if self._direct is not None and offset % PAGE == 0:
            done = n_bytes - n_bytes % PAGE
            try:
                write_all(self._direct, buffer[:done], offset)
            except OSError as error:
                # a file system that opens files for it, but has larger pages or none
                if error.errno != errno.EINVAL:
                    raise
                done = 0
        write_all(self._descriptor, buffer[done:n_bytes], offset + done)
        self._free.append(buffer)


class Gathered:
    """Bytes that follow each other in a file, gathered into large writes.

    Parameters
    ----------
    behind
        Of the file.
    offset
        Of the first byte in it.
    """

    def __init__(self, behind: Behind, offset: int) -> None:
        self._behind = behind
        self._offset = offset
        self._buffer: memoryview | None = None
        self._used = 0

    def append(self, data: memoryview) -> None:
        """Take bytes; they may be changed afterwards."""
        while data:
            if self._buffer is None:
                self._buffer = self._behind.buffer()
            n = min(len(data), _GATHERED - self._used)
            self._buffer[self._used : self._used + n] = data[:n]
            self._used += n
            data = data[n:]
            if self._used == _GATHERED:
                self.flush()

    def flush(self) -> None:
        """Write soon what was gathered."""
        if self._buffer is not None:
            self._behind.write_pages(self._buffer, self._used, self._offset)
            self._offset += self._used
            self._buffer, self._used = None, 0


def write_all(descriptor: int, data: memoryview, offset: int) -> None:
    """Write bytes at an offset, however many calls that takes."""
    while data:
        written = os.pwrite(descriptor, data, offset)
        offset += written
        data = data[written:]


def _open_direct(path: Path) -> int | None:
    """Open a file for direct writing; None where that is not known."""
    flag = getattr(os, "O_DIRECT", 0)
    try:
        return os.open(path, os.O_WRONLY | flag) if flag else None
    except OSError:
        return None
