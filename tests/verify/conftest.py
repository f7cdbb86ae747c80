"""A network that takes no time, its exports, and the tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mc_interchange import export, realize
from mc_interchange.network import Network, parse_network

PAIR = """
name: pair
populations:
- {name: A, size: 40, initial_V_m: {distribution: normal, mean: -58, sd: 5}, neuron: &n {model: iaf_psc_exp,
   parameters: {C_m: 250, tau_m: 10, tau_syn_ex: 0.5, tau_syn_in: 0.5, t_ref: 2, E_L: -65, V_th: -50, V_reset: -65,
   I_e: 400}}}
- {name: B, size: 30, neuron: *n}
projections:
- {source: A, target: B, rule: {rule: fixed_total_number, number: 400}, weight: {distribution: normal, mean: 60, sd: 6},
   delay: {distribution: truncated_normal, mean: 1.5, sd: 0.5, min: 0.1}}
- {source: B, target: A, rule: {rule: fixed_indegree, indegree: 5}, weight: -80, delay: 1.5}
simulation: {duration: 200, seed: 3}
"""


@pytest.fixture
def pair() -> Network:
    return parse_network(PAIR)


@pytest.fixture
def exported(pair: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export, in the current directory."""
    monkeypatch.chdir(tmp_path)
    export(realize(pair), "sonata", tmp_path / "a")
    return Path("a")


@pytest.fixture
def tool() -> Callable[..., Result]:
    """Call one of the tools in this process: ``tool("mc-verify", "a", "b")``."""

    def call(name: str, *arguments: str | Path) -> Result:
        from importlib import import_module

        command = import_module(f"mc_interchange.cli.{name.removeprefix('mc-')}").command
        return CliRunner().invoke(command, [str(argument) for argument in arguments])

    return call
