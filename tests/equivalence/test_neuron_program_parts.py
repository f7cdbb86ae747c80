"""The program for NEURON: its Poisson input is what theory says, its mechanisms come as the user wants."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from matched_networks import dc, driven, equivalent
from neuron_program_networks import DT, arrivals, corners, counter, exported
from scipy import stats

from mc_interchange import NetworkInstance
from mc_interchange.instance import ArrayEdges, EdgeBlock, Nodes
from mc_interchange.network import PoissonActivity, PoissonInput
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import SPIKES_FILE, Run

RunNeuron = Callable[[NetworkInstance], Run]


# --- Poisson input


def test_poisson_input_has_the_right_counts(run_neuron: RunNeuron) -> None:
    """Each step and neuron, its number is Poisson distributed, and independent of all others."""
    size, duration, rate = 40, 400.0, 12_800.0
    nodes, simulation = counter(size, duration)
    inputs = (
        PoissonInput(name="all", target="A", rate=rate, weight=1000.0, delay=0.3),
        # a mean of 50 per step, drawn in parts, in a window
        PoissonInput(name="some", target="A", rate=5e5, weight=-1e6, delay=1.0, start=10, stop=20, neurons=(0, 5)),
    )
    instance = NetworkInstance("count", {"A": nodes}, {}, inputs, simulation)
    found = arrivals(run_neuron(instance))
    # both inputs are whole multiples of their weights
    few = np.rint(found / 1000) % 1000
    many = (few - np.rint(found / 1000)) / 1000
    assert not few[:4].any()
    counts = few[4:]
    assert counts.sum() > 100_000
    mean = rate * DT / 1000
    top = 6
    observed = np.bincount(np.minimum(counts.astype(int).ravel(), top), minlength=top + 1)
    expected = stats.poisson.pmf(np.arange(top + 1), mean)
    expected[top] = stats.poisson.sf(top - 1, mean)
    assert stats.chisquare(observed, expected * counts.size).pvalue > 1e-3
    correlation = np.corrcoef(counts.T)[np.triu_indices(size, 1)]
    bound = stats.norm.isf(1e-3 / len(correlation)) / np.sqrt(len(counts))
    assert np.abs(correlation).max() < bound
    assert abs(np.corrcoef(counts[1:].ravel(), counts[:-1].ravel())[0, 1]) < stats.norm.isf(1e-3) / counts.size**0.5
    # the window is NEST's
    rows, neurons = np.nonzero(many)
    assert (rows.min() + 1, rows.max() + 1, {*neurons.tolist()}) == (112, 211, {0, 5})
    rows, _ = np.nonzero(arrivals(NestRunner().run(instance)) < -1e5)
    assert (rows.min() + 1, rows.max() + 1) == (112, 211)
    chosen = many[111:211, [0, 5]]
    assert abs(chosen.mean() - 50) < 3.3 * np.sqrt(50 / chosen.size)
    assert 0.6 < chosen.var() / 50 < 1.5


def test_sources_with_poisson_activity_send_the_same_spikes_to_all_targets(run_neuron: RunNeuron) -> None:
    nodes, simulation = counter(40, 200.0)
    sources = Nodes("S", 20, activity=PoissonActivity(rate=4000.0, start=50.0, stop=150.0))
    columns = ((np.arange(40) // 2, "u4"), (np.arange(40), "u4"), (np.full(40, 1000.0), "f8"), (np.full(40, 7), "i4"))
    edges = ArrayEdges("SA", "S", "A", EdgeBlock(*(np.asarray(c, d) for c, d in columns)))
    instance = NetworkInstance("sources", {"A": nodes, "S": sources}, {"SA": edges}, (), simulation)
    run = run_neuron(instance)
    spikes = run.spikes["S"]
    assert abs(len(spikes) - 8000) < 3.3 * np.sqrt(8000)
    for steps in (spikes.steps, NestRunner().run(instance).spikes["S"].steps):
        assert (steps.min(), steps.max()) == (503, 1502)
    emitted = np.zeros((2001, 20))
    np.add.at(emitted, (spikes.steps, spikes.neurons), 1)
    expected = np.repeat(emitted, 2, axis=1)
    found = arrivals(run)  # at the steps from 1 on
    np.testing.assert_array_equal(found[6:] / 1000, expected[: len(found) - 6])


@pytest.mark.slow
def test_rates_under_poisson_input_are_equal(run_neuron: RunNeuron) -> None:
    """Two one-sided tests at 5 % that the mean rates of each population lie within 10 % of each other."""
    reference, run = NestRunner().run(driven()), run_neuron(driven())
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)
        # the test has the power to reject what is wrong by as much
        assert not equivalent(NestRunner().run(driven(weight=330.0)), run, name)


# --- mechanisms


def program(path: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(path / "run.py"), *map(str, arguments)]
    place = {**os.environ, **environment}
    return subprocess.run(command, cwd=path.parent, env=place, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_glia_inserts_the_mechanisms_of_the_installed_package(first: tuple[Run, Path], tmp_path: Path) -> None:
    for package in ("glia", "patch"):
        if find_spec(package) is None:
            pytest.skip(f"nmodl-glia[neuron] is not installed ({package})")
    path, _ = exported(dc(), tmp_path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    refused = program(path, "--mechanisms", "glia")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"run.py: --mechanisms glia: the package is not installed; pip install {path / 'mechanisms'}"
    )
    # a copy, since setuptools builds beside the package
    copy, target, home = tmp_path / "copy", tmp_path / "target", tmp_path / "home"
    shutil.copytree(path / "mechanisms", copy)
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", "install", *offline, "--target", target, copy], check=True)
    home.mkdir()
    done = program(path, "--mechanisms", "glia", "--out", tmp_path / "out", PYTHONPATH=str(target), HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out/glia").rglob("libnrnmech*"))
    # neither beside the circuit nor at home
    assert not [*home.iterdir()]
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    ours = (first[1].parent / SPIKES_FILE).read_bytes()
    assert (tmp_path / "out" / SPIKES_FILE).read_bytes() == ours
    # another version than this program's
    mod = next(target.glob("*/mods/iaf_psc_exp__0.mod"))
    mod.write_text(mod.read_text().replace("tau_m = 10", "tau_m = 11"))
    refused = program(path, "--mechanisms", "glia", "--out", tmp_path / "other", PYTHONPATH=str(target), HOME=str(home))
    assert "another version is installed" in refused.stderr.splitlines()[-1]


def test_mechanisms_that_are_not_there(first: tuple[Run, Path], tmp_path: Path) -> None:
    path, _ = exported(corners(), tmp_path)
    refused = program(path, "--mechanisms", tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"run.py: --mechanisms {tmp_path}: there is no */libnrnmech, which nrnivmodl makes"
    )
