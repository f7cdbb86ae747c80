"""One export per network for all consumers, and the spikes that native NEST gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from consumer_runs import HERE, Exported, read_spikes, run_script
from networks import NETWORKS

from mc_interchange import export


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Export a network of ``networks.py`` by name, and run it in native NEST, once each."""
    made: dict[str, Exported] = {}

    def make(name: str) -> Exported:
        if name not in made:
            directory = tmp_path_factory.mktemp(name)
            instance = NETWORKS[name]()
            path = export(instance, "sonata", directory / "sonata").path
            run_script(HERE / "native_nest.py", name, str(directory / "native"), cwd=directory)
            made[name] = Exported(instance, path, read_spikes(directory / "native" / "spikes.h5"))
            assert sum(map(len, made[name].spikes.values())) >= 300  # silence cannot pass
        return made[name]

    return make
