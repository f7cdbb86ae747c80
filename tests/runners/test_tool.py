"""Other programs: their errors in one line, and nothing of them left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from mc_interchange.errors import SimulationError
from mc_interchange.runners.neuroml.java import java_error
from mc_interchange.runners.tool import run_tool


def python(code: str, directory: Path, **options: object) -> list[str]:
    return run_tool([sys.executable, "-c", code], name="the tool", directory=directory, **options)


def test_lines_of_both_streams_come_while_it_runs(tmp_path: Path) -> None:
    seen: list[tuple[str, bool]] = []
    code = "import os, sys, time; print('a', flush=True); print('b', file=sys.stderr, flush=True)\n"
    code += "while not os.path.exists('go'): time.sleep(0.01)\nprint('c', end='')"

    def on_line(line: str) -> None:
        seen.append((line, (tmp_path / "go").exists()))
        if line == "b":
            (tmp_path / "go").touch()

    assert python(code, tmp_path, on_line=on_line) == ["a", "b", "c"]
    assert seen == [("a", False), ("b", False), ("c", True)]


def test_a_failure_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"^the tool ended with exit code 3: no such cell$"):
        python("import sys; print('before'); print('no such  cell\\n'); sys.exit(3)", tmp_path)
    with pytest.raises(SimulationError, match=r"^the tool ended with exit code 3: before$"):
        python("import sys; print('before'); print('last'); sys.exit(3)", tmp_path, reason=lambda lines: lines[0])
    with pytest.raises(SimulationError, match="the tool cannot be started: there-is-none: No such file"):
        run_tool(["there-is-none"], name="the tool", directory=tmp_path)


def test_exceptions_of_java() -> None:
    trace = ["Loading: x", "org.lemsml.jlems.core.sim.ContentError: No component found: x", "\tat org.A.b(A.java:1)"]
    assert java_error(trace) == "ContentError: No component found: x"
    thrown = 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space'
    assert java_error(["Loading: x", thrown]) == "OutOfMemoryError: Java heap space"
    assert java_error(["all is well"]) is None
    mixed = ["INFO (LOG)   at org.A.b", f"INFO Nov 2{thrown.replace('OutOfMemoryError', 'NullPointerException')}"]
    assert java_error(mixed) == "NullPointerException: Java heap space"
    assert java_error(["SEVERE:  (ERROR) ", "SEVERE:  (ERROR) No OutPort x", *mixed]) == "No OutPort x"


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(100)
"""


def test_an_interruption_ends_it_and_its_children(tmp_path: Path) -> None:
    started: list[int] = []

    def on_line(line: str) -> None:
        started.extend(map(int, line.split()))
        threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        python(STUBBORN, tmp_path, on_line=on_line)
    assert len(started) == 2
    deadline = time.monotonic() + 5
    while any(map(alive, started)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # a child whose parent is gone may wait as a zombie for whoever adopts it
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
