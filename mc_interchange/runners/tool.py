"""Starting other programs: what they print, whether they still live, and how they are stopped."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mc_interchange.errors import SimulationError, one_line

__all__ = ["run_tool"]

#: How often a program that prints nothing is looked after, in s.
PATIENCE = 0.2
#: Lines of what it printed that are kept for the message of an error.
KEPT_LINES = 400
#: How long a program that is to end has for that, in s, before it is killed.
GRACE = 3.0


def run_tool(
    command: Sequence[str],
    *,
    name: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
    reason: Callable[[Sequence[str]], str | None] | None = None,
) -> list[str]:
    """Run a program to its end, and stop it, with all that it started, if this is interrupted.

    Parameters
    ----------
    command
        Program and arguments.
    name
        What messages call it.
    directory
        Where it runs.
    environment
        None: as here.
    on_line
        Called with each line that it prints, on either stream.
    meanwhile
        Called several times per second.
    reason
        Finds, in the lines that a program printed before it failed, the one that says why; None: the last one.

    Returns
    -------
    list of str
        The last lines that it printed.

    Raises
    ------
    SimulationError
        It cannot be started, or ends with an error.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise SimulationError(f"{name} cannot be started: {command[0]}: {error.strerror}") from None
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    try:
        _follow(process, lines, on_line, meanwhile)
        code = process.wait()
    except BaseException:
        # the whole group: these tools start compilers and interpreters of their own
        _end(process)
        raise
    if code:
        said = reason(lines) if reason else None
        said = said or next((line for line in reversed(lines) if line.strip()), "it said nothing")
        raise SimulationError(f"{name} ended with exit code {code}: {one_line(said, 300)}")
    return list(lines)


def _follow(
    process: subprocess.Popen[bytes],
    lines: deque[str],
    on_line: Callable[[str], None] | None,
    meanwhile: Callable[[], None] | None,
) -> None:
    def take(line: bytes) -> None:
        lines.append(line.decode("utf-8", "replace"))
        if on_line:
            on_line(lines[-1])

    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as selector, process.stdout:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(PATIENCE):
                data = os.read(process.stdout.fileno(), 2**16)
                if not data:
                    break
                *whole, rest = (rest + data).split(b"\n")
                for line in whole:
                    take(line)
            if meanwhile:
                meanwhile()
    if rest:
        take(rest)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it has started; each gets the time to clear away its own files."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE
        try:
            os.killpg(process.pid, number)
            # children may outlive their parent: wait until nothing is left of the group
            while time.monotonic() < deadline:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.02)
        except ProcessLookupError:
            break
    process.wait()
