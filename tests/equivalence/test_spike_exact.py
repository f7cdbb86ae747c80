"""Rung three: the network that ``microcircuit`` itself builds, through SONATA and back, spike for spike.

And the mutants that rungs one and three claim to reject.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from mc_interchange import NetworkInstance, export, open_model
from mc_interchange.equivalence import compare_spikes, compare_structure
from mc_interchange.importers.nest import capture
from mc_interchange.instance import InstanceDigest
from mc_interchange.reference_models.pd14.native import NativeMicrocircuit
from mc_interchange.runners.nest import NestRunner
from mc_interchange.runs import Run

#: With direct current, PD14 is silent when K is scaled down further.
N_SCALE, K_SCALE = 0.02, 0.5
DURATION = 500.0


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run, InstanceDigest]:
    """The export of the captured network, and microcircuit's own run of it."""
    directory = tmp_path_factory.mktemp("captured")
    native = NativeMicrocircuit(directory / "data", n_scale=N_SCALE, k_scale=K_SCALE)
    result = export(capture(native.populations, name="pd14", duration=DURATION), "sonata", directory / "sonata")
    return result.path, native.run(DURATION), result.digest


@pytest.fixture(scope="module")
def original(captured: tuple[Path, Run, InstanceDigest]) -> NetworkInstance:
    return open_model(captured[0])


def test_identical_spikes(captured: tuple[Path, Run, InstanceDigest], original: NetworkInstance) -> None:
    _, native, digest = captured
    assert original.digest(workers=2) == digest
    assert original.n_edges == 2_988_807
    comparison = compare_spikes(native, NestRunner().run(original))
    assert comparison.n_spikes[0] >= 5000  # silence cannot pass
    assert comparison.identical, comparison.divergence


def edit(path: Path, change) -> None:
    with h5py.File(path / "network/L4E_to_L23E_edges.h5", "r+") as file:
        change(file["edges/L4E_to_L23E"])


def one_weight(group: h5py.Group) -> None:
    group["0/syn_weight"][12345] *= 1.02


def one_delay(group: h5py.Group) -> None:
    group["0/delay"][12345] += 0.1


def one_synapse_missing(group: h5py.Group) -> None:
    del group["0/dynamics_params"]
    for name in (*(k for k in group if isinstance(group[k], h5py.Dataset)), "0/syn_weight", "0/delay"):
        values = group[name][:-1]
        attributes = dict(group[name].attrs)
        del group[name]
        group[name] = values
        group[name].attrs.update(attributes)


@pytest.mark.parametrize("mutant", [one_weight, one_delay, one_synapse_missing])
def test_structure_rejects_a_change_of_one_synapse_in_three_million(
    captured: tuple[Path, Run, InstanceDigest], original: NetworkInstance, tmp_path: Path, mutant
) -> None:
    copy = Path(shutil.copytree(captured[0], tmp_path / "mutant"))
    edit(copy, mutant)
    comparison = compare_structure(original, open_model(copy), workers=2)
    assert not comparison.identical
    assert len(comparison.differences) == 1
    assert comparison.differences[0].startswith("edges of L4E -> L23E: ")


def test_spikes_reject_weights_that_are_wrong_by_one_in_ten_thousand(
    captured: tuple[Path, Run, InstanceDigest], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(captured[0], tmp_path / "mutant"))
    for path in copy.glob("network/*_edges.h5"):
        with h5py.File(path, "r+") as file:
            weights = file["edges"][next(iter(file["edges"]))]["0/syn_weight"]
            weights[...] = weights[:] * (1 + 1e-4)
    comparison = compare_spikes(captured[1], NestRunner().run(open_model(copy)))
    assert not comparison.identical
    assert comparison.divergence is not None


def test_spikes_reject_initial_potentials_that_were_dropped(
    captured: tuple[Path, Run, InstanceDigest], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(captured[0], tmp_path / "mutant"))
    for path in copy.glob("network/*_nodes.h5"):
        with h5py.File(path, "r+") as file:
            potentials = file["nodes"][next(iter(file["nodes"]))]["0/dynamics_params/V_m"]
            potentials[...] = np.full(potentials.shape, -65.0)
    mutant = open_model(copy)
    assert not compare_spikes(captured[1], NestRunner().run(mutant)).identical
