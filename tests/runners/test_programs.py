"""Programs that were edited, or write what is no result: one line that says so, and no spike is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mc_interchange import export, realize
from mc_interchange.cli.run import command
from mc_interchange.network import Network
from mc_interchange.runners import pynn

#: Writes a spike, of the population, the neuron and at the time that are put in.
WRITES = """
import sys, pathlib, h5py
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir()
with h5py.File(out / "spikes.h5", "w") as file:
    file["spikes/{0}/node_ids"] = [{1}]
    file["spikes/{0}/timestamps"] = [{2}]
"""


@pytest.fixture(scope="module")
def exported(small_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export whose program the tests replace."""
    return export(realize(small_network), "pynn", tmp_path_factory.mktemp("edited") / "files").path


def run(exported: Path, program: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> tuple[object, str]:
    (exported / "run.py").write_text(program)
    with pytest.raises(SystemExit) as stop:
        command.main([str(exported), "--simulator", "pynn-nest", "--out", str(tmp_path / "out"), "--force"])
    return stop.value.code, capfd.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("", "output cannot be used: spikes.h5: no such file"),
        ("print('simulated (ms): much')", "output cannot be used: spikes.h5: no such file"),
        ("raise RuntimeError('broken')", "exit code 1: RuntimeError: broken"),
        ("def", "exit code 1: SyntaxError"),
        (WRITES.format("X", 0, 1.0), "no population 'X' in the network"),
        (WRITES.format("I", 10, 1.0), "I has 10 neurons, a spike is of neuron 10"),
        (WRITES.format("I", -1, 1.0), "must not be negative"),
        (WRITES.format("I", 0, "float('nan')"), "I has a spike at nan ms; it must be a multiple of dt (0.1 ms)"),
        (WRITES.format("I", 0, 1.05), "a spike at 1.05 ms"),
        (WRITES.format("I", 0, -0.1), "a spike at -0.1 ms"),
        (WRITES.format("I", 0, 100.1), "a spike at 100.1 ms; it must be a multiple of dt (0.1 ms) up to 100 ms"),
        (WRITES.format("I", 0, 1.0) + "(out / 'spikes.h5').write_text('x')", "spikes.h5: not a readable HDF5 file"),
    ],
)
def test_programs_that_give_no_result(
    program: str, said: str, exported: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyNN")
    code, line = run(exported, program, tmp_path, capfd)
    assert (code, said in line) == (2, True), line
    assert "/mc-run-" not in line  # a directory that is gone
    assert not (tmp_path / "out").exists()


def test_an_edited_program_that_gives_one(exported: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyNN")
    code, line = run(exported, WRITES.format("I", 9, 100.0), tmp_path, capfd)
    assert code in (0, None)
    assert "was changed after it was written (run.py" in line
    assert np.array_equal(np.sort([p.name for p in (tmp_path / "out").iterdir()]), ["run.json", "spikes.h5"])
    assert json.loads((tmp_path / "out" / "run.json").read_text())["random_input"] is True


def test_a_simulator_that_is_not_installed_is_told_of_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pynn.PyNNNestRunner, "packages", {"no-such-simulator": "nest"})
    model = tmp_path / "model.yaml"
    model.write_text("populations: 3")  # it would be refused first, were it opened
    with pytest.raises(SystemExit) as stop:
        command.main([str(model), "--simulator", "pynn-nest", "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert "no-such-simulator is not installed" in capfd.readouterr().err
