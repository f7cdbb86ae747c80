"""Output directories that are either whole or not there.

Work goes on in a hidden sibling ``.NAME.partial``; when it is complete, it takes the name in one rename.
With ``force``, the old directory steps aside to ``.NAME.previous`` first and is deleted last; whatever an
interruption leaves behind is put right by the next call. A directory without our manifest is never touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from .errors import OutputError

__all__ = ["MANIFEST", "reserve", "staged_directory"]

#: Marks a directory as ours, and is written last.
MANIFEST = "manifest.json"


@contextmanager
def staged_directory(out: str | Path, *, force: bool = False, marker: str = MANIFEST) -> Iterator[Path]:
    """Give an empty directory to write into, and rename it to ``out`` on success.

    Parameters
    ----------
    out
        Where the result shall be.
    force
        Replace a directory there, if it holds ``marker``.
    marker
        File that proves a directory complete and ours; the caller writes it last.

    Yields
    ------
    Path
        The staging directory. After an exception (Ctrl-C and SIGTERM included) it is removed, and
        ``out`` is as it was.

    Raises
    ------
    OutputError
        ``out`` is in the way, is not ours, is being written by another process, or cannot be written.
    """
    out = Path(os.path.abspath(out))
    if not out.name:
        raise OutputError(f"{out}: is not a place for an output; choose another --out")
    partial, previous = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.previous")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = _claim(out, partial)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({_reason(error)})") from None
    try:
        _finish_interrupted_swap(out, previous)
        _check_target(out, force, marker)
        _clear(partial)
        with _termination_raises():
            yield partial
            if not (partial / marker).is_file():
                raise RuntimeError(f"{marker} was not written")
            _swap(partial, out, previous)
        shutil.rmtree(previous, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"{out}: writing failed, nothing was left there ({_reason(error)})") from error
    finally:
        if _is_at(lock, partial):  # not after a success: then it would be another process's
            shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def reserve(directory: Path, n_bytes: int) -> None:
    """Refuse before writing what cannot fit on the disk.

    Raises
    ------
    OutputError
        With the size needed and the size free.
    """
    free = shutil.disk_usage(directory).free
    if n_bytes > free:
        raise OutputError(
            f"{directory.parent}: the output needs about {n_bytes / 1e9:.2f} GB, but only {free / 1e9:.2f} GB are free"
        )


def _claim(out: Path, partial: Path) -> int:
    """Lock the staging directory; the lock ends with the process, however it ends."""
    while True:
        with suppress(FileExistsError):
            partial.mkdir()
        try:
            lock = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # its owner has just removed it
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(lock, partial):
                return lock
        except BlockingIOError:
            os.close(lock)
            raise OutputError(f"{out}: another process is writing there; wait for it or choose another --out") from None
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # what was locked has been renamed or removed since it was opened


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _check_target(out: Path, force: bool, marker: str) -> None:
    if not os.path.lexists(out) or _is_empty_directory(out):
        return
    if out.is_symlink() or not (out / marker).is_file():
        what = (
            "is a symbolic link" if out.is_symlink() else f"exists and was not written by mc-interchange (no {marker})"
        )
        raise OutputError(f"{out}: {what}; choose another --out")
    if not force:
        raise OutputError(f"{out}: exists already; choose another --out, or --force to replace it")


def _is_empty_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _swap(partial: Path, out: Path, previous: Path) -> None:
    try:
        if out.exists() and not _is_empty_directory(out):
            os.rename(out, previous)
        os.rename(partial, out)  # takes the place of an empty directory, too
    except BaseException:
        if previous.exists() and not out.exists():
            os.rename(previous, out)
        raise


def _clear(directory: Path) -> None:
    for item in directory.iterdir():
        shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()


def _finish_interrupted_swap(out: Path, previous: Path) -> None:
    if not previous.exists():
        return
    if out.exists():
        shutil.rmtree(previous, ignore_errors=True)  # its owner may be deleting it at the same time
    else:
        os.rename(previous, out)


def _reason(error: OSError) -> str:
    # h5py reports the cause inside a long message and without strerror
    text = error.strerror or str(error)
    if "No space left" in text:
        return "no space left on the disk"
    return " ".join(text.split())


@contextmanager
def _termination_raises() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that nothing half-written stays behind."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
