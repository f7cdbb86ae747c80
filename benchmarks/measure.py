"""Running a piece of work in its own process and measuring it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def in_process(script: str, function: str, **arguments: Any) -> dict[str, Any]:
    """Call ``function(**arguments)`` of a script in a new process.

    Returns
    -------
    dict
        What the function returned (a dict), with ``seconds`` of the call and ``peak_MB`` of the process.
    """
    code = f"import measure; measure.child({script!r}, {function!r})"
    result = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=False,
    )
    if result.returncode != 0:
        raise SystemExit(f"{script}:{function} failed:\n{result.stderr}")
    return dict(json.loads(result.stdout.splitlines()[-1]))


def child(script: str, function: str) -> None:
    """Do the work of :func:`in_process`; the result is the last line of standard output."""
    import importlib

    arguments = json.loads(sys.stdin.read())
    work = getattr(importlib.import_module(script), function)
    start = time.perf_counter()
    result = work(**arguments)
    result.setdefault("seconds", time.perf_counter() - start)
    result["peak_MB"] = peak()
    print()
    print(json.dumps(result))


def peak() -> float:
    """Return the peak memory of this process in MB (getrusage would tell the parent's where that is larger)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def dd(directory: Path, n_bytes: int) -> float:
    """Return the seconds that a plain ``dd`` takes to write so many bytes."""
    target = directory / "dd.out"
    start = time.perf_counter()
    subprocess.run(
        ["dd", "if=/dev/zero", f"of={target}", "bs=4M", f"count={n_bytes}", "iflag=count_bytes"],
        check=True,
        capture_output=True,
    )
    seconds = time.perf_counter() - start
    target.unlink()
    return seconds


def machine() -> str:
    """Return the machine's size in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Python {sys.version.split()[0]}"
