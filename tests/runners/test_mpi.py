"""``mpirun mc-run``: the same files as one process writes, and one line when one of the processes fails.

Run where NEST has MPI (``make test-nest-full``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mc_interchange.network import parse_network

pytestmark = pytest.mark.nest_full

#: Neurons of two kinds, every kind of input, virtual sources of both kinds, and potentials of neurons of all processes.
NETWORK = """
name: shared
populations:
- {name: E, size: 43, neuron: &neuron {model: iaf_psc_exp, parameters: {C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms,
   tau_syn_in: 0.5 ms, t_ref: 2 ms, E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV}},
   initial_V_m: &V {distribution: normal, mean: -58.0, sd: 5.0}}
- {name: I, size: 10, neuron: *neuron, initial_V_m: *V}
- {name: one, size: 1, neuron: *neuron}
- {kind: virtual, name: random, size: 5, activity: {kind: poisson, rate: 40.0}}
- {kind: virtual, name: replayed, size: 3, activity: {kind: spike_trains, times: [[1.0, 20.0], [], [5.0, 5.0, 33.3]]}}
projections:
- {source: E, target: I, rule: {rule: fixed_total_number, number: 300}, weight: 87.8 pA, delay: 1.5 ms}
- {source: E, target: one, rule: {rule: fixed_indegree, indegree: 30}, weight: 87.8 pA, delay: 1.5 ms}
- {source: I, target: E, rule: {rule: pairwise_bernoulli, probability: 0.2}, delay: 0.8,
   weight: {distribution: truncated_normal, mean: -350.0, sd: 35.0, max: 0.0}}
- {source: random, target: E, rule: {rule: fixed_indegree, indegree: 2}, weight: 300.0,
   delay: {distribution: uniform, low: 0.5, high: 2.0}}
- {source: replayed, target: E, rule: {rule: fixed_indegree, indegree: 2}, weight: 500.0, delay: 1.0}
inputs:
- {kind: poisson, name: background, target: E, rate: 9000.0, weight: 87.8, delay: 0.1}
- {kind: step_current, name: step, target: I, amplitude: 500.0, start: 10, stop: 90, neurons: [1, 4, 5]}
simulation: {duration: 200.0, record_V_m: [{population: E, neurons: [0, 1, 5, 40], interval: 0.5},
  {population: one, neurons: [0]}]}
"""
TOOLS = Path(sys.executable).parent
#: Open MPI: more processes than cores, which then yield while they wait; and root, as in a container.
MPIRUN = ["mpirun", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1", "-n"]
ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMP_WAIT_POLICY": "passive",
}


def call(command: list[str], directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=directory,
        env={**ENVIRONMENT, **environment},
        check=False,
        timeout=300,
    )


def run(n: int, directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call mc-run with ``n`` processes; 0: without mpirun."""
    return call([*([*MPIRUN, str(n)] if n else []), str(TOOLS / "mc-run"), *arguments], directory, **environment)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file, exports of it with and without an index, and the runs of a single process with 6 threads."""
    directory = tmp_path_factory.mktemp("mpi")
    parse_network(NETWORK)
    (directory / "shared.yaml").write_text(NETWORK)
    for index in ("both", "none"):
        export = [str(TOOLS / "mc-export"), "shared.yaml", "--format", "sonata", "--index", index, "--out", index]
        assert call(export, directory).returncode == 0
        result = run(0, directory, index, "--threads", "6", "--out", f"{index}-alone")
        assert result.returncode == 0, result.stderr
    return directory


@pytest.mark.parametrize(("n", "index"), [(1, "both"), (2, "both"), (3, "both"), (3, "none")])
def test_same_files_as_one_process(n: int, index: str, directory: Path) -> None:
    """Poisson sources included, as their random numbers belong to the 6 threads, whatever the processes."""
    out = directory / f"{index}-{n}"
    result = run(n, directory, index, "--threads", "6", "--out", out.name)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("6 threads") == 1
    alone = directory / f"{index}-alone"
    assert sorted(path.name for path in alone.iterdir()) == ["V_m.h5", "run.json", "spikes.h5"]
    for path in alone.iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes(), path.name
    spikes = call([str(TOOLS / "mc-compare"), alone.name, out.name], directory)
    assert spikes.stdout.splitlines()[-1] == "identical: yes"
    assert int(spikes.stdout.split()[0]) > 200


def test_the_same_by_rules(directory: Path) -> None:
    """NEST's own rules: the same network whatever the processes, for the same number of threads."""
    for n in (0, 2):
        arguments = ["--native", "--threads", "2", "--out", f"native-{n}"]
        result = run(n, directory, "shared.yaml", *arguments)
        assert result.returncode == 0, result.stderr
    for name in ("spikes.h5", "V_m.h5", "run.json"):
        assert (directory / "native-0" / name).read_bytes() == (directory / "native-2" / name).read_bytes(), name


def ours(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in result.stderr.splitlines() if "mc-run" in line]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "nowhere: no such file or directory"),
        (("both", "--threads", "3"), "threads: 3 cannot be shared out evenly to 2 processes"),
        (("both", "--out", "both-alone"), "exists already"),
    ],
)
def test_one_line_for_all(arguments: tuple[str, ...], message: str, directory: Path) -> None:
    result = run(2, directory, *arguments)
    assert result.returncode == 2
    (line,) = ours(result)
    assert message in line
    assert not list(directory.glob(".*"))


@pytest.mark.parametrize("phase", ["connect_edges", "_simulate"])
def test_an_error_in_one_process_ends_all(phase: str, directory: Path, tmp_path: Path) -> None:
    """While connecting, the others go on to the end of it; while simulating, they would wait for ever."""
    (tmp_path / "sitecustomize.py").write_text(f"""
import os, sys
if os.environ.get("OMPI_COMM_WORLD_RANK") == "1" and sys.argv[0].endswith("mc-run"):
    from mc_interchange import processes
    from mc_interchange.errors import SimulationError
    from mc_interchange.runners.nest import runner
    processes.PATIENCE = 1.0
    def fail(*arguments, **named):
        raise SimulationError("a thing went wrong")
    runner.{phase} = fail
""")
    result = run(2, directory, "both", "--out", "never", PYTHONPATH=str(tmp_path))
    assert result.returncode == 2
    (line,) = ours(result)
    assert line == "mc-run: error: process 1: a thing went wrong"
    assert not (directory / "never").exists()


@pytest.mark.parametrize("raised", ["KeyboardInterrupt()", "SystemExit(143)"])
def test_a_signal_in_one_process_ends_all(raised: str, directory: Path, tmp_path: Path) -> None:
    """The others would wait for it for ever."""
    (tmp_path / "sitecustomize.py").write_text(f"""
import os, sys
if os.environ.get("OMPI_COMM_WORLD_RANK") == "1" and sys.argv[0].endswith("mc-run"):
    from mc_interchange.runners.nest import runner
    def stop(*arguments, **named):
        raise {raised}
    runner._simulate = stop
""")
    result = run(2, directory, "both", "--out", "never", PYTHONPATH=str(tmp_path))
    assert result.returncode == 130
    assert not (directory / "never").exists()
