"""What tests of all parts share: a small network, and a folder that is the working directory."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from mc_interchange.network import Network, parse_network

SMALL = """
name: small
populations:
- {name: E, size: 40, neuron: &neuron {model: iaf_psc_exp, parameters: {C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms,
   tau_syn_in: 0.5 ms, t_ref: 2 ms, E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV}}}
- {name: I, size: 10, neuron: *neuron, initial_V_m: {distribution: normal, mean: -58.0, sd: 5.0}}
- {kind: virtual, name: TH, size: 5, activity: {kind: poisson, rate: 10.0}}
projections:
- {source: E, target: I, rule: {rule: fixed_total_number, number: 300}, weight: 87.8 pA, delay: 1.5 ms}
- {source: I, target: E, rule: {rule: pairwise_bernoulli, probability: 0.2}, delay: 0.8,
   weight: {distribution: truncated_normal, mean: -350.0, sd: 35.0, max: 0.0}}
- {source: TH, target: E, rule: {rule: fixed_indegree, indegree: 2}, weight: 100.0,
   delay: {distribution: uniform, low: 0.5, high: 2.0}}
inputs:
- {kind: poisson, name: background, target: E, rate: 8000.0, weight: 87.8, delay: 0.1}
simulation: {duration: 100.0}
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option for environments that have all that their tests need."""
    parser.addoption("--no-skips", action="store_true", help="fail if a test or a file of tests is skipped")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where something was skipped that must not be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure() -> None:
    """Take interrupts as in a terminal: a shell starts what runs in its background deaf to them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def small_network() -> Network:
    """50 neurons, 5 virtual sources, three projections, one input."""
    return parse_network(SMALL)


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def hdf5_lock_is_free(request):
    """Fail a test that leaves h5py's lock held, and give it back: the next thread that reads would wait for ever.

    A loop over h5py's ``items()`` that ends by an error does that (see ``mc_interchange.formats.hdf5.items_of``).
    """
    yield
    phil = sys.modules["h5py._objects"].phil if "h5py._objects" in sys.modules else None
    left = phil is not None and phil._is_owned()
    while phil is not None and phil._is_owned():
        phil.release()
    if left:
        pytest.fail(f"{request.node.nodeid} left h5py's lock held")
