"""Signals, a full disk and closed pipes: no half export, nothing destroyed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest


def start_slow_export(tools, *arguments: str) -> subprocess.Popen[str]:
    """Start an export that takes a minute, and return once it writes."""
    started = tools.directory.parent / f"{tools.directory.name}.started"
    started.unlink(missing_ok=True)
    process = tools.process(
        "mc-export",
        "toy",
        "--format",
        "slow",
        "--out",
        "x",
        *arguments,
        env={"MC_TOY_STARTED": str(started)},
        preexec_fn=heed_interrupts,
    )
    try:
        deadline = time.monotonic() + 20
        while not started.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert Path(".x.partial").exists()
    except BaseException:
        end(process)
        raise
    return process


def heed_interrupts() -> None:
    """Undo what a shell does to a job in the background (``make test &``): its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "hung up"),
    ],
)
def test_a_signal_half_way_leaves_nothing(tools, number, code, says):
    process = start_slow_export(tools)
    try:
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
    finally:
        end(process)
    tools.check("mc-export", process.returncode, stdout, stderr, says, expected=code)
    assert list(tools.directory.iterdir()) == []


def test_a_signal_during_force_leaves_the_old_export(tools):
    assert tools("mc-export", "toy", "--format", "toyhdf", "--out", "x").exit_code == 0
    before = tools.contents(".")
    process = start_slow_export(tools, "--force")
    try:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    finally:
        end(process)
    assert tools.contents(".") == before


def test_after_a_kill_the_next_run_cleans_up(tools):
    assert tools("mc-export", "toy", "--format", "toyhdf", "--out", "x").exit_code == 0
    before = tools.contents("x")
    process = start_slow_export(tools, "--force")
    process.kill()
    process.communicate(timeout=20)
    assert tools.contents("x") == before
    assert Path(".x.partial").exists()
    assert tools("mc-export", "toy", "--format", "toyhdf", "--out", "x", "--force").exit_code == 0
    assert [p.name for p in tools.directory.iterdir()] == ["x"]
    assert tools.contents("x") == before


def test_two_exports_to_one_place(tools):
    process = start_slow_export(tools)
    try:
        tools.refused("mc-export", "toy", "--format", "toyhdf", "--out", "x", says="another process is writing there")
        assert process.poll() is None
    finally:
        end(process)


def test_a_verification_that_is_interrupted_leaves_what_was_there(tools):
    model = ["--n-scale", "0.01", "--k-scale", "0.05", "--background", "dc", "--duration", "3600000"]
    assert tools("mc-export", "pd14", "--format", "sonata", *model, "--out", "x", "--quiet").exit_code == 0
    assert tools("mc-verify", "x", "--rung", "single neuron", "--quiet").exit_code == 0
    before = tools.contents(".")
    arguments = ["x", "--rung", "structure", "--rung", "spikes", "--spikes-duration", "3600000", "--force"]
    process = tools.process("mc-verify", *arguments, preexec_fn=heed_interrupts)
    try:
        deadline = time.monotonic() + 60
        # it simulates an hour, soon after NEST is there
        while "nestkernel_api" not in Path(f"/proc/{process.pid}/maps").read_text():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.0)
        assert Path(".x-verify.partial").exists()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        end(process)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.endswith("mc-verify: error: interrupted\n")
    assert tools.contents(".") == before
    assert not Path(".x-verify.partial").exists()


def limit_files(n_bytes: int) -> None:
    """Let writing fail beyond a size, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_full_disk(tools, force):
    if force:
        assert tools("mc-export", "toy", "--format", "toyhdf", "--out", "x").exit_code == 0
    before = tools.contents(".")

    process = tools.process(
        "mc-export", "toy", "--format", "large", "--out", "x", *force, preexec_fn=partial(limit_files, 200_000)
    )
    stdout, stderr = process.communicate(timeout=20)
    tools.check("mc-export", process.returncode, stdout, stderr, "x: writing failed")
    assert tools.contents(".") == before
    assert not Path(".x.partial").exists()


def test_a_full_disk_during_a_run(tools, toy_export, toy_run):
    before = tools.contents(".")
    arguments = [toy_export, "--simulator", "pulse", "--out", toy_run, "--force"]
    process = tools.process("mc-run", *arguments, preexec_fn=partial(limit_files, 1_000))
    stdout, stderr = process.communicate(timeout=20)
    tools.check("mc-run", process.returncode, stdout, stderr, "toy-toyhdf-run: writing failed")
    assert tools.contents(".") == before


def test_a_full_disk_during_a_description(tools):
    assert tools("mc-describe", "toy", "--out", "toy.txt").exit_code == 0
    before = tools.contents(".")
    arguments = ["toy", "--scale", "2", "--out", "toy.txt", "--force"]
    process = tools.process("mc-describe", *arguments, preexec_fn=partial(limit_files, 100))
    stdout, stderr = process.communicate(timeout=20)
    tools.check("mc-describe", process.returncode, stdout, stderr, "toy.txt: cannot be written (File too large)")
    assert tools.contents(".") == before


def test_a_place_that_cannot_be_written(tools):
    process = tools.process("mc-export", "toy", "--format", "toyhdf", "--out", "/proc/x")
    stdout, stderr = process.communicate(timeout=20)
    tools.check("mc-export", process.returncode, stdout, stderr, "/proc/x")


def test_a_closed_pipe_is_no_error(tools):
    process = tools.process("mc-describe", "toy")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    stderr = process.stderr.read()
    assert process.wait(timeout=20) == 141
    assert stderr == ""


def test_standard_output_on_a_full_disk(tools):
    with Path("/dev/full").open("w") as full:
        process = tools.process("mc-describe", "toy", stdout=full)
        stderr = process.communicate(timeout=20)[1]
    tools.check("mc-describe", process.returncode, "", stderr, "No space left on device")


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_streams_that_are_closed(tools, closed):
    def close() -> None:
        for number in closed:
            os.close(number)

    process = tools.process("mc-export", "toy", "--format", "toyhdf", "--out", "x", preexec_fn=close)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    assert "Traceback" not in stdout + stderr
    assert tools("mc-validate", "x").exit_code == 0


LOSES_A_SIGNAL = """
import signal, sys, time, weakref
from click import command
from mc_interchange.cli.common import Tool
class Thing: pass
@command("mc-test", cls=Tool)
def test():
    thing = Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal({number}))
    del thing
    time.sleep(10)
sys.argv[1:] = []
test.main()
"""


@pytest.mark.parametrize(("number", "code", "says"), [(2, 130, "interrupted"), (15, 143, "terminated")])
def test_a_signal_that_python_loses_is_sent_again(tools, number, code, says):
    done = subprocess.run(
        [sys.executable, "-c", LOSES_A_SIGNAL.replace("{number}", str(number))],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        preexec_fn=heed_interrupts,
    )
    tools.check("mc-test", done.returncode, done.stdout, done.stderr, says, expected=code)
