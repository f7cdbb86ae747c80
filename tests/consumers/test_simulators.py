"""One export in every simulator that reads SONATA, by the script that lies in it: spikes identical to native NEST."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from consumer_runs import Exported, read_spikes, run_script
from networks import NETWORKS

from mc_interchange import export, open_model, realize
from mc_interchange.network import parse_network
from mc_interchange.runners.nest import NestRunner


@pytest.fixture(params=list(NETWORKS))
def case(request: pytest.FixtureRequest, exported: Callable[[str], Exported]) -> Exported:
    return exported(request.param)


def test_our_runner(case: Exported) -> None:
    run = NestRunner().run(open_model(case.directory))
    for name, pairs in case.spikes.items():
        found = np.stack([run.spikes[name].neurons, run.spikes[name].steps], axis=1)
        assert np.array_equal(found[np.lexsort(found.T[::-1])], pairs)


def refused_by_pynn(case: Exported) -> str | None:
    """Return what PyNN says of the networks that it cannot read, as the page on SONATA tells."""
    if any(nodes.mixed for nodes in case.instance.populations.values()):
        return "L4E: PyNN mixes up the neurons of a population with several models"
    if any(nodes.varying for nodes in case.instance.populations.values()):
        # PyNN 0.13 then gives NEST a numpy.bool for each switch of the model
        return r"ignore_and_spike.* is not a known type"
    return None


@pytest.mark.parametrize("tool", ["bmtk", "pynn"])
def test_tools_of_the_test_environment(case: Exported, tool: str, tmp_path: Path) -> None:
    if tool == "pynn" and (refusal := refused_by_pynn(case)):
        with pytest.raises(AssertionError, match=refusal):
            run_script(case.directory / "load_with_pynn.py", cwd=tmp_path)
        return
    run_script(case.directory / f"load_with_{tool}.py", str(tmp_path / "output"), cwd=tmp_path)
    assert case.same(tmp_path / "output" / "spikes.h5")


@pytest.mark.nest_full
def test_nest_with_hdf5(case: Exported, tmp_path: Path) -> None:
    run_script(case.directory / "load_with_nest.py", str(tmp_path / "output"), cwd=tmp_path)
    assert case.same(tmp_path / "output" / "spikes.h5")


def early(delay: float, current: float, tmp_path: Path) -> Path:
    """Export two neurons, connected with a delay in ms, and a current that begins at a time in ms."""
    text = f"""
    name: early
    populations:
    - {{name: A, size: 2, neuron: {{model: iaf_psc_exp, parameters: {{C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms,
       tau_syn_in: 0.5 ms, t_ref: 2 ms, E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV}}}}}}
    projections:
    - {{source: A, target: A, rule: {{rule: fixed_indegree, indegree: 1}}, weight: 1 pA, delay: {delay} ms}}
    inputs:
    - {{kind: step_current, name: now, target: A, amplitude: 900 pA, start: 0 ms, stop: 30 ms, delay: {current} ms}}
    simulation: {{duration: 40 ms}}
    """
    return export(realize(parse_network(text)), "sonata", tmp_path / "early").path


def test_pynn_refuses_what_it_would_shift(tmp_path: Path) -> None:
    directory = early(delay=1.5, current=1.4, tmp_path=tmp_path)
    script = directory / "load_with_pynn.py"
    result = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 1
    expected = "now.current: PyNN gives no input until 1.5 ms, the smallest delay in the network"
    assert result.stderr.splitlines()[-1] == expected


@pytest.mark.parametrize(("delay", "taken"), [(0.1, False), (0.2, True)])
def test_bmtk_skips_the_currents_that_are_reported(delay: float, taken: bool, tmp_path: Path) -> None:
    directory = early(delay=1.5, current=delay, tmp_path=tmp_path)
    assert ("bmtk skips" in (directory / "export_report.json").read_text()) is not taken
    run_script(directory / "load_with_bmtk.py", "output", cwd=tmp_path)
    assert bool(read_spikes(tmp_path / "output" / "spikes.h5")) is taken
