"""Output directories that are either whole or not there.

Work goes on in a hidden sibling ``.NAME.partial``; when it is complete, it takes the name in one rename.
With ``force``, the old directory steps aside to ``.NAME.previous`` first and is deleted last; whatever an
interruption leaves behind is put right by the next call. A directory without our manifest is never touched.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from .errors import OutputError, one_line

__all__ = ["EXPERIMENT_FILE", "MANIFEST", "MODEL_FILE", "OURS", "SHARD", "reserve", "staged_directory"]

#: Marks a directory as ours, and is written last.
MANIFEST = "manifest.json"
#: The same of a part of an export, which nothing must take for an export.
SHARD = "shard.json"
#: The rules, beside every export that was made from rules.
MODEL_FILE = "model.yaml"
#: Inputs and simulation, beside every export of a network without rules.
EXPERIMENT_FILE = "experiment.yaml"
#: What a directory is that another of our tools wrote, by its marker.
OURS = {MANIFEST: "an export", SHARD: "a shard", "run.json": "a run"}
#: What ``flock`` says on file systems that have no locks.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
#: Other processes come and go between two steps of a claim, but not this often.
_TRIES = 20


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
        with _signals_raise() as raise_if_stopped:
            yield partial
            if not (partial / marker).is_file():
                raise RuntimeError(f"{marker} was not written")
            raise_if_stopped()
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
    for _ in range(_TRIES):
        made = False
        with suppress(FileExistsError):
            partial.mkdir()
            made = True
        try:
            lock = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # its owner has just removed it
            continue
        try:
            _lock(lock)
            if _is_at(lock, partial):
                return lock
        except BlockingIOError:
            os.close(lock)
            raise OutputError(f"{out}: another process is writing there; wait for it or choose another --out") from None
        except BaseException:
            os.close(lock)
            if made:
                with suppress(OSError):
                    partial.rmdir()
            raise
        os.close(lock)  # what was locked has been renamed or removed since it was opened
    with suppress(OSError):  # no more than an empty directory
        partial.rmdir()
    raise OutputError(f"{out}: cannot be reserved, {partial.name} keeps changing; choose another --out")


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems have no locks. Then two exports to one place at the same time are not
        # noticed, but one alone is as safe as anywhere: better than to refuse all work there.
        if error.errno not in _NO_LOCKS:
            raise


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _check_target(out: Path, force: bool, marker: str) -> None:
    if not os.path.lexists(out) or _is_empty_directory(out):
        return
    if out.is_symlink() or not (out / marker).is_file():
        others = [kind for file, kind in OURS.items() if file != marker and (out / file).is_file()]
        if out.is_symlink():
            what = "is a symbolic link"
        elif others:
            what = f"is {others[0]}, not {OURS.get(marker, 'what this writes')}"
        else:
            what = f"exists and was not written by mc-interchange (no {marker})"
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
    return one_line(text)


@contextmanager
def _signals_raise() -> Iterator[Callable[[], None]]:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that nothing half-written stays behind.

    Yields
    ------
    function
        Raises if a signal has arrived: Python loses an exception that a handler raises while it runs a
        callback of the garbage collector, and the work goes on.
    """
    arrived: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)
        raise_if_stopped()

    def raise_if_stopped() -> None:
        if arrived:
            raise KeyboardInterrupt if arrived[0] == signal.SIGINT else SystemExit(128 + arrived[0])

    if threading.current_thread() is not threading.main_thread():
        yield raise_if_stopped
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield raise_if_stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
