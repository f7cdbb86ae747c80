"""The examples in README and docs do what the pages say.

Console blocks: ``$ `` begins a command; the lines below it are what it prints, with ``...`` for anything. A
comment ``# exit code N`` says how it ends (0 otherwise). A YAML block whose first line is ``# NAME`` is a file.
Python blocks are run as they are. All examples of a page run in order in one directory.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
#: Pages, and how many examples each has at least (so that none is lost when a page is rewritten).
PAGES = {
    "README.md": 10,
    "docs/command-line.md": 15,
    "docs/pd14.md": 1,
    "docs/capture.md": 1,
    "docs/sonata.md": 2,
    "docs/neuroml-simulators.md": 5,
    "docs/neuroml-import.md": 7,
    "docs/neuron.md": 4,
    "docs/pynn.md": 6,
    "docs/brian2.md": 4,
}


def examples(text: str) -> list[tuple[str, str, str]]:
    """Return (kind, content, more) in the order of the page: console command and output, file and name, Python."""
    found = []
    for kind, block in re.findall(r"^```(console|yaml|python)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        name = re.match(r"# (\S+\.yaml)\n", block)
        if kind == "python":
            found.append(("python", block, ""))
        elif kind == "yaml" and name:
            found.append(("file", block, name[1]))
        elif kind == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append(("console", command, output))
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


#: Pages that need another environment than the rest.
MARKS = {"docs/brian2.md": pytest.mark.brian2}


@pytest.mark.parametrize("page", [pytest.param(page, marks=MARKS.get(page, ())) for page in PAGES])
def test_every_example(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = 0
    for kind, content, more in examples((ROOT / page).read_text()):
        done += 1
        if kind == "file":
            Path(more).write_text(content)
        elif kind == "python":
            subprocess.run([sys.executable, "-c", content], check=True, timeout=120)
        else:
            code, output = run(content)
            expected = re.search(r"# exit code (\d+)$", content)
            assert code == (int(expected[1]) if expected else 0), f"$ {content}\n{output}"
            assert agrees(more, output), f"$ {content}\n{output}\n--- the page says:\n{more}"
    assert done >= PAGES[page]


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_comparison_itself():
    assert agrees("a ... b\n", "a 1\n2 b")
    assert agrees("", "")
    assert not agrees("a", "b")
    assert not agrees("", "b")
    assert not agrees("a ... b", "a b c")
