"""Plug-ins, and ways to call the tools in this process or in another."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

PLUGINS = Path(__file__).parent / "plugins"
sys.path.append(str(PLUGINS))


@pytest.fixture(scope="session")
def plugin_path(tmp_path_factory) -> str:
    """Directories that make the toy plug-ins known to a Python that has them on its path."""
    from mc_toy import write_metadata

    metadata = tmp_path_factory.mktemp("plugins")
    write_metadata(metadata)
    return os.pathsep.join([str(PLUGINS), str(metadata)])


class Tools:
    """The command line in a directory of its own.

    ``tools("mc-export", "--format", "toyhdf")`` gives click's result; ``tools.process(...)`` starts one.
    """

    def __init__(self, directory: Path, plugin_path: str) -> None:
        self.directory = directory
        self.plugin_path = plugin_path

    def __call__(self, tool: str, *args: str | Path) -> Result:
        command = import_module(f"mc_interchange.cli.{tool.removeprefix('mc-')}").command
        return CliRunner().invoke(command, [str(arg) for arg in args])

    def process(self, tool: str, *args: str | Path, **options) -> subprocess.Popen[str]:
        module = f"mc_interchange.cli.{tool.removeprefix('mc-')}"
        code = f"import sys; from {module} import main; sys.argv[0] = '{tool}'; main()"
        environment = {**os.environ, "PYTHONPATH": self.plugin_path, **options.pop("env", {})}
        return subprocess.Popen(
            [sys.executable, "-c", code, *(str(arg) for arg in args)],
            cwd=self.directory,
            env=environment,
            text=True,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            **options,
        )

    def refused(self, tool: str, *args: str | Path, says: str) -> str:
        """Call, and check that one line and exit code 2 come back; return the line."""
        result = self(tool, *args)
        self.check(tool, result.exit_code, result.stdout, result.stderr, says)
        return result.stderr

    @staticmethod
    def check(tool: str, code: int, stdout: str, stderr: str, says: str, expected: int = 2) -> None:
        """Check that a tool said one line and no more."""
        assert code == expected, stderr + stdout
        assert stdout == ""
        assert stderr.count("\n") == 1, stderr
        assert stderr.startswith(f"{tool}: error: ")
        assert says in stderr

    @staticmethod
    def contents(directory: str | Path) -> dict[str, bytes]:
        """Return all that is below a directory, hidden files too."""
        directory = Path(directory)
        return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.fixture
def tools(tmp_path, monkeypatch, plugin_path) -> Tools:
    for directory in plugin_path.split(os.pathsep):
        monkeypatch.syspath_prepend(directory)
    monkeypatch.chdir(tmp_path)
    return Tools(tmp_path, plugin_path)


@pytest.fixture
def toy_export(tools) -> Path:
    """A finished export, relative to the current directory."""
    result = tools("mc-export", "toy", "--format", "toyhdf", "--quiet")
    assert result.exit_code == 0, result.stderr
    return Path("toy-toyhdf")


@pytest.fixture
def toy_yaml(tools) -> Path:
    """A model file."""
    from mc_toy import ToyArguments, ToyModel

    from mc_interchange import write_network

    write_network(ToyModel().build(ToyArguments()), "toy.yaml")
    return Path("toy.yaml")


@pytest.fixture
def toy_run(tools, toy_export) -> Path:
    """A finished run."""
    result = tools("mc-run", toy_export, "--simulator", "pulse", "--quiet")
    assert result.exit_code == 0, result.stderr
    return Path("toy-toyhdf-run")
