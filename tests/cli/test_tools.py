"""What all tools share: help, version, how they end, and how fast they start."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from importlib import import_module
from itertools import pairwise

import click
import pytest
from rich.console import Console

from mc_interchange import __version__, registry
from mc_interchange.cli.common import Tool
from mc_interchange.progress import Silent, TerminalProgress, short_number, shown_progress

TOOLS = ["mc-export", "mc-run", "mc-compare", "mc-describe", "mc-validate", "mc-plot", "mc-verify"]


@pytest.mark.parametrize("tool", TOOLS)
def test_help_has_an_example_and_version(tools, tool):
    for flag in ("-h", "--help"):
        result = tools(tool, flag)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: {tool} ")
        assert f"Examples:\n  {tool} " in result.stdout
    result = tools(tool, "--version")
    assert (result.exit_code, result.stdout) == (0, f"{tool} {__version__}\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_examples_name_formats_that_can_be_written_and_read(tool):
    for line in import_module(f"mc_interchange.cli.{tool.removeprefix('mc-')}").command.examples:
        words = shlex.split(line, comments=True)
        if words[0] == "mpirun":  # -n N
            words = words[3:]
        assert words[0] == tool
        for before, word in pairwise(words):
            if before == "--format" and tool == "mc-export":
                assert word in registry.names("exporter"), line
            elif not before.startswith("--") and not word.startswith("--") and "-" in word:
                assert word.removesuffix("-run").rpartition("-")[2] in registry.names("importer"), line


@pytest.mark.parametrize("tool", TOOLS)
def test_an_unknown_flag(tools, tool):
    tools.refused(tool, "--nothing", says="no such option")


@pytest.mark.parametrize("tool", TOOLS)
def test_help_loads_no_simulator(tools, tool):
    process = tools.process(tool, "--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    stderr = process.communicate(timeout=20)[1]
    loaded = {line.rpartition("|")[2].strip() for line in stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & {"nest", "matplotlib", "scipy", "neuroml", "pyneuroml", "lems", "rich.progress", "microcircuit"}


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (MemoryError(), 2, "not enough memory"),
        (PermissionError(13, "Permission denied", "a/b"), 2, "a/b: Permission denied"),
        (OSError("odd\nthing"), 2, "odd thing"),
    ],
)
def test_how_a_tool_ends(tools, error, code, says):
    from click.testing import CliRunner

    def fail():
        raise error

    result = CliRunner().invoke(Tool("mc-test", callback=fail), [])
    tools.check("mc-test", result.exit_code, result.stdout, result.stderr, says, expected=code)


def test_a_defect_keeps_its_traceback():
    from click.testing import CliRunner

    def fail():
        raise ZeroDivisionError("by zero")

    result = CliRunner().invoke(Tool("mc-test", callback=fail), [])
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError: by zero" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("mc-test: error: ")


def test_completion_for_shells(tools):
    process = tools.process("mc-compare", env={"_MC_COMPARE_COMPLETE": "bash_source"})
    assert "_mc_compare_completion" in process.communicate(timeout=20)[0]


class TestProgress:
    def test_bars(self, monkeypatch):
        screen = io.StringIO()
        monkeypatch.setattr("rich.console.Console", lambda **_: Console(file=screen, force_terminal=True, width=120))
        with TerminalProgress().shown() as progress:
            progress.advance(3)  # before any task: ignored
            progress.task("first [bold]", 2e6, "edges")
            progress.advance(1e6)
            progress.task("second", 10, "ms")
            progress.advance(5)
        text = screen.getvalue()
        assert "first [bold]" in text
        assert "second" in text
        assert "100%" in text
        assert "edges/s" in text

    def test_silence_where_there_is_no_terminal(self):
        code = (
            "import sys; from mc_interchange.progress import *\n"
            "with shown_progress() as p: p.task('a', 1, 'b'); p.advance(1)\n"
            "assert isinstance(p, Silent) and 'rich' not in sys.modules"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env={**os.environ})
        assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")

    def test_quiet(self, monkeypatch):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        with shown_progress(quiet=True) as progress:
            assert isinstance(progress, Silent)

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0, "0"), (12, "12"), (999, "999"), (1000, "1 k"), (29.88e6, "29.9 M"), (999_900, "1000 k"), (5e12, "5 T")],
    )
    def test_short_numbers(self, value, text):
        assert short_number(value) == text
