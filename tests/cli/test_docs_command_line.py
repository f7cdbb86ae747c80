"""The examples of docs/command-line.md do what the page says.

``$ `` begins a command; the lines below it are what it prints, with ``...`` for anything. A comment
``# exit code N`` says how it ends (0 otherwise). A YAML block whose first line is ``# NAME`` is a file.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from click.testing import CliRunner

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def examples(text: str) -> list[tuple[str, str, str]]:
    """Return (command, expected output, "") and ("", content, file name) in the order of the page."""
    found = []
    for kind, block in re.findall(r"^```(console|yaml)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if kind == "yaml":
            name = re.match(r"# (\S+)\n", block)
            assert name, block
            found.append(("", block, name[1]))
        else:
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output, ""))
    return found


def agrees(expected: str, actual: str) -> bool:
    pattern = ".*".join(re.escape(piece) for piece in expected.strip().split("..."))
    return re.fullmatch(pattern, actual.strip(), re.DOTALL) is not None


def run(command: str) -> tuple[int, str]:
    """Run one of the tools in this process, which saves its start, and anything else in a shell."""
    name, *arguments = shlex.split(command, comments=True)
    if name.startswith("mc-"):
        tool = import_module(f"mc_interchange.cli.{name.removeprefix('mc-')}").command
        result = CliRunner().invoke(tool, arguments)
        return result.exit_code, result.output
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    shell = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return shell.returncode, shell.stdout + shell.stderr


def test_every_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = 0
    for command, text, file in examples(PAGE.read_text()):
        if file:
            Path(file).write_text(text)
            continue
        code, output = run(command)
        expected = re.search(r"# exit code (\d+)$", command)
        assert code == (int(expected[1]) if expected else 0), f"$ {command}\n{output}"
        assert agrees(text, output), f"$ {command}\n{output}\n--- the page says:\n{text}"
        commands += 1
    assert commands > 15


def test_the_comparison_itself():
    assert agrees("a ... b\n", "a 1\n2 b")
    assert agrees("", "")
    assert not agrees("a", "b")
    assert not agrees("", "b")
    assert not agrees("a ... b", "a b c")
